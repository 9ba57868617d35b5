"""How a room is run: slow by hand or by itself, locked, shut by the hour; and that everybody is told before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.errors import AppError, Closed, Forbidden, Invalid, NotFound, RateLimited
from app.core.work import Database
from groups import hours, rooms
from groups.house import climate
from groups.models import Room
from groups.talk.pace import Pace
from groups.talk.tempo import Tempo, is_burst
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock, Heard

# The clock of these tests stands on Tuesday 17 November 2026, 19.30 in Amsterdam.
WEEK = {day: hours.window(day, "09:00", "17:00") for day in range(1, 6)}
EVENING = [hours.window(2, "19:00", "20:00")]


def _of(circle: Circle, who: Someone | None = None) -> climate.Climate:
    with circle.database.read((who or circle.members[0]).actor) as r:
        return climate.of(r, rooms.place(r, circle.room))


def _slow(circle: Circle, seconds: int, who: Someone | None = None) -> None:
    with circle.database.work((who or circle.hanna).actor) as w:
        climate.slow(w, circle.group, seconds)


def _lock(circle: Circle, locked: bool) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        climate.lock(w, circle.group, locked)


def _hours(circle: Circle, opening: list[hours.Window], staffed: list[hours.Window]) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        climate.keep_hours(w, circle.group, opening, staffed)


def _refusal(circle: Circle, who: Someone, text: str = "Hoi allemaal") -> AppError | None:
    try:
        circle.post(who, text)
    except AppError as refusal:
        return refusal
    return None


class Tick:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def test_a_slow_room_lets_a_member_wait_and_says_for_how_long(database: Database) -> None:
    circle = builders.circle(database)
    tick = Tick()
    circle.pace = Pace(tick)
    mees, noor = circle.members[:2]
    _slow(circle, 30)
    circle.post(mees, "Eerste")
    tick.at += 12
    refusal = _refusal(circle, mees, "Tweede")
    assert isinstance(refusal, RateLimited)
    assert refusal.retry_after == 18
    assert "18 tellen" in refusal.message.format(**refusal.params)
    circle.post(noor, "Ik wacht niet op jou")
    circle.post(circle.hanna, "Ik")
    circle.post(circle.hanna, "ook niet")
    tick.at += 18
    assert circle.post(mees, "Tweede").seq == 5


def test_a_slow_room_is_slow_no_longer_when_it_is_lifted(database: Database) -> None:
    circle = builders.circle(database)
    _slow(circle, 60)
    circle.post(circle.members[0], "Eerste")
    _slow(circle, 0)
    assert _refusal(circle, circle.members[0], "Tweede") is None


def test_only_facilitators_of_the_group_run_its_room(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    with pytest.raises(Forbidden):
        _slow(circle, 30, circle.members[0])
    with pytest.raises(NotFound):
        _slow(circle, 30, other.hanna)
    with pytest.raises(Invalid):
        _slow(circle, 31)
    assert _of(circle).slow_seconds == 0


def test_a_locked_room_is_for_staff_to_write_outside_sessions_too(database: Database) -> None:
    circle = builders.circle(database)
    _lock(circle, True)
    assert isinstance(_refusal(circle, circle.members[0]), Forbidden)
    circle.post(circle.hanna, "Ik schrijf even alleen")
    _lock(circle, False)
    assert _refusal(circle, circle.members[0]) is None


def test_outside_opening_hours_members_read_and_are_told_when_it_opens(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    _hours(circle, list(WEEK.values()), [])
    refusal = _refusal(circle, circle.members[0])
    assert isinstance(refusal, Closed)
    assert refusal.message.format(**refusal.params).startswith("De ruimte gaat woensdag om 09.00 uur weer open.")
    circle.post(circle.hanna, "Tot morgen")
    clock.at = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
    assert _refusal(circle, circle.members[0]) is None


def test_a_session_goes_on_outside_opening_hours(database: Database) -> None:
    circle = builders.circle(database)
    _hours(circle, list(WEEK.values()), list(WEEK.values()))
    assert not _of(circle).open
    circle.open_session()
    assert _refusal(circle, circle.members[0]) is None
    now = _of(circle)
    assert now.open
    assert now.staff_back_at is None


def test_buddies_write_at_any_hour(database: Database) -> None:
    circle = builders.circle(database)
    circle.pair(*circle.members[:2])
    _hours(circle, list(WEEK.values()), list(WEEK.values()))
    with database.read(circle.members[0].actor) as r:
        pair = next(p for p in rooms.places(r) if p.kind == "pair")
        assert climate.of(r, pair).open
    circle.post(circle.members[0], "Ben je er?", room=pair.room)


def test_outside_staffed_hours_members_write_and_know_when_staff_is_back(database: Database) -> None:
    circle = builders.circle(database)
    _hours(circle, [], list(WEEK.values()))
    assert _refusal(circle, circle.members[0]) is None
    now = _of(circle)
    assert now.staff_back_at == datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
    assert now.as_dict()["staff_back_at"] == "2026-11-18T08:00Z"


def test_hours_that_overlap_are_refused_and_change_nothing(database: Database) -> None:
    circle = builders.circle(database)
    _hours(circle, EVENING, [])
    with pytest.raises(Invalid):
        _hours(circle, [], [hours.window(1, "09:00", "17:00"), hours.window(1, "12:00", "13:00")])
    with database.read(circle.hanna.actor) as r:
        kept = climate.hours_of(r, rooms.place(r, circle.room))
    assert kept == {"open": "2 19:00-20:00", "staffed": ""}


def test_every_change_is_told_to_the_room_as_its_pages_would_say_it(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    topic = f"room:{circle.room}"
    for change in (
        lambda: _slow(circle, 30),
        lambda: _lock(circle, True),
        lambda: _hours(circle, EVENING, list(WEEK.values())),
    ):
        heard.clear()
        change()
        assert heard.payloads(topic, "room.climate") == [_of(circle).as_dict()]
    told = _of(circle)
    assert (told.locked, told.slow_seconds, told.open, told.changes_in) == (True, 30, True, 30 * 60)
    with database.read() as r:
        actions = list(r.db.scalars(select(AuditLine.action)))
    assert actions[-3:] == ["room.slowed", "room.locked", "group.hours"]


def test_a_screen_is_told_in_how_many_seconds_something_turns(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    assert _of(circle).changes_in is None
    _hours(circle, EVENING, list(WEEK.values()))
    turns = []
    while len(turns) < 4:
        turns.append((_of(circle).open, _of(circle).staff_back_at is None))
        clock.forward(seconds=_of(circle).changes_in)
    assert turns == [(True, False), (False, False), (False, True), (False, False)]


def test_a_burst_slows_the_room_for_all_for_five_minutes(database: Database, heard: Heard, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=8)
    tick = Tick()
    circle.pace = Pace(tick)
    heard.clear()
    for number in range(24):
        circle.post(circle.members[number % 8], f"Zin {number}")
    [told] = heard.payloads(f"room:{circle.room}", "room.climate")
    assert (told["seconds_calm"], told["seconds_between"], told["slow_seconds"]) == (300, 20, 0)
    tick.at += 5
    refusal = _refusal(circle, circle.members[0], "Nog iets")
    assert isinstance(refusal, RateLimited)
    assert refusal.retry_after == 15
    clock.forward(minutes=5)
    assert _of(circle).seconds_calm == 0
    assert _refusal(circle, circle.members[0], "Nog iets") is None


def test_a_room_that_was_just_told_is_not_told_again(database: Database, heard: Heard, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    with database.work() as w:
        room_id = w.db.scalars(select(Room.id).where(Room.public_id == circle.room)).one()
    told = []
    for seconds in (0, 30, 90):
        clock.forward(seconds=seconds)
        with database.work() as w:
            told.append(climate.notice_flood(w, room_id))
    assert told == [True, False, True]
    assert len(heard.payloads(f"room:{circle.room}", "room.climate")) == 2


def test_a_facilitator_can_end_the_calm(database: Database) -> None:
    circle = builders.circle(database)
    with database.work() as w:
        climate.notice_flood(w, w.db.scalars(select(Room.id)).first())
    assert _of(circle).seconds_between == 20
    _slow(circle, 0)
    assert _of(circle).seconds_between == 0


def test_how_a_room_stands_costs_one_statement(database: Database) -> None:
    circle = builders.circle(database)
    _hours(circle, EVENING, list(WEEK.values()))
    with database.read(circle.members[0].actor) as r:
        found = rooms.place(r, circle.room)
        with builders.statements(database) as sent:
            climate.of(r, found)
    assert len(sent) == 1


MOMENTS = st.lists(st.floats(0, 300), max_size=120).map(sorted)


@given(MOMENTS, st.integers(1, 100))
def test_what_is_no_burst_was_never_too_much_in_any_of_the_two_windows(moments: list[float], pace: int) -> None:
    now = 300.0
    short = sum(now - 20 < at for at in moments)
    long = sum(now - 120 < at for at in moments)
    assert is_burst(moments, now, pace) is (short >= 3 * pace or long >= 10 * pace)


@given(st.integers(1, 30))
def test_a_lively_group_in_which_everybody_writes_every_fifteen_seconds_is_no_burst(minutes: int) -> None:
    tick = Tick()
    tempo = Tempo(tick)
    for _ in range(minutes * 4):
        assert not any(tempo.count(1, 1, 8) for _member in range(8))
        tick.at += 15


def test_rooms_are_counted_apart_and_a_room_for_load_tests_never(database: Database) -> None:
    tempo = Tempo(Tick())
    assert not any(tempo.count(room, 23, 8) for room in (1, 2, 3))
    assert not tempo.count(4, 500, 1_000)
    assert tempo.count(1, 1, 8)
    assert not tempo.count(1, 1, 8)


def test_a_calm_that_is_over_leaves_the_room_as_it_was_set(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    _slow(circle, 10)
    with database.work() as w:
        climate.notice_flood(w, w.db.scalars(select(Room.id)).first())
    assert _of(circle).seconds_between == 20
    clock.at += timedelta(minutes=6)
    assert _of(circle).seconds_between == 10
