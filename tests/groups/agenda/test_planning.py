"""Planning: one session, a series at once, what changes afterwards, and who said they cannot come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.work import Database
from app.notify import outbox
from app.notify.models import OutboxItem
from groups.agenda import absence, planning, replanning, runsheet, steering
from groups.agenda.planning import Planned
from groups.agenda.series import Pattern, wall
from groups.led import sessions
from groups.models import Absence, GroupSession, Series
from groups.programme.curriculum import DEFAULT, programme
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EIGHT = 20 * 60


def _as(circle: Circle, who: Someone, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with circle.database.work(who.actor) as w:
        return call(w, *args, **more)


def _lead(circle: Circle, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    return _as(circle, circle.hanna, call, *args, **more)


def _pattern(database: Database, **more: Any) -> Pattern:
    """Eight Tuesdays at eight, from next week on, and a booster six weeks later."""
    today = database.clock().date()
    tuesday = today + timedelta(days=7 + (1 - today.weekday()) % 7)
    return Pattern(**{"starts_on": tuesday, "at_minute": EIGHT, "count": 8, "booster_weeks": 6} | more)


def _series(circle: Circle, **more: Any) -> str:
    return _lead(circle, planning.plan_series, circle.group, _pattern(circle.database, **more), 90)


def _upcoming(circle: Circle, who: Someone | None = None) -> list[Planned]:
    with circle.database.read((who or circle.hanna).actor) as r:
        return planning.upcoming(r, limit=50)


def _days(found: Sequence[Planned]) -> list[tuple[date, int]]:
    return [wall(item.starts_at, AMSTERDAM) for item in found]


def _told(database: Database, kind: str = "") -> list[tuple[int, str, str]]:
    with database.read() as r:
        rows = r.db.execute(select(OutboxItem.person_id, OutboxItem.kind, OutboxItem.ref).order_by(OutboxItem.id))
        return [tuple(row) for row in rows if not kind or row.kind == kind]  # type: ignore[misc]


def _inbox(database: Database, who: Someone) -> list[tuple[str, str]]:
    outbox.deliver(database)
    with database.read(who.actor) as r:
        return [(line.kind, line.ref) for line in outbox.inbox(r)]


def test_a_series_is_planned_whole_with_one_notice_a_member(database: Database) -> None:
    circle = builders.circle(database)
    ref = _series(circle)
    found = _upcoming(circle)
    pattern = _pattern(database)
    weekly = [(pattern.starts_on + timedelta(weeks=n), EIGHT) for n in range(8)]
    assert _days(found) == [*weekly, (pattern.starts_on + timedelta(weeks=7 + 6), EIGHT)]
    assert [(item.number, item.count, item.booster, item.series) for item in found] == [
        (n, 8, n == 9, ref) for n in range(1, 10)
    ]
    assert sorted(_told(database)) == sorted((m.person_id, "planned_series", ref) for m in circle.members)
    with database.read(circle.hanna.actor) as r:
        assert "series.planned" in r.db.scalars(select(AuditLine.action)).all()
        sheets = [runsheet.lines(r, *steering.lead(r, item.public_id)) for item in found]
    chapters = programme(DEFAULT, "nl").chapters[:8]
    first = [chapter.run_sheet[0].id for chapter in chapters]
    assert [sheet[0].step.id for sheet in sheets] == [*first, "arrive"]  # the booster follows none
    assert all(runsheet.total(sheet) == 90 for sheet in sheets)


def test_the_chapters_come_in_order_unless_the_facilitator_lays_them_out_otherwise(database: Database) -> None:
    circle = builders.circle(database)
    with database.read(circle.hanna.actor) as r:
        drafts = planning.preview(r, circle.group, _pattern(database), 90)
        first = [chapter.key for chapter in programme(DEFAULT, "nl").chapters[:8]]
        assert [draft.chapter for draft in drafts] == [*first, ""]
        again = planning.preview(r, circle.group, _pattern(database), 90, ["", None, "understanding"])
        assert [draft.chapter for draft in again][:3] == ["", "world", "understanding"]
        with pytest.raises(NotFound):
            planning.preview(r, circle.group, _pattern(database), 90, ["no-such-chapter"])
        assert r.db.scalars(select(GroupSession)).all() == []


def test_a_holiday_is_skipped_and_the_series_is_as_long(database: Database) -> None:
    circle = builders.circle(database)
    pattern = _pattern(database)
    holiday = pattern.starts_on + timedelta(weeks=2)
    _lead(circle, planning.plan_series, circle.group, pattern, 90, (), {holiday})
    days = [on for on, _at in _days(_upcoming(circle))]
    assert holiday not in days
    assert days[2] == holiday + timedelta(weeks=1)
    assert len(days) == 9


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 1},
        {"count": 21},
        {"booster_weeks": 27},
        {"every_days": 5},
        {"at_minute": 24 * 60},
        {"starts_on": date(2020, 1, 7)},
        {"starts_on": date(2099, 1, 7)},
    ],
)
def test_a_series_that_cannot_be_is_refused_and_nothing_of_it_is_written(
    database: Database, wrong: dict[str, Any]
) -> None:
    circle = builders.circle(database)
    with pytest.raises(Invalid):
        _series(circle, **wrong)
    for who, refusal in ((circle.members[0], Forbidden), (builders.circle(database).hanna, NotFound)):
        with pytest.raises(refusal):
            _as(circle, who, planning.plan_series, circle.group, _pattern(database), 90)
    with database.read() as r:
        assert r.db.scalars(select(GroupSession)).all() == []
        assert r.db.scalars(select(Series)).all() == []
    assert _told(database) == []


def test_who_plans_the_same_series_twice_at_once_has_it_once(database: Database) -> None:
    circle = builders.circle(database)
    answers = builders.at_once(lambda: _series(circle), lambda: _series(circle))
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "str"]
    assert len(_upcoming(circle)) == 9
    assert len(_told(database)) == len(circle.members)


def test_one_session_gets_another_moment_and_everybody_else_hears_of_it(database: Database) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    _series(circle)
    third = _upcoming(circle)[2]
    later = third.starts_at + timedelta(days=1, minutes=30)
    _lead(circle, replanning.move, third.public_id, 1, later, 75)
    moved = _upcoming(circle)[2]
    assert (moved.public_id, moved.starts_at, moved.minutes, moved.version) == (third.public_id, later, 75, 2)
    people = {m.person_id for m in (*circle.members, ilse)}
    assert {(p, ref) for p, _kind, ref in _told(database, "session_moved")} == {(p, third.public_id) for p in people}
    with pytest.raises(Closed):
        _lead(circle, replanning.move, third.public_id, 1, later, 75)  # from before it moved
    for at, minutes in ((database.clock() - timedelta(days=1), 90), (later, 45)):
        with pytest.raises(Invalid):
            _lead(circle, replanning.move, third.public_id, 2, at, minutes)


def test_a_week_is_skipped_and_the_rest_moves_on_at_the_same_hour(database: Database, clock: FrozenClock) -> None:
    clock.at = datetime(2026, 9, 19, 12, tzinfo=UTC)  # the fourth is in summer time still, and moves out of it
    circle = builders.circle(database)
    series = _series(circle)
    before = _upcoming(circle)
    days = _days(before)
    assert days[3][0] == date(2026, 10, 20)
    _lead(circle, replanning.skip, before[3].public_id, 1, shift=True)
    after = _upcoming(circle)
    assert [item.public_id for item in after] == [item.public_id for item in before]
    assert _days(after) == days[:3] + [(on + timedelta(weeks=1), EIGHT) for on, _at in days[3:]]
    told = _told(database, "series_changed")
    assert sorted(told) == sorted((m.person_id, "series_changed", series) for m in circle.members)
    with pytest.raises(Closed):
        _lead(circle, replanning.skip, before[5].public_id, 1, shift=True)  # it moved along, and is at version 2


def test_a_session_of_no_series_has_nothing_to_shift(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    with pytest.raises(Invalid):
        _lead(circle, replanning.skip, ref, 1, shift=True)
    assert [item.version for item in _upcoming(circle)] == [1]


@pytest.mark.parametrize("cancel", [replanning.cancel, lambda w, ref, v: replanning.skip(w, ref, v, shift=False)])
def test_a_cancelled_session_is_gone_from_lists_and_the_rest_stays(
    database: Database, cancel: Callable[..., None]
) -> None:
    circle = builders.circle(database)
    _series(circle)
    before = _upcoming(circle)
    gone = before[1].public_id
    _lead(circle, cancel, gone, 1)
    assert [item.public_id for item in _upcoming(circle)] == [i.public_id for i in before if i.public_id != gone]
    assert sorted(_told(database, "session_cancelled")) == sorted(
        (m.person_id, "session_cancelled", gone) for m in circle.members
    )
    for call, args in (
        (replanning.cancel, (2,)),
        (replanning.move, (2, before[1].starts_at, 90)),
        (sessions.open_session, (2,)),
    ):
        with pytest.raises(Closed):
            _lead(circle, call, gone, *args)


def test_lines_about_a_moment_that_is_off_are_put_away(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    mees = circle.members[0]
    assert _inbox(database, mees) == [("planned", ref)]
    _lead(circle, replanning.move, ref, 1, database.clock() + timedelta(days=1), 90)
    assert _inbox(database, mees) == [("session_moved", ref)]
    _lead(circle, replanning.cancel, ref, 2)
    assert _inbox(database, mees) == [("session_cancelled", ref)]


def test_a_series_gets_longer_and_its_booster_moves_on(database: Database) -> None:
    circle = builders.circle(database)
    ref = _series(circle)
    days = _days(_upcoming(circle))
    _lead(circle, replanning.extend, ref, 8, 2)
    found = _upcoming(circle)
    added = [(days[7][0] + timedelta(weeks=n), EIGHT) for n in (1, 2)]
    assert _days(found) == [*days[:8], *added, (days[8][0] + timedelta(weeks=2), EIGHT)]
    assert [(item.number, item.count, item.booster) for item in found] == [(n, 10, n == 11) for n in range(1, 12)]
    with pytest.raises(Closed):
        _lead(circle, replanning.extend, ref, 8, 2)  # the second of two taps
    with pytest.raises(Invalid):
        _lead(circle, replanning.extend, ref, 10, 11)
    with pytest.raises(NotFound):
        _as(circle, builders.circle(database).hanna, replanning.extend, ref, 10, 1)
    with pytest.raises(Forbidden):
        _as(circle, circle.members[0], replanning.extend, ref, 10, 1)
    assert len(_upcoming(circle)) == 11


def test_only_its_own_facilitators_change_a_session(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    _series(circle)
    before = _upcoming(circle)
    ref = before[0].public_id
    for who, refusal in ((circle.members[0], Forbidden), (other.hanna, NotFound)):
        for call, args, more in (
            (replanning.move, (1, before[0].starts_at, 90), {}),
            (replanning.skip, (1,), {"shift": True}),
            (replanning.skip, (1,), {"shift": False}),
            (replanning.cancel, (1,), {}),
            (absence.aliases, (), {}),
        ):
            with pytest.raises(refusal):
                _as(circle, who, call, ref, *args, **more)
    assert _upcoming(circle) == before


def test_who_cannot_come_says_so_and_takes_it_back_and_only_facilitators_see_it(database: Database) -> None:
    circle = builders.circle(database, members=4)
    mees, noor, *_ = circle.members
    ref = circle.plan()
    for who in (mees, noor, mees):  # twice is once
        _as(circle, who, absence.cannot, ref)
    [led] = _upcoming(circle)
    assert (led.members, led.excused, led.expected, led.minimum, led.few) == (4, 2, 2, 3, True)
    assert _lead(circle, absence.aliases, ref) == ["Mees_duin", "Noor_eik"]
    assert [item.absent for item in _upcoming(circle, mees)] == [True]
    [others] = _upcoming(circle, circle.members[2])
    assert (others.absent, others.members, others.excused) == (False, 0, 0)
    _as(circle, noor, absence.can, ref)
    [led] = _upcoming(circle)
    assert (led.excused, led.few) == (1, False)
    with database.read() as r:
        [row] = r.db.scalars(select(Absence)).all()
        assert row.said_on == database.clock().date()


def test_who_leads_or_does_not_belong_cannot_say_so_nor_once_it_is_open(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    ref = circle.plan()
    for call in (absence.cannot, absence.can):
        with pytest.raises(Forbidden):
            _lead(circle, call, ref)
        with pytest.raises(NotFound):
            _as(circle, other.members[0], call, ref)
    _lead(circle, sessions.open_session, ref, 1)
    with pytest.raises(Closed):
        _as(circle, circle.members[0], absence.cannot, ref)


def test_the_same_absence_from_two_screens_at_once_is_kept_once(database: Database) -> None:
    circle = builders.circle(database)
    mees, ref = circle.members[0], circle.plan()
    answers = builders.at_once(*[lambda: _as(circle, mees, absence.cannot, ref)] * 2)
    assert answers == [None, None]
    assert _lead(circle, absence.aliases, ref) == ["Mees_duin"]


def test_lists_of_sessions_take_one_query_however_many_there_are(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    _series(circle)
    circle.plan()
    with database.read(circle.hanna.actor) as r, builders.statements(database) as asked:
        assert len(planning.upcoming(r, limit=50)) == 10
    assert len(asked) == 1
