"""The database, SQLite or PostgreSQL, opened so that what was acknowledged survives a pulled plug.

SQLite: WAL, synchronous=FULL, foreign keys on, every write transaction begun IMMEDIATE. Waiting for the file
lock and for the disk happens in a native thread, so a cooperative loop keeps serving. PostgreSQL: start-up
refuses `synchronous_commit=off`, which may forget commits that were already acknowledged.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, Table, TypeDecorator, create_engine, event
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase

from app.core import native
from app.core.settings import SettingsError

_PATIENCE = "PRAGMA busy_timeout=5000"
WRITES = "samen_writes"  # execution option: this connection view opens write transactions


class Base(DeclarativeBase):
    """All tables. Constraint names follow one pattern, so that migrations can find them on both databases.

    No number is ever given twice: SQLite would give the id of an erased person or report to the next one, and whatever
    still names it would point at somebody else.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@event.listens_for(Table, "after_parent_attach")
def _never_number_twice(table: Table, _metadata: object) -> None:
    table.dialect_options["sqlite"]["autoincrement"] = True


class Moment(TypeDecorator[datetime]):
    """A point in time, aware and in UTC on both sides; stored without zone, as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def moment(value: datetime | str | None) -> datetime | None:
    """A point in time as a driver gives it, where no column type has read it: aware and in UTC."""
    if value is None:
        return None
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read.replace(tzinfo=UTC)


class _PatientConnection(sqlite3.Connection):
    """Commits in a native thread: the commit is where SQLite waits for the disk."""

    def commit(self) -> None:
        native.run(super().commit)


def open_engine(url: str) -> Engine:
    """An engine for `url`, with the promises above. Raises `SettingsError` where they cannot be kept."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError("SAMEN_DATABASE_URL cannot be read as a database address.") from None
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.database or "", url)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(url)
    raise SettingsError("SAMEN_DATABASE_URL must start with sqlite:/// or postgresql+psycopg://.")


def _open_sqlite(path: str, url: str) -> Engine:
    if not path or path == ":memory:":
        raise SettingsError("SAMEN_DATABASE_URL must name a file: what is kept in memory is lost.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={"factory": _PatientConnection, "check_same_thread": False, "isolation_level": None},
        pool_size=8,
        max_overflow=24,
        hide_parameters=True,  # an error must not quote what a person wrote
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(_PATIENCE)


def _begin_sqlite(connection: Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    if connection.get_execution_options().get(WRITES):
        _begin_to_write(raw)
    else:
        raw.execute("BEGIN")


def _begin_to_write(raw: sqlite3.Connection) -> None:
    """At once where nobody else writes, as is usual; else another process does, and a native thread waits for it."""
    raw.execute("PRAGMA busy_timeout=0")
    try:
        raw.execute("BEGIN IMMEDIATE")
        return
    except sqlite3.OperationalError:
        pass  # whatever it is, it is still so below
    finally:
        raw.execute(_PATIENCE)
    native.run(raw.execute, "BEGIN IMMEDIATE")


def _open_postgresql(url: str) -> Engine:
    engine = create_engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True, hide_parameters=True)
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
    if kept == "off":
        engine.dispose()
        raise SettingsError("PostgreSQL runs with synchronous_commit=off, which can forget what was acknowledged.")
    return engine
