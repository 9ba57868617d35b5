"""Led sessions: planned, their run-sheets, who was there, what was answered."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class Series(Base):
    """Sessions at the same hour of the same weekday: `count` of them, `every_days` apart, from `starts_on`.

    `at_minute` is the minute of the day in the group's own time zone. A booster follows `booster_weeks` after the
    last one; 0 for none.
    """

    __tablename__ = "session_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    starts_on: Mapped[date]
    at_minute: Mapped[int]
    minutes: Mapped[int]
    count: Mapped[int]
    every_days: Mapped[int] = mapped_column(default=7)
    booster_weeks: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index(None, "group_id"),)


class GroupSession(Base):
    """A planned, led meeting. `version` rises with every change of state, so that two clicks move it once.

    `status` is planned, open, closed or cancelled. `chapter` is empty where the session follows no chapter; `number`
    is its place in its series, from 1. Since `paused_at` the clock stands still: `step_ends_at` moves on when it goes
    on. `pulse` is the timer that runs in step on every screen: breath or wave, or empty.
    """

    __tablename__ = "group_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("session_series.id"))
    number: Mapped[int] = mapped_column(default=0)
    booster: Mapped[bool] = mapped_column(default=False)
    chapter: Mapped[str] = mapped_column(String(60))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    minutes: Mapped[int]
    status: Mapped[str] = mapped_column(String(9), default="planned")
    position: Mapped[int] = mapped_column(default=0)
    step_started_at: Mapped[datetime | None] = mapped_column(Moment)
    step_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    only_staff_writes: Mapped[bool] = mapped_column(default=False)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    pulse: Mapped[str] = mapped_column(String(8), default="")
    pulse_started_at: Mapped[datetime | None] = mapped_column(Moment)
    pulse_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "group_id", "status", "starts_at"), Index(None, "series_id"))


class SessionStep(Base):
    """One line of a session's run-sheet: a phase with its minutes, bound to a step of the chapter or to own words.

    `phase` is arrive, check-in, theme, break, exercise or closing. `step` names the chapter's step; a free line has a
    name of its own, `kind` as steps have, and `words` (JSON: title, prompt, options), sealed by `author_id`'s key.
    What was answered is shown to nobody before `revealed_at`.
    """

    __tablename__ = "session_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    position: Mapped[int]
    phase: Mapped[str] = mapped_column(String(10), default="theme")
    step: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(12), default="")
    sharing: Mapped[str] = mapped_column(String(8), default="")
    words: Mapped[bytes | None] = mapped_column(Sealed)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    minutes: Mapped[int]
    revealed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("session_id", "position"),
        UniqueConstraint("session_id", "step"),
        Index(None, "author_id"),
    )


class Attendance(Base):
    """That a member was in a session, from which minute to which, whether their hand is up (since `hand_at`).

    Since `pause_at` they ask quietly for a pause: only facilitators see it. On `corrected_on` a facilitator put the
    times right.
    """

    __tablename__ = "attendances"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    came_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    hand_at: Mapped[datetime | None] = mapped_column(Moment)
    pause_at: Mapped[datetime | None] = mapped_column(Moment)
    corrected_on: Mapped[date | None]

    __table_args__ = (UniqueConstraint("session_id", "membership_id"),)


class Absence(Base):
    """That a member said beforehand they cannot come."""

    __tablename__ = "absences"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    said_on: Mapped[date]

    __table_args__ = (UniqueConstraint("session_id", "membership_id"), Index(None, "membership_id"))


class Turn(Base):
    """Somebody's turn in a speaking round at a line of the run-sheet. `state` is waiting, speaking, done or passed."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("session_steps.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    position: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="waiting")

    __table_args__ = (UniqueConstraint("line_id", "membership_id"), Index(None, "membership_id"))


class SessionNote(Base):
    """A note between one member and the facilitators of a group, during a session. Nobody else reads it.

    `seat_id` is the member whose notes these are, `author_id` who wrote this one; `text` is sealed by the author's key
    and bound to the `public_id`.
    """

    __tablename__ = "session_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str] = mapped_column(String(36))
    by_staff: Mapped[bool]
    text: Mapped[bytes | None] = mapped_column(Sealed)
    at: Mapped[datetime] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("seat_id", "key"), Index(None, "session_id"), Index(None, "author_id"))


class Breakout(Base):
    """A room for two or three, out of a running session, until `ends_at`: then everybody is back by themselves."""

    __tablename__ = "breakouts"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), unique=True)
    ends_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index(None, "session_id", "ends_at"),)


class FollowUp(Base):
    """Somebody who did not come and had not said so: a facilitator looks after them and says what came of it.

    `outcome` is empty while open; then reached, coming_back, stops or unreached.
    """

    __tablename__ = "follow_ups"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    due_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)
    outcome: Mapped[str] = mapped_column(String(12), default="")
    done_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    done_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("session_id", "membership_id"),
        Index(None, "membership_id"),
        Index(None, "done_by"),
    )


class Answer(Base):
    """What a member answered at a step: `value`, sealed, is text, or JSON: option numbers of what was chosen, the boxes
    of a reflection by their names, the rows of a list, the marked hours of a week.

    `sharing` is private, shared (under the alias), pooled (among all, without one) or counted. With `few_ok` it may
    be shown where only three or four answered. `question_id` keeps the question that was answered, where it stood in
    the programme; `step_version` is its chapter's version. `session_id` is 0 for what was written outside a session, so
    that the constraint holds there too.
    """

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    session_id: Mapped[int] = mapped_column(default=0)
    programme: Mapped[str] = mapped_column(String(60))
    chapter: Mapped[str] = mapped_column(String(60))
    step: Mapped[str] = mapped_column(String(60))
    step_version: Mapped[int]
    question_id: Mapped[int | None] = mapped_column(ForeignKey("step_questions.id"))
    value: Mapped[bytes] = mapped_column(Sealed)
    sharing: Mapped[str] = mapped_column(String(8))
    few_ok: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(10), default="posted")
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("membership_id", "session_id", "programme", "chapter", "step"),
        Index(None, "session_id", "step"),
    )


def answer_row(membership_id: int, session_id: int, chapter: str, step: str) -> str:
    """The name of an answer's row, to seal its value with."""
    return f"{membership_id}:{session_id}:{chapter}:{step}"
