"""Pairs, check-ins, relapse reports, and the steps by which a person reaches out."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class Pair(Base):
    """Buddies, with a room of their own. A trio is a pair with three members."""

    __tablename__ = "pairs"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    made_on: Mapped[date]
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "group_id"),)


class PairMember(Base):
    __tablename__ = "pair_members"

    pair_id: Mapped[int] = mapped_column(ForeignKey("pairs.id"), primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"), primary_key=True)

    __table_args__ = (Index(None, "membership_id"),)


class CheckIn(Base):
    """One day's check-in. `share` is what the buddy sees: `done` (that it was done) or `all` (the answers).

    `content` is sealed: mood from 1 (heavy) to 5 (light), urge from 0 (none) to 4 (very strong), the letters of
    hungry, angry, lonely, tired that apply, and a line of text. `line_kept_back` keeps a line from the buddy that
    screening would hold.
    """

    __tablename__ = "check_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    day: Mapped[date]
    content: Mapped[bytes] = mapped_column(Sealed)
    share: Mapped[str] = mapped_column(String(4), default="done")
    line_kept_back: Mapped[bool] = mapped_column(default=False)
    done_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("membership_id", "day"),)


class RelapseReport(Base):
    """A guided look at an urge, a lapse or a relapse (`kind`), written step by step; `sent_at` when it was filed.

    `key` makes filing twice impossible. `safe` is yes, unsure or no. `state` is draft, asked, contact or
    stopped. `analysis`, sealed, stays with the writer.
    """

    __tablename__ = "relapse_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    key: Mapped[str] = mapped_column(String(36))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    kind: Mapped[str] = mapped_column(String(8))
    safe: Mapped[str] = mapped_column(String(6), default="")
    ask_buddy: Mapped[bool] = mapped_column(default=False)
    ask_facilitator: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(8), default="draft")
    analysis: Mapped[bytes | None] = mapped_column(Sealed)
    started_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("membership_id", "key"), Index(None, "membership_id", "started_at"))


class OutreachStep(Base):
    """One person who is asked to make contact, until when, and what came of it.

    `state` is waiting, asked, contact, passed, expired, cancelled or open (the last rung, overdue: it never closes by
    itself). `version` lets the first of two answers win.
    """

    __tablename__ = "outreach_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("relapse_reports.id"))
    position: Mapped[int]
    rung: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("memberships.id"))
    level: Mapped[str] = mapped_column(String(6))
    minutes: Mapped[int]
    state: Mapped[str] = mapped_column(String(9))
    asked_at: Mapped[datetime | None] = mapped_column(Moment)
    deadline_at: Mapped[datetime | None] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("report_id", "position", "person_id"),
        Index(None, "state", "deadline_at"),
        Index(None, "person_id", "state"),
    )


def checkin_row(membership_id: int, day: date) -> str:
    """The name of a check-in's row, to seal its content with."""
    return f"{membership_id}:{day.isoformat()}"
