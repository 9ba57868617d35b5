"""How fast each author writes in each room, kept in memory for a minute: for the flood rule, never stored.

It also hands the screening an author's last few lines, so that a number cut into pieces is still seen.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from app.core.errors import RateLimited
from groups.tempo import Tempo
from moderation import screening

_WINDOW = 60.0  # seconds
_LINES = 3
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
        self._lines: OrderedDict[int, deque[_Line]] = OrderedDict()
        self.rooms = Tempo(tick)

    def check(self, seat_id: int, key: str, text: str, limit: int) -> tuple[str, ...]:
        """Count a new message and return the author's last lines before it. Raises `RateLimited` for a flood.

        `limit` is the room's own number of messages in twenty seconds. A retry of the same key is not counted.
        """
        now = self._tick()
        lines = self._lines.setdefault(seat_id, deque())
        self._lines.move_to_end(seat_id)
        while lines and now - lines[0].at > _WINDOW:
            lines.popleft()
        before = [line for line in lines if line.key != key]
        repeats = sum(line.text == text for line in before)
        if len(before) >= limit and before[-limit].at > now - 20:
            raise RateLimited(retry_after=10)
        if limit <= 100 and screening.flood([], text_repeats=repeats):
            raise RateLimited(retry_after=10)
        if len(before) == len(lines):
            lines.append(_Line(now, key, text))
        while len(self._lines) > _SEATS:
            self._lines.popitem(last=False)
        return tuple(line.text for line in before[-_LINES:])

    def since(self, seat_id: int, key: str) -> float | None:
        """Seconds since this author's last message here but for this one, if that is still known."""
        lines = self._lines.get(seat_id)
        if not lines:
            return None
        last = next((line.at for line in reversed(lines) if line.key != key), None)
        return None if last is None else self._tick() - last

    def forget(self, seat_id: int, key: str) -> None:
        """Take a message back out of the count: it was only a preview."""
        lines = self._lines.get(seat_id)
        if lines:
            self._lines[seat_id] = deque(line for line in lines if line.key != key)
