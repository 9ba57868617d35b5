"""How often something may be tried: one moving window per name, kept in this process's memory.

Names are chosen by the caller and never hold an address or a person's text; a source address is hashed with a
salt that changes every day before it gets here (`app.web`).
"""

from __future__ import annotations

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
