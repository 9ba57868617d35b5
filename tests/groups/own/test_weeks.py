"""How far a goal is: nothing but the calendar and its own pauses moves it."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from groups.own import weeks
from groups.own.weeks import Course

START = date(2026, 11, 17)
WEEKS = st.integers(2, 26)
DAYS = st.integers(0, 200)


def _after(days: int) -> date:
    return START + timedelta(days=days)


def _lived(many: int, pauses: list[tuple[int, int]]) -> tuple[Course, date]:
    """A goal that ran and was paused in turns, so many days each, and the day it is then."""
    course, today = Course(START, many), START
    for ran, rested in pauses:
        on = today + timedelta(days=ran)
        today = on + timedelta(days=rested)
        at_rest = Course(START, many, course.paused_days, on)
        course = Course(START, many, weeks.paused(at_rest, today))
    return course, today


TURNS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), max_size=8)


def test_the_first_day_is_in_week_one_and_the_eighth_in_week_two() -> None:
    course = Course(START, 12)
    assert [weeks.week(course, _after(days)) for days in (0, 6, 7, 27, 28)] == [1, 1, 2, 4, 5]
    assert (weeks.over(course, _after(83)), weeks.over(course, _after(84))) == (False, True)
    assert weeks.ends_on(course, START) == _after(84)


def test_two_weeks_of_rest_move_the_end_and_not_the_week() -> None:
    resting = Course(START, 12, 0, _after(25))
    assert [weeks.week(resting, _after(days)) for days in (25, 32, 39)] == [4, 4, 4]
    assert weeks.paused(resting, _after(39)) == 14
    on = Course(START, 12, 14)
    assert weeks.week(on, _after(39)) == 4
    assert weeks.ends_on(on, _after(39)) == _after(98)


@given(WEEKS, TURNS)
def test_every_day_since_the_beginning_is_one_of_it_or_one_of_rest(many: int, turns: list[tuple[int, int]]) -> None:
    course, today = _lived(many, turns)
    assert weeks.days(course, today) == sum(ran for ran, _rested in turns)
    assert weeks.paused(course, today) == sum(rested for _ran, rested in turns)


@given(WEEKS, TURNS, DAYS)
def test_resting_costs_nothing_that_was_there_before(many: int, turns: list[tuple[int, int]], rest: int) -> None:
    course, today = _lived(many, turns)
    resting = Course(START, many, course.paused_days, today)
    later = today + timedelta(days=rest)
    assert weeks.days(resting, later) == weeks.days(course, today)
    assert weeks.week(resting, later) == weeks.week(course, today)
    assert weeks.over(resting, later) == weeks.over(course, today)


@given(WEEKS, TURNS, DAYS)
def test_the_week_never_goes_back_as_days_pass(many: int, turns: list[tuple[int, int]], more: int) -> None:
    course, today = _lived(many, turns)
    later = today + timedelta(days=more)
    assert 1 <= weeks.week(course, today) <= weeks.week(course, later) <= many
    assert weeks.over(course, later) or not weeks.over(course, today)
    assert weeks.over(course, weeks.ends_on(course, today))
    assert not weeks.over(course, weeks.ends_on(course, today) - timedelta(days=1))


@given(WEEKS, TURNS)
def test_the_fewest_weeks_it_can_be_given_are_not_over_at_once(many: int, turns: list[tuple[int, int]]) -> None:
    course, today = _lived(many, turns)
    fewest = weeks.fewest(course, today)
    assert not weeks.over(Course(START, fewest, course.paused_days), today)
    assert weeks.over(Course(START, fewest - 1, course.paused_days), today)
