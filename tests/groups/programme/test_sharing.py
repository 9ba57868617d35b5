"""Sharing an answer from home: one answer, one audience at a time, under the right alias, and as it was seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.core.errors import AppError, Closed, Forbidden, Invalid, Muted, NotFound
from app.core.work import Database
from app.main import PARTS
from app.notify.models import OutboxItem
from groups import rooms
from groups.models import Group, Room, Seat
from groups.programme import exercises, shared, sharing
from groups.programme.sharing import AUDIENCES, BUDDY, GROUP, STAFF, Shared
from moderation import queue, subjects
from tests import builders
from tests.builders import CRISIS, PHONE, RUDE, Circle
from tests.conftest import FrozenClock, Heard
from tests.groups.programme import small
from tests.groups.programme.sharers import (
    BOXES,
    LIST,
    ORDINARY,
    SCALE,
    TICKS,
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
    tell,
    with_staff,
    write,
)
from tests.groups.programme.small import CHAPTER


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


def test_nothing_is_shared_by_itself(circle: Circle) -> None:
    mees, noor, jip = circle.members
    write(circle, mees)
    assert count(circle) == 0
    assert [read_by(circle, who) for who in (noor, jip, circle.hanna)] == [[], [], []]
    assert with_staff(circle, circle.hanna) == {}
    assert states(circle, mees) == {}


def test_the_group_reads_it_under_the_alias_of_the_group(circle: Circle, heard: Heard) -> None:
    mees, noor, jip = circle.members
    assert tell(circle, mees, ORDINARY) == Shared("posted", False)
    for who in (noor, jip, circle.hanna):
        assert read_by(circle, who) == [("Mees_duin", ORDINARY)]
    assert read_by(circle, mees) == []
    assert read_by(circle, noor, pair_room(circle)) == []
    assert with_staff(circle, circle.hanna) == {}
    assert heard == []  # nothing is pushed
    assert cases(circle) == []


def test_a_buddy_reads_it_in_the_room_of_the_pair_under_the_alias_of_that_room(circle: Circle) -> None:
    mees, noor, jip = circle.members
    assert tell(circle, mees, ORDINARY, BUDDY).status == "posted"
    known_as = circle.known_as(mees)
    assert known_as != mees.alias
    assert read_by(circle, noor, pair_room(circle)) == [(known_as, ORDINARY)]
    assert [read_by(circle, who) for who in (noor, jip, circle.hanna)] == [[], [], []]
    for other in (jip, circle.hanna):  # a facilitator has no seat there
        with pytest.raises(NotFound):
            read_by(circle, other, pair_room(circle))


def test_facilitators_read_what_was_shared_with_them_by_alias_and_nobody_else_does(circle: Circle) -> None:
    mees, noor, jip = circle.members
    tell(circle, mees, ORDINARY, STAFF)
    tell(circle, mees, {"voor": "Ik was moe", "na": ""}, STAFF, BOXES)
    tell(circle, noor, "Slapen", STAFF)
    told = {"Mees_duin": ["Ervoor: Ik was moe", ORDINARY], "Noor_eik": ["Slapen"]}
    assert with_staff(circle, circle.hanna) == told
    assert with_staff(circle, circle.second_lead()) == told
    for who in circle.members:
        with pytest.raises(Forbidden):
            with_staff(circle, who)
    assert [read_by(circle, who) for who in (noor, jip)] == [[], []]


def test_another_group_reads_nothing_of_it(circle: Circle) -> None:
    other = builders.circle(circle.database, organisation_id=circle.organisation_id)
    for audience in AUDIENCES:
        tell(circle, circle.members[0], ORDINARY, audience)
    assert [read_by(other, who) for who in (*other.members, other.hanna)] == [[]] * 4
    assert with_staff(other, other.hanna) == {}
    with pytest.raises(NotFound):
        read_by(circle, other.hanna)


@pytest.mark.parametrize(
    ("step", "value", "text", "hours"),
    [
        (WORDS, "Eerst dit.\n\nDan dat.", "Eerst dit.\n\nDan dat.", ()),
        (BOXES, {"voor": "Thuis", "na": "Moe"}, "Ervoor: Thuis\nErna: Moe", ()),
        (SCALE, "7", "7", ()),
        (TICKS, ["2", "0"], "Een\nDrie", ()),
        (LIST, [["laat", "ik bel"], ["alleen", ""]], "laat · ik bel\nalleen", ()),
        (WEEK, ["5", "41"], "", (5, 41)),
    ],
)
def test_every_kind_of_answer_is_shared_in_words_with_its_question(
    circle: Circle, step: str, value: Any, text: str, hours: tuple[int, ...]
) -> None:
    mees, noor = circle.members[:2]
    assert tell(circle, mees, value, GROUP, step).status == "posted"
    with circle.database.read(noor.actor) as r:
        [one] = shared.in_room(r, rooms.place(r, circle.room))
    assert (one.said.title, one.said.text, one.said.hours) == (f"Kop van {step}", text, hours)
    assert one.said.prompt != ""
    assert (one.said.low, one.said.high) == (("niets", "alles") if step == SCALE else ("", ""))
    assert one.chapter == "Alle soorten"


@given(
    title=st.text(max_size=30), text=st.text(max_size=200), hours=st.lists(st.integers(0, 41)), low=st.text(max_size=9)
)
def test_what_is_kept_of_a_share_reads_back_the_same(title: str, text: str, hours: list[int], low: str) -> None:
    said = shared.Said(title, "", text, tuple(hours), low)
    assert shared.Said.read(said.written()) == said
    assert said.empty is (not text and not hours)


def test_what_is_changed_at_home_afterwards_is_not_shared_until_somebody_shares_again(
    circle: Circle, clock: FrozenClock
) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, "Eerst dit")
    write(circle, mees, "Later dat, en dat is van mij")
    assert read_by(circle, noor) == [("Mees_duin", "Eerst dit")]
    assert states(circle, mees) == {GROUP: ("posted", True)}
    clock.forward(days=1)
    assert share(circle, mees).status == "posted"
    assert read_by(circle, noor) == [("Mees_duin", "Later dat, en dat is van mij")]
    assert states(circle, mees) == {GROUP: ("posted", False)}
    assert count(circle) == 1


def test_a_share_keeps_the_question_it_answers(circle: Circle, folder: Path) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, ORDINARY)
    small.write(folder, small.text(small.FRONT.replace("Wat viel je op?", "Een heel andere vraag?")))
    with circle.database.read(noor.actor) as r:
        assert [one.said.prompt for one in shared.in_room(r, rooms.place(r, circle.room))] == ["Wat viel je op?"]
    assert look_at(circle, mees).said.prompt == "Wat viel je op?"  # it was given to that question


def test_sharing_twice_is_sharing_once(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    tell(circle, mees, RUDE)
    clock.forward(hours=1)
    first = ref_of(circle, mees)
    assert [share(circle, mees).status for _ in range(2)] == ["held", "held"]
    assert (ref_of(circle, mees), count(circle), len(cases(circle))) == (first, 1, 1)


def test_two_screens_at_the_same_moment_share_it_once(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    mees, noor = circle.members[:2]
    write(circle, mees)
    monkeypatch.setattr(sharing, "_screened", builders.Gap().after(sharing._screened))
    answers = builders.at_once(*[lambda: share(circle, mees)] * 2)
    assert [a for a in builders.refusals(answers) if not isinstance(a, AppError)] == []
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]
    assert count(circle) == 1


def test_what_identifies_is_shown_masked_before_it_is_shared(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    write(circle, mees, PHONE)
    assert share(circle, mees) == Shared("preview", False)
    assert count(circle) == 0
    look = look_at(circle, mees)
    assert look.masked
    assert "06 12345678" not in look.said.text
    assert share(circle, mees, seen=look.seen).status == "posted"
    assert read_by(circle, noor) == [("Mees_duin", look.said.text)]
    assert states(circle, mees) == {GROUP: ("posted", False)}
    with circle.database.read(mees.actor) as r:  # at home it stands as it was written
        assert exercises.own(r, rooms.place(r, circle.room), CHAPTER)[WORDS].text == PHONE


def test_what_was_looked_at_is_what_is_shared(circle: Circle) -> None:
    mees = circle.members[0]
    write(circle, mees, PHONE)
    seen = look_at(circle, mees).seen
    write(circle, mees, "Bel me op 06 87654321, en iets wat niemand mag lezen")
    assert share(circle, mees, seen=seen).status == "preview"
    write(circle, mees, ORDINARY)
    assert share(circle, mees, seen=seen).status == "preview"
    assert count(circle) == 0
    with_group, with_staff = (look_at(circle, mees, audience).seen for audience in (GROUP, STAFF))
    assert with_group != with_staff
    assert share(circle, mees, GROUP, seen=with_staff).status == "preview"


def test_a_facilitator_gets_it_as_it_is(circle: Circle) -> None:
    mees = circle.members[0]
    for text in (PHONE, RUDE):
        look_at = tell(circle, mees, text, STAFF)
        assert look_at.status == "posted"
        assert with_staff(circle, circle.hanna) == {"Mees_duin": [text]}
    assert [(card.held, card.level) for card in cases(circle)] == [(False, queue.OTHER)]


def test_names_of_the_room_may_be_said_in_that_room(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    write(circle, mees, f"Dank je, {noor.alias}, dat hielp")
    assert not look_at(circle, mees).masked
    assert share(circle, mees).status == "posted"


def test_what_must_be_looked_at_is_read_by_nobody_before_it_was_released(circle: Circle, heard: Heard) -> None:
    mees, noor = circle.members[:2]
    assert tell(circle, mees, f"{RUDE}. {PHONE}") == Shared("held", False)
    assert states(circle, mees) == {GROUP: ("held", False)}
    assert read_by(circle, noor) == read_by(circle, circle.hanna) == []
    [card] = cases(circle)
    detail = look_into(circle, card.public_id).subject
    assert (detail.alias, detail.place, detail.held) == ("Mees_duin", "Dinsdaggroep", True)
    assert detail.text == f"Wat viel je op?\n{RUDE}. {PHONE}"
    decide(circle, "release")
    [(alias, text)] = read_by(circle, noor)
    assert alias == "Mees_duin"
    assert RUDE in text
    assert "06 12345678" not in text
    assert states(circle, mees) == {GROUP: ("posted", False)}
    assert share(circle, mees).status == "posted"  # it was let through: it is not held again
    assert {"kind": "released", "room": circle.room} in heard.payloads(f"person:{mees.person_id}", "notice")


def test_what_is_held_for_a_buddy_is_told_by_the_alias_that_staff_knows(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    assert tell(circle, mees, RUDE, BUDDY).status == "held"
    assert read_by(circle, noor, pair_room(circle)) == []
    [card] = cases(circle)
    assert look_into(circle, card.public_id).subject.alias == "Mees_duin"
    decide(circle, "release")
    assert read_by(circle, noor, pair_room(circle)) == [(circle.known_as(mees), RUDE)]


def test_what_was_kept_back_stays_so_until_it_says_something_else(circle: Circle, heard: Heard) -> None:
    mees, noor = circle.members[:2]
    tell(circle, mees, RUDE)
    decide(circle, "reject")
    assert states(circle, mees) == {GROUP: ("rejected", False)}
    told = heard.payloads(f"person:{mees.person_id}", "notice")
    assert {"kind": "rejected", "room": circle.room, "reason": "tone"} in told
    assert share(circle, mees).status == "rejected"
    assert cases(circle) == []
    assert tell(circle, mees, ORDINARY).status == "posted"
    assert read_by(circle, noor) == [("Mees_duin", ORDINARY)]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_danger_is_shared_shows_help_and_alerts_the_staff_at_once(circle: Circle, audience: str) -> None:
    mees = circle.members[0]
    assert tell(circle, mees, CRISIS, audience) == Shared("posted", True)
    [card] = cases(circle)
    assert (card.level, card.held) == (queue.RED, False)
    alert = select(OutboxItem.person_id).where(OutboxItem.kind == "alert")
    with circle.database.read() as r:
        assert r.db.scalars(alert).all() == [circle.hanna.person_id]
    assert share(circle, mees, audience) == Shared("posted", True)
    with circle.database.read() as r:
        assert r.db.scalars(alert).all() == [circle.hanna.person_id]


def test_help_does_not_wait_for_the_sharing(circle: Circle) -> None:
    mees = circle.members[0]
    write(circle, mees, f"{CRISIS}. {PHONE}")
    assert look_at(circle, mees).crisis
    assert share(circle, mees) == Shared("preview", True)


@pytest.mark.parametrize(("first", "second"), [(GROUP, BUDDY), (BUDDY, GROUP)])
def test_sharing_the_same_with_group_and_buddy_asks_first_because_it_links_two_names(
    circle: Circle, first: str, second: str
) -> None:
    mees = circle.members[0]
    write(circle, mees)
    assert not any(look_at(circle, mees, audience).linked for audience in AUDIENCES)
    share(circle, mees, first)
    unsuspecting = look_at(circle, mees, STAFF)
    look = look_at(circle, mees, second)
    assert (look.linked, unsuspecting.linked) == (True, False)
    assert share(circle, mees, second).status == "preview"
    assert set(states(circle, mees)) == {first}
    assert share(circle, mees, second, seen=look.seen).status == "posted"
    assert set(states(circle, mees)) == {first, second}


def test_what_was_looked_at_before_the_other_room_read_it_must_be_looked_at_again(circle: Circle) -> None:
    mees = circle.members[0]
    write(circle, mees)
    seen = look_at(circle, mees, BUDDY).seen
    share(circle, mees, GROUP)
    assert share(circle, mees, BUDDY, seen=seen).status == "preview"


def test_without_a_buddy_or_a_facilitator_there_is_nobody_to_share_with(circle: Circle) -> None:
    jip = circle.members[2]
    write(circle, jip)
    with pytest.raises(Closed):
        share(circle, jip, BUDDY)
    panel = panel_of(circle, jip)
    assert panel is not None
    assert [offer.audience for offer in panel.offers] == [GROUP, STAFF]
    with circle.database.work() as w:
        w.db.execute(update(Seat).where(Seat.membership_id == circle.hanna.membership_id).values(left_at=w.now))
    with pytest.raises(Closed):
        share(circle, jip, STAFF)
    assert count(circle) == 0


def test_what_was_never_answered_cannot_be_shared(circle: Circle) -> None:
    mees = circle.members[0]
    for audience in AUDIENCES:
        with pytest.raises(Invalid):
            share(circle, mees, audience)
    write(circle, mees, [], TICKS)
    with pytest.raises(Invalid):
        share(circle, mees, GROUP, TICKS)
    panel = panel_of(circle, mees)
    assert panel is not None
    assert (panel.offers, panel.answered) == ([], False)


def test_a_self_check_and_what_asks_nothing_cannot_be_shared(circle: Circle, folder: Path) -> None:
    mees = circle.members[0]
    write(circle, mees)
    small.write(folder, small.text(small.FRONT.replace('prompt: "Wat viel je op?"', "shareable: false")))
    for step in (WORDS, "lezen", "adem", "peilen", "welkom", "bestaat-niet"):
        assert panel_of(circle, mees, step) is None
        with pytest.raises(NotFound):
            share(circle, mees, GROUP, step)
    assert count(circle) == 0


def test_who_leads_has_nothing_to_share(circle: Circle) -> None:
    assert panel_of(circle, circle.hanna) is None
    with pytest.raises(NotFound):
        share(circle, circle.hanna)


@pytest.mark.parametrize("audience", ["", "all", "room", "staff ", "GROUP"])
def test_an_audience_that_is_none_is_nobody(circle: Circle, audience: str) -> None:
    write(circle, circle.members[0])
    with pytest.raises(NotFound):
        share(circle, circle.members[0], audience)


def test_what_is_shared_in_a_session_stays_apart_from_home(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    with circle.database.work(mees.actor) as w:
        exercises.answer(w, rooms.place(w, circle.room), CHAPTER, "delen", ORDINARY, share=True, session_id=1)
    with pytest.raises(Invalid):
        share(circle, mees, GROUP, "delen")
    assert read_by(circle, noor) == []


def test_who_may_not_write_in_a_room_does_not_share_in_it_but_a_facilitator_can_always_be_told(
    circle: Circle, clock: FrozenClock
) -> None:
    mees, noor = circle.members[:2]
    write(circle, mees)
    with circle.database.work(circle.hanna.actor) as w:
        rooms.mute(w, circle.room, mees.alias, 30)
    with pytest.raises(Muted):
        share(circle, mees)
    assert share(circle, mees, STAFF).status == "posted"
    clock.forward(minutes=31)
    with circle.database.work() as w:
        w.db.execute(update(Room).where(Room.public_id == circle.room).values(only_staff_writes=True))
    with pytest.raises(Forbidden):
        share(circle, mees)
    with circle.database.work() as w:
        w.db.execute(update(Room).values(only_staff_writes=False))
        w.db.execute(update(Group).values(open_hours="1 19:00-21:00"))
    with pytest.raises(Closed):
        share(circle, mees)
    assert share(circle, mees, BUDDY).status == "posted"  # hours are those of the group's room
    assert read_by(circle, noor) == []
