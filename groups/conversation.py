"""A conversation as its members read it: in order, in stretches, with what still waits for a moderator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from app.core import clock
from app.core.work import Work
from groups import rooms
from groups.models import Message, Seat, message_row

PAGE = 200


@dataclass(frozen=True, slots=True)
class View:
    """A message as members see it, the protocol's `Message`."""

    seq: int
    alias: str
    role: str
    text: str
    at: str
    reply_to: int | None
    status: str

    def as_dict(self) -> dict[str, Any]:
        item = {"seq": self.seq, "alias": self.alias, "role": self.role, "text": self.text, "at": self.at}
        return item | {"status": self.status} | ({"reply_to": self.reply_to} if self.reply_to else {})


@dataclass(frozen=True, slots=True)
class Held:
    """A message of one's own that waits for a moderator."""

    key: str
    text: str
    at: str


def history(w: Work, found: rooms.Place, after: int, limit: int = PAGE) -> list[View]:
    """Messages of a room after `after`, oldest first, at most 200. One indexed query."""
    return _views(w, found.room_id, Message.seq > after, limit, newest=False)


def latest(w: Work, found: rooms.Place, limit: int = 50) -> list[View]:
    """The last messages of a room, oldest first. One indexed query."""
    return latest_in(w, found.room_id, limit)


def latest_in(w: Work, room_id: int, limit: int = 50) -> list[View]:
    """As `latest`, for who has no place in the room. The caller has checked that the actor may read it."""
    return _views(w, room_id, Message.seq.is_not(None), limit, newest=True)


def waiting(w: Work, found: rooms.Place) -> list[Held]:
    """One's own messages in this room that wait for a moderator."""
    rows = w.db.execute(
        select(Message.seat_id, Message.key, Message.text, Message.at)
        .where(Message.room_id == found.room_id, Message.seat_id == found.seat_id, Message.status == "held")
        .order_by(Message.id)
    ).all()
    texts = texts_of(w, rows)
    return [Held(r.key, text, clock.iso_minute(r.at)) for r, text in zip(rows, texts, strict=True)]


def has_posted(w: Work, found: rooms.Place) -> bool:
    """Has the actor ever written in this room? Before the first time, one rule is shown."""
    return (
        w.db.scalar(
            select(Message.id).where(Message.room_id == found.room_id, Message.seat_id == found.seat_id).limit(1)
        )
        is not None
    )


def text_of(w: Work, message: Message) -> str:
    """What a message says. The caller has checked that the actor may read it."""
    return w.ring.open(Message.text, message_row(message.seat_id, message.key), message.text)


def texts_of(w: Work, rows: Sequence[Any]) -> list[str]:
    """What each of these rows says (`seat_id`, `key`, `text`). The caller has checked that the actor may read them."""
    return w.ring.open_all(Message.text, [(message_row(r.seat_id, r.key), r.text) for r in rows])


def mark_read(w: Work, room: str, seq: int) -> None:
    """Remember how far the actor has read, for their own unread line. Nobody else can see it."""
    found = rooms.place(w, room)
    seen = min(seq, found.last_seq)
    w.db.execute(update(Seat).where(Seat.id == found.seat_id, Seat.read_seq < seen).values(read_seq=seen))


def _views(w: Work, room_id: int, condition: Any, limit: int, *, newest: bool) -> list[View]:
    order = Message.seq.desc() if newest else Message.seq
    rows = w.db.execute(
        select(
            Message.seq,
            Message.seat_id,
            Message.key,
            Message.text,
            Message.at,
            Message.reply_to,
            Message.status,
            Seat.alias,
            Seat.role,
        )
        .join(Seat, Seat.id == Message.seat_id)
        .where(Message.room_id == room_id, condition)
        .order_by(order)
        .limit(max(1, min(limit, PAGE)))
    ).all()
    texts = texts_of(w, rows)
    views = [
        View(
            r.seq,
            r.alias,
            r.role,
            text if r.status == "posted" else "",
            clock.iso_minute(r.at),
            r.reply_to,
            r.status,
        )
        for r, text in zip(rows, texts, strict=True)
    ]
    return views[::-1] if newest else views
