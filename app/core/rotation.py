"""Rotating the master keys: a new one in front, every data key wrapped by it, the old ones dropped."""

from __future__ import annotations

from sqlalchemy import select

from app.core.crypto import DataKey
from app.core.work import Database


def rewrap(database: Database, batch: int = 500) -> int:
    """Wrap every data key by the newest master key, and return how many were not yet. May be stopped and run again."""
    done = 0
    while True:
        with database.work() as w:
            rows = w.db.scalars(select(DataKey).where(DataKey.master != database.vault.newest).limit(batch)).all()
            for row in rows:
                database.vault.rewrap(row)
        done += len(rows)
        if not rows:
            return done


def masters_in_use(database: Database) -> set[str]:
    """The master keys that still wrap somebody's data key."""
    with database.read() as r:
        return set(r.db.scalars(select(DataKey.master).distinct()))
