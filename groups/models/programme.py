"""The programme in somebody's hands: how far they are, which question they answered, with whom they shared it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment


class StepQuestion(Base):
    """The words of a step as somebody answered it, so that an answer keeps its question. Nobody's own: from the files.

    `words` is JSON (title, prompt, options, fields, columns, low, high); `digest` tells whether a step still says so.
    """

    __tablename__ = "step_questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme: Mapped[str] = mapped_column(String(60))
    chapter: Mapped[str] = mapped_column(String(60))
    step: Mapped[str] = mapped_column(String(60))
    language: Mapped[str] = mapped_column(String(2))
    digest: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("programme", "chapter", "step", "language", "digest"),)


class StepDone(Base):
    """That a member did a step at home. The day, not the hour: when somebody cannot sleep is nobody's business."""

    __tablename__ = "steps_done"

    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    programme: Mapped[str] = mapped_column(String(60))
    chapter: Mapped[str] = mapped_column(String(60))
    step: Mapped[str] = mapped_column(String(60))
    done_on: Mapped[date]

    __table_args__ = (UniqueConstraint("membership_id", "programme", "chapter", "step"),)


class Share(Base):
    """An answer written at home, shown to somebody: `audience` is group, buddy or staff. Taken back, the row is gone.

    `value` is what was shared, as it was then, sealed by its author's key and bound to the `public_id`: what is changed
    at home afterwards is not shared. `room_id` is the room in which it may be read: the group's, or the pair's; none
    for staff. `status` is posted, held or rejected; or withdrawn, while a case about danger in it waits (`audience` may
    be a letter and a number then, beside what was shared anew).
    """

    __tablename__ = "answer_shares"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    audience: Mapped[str] = mapped_column(String(5))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"))
    value: Mapped[bytes] = mapped_column(Sealed)
    status: Mapped[str] = mapped_column(String(10), default="posted")
    shared_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("answer_id", "audience"), Index(None, "room_id"))
