"""Guessing is slow: whoever tries a secret again and again waits longer and longer, and nobody waits with them.

A try is counted in three places: under the name from this source, under this source, and under the name from
anywhere. The first two lead to a refusal that says how long to wait. The third never leads to more than a pause of
two seconds: anybody can guess at a name that is not theirs, and must not be able to lock its owner out.

Counts are kept under hashes with a salt of the day, and fade an hour after the last try. A name that nobody has is
counted exactly like one that somebody has.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

from sqlalchemy import case, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import Attempt
from app.core.errors import RateLimited
from app.core.i18n import N_
from app.core.keys import Keys
from app.core.work import Database, Work

FADES = timedelta(hours=1)  # so long after the last try, counting begins anew
KEPT = timedelta(days=1)  # so long a count lies about that says nothing any more
PAUSE = 2.0  # seconds: the most that others' guessing may slow somebody down

_WAIT = N_("Dat waren veel pogingen achter elkaar. Er is niets kwijt; probeer het over {seconds} seconden nog eens.")


@dataclass(frozen=True, slots=True)
class Rule:
    """So many tries are free; after that each one waits twice as long as the one before, up to `longest` seconds."""

    free: int
    longest: int

    def wait(self, tries: int, since: timedelta) -> int:
        """Whole seconds that are left to wait, so long after the last of so many tries."""
        if tries < self.free or since >= FADES:
            return 0
        lasts = min(1 << min(tries - self.free, 16), self.longest)
        return max(0, ceil(lasts - max(since.total_seconds(), 0.0)))


AT_ONE_NAME = Rule(free=5, longest=60)
FROM_ONE_SOURCE = Rule(free=20, longest=30)  # many people may share one: a clinic, a mobile network


def pause(tries: int, since: timedelta) -> float:
    """Seconds to hold up a try at a name that was tried so often lately, from anywhere. Never more than `PAUSE`."""
    return 0.0 if since >= FADES else min(PAUSE, max(0, tries - 10) / 10)


def key_of(keys: Keys, day: date, door: str, name: str = "") -> str:
    """The name somebody tries, at one door, as a hash that cannot be turned back and changes every day.

    A door that asks for a code without a name leaves `name` out.
    """
    return hmac.new(keys.derive(f"tries {day.isoformat()}"), f"{door}|{name}".encode(), hashlib.sha256).hexdigest()


def check(w: Work, name_key: str, source: str) -> float:
    """May this be tried now? Counts the try, and returns for how many seconds to hold it up.

    `name_key` is from `key_of`, `source` from `web.source`. The try counts before it is made, so that many at the
    same instant do not slip through; call `succeeded` when the secret fitted, and `withdrawn` when it was never
    looked at. A wrong secret needs no call. The door sleeps for the answer *after* leaving the unit of work. Writes
    three rows. Raises `RateLimited`; then nothing is counted.
    """
    pair, places = _pair(name_key, source), _places(name_key, source)
    found = _held(w, places)
    wait = max(AT_ONE_NAME.wait(*found[pair]), FROM_ONE_SOURCE.wait(*found[source]))
    if wait:
        raise RateLimited(_WAIT, retry_after=wait, seconds=max(wait, 2))  # the sentence speaks of seconds
    tries = case((Attempt.last_at <= w.now - FADES, 1), else_=Attempt.failures + 1)
    w.db.execute(update(Attempt).where(Attempt.key.in_(places)).values(failures=tries, last_at=w.now))
    return pause(*found[name_key])


def succeeded(w: Work, name_key: str, source: str) -> None:
    """The secret fitted: forget this source's tries at this name, and take this one try off the other counts.

    What else was tried from the source stays counted: one's own account is no way to guess at others'.
    """
    withdrawn(w, name_key, source)
    w.db.execute(delete(Attempt).where(Attempt.key == _pair(name_key, source)))


def withdrawn(w: Work, name_key: str, source: str) -> None:
    """The try was never made, because something else stood in its way: it does not count."""
    places = _places(name_key, source)
    _held(w, places)
    w.db.execute(
        update(Attempt).where(Attempt.key.in_(places), Attempt.failures > 0).values(failures=Attempt.failures - 1)
    )


def sweep(database: Database) -> int:
    """Remove counts that say nothing any more, and return how many."""
    with database.work() as w:
        gone = w.db.scalars(delete(Attempt).where(Attempt.last_at <= w.now - KEPT).returning(Attempt.key)).all()
    return len(gone)


def _pair(name_key: str, source: str) -> str:
    return hashlib.sha256(f"{name_key}|{source}".encode()).hexdigest()


def _places(name_key: str, source: str) -> list[str]:
    return sorted((name_key, source, _pair(name_key, source)))  # always locked in the same order


def _held(w: Work, places: Collection[str]) -> dict[str, tuple[int, timedelta]]:
    """How often was tried there, and how long ago the last was. The rows stay locked until the unit of work ends."""
    made: Any = (postgresql if w.db.get_bind().dialect.name == "postgresql" else sqlite).insert(Attempt)
    rows = w.db.execute(
        made.values([{"key": place, "failures": 0, "last_at": w.now} for place in places])
        .on_conflict_do_update(index_elements=["key"], set_={"failures": Attempt.failures})
        .returning(Attempt.key, Attempt.failures, Attempt.last_at)
    )
    return {row.key: (row.failures, w.now - row.last_at) for row in rows}
