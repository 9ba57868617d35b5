"""Migrations: one line of them, numbered, and what they make is what the models say."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import app.accounts.models
import app.core.audit
import app.notify.models  # noqa: F401
import groups.models  # noqa: F401
import matching.models  # noqa: F401
import moderation.models  # noqa: F401
from app import migrate
from app.core.db import Base, open_engine
from app.core.work import Database
from tests import builders
from tests.conftest import Heard


def _differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)


def _tables(url: str) -> set[str]:
    engine = open_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_the_migrated_schema_is_what_the_models_say(database: Database) -> None:
    assert _differences(database) == []
    with database.work() as w:  # and the comparison can fail
        w.db.execute(text("alter table notices add column body varchar(80)"))
    [(change, *_)] = [d if isinstance(d, tuple) else d[0] for d in _differences(database)]
    assert change == "remove_column"


def test_every_table_is_known_to_the_migrations(database: Database) -> None:
    assert set(inspect(database.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_there_is_one_line_of_migrations_with_numbered_names() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration("sqlite://"))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    line = list(scripts.walk_revisions())[::-1]
    assert [script.revision for script in line] == [f"{n:04}" for n in range(1, len(line) + 1)]
    for script in line:
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+\.py", Path(script.path).name)
        assert not script.is_merge_point


def test_down_to_nothing_and_up_again(database: Database, database_url: str) -> None:
    full = _tables(database_url)
    database.engine.dispose()
    config = migrate.configuration(database_url)
    command.downgrade(config, "base")
    assert _tables(database_url) == {"alembic_version"}
    head = ScriptDirectory.from_config(config).get_current_head()
    assert migrate.upgrade(database_url) == head
    assert _tables(database_url) == full
    assert _differences(database) == []


def test_upgrading_again_changes_nothing_and_loses_nothing(database: Database, database_url: str, heard: Heard) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Hoi allemaal")
    for _ in range(2):
        migrate.upgrade(database_url)
    assert circle.post(circle.members[0], "Er nog steeds").seq == 2


def test_every_reference_is_kept_by_the_database(database: Database) -> None:
    inspected = inspect(database.engine)
    for table in Base.metadata.tables.values():
        wanted = {(fk.parent.name, fk.column.table.name) for fk in table.foreign_keys}
        kept = {(fk["constrained_columns"][0], fk["referred_table"]) for fk in inspected.get_foreign_keys(table.name)}
        assert kept == wanted
