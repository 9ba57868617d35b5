"""Opening the database: durable, on disk, and refused in a sentence where that cannot be."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.db import Moment, open_engine
from app.core.settings import SettingsError
from app.core.work import Database


def test_sqlite_promises_that_a_commit_survives_a_pulled_plug(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'samen.db'}")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with engine.connect() as connection:
        for pragma, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://localhost/samen",
        "samen.db",
    ],
)
def test_a_database_that_cannot_keep_the_promise_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(SettingsError, match=r"SAMEN_DATABASE_URL .*\.$"):
        open_engine(url)


def test_postgresql_that_may_forget_commits_is_refused(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        return  # SQLite's own promise is tested above
    forgetful = database.engine.url.update_query_dict({"options": "-csynchronous_commit=off"})
    with pytest.raises(SettingsError, match="synchronous_commit"):
        open_engine(forgetful.render_as_string(hide_password=False))
    gc.collect()  # a connection that was left open would be reported here


def test_a_moment_comes_back_in_utc_and_one_without_a_zone_is_refused(database: Database) -> None:
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.work() as w:
        w.db.add(AuditLine(at=summer, actor_role="x", action="x", object_kind="x", object_id=1, seal="x"))
    with database.read() as r:
        at = r.db.scalars(select(AuditLine.at)).one()
    assert at == summer
    assert at.tzinfo is UTC
    with pytest.raises(ValueError, match="time zone"):
        Moment().process_bind_param(datetime(2026, 7, 1), database.engine.dialect)
