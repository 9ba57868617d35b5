"""Databases for the suite: migrated once per kind, copied for every test. SQLite always, PostgreSQL beside it.

`SAMEN_TEST_DATABASES` chooses the kinds (default: both). A kind that is asked for and not there fails the run;
nothing is skipped in silence.
"""

from __future__ import annotations

import functools
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask
import hypothesis
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from app import migrate
from app.accounts import passwords
from app.core import keys
from app.core.crypto import Vault
from app.core.db import Base, open_engine
from app.core.settings import Settings
from app.core.work import Announcement, Database
from app.main import create_app

KINDS = tuple((os.environ.get("SAMEN_TEST_DATABASES") or "sqlite,postgresql").split(","))
POSTGRESQL = os.environ.get("SAMEN_TEST_POSTGRESQL") or "postgresql+psycopg:///postgres"
SEAL_KEY = b"a key for tests, thirty-two bytes"
CODE_KEY = b"another key for tests, thirty-two"
LONG = ("walks", "faults", "live", "replay", "privacy", "guards")  # folders whose files take minutes
MASTERS = {"testkey1": bytes(range(32))}

hypothesis.settings.register_profile(  # a busy machine is no defect
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On several workers (`-n`, `--dist loadfile`) a file stays together, for what it makes once. What starts servers
    or browsers for itself goes first: the longest must not come last.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent.name not in LONG)


SLOW_HASHER, QUICK_HASHER = passwords._hasher, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
passwords._hasher = QUICK_HASHER  # for what is made once a file, too


@pytest.fixture(autouse=True)
def hashing(request: pytest.FixtureRequest) -> None:
    """Passwords are hashed as everywhere, only cheaply; `slow_hashing` marks the tests about what that costs."""
    passwords._hasher = SLOW_HASHER if request.node.get_closest_marker("slow_hashing") else QUICK_HASHER
    passwords._dummy = ""


class FrozenClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class Heard(list[Announcement]):
    """Everything that was announced, in order."""

    def events(self, topic: str) -> list[str]:
        return [a.event for a in self if a.topic == topic]

    def payloads(self, topic: str, event: str) -> list[dict[str, object]]:
        return [a.payload for a in self if a.topic == topic and a.event == event]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 17, 18, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate.upgrade(f"sqlite:///{path}", Vault(MASTERS))
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql() -> Iterator[str]:
    name = f"samen_template_{uuid.uuid4().hex[:8]}"
    admin(f'CREATE DATABASE "{name}"')
    migrate.upgrade(beside(name), Vault(MASTERS))
    yield name
    admin(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def shared_postgresql(migrated_postgresql: str) -> Iterator[str]:
    """One database for all tests that leave its tables as they are: emptying one is far faster than making one."""
    name = f"samen_shared_{uuid.uuid4().hex[:8]}"
    admin(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_postgresql}"')
    yield name
    _engine(beside(name)).dispose()
    admin(f'DROP DATABASE "{name}" WITH (FORCE)')


def wipe(url: str) -> None:
    """Empty every table that has rows, and let numbers begin at one again: in one question to the server."""
    tables = ", ".join(f"'{table.name}'" for table in reversed(Base.metadata.sorted_tables))
    with _engine(url).begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(WIPE.replace("TABLES", tables))


WIPE = """
DO $$
DECLARE name text; found boolean;
BEGIN
  FOREACH name IN ARRAY ARRAY[TABLES] LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO found;
    IF found THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
  FOR name IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    PERFORM setval(name::regclass, 1, false);
  END LOOP;
END $$
"""


@functools.cache
def _engine(url: str) -> Engine:
    return create_engine(url, pool_size=1)


def beside(name: str) -> str:
    """The address of another database on the test server."""
    return make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)


def admin(statement: str) -> None:
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database of each kind."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "samen.db")
        yield f"sqlite:///{tmp_path / 'samen.db'}"
        return
    template = request.getfixturevalue("migrated_postgresql")
    if request.node.get_closest_marker("own_schema") is None:
        wipe(beside(request.getfixturevalue("shared_postgresql")))
        yield beside(request.getfixturevalue("shared_postgresql"))
        return
    name = f"samen_test_{uuid.uuid4().hex[:12]}"
    admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield beside(name)
    admin(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def database(database_url: str, clock: FrozenClock, heard: Heard) -> Iterator[Database]:
    """A database with a clock that stands still and an ear for announcements."""
    made = Database(open_engine(database_url), Vault(MASTERS), clock, SEAL_KEY, CODE_KEY)
    made.announcer = heard.extend
    yield made
    made.engine.dispose()


@pytest.fixture
def site(tmp_path: Path, migrated_sqlite: Path) -> Iterator[flask.Flask]:
    """The whole app on its own SQLite file, without a server around it."""
    shutil.copyfile(migrated_sqlite, tmp_path / "samen.db")
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'samen.db'}", async_mode="threading")
    keys.ensure(settings)
    made = create_app(settings)
    yield made
    made.extensions["samen"].database.engine.dispose()
