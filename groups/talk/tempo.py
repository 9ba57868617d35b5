"""How fast a room as a whole goes, kept in memory for two minutes: does so much come at once that nobody can follow?

One author is bounded by `groups.talk.pace`; this sees many at once. What counts as a burst is pure.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

# So many messages of everybody together, in so many seconds, as multiples of what one author may post in twenty.
BURSTS = ((20.0, 3), (120.0, 10))
_WINDOW = max(seconds for seconds, _ in BURSTS)
_ROOMS = 5_000  # the room that was silent longest is forgotten first
_LOUDEST = 100  # where one author may post more than this in twenty seconds, nobody wants the room to slow down


def is_burst(moments: Sequence[float], now: float, pace: int) -> bool:
    """Do messages at these moments (seconds, in order) make a burst, in a room with this pace?"""
    if pace > _LOUDEST:
        return False
    return any(len(moments) - bisect_right(moments, now - seconds) >= times * pace for seconds, times in BURSTS)


class Tempo:
    """The tempo of every room on this process. `tick` gives seconds and is replaced in tests."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._rooms: OrderedDict[int, deque[float]] = OrderedDict()

    def count(self, room_id: int, messages: int, pace: int) -> bool:
        """Count messages of members that were just placed in a room; True where they make a burst.

        After a burst the count starts anew: the room is told to calm down once, not with every message.
        """
        if pace > _LOUDEST:
            return False
        now = self._tick()
        moments = self._rooms.setdefault(room_id, deque(maxlen=BURSTS[-1][1] * _LOUDEST))
        self._rooms.move_to_end(room_id)
        while moments and now - moments[0] >= _WINDOW:
            moments.popleft()
        moments.extend([now] * messages)
        while len(self._rooms) > _ROOMS:
            self._rooms.popitem(last=False)
        if not is_burst(list(moments), now, pace):
            return False
        moments.clear()
        return True
