"""What a moderator's decision does to a message: placed after all, kept back, or taken away."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.core import clock
from app.core.errors import NotFound
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Group, Message, Room, Seat, message_row
from groups.talk import conversation, mentions
from moderation.screening import mask


def release(w: Work, message_id: int) -> None:
    """Place a held message now, at the end of the conversation, without what identifies; show one again, at its own
    place, that members had set aside. For the review queue.
    """
    row = _for_review(w, message_id)
    if row.Message.status == "hidden":
        _show_again(w, row)
    if row.Message.status != "held":
        return
    seq = _next_seq(w, row.Message.room_id)
    written = conversation.text_of(w, row.Message)
    text = mask(written, lang=row.language, aliases=rooms.aliases_in(w, row.Message.room_id))
    name = message_row(row.Message.seat_id, row.Message.key)
    row.Message.masked = row.Message.masked or text != written
    row.Message.seq, row.Message.status = seq, "posted"
    row.Message.text = w.ring.seal(row.person_id, Message.text, name, text)
    at = clock.iso_minute(row.Message.at)
    reply = row.Message.reply_to
    quote = conversation.quotes(w, row.Message.room_id, [reply]).get(reply) if reply else None
    called = mentions.found(text, conversation.callable_in(w, row.Message.room_id, row.role))
    view = conversation.View(seq, row.alias, row.role, text, at, reply, "posted", quote, mentions=called)
    w.announce(f"room:{row.room}", "messages", {"room": row.room, "items": [view.as_dict()]})
    conversation.tell_called(w, row.Message.room_id, row.room, seq, row.Message.seat_id, called)
    w.announce(f"person:{row.person_id}", "notice", {"kind": "released", "room": row.room, "key": row.Message.key})


def _show_again(w: Work, row: Any) -> None:
    row.Message.status = "posted"
    changed = {"room": row.room, "seq": row.Message.seq, "status": "posted"}
    w.announce(f"room:{row.room}", "message.changed", changed | {"text": conversation.text_of(w, row.Message)})
    w.announce(f"person:{row.person_id}", "notice", {"kind": "released", "room": row.room, "key": row.Message.key})


def reject(w: Work, message_id: int, reason: str) -> None:
    """Keep a held message back for good; hide one that was posted. The author hears why."""
    row = _for_review(w, message_id)
    message = row.Message
    if message.status == "held":
        message.status = "rejected"
    elif message.status == "posted":
        message.status = "hidden"
        w.announce(f"room:{row.room}", "message.changed", {"room": row.room, "seq": message.seq, "status": "hidden"})
    notice = {"kind": "rejected", "room": row.room, "key": message.key, "reason": reason}
    w.announce(f"person:{row.person_id}", "notice", notice)
    outbox.queue(w, row.person_id, "rejected", reason, f"rejected:{message_id}")


def _next_seq(w: Work, room_id: int) -> int:
    """Take one number of a room."""
    query = update(Room).where(Room.id == room_id).values(last_seq=Room.last_seq + 1).returning(Room.last_seq)
    return w.db.execute(query).scalar_one()


def _for_review(w: Work, message_id: int) -> Any:
    row = w.db.execute(
        select(Message, Seat.alias, Seat.role, Seat.person_id, Room.public_id.label("room"), Group.language)
        .join(Seat, Seat.id == Message.seat_id)
        .join(Room, Room.id == Message.room_id)
        .join(Group, Group.id == Room.group_id)
        .where(Message.id == message_id)
    ).first()
    if row is None:
        raise NotFound
    return row
