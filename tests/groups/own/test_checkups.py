"""The check-up: asked for by whoever wants it, due once a quarter, and nobody's but theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.accounts import erasure
from app.accounts.models import Person
from app.core.errors import Closed, Invalid, NotFound, TooLarge
from app.core.work import Database
from app.main import PARTS
from app.notify import outbox
from groups import personal
from groups.models import CheckUp
from groups.own import checkups
from groups.people import leaving
from tests import builders
from tests.builders import CRISIS, Circle, Someone
from tests.conftest import FrozenClock

TODAY = date(2026, 11, 17)
DUE = TODAY + timedelta(days=90)
NUMBERS = {"calm": "5", "urge": "4", "contact": "6", "mood": "5", "values": "7"}


@pytest.fixture
def circle(database: Database) -> Circle:
    return builders.circle(database)


@pytest.fixture
def mees(circle: Circle) -> Someone:
    return circle.members[0]


def _as(circle: Circle, who: Someone, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with circle.database.work(who.actor) as w:
        return call(w, *args, **more)


def _own(circle: Circle, who: Someone) -> checkups.Own:
    with circle.database.read(who.actor) as r:
        return checkups.own(r)


def _wait(circle: Circle, clock: FrozenClock, who: Someone) -> str:
    """Somebody asked for it, and the day has come."""
    _as(circle, who, checkups.begin)
    clock.forward(days=90)
    return _own(circle, who).ref


def _answer(
    circle: Circle, who: Someone, ref: str, numbers: Mapping[str, object] | None = None, line: str = ""
) -> bool:
    found: bool = _as(circle, who, checkups.answer, ref, NUMBERS if numbers is None else numbers, line)
    return found


def _lines(circle: Circle, who: Someone) -> list[str]:
    outbox.deliver(circle.database)
    with circle.database.read(who.actor) as r:
        return [line.kind for line in outbox.inbox(r)]


def test_nobody_has_one_who_did_not_ask(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    clock.forward(days=400)
    assert checkups.sweep(circle.database) == 0
    assert _own(circle, mees) == checkups.Own("", None, False, ())


def test_the_first_is_due_ninety_days_after_it_was_asked_for(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    _as(circle, mees, checkups.begin)
    clock.forward(days=1)
    _as(circle, mees, checkups.begin)  # again changes nothing
    found = _own(circle, mees)
    assert (found.due_on, found.due) == (DUE, False)
    clock.forward(days=88)
    assert not _own(circle, mees).due
    clock.forward(days=1)
    assert _own(circle, mees).due


def test_of_two_that_are_asked_for_at_once_there_is_one(circle: Circle, mees: Someone) -> None:
    def begin() -> None:
        _as(circle, mees, checkups.begin)

    assert builders.refusals(builders.at_once(begin, begin)) == []
    with circle.database.read() as r:
        assert r.db.scalar(select(func.count(CheckUp.id))) == 1


def test_what_was_answered_stands_there_and_the_next_is_ninety_days_later(
    circle: Circle, mees: Someone, clock: FrozenClock
) -> None:
    ref = _wait(circle, clock, mees)
    clock.forward(days=5)  # it need not be the very day
    assert not _answer(circle, mees, ref, line="  Op tijd naar bed werkt ")
    found = _own(circle, mees)
    [done] = found.done
    assert done.numbers == {"calm": 5, "urge": 4, "contact": 6, "mood": 5, "values": 7}
    assert (done.line, done.done_on) == ("Op tijd naar bed werkt", DUE + timedelta(days=5))
    assert (found.due, found.due_on, found.ref != ref) == (False, DUE + timedelta(days=95), True)
    clock.forward(days=90)
    _answer(circle, mees, _own(circle, mees).ref, NUMBERS | {"calm": "6"})
    assert [one.numbers["calm"] for one in _own(circle, mees).done] == [5, 6]


def test_before_its_day_and_a_second_time_it_is_refused(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    _as(circle, mees, checkups.begin)
    with pytest.raises(Closed):
        _answer(circle, mees, _own(circle, mees).ref)
    clock.forward(days=90)
    ref = _own(circle, mees).ref
    _answer(circle, mees, ref)
    with pytest.raises(Closed):
        _answer(circle, mees, ref, NUMBERS | {"calm": "0"})
    assert _own(circle, mees).done[0].numbers["calm"] == 5


def test_of_two_answers_at_once_one_is_kept(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    ref = _wait(circle, clock, mees)

    def answer() -> bool:
        return _answer(circle, mees, ref)

    assert [type(refusal) for refusal in builders.refusals(builders.at_once(answer, answer))] == [Closed]
    assert len(_own(circle, mees).done) == 1


@pytest.mark.parametrize("wrong", [None, "", "11", "-1", "3,5", "veel", "٣"])
def test_every_question_wants_a_number_from_nought_to_ten(
    circle: Circle, mees: Someone, clock: FrozenClock, wrong: str | None
) -> None:
    ref = _wait(circle, clock, mees)
    with pytest.raises(Invalid) as refused:
        _answer(circle, mees, ref, NUMBERS | {"mood": wrong})
    assert "staat er nog" in refused.value.message
    assert _own(circle, mees).due
    _answer(circle, mees, ref, NUMBERS | {"mood": "0", "calm": "10"})


def test_a_line_that_is_too_long_is_refused_and_one_of_danger_brings_help_and_tells_nobody(
    circle: Circle, mees: Someone, clock: FrozenClock
) -> None:
    ref = _wait(circle, clock, mees)
    with pytest.raises(TooLarge):
        _answer(circle, mees, ref, line="a" * 501)
    assert _answer(circle, mees, ref, line=CRISIS)
    assert _own(circle, mees).done[0].line == CRISIS
    assert _lines(circle, circle.hanna) == []


def test_it_is_nobody_elses(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    ref = _wait(circle, clock, mees)
    noor = circle.members[1]
    for asked in (ref, "zzzzzzzzzzzz", "../etc"):
        with pytest.raises(NotFound):
            _answer(circle, noor, asked)
    assert _own(circle, noor) == checkups.Own("", None, False, ())


def test_who_wants_no_more_of_them_keeps_what_was_done(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    _answer(circle, mees, _wait(circle, clock, mees))
    for _again in range(2):
        _as(circle, mees, checkups.stop)
    found = _own(circle, mees)
    assert (found.ref, found.due_on, len(found.done)) == ("", None, 1)
    clock.forward(days=200)
    assert checkups.sweep(circle.database) == 0
    _as(circle, mees, checkups.begin)
    assert _own(circle, mees).due_on == DUE + timedelta(days=290)


def test_there_is_one_line_on_the_day_one_a_week_later_and_never_more(
    circle: Circle, mees: Someone, clock: FrozenClock
) -> None:
    _as(circle, mees, checkups.begin)
    told = []
    for day in range(130):
        if checkups.sweep(circle.database):
            told.append(day)
            assert _lines(circle, mees) == ["check_up"]  # one at a time
        assert checkups.sweep(circle.database) == 0  # and again changes nothing
        outbox.tidy(circle.database)  # what is forgotten of deliveries must not bring them back
        clock.forward(days=1)
    assert told == [90, 97]


def test_a_worker_that_was_away_for_two_weeks_tells_once(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    _wait(circle, clock, mees)
    clock.forward(days=14)
    assert [checkups.sweep(circle.database) for _day in range(3)] == [1, 0, 0]


def test_nobody_is_told_at_night(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    _wait(circle, clock, mees)
    clock.at = clock.at.replace(hour=0, minute=5)
    told = []
    for hour in range(12):
        if checkups.sweep(circle.database):
            told.append(hour)
        clock.forward(hours=1)
    assert told == [8]  # nine o'clock in Amsterdam, in winter


def test_a_day_is_a_day_where_somebody_lives(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    with circle.database.work() as w:
        w.db.execute(update(Person).values(timezone="Pacific/Auckland"))
    _as(circle, mees, checkups.begin)  # in Amsterdam's zone, as this session still has it
    clock.at = datetime(2027, 2, 14, 20, 30, tzinfo=UTC)  # half past nine on the 15th, in Auckland
    assert _own(circle, mees).due_on == date(2027, 2, 15)
    assert checkups.sweep(circle.database) == 1


def test_what_was_done_needs_no_line_any_more(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    for settle in (lambda ref: _answer(circle, mees, ref), lambda _ref: _as(circle, mees, checkups.stop)):
        ref = _wait(circle, clock, mees)
        checkups.sweep(circle.database)
        assert _lines(circle, mees) == ["check_up"]
        settle(ref)
        assert _lines(circle, mees) == []
        _as(circle, mees, checkups.stop)


def test_whoever_left_the_group_goes_on(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    _as(circle, mees, checkups.begin)
    _as(circle, mees, leaving.leave, circle.group)
    clock.forward(days=90)
    assert checkups.sweep(circle.database) == 1
    _answer(circle, mees, _own(circle, mees).ref)
    assert len(_own(circle, mees).done) == 1
    noor = circle.members[1]
    _as(circle, noor, leaving.leave, circle.group)
    _as(circle, noor, checkups.begin)
    assert _own(circle, noor).due_on == DUE + timedelta(days=90)


def test_ones_own_are_taken_along_and_go_with_the_account(circle: Circle, mees: Someone, clock: FrozenClock) -> None:
    noor = circle.members[1]
    _answer(circle, mees, _wait(circle, clock, mees), line="Wandelen werkt")
    _as(circle, noor, checkups.begin)
    with circle.database.read() as r:
        mine, hers = personal.export(r, mees.person_id), personal.export(r, noor.person_id)
        assert "check_ups" not in personal.export(r, circle.hanna.person_id)
    numbers = {name: int(number) for name, number in NUMBERS.items()}
    done = {"due_on": "2027-02-15", "done_on": "2027-02-15", "line": "Wandelen werkt"} | numbers
    assert mine["check_ups"] == [done, {"due_on": "2027-05-16"}]
    assert hers["check_ups"] == [{"due_on": "2027-05-16"}]
    with circle.database.work() as w:
        erasure.erase(w, PARTS, mees.person_id)
    with circle.database.read() as r:
        assert r.db.scalars(select(CheckUp.person_id)).all() == [noor.person_id]


def test_reading_asks_the_database_the_same_few_questions_however_many_there_are(
    circle: Circle, mees: Someone, clock: FrozenClock
) -> None:
    _answer(circle, mees, _wait(circle, clock, mees))
    with builders.statements(circle.database) as few:
        _own(circle, mees)
    for _quarter in range(5):
        clock.forward(days=90)
        _answer(circle, mees, _own(circle, mees).ref)
    with builders.statements(circle.database) as many:
        _own(circle, mees)
    assert len(many) == len(few) <= 3


ANSWERS = st.fixed_dictionaries({name: st.integers(0, 10) for name in checkups.QUESTIONS})


def _lighter(name: str, number: int, by: int) -> int:
    return max(0, number - by) if name in checkups.LIGHTER else min(10, number + by)


@given(ANSWERS, st.fixed_dictionaries({name: st.integers(0, 10) for name in checkups.QUESTIONS}))
def test_nothing_that_got_lighter_is_taken_for_harder(before: dict[str, int], by: dict[str, int]) -> None:
    assert not checkups.harder(before, before)
    assert not checkups.harder(before, {name: _lighter(name, number, by[name]) for name, number in before.items()})


@given(ANSWERS, ANSWERS, st.sampled_from(checkups.QUESTIONS))
def test_one_question_that_got_clearly_harder_is_enough(before: dict[str, int], now: dict[str, int], name: str) -> None:
    rises = name in checkups.LIGHTER
    before, now = before | {name: 3 if rises else 7}, now | {name: 5}
    assert checkups.harder(before, now)
    same = before | {name: before[name] + (1 if rises else -1)}
    assert not checkups.harder(before, same)


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.lists(st.integers(0, 500), min_size=1, max_size=60),
    st.sampled_from(("Europe/Amsterdam", "Pacific/Auckland", "America/New_York")),
)
def test_however_often_somebody_looks_there_are_two_lines_at_most(due: date, hours: list[int], zone: str) -> None:
    begins = datetime(due.year, due.month, due.day, tzinfo=ZoneInfo(zone)) - timedelta(days=2)
    told: list[datetime] = []
    for hour in sorted(hours):
        now = (begins.astimezone(UTC) + timedelta(hours=hour)).astimezone(ZoneInfo(zone))
        if checkups.is_time(due, told[-1].date() if told else None, now):
            told.append(now)
    assert len(told) <= 2
    assert all(at.date() >= due and at.hour >= checkups.MORNING for at in told)
    assert len(told) < 2 or told[1].date() >= due + checkups.AGAIN > told[0].date()
