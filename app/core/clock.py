"""What time it is. Everything that needs the time is handed one of these, so that tests can hold it still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def minute(moment: datetime) -> datetime:
    """`moment` cut to the minute. Nobody keeps the seconds in which a person was awake and typing."""
    return moment.replace(second=0, microsecond=0)


def hour(moment: datetime) -> datetime:
    """`moment` cut to the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def day(moment: datetime) -> datetime:
    """`moment` cut to the day: that something happened is kept, when in the day is not."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def iso_minute(moment: datetime) -> str:
    """`moment` as the protocol writes it, for example `2026-11-17T19:48Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
