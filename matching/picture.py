"""Pictures that the server draws: SVG without a style, which the style sheet colours. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from markupsafe import Markup

LEFT, RIGHT, TOP, BOTTOM = 44, 344, 28, 152  # where the lines stand, in a picture of 354 x 194
STEPS = 4  # both mood and urge have five answers, 0 to 4 from below
SILENCE = 7  # days without a check-in after which a line is not drawn through
_MARKS, _DATES = BOTTOM + 19, BOTTOM + 36  # the baselines below the axis
_ROOM = 74  # the width of a word below the axis


@dataclass(frozen=True, slots=True)
class Point:
    """One day of the lines: `mood` and `urge` from 0 (low) to 4 (high)."""

    day: date
    mood: float
    urge: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that stands on the axis at a day, and leaves the lines as they are."""

    day: date
    kind: str


def lines(first: date, last: date, points: Sequence[Point], marks: Sequence[Mark], words: Mapping[str, str]) -> Markup:
    """Mood and urge from `first` to `last`, with marks on the axis.

    `words` are those in the picture: mood, urge, high, low, first, last, one for each kind of mark, and `named`, the
    ids of the elements that tell what is to be seen. Points and marks outside the days are left out.
    """
    shown = sorted((p for p in points if first <= p.day <= last), key=lambda p: p.day)
    marked = sorted({m.day: m for m in marks if first <= m.day <= last}.values(), key=lambda m: m.day)
    place = _Scale(first, last)
    names = _names(place, shown) if shown else {}
    taken = any(below > BOTTOM for below in names.values())
    parts = [
        *_grid(words),
        *_marks(place, marked, words, float(RIGHT - _ROOM) if taken else 354.0),
        *_line(place, "mood", [(p.day, p.mood) for p in shown]),
        *_line(place, "urge", [(p.day, p.urge) for p in shown]),
        *(_text(words[name], RIGHT, y, "end", f"lab t-{name}") for name, y in names.items()),
    ]
    head = Markup('<svg class="chart" viewBox="0 0 354 194" role="img" aria-labelledby="{}">')
    return head.format(words["named"]) + Markup("").join(parts) + Markup("</svg>")


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    last: date

    def x(self, day: date) -> float:
        return LEFT + (RIGHT - LEFT) * (day - self.first).days / max(1, (self.last - self.first).days)

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / STEPS


def _grid(words: Mapping[str, str]) -> Iterator[Markup]:
    for y in (BOTTOM, (BOTTOM + TOP) // 2, TOP):
        yield Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, y, RIGHT)
    yield _text(words["high"], LEFT - 8, TOP + 4.5, "end")
    yield _text(words["low"], LEFT - 8, BOTTOM + 4.5, "end")
    yield _text(words["first"], LEFT, _DATES, "start")
    yield _text(words["last"], RIGHT, _DATES, "end")


def _marks(place: _Scale, marks: Sequence[Mark], words: Mapping[str, str], until: float) -> Iterator[Markup]:
    """A dotted line and a ring for each; the word where there is room for it, left of `until`."""
    free = 0.0
    for mark in marks:
        x = place.x(mark.day)
        yield Markup('<path class="slipline" d="M{} {}V{}"/>').format(_number(x), TOP, BOTTOM)
        yield Markup('<circle class="slipmark" cx="{}" cy="{}" r="5"/>').format(_number(x), BOTTOM)
        left = min(max(x - _ROOM / 2, 0.0), until - _ROOM)
        if free <= left <= x <= left + _ROOM:
            free = left + _ROOM
            yield _text(words[mark.kind], left + _ROOM / 2, _MARKS, "middle")


def _line(place: _Scale, name: str, values: Sequence[tuple[date, float]]) -> Iterator[Markup]:
    """A line through the days, broken where nothing was said for long; a dot at the last one."""
    if not values:
        return
    steps = [f"M{_at(place, values[0])}"]
    for before, here in pairwise(values):
        steps.append(f"{'M' if (here[0] - before[0]).days > SILENCE else 'L'}{_at(place, here)}")
    alone = "h0" if len(values) == 1 else ""  # with a round end, that is a dot
    yield Markup('<path class="l-{}" d="{}"/>').format(name, "".join(steps) + alone)
    day, value = values[-1]
    where = _number(place.x(day)), _number(place.y(value))
    yield Markup('<circle class="p-{}" cx="{}" cy="{}" r="4.5"/>').format(name, *where)


def _names(place: _Scale, points: Sequence[Point]) -> dict[str, float]:
    """How high the names of the lines stand, at the right: above and below all that is drawn there, never on a line
    or on the axis. The line that ends highest has the upper one.
    """
    last = points[-1]
    beside = [p for p in points if place.x(p.day) >= RIGHT - _ROOM] or [last]
    upper = min(place.y(max(p.mood, p.urge)) for p in beside) - 12
    lower = max(place.y(min(p.mood, p.urge)) for p in beside) + 19
    lower = _MARKS if lower > BOTTOM - 8 else lower
    return {"mood": upper, "urge": lower} if last.mood >= last.urge else {"mood": lower, "urge": upper}


def _text(words: str, x: float, y: float, anchor: str, name: str = "") -> Markup:
    about = Markup(' class="{}"').format(name) if name else Markup("")
    return Markup('<text{} x="{}" y="{}" text-anchor="{}">{}</text>').format(
        about, _number(x), _number(y), anchor, words
    )


def _at(place: _Scale, value: tuple[date, float]) -> str:
    return f"{_number(place.x(value[0]))} {_number(place.y(value[1]))}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
