"""When a series of sessions meets: the same local hour, week after week, whatever the clocks do. Pure.

An hour that does not exist on a day (the clocks jump over it) becomes the first one after the jump; of an hour that
comes twice, the first is meant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = 7


@dataclass(frozen=True, slots=True)
class Pattern:
    """`count` sessions `every_days` apart from `starts_on`, at the minute `at_minute` of the day on the wall clock.

    A booster follows `booster_weeks` after the last one; 0 for none.
    """

    starts_on: date
    at_minute: int
    count: int
    every_days: int = WEEK
    booster_weeks: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """One session of a series: its number from 1, its day on the spot, and the moment it begins (UTC)."""

    number: int
    on: date
    starts_at: datetime
    booster: bool


def moment(on: date, at_minute: int, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which the wall clock of a place shows this minute of this day."""
    return datetime.combine(on, time(at_minute // 60, at_minute % 60), tzinfo=zone).astimezone(UTC)


def wall(at: datetime, zone: ZoneInfo) -> tuple[date, int]:
    """The day and the minute of the day that the wall clock of a place shows at a moment."""
    local = at.astimezone(zone)
    return local.date(), local.hour * 60 + local.minute


def later(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same hour on the wall clock, so many days later (or earlier)."""
    on, minute = wall(at, zone)
    return moment(on + timedelta(days=days), minute, zone)


def slots(pattern: Pattern, zone: ZoneInfo, skipped: Collection[date] = (), *, shift: bool = True) -> list[Slot]:
    """The sessions of a series in order. Days in `skipped` have none.

    With `shift` the rest moves on, and there are still `count` of them; without, there are fewer.
    """
    days: list[date] = []
    on, turn = pattern.starts_on, 0
    while turn < pattern.count:
        if on not in skipped:
            days.append(on)
        if on not in skipped or not shift:
            turn += 1
        on += timedelta(days=pattern.every_days)
    booster = _booster(days[-1], pattern, skipped) if days and pattern.booster_weeks else None
    met = [(day, False) for day in days] + ([(booster, True)] if booster else [])
    return [Slot(n, day, moment(day, pattern.at_minute, zone), last) for n, (day, last) in enumerate(met, 1)]


def _booster(last: date, pattern: Pattern, skipped: Collection[date]) -> date:
    on = last + timedelta(weeks=pattern.booster_weeks)
    while on in skipped:
        on += timedelta(days=pattern.every_days)
    return on
