"""How fast each author writes in each room, kept in memory for a minute: for the flood rule, never stored.

It also hands the screening an author's last few lines, so that a number cut into pieces is still seen.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from app.core.errors import RateLimited
from groups.talk.tempo import Tempo
from moderation import screening

_WINDOW = 60.0  # seconds
_LINES = 3
_LOUDEST = 100  # where an author may post more than this in twenty seconds, saying the same again is nobody's worry
_PREVIEWS = 100  # in a minute: nobody looks so often what would be masked, and each is screened twice
_SEATS = 20_000  # the oldest author is forgotten first


@dataclass(frozen=True, slots=True)
class _Line:
    at: float
    key: str
    text: str


class Pace:
    """The tempo of every author on this process, and of whole `rooms`. `tick` gives seconds; tests replace it."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._lines: OrderedDict[int, OrderedDict[str, _Line]] = OrderedDict()
        self._previews: OrderedDict[int, deque[float]] = OrderedDict()
        self.rooms = Tempo(tick)

    def check(self, seat_id: int, key: str, text: str, limit: int) -> tuple[str, ...]:
        """Count a new message and return the author's last lines before it. Raises `RateLimited` for a flood.

        `limit` is the room's own number of messages in twenty seconds. A retry of the same key is not counted.
        """
        now = self._tick()
        lines = self._lines.setdefault(seat_id, OrderedDict())
        self._lines.move_to_end(seat_id)
        while lines and now - next(iter(lines.values())).at > _WINDOW:
            lines.popitem(last=False)
        again = key in lines
        if len(lines) - again >= limit:
            before = [line.at for line in lines.values() if line.key != key]
            if before[-limit] > now - 20:
                raise RateLimited(retry_after=10)
        if limit <= _LOUDEST:
            shown = self._previews.get(seat_id)
            if shown and len(shown) == _PREVIEWS and shown[0] > now - _WINDOW:
                raise RateLimited(retry_after=10)
            repeats = sum(line.text == text and line.key != key for line in lines.values())
            if screening.flood([], text_repeats=repeats):
                raise RateLimited(retry_after=10)
        recent = [line.text for line in islice(reversed(lines.values()), _LINES + 1) if line.key != key]
        if not again:
            lines[key] = _Line(now, key, text)
        while len(self._lines) > _SEATS:
            self._lines.popitem(last=False)
        return tuple(recent[:_LINES][::-1])

    def since(self, seat_id: int, key: str) -> float | None:
        """Seconds since this author's last message here but for this one, if that is still known."""
        lines = self._lines.get(seat_id)
        if not lines:
            return None
        last = next((line.at for line in reversed(lines.values()) if line.key != key), None)
        return None if last is None else self._tick() - last

    def instead(self, seat_id: int, key: str, text: str) -> None:
        """A message says something else now: what comes after it is read beside that."""
        lines = self._lines.get(seat_id)
        if lines and key in lines:
            lines[key] = _Line(lines[key].at, key, text)

    def forget(self, seat_id: int, key: str) -> None:
        """Take a message back out of the count: it was only a preview. These are counted apart."""
        self._lines.get(seat_id, OrderedDict()).pop(key, None)
        self._previews.setdefault(seat_id, deque(maxlen=_PREVIEWS)).append(self._tick())
        self._previews.move_to_end(seat_id)
        while len(self._previews) > _SEATS:
            self._previews.popitem(last=False)
