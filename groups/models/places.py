"""Groups, rooms, and who has a place in them.

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
    """A set of members with facilitators, one room, a programme.

    `cap` is how many members fit, `minimum` how many a session needs to start. `open_hours` are when its room may be
    written in, `staffed_hours` when somebody of the staff reads along, both as `groups.hours` spells them in the
    group's own `timezone`; empty means always. What was written is kept for `retention_days`; from `retention_next_on`
    for `retention_next`, which its members were told beforehand.
    """

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(5), default="nl")
    timezone: Mapped[str] = mapped_column(String(40), default="Europe/Amsterdam")
    programme: Mapped[str] = mapped_column(String(60), default="lust-leren-loslaten")
    created_on: Mapped[date]
    cap: Mapped[int] = mapped_column(default=8)
    minimum: Mapped[int] = mapped_column(default=3)
    open_hours: Mapped[str] = mapped_column(String(200), default="")
    staffed_hours: Mapped[str] = mapped_column(String(200), default="")
    retention_days: Mapped[int] = mapped_column(default=90)
    retention_next: Mapped[int | None]
    retention_next_on: Mapped[date | None]


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
    """Where messages flow. `kind` is `group`, `pair` or `breakout`; `last_seq` numbers what was posted, without holes.

    `pace` is how many messages one author may post in twenty seconds before the room asks for calm. `slow_seconds` is
    how long a member waits between two messages, set by hand; until `calm_until` the room is slow by itself.
    `closed_at` may lie ahead: a breakout closes by the clock.
    """

    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    kind: Mapped[str] = mapped_column(String(8))
    last_seq: Mapped[int] = mapped_column(default=0)
    pace: Mapped[int] = mapped_column(default=8)
    slow_seconds: Mapped[int] = mapped_column(default=0)
    calm_until: Mapped[datetime | None] = mapped_column(Moment)
    only_staff_writes: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "group_id"),)


class Seat(Base):
    """A person's right to be in a room, under an alias, with how far they have read (for their eyes only).

    `public_id` is who they are in this room and nowhere else. The seat of somebody who was erased stays without a
    person, so that the conversation keeps its numbers. Since `out_at` they are asked to stay out of a running session.
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
    out_at: Mapped[datetime | None] = mapped_column(Moment)
    left_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("room_id", "person_id"),
        UniqueConstraint("room_id", "alias"),
        Index(None, "person_id"),
    )


class WaitingPlace(Base):
    """Somebody with an invitation for a group that is full. Nobody in the group knows of them but its facilitators."""

    __tablename__ = "waiting_places"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    alias: Mapped[str] = mapped_column(String(40))
    since_on: Mapped[date]

    __table_args__ = (UniqueConstraint("group_id", "person_id"), Index(None, "person_id"))


class CalendarFeed(Base):
    """A private address where a calendar reads one's sessions, under a neutral `word`. Only its hash is kept."""

    __tablename__ = "calendar_feeds"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    word: Mapped[str] = mapped_column(String(12), default="appointment")
    made_on: Mapped[date]


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
