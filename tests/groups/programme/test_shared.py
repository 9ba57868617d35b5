"""What was shared from home: taken back, gone with whoever leaves, reported, kept and erased; and who reads it then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.accounts import erasure
from app.core.errors import Closed, Invalid, NotFound
from app.core.work import Database, Work
from app.main import PARTS
from app.notify.models import OutboxItem
from groups import personal, rooms
from groups.models import Answer, Seat, Share
from groups.people import leaving
from groups.programme import earlier, shared
from groups.programme.sharing import AUDIENCES, BUDDY, GROUP, STAFF
from groups.talk import hiding
from moderation import flags, queue, subjects
from moderation.models import Case, Flag
from tests import builders
from tests.builders import CRISIS, RUDE, Circle, Someone
from tests.conftest import FrozenClock
from tests.groups.programme import small
from tests.groups.programme.sharers import (
    BOXES,
    ORDINARY,
    SCALE,
    WEEK,
    WORDS,
    cases,
    count,
    decide,
    look_at,
    look_into,
    pair_room,
    panel_of,
    read_by,
    ref_of,
    share,
    states,
    take_back,
    tell,
    with_staff,
    write,
)


@pytest.fixture(autouse=True)
def _introduced() -> None:
    for part in PARTS:
        subjects.introduce(part.subjects)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with small.in_use(tmp_path / "content") as made:
        yield made


@pytest.fixture
def circle(database: Database, folder: Path) -> Circle:
    """Mees and Noor are buddies in one group with Jip, which Hanna leads."""
    made = builders.circle(database)
    small.follow(database, made.group_id)
    made.pair(*made.members[:2])
    return made


def test_taken_back_is_gone_for_everybody_at_once(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    for audience in AUDIENCES:
        tell(circle, mees, ORDINARY, audience)
    for audience in AUDIENCES:
        take_back(circle, mees, ref_of(circle, mees, audience))
    assert states(circle, mees) == {}
    assert read_by(circle, noor) == read_by(circle, noor, pair_room(circle)) == []
    assert with_staff(circle, circle.hanna) == {}
    assert count(circle) == 0
    assert count(circle, Answer) == 1  # what was written at home stays


def test_only_its_author_takes_it_back(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    ref = ref_of(circle, mees)
    for who in (noor, circle.hanna):
        with pytest.raises(NotFound):
            take_back(circle, who, ref)
    for nothing in ("", "geen", "x" * 40, "' or 1=1"):
        with pytest.raises(NotFound):
            take_back(circle, mees, nothing)
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]


def test_taking_back_what_is_held_closes_the_question_about_it(circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, RUDE)
    take_back(circle, mees, ref_of(circle, mees))
    assert (cases(circle), count(circle)) == ([], 0)


def test_who_spoke_of_danger_and_took_it_back_can_still_be_looked_after(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, CRISIS)
    take_back(circle, mees, ref_of(circle, mees))
    assert read_by(circle, noor) == []
    assert states(circle, mees) == {}
    [card] = cases(circle)
    detail = look_into(circle, card.public_id).subject
    assert (detail.alias, detail.taken_back, detail.held) == ("Mees_duin", True, False)
    assert CRISIS in detail.text
    decide(circle, "seen")
    assert count(circle) == 0  # it was kept for that only


def test_what_was_taken_back_can_be_shared_again_while_somebody_still_looks(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, CRISIS)
    take_back(circle, mees, ref_of(circle, mees))
    tell(circle, mees, ORDINARY)
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]
    [card] = cases(circle)
    detail = look_into(circle, card.public_id).subject
    assert (detail.alias, detail.taken_back) == ("Mees_duin", True)
    assert CRISIS in detail.text  # what somebody was alerted to is not written over
    with circle.database.read(mees.actor) as r:
        [group] = personal.export(r, mees.person_id)["groups"]
    assert [(one["with"], one["status"]) for one in group["shared"]] == [(GROUP, "withdrawn"), (GROUP, "posted")]
    decide(circle, "seen")
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]
    assert count(circle) == 1


def test_words_of_danger_that_are_shared_otherwise_stay_for_who_looks(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    for text in (CRISIS, "Het gaat alweer", f"{CRISIS} echt", ORDINARY):
        tell(circle, mees, text)
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]
    assert all(CRISIS in look_into(circle, card.public_id).subject.text for card in cases(circle))
    assert (len(cases(circle)), count(circle)) == (2, 3)


def test_an_answer_stays_while_somebody_looks_after_who_wrote_it(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, CRISIS)
    take_back(circle, mees, ref_of(circle, mees))
    with circle.database.read(mees.actor) as r:
        [part] = earlier.everything(r)
    [one] = part.answers
    with circle.database.work(mees.actor) as w, pytest.raises(Closed):
        earlier.remove(w, one.ref)
    [card] = cases(circle)
    assert look_into(circle, card.public_id).subject.alias == "Mees_duin"
    decide(circle, "seen")
    with circle.database.work(mees.actor) as w:
        earlier.remove(w, one.ref)
    assert count(circle, Answer) == 0
    assert read_by(circle, noor) == []


def test_two_rooms_have_no_common_order(circle: Circle) -> None:
    """A buddy could find out by it which of the group's shares came before one of the pair's."""
    mees, noor, jip = circle.members
    tell(circle, jip, ORDINARY)
    tell(circle, mees, "Voor mijn duo", BUDDY)
    ref = ref_of(circle, mees, BUDDY)
    with circle.database.read(noor.actor) as r:
        assert shared.in_room(r, rooms.place(r, circle.room), before=ref) == []


def test_who_was_sent_out_reads_nothing_at_a_step_either(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    with circle.database.work() as w:
        w.db.execute(update(Seat).where(Seat.membership_id == noor.membership_id).values(out_at=w.now))
    with circle.database.read(noor.actor) as r:
        assert shared.in_room(r, rooms.home(r)) == []


def test_an_answer_that_goes_takes_its_shares_along(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    for audience in AUDIENCES:
        tell(circle, mees, ORDINARY, audience)
    with circle.database.work(mees.actor) as w:
        [part] = earlier.everything(w)
        earlier.remove(w, part.answers[0].ref)
    assert count(circle) == count(circle, Answer) == 0
    assert read_by(circle, noor) == []


@pytest.mark.parametrize("how", ["leaves", "is removed"])
def test_who_is_in_the_group_no_longer_shares_nothing_there(circle: Circle, how: str) -> None:
    mees, noor = circle.members[:2]
    for audience in AUDIENCES:
        tell(circle, mees, ORDINARY, audience)
    with circle.database.work(mees.actor if how == "leaves" else circle.hanna.actor) as w:
        if how == "leaves":
            leaving.leave(w, circle.group)
        else:
            leaving.remove(w, circle.group, mees.ref, "agreed")
    assert read_by(circle, noor) == read_by(circle, noor, pair_room(circle)) == []
    assert with_staff(circle, circle.hanna) == {}
    assert count(circle) == 0
    with pytest.raises(NotFound):
        share(circle, mees)


def test_who_leaves_in_danger_can_still_be_looked_after(circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, CRISIS)
    with circle.database.work(mees.actor) as w:
        leaving.leave(w, circle.group)
    [card] = cases(circle)
    assert CRISIS in look_into(circle, card.public_id).subject.text
    decide(circle, "seen")
    assert count(circle) == 0


def test_a_seat_that_is_empty_is_enough_to_read_nothing(circle: Circle) -> None:
    """Should a share ever be left behind, nobody reads it."""
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    with circle.database.work() as w:
        w.db.execute(update(Seat).where(Seat.membership_id == mees.membership_id).values(left_at=w.now))
    assert read_by(circle, noor) == []


def test_a_pair_that_ends_reads_nothing_and_another_pair_reads_what_is_shared_anew(circle: Circle) -> None:
    mees, noor, jip = circle.members
    tell(circle, mees, ORDINARY, BUDDY)
    with circle.database.work(noor.actor) as w:
        leaving.leave(w, circle.group)
    assert states(circle, mees) == {BUDDY: ("past", False)}
    with pytest.raises(Closed):
        share(circle, mees, BUDDY)
    circle.pair(mees, jip)
    assert read_by(circle, jip, pair_room(circle)) == []
    assert states(circle, mees) == {BUDDY: ("past", False)}
    assert share(circle, mees, BUDDY).status == "posted"
    assert read_by(circle, jip, pair_room(circle)) == [(circle.known_as(mees), ORDINARY)]
    assert count(circle) == 1


def test_whom_somebody_hid_they_do_not_read_here_either(circle: Circle) -> None:
    mees, noor, jip = circle.members
    for who in (mees, jip):
        tell(circle, who, f"{ORDINARY}, {who.ref}")
    with circle.database.work(noor.actor) as w:
        hiding.hide_person(w, circle.room, mees.alias)
    assert [alias for alias, _text in read_by(circle, noor)] == ["Jip_kiezel"]
    assert [alias for alias, _text in read_by(circle, circle.hanna)] == ["Jip_kiezel", "Mees_duin"]


def test_what_others_shared_is_read_at_its_own_step_and_page_by_page(circle: Circle) -> None:
    mees, noor, jip = circle.members
    for who, step, value in ((mees, WORDS, "A"), (mees, SCALE, "3"), (jip, WORDS, "B"), (jip, SCALE, "4")):
        tell(circle, who, value, GROUP, step)
    panel = panel_of(circle, noor)
    assert panel is not None
    assert [(one.alias, one.said.text) for one in panel.others] == [("Jip_kiezel", "B"), ("Mees_duin", "A")]
    with circle.database.read(noor.actor) as r:
        place = rooms.place(r, circle.room)
        first = shared.in_room(r, place, 3)
        rest = shared.in_room(r, place, 3, before=first[-1].ref)
    assert [one.said.text for one in (*first, *rest)] == ["4", "B", "3", "A"]


def test_the_page_of_a_step_asks_the_database_the_same_however_much_is_shared(circle: Circle) -> None:
    mees, noor, jip = circle.members
    write(circle, noor)
    with builders.statements(circle.database) as few:
        panel_of(circle, noor)
    for audience in AUDIENCES:
        share(circle, noor, audience, seen=look_at(circle, noor, audience).seen)
    for who in (mees, jip):
        tell(circle, who, ORDINARY)
    with builders.statements(circle.database) as many:
        panel = panel_of(circle, noor)
    assert panel is not None
    assert ([offer.own is not None for offer in panel.offers], len(panel.others)) == ([True] * 3, 2)
    assert len(few) <= 11
    assert len(many) <= 14  # two more for the names that may be said in two rooms, one for keys


def test_a_room_and_a_group_are_read_in_two_questions(circle: Circle) -> None:
    for who in circle.members:
        for step, value in ((WORDS, ORDINARY), (SCALE, "5")):
            tell(circle, who, value, GROUP, step)
            tell(circle, who, value, STAFF, step)
    with circle.database.read(circle.hanna.actor) as r:
        place = rooms.place(r, circle.room)
        with builders.statements(circle.database) as seen:
            assert len(shared.in_room(r, place)) == 6
        assert len(seen) <= 2  # and one of them for keys that are not in memory yet
    with circle.database.read(circle.hanna.actor) as r:
        place = rooms.place(r, circle.room)
        with builders.statements(circle.database) as seen:
            assert sum(map(len, shared.with_staff(r, place).values())) == 6
        assert len(seen) <= 2  # and one of them for keys that are not in memory yet


# What members report, and what is kept.


def _report(circle: Circle, who: Someone, ref: str, reason: str = "touches_me", room: str = "") -> None:
    with circle.database.work(who.actor) as w:
        shared.report(w, room or circle.room, ref, reason)


def test_who_reads_it_can_ask_somebody_to_look_and_it_can_be_taken_away(circle: Circle) -> None:
    mees, noor, jip = circle.members
    tell(circle, mees, ORDINARY)
    ref = ref_of(circle, mees)
    for who in (noor, noor, jip):
        _report(circle, who, ref)
    [card] = cases(circle)
    assert (card.kinds, card.held, count(circle, Flag)) == ((queue.FLAGGED,), False, 2)
    decide(circle, "reject")
    assert read_by(circle, noor) == []
    assert states(circle, mees) == {GROUP: ("rejected", False)}


def test_a_worry_alerts_the_staff(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY, BUDDY)
    assert "worry" in flags.URGENT
    _report(circle, noor, ref_of(circle, mees, BUDDY), "worry", pair_room(circle))
    [card] = cases(circle)
    assert card.level == queue.RED
    with circle.database.read() as r:
        alerted = r.db.scalars(select(OutboxItem.person_id).where(OutboxItem.kind == "alert")).all()
    assert alerted == [circle.hanna.person_id]


def test_only_what_one_can_read_can_be_reported(circle: Circle) -> None:
    mees, noor, jip = circle.members
    tell(circle, mees, ORDINARY, BUDDY)
    tell(circle, noor, RUDE)
    own, held = ref_of(circle, mees, BUDDY), ref_of(circle, noor)
    other = builders.circle(circle.database, organisation_id=circle.organisation_id)
    for who, ref, room in (
        (mees, own, pair_room(circle)),
        (jip, own, circle.room),
        (jip, own, pair_room(circle)),
        (mees, held, circle.room),
        (other.members[0], own, other.room),
        (noor, "' --", circle.room),
    ):
        with pytest.raises(NotFound):
            _report(circle, who, ref, room=room)
    with pytest.raises(Invalid):
        _report(circle, noor, own, "omdat", pair_room(circle))
    assert count(circle, Flag) == 0


def test_what_was_shared_is_taken_along_by_its_author_alone(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, "Rust in mijn hoofd", BUDDY)
    tell(circle, mees, ["3"], STAFF, WEEK)
    tell(circle, noor, "Slapen hielp")
    with circle.database.read(mees.actor) as r:
        exported = personal.export(r, mees.person_id)
    [group] = exported["groups"]
    assert [(one["with"], one.get("text"), one.get("hours"), one["status"]) for one in group["shared"]] == [
        (BUDDY, "Rust in mijn hoofd", None, "posted"),
        (STAFF, None, [3], "posted"),
    ]
    assert "Slapen hielp" not in str(exported)


def test_erasing_removes_what_was_shared_and_points_no_case_at_it(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, CRISIS)
    tell(circle, mees, {"voor": RUDE}, GROUP, BOXES)
    tell(circle, noor, ORDINARY)
    _report(circle, noor, ref_of(circle, mees))
    with circle.database.work(mees.actor) as w:
        erasure.erase(w, PARTS, mees.person_id)
    assert count(circle) == 1
    assert count(circle, Flag) == 0
    with circle.database.read() as r:
        left = r.db.scalar(select(Share.id))
        assert set(r.db.scalars(select(Case.subject_id))) == {0}
        assert left not in (0, None)
    [card] = cases(circle)  # that somebody was in danger is still to be seen
    assert card.level == queue.RED
    assert look_into(circle, card.public_id).subject.text == ""


def test_what_is_shared_stands_sealed_by_its_author_and_bound_to_its_place(circle: Circle) -> None:
    mees = circle.members[0]
    tell(circle, mees, ORDINARY)
    with circle.database.work() as w:
        assert ORDINARY.encode() not in b"".join(w.db.scalars(select(Share.value)))
        key_id = w.ring.destroy(mees.person_id, w.now.date())
        circle.database.vault.forget(key_id or "")
    with circle.database.read(circle.hanna.actor) as r, pytest.raises(Exception, match="destroyed"):
        shared.in_room(r, rooms.place(r, circle.room))


def test_the_hour_is_kept_and_told_to_the_minute_only(circle: Circle, clock: FrozenClock) -> None:
    clock.forward(seconds=37)
    tell(circle, circle.members[0], ORDINARY)
    with circle.database.read() as r:
        assert {at.second for at in r.db.scalars(select(Share.shared_at))} == {0}


# Whatever people do, nobody reads what is not shared with them now.

_DO = st.lists(
    st.tuples(st.sampled_from(["write", "share", "take back", "leave"]), st.integers(0, 1), st.sampled_from(AUDIENCES)),
    max_size=14,
)


@given(deeds=_DO)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_do_only_what_is_shared_now_is_read(circle: Circle, deeds: list[tuple[str, int, str]]) -> None:
    with circle.database.work() as w:
        w.db.execute(delete(Share))
        w.db.execute(delete(Answer))
    wrote: dict[int, str] = {}
    stands: dict[tuple[int, str], str] = {}
    for number, (deed, who, audience) in enumerate(deeds):
        member = circle.members[who]
        if deed == "write":
            wrote[who] = f"Keer {number}"
            write(circle, member, wrote[who])
        elif deed == "share" and who in wrote:
            share(circle, member, audience, seen=look_at(circle, member, audience).seen)
            stands[who, audience] = wrote[who]
        elif deed == "take back" and (who, audience) in stands:
            take_back(circle, member, ref_of(circle, member, audience))
            del stands[who, audience]
    mees, noor, jip = circle.members
    texts = [{a: t for (n, a), t in stands.items() if n == who} for who in (0, 1)]
    in_group = [(m.alias, t[GROUP]) for m, t in zip((mees, noor), texts, strict=True) if GROUP in t]
    assert sorted(read_by(circle, jip)) == sorted(read_by(circle, circle.hanna)) == sorted(in_group)
    assert read_by(circle, mees, pair_room(circle)) == [
        (circle.known_as(noor), texts[1][BUDDY]) for _ in range(BUDDY in texts[1])
    ]
    assert with_staff(circle, circle.hanna) == {
        m.alias: [t[STAFF]] for m, t in zip((mees, noor), texts, strict=True) if STAFF in t
    }


def test_a_list_that_forgets_to_ask_for_the_seat_is_noticed(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the checks above would see a room that shows what was shared elsewhere."""
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY, BUDDY)

    def everywhere(w: Work, query: Any) -> list[shared.Shown]:
        rows = w.db.scalars(select(Share)).all()
        return [
            shared.Shown(r.public_id, "", "", said, r.shared_at)
            for r, said in zip(rows, shared.said(w, rows), strict=True)
        ]

    assert read_by(circle, noor) == []
    monkeypatch.setattr(shared, "_shown", everywhere)
    assert read_by(circle, noor) != []


def test_shared_long_ago_is_still_there(circle: Circle, clock: FrozenClock) -> None:
    """It goes with the answer, not with the conversation."""
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    clock.at += timedelta(days=400)
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]
