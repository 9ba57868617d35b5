"""The programme at home: which question was answered, how far somebody is, what they shared; plan, waves, goals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_programme()
    _make_own_tools()
    with op.batch_alter_table("answers", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("question_id", sa.Integer()))
        batch.create_foreign_key("fk_answers_question_id", "step_questions", ["question_id"], ["id"])


def _make_programme() -> None:
    op.create_table(
        "step_questions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("programme", sa.String(60), nullable=False),
        sa.Column("chapter", sa.String(60), nullable=False),
        sa.Column("step", sa.String(60), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.UniqueConstraint(
            "programme",
            "chapter",
            "step",
            "language",
            "digest",
            name="uq_step_questions_programme_chapter_step_language_digest",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "steps_done",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("steps_done", "membership_id", "memberships"),
        sa.Column("programme", sa.String(60), nullable=False),
        sa.Column("chapter", sa.String(60), nullable=False),
        sa.Column("step", sa.String(60), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.UniqueConstraint(
            "membership_id", "programme", "chapter", "step", name="uq_steps_done_membership_id_programme_chapter_step"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "answer_shares",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        _reference("answer_shares", "answer_id", "answers"),
        sa.Column("audience", sa.String(5), nullable=False),
        _reference("answer_shares", "room_id", "rooms", nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("shared_at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_answer_shares_public_id"),
        sa.UniqueConstraint("answer_id", "audience", name="uq_answer_shares_answer_id_audience"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_answer_shares_room_id", "answer_shares", ["room_id"])


def _make_own_tools() -> None:
    op.create_table(
        "plan_cards",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        _reference("plan_cards", "person_id", "people"),
        sa.Column("card", sa.String(10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("chapter", sa.String(60), nullable=False),
        sa.Column("step", sa.String(60), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_plan_cards_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_plan_cards_person_id", "plan_cards", ["person_id", "position"])
    op.create_table(
        "urge_rides",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        _reference("urge_rides", "person_id", "people"),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_urge_rides_public_id"),
        sa.UniqueConstraint("person_id", "key", name="uq_urge_rides_person_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_urge_rides_person_id", "urge_rides", ["person_id", "started_at"])
    op.create_table(
        "goals",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        _reference("goals", "membership_id", "memberships"),
        sa.Column("kind", sa.String(5), nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("started_on", sa.Date()),
        _reference("goals", "started_by", "people", nullable=True),
        sa.Column("paused_on", sa.Date()),
        sa.Column("paused_days", sa.Integer(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("public_id", name="uq_goals_public_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_goals_membership_id", "goals", ["membership_id"])
    op.create_index("ix_goals_started_by", "goals", ["started_by"])
    op.create_table(
        "check_ups",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_id", sa.String(12), nullable=False),
        _reference("check_ups", "person_id", "people"),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("told_on", sa.Date()),
        sa.Column("done_on", sa.Date()),
        sa.Column("content", sa.LargeBinary()),
        sa.UniqueConstraint("public_id", name="uq_check_ups_public_id"),
        sa.UniqueConstraint("person_id", "due_on", name="uq_check_ups_person_id_due_on"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_check_ups_due_on", "check_ups", ["due_on"])


def _reference(table: str, column: str, to: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{column}")
    return sa.Column(column, sa.Integer(), key, nullable=nullable)


def downgrade() -> None:
    """Back to 0003 would lose what people wrote meanwhile."""
    raise RuntimeError("what was written since would be lost; restore a backup instead")
