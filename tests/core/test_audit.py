"""The audit log: lines are added, and whatever else happens to them is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from app.core import audit
from app.core.audit import AuditLine
from app.core.work import Database, Work
from tests import builders
from tests.conftest import SEAL_KEY


def _write(database: Database, lines: int = 5) -> None:
    for number in range(1, lines + 1):
        with database.work() as w:
            audit.record(w, "case.seen", "case", number, "mistake")


def _verify(database: Database, key: bytes = SEAL_KEY) -> int | None:
    with database.read() as r:
        return audit.verify(r.db, key)


def test_an_untouched_chain_holds(database: Database) -> None:
    assert _verify(database) is None
    _write(database)
    assert _verify(database) is None


def test_a_line_says_who_did_what_and_when_in_codes(database: Database) -> None:
    actor, _ = builders.someone(database, builders.organisation(database))
    with database.work(actor) as w:
        audit.record(w, "case.read", "case", 7)
    with database.read() as r:
        line = r.db.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line is not None
    assert (line.actor_id, line.actor_role, line.action) == (actor.person_id, "client", "case.read")
    assert (line.object_kind, line.object_id, line.at) == ("case", 7, database.clock())


def test_a_line_is_not_kept_when_the_deed_is_not(database: Database) -> None:
    with pytest.raises(RuntimeError), database.work() as w:  # noqa: PT012
        audit.record(w, "case.seen", "case", 1)
        raise RuntimeError
    with database.read() as r:
        assert r.db.scalars(select(AuditLine)).all() == []


def _edit(**values: object) -> Callable[[Work], None]:
    def change(w: Work) -> None:
        w.db.execute(update(AuditLine).where(AuditLine.id == 3).values(**values))

    return change


def _remove(line: int) -> Callable[[Work], None]:
    return lambda w: w.db.execute(delete(AuditLine).where(AuditLine.id == line)) and None


def _swap(w: Work) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        w.db.execute(update(AuditLine).where(AuditLine.id == old).values(id=new))


def _insert(w: Work) -> None:
    w.db.execute(update(AuditLine).where(AuditLine.id == 5).values(id=6))
    fields = {"at": w.now, "actor_role": "system", "action": "case.seen", "object_kind": "case"}
    w.db.add(AuditLine(id=5, object_id=5, reason="mistake", seal="0" * 64, **fields))


def test_every_change_inside_the_chain_is_found_where_it_was_made(database: Database) -> None:
    _write(database)
    changes: list[tuple[Callable[[Work], None], int]] = [
        (_edit(at=database.clock() + timedelta(seconds=1)), 3),
        (_edit(actor_id=1), 3),
        (_edit(actor_role="moderator"), 3),
        (_edit(action="case.release"), 3),
        (_edit(object_kind="person"), 3),
        (_edit(object_id=4), 3),
        (_edit(reason=""), 3),
        (_edit(seal="0" * 64), 3),
        (_remove(1), 2),
        (_remove(3), 4),
        (_swap, 3),
        (_insert, 5),
    ]
    for change, found_at in changes:
        with database.work() as w:
            change(w)
            w.db.flush()
            w.db.expire_all()
            assert audit.verify(w.db, SEAL_KEY) == found_at
            w.db.rollback()
    assert _verify(database) is None


def test_without_the_key_nobody_can_seal_a_changed_line(database: Database) -> None:
    _write(database, 1)
    assert _verify(database, b"another key") == 1


def test_lines_of_many_writers_form_one_chain(database: Database) -> None:
    calls = [lambda: _write(database, 3)] * 6
    assert builders.refusals(builders.at_once(*calls)) == []
    with database.read() as r:
        assert len(r.db.scalars(select(AuditLine)).all()) == 18
    assert _verify(database) is None
