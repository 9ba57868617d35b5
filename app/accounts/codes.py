"""One try at a code that needs no name: counted before it is made, so that guessing is slow (`app.accounts.delays`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from app.accounts import delays
from app.core.actor import Actor
from app.core.keys import Keys
from app.core.work import Database, Work

T = TypeVar("T")


def attempt(
    database: Database, keys: Keys, door: str, source: str, look_up: Callable[[Work], T], actor: Actor | None = None
) -> T:
    """What `look_up` finds for a typed code, or its refusal. For doors, outside any unit of work.

    Raises `RateLimited` when this source tried too often at this door.
    """
    key = delays.key_of(keys, database.clock().date(), door)
    with database.work() as w:
        hold = delays.check(w, key, source)
    time.sleep(hold)
    with database.work(actor) as w:
        found = look_up(w)
        delays.succeeded(w, key, source)
    return found
