"""How far a goal is: whole weeks, with the days it was paused taken off. Pure.

Nothing but the calendar moves it: no report and no check-in changes any of these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

WEEK = 7


@dataclass(frozen=True, slots=True)
class Course:
    """A goal of so many `weeks` since `started_on`. `paused_days` are of the pauses that are over; since `paused_on`
    it is paused now.
    """

    started_on: date
    weeks: int
    paused_days: int = 0
    paused_on: date | None = None


def days(course: Course, today: date) -> int:
    """How many days of it passed so far. Days of a pause are none of them."""
    until = min(today, course.paused_on) if course.paused_on else today
    return max(0, (until - course.started_on).days - course.paused_days)


def paused(course: Course, today: date) -> int:
    """How many days it was paused in all."""
    now = max(0, (today - course.paused_on).days) if course.paused_on else 0
    return course.paused_days + now


def week(course: Course, today: date) -> int:
    """Which week it is, from 1 to the last one."""
    return min(course.weeks, days(course, today) // WEEK + 1)


def over(course: Course, today: date) -> bool:
    """Have all its weeks passed?"""
    return days(course, today) >= course.weeks * WEEK


def ends_on(course: Course, today: date) -> date:
    """The day after its last one, if it is not paused any more from today on."""
    return course.started_on + timedelta(days=course.weeks * WEEK + paused(course, today))


def fewest(course: Course, today: date) -> int:
    """The fewest weeks it can be given today without being over at once."""
    return days(course, today) // WEEK + 1
