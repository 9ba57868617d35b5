"""How often something may be tried: one moving window per name, kept in this process's memory.

Names are chosen by the caller and never hold an address or a person's text; a source address is hashed with a
salt that changes every day before it gets here (`app.web`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.core.errors import RateLimited


class Limiter:
    """Counts attempts. One instance a process."""

    def __init__(self) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def per_minute(self, amount: int, *name: str) -> None:
        """Allow `amount` attempts a minute under `name`. Raises `RateLimited`."""
        if not self._window.hit(RateLimitItemPerMinute(amount), *name):
            raise RateLimited(retry_after=60)

    def per_seconds(self, amount: int, seconds: int, *name: str) -> None:
        """Allow `amount` attempts in `seconds` seconds under `name`. Raises `RateLimited`."""
        if not self._window.hit(RateLimitItemPerSecond(amount, seconds), *name):
            raise RateLimited(retry_after=seconds)


class Tempo:
    """How often a live event may come, one float per name: the cheapest counter for the busiest door.

    A name gains one place every `60 / per_minute` seconds and may use up to a quarter minute's worth at once.
    The oldest names are forgotten first. `tick` gives seconds and is replaced in tests.
    """

    NAMES = 50_000

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._ahead: OrderedDict[tuple[str, str], float] = OrderedDict()

    def per_minute(self, amount: int, event: str, session: str) -> None:
        """Allow `amount` a minute. Raises `RateLimited`."""
        now, name = self._tick(), (event, session)
        ahead = max(self._ahead.get(name, now), now)
        if ahead - now > 15.0:
            raise RateLimited(retry_after=5)
        self._ahead[name] = ahead + 60.0 / amount
        self._ahead.move_to_end(name)
        if len(self._ahead) > self.NAMES:
            self._ahead.popitem(last=False)
