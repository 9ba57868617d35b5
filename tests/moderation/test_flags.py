"""Asking somebody to look: each counts once, nobody is told who it was, and several do what one alone cannot."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.core.audit import AuditLine
from app.core.errors import Closed, Invalid, NotFound, RateLimited
from app.core.permissions import Role
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms, rules
from groups.models import Group, Message, Seat
from groups.subjects import MessageSubject
from groups.talk import conversation, reporting
from moderation import flags, queue, subjects
from moderation.models import Case, Flag
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock, Heard

STAFFED = "1 09:00-17:00; 2 09:00-17:00; 3 09:00-17:00; 4 09:00-17:00; 5 09:00-17:00"
WEDNESDAY_MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)  # 9.00 in Amsterdam; the clock stands on Tuesday 19.30


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"message": MessageSubject()})


def _flag(circle: Circle, who: Someone, seq: int, reason: str = "touches_me", room: str = "") -> None:
    with circle.database.work(who.actor) as w:
        reporting.report(w, room or circle.room, seq, reason)


def _cases(circle: Circle) -> list[Case]:
    with circle.database.read() as r:
        return list(r.db.scalars(select(Case).order_by(Case.id)))


def _detail(circle: Circle, who: Someone) -> queue.Detail:
    with circle.database.work(who.actor) as w:
        [card] = queue.waiting(w)
        return queue.look(w, card.public_id)


def _status(circle: Circle, seq: int) -> str:
    with circle.database.read() as r:
        return r.db.scalars(select(Message.status).where(Message.seq == seq)).one()


def _unstaffed(circle: Circle) -> None:
    """From now on staff reads along on working days only; it is evening."""
    with circle.database.work() as w:
        w.db.execute(update(Group).values(staffed_hours=STAFFED))


def _muted_until(circle: Circle, who: Someone) -> datetime | None:
    with circle.database.read() as r:
        query = select(Seat.muted_until).where(Seat.membership_id == who.membership_id)
        return r.db.scalars(query).one()


def _lines(circle: Circle, who: Someone) -> list[str]:
    with circle.database.read() as r:
        return list(r.db.scalars(select(OutboxItem.kind).where(OutboxItem.person_id == who.person_id)))


def _moderator(circle: Circle) -> Someone:
    actor, token = builders.someone(circle.database, circle.organisation_id, Role.MODERATOR, name="Marit")
    return Someone(actor, "Marit", "", 0, token)


def test_a_flag_opens_one_case_and_the_next_person_joins_it(database: Database, heard: Heard) -> None:
    circle = builders.circle(database, members=6)
    author, first, second, *_ = circle.members
    circle.post(author, "Zo kom je er nooit")
    _flag(circle, first, 1)
    _flag(circle, second, 1)
    [case] = _cases(circle)
    assert (case.kinds, case.level, case.held, case.subject_kind) == ("flagged", queue.AMBER, False, "message")
    assert _detail(circle, circle.hanna).flagged == queue.Flagged(2, ("touches_me",))
    assert _status(circle, 1) == "posted"


def test_the_same_person_counts_once_however_often_they_tap(database: Database) -> None:
    circle = builders.circle(database, members=6)
    circle.post(circle.members[0], "Zo kom je er nooit")
    for reason in ("touches_me", "touches_me", "advertising"):
        _flag(circle, circle.members[1], 1, reason)
    flagged = _detail(circle, circle.hanna).flagged
    assert flagged == queue.Flagged(1, ("touches_me",))
    assert _cases(circle)[0].level == queue.AMBER


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("reason", sorted(flags.URGENT))
def test_who_asked_before_and_now_says_it_is_urgent_is_heard(
    database: Database, clock: FrozenClock, reason: str, looked: bool
) -> None:
    circle = builders.circle(database, members=6)
    circle.post(circle.members[0], "Het heeft allemaal geen zin")
    _flag(circle, circle.members[1], 1)
    if looked:
        with database.work(circle.hanna.actor) as w:
            [card] = queue.waiting(w)
            queue.decide(w, card.public_id, 1, "seen", "")
    clock.forward(hours=1)
    for again in (reason, reason, "touches_me"):
        _flag(circle, circle.members[1], 1, again)
    case = _cases(circle)[-1]
    assert (case.level, case.decided_at) == (queue.RED, None)
    assert case.due_at == clock() + queue.CLOCKS[queue.RED]
    assert _lines(circle, circle.hanna) == ["alert"]
    assert _detail(circle, circle.hanna).flagged == queue.Flagged(1, (reason,))
    with database.read(circle.members[1].actor) as r:
        assert reporting.receipt(r, circle.room, 1).urgent


@pytest.mark.parametrize("reason", sorted(flags.URGENT))
def test_what_is_urgent_is_red_and_alerts_the_facilitators(database: Database, reason: str) -> None:
    circle = builders.circle(database, members=4)
    circle.post(circle.members[0], "Het heeft allemaal geen zin")
    _flag(circle, circle.members[1], 1)
    assert _lines(circle, circle.hanna) == []
    _flag(circle, circle.members[2], 1, reason)
    [case] = _cases(circle)
    assert case.level == queue.RED
    assert case.due_at <= case.opened_at + queue.CLOCKS[queue.RED]
    assert _lines(circle, circle.hanna) == ["alert"]


def test_nobody_is_told_who_flagged(database: Database, heard: Heard) -> None:
    circle = builders.circle(database, members=6)
    author, flagger, *_ = circle.members
    circle.post(author, "Zo kom je er nooit")
    heard.clear()
    _flag(circle, flagger, 1, "unsafe")
    told = repr(list(heard)) + repr(_detail(circle, circle.hanna))
    for trace in (flagger.alias, flagger.ref, f"person:{flagger.person_id}"):
        assert trace not in told
    assert [a.topic for a in heard] == [f"reviewers:{circle.organisation_id}", f"person:{circle.hanna.person_id}"]
    with database.read() as r:
        assert r.db.scalar(select(func.count()).where(AuditLine.actor_id == flagger.person_id)) == 0
        queued = r.db.execute(select(OutboxItem.person_id, OutboxItem.key)).all()
    assert {row.person_id for row in queued} == {circle.hanna.person_id}


@pytest.mark.parametrize(("members", "told"), [(2, 0), (3, 0), (4, 1), (6, 1)])
def test_how_many_flagged_is_told_only_where_it_points_at_nobody(database: Database, members: int, told: int) -> None:
    circle = builders.circle(database, members=members)
    circle.post(circle.members[0], "Zo kom je er nooit")
    _flag(circle, circle.members[1], 1)
    flagged = _detail(circle, circle.hanna).flagged
    assert flagged is not None
    assert flagged.by == told


def test_what_cannot_be_flagged_is_refused_and_opens_nothing(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    author, flagger = circle.members[:2]
    circle.post(author, "Hoi allemaal")
    for who, seq, reason, refusal in (
        (author, 1, "touches_me", Invalid),
        (flagger, 1, "ik zeg het niet", Invalid),
        (flagger, 2, "touches_me", NotFound),
        (other.members[0], 1, "touches_me", NotFound),
    ):
        with pytest.raises(refusal):
            _flag(circle, who, seq, reason)
    assert _cases(circle) == []


def test_more_than_twenty_an_hour_is_too_many(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    author, flagger = circle.members[:2]
    for number in range(21):
        clock.forward(seconds=30)
        circle.pace.__init__()
        circle.post(author, f"Zin {number}")
    for seq in range(1, 21):
        _flag(circle, flagger, seq)
    with pytest.raises(RateLimited):
        _flag(circle, flagger, 21)
    clock.forward(minutes=61)
    _flag(circle, flagger, 21)


def test_what_a_facilitator_wrote_is_seen_by_other_reviewers_and_not_by_them(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    marit, ilse = _moderator(circle), circle.second_lead()
    circle.post(circle.hanna, "Nu even stil allemaal")
    heard.clear()
    _flag(circle, circle.members[0], 1, "unsafe")
    with database.read(circle.hanna.actor) as r:
        assert queue.waiting(r) == []
        assert queue.count(r) == 0
    [case] = _cases(circle)
    with pytest.raises(NotFound), database.work(circle.hanna.actor) as w:
        queue.look(w, case.public_id)
    assert f"person:{circle.hanna.person_id}" not in {a.topic for a in heard}
    assert _lines(circle, circle.hanna) == []
    for who in (marit, ilse):
        assert _lines(circle, who) == ["alert"]
        assert _detail(circle, who).subject.text == "Nu even stil allemaal"


def test_a_colleague_from_another_group_reads_what_staff_wrote_and_not_what_members_said_before_it(
    database: Database,
) -> None:
    circle = builders.circle(database, members=4)
    other = builders.circle(database, organisation_id=circle.organisation_id)
    circle.post(circle.members[0], "Iets heel persoonlijks")
    circle.post(circle.hanna, "Doe normaal")
    _flag(circle, circle.members[1], 2, "unsafe")
    seen = {who: _detail(circle, who).subject for who in (other.hanna, _moderator(circle), circle.second_lead())}
    assert {subject.text for subject in seen.values()} == {"Doe normaal"}
    assert [[line.text for line in subject.context] for subject in seen.values()] == [
        [],
        ["Iets heel persoonlijks"],
        ["Iets heel persoonlijks"],
    ]


def test_a_flag_about_a_facilitator_joins_a_case_and_takes_it_from_them(database: Database) -> None:
    circle = builders.circle(database)
    _moderator(circle)
    circle.post(circle.hanna, builders.CRISIS)
    with database.read(circle.hanna.actor) as r:
        assert queue.count(r) == 1
    _flag(circle, circle.members[0], 1, "worry")
    with database.read(circle.hanna.actor) as r:
        assert queue.count(r) == 0


def test_a_flag_about_the_only_reviewer_there_is_says_so(database: Database) -> None:
    circle = builders.circle(database)
    circle.post(circle.hanna, "Nu even stil allemaal")
    with pytest.raises(Closed):
        _flag(circle, circle.members[0], 1)
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Flag)) == 0


def test_while_staff_reads_along_flags_only_ask_to_look(database: Database) -> None:
    circle = builders.circle(database, members=8)
    circle.post(circle.members[0], "Zo kom je er nooit")
    for who in circle.members[1:]:
        _flag(circle, who, 1)
    assert _status(circle, 1) == "posted"


@pytest.mark.parametrize(("members", "needed"), [(8, 3), (6, 3), (5, 2), (3, 2)])
def test_without_staff_enough_members_hide_a_message_until_somebody_looked(
    database: Database, heard: Heard, members: int, needed: int
) -> None:
    circle = builders.circle(database, members=members)
    _unstaffed(circle)
    author, *others = circle.members
    circle.post(author, "Zo kom je er nooit")
    for who in others[: needed - 1]:
        _flag(circle, who, 1)
        _flag(circle, who, 1)
    assert _status(circle, 1) == "posted"
    heard.clear()
    _flag(circle, others[needed - 1], 1)
    assert _status(circle, 1) == "hidden"
    changed = heard.payloads(f"room:{circle.room}", "message.changed")
    assert changed == [{"room": circle.room, "seq": 1, "status": "hidden"}]
    assert _lines(circle, author) == ["set_aside"]
    [case] = _cases(circle)
    assert case.held
    with database.read() as r:
        [line] = r.db.scalars(select(AuditLine).where(AuditLine.action == "message.hidden"))
    assert (line.actor_id, line.actor_role, line.reason) == (None, "system", "flags")


def test_a_facilitator_or_somebody_who_left_does_not_count_among_the_members(database: Database) -> None:
    circle = builders.circle(database, members=3)
    _unstaffed(circle)
    circle.post(circle.members[0], "Zo kom je er nooit")
    _flag(circle, circle.hanna, 1)
    _flag(circle, circle.members[1], 1)
    with database.work() as w:
        w.db.execute(update(Seat).where(Seat.membership_id == circle.members[1].membership_id).values(left_at=w.now))
    assert _status(circle, 1) == "posted"
    _flag(circle, circle.members[2], 1)
    assert _status(circle, 1) == "posted"


def test_what_staff_wrote_is_never_hidden_by_flags(database: Database) -> None:
    circle = builders.circle(database, members=4)
    _moderator(circle)
    _unstaffed(circle)
    circle.post(circle.hanna, "Bel 112 als het niet gaat")
    for who in circle.members:
        _flag(circle, who, 1)
    assert _status(circle, 1) == "posted"


def test_who_looked_and_let_it_stand_is_not_overruled_by_one_more_flag(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=4)
    _unstaffed(circle)
    circle.post(circle.members[0], "Zo kom je er nooit")
    for who in circle.members[1:3]:
        _flag(circle, who, 1)
    detail = _detail(circle, circle.hanna)
    clock.forward(minutes=2)
    with database.work(circle.hanna.actor) as w:
        queue.decide(w, detail.card.public_id, detail.version, "release", "")
    assert _status(circle, 1) == "posted"
    clock.forward(minutes=2)
    _flag(circle, circle.members[3], 1)
    assert _status(circle, 1) == "posted"
    assert len(_cases(circle)) == 2


def test_what_is_let_through_again_stands_at_its_old_place_for_everybody(database: Database, heard: Heard) -> None:
    circle = builders.circle(database, members=4)
    _unstaffed(circle)
    circle.post(circle.members[0], "Dat was een zware dag")
    circle.post(circle.members[1], "Sterkte")
    for who in circle.members[1:3]:
        _flag(circle, who, 1)
    detail = _detail(circle, circle.hanna)
    heard.clear()
    with database.work(circle.hanna.actor) as w:
        queue.decide(w, detail.card.public_id, detail.version, "release", "")
    [changed] = heard.payloads(f"room:{circle.room}", "message.changed")
    assert (changed["seq"], changed["status"], changed["text"]) == (1, "posted", "Dat was een zware dag")
    with database.read(circle.members[3].actor) as r:
        items = conversation.history(r, rooms.place(r, circle.room), 0)
    assert [(i.seq, i.text) for i in items] == [(1, "Dat was een zware dag"), (2, "Sterkte")]


def test_a_flagged_message_that_still_stands_can_be_taken_away(database: Database) -> None:
    circle = builders.circle(database, members=4)
    circle.post(circle.members[0], "Zo kom je er nooit")
    _flag(circle, circle.members[1], 1)
    detail = _detail(circle, circle.hanna)
    with pytest.raises(Invalid), database.work(circle.hanna.actor) as w:
        queue.decide(w, detail.card.public_id, detail.version, "release", "")
    with database.work(circle.hanna.actor) as w:
        queue.decide(w, detail.card.public_id, detail.version, "reject", "tone")
    assert _status(circle, 1) == "hidden"


def test_five_flags_on_several_messages_let_the_author_only_read_until_staff_is_back(
    database: Database, heard: Heard
) -> None:
    circle = builders.circle(database, members=8)
    _unstaffed(circle)
    author, *others = circle.members
    for line in ("Zo kom je er nooit", "Je doet niet je best", "Stel je niet aan"):
        circle.post(author, line)
    for who, seq in ((others[0], 1), (others[1], 1), (others[0], 2), (others[1], 3)):
        _flag(circle, who, seq)
    assert _muted_until(circle, author) is None
    _flag(circle, others[2], 3)
    assert _muted_until(circle, author) == WEDNESDAY_MORNING
    assert [_status(circle, seq) for seq in (1, 2, 3)] == ["posted"] * 3
    assert heard.payloads(f"person:{author.person_id}", "notice")[-1] == {"kind": "quieted", "room": circle.room}
    assert _lines(circle, author) == ["quieted"]
    _flag(circle, others[3], 3)
    assert _lines(circle, author) == ["quieted", "set_aside"]


def test_one_person_alone_neither_hides_nor_quiets(database: Database) -> None:
    circle = builders.circle(database, members=3)
    _unstaffed(circle)
    author, alone, _ = circle.members
    for number in range(6):
        circle.post(author, f"Zin {number}")
    for seq in range(1, 7):
        _flag(circle, alone, seq, "unsafe")
    assert _muted_until(circle, author) is None
    assert {_status(circle, seq) for seq in range(1, 7)} == {"posted"}


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(1, 20))
def test_one_flagger_never_suffices_and_more_never_do_less(flags_: int, on: int, by: int, members: int) -> None:
    assert not rules.hides(1, members)
    assert not rules.quiets(flags_, on, min(by, 1), members)
    if rules.quiets(flags_, on, by, members):
        assert rules.quiets(flags_ + 1, on + 1, by + 1, members)
        assert flags_ >= 5
        assert on >= 2
    assert rules.hides(by, members) is (by >= (2 if members <= 5 else 3))


def test_two_who_flag_at_once_open_one_case_and_hide_once(database: Database) -> None:
    circle = builders.circle(database, members=4)
    _unstaffed(circle)
    circle.post(circle.members[0], "Zo kom je er nooit")
    calls = [lambda who=who: _flag(circle, who, 1) for who in circle.members[1:]]
    assert builders.refusals(builders.at_once(*calls)) == []
    assert len(_cases(circle)) == 1
    assert _status(circle, 1) == "hidden"
    assert _lines(circle, circle.members[0]) == ["set_aside"]


def test_when_it_cannot_all_be_stored_nothing_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = builders.circle(database, members=3)
    _unstaffed(circle)
    circle.post(circle.members[0], "Zo kom je er nooit")
    _flag(circle, circle.members[1], 1)

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(reporting.outbox, "queue", broken)
    with pytest.raises(RuntimeError):
        _flag(circle, circle.members[2], 1)
    assert _status(circle, 1) == "posted"
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Flag)) == 1


def test_the_receipt_says_when_somebody_looks_and_nothing_about_others(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=6)
    circle.post(circle.members[0], "Zo kom je er nooit")
    _flag(circle, circle.members[1], 1, "worry")
    clock.forward(minutes=5)
    _flag(circle, circle.members[2], 1)
    with database.read(circle.members[2].actor) as r:
        receipt = reporting.receipt(r, circle.room, 1)
        assert receipt.by == r.now + queue.CLOCKS[queue.AMBER]
        assert receipt.staff_here
    _unstaffed(circle)
    with database.read(circle.members[2].actor) as r:
        assert reporting.receipt(r, circle.room, 1).by == WEDNESDAY_MORNING + queue.CLOCKS[queue.AMBER]
        assert not reporting.receipt(r, circle.room, 1).staff_here
    with database.read(circle.members[3].actor) as r, pytest.raises(NotFound):
        reporting.receipt(r, circle.room, 1)


def test_who_had_a_case_open_is_asked_to_look_again_where_it_changed(database: Database) -> None:
    circle = builders.circle(database, members=4)
    _unstaffed(circle)
    circle.post(circle.members[0], "Zo kom je er nooit")
    _flag(circle, circle.members[1], 1)
    before = _detail(circle, circle.hanna)
    _flag(circle, circle.members[2], 1)
    with pytest.raises(Closed) as refusal, database.work(circle.hanna.actor) as w:
        queue.decide(w, before.card.public_id, before.version, "reject", "tone")
    assert "nog niets besloten" in refusal.value.message


def test_a_buddy_can_be_flagged_too(database: Database) -> None:
    circle = builders.circle(database, members=3)
    room = circle.pair(*circle.members[:2])
    with database.read(circle.members[0].actor) as r:
        room = next(p.room for p in rooms.places(r) if p.kind == "pair")
    circle.post(circle.members[0], "Zo kom je er nooit", room=room)
    _flag(circle, circle.members[1], 1, "unsafe", room)
    assert _detail(circle, circle.hanna).subject.text == "Zo kom je er nooit"
