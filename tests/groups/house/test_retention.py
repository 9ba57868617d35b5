"""What is written goes by itself after so many days, with all that hangs on it, and never under somebody's hands."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.core.clock import minute
from app.core.errors import Forbidden, Invalid
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms
from groups.house import retention, topics
from groups.models import (
    Group,
    GroupSession,
    Hiding,
    Message,
    MessageVersion,
    Reaction,
    Room,
    Seat,
    SessionNote,
    Topic,
)
from groups.subjects import EditSubject, MessageSubject
from groups.talk import conversation, editing, hiding, reactions, reporting
from moderation import queue, subjects
from moderation.models import Case, Flag
from tests import builders
from tests.builders import RUDE, Circle
from tests.conftest import FrozenClock


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"message": MessageSubject(), "edit": EditSubject()})


def _count(database: Database, table: Any) -> int:
    with database.read() as r:
        return r.db.scalar(select(func.count()).select_from(table)) or 0


def _seqs(circle: Circle, after: int = 0) -> list[int]:
    with circle.database.read(circle.members[0].actor) as r:
        return [v.seq for v in conversation.history(r, rooms.place(r, circle.room), after)]


def _kept(circle: Circle) -> retention.Kept:
    with circle.database.read(circle.members[0].actor) as r:
        return retention.of(r, rooms.place(r, circle.room))


def _keep_for(circle: Circle, days: int) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        retention.keep_for(w, circle.group, days)


def _told(circle: Circle) -> dict[int, int]:
    with circle.database.read() as r:
        rows = r.db.execute(
            select(OutboxItem.person_id, func.count().label("lines"))
            .where(OutboxItem.kind == "retention")
            .group_by(OutboxItem.person_id)
        )
        return {row.person_id: row.lines for row in rows}


def _decide_all(circle: Circle, decision: str, reason: str = "") -> list[str]:
    with circle.database.work(circle.hanna.actor) as w:
        cards = queue.waiting(w)
        for card in cards:
            queue.decide(w, card.public_id, queue.look(w, card.public_id).version, decision, reason)
    return [card.public_id for card in cards]


def test_a_message_goes_after_ninety_days_and_not_a_minute_earlier(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Oud")
    clock.forward(days=1)
    circle.post(circle.members[1], "Een dag jonger")
    clock.forward(days=89)
    assert retention.sweep(database) == 0
    clock.forward(minutes=1)
    assert retention.sweep(database) == 1
    assert _seqs(circle) == [2]
    assert retention.sweep(database) == 0


def test_all_that_hangs_on_a_message_goes_with_it(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    circle.post(mees, "Oud")
    with database.work(mees.actor) as w:
        editing.edit(w, circle.room, 1, "Ouder")
    with database.work(noor.actor) as w:
        reactions.react(w, circle.room, 1, "thanks", True)
        reporting.report(w, circle.room, 1, "touches_me")
    with database.work(jip.actor) as w:
        hiding.hide_message(w, circle.room, 1)
        hiding.hide_person(w, circle.room, mees.alias)
    _decide_all(circle, "seen")
    clock.forward(days=91)
    assert retention.sweep(database) == 1
    assert [_count(database, table) for table in (Message, MessageVersion, Reaction, Flag)] == [0, 0, 0, 0]
    assert _count(database, Hiding) == 1  # who was hidden stays hidden


def test_what_an_open_case_is_about_stays_until_it_is_decided(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.post(mees, "Gemeld")
    circle.post(mees, RUDE)
    circle.post(mees, "Gewijzigd")
    with database.work(noor.actor) as w:
        reporting.report(w, circle.room, 1, "touches_me")
    with database.work(mees.actor) as w:
        editing.edit(w, circle.room, 2, RUDE)
    circle.post(mees, "Zomaar")
    clock.forward(days=91)
    assert retention.sweep(database) == 1
    assert _seqs(circle) == [1, 2]
    assert _count(database, Message) == 3
    with database.work(circle.hanna.actor) as w:
        for card in queue.waiting(w):
            detail = queue.look(w, card.public_id)
            assert detail.subject.text
            queue.decide(w, card.public_id, detail.version, "reject", "tone")
    assert retention.sweep(database) == 3
    assert _count(database, Message) == 0


def test_a_decided_case_can_be_looked_at_when_its_message_is_gone(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], RUDE)
    [ref] = _decide_all(circle, "reject", "tone")
    clock.forward(days=91)
    assert retention.sweep(database) == 1
    with database.work(circle.hanna.actor) as w:
        assert queue.look(w, ref).subject.text == ""
    assert _count(database, Case) == 1


def test_numbers_go_on_and_a_screen_that_was_away_finds_its_place(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    with database.work() as w:
        w.db.execute(update(Group).values(retention_days=10))
    for line in ("Een", "Twee", "Drie"):
        circle.post(circle.members[0], line)
    clock.forward(days=11)
    circle.post(circle.members[0], "Vier")
    assert retention.sweep(database) == 3
    assert _seqs(circle, after=0) == _seqs(circle, after=2) == [4]
    assert circle.post(circle.members[1], "Vijf").seq == 5
    with database.read(circle.members[0].actor) as r:
        found = rooms.place(r, circle.room)
        assert [v.seq for v in conversation.before(r, found, 5)] == [4]


def test_many_go_in_stretches_and_other_groups_keep_theirs(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_TOGETHER", 3)
    circle, other = builders.circle(database), builders.circle(database)
    with database.work() as w:
        w.db.execute(update(Room).values(pace=1_000))
        w.db.execute(update(Group).where(Group.id == other.group_id).values(retention_days=365))
    for number in range(10):
        circle.post(circle.members[0], f"Zin {number}")
        other.post(other.members[0], f"Zin {number}")
    clock.forward(days=91)
    assert retention.sweep(database) == 10
    assert _seqs(circle) == []
    assert len(_seqs(other)) == 10


def test_rooms_of_pairs_forget_too(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    circle.pair(*circle.members[:2])
    with database.read(circle.members[0].actor) as r:
        room = next(p.room for p in rooms.places(r) if p.kind == "pair")
    circle.post(circle.members[0], "Hoi", room=room)
    clock.forward(days=91)
    assert retention.sweep(database) == 1


def test_everybody_sees_when_the_oldest_goes(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    assert _kept(circle) == retention.Kept(90, None, None, None)
    circle.post(circle.members[0], "Oud")
    assert _kept(circle).oldest_in == 90
    clock.forward(days=78, hours=12)
    assert _kept(circle).oldest_in == 12
    clock.forward(days=20)
    assert _kept(circle).oldest_in == 0


@pytest.mark.parametrize("days", [30, 365])
def test_a_change_takes_effect_a_week_later_and_everybody_else_is_told_at_once(
    database: Database, clock: FrozenClock, days: int
) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Oud")
    clock.forward(days=60)
    ilse = circle.second_lead()
    _keep_for(circle, days)
    _keep_for(circle, days)
    assert _told(circle) == {who.person_id: 1 for who in (*circle.members, ilse)}
    kept = _kept(circle)
    assert (kept.days, kept.next_days, kept.next_on) == (90, days, (clock.at + timedelta(days=7)).date())
    clock.forward(days=6)
    assert retention.sweep(database) == 0
    assert _kept(circle).days == 90
    clock.forward(days=1)
    assert retention.sweep(database) == (1 if days == 30 else 0)
    assert _kept(circle).days == days
    assert _kept(circle).next_days is None


def test_a_change_can_be_taken_back_and_that_is_told_too(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    _keep_for(circle, 30)
    clock.forward(minutes=1)
    _keep_for(circle, 90)
    assert _kept(circle).next_days is None
    assert set(_told(circle).values()) == {2}
    clock.forward(days=8)
    retention.sweep(database)
    assert _kept(circle).days == 90


@pytest.mark.parametrize("days", [0, 29, 366, -1])
def test_between_thirty_days_and_a_year(database: Database, days: int) -> None:
    circle = builders.circle(database)
    with pytest.raises(Invalid):
        _keep_for(circle, days)
    with pytest.raises(Forbidden), database.work(circle.members[0].actor) as w:
        retention.keep_for(w, circle.group, 60)
    assert _kept(circle) == retention.Kept(90, None, None, None)


def test_topics_of_which_nothing_is_left_go_and_the_present_one_stays(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    for title in ("Week 1", "Week 2"):
        with database.work(circle.hanna.actor) as w:
            topics.open_topic(w, circle.group, title)
        circle.post(circle.members[0], f"Over {title}")
    clock.forward(days=91)
    assert retention.sweep(database) == 2
    with database.read(circle.members[0].actor) as r:
        assert [t.title for t in topics.of(r, rooms.place(r, circle.room))] == ["Week 2"]
    assert _count(database, Topic) == 1


def test_notes_to_the_facilitators_go_as_messages_do(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    mees = circle.members[0]
    with database.work(mees.actor) as w:
        session_id = w.db.scalars(select(GroupSession.id).where(GroupSession.public_id == ref)).one()
        seat_id = w.db.scalars(select(Seat.id).where(Seat.membership_id == mees.membership_id)).one()
        w.db.add(
            SessionNote(
                public_id="notenotenote",
                session_id=session_id,
                seat_id=seat_id,
                author_id=mees.person_id,
                key=str(uuid.uuid4()),
                by_staff=False,
                text=w.ring.seal(mees.person_id, SessionNote.text, "notenotenote", "Ik vind het zwaar"),
                at=minute(w.now),
            )
        )
    clock.forward(days=90)
    retention.sweep(database)
    assert _count(database, SessionNote) == 1
    clock.forward(minutes=1)
    retention.sweep(database)
    assert _count(database, SessionNote) == 0


def test_to_look_at_a_room_that_has_nothing_old_no_more_is_read_than_its_oldest(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Hoi")
    with database.read() as r:
        room_id = r.db.scalars(select(Room.id)).one()
        with builders.statements(database) as sent:
            assert retention._old(r, room_id, clock.at - timedelta(days=90)) == []
        assert len(sent) == 4
        if database.engine.dialect.name == "sqlite":
            plan = r.db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sent[2]}", (room_id, 500, 0)).all()
            assert "SEARCH messages USING INDEX" in str(plan)
            assert "TEMP B-TREE" not in str(plan)


DAYS = st.integers(30, 365)


@given(st.integers(0, 400), DAYS, DAYS, st.integers(0, 7))
def test_nothing_goes_earlier_than_was_said_before_a_change_took_effect(
    age: int, days: int, next_days: int, ahead: int
) -> None:
    now = datetime(2026, 11, 17, 18, 30, tzinfo=UTC)
    written, turn = now - timedelta(days=age), now.date() + timedelta(days=ahead)
    goes = retention.goes_at(written, days, next_days, turn)
    as_said = written + timedelta(days=days)
    if goes < as_said:
        assert goes.date() >= turn
        assert goes >= written + timedelta(days=next_days)
    assert retention.goes_at(written, days, None, None) == as_said
