"""What somebody practised, counted so that nothing is ever taken back; the hours that are hard; coming back. Pure.

Every day and hour here is one in the person's own time zone. A lapse is information: it adds a mark and an hour, and no
number falls because of it (tests/matching/test_practice.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median_low

from groups.programme.steps import DAYS, PARTS

RECENT = 90  # days
LAPSES = ("lapse", "relapse")
STEPS = 4  # how dark an hour of the week can get
CLEAR = 3  # moments before one hour of the week is named as the hardest
SEVERAL = 3  # values before anything is said about their course
_HOURS = 24 // PARTS
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Practised:
    """That somebody practised on a day; `at` where the moment is known, and not only the day."""

    day: date
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """A lapse or a relapse (`kind`) that somebody told of."""

    kind: str
    at: datetime

    @property
    def day(self) -> date:
        return self.at.date()


@dataclass(frozen=True, slots=True)
class History:
    """All that is kept of somebody's practising. `ridden` is how many urges they stayed with."""

    practised: tuple[Practised, ...] = ()
    lapses: tuple[Lapse, ...] = ()
    ridden: int = 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """Days practised ever and of the last 90, the longest run of days in a row there ever was, urges ridden out."""

    days: int
    recent: int
    longest: int
    ridden: int


def numbers(history: History, today: date) -> Numbers:
    """What somebody built up until today. Lapses are not looked at: there is nothing here that they could take away."""
    days = {one.day for one in history.practised}
    recent = sum(today - RECENT * _DAY < day <= today for day in days)
    return Numbers(len(days), recent, longest_run(days), history.ridden)


def longest_run(days: Collection[date]) -> int:
    """The longest run of days in a row there is among these days. More days never make it shorter."""
    known = set(days)
    longest = 0
    for day in known:
        if day - _DAY not in known:  # the first of its run
            length = 1
            while day + length * _DAY in known:
                length += 1
            longest = max(longest, length)
    return longest


def days_until_back(history: History) -> int | None:
    """After how many days somebody practised again, as it usually went after a lapse; None where it cannot be said.

    On the day of a lapse only that counts of which the hour is known: a check-in of the same day may have been earlier.
    A lapse after which nothing came yet says nothing yet.
    """
    waits = [wait for lapse in history.lapses if (wait := _days_after(lapse, history.practised)) is not None]
    return median_low(waits) if waits else None


def _days_after(lapse: Lapse, practised: Iterable[Practised]) -> int | None:
    after = [one.day for one in practised if one.day > lapse.day or (one.at is not None and one.at > lapse.at)]
    return (min(after) - lapse.day).days if after else None


def hours(moments: Iterable[datetime]) -> tuple[int, ...]:
    """How many moments fell in each part of each day of the week: 42 numbers, day x 6 + part, from Monday midnight.

    Two moments in the same part of the same day are one: who stayed with an urge and told of it had one hard hour.
    """
    parts = {(at.date(), at.hour // _HOURS) for at in moments}
    counts = Counter(day.weekday() * PARTS + part for day, part in parts)
    return tuple(counts[cell] for cell in range(DAYS * PARTS))


def shades(counts: Sequence[int], marked: Collection[int]) -> tuple[int, ...]:
    """How dark each hour of the week is shown, from 0 to 4. An hour that was marked as hard is never quite light."""
    most = max(STEPS, *counts)
    return tuple(max(-(-STEPS * n // most), 1 if cell in marked else 0) for cell, n in enumerate(counts))


def hardest(counts: Sequence[int]) -> int | None:
    """The part of the week in which most moments fell; None while none stands out."""
    most = max(counts)
    return counts.index(most) if most >= CLEAR and list(counts).count(most) == 1 else None


def course(values: Sequence[int]) -> tuple[int, int] | None:
    """Where values in order of time began and where they are now: the first and the last third of them, rounded."""
    if len(values) < SEVERAL:
        return None
    third = len(values) // 3
    return round(fmean(values[:third])), round(fmean(values[-third:]))


def averaged(values: Sequence[tuple[date, float]], reach: int = 3) -> list[tuple[date, float]]:
    """Each day's value as the mean of the week around it: what is seen from further off, where days would flicker."""
    return [(day, fmean(near for other, near in values if abs((other - day).days) <= reach)) for day, _value in values]
