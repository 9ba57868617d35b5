"""What people wrote is sealed, people prove who they are twice, and every seat has an id of its own.

Needs the installation's master keys: whatever was written in clear is sealed here, in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from app.core import crypto, ids

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What was written in clear: the row's id, its author, the name of its row as the models spell it, and the text.
_MESSAGES = (
    "SELECT m.id, s.person_id AS author, m.seat_id || ':' || m.key AS row, m.text"
    " FROM messages m JOIN seats s ON s.id = m.seat_id"
)
_ANSWERS = (
    "SELECT a.id, m.person_id AS author, a.value AS text,"
    " a.membership_id || ':' || a.session_id || ':' || a.chapter || ':' || a.step AS row"
    " FROM answers a JOIN memberships m ON m.id = a.membership_id"
)
_CHECK_INS = (
    "SELECT c.id, m.person_id AS author, c.membership_id || ':' || c.day AS row, c.mood, c.urge, c.halt, c.line"
    " FROM check_ins c JOIN memberships m ON m.id = c.membership_id"
)
_REPORTS = (
    "SELECT r.id, m.person_id AS author, r.public_id AS row, r.situation, r.trigger, r.thought, r.feeling,"
    " r.aftermath, r.next_time FROM relapse_reports r JOIN memberships m ON m.id = r.membership_id"
)
_NUMBERED = (
    "answers", "attendances", "audit_lines", "cases", "check_ins", "glass_breaks", "group_sessions", "groups",
    "invitations", "memberships", "messages", "notices", "organisations", "outbox", "outreach_steps", "pairs",
    "passkeys", "people", "relapse_reports", "rooms", "seats", "session_steps",
)  # fmt: skip
_NOTES = "SELECT id, decided_by AS author, public_id AS row, note AS text FROM cases WHERE note <> ''"


def upgrade() -> None:
    _make_tables()
    keys = _give_keys()
    _extend_people()
    _extend_sign_ins()
    _extend_invitations()
    _extend_seats()
    _seal("messages", "text", keys, _MESSAGES, nullable=True)
    _seal("answers", "value", keys, _ANSWERS, nullable=False)
    _seal_check_ins(keys)
    _seal_reports(keys)
    _seal("cases", "note", keys, _NOTES, nullable=True)
    with op.batch_alter_table("pairs") as batch:
        batch.alter_column("made_by", existing_type=sa.Integer(), nullable=True)
    _take_aliases()
    _never_number_twice()


def _make_tables() -> None:
    op.create_table(
        "data_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("person_id", sa.Integer(), sa.ForeignKey("people.id", name="fk_data_keys_person_id"), nullable=False),
        sa.Column("master", sa.String(8), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("person_id", name="uq_data_keys_person_id"),
    )
    op.create_table(
        "destroyed_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("destroyed_on", sa.Date(), nullable=False),
    )
    op.create_table(
        "authenticators",
        sa.Column("person_id", sa.Integer(), _people("authenticators"), primary_key=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("used_step", sa.Integer(), nullable=False),
        sa.Column("confirmed_on", sa.Date()),
    )
    op.create_table(
        "backup_codes",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.Integer(), _people("backup_codes"), nullable=False),
        sa.Column("used_on", sa.Date()),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        sa.Column("person_id", sa.Integer(), _people("passkeys"), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("added_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_passkeys_public_id"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_table(
        "device_codes",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.Integer(), _people("device_codes"), nullable=False),
        sa.Column("made_by", sa.Integer(), _people("device_codes", "made_by")),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime()),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
    )
    organisation = sa.ForeignKey("organisations.id", name="fk_alias_uses_organisation_id")
    op.create_table(
        "alias_uses",
        sa.Column("organisation_id", sa.Integer(), organisation, primary_key=True),
        sa.Column("alias", sa.String(40), primary_key=True),
        sa.Column("free_from", sa.Date()),
    )
    op.create_table(
        "glass_breaks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        sa.Column(
            "group_id", sa.Integer(), sa.ForeignKey("groups.id", name="fk_glass_breaks_group_id"), nullable=False
        ),
        sa.Column("person_id", sa.Integer(), _people("glass_breaks")),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("until_at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_glass_breaks_public_id"),
    )
    for table, column in (
        ("backup_codes", "person_id"),
        ("passkeys", "person_id"),
        ("device_codes", "person_id"),
        ("attempts", "last_at"),
        ("glass_breaks", "group_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_index("ix_glass_breaks_person_id", "glass_breaks", ["person_id", "until_at"])


def _people(table: str, column: str = "person_id") -> sa.ForeignKey:
    return sa.ForeignKey("people.id", name=f"fk_{table}_{column}")


def _give_keys() -> dict[int, crypto.Key]:
    """A data key for everybody who is here already."""
    db = op.get_bind()
    keys = {}
    for (person_id,) in db.execute(sa.text("SELECT id FROM people")).all():
        row, keys[person_id] = _vault().new_key(person_id)
        values = {"id": row.id, "person": person_id, "master": row.master, "wrapped": row.wrapped}
        db.execute(sa.text("INSERT INTO data_keys VALUES (:id, :person, :master, :wrapped)"), values)
    return keys


def _vault() -> crypto.Vault:
    vault: crypto.Vault = context.config.attributes["vault"]
    return vault


def _extend_people() -> None:
    with op.batch_alter_table("people") as batch:
        batch.add_column(sa.Column("recovery_hash", sa.String(64)))
        batch.add_column(sa.Column("institution_hash", sa.String(64)))
        batch.create_unique_constraint("uq_people_recovery_hash", ["recovery_hash"])
        batch.create_unique_constraint("uq_people_institution_hash", ["institution_hash"])


def _extend_sign_ins() -> None:
    with op.batch_alter_table("sign_ins") as batch:
        batch.add_column(sa.Column("public_id", sa.String(12)))
        batch.add_column(sa.Column("started_on", sa.Date()))
        batch.add_column(sa.Column("last_on", sa.Date()))
        batch.add_column(sa.Column("confirmed_at", sa.DateTime()))
    _fill("sign_ins", "token_hash", started_on=_today(), last_on=_today())
    _name_rows("sign_ins", "token_hash")
    with op.batch_alter_table("sign_ins") as batch:
        batch.alter_column("public_id", existing_type=sa.String(12), nullable=False)
        batch.alter_column("started_on", existing_type=sa.Date(), nullable=False)
        batch.alter_column("last_on", existing_type=sa.Date(), nullable=False)
        batch.create_unique_constraint("uq_sign_ins_public_id", ["public_id"])


def _extend_invitations() -> None:
    with op.batch_alter_table("invitations") as batch:
        batch.add_column(sa.Column("public_id", sa.String(12)))
        batch.add_column(sa.Column("hint", sa.String(4), nullable=False, server_default=""))
        batch.add_column(sa.Column("organisation_id", sa.Integer()))
        batch.add_column(sa.Column("role", sa.String(20), nullable=False, server_default="client"))
        batch.add_column(sa.Column("made_on", sa.Date()))
        batch.add_column(sa.Column("uses", sa.Integer()))
        batch.alter_column("group_id", existing_type=sa.Integer(), nullable=True)
    _fill("invitations", "id", made_on=_today())
    op.execute(
        "UPDATE invitations SET uses = uses_left,"
        " organisation_id = (SELECT organisation_id FROM groups WHERE groups.id = invitations.group_id)"
    )
    _name_rows("invitations", "id")
    with op.batch_alter_table("invitations") as batch:
        batch.alter_column("public_id", existing_type=sa.String(12), nullable=False)
        batch.alter_column("hint", existing_type=sa.String(4), server_default=None)
        batch.alter_column("role", existing_type=sa.String(20), server_default=None)
        batch.alter_column("organisation_id", existing_type=sa.Integer(), nullable=False)
        batch.alter_column("made_on", existing_type=sa.Date(), nullable=False)
        batch.alter_column("uses", existing_type=sa.Integer(), nullable=False)
        batch.create_unique_constraint("uq_invitations_public_id", ["public_id"])
        batch.create_foreign_key("fk_invitations_organisation_id", "organisations", ["organisation_id"], ["id"])
        batch.create_index("ix_invitations_organisation_id", ["organisation_id"])
        batch.create_index("ix_invitations_group_id", ["group_id"])


def _extend_seats() -> None:
    with op.batch_alter_table("seats") as batch:
        batch.add_column(sa.Column("public_id", sa.String(12)))
        batch.alter_column("person_id", existing_type=sa.Integer(), nullable=True)
        batch.alter_column("membership_id", existing_type=sa.Integer(), nullable=True)
    _name_rows("seats", "id")
    with op.batch_alter_table("seats") as batch:
        batch.alter_column("public_id", existing_type=sa.String(12), nullable=False)
        batch.create_unique_constraint("uq_seats_public_id", ["public_id"])


def _today() -> Any:
    return datetime.now(UTC).date()


def _fill(table: str, _key: str, **values: Any) -> None:
    pairs = ", ".join(f"{name} = :{name}" for name in values)
    op.get_bind().execute(sa.text(f"UPDATE {table} SET {pairs}").bindparams(**values))  # noqa: S608  (names are ours)


def _name_rows(table: str, key: str) -> None:
    db = op.get_bind()
    for (row,) in db.execute(sa.text(f"SELECT {key} FROM {table}")).all():  # noqa: S608
        statement = sa.text(f"UPDATE {table} SET public_id = :ref WHERE {key} = :row")  # noqa: S608
        db.execute(statement, {"ref": ids.public_id(), "row": row})


def _seal(table: str, column: str, keys: dict[int, crypto.Key], query: str, *, nullable: bool) -> None:
    """Replace a column of plain text by one that is sealed. `query` gives id, author, name of the row, and text."""
    _replace(table, (column,), column, keys, query, lambda row: row.text, nullable=nullable)


def _seal_check_ins(keys: dict[int, crypto.Key]) -> None:
    def content(row: Any) -> str:
        return json.dumps({"mood": row.mood, "urge": row.urge, "halt": row.halt, "line": row.line})

    old = ("mood", "urge", "halt", "line")
    _replace("check_ins", old, "content", keys, _CHECK_INS, content, nullable=False)


def _seal_reports(keys: dict[int, crypto.Key]) -> None:
    old = ("situation", "trigger", "thought", "feeling", "aftermath", "next_time")

    def analysis(row: Any) -> str:
        parts = {name: getattr(row, name) for name in old if getattr(row, name)}
        return json.dumps(parts) if parts else ""

    _replace("relapse_reports", old, "analysis", keys, _REPORTS, analysis, nullable=True)


def _replace(
    table: str,
    old: tuple[str, ...],
    new: str,
    keys: dict[int, crypto.Key],
    query: str,
    text_of: Callable[[Any], str],
    *,
    nullable: bool,
) -> None:
    db = op.get_bind()
    op.add_column(table, sa.Column("sealed", sa.LargeBinary()))
    for row in db.execute(sa.text(query)).all():
        text = text_of(row)
        if not text and nullable:
            continue
        sealed = keys[row.author].seal(f"{table}.{new}|{row.row}".encode(), text)
        db.execute(sa.text(f"UPDATE {table} SET sealed = :sealed WHERE id = :id"), {"sealed": sealed, "id": row.id})  # noqa: S608
    with op.batch_alter_table(table) as batch:
        for column in old:
            batch.drop_column(column)
    with op.batch_alter_table(table) as batch:
        batch.alter_column("sealed", existing_type=sa.LargeBinary(), new_column_name=new, nullable=nullable)


def _take_aliases() -> None:
    """What is in use now is taken; where two groups use the same alias, it is taken once."""
    op.execute(
        "INSERT INTO alias_uses (organisation_id, alias)"
        " SELECT DISTINCT groups.organisation_id, memberships.alias FROM memberships"
        " JOIN groups ON groups.id = memberships.group_id"
    )


def _never_number_twice() -> None:
    """SQLite gives the number of a removed row to the next one unless told to remember it; PostgreSQL never does."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in _NUMBERED:
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass


def downgrade() -> None:
    """Back to the first tables. What was sealed cannot stand in a column of plain text, and is left out."""
    raise RuntimeError("what was sealed is not written in clear again; restore a backup instead")
