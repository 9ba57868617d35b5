"""One unit of work: whole or not at all, and told only afterwards."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, insert, select, text

from app.accounts.models import Organisation
from app.core.errors import Unauthenticated
from app.core.work import Database, Work
from tests import builders
from tests.conftest import Heard


def _add(w: Work, name: str = "Proef") -> None:
    w.db.add(Organisation(name=name, created_on=w.now.date()))


def _count(database: Database) -> int:
    with database.read() as r:
        return r.db.scalar(select(func.count()).select_from(Organisation)) or 0


def test_leaving_normally_keeps_it_and_tells_it(database: Database, heard: Heard) -> None:
    with database.work() as w:
        _add(w)
        w.announce("room:x", "messages", {"n": 1})
        assert heard == []
        assert _count(database) == 0  # another reader sees nothing yet
    assert _count(database) == 1
    assert heard.payloads("room:x", "messages") == [{"n": 1}]


def test_raising_keeps_nothing_and_tells_nothing(database: Database, heard: Heard) -> None:
    ran: list[str] = []

    def fall() -> None:
        with database.work() as w:
            _add(w)
            w.db.flush()
            w.announce("room:x", "messages", {})
            w.after_commit(lambda: ran.append("effect"))
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        fall()
    assert _count(database) == 0
    assert (heard, ran) == ([], [])


def test_a_commit_that_fails_tells_nothing(database: Database, heard: Heard) -> None:
    with pytest.raises(Exception, match=r"(?i)not.null"), database.work() as w:  # noqa: PT012
        w.announce("room:x", "messages", {})
        w.db.add(Organisation(name=None, created_on=w.now.date()))  # found at the commit
    assert heard == []


def test_everything_is_stored_before_the_first_effect_runs(database: Database) -> None:
    seen: list[int] = []
    with database.work() as w:
        _add(w)
        w.after_commit(lambda: seen.append(_count(database)))
    assert seen == [1]


def test_an_effect_that_fails_harms_nobody(database: Database, heard: Heard) -> None:
    def fail() -> None:
        raise OSError("nobody listens")

    with database.work() as w:
        _add(w)
        w.after_commit(fail)
        w.announce("room:x", "messages", {})
    assert _count(database) == 1
    assert heard.events("room:x") == ["messages"]


def test_reading_never_writes(database: Database, heard: Heard) -> None:
    with database.read() as r:
        _add(r)
        r.db.execute(insert(Organisation).values(name="Stil", created_on=r.now.date()))
        r.announce("room:x", "messages", {})
    assert _count(database) == 0
    assert heard == []


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.work() as w:
        _add(w)
        w.db.flush()
        assert builders.at_once(lambda: _count(database)) == [0]


def test_two_writers_queue_and_neither_is_lost(database: Database) -> None:
    organisation = builders.organisation(database)

    def add_one() -> None:
        with database.work() as w:
            row = w.db.get_one(Organisation, organisation, with_for_update=True)
            row.name = str(int(row.name or 0) + 1)

    with database.work() as w:
        w.db.get_one(Organisation, organisation).name = "0"
    assert builders.refusals(builders.at_once(*[add_one] * 8)) == []
    with database.read() as r:
        assert r.db.get_one(Organisation, organisation).name == "8"


def test_what_is_checked_still_holds_when_it_is_written_on_sqlite(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        return  # there, rows are locked one by one
    other = Database(database.engine, database.vault)  # as another process would have it: a queue of its own
    entered = threading.Event()

    def second() -> int:
        with other.work() as w:
            entered.set()
            return w.db.scalar(select(func.count()).select_from(Organisation)) or 0

    with database.work() as w:
        seen: list[object] = []
        thread = threading.Thread(target=lambda: seen.append(second()))
        thread.start()
        assert not entered.wait(0.1)
        _add(w)
    thread.join()
    assert seen == [1]


def test_a_writer_that_raised_leaves_the_way_free(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(Exception, match="nowhere"), database.work() as w:
            w.db.execute(text("select * from nowhere"))
    with database.work() as w:
        _add(w)
    assert _count(database) == 1


def test_where_nobody_acts_nobody_is_assumed(database: Database) -> None:
    with database.read() as r, pytest.raises(Unauthenticated):
        _ = r.who
