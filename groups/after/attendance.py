"""How somebody was in a session: on time, late, gone early, excused or missed. Pure: times in, a judgement out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

GRACE = timedelta(minutes=5)  # so much later or earlier is still on time
CAME, EXCUSED, MISSED = "came", "excused", "missed"


@dataclass(frozen=True, slots=True)
class Span:
    """When a session was: the room was open from `opened` to `closed`, its time ran from `begin` to `end`."""

    opened: datetime
    closed: datetime
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """How somebody was there. `kind` is came, excused or missed; `late_by` and `early_by` are minutes, 0 if on time."""

    kind: str
    came: datetime | None = None
    last: datetime | None = None
    minutes: int = 0
    late_by: int = 0
    early_by: int = 0


def span(starts_at: datetime, minutes: int, opened_at: datetime, closed_at: datetime) -> Span:
    """A session's time begins when it was planned or when the room opened, whichever was later, and takes as long as
    was planned, unless it was closed before.
    """
    begin = max(starts_at, opened_at)
    return Span(opened_at, closed_at, begin, max(begin, min(closed_at, begin + timedelta(minutes=minutes))))


def judge(times: Span, came: datetime | None, last: datetime | None, *, excused: bool) -> Judged:
    """How somebody was there, who came and was last seen at these times. Who said they could not come and came after
    all was there.
    """
    if came is None:
        return Judged(EXCUSED if excused else MISSED)
    first = max(came, times.opened)
    gone = max(first, min(last or first, times.closed))
    late, early = first - times.begin, times.end - gone
    return Judged(
        CAME,
        first,
        gone,
        _minutes(gone - first),
        _minutes(late) if late > GRACE else 0,
        _minutes(early) if early > GRACE else 0,
    )


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
