"""Rooms and led sessions, complete: what people do with messages, hours, series, run-sheets, notes, breakouts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.core import ids

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _extend_places()
    _make_room_tables()
    _make_series()
    _extend_sessions()
    _make_session_tables()
    _make_flags()


def _extend_places() -> None:
    for table, name, kind, default in (
        ("groups", "cap", sa.Integer(), "8"),
        ("groups", "minimum", sa.Integer(), "3"),
        ("groups", "open_hours", sa.String(200), ""),
        ("groups", "staffed_hours", sa.String(200), ""),
        ("groups", "retention_days", sa.Integer(), "90"),
        ("rooms", "slow_seconds", sa.Integer(), "0"),
        ("rooms", "only_staff_writes", sa.Boolean(), sa.false()),
        ("answers", "few_ok", sa.Boolean(), sa.false()),
    ):
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    for table, name in (
        ("rooms", "calm_until"),
        ("seats", "out_at"),
        ("messages", "edited_at"),
        ("messages", "withdrawn_at"),
        ("attendances", "pause_at"),
    ):
        op.add_column(table, sa.Column(name, sa.DateTime()))
    op.add_column("groups", sa.Column("retention_next", sa.Integer()))
    op.add_column("groups", sa.Column("retention_next_on", sa.Date()))
    op.add_column("attendances", sa.Column("corrected_on", sa.Date()))
    # Who wrote until now was told of no end to it: what is old stays a week longer, and everybody can see that it goes.
    in_a_week = datetime.now(UTC).date() + timedelta(days=7)
    groups = sa.table(
        "groups", sa.column("retention_days"), sa.column("retention_next"), sa.column("retention_next_on", sa.Date())
    )
    op.execute(groups.update().values(retention_days=365, retention_next=90, retention_next_on=in_a_week))


def _make_room_tables() -> None:
    held = sa.text("status = 'held'")
    op.create_index("ix_messages_held", "messages", ["room_id", "seat_id"], sqlite_where=held, postgresql_where=held)
    op.create_table(
        "waiting_places",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        sa.Column(
            "group_id", sa.Integer(), sa.ForeignKey("groups.id", name="fk_waiting_places_group_id"), nullable=False
        ),
        sa.Column(
            "person_id", sa.Integer(), sa.ForeignKey("people.id", name="fk_waiting_places_person_id"), nullable=False
        ),
        sa.Column("alias", sa.String(40), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("group_id", "person_id", name="uq_waiting_places_group_id_person_id"),
        sa.UniqueConstraint("public_id", name="uq_waiting_places_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_waiting_places_person_id", "waiting_places", ["person_id"])
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "person_id", sa.Integer(), sa.ForeignKey("people.id", name="fk_calendar_feeds_person_id"), nullable=False
        ),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("word", sa.String(12), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("digest", name="uq_calendar_feeds_digest"),
        sa.UniqueConstraint("person_id", name="uq_calendar_feeds_person_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "message_versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "message_id",
            sa.Integer(),
            sa.ForeignKey("messages.id", name="fk_message_versions_message_id"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("message_id", "version", name="uq_message_versions_message_id_version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reactions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "message_id", sa.Integer(), sa.ForeignKey("messages.id", name="fk_reactions_message_id"), nullable=False
        ),
        _reference("reactions", "seat_id", "seats"),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.UniqueConstraint("message_id", "seat_id", "kind", name="uq_reactions_message_id_seat_id_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reactions_seat_id", "reactions", ["seat_id"])
    op.create_table(
        "hidings",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("hidings", "seat_id", "seats"),
        _reference("hidings", "message_id", "messages", nullable=True),
        _reference("hidings", "hidden_seat_id", "seats", nullable=True),
        sa.UniqueConstraint("seat_id", "hidden_seat_id", name="uq_hidings_seat_id_hidden_seat_id"),
        sa.UniqueConstraint("seat_id", "message_id", name="uq_hidings_seat_id_message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hidings_hidden_seat_id", "hidings", ["hidden_seat_id"])
    op.create_index("ix_hidings_message_id", "hidings", ["message_id"])
    op.create_table(
        "topics",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        _reference("topics", "room_id", "rooms"),
        _reference("topics", "author_id", "people", nullable=True),
        sa.Column("title", sa.LargeBinary()),
        sa.Column("chapter", sa.String(60), nullable=False),
        sa.Column("from_seq", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_topics_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_topics_author_id", "topics", ["author_id"])
    op.create_index("ix_topics_room_id", "topics", ["room_id", "from_seq"])


def _make_series() -> None:
    op.create_table(
        "session_series",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        sa.Column(
            "group_id", sa.Integer(), sa.ForeignKey("groups.id", name="fk_session_series_group_id"), nullable=False
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("at_minute", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=False),
        sa.Column("booster_weeks", sa.Integer(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_session_series_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_series_group_id", "session_series", ["group_id"])


def _extend_sessions() -> None:
    with _rebuilt("group_sessions") as batch:
        batch.add_column(sa.Column("series_id", sa.Integer()))
        batch.add_column(sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("booster", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("paused_at", sa.DateTime()))
        batch.add_column(sa.Column("pulse", sa.String(8), nullable=False, server_default=""))
        batch.add_column(sa.Column("pulse_started_at", sa.DateTime()))
        batch.add_column(sa.Column("pulse_ends_at", sa.DateTime()))
        batch.alter_column("status", existing_type=sa.String(8), type_=sa.String(9))
        batch.drop_column("revealed")
        batch.create_foreign_key("fk_group_sessions_series_id", "session_series", ["series_id"], ["id"])
        batch.create_index("ix_group_sessions_series_id", ["series_id"])
    with _rebuilt("session_steps") as batch:
        batch.add_column(sa.Column("public_id", sa.String(12)))
        batch.add_column(sa.Column("phase", sa.String(10), nullable=False, server_default="theme"))
        batch.add_column(sa.Column("kind", sa.String(12), nullable=False, server_default=""))
        batch.add_column(sa.Column("sharing", sa.String(8), nullable=False, server_default=""))
        batch.add_column(sa.Column("words", sa.LargeBinary()))
        batch.add_column(sa.Column("author_id", sa.Integer()))
        batch.add_column(sa.Column("revealed_at", sa.DateTime()))
    db = op.get_bind()
    for (line,) in db.execute(sa.text("SELECT id FROM session_steps")).all():
        named = {"ref": ids.public_id(), "line": line}
        db.execute(sa.text("UPDATE session_steps SET public_id = :ref WHERE id = :line"), named)
    with _rebuilt("session_steps") as batch:
        batch.alter_column("public_id", existing_type=sa.String(12), nullable=False)
        batch.create_unique_constraint("uq_session_steps_public_id", ["public_id"])
        batch.create_unique_constraint("uq_session_steps_session_id_step", ["session_id", "step"])
        batch.create_foreign_key("fk_session_steps_author_id", "people", ["author_id"], ["id"])
        batch.create_index("ix_session_steps_author_id", ["author_id"])


def _reference(table: str, column: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{column}")
    return sa.Column(column, sa.Integer(), key, nullable=nullable)


def _rebuilt(table: str) -> Any:
    """A table to be changed; SQLite builds it anew, and must go on never giving a number twice."""
    return op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True})


def _make_session_tables() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "session_id",
            sa.Integer(),
            sa.ForeignKey("group_sessions.id", name="fk_absences_session_id"),
            nullable=False,
        ),
        sa.Column(
            "membership_id",
            sa.Integer(),
            sa.ForeignKey("memberships.id", name="fk_absences_membership_id"),
            nullable=False,
        ),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("session_id", "membership_id", name="uq_absences_session_id_membership_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_absences_membership_id", "absences", ["membership_id"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("turns", "line_id", "session_steps"),
        sa.Column(
            "membership_id",
            sa.Integer(),
            sa.ForeignKey("memberships.id", name="fk_turns_membership_id"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.UniqueConstraint("line_id", "membership_id", name="uq_turns_line_id_membership_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_turns_membership_id", "turns", ["membership_id"])
    op.create_table(
        "session_notes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        sa.Column(
            "session_id",
            sa.Integer(),
            sa.ForeignKey("group_sessions.id", name="fk_session_notes_session_id"),
            nullable=False,
        ),
        _reference("session_notes", "seat_id", "seats"),
        _reference("session_notes", "author_id", "people", nullable=True),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("read_at", sa.DateTime()),
        sa.UniqueConstraint("public_id", name="uq_session_notes_public_id"),
        sa.UniqueConstraint("seat_id", "key", name="uq_session_notes_seat_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_notes_author_id", "session_notes", ["author_id"])
    op.create_index("ix_session_notes_session_id", "session_notes", ["session_id"])
    op.create_table(
        "breakouts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "session_id",
            sa.Integer(),
            sa.ForeignKey("group_sessions.id", name="fk_breakouts_session_id"),
            nullable=False,
        ),
        _reference("breakouts", "room_id", "rooms"),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("room_id", name="uq_breakouts_room_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_breakouts_session_id", "breakouts", ["session_id", "ends_at"])
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        sa.Column(
            "session_id",
            sa.Integer(),
            sa.ForeignKey("group_sessions.id", name="fk_follow_ups_session_id"),
            nullable=False,
        ),
        sa.Column(
            "membership_id",
            sa.Integer(),
            sa.ForeignKey("memberships.id", name="fk_follow_ups_membership_id"),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        _reference("follow_ups", "done_by", "people", nullable=True),
        sa.Column("done_at", sa.DateTime()),
        sa.UniqueConstraint("public_id", name="uq_follow_ups_public_id"),
        sa.UniqueConstraint("session_id", "membership_id", name="uq_follow_ups_session_id_membership_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_follow_ups_done_by", "follow_ups", ["done_by"])
    op.create_index("ix_follow_ups_membership_id", "follow_ups", ["membership_id"])


def _make_flags() -> None:
    op.create_table(
        "flags",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("subject_kind", sa.String(20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        _reference("flags", "person_id", "people"),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint(
            "subject_kind", "subject_id", "person_id", name="uq_flags_subject_kind_subject_id_person_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_flags_person_id", "flags", ["person_id"])
    with _rebuilt("cases") as batch:
        batch.add_column(sa.Column("staff_id", sa.Integer()))
        batch.create_foreign_key("fk_cases_staff_id", "people", ["staff_id"], ["id"])


def downgrade() -> None:
    """Back to 0002 would lose what people wrote meanwhile."""
    raise RuntimeError("what was written since would be lost; restore a backup instead")
