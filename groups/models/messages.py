"""What is said in rooms, and what people do with it: change it, answer it quietly, hide it for themselves."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.crypto import Sealed
from app.core.db import Base, Moment

_HELD = text("status = 'held'")  # the few that wait, of all that was ever said


class Message(Base):
    """One message. `seq` is given when it is posted: what is held or rejected has none, so others see no hole.

    `status` is posted, held, rejected, withdrawn or hidden (a moderator, or several members, took it away). `at` is
    kept to the minute. `text` is sealed by its author's key and bound to `message_row`; it is gone when its author was
    erased.
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
    edited_at: Mapped[datetime | None] = mapped_column(Moment)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("room_id", "seat_id", "key"),
        UniqueConstraint("room_id", "seq"),
        Index("ix_messages_held", "room_id", "seat_id", sqlite_where=_HELD, postgresql_where=_HELD),
    )


class MessageVersion(Base):
    """What a message said before it was edited; `version` counts from 1. Moderators can read it.

    One that is `held` is what its author wants it to say, and waits for a moderator. `text` is sealed by its author's
    key and bound to `version_row`.
    """

    __tablename__ = "message_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"))
    version: Mapped[int]
    text: Mapped[bytes | None] = mapped_column(Sealed)
    held: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("message_id", "version"),)


class Reaction(Base):
    """A quiet reaction: `kind` is recognise, strength, thanks or reading."""

    __tablename__ = "reactions"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"))
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    kind: Mapped[str] = mapped_column(String(12))

    __table_args__ = (UniqueConstraint("message_id", "seat_id", "kind"), Index(None, "seat_id"))


class Hiding(Base):
    """What somebody does not want to see: one message, or all that somebody in the room says. Theirs alone to know."""

    __tablename__ = "hidings"

    id: Mapped[int] = mapped_column(primary_key=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    hidden_seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))

    __table_args__ = (
        UniqueConstraint("seat_id", "message_id"),
        UniqueConstraint("seat_id", "hidden_seat_id"),
        Index(None, "message_id"),
        Index(None, "hidden_seat_id"),
    )


class Topic(Base):
    """What a room talks about from `from_seq` on, until the next topic: a week's subject, or a step of the programme.

    `title` is sealed by the facilitator who chose it; with a `chapter` the programme gives the title.
    """

    __tablename__ = "topics"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    title: Mapped[bytes | None] = mapped_column(Sealed)
    chapter: Mapped[str] = mapped_column(String(60), default="")
    from_seq: Mapped[int]
    opened_on: Mapped[date]

    __table_args__ = (Index(None, "room_id", "from_seq"), Index(None, "author_id"))


def message_row(seat_id: int, key: str) -> str:
    """The name of a message's row, to seal its text with."""
    return f"{seat_id}:{key}"


def version_row(seat_id: int, key: str, version: int) -> str:
    """The name of an earlier version's row, to seal its text with."""
    return f"{seat_id}:{key}:{version}"
