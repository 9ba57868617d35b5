"""Reminders: a day and an hour before, once each, to whoever comes, in the words of nobody in particular."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.core.work import Database
from app.notify import outbox
from groups.agenda import absence, planning, reminders, replanning
from groups.led import sessions
from groups.models import GroupSession
from groups.people import leaving
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _plan(circle: Circle, away: timedelta) -> str:
    with circle.database.work(circle.hanna.actor) as w:
        return planning.plan(w, circle.group, "understanding", w.now + away, 90)


def _starts(database: Database, ref: str) -> datetime:
    with database.read() as r:
        return r.db.scalars(select(GroupSession.starts_at).where(GroupSession.public_id == ref)).one()


def _lines(database: Database, who: Someone) -> list[str]:
    """The kinds that stand in an inbox, after the worker was at it (twice, as after a restart)."""
    for _ in range(2):
        reminders.sweep(database)
        outbox.deliver(database)
        reminders.put_away(database)
    with database.read(who.actor) as r:
        return [line.kind for line in outbox.inbox(r)]


def test_each_reminder_comes_once_and_takes_the_place_of_the_line_before(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database, members=2)
    mees = circle.members[0]
    ref = _plan(circle, timedelta(days=3))
    starts = _starts(database, ref)
    seen = []
    for left in (timedelta(hours=25), DAY, timedelta(hours=20), timedelta(hours=2), HOUR, timedelta(minutes=5)):
        clock.at = starts - left
        seen.append(_lines(database, mees))
    assert seen == [["planned"], ["reminder_day"], ["reminder_day"], ["reminder_day"], *[["reminder_hour"]] * 2]
    with database.work(mees.actor) as w:
        outbox.mark_read(w, "reminder_hour", ref)
    assert _lines(database, mees) == []  # put away is put away
    assert _lines(database, circle.hanna) == []


def test_a_worker_that_starts_again_and_two_at_once_remind_once(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=2)
    starts = _starts(database, _plan(circle, timedelta(days=3)))
    clock.at = starts - DAY
    counts = builders.at_once(*[lambda: reminders.sweep(database)] * 2)
    assert reminders.sweep(database) == 0
    outbox.deliver(database)
    for who in circle.members:
        with database.read(who.actor) as r:
            assert [line.kind for line in outbox.inbox(r)] == ["reminder_day"]
    assert all(not isinstance(count, Exception) for count in counts), counts


def test_who_said_they_cannot_come_is_left_alone_until_they_take_it_back(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database, members=2)
    mees, noor = circle.members
    ref = _plan(circle, timedelta(days=3))
    starts = _starts(database, ref)
    assert _lines(database, mees) == ["planned"]
    with database.work(mees.actor) as w:
        absence.cannot(w, ref)
    clock.at = starts - DAY
    assert (_lines(database, mees), _lines(database, noor)) == ([], ["reminder_day"])
    clock.at = starts - HOUR
    with database.work(mees.actor) as w:
        absence.can(w, ref)
    assert _lines(database, mees) == ["reminder_hour"]


def test_a_session_that_moved_reminds_anew(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=1)
    mees = circle.members[0]
    ref = _plan(circle, timedelta(days=3))
    clock.at = _starts(database, ref) - DAY
    assert _lines(database, mees) == ["reminder_day"]
    with database.work(circle.hanna.actor) as w:
        replanning.move(w, ref, 1, w.now + timedelta(days=8), 90)
    assert _lines(database, mees) == ["session_moved"]
    clock.at = _starts(database, ref) - DAY
    assert _lines(database, mees) == ["reminder_day"]
    with database.work(circle.hanna.actor) as w:
        replanning.cancel(w, ref, 2)
    assert _lines(database, mees) == ["session_cancelled"]


def test_a_reminder_of_a_day_that_would_come_half_a_day_late_does_not_come(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database, members=1)
    starts = _starts(database, _plan(circle, timedelta(days=3)))
    clock.at = starts - timedelta(hours=11)
    assert _lines(database, circle.members[0]) == ["planned"]
    clock.at = starts - timedelta(minutes=1)
    assert _lines(database, circle.members[0]) == ["reminder_hour"]


def test_when_a_session_begins_the_lines_about_its_beginning_go(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=1)
    ref = _plan(circle, timedelta(minutes=30))
    assert _lines(database, circle.members[0]) == ["reminder_hour"]
    with database.work(circle.hanna.actor) as w:
        sessions.open_session(w, ref, 1)
    assert _lines(database, circle.members[0]) == []


def test_who_left_the_group_hears_nothing(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=2)
    starts = _starts(database, _plan(circle, timedelta(days=3)))
    with database.work(circle.members[0].actor) as w:
        leaving.leave(w, circle.group)
    clock.at = starts - DAY
    assert "reminder_day" not in _lines(database, circle.members[0])
    assert "reminder_day" in _lines(database, circle.members[1])


def test_an_installation_may_remind_at_other_times_or_not_at_all(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "_ahead", reminders._Ahead())
    circle = builders.circle(database, members=1)
    starts = _starts(database, _plan(circle, timedelta(days=4)))
    reminders.send_before(48, 0)
    clock.at = starts - timedelta(hours=47)
    assert _lines(database, circle.members[0]) == ["reminder_day"]
    clock.at = starts - timedelta(minutes=1)
    assert _lines(database, circle.members[0]) == ["reminder_day"]


def test_a_look_that_finds_nothing_does_not_write(database: Database) -> None:
    circle = builders.circle(database, members=2)
    _plan(circle, timedelta(days=3))
    with builders.statements(database) as asked:
        assert reminders.sweep(database) == 0
        assert reminders.put_away(database) == 0
    assert len(asked) <= 3
    assert all(statement.startswith("SELECT") for statement in asked)
