"""Cases: something a person must look at, and what was decided. Flags: that a member asked somebody to look."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class Case(Base):
    """One thing to review. The thing itself stays where it is; `subject_kind` and `subject_id` find it.

    `level` orders the queue: 0 red, 1 amber, 2 the rest. `version` rises with every change, so that two
    moderators cannot both decide. `kinds` are the reasons for looking, as codes. `note` is sealed by who decided.
    `staff_id` is the member of staff whose words somebody flagged: they do not see the case.
    """

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    level: Mapped[int]
    kinds: Mapped[str] = mapped_column(String(120))
    held: Mapped[bool]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)
    decision: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[bytes | None] = mapped_column(Sealed)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index(None, "organisation_id", "decided_at", "level", "due_at"),)


class Flag(Base):
    """That somebody asked a person to look at something. Nobody is told who; it is kept so that each counts once.

    `reason` is a code; `at` is to the minute.
    """

    __tablename__ = "flags"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "person_id"), Index(None, "person_id"))
