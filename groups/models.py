"""Groups, rooms, messages, sessions and answers.

A person has a membership in a group and a seat in each room they may enter. The seat carries the alias that
the others in that room see; nothing a member can read links a seat to a person or to another room.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class Group(Base):
    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(5), default="nl")
    timezone: Mapped[str] = mapped_column(String(40), default="Europe/Amsterdam")
    programme: Mapped[str] = mapped_column(String(60), default="lust-leren-loslaten")
    created_on: Mapped[date]


class Membership(Base):
    """One person's place in one group. `role` is `member` or `facilitator`."""

    __tablename__ = "memberships"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    alias: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(12))
    joined_on: Mapped[date]
    left_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("group_id", "alias"),
        UniqueConstraint("group_id", "person_id"),
        Index(None, "person_id"),
    )


class Room(Base):
    """Where messages flow. `kind` is `group` or `pair`; `last_seq` numbers what has been posted, without holes.

    `pace` is how many messages one author may post in twenty seconds before the room asks for calm.
    """

    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    kind: Mapped[str] = mapped_column(String(8))
    last_seq: Mapped[int] = mapped_column(default=0)
    pace: Mapped[int] = mapped_column(default=8)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "group_id"),)


class Seat(Base):
    """A person's right to be in a room, under an alias, with how far they have read (for their eyes only).

    `public_id` is who they are in this room and nowhere else. The seat of somebody who was erased stays without a
    person, so that the conversation keeps its numbers.
    """

    __tablename__ = "seats"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("memberships.id"))
    alias: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(12))
    read_seq: Mapped[int] = mapped_column(default=0)
    muted_until: Mapped[datetime | None] = mapped_column(Moment)
    left_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("room_id", "person_id"),
        UniqueConstraint("room_id", "alias"),
        Index(None, "person_id"),
    )


class Message(Base):
    """One message. `seq` is given when it is posted: what is held or rejected has none, so others see no hole.

    `status` is posted, held, rejected, withdrawn or hidden. `at` is kept to the minute. `text` is sealed by its
    author's key and bound to `message_row`; it is gone when its author was erased.
    """

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    seq: Mapped[int | None]
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    key: Mapped[str] = mapped_column(String(36))
    text: Mapped[bytes | None] = mapped_column(Sealed)
    reply_to: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(10))
    masked: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("room_id", "seat_id", "key"), UniqueConstraint("room_id", "seq"))


class GroupSession(Base):
    """A planned, led meeting. `version` rises with every change of state, so that two clicks move it once."""

    __tablename__ = "group_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    chapter: Mapped[str] = mapped_column(String(60))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    minutes: Mapped[int]
    status: Mapped[str] = mapped_column(String(8), default="planned")
    position: Mapped[int] = mapped_column(default=0)
    step_started_at: Mapped[datetime | None] = mapped_column(Moment)
    step_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    only_staff_writes: Mapped[bool] = mapped_column(default=False)
    revealed: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "group_id", "status", "starts_at"),)


class SessionStep(Base):
    """One line of a session's run-sheet, bound to a step of the chapter."""

    __tablename__ = "session_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    position: Mapped[int]
    step: Mapped[str] = mapped_column(String(60))
    minutes: Mapped[int]

    __table_args__ = (UniqueConstraint("session_id", "position"),)


class Attendance(Base):
    """That a member was in a session, from which minute to which, and whether their hand is up."""

    __tablename__ = "attendances"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("group_sessions.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    came_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    hand_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("session_id", "membership_id"),)


class Answer(Base):
    """What a member answered at a step: `value`, sealed, is text, or option numbers for a checklist or poll.

    `sharing` is private, shared or counted. `step_version` keeps the question that was answered.
    `session_id` is 0 for what was written outside a session, so that the constraint holds there too.
    """

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    session_id: Mapped[int] = mapped_column(default=0)
    programme: Mapped[str] = mapped_column(String(60))
    chapter: Mapped[str] = mapped_column(String(60))
    step: Mapped[str] = mapped_column(String(60))
    step_version: Mapped[int]
    value: Mapped[bytes] = mapped_column(Sealed)
    sharing: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(10), default="posted")
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("membership_id", "session_id", "programme", "chapter", "step"),
        Index(None, "session_id", "step"),
    )


class GlassBreak(Base):
    """That somebody looked into a group that is not theirs: who, why, and until when. Its members are told.

    `reason` is a code; `note`, sealed, is what they wrote about it.
    """

    __tablename__ = "glass_breaks"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[bytes | None] = mapped_column(Sealed)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    until_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index(None, "group_id"), Index(None, "person_id", "until_at"))


def message_row(seat_id: int, key: str) -> str:
    """The name of a message's row, to seal its text with."""
    return f"{seat_id}:{key}"


def answer_row(membership_id: int, session_id: int, chapter: str, step: str) -> str:
    """The name of an answer's row, to seal its value with."""
    return f"{membership_id}:{session_id}:{chapter}:{step}"
