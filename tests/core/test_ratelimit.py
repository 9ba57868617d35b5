"""How often something may be tried."""

from __future__ import annotations

import pytest

from app.core.errors import RateLimited
from app.core.ratelimit import Limiter


def test_the_amount_is_allowed_and_the_next_is_told_how_long_to_wait() -> None:
    limiter = Limiter()
    for _ in range(3):
        limiter.per_minute(3, "code", "a")
    with pytest.raises(RateLimited) as refusal:
        limiter.per_minute(3, "code", "a")
    assert refusal.value.retry_after == 60


def test_names_and_processes_do_not_share_a_count() -> None:
    limiter = Limiter()
    limiter.per_seconds(1, 20, "code", "a")
    limiter.per_seconds(1, 20, "code", "b")
    limiter.per_seconds(1, 20, "join", "a")
    Limiter().per_seconds(1, 20, "code", "a")
    with pytest.raises(RateLimited) as refusal:
        limiter.per_seconds(1, 20, "code", "a")
    assert refusal.value.retry_after == 20


def test_the_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: now)
    limiter = Limiter()
    limiter.per_seconds(1, 20, "code")
    now += 19
    with pytest.raises(RateLimited):
        limiter.per_seconds(1, 20, "code")
    now += 2
    limiter.per_seconds(1, 20, "code")
