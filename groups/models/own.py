"""The client's own tools: the prevention plan, waves ridden, a goal, and the quarterly check-up of who is done.

A plan, waves and check-ups are a person's, whatever group they are in; a goal is agreed with a group's facilitator.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class PlanCard(Base):
    """One card of somebody's prevention plan, in their own order (`position`, from 0, within the whole plan).

    `card` is rules, risks, techniques, people or reasons. `content` is JSON, sealed and bound to the `public_id`:
    `text`, and for a risk what then to do, `then`. `chapter` and `step` say where it came from; empty for what was
    written on the plan itself.
    """

    __tablename__ = "plan_cards"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    card: Mapped[str] = mapped_column(String(10))
    position: Mapped[int]
    content: Mapped[bytes] = mapped_column(Sealed)
    chapter: Mapped[str] = mapped_column(String(60), default="")
    step: Mapped[str] = mapped_column(String(60), default="")
    made_on: Mapped[date]

    __table_args__ = (Index(None, "person_id", "position"),)


class UrgeRide(Base):
    """An urge somebody stayed with, at the timer. `key` makes one of two taps.

    `content` is JSON, sealed and bound to the `public_id`: `before` and `after` (0 to 10), `helped` (a line), `outcome`
    (rode, lapsed, or empty while it lasts). `minutes` is how long the timer was set to.
    """

    __tablename__ = "urge_rides"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    key: Mapped[str] = mapped_column(String(36))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    minutes: Mapped[int]
    content: Mapped[bytes] = mapped_column(Sealed)

    __table_args__ = (UniqueConstraint("person_id", "key"), Index(None, "person_id", "started_at"))


class Goal(Base):
    """What a member works towards for some weeks, agreed with a facilitator: `kind` is pause (a reboot) or less.

    `state` is asked, running, paused, done or stopped. `content` is JSON, sealed by the member's key and bound to the
    `public_id`: `words`, and for `less` how many `days` a week at most. `paused_days` are taken off the time that
    passed; `version` lets the first of two clicks win.
    """

    __tablename__ = "goals"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    kind: Mapped[str] = mapped_column(String(5))
    state: Mapped[str] = mapped_column(String(7))
    weeks: Mapped[int]
    content: Mapped[bytes] = mapped_column(Sealed)
    asked_on: Mapped[date]
    started_on: Mapped[date | None]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    paused_on: Mapped[date | None]
    paused_days: Mapped[int] = mapped_column(default=0)
    ended_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index(None, "membership_id"), Index(None, "started_by"))


class CheckUp(Base):
    """One look back a quarter, for who asked for it: open from `due_on`, done at `done_on`.

    `content`, sealed and bound to the `public_id`, is JSON: numbers from 0 to 10 by question, and a line.
    """

    __tablename__ = "check_ups"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date]
    told_on: Mapped[date | None]
    done_on: Mapped[date | None]
    content: Mapped[bytes | None] = mapped_column(Sealed)

    __table_args__ = (UniqueConstraint("person_id", "due_on"), Index(None, "due_on"))
