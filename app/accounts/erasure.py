"""Taking one's data along, and having it destroyed: one pass over all packages, in one transaction.

What somebody wrote is destroyed twice: its rows are emptied or removed, and the key it was sealed with is destroyed,
so that a copy of the rows (a backup, a page of the log) says nothing either.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from app.accounts import accounts
from app.accounts.models import Person
from app.core import audit, native
from app.core.errors import NotFound
from app.core.work import Database, Work
from app.part import Part, Personal

_PATIENCE = 500  # milliseconds to wait for readers; others who write wait too


def find(w: Work, login: str) -> int:
    """The id of whoever signs in with this name. For the operator. Raises `NotFound`."""
    person_id = w.db.scalar(select(Person.id).where(Person.login == accounts.fold_login(login)))
    if person_id is None:
        raise NotFound("There is nobody with this login.")
    return person_id


def export(w: Work, parts: Sequence[Part], person_id: int) -> dict[str, Any]:
    """Everything that is kept about a person, ready for JSON; nobody else's words are in it. For that person, or the
    operator at their request. Reads only. Raises `NotFound`.
    """
    if w.db.get(Person, person_id) is None:
        raise NotFound
    data: dict[str, Any] = {"made_on": w.now.date().isoformat()}
    for keeper in _keepers(parts):
        data |= keeper.export(w, person_id)
    return data


def erase(w: Work, parts: Sequence[Part], person_id: int) -> None:
    """Destroy everything that is kept about a person. For that person, or the operator at their request.

    Writes in every package, and one audit line with the id; announces the end of sessions and what became of
    messages. Two at once: one wins. Raises `NotFound`, or `Closed` where others would be left without the last
    administrator or facilitator: nothing is written then.
    """
    if w.db.scalar(select(Person.id).where(Person.id == person_id).with_for_update()) is None:
        raise NotFound
    for keeper in _keepers(parts):
        keeper.check(w, person_id)
    key_id = w.ring.destroy(person_id, w.now.date())
    for keeper in reversed(_keepers(parts)):
        keeper.erase(w, person_id)
    audit.record(w, "person.erased", "person", person_id)
    if key_id is not None:
        w.after_commit(partial(w.ring.forget, key_id))


def wipe_log(database: Database) -> bool:
    """Bring SQLite's write-ahead log home and empty it, so that it holds no older copy of what was erased.

    For after the erasing commit. Returns whether nothing of it is left; what is busy now is done by a later call, or
    when the server stops. PostgreSQL keeps its log by its own rules: the operator's manual tells how long.
    """
    if database.engine.dialect.name != "sqlite":
        return True
    with database.engine.connect() as connection:
        return native.run(_checkpoint, connection.connection.dbapi_connection)


def _checkpoint(raw: Any) -> bool:
    raw.execute(f"PRAGMA busy_timeout={_PATIENCE}")
    try:
        busy, *_pages = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        raw.execute("PRAGMA busy_timeout=5000")
    return not busy


def _keepers(parts: Sequence[Part]) -> list[Personal]:
    """Whoever keeps something of people, from the ground up."""
    return [part.personal for part in parts if part.personal is not None]
