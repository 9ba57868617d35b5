"""Argon2id for passphrases and passwords: in a native thread, four at a time, then a kind refusal.

It is slow on purpose (tens of milliseconds and 64 MiB each), so it never runs on the loop, and never inside a
transaction. Unknown names are checked against a dummy hash, so that they take as long as known ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.core import native
from app.core.errors import RateLimited

T = TypeVar("T")

LIMIT = 256  # characters; longer input is refused before it costs anything
_AT_ONCE = 4

_hasher = PasswordHasher()
_places = threading.BoundedSemaphore(_AT_ONCE)
_dummy = ""


def hash_secret(secret: str) -> str:
    """The Argon2id hash of `secret`. Raises `RateLimited` when four others are already being computed."""
    return _one_of_four(lambda: _hasher.hash(fold(secret)))


def matches(stored: str | None, secret: str) -> bool:
    """Does `secret` fit the stored hash? None (no such person) takes just as long, and is False."""
    return _one_of_four(lambda: _verify(stored, fold(secret)))


def fold(secret: str) -> str:
    """A passphrase as people retype it: case and the number of spaces or hyphens do not matter."""
    return " ".join(secret.replace("-", " ").casefold().split())


def _verify(stored: str | None, secret: str) -> bool:
    global _dummy
    _dummy = _dummy or _hasher.hash("nobody has this passphrase")
    too_long = len(secret) > LIMIT
    try:
        fits = _hasher.verify(_dummy if stored is None else stored, "" if too_long else secret)
        return fits and stored is not None and not too_long
    except (VerificationError, InvalidHashError):
        return False


def _one_of_four(call: Callable[[], T]) -> T:
    if not _places.acquire(blocking=False):
        raise RateLimited(retry_after=2)
    try:
        return native.run(call)
    finally:
        _places.release()
