"""Migrations: one line of them, numbered, and what they make is what the models say."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, delete, inspect, select, text

import app.accounts.models
import app.core.audit
import app.core.crypto
import app.notify.models  # noqa: F401
import groups.models  # noqa: F401
import matching.models  # noqa: F401
import moderation.models  # noqa: F401
from app import migrate
from app.accounts import aliases, invitations
from app.accounts.models import Organisation
from app.core import ids
from app.core.actor import Actor
from app.core.crypto import Vault
from app.core.db import Base, open_engine
from app.core.errors import Invalid
from app.core.permissions import Role
from app.core.work import Database
from groups import rooms
from groups.programme import exercises
from groups.talk import conversation
from matching import relapse
from matching.models import CheckIn, checkin_row
from tests import builders
from tests.conftest import KINDS, MASTERS, Heard, admin, beside

pytestmark = pytest.mark.own_schema


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


def test_no_number_is_given_twice(database: Database) -> None:
    """Of an erased person's rows something may be named somewhere still; it must never come to mean somebody else."""
    if database.engine.dialect.name == "sqlite":
        with database.read() as r:
            made = dict(r.db.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all())
        numbered = {t.name for t in Base.metadata.sorted_tables if list(t.primary_key.columns.keys()) == ["id"]}
        numbered -= {"data_keys", "destroyed_keys"}  # theirs are random
        assert {name for name in numbered if "AUTOINCREMENT" not in made[name]} == set()
    organisation = builders.organisation(database)
    with database.work() as w:
        w.db.execute(delete(Organisation).where(Organisation.id == organisation))
    assert builders.organisation(database) > organisation


def test_every_table_is_known_to_the_migrations(database: Database) -> None:
    known = set(inspect(database.engine).get_table_names()) - {"sqlite_sequence"}
    assert known == {*Base.metadata.tables, "alembic_version"}


def test_there_is_one_line_of_migrations_with_numbered_names() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration("sqlite://"))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    line = list(scripts.walk_revisions())[::-1]
    assert [script.revision for script in line] == [f"{n:04}" for n in range(1, len(line) + 1)]
    for script in line:
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+\.py", Path(script.path).name)
        assert not script.is_merge_point


def test_what_was_sealed_is_never_written_in_clear_again(database: Database, database_url: str) -> None:
    full = _tables(database_url)
    database.engine.dispose()
    with pytest.raises(RuntimeError, match="restore a backup"):
        command.downgrade(migrate.configuration(database_url), "0001")
    assert _tables(database_url) == full


def test_what_stood_in_clear_is_sealed_by_its_authors_key_and_reads_as_before(old_database_url: str) -> None:
    _fill_first_tables(old_database_url)
    vault = Vault(MASTERS)
    migrate.upgrade(old_database_url, vault)
    database = Database(open_engine(old_database_url), vault)
    assert _differences(database) == []
    mees = Actor(1, 1, Role.CLIENT)
    with database.read(mees) as r:
        found = rooms.place(r, "room")
        assert [m.text for m in conversation.latest(r, found)] == ["Hoi, ik ben er weer", ""]
        assert exercises.own(r, found, "understanding")["a-moment"].text == "Omdat ik rust zoek"
        assert relapse.read(r, "report").analysis == dict.fromkeys(relapse.ANALYSIS, "") | {"trigger": "Ruzie thuis"}
        row = r.db.scalars(select(CheckIn)).one()
        assert json.loads(r.ring.open(CheckIn.content, checkin_row(1, row.day), row.content))["line"] == "Gaat wel"
        assert invitations.look_up(r, "DEMO-AAAA").group_id == 1
        with pytest.raises(Invalid):
            aliases.take(r, 1, "Mees_duin")
        whole = str([r.db.execute(select(t)).all() for t in Base.metadata.sorted_tables])
    assert [words for words in ("Omdat ik rust", "Hoi, ik", "Ruzie", "Gaat wel") if words in whole] == []
    database.engine.dispose()


def test_upgrading_again_changes_nothing_and_loses_nothing(database: Database, database_url: str, heard: Heard) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Hoi allemaal")
    for _ in range(2):
        migrate.upgrade(database_url, database.vault)
    assert circle.post(circle.members[0], "Er nog steeds").seq == 2


def test_every_reference_is_kept_by_the_database(database: Database) -> None:
    inspected = inspect(database.engine)
    for table in Base.metadata.tables.values():
        wanted = {(fk.parent.name, fk.column.table.name) for fk in table.foreign_keys}
        kept = {(fk["constrained_columns"][0], fk["referred_table"]) for fk in inspected.get_foreign_keys(table.name)}
        assert kept == wanted


@pytest.fixture(params=KINDS)
def old_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as the first version of the product left it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
        migrate.upgrade(url, Vault(MASTERS), "0001")
        yield url
        return
    name = f"samen_old_{uuid.uuid4().hex[:12]}"
    admin(f'CREATE DATABASE "{name}"')
    migrate.upgrade(beside(name), Vault(MASTERS), "0001")
    yield beside(name)
    admin(f'DROP DATABASE "{name}" WITH (FORCE)')


def _fill_first_tables(url: str) -> None:
    """Mees in a group, with one of everything that people write, as the first version stored it."""
    at, day = "2026-11-17 18:30:00", "2026-11-17"
    rows = {
        "organisations": {"id": 1, "name": "Proef", "created_on": day},
        "people": {
            "id": 1,
            "organisation_id": 1,
            "role": "client",
            "login": "stille-otter-41",
            "secret_hash": "!",
            "name": "",
            "language": "nl",
            "timezone": "Europe/Amsterdam",
            "theme": "system",
            "created_on": day,
        },
        "groups": {
            "id": 1,
            "public_id": "group",
            "organisation_id": 1,
            "name": "Dinsdaggroep",
            "language": "nl",
            "timezone": "Europe/Amsterdam",
            "programme": "lust-leren-loslaten",
            "created_on": day,
        },
        "memberships": {
            "id": 1,
            "public_id": "member",
            "group_id": 1,
            "person_id": 1,
            "alias": "Mees_duin",
            "role": "member",
            "joined_on": day,
        },
        "rooms": {"id": 1, "public_id": "room", "group_id": 1, "kind": "group", "last_seq": 2, "pace": 8},
        "seats": {
            "id": 1,
            "room_id": 1,
            "person_id": 1,
            "membership_id": 1,
            "alias": "Mees_duin",
            "role": "member",
            "read_seq": 0,
        },
        "sign_ins": {"token_hash": "a" * 64, "person_id": 1, "expires_at": at},
        "invitations": {
            "id": 1,
            "code_hash": ids.digest("DEMO-AAAA"),
            "group_id": 1,
            "uses_left": 3,
            "expires_at": "2126-01-01 00:00:00",
        },
        "answers": {
            "id": 1,
            "membership_id": 1,
            "session_id": 0,
            "programme": "lust-leren-loslaten",
            "chapter": "understanding",
            "step": "a-moment",
            "step_version": 1,
            "value": "Omdat ik rust zoek",
            "sharing": "private",
            "status": "posted",
            "updated_at": at,
        },
        "check_ins": {
            "id": 1,
            "membership_id": 1,
            "day": day,
            "mood": 3,
            "urge": 1,
            "halt": "t",
            "line": "Gaat wel",
            "share": "done",
            "line_kept_back": False,
            "done_at": at,
        },
        "relapse_reports": {
            "id": 1,
            "public_id": "report",
            "key": "k",
            "membership_id": 1,
            "kind": "lapse",
            "safe": "yes",
            "ask_buddy": False,
            "ask_facilitator": False,
            "state": "draft",
            "situation": "",
            "trigger": "Ruzie thuis",
            "thought": "",
            "feeling": "",
            "aftermath": "",
            "next_time": "",
            "started_at": at,
        },
    }
    message = {"room_id": 1, "seat_id": 1, "masked": False, "at": at}
    said = [
        message | {"id": 1, "seq": 1, "key": "k1", "text": "Hoi, ik ben er weer", "status": "posted"},
        message | {"id": 2, "seq": 2, "key": "k2", "text": "Teruggenomen", "status": "withdrawn"},
    ]
    engine = create_engine(url)
    with engine.begin() as connection:
        for name, row in [*rows.items(), *(("messages", line) for line in said)]:
            columns, marks = ", ".join(row), ", ".join(f":{column}" for column in row)
            connection.execute(text(f"INSERT INTO {name} ({columns}) VALUES ({marks})"), row)  # noqa: S608  (names are ours)
    engine.dispose()
