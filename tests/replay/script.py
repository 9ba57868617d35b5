"""Reads a play: who does what at which minute. A mistake in it is named with its line of words."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

EVERYBODY = "everybody"
ZONE = ZoneInfo("Europe/Amsterdam")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: at this minute somebody does this; `words` are what stands after it."""

    at: float
    who: str
    does: str
    words: dict[str, Any]

    def __str__(self) -> str:
        return f"minute {self.at:g}: {self.who} {self.does} {self.words or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Play:
    """A whole play. `wrong_clocks` are hours by alias, `afterwards` what must be left of the evening."""

    begins: datetime
    minutes: int
    group: str
    lead: str
    members: tuple[str, ...]
    away: tuple[str, ...]
    wrong_clocks: dict[str, float]
    lines: tuple[Line, ...]
    afterwards: dict[str, Any]

    @property
    def cast(self) -> tuple[str, ...]:
        """Everybody with a screen: the facilitator and the members who come."""
        return (self.lead, *self.members)


def read(path: Path) -> Play:
    """Read a play. Raises `ValueError` for a line out of order, or of somebody who is not in it."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    lines = tuple(_line(told, line) for scene in told["scene"] for line in scene["lines"])
    for before, after in pairwise(lines):
        if after.at < before.at:
            raise ValueError(f"this line comes too late: {after}")
    begins = datetime.combine(date.fromisoformat(told["day"]), time.fromisoformat(told["begins"]), ZONE)
    return Play(
        begins.astimezone(UTC),
        told["minutes"],
        told["group"],
        told["lead"],
        tuple(told["members"]),
        tuple(told["away"]),
        told["wrong_clocks"],
        lines,
        told["afterwards"],
    )


def _line(told: dict[str, Any], written: dict[str, Any]) -> Line:
    words = dict(written)
    line = Line(float(words.pop("at")), words.pop("who"), words.pop("does"), words)
    if line.who not in (EVERYBODY, told["lead"], *told["members"], *told["away"]):
        raise ValueError(f"nobody has this part: {line}")
    return line
