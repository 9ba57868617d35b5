"""Quiet reactions: a member lets another know that they recognise it, wish them strength, thank them, or read along.

They are shown with aliases, never as a count, and go with the message they stand at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.models import Message, Reaction, Room, Seat

KINDS = ("recognise", "strength", "thanks", "reading")

Names = Mapping[str, tuple[str, ...]]  # who, by kind, in the order in which they came


def react(w: Work, room: str, seq: int, kind: str, on: bool) -> Names:
    """Give a message a quiet reaction, or take it back; twice is once. For whoever has a seat in the room.

    Writes or removes at most one row; announces `message.reactions` to the room when something changed. Returns the
    message's reactions. Raises `NotFound`, `Invalid` for a kind there is not, `Closed` where the room is closed.
    """
    if kind not in KINDS:
        raise Invalid(N_("Kies één van de vier reacties. Er is niets veranderd."))
    found = rooms.place(w, room)
    message_id = _standing(w, found.room_id, seq)
    changed = _give(w, message_id, found.seat_id, kind) if on else _take_back(w, message_id, found.seat_id, kind)
    names = of_messages(w, [message_id]).get(message_id, {})
    if changed:
        w.announce(f"room:{room}", "message.reactions", {"room": room, "seq": seq, "reactions": plain(names)})
    return names


def of_messages(
    w: Work, message_ids: Collection[int], hidden: Collection[int] = frozenset()
) -> dict[int, dict[str, tuple[str, ...]]]:
    """The reactions of many messages, without those of `hidden` seats. One statement."""
    if not message_ids:
        return {}
    rows = w.db.execute(
        select(Reaction.message_id, Reaction.kind, Reaction.seat_id, Seat.alias)
        .join(Seat, Seat.id == Reaction.seat_id)
        .where(Reaction.message_id.in_(message_ids))
        .order_by(Reaction.id)
    )
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for row in rows:
        if row.seat_id not in hidden:
            kinds = found.setdefault(row.message_id, {})
            kinds[row.kind] = (*kinds.get(row.kind, ()), row.alias)
    return {message_id: {k: kinds[k] for k in KINDS if k in kinds} for message_id, kinds in found.items()}


def plain(names: Names) -> dict[str, list[str]]:
    """Reactions as they go over the wire."""
    return {kind: list(aliases) for kind, aliases in names.items()}


def forget(w: Work, which: Any) -> None:
    """Remove reactions with the messages they stand at, or with whoever gave them: `which` is a condition."""
    w.db.execute(delete(Reaction).where(which))


def _standing(w: Work, room_id: int, seq: int) -> int:
    """The message's id, held so that nobody takes it away meanwhile."""
    row = w.db.execute(
        select(Message.id, Room.closed_at)
        .join(Room, Room.id == Message.room_id)
        .where(Message.room_id == room_id, Message.seq == seq, Message.status == "posted")
        .with_for_update(read=True, of=Message)
    ).first()
    if row is None:
        raise NotFound
    if row.closed_at is not None and row.closed_at <= w.now:
        raise Closed(N_("Deze ruimte is dicht. Meelezen kan nog; reageren niet meer."))
    message_id: int = row.id
    return message_id


def _give(w: Work, message_id: int, seat_id: int, kind: str) -> bool:
    mine = (Reaction.message_id == message_id) & (Reaction.seat_id == seat_id) & (Reaction.kind == kind)
    if w.db.scalar(select(Reaction.id).where(mine)) is not None:
        return False
    try:
        with w.db.begin_nested():
            w.db.add(Reaction(message_id=message_id, seat_id=seat_id, kind=kind))
    except IntegrityError:
        return False  # their other screen was there just before
    return True


def _take_back(w: Work, message_id: int, seat_id: int, kind: str) -> bool:
    mine = (Reaction.message_id == message_id) & (Reaction.seat_id == seat_id) & (Reaction.kind == kind)
    return w.db.execute(delete(Reaction).where(mine).returning(Reaction.id)).first() is not None
