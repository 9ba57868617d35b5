"""What somebody does not want to see: theirs alone to know. Nobody else's page, count or event changes by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.models import Hiding, Message, Seat, message_row
from groups.rules import FACILITATOR

MOST = 500  # messages hidden by one person in one room


@dataclass(frozen=True, slots=True)
class Hidden:
    """What somebody hid in a room: ids of messages, ids of seats, and what a page needs to hide what comes in live."""

    messages: frozenset[int] = frozenset()
    seats: frozenset[int] = frozenset()
    aliases: tuple[str, ...] = ()

    def hides(self, message_id: int, seat_id: int) -> bool:
        """Is this message not to be shown?"""
        return message_id in self.messages or seat_id in self.seats


@dataclass(frozen=True, slots=True)
class HiddenMessage:
    """A message somebody hid, on their own page, to take back."""

    seq: int
    alias: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """All that somebody hid in a room."""

    aliases: tuple[str, ...] = ()
    messages: tuple[HiddenMessage, ...] = field(default_factory=tuple)


def hidden_by(w: Work, found: rooms.Place) -> Hidden:
    """What the actor hid in this room. One query."""
    rows = w.db.execute(
        select(Hiding.message_id, Hiding.hidden_seat_id, Seat.alias)
        .outerjoin(Seat, Seat.id == Hiding.hidden_seat_id)
        .where(Hiding.seat_id == found.seat_id)
        .order_by(Hiding.id)
    ).all()
    return Hidden(
        frozenset(r.message_id for r in rows if r.message_id is not None),
        frozenset(r.hidden_seat_id for r in rows if r.hidden_seat_id is not None),
        tuple(r.alias for r in rows if r.alias is not None),
    )


def hide_message(w: Work, room: str, seq: int) -> None:
    """Hide one message for oneself. Hiding it again changes nothing; nobody is told.

    For anybody with a seat in the room. Raises `NotFound`, `Invalid` for one's own, `Closed` where it is too much.
    """
    found = rooms.place(w, room)
    message = w.db.execute(
        select(Message.id, Message.seat_id).where(Message.room_id == found.room_id, Message.seq == seq)
    ).first()
    if message is None:
        raise NotFound
    if message.seat_id == found.seat_id:
        raise Invalid(N_("Dit schreef je zelf. Je kunt het wel weghalen."))
    hidden = select(func.count()).where(Hiding.seat_id == found.seat_id, Hiding.message_id.is_not(None))
    if (w.db.scalar(hidden) or 0) >= MOST:
        raise Closed(N_("Je verborg hier al heel veel. Toon er eerst een paar weer; er is niets veranderd."))
    _add(w, Hiding(seat_id=found.seat_id, message_id=message.id))


def hide_person(w: Work, room: str, alias: str) -> None:
    """Hide, for oneself, all that somebody in this room said and will say. Not a facilitator: they look after the room.

    For anybody with a seat in the room. Nobody is told. Raises `NotFound`, `Invalid`.
    """
    found = rooms.place(w, room)
    if alias == found.alias:
        raise Invalid
    other = w.db.execute(select(Seat.id, Seat.role).where(Seat.room_id == found.room_id, Seat.alias == alias)).first()
    if other is None:
        raise NotFound
    if other.role == FACILITATOR:
        raise Invalid(
            N_("Een begeleider kun je niet verbergen: die let op de groep. Eén bericht verbergen of melden kan wel.")
        )
    _add(w, Hiding(seat_id=found.seat_id, hidden_seat_id=other.id))


def show_message(w: Work, room: str, seq: int) -> None:
    """Show a message again that one hid. Nothing changes where it was not hidden."""
    found = rooms.place(w, room)
    hidden = w.db.scalar(
        select(Hiding)
        .join(Message, Message.id == Hiding.message_id)
        .where(Hiding.seat_id == found.seat_id, Message.room_id == found.room_id, Message.seq == seq)
    )
    if hidden is not None:
        w.db.delete(hidden)


def show_person(w: Work, room: str, alias: str) -> None:
    """Show again what somebody says. Nothing changes where they were not hidden."""
    found = rooms.place(w, room)
    hidden = w.db.scalar(
        select(Hiding)
        .join(Seat, Seat.id == Hiding.hidden_seat_id)
        .where(Hiding.seat_id == found.seat_id, Seat.alias == alias)
    )
    if hidden is not None:
        w.db.delete(hidden)


def listed(w: Work, found: rooms.Place) -> Listed:
    """All that the actor hid in this room, to take it back. Two queries, and one for the keys."""
    rows = w.db.execute(
        select(Message.seq, Message.seat_id, Message.key, Message.text, Message.status, Message.at, Seat.alias)
        .join(Hiding, Hiding.message_id == Message.id)
        .join(Seat, Seat.id == Message.seat_id)
        .where(Hiding.seat_id == found.seat_id, Message.seq.is_not(None))
        .order_by(Message.seq.desc())
    ).all()
    texts = w.ring.open_all(Message.text, [(message_row(r.seat_id, r.key), r.text) for r in rows])
    messages = [
        HiddenMessage(r.seq, r.alias, text if r.status == "posted" else "", r.at)
        for r, text in zip(rows, texts, strict=True)
    ]
    return Listed(hidden_by(w, found).aliases, tuple(messages))


def _add(w: Work, hiding: Hiding) -> None:
    try:
        with w.db.begin_nested():
            w.db.add(hiding)
    except IntegrityError:
        pass  # hidden already
