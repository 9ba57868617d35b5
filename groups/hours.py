"""Hours of the week, as a group keeps them: when its room may be written in, when staff reads along. Pure.

Spelled `1 09:00-17:00; 2 19:00-21:30`: weekday (1 is Monday), from, until, by the clock of the group's own time zone.
Until may lie past midnight (`5 22:00-01:00`); an empty spelling means always. A clock that is set forward or back
moves no hours: what starts in the hour that does not exist starts when the clock jumps, what falls in the hour that
comes twice counts its first time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.core.i18n import N_

LONGEST = 200  # what the column holds
DAY = 24 * 60  # minutes
NO_DAY = N_("Vul bij minstens één dag een tijd in, of kies ‘altijd’. Er is nog niets veranderd.")
_LINE = re.compile(r"([1-7]) ([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")
_DAYS = 16  # yesterday and two weeks: what falls in a skipped hour comes a week later


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """One stretch of a weekday (1 is Monday), in minutes of that day; `until` may lie in the night after it."""

    weekday: int
    start: int
    until: int


@lru_cache(maxsize=512)
def parse(spelling: str) -> tuple[Window, ...]:
    """The hours a spelling means, in the order of the week. Raises `Invalid` for anything else than hours."""
    lines = [line.strip() for line in spelling.split(";")] if spelling.strip() else []
    return _checked(_window(line) for line in lines)


def spell(windows: Iterable[Window]) -> str:
    """Hours as they are kept. Raises `Invalid` where they overlap, or are more than can be kept."""
    spelling = "; ".join(_line(window) for window in _checked(windows))
    if len(spelling) > LONGEST:
        raise Invalid(N_("Dat zijn te veel tijden. Haal er een paar weg; er is nog niets veranderd."))
    return spelling


def window(weekday: int, start: str, until: str) -> Window:
    """One stretch from a form (`19:00`, `9.30`); `00:00` as the end is midnight. Raises `Invalid`."""
    return _window(f"{weekday} {_two_digits(start)}-{_two_digits(until)}")


def clock(minute: int) -> str:
    """A minute of the day (or of the night after it) as a clock shows it."""
    return f"{minute % DAY // 60:02}:{minute % 60:02}"


def is_open(spelling: str, timezone: str, at: datetime) -> bool:
    """Is `at` within these hours?"""
    return not spelling or any(start <= at < end for start, end in _around(spelling, timezone, at))


def back_at(spelling: str, timezone: str, at: datetime) -> datetime | None:
    """When these hours begin again (UTC), seen from a moment outside them; None within them, or where it is always."""
    if is_open(spelling, timezone, at):
        return None
    return next((start for start, _ in _around(spelling, timezone, at) if start > at), None)


def until(spelling: str, timezone: str, at: datetime) -> datetime | None:
    """When the hours we are in end (UTC); None outside them, and where they do not end within a week."""
    if not spelling:
        return None
    ends = [end for start, end in _around(spelling, timezone, at) if start <= at < end]
    return ends[0] if ends and ends[0] < at + timedelta(days=6) else None


def _two_digits(typed: str) -> str:
    return typed.strip().replace(".", ":").zfill(5)


def _window(line: str) -> Window:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Invalid(N_("Vul tijden in als 19:00 en 21:30. Er is nog niets veranderd."))
    weekday, *clock_of = (int(part) for part in found.groups())
    start, end = clock_of[0] * 60 + clock_of[1], clock_of[2] * 60 + clock_of[3]
    if start >= DAY or end > DAY or start == end:
        raise Invalid(
            N_("Vul een begin en een einde in die verschillen, als 19:00 en 21:30. Er is nog niets veranderd.")
        )
    return Window(weekday, start, end if end > start else end + DAY)


def _checked(windows: Iterable[Window]) -> tuple[Window, ...]:
    """In the order of the week, each minute at most once."""
    ordered = sorted(windows)
    minutes = [((w.weekday - 1) * DAY + w.start, (w.weekday - 1) * DAY + w.until) for w in ordered]
    if minutes:
        minutes.append((minutes[0][0] + 7 * DAY, 0))  # Sunday night touches Monday morning
    if any(later[0] < earlier[1] for earlier, later in pairwise(minutes)):
        raise Invalid(N_("Deze tijden overlappen elkaar. Er is nog niets veranderd."))
    return tuple(ordered)


def _line(window: Window) -> str:
    end = "24:00" if window.until == DAY else clock(window.until)
    return f"{window.weekday} {clock(window.start)}-{end}"


def _around(spelling: str, timezone: str, at: datetime) -> tuple[tuple[datetime, datetime], ...]:
    return _stretches(spelling, timezone, at.astimezone(ZoneInfo(timezone)).date())


@lru_cache(maxsize=512)  # asked for every message; the answer changes once a day
def _stretches(spelling: str, timezone: str, on: date) -> tuple[tuple[datetime, datetime], ...]:
    """The hours from the day before on, for two weeks, as moments in UTC; what touches is one stretch."""
    zone = ZoneInfo(timezone)
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(_on_days(parse(spelling), zone, on - timedelta(days=1))):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return tuple(merged)


def _on_days(windows: Iterable[Window], zone: ZoneInfo, first: date) -> Iterable[tuple[datetime, datetime]]:
    for offset in range(_DAYS):
        on = first + timedelta(days=offset)
        for w in windows:
            if w.weekday == on.isoweekday():
                yield _moment(zone, on, w.start), _moment(zone, on, w.until)


def _moment(zone: ZoneInfo, on: date, minute: int) -> datetime:
    """When the clock in a zone shows a minute of a day: the first time, or when it jumps over it."""
    naive = datetime.combine(on, time()) + timedelta(minutes=minute)
    moment = naive.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == naive:
        return moment
    before = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)  # the jump lies between these two
    offset = moment.astimezone(zone).utcoffset()
    while moment - before > timedelta(minutes=1):
        middle = before + (moment - before) // 2
        before, moment = (before, middle) if middle.astimezone(zone).utcoffset() == offset else (middle, moment)
    return moment.replace(second=0, microsecond=0)
