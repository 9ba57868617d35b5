"""A conversation as its members read it: in order, in stretches, with what still waits for a moderator."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, literal, select, update

from app.core import clock
from app.core.work import Work
from app.notify import outbox
from app.notify.models import Notice, OutboxItem
from groups import rooms
from groups.models import Hiding, Message, Seat, message_row
from groups.rules import FACILITATOR
from groups.talk import hiding, mentions, reactions

PAGE = 200
SHOWN = 50  # messages on a page
NO_TRACE = timedelta(minutes=30)  # who takes a message back within this time leaves nothing behind
_HELD = literal("held", literal_execute=True)  # written out: only then the index of what waits is found
_QUOTED = 140  # characters of what is answered
_SEEN_FIRST = timedelta(minutes=1)  # who reads along sees their name before a notice about it is due


@dataclass(frozen=True, slots=True)
class Quote:
    """What a message answers: who said it, and its first words. Gone when the original is."""

    alias: str
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """A message as members see it, the protocol's `Message`. Without a `trace`, nothing of it is shown."""

    seq: int
    alias: str
    role: str
    text: str
    at: str
    reply_to: int | None
    status: str
    quote: Quote | None = None
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edited: bool = False
    mentions: tuple[str, ...] = ()
    trace: bool = True

    @property
    def pieces(self) -> tuple[tuple[str, str], ...]:
        """The text in pieces, each with the alias it calls, or with nothing."""
        return mentions.split(self.text, self.mentions)

    def as_dict(self) -> dict[str, Any]:
        item: dict[str, Any] = {"seq": self.seq, "alias": self.alias, "role": self.role, "text": self.text}
        item |= {"at": self.at, "status": self.status}
        if self.reply_to:
            item["reply_to"] = self.reply_to
        if self.quote:
            item["quote"] = {"alias": self.quote.alias, "text": self.quote.text}
        if self.reactions:
            item["reactions"] = reactions.plain(self.reactions)
        if self.edited:
            item["edited"] = True
        if self.mentions:
            item["mentions"] = list(self.mentions)
        if not self.trace:
            item["trace"] = False
        return item


@dataclass(frozen=True, slots=True)
class Held:
    """A message of one's own that waits for a moderator."""

    key: str
    text: str
    at: str


def history(w: Work, found: rooms.Place, after: int, limit: int = PAGE) -> list[View]:
    """Messages of a room after `after`, oldest first, at most 200. A fixed number of statements, however many."""
    return _views(w, found.room_id, Message.seq > after, limit, newest=False, hidden=hiding.hidden_by(w, found))


def before(w: Work, found: rooms.Place, seq: int, limit: int = SHOWN) -> list[View]:
    """The messages of a room just before `seq`, oldest first."""
    return _views(w, found.room_id, Message.seq < seq, limit, newest=True, hidden=hiding.hidden_by(w, found))


def latest(w: Work, found: rooms.Place, limit: int = SHOWN) -> list[View]:
    """The last messages of a room, oldest first."""
    return _views(w, found.room_id, Message.seq.is_not(None), limit, newest=True, hidden=hiding.hidden_by(w, found))


def latest_in(w: Work, room_id: int, limit: int = SHOWN) -> list[View]:
    """As `latest`, for who has no place in the room. The caller has checked that the actor may read it."""
    return _views(w, room_id, Message.seq.is_not(None), limit, newest=True, hidden=hiding.Hidden())


def one(w: Work, found: rooms.Place, seq: int) -> View | None:
    """One message of a room that stands there, or None."""
    views = _views(w, found.room_id, Message.seq == seq, 1, newest=False, hidden=hiding.hidden_by(w, found))
    return views[0] if views and views[0].status == "posted" else None


def quotes(w: Work, room_id: int, seqs: Collection[int], hidden: hiding.Hidden | None = None) -> dict[int, Quote]:
    """What the messages with these numbers say in short, for those that answer them. At most one statement.

    What does not stand in the room any more, or is `hidden` from the reader, has no quote.
    """
    if not seqs:
        return {}
    rows = w.db.execute(
        select(Message.id, Message.seq, Message.seat_id, Message.key, Message.text, Seat.alias)
        .join(Seat, Seat.id == Message.seat_id)
        .where(Message.room_id == room_id, Message.seq.in_(seqs), Message.status == "posted")
    ).all()
    if hidden is not None:
        rows = [r for r in rows if not hidden.hides(r.id, r.seat_id)]
    return {r.seq: Quote(r.alias, short(text)) for r, text in zip(rows, texts_of(w, rows), strict=True)}


def short(text: str) -> str:
    """The first words of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else line[: _QUOTED - 1].rstrip() + "…"


def waiting(w: Work, found: rooms.Place) -> list[Held]:
    """One's own messages in this room that wait for a moderator."""
    rows = w.db.execute(
        select(Message.seat_id, Message.key, Message.text, Message.at)
        .where(Message.room_id == found.room_id, Message.seat_id == found.seat_id, Message.status == _HELD)
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


def unread(w: Work, found: rooms.Place) -> int:
    """How many messages of others the actor has not read yet, for their eyes only. At most one statement."""
    if found.read_seq >= found.last_seq:
        return 0
    query = select(func.count()).where(
        Message.room_id == found.room_id,
        Message.seq > found.read_seq,
        Message.status == "posted",
        Message.seat_id != found.seat_id,
    )
    return w.db.scalar(query) or 0


def text_of(w: Work, message: Message) -> str:
    """What a message says. The caller has checked that the actor may read it."""
    return w.ring.open(Message.text, message_row(message.seat_id, message.key), message.text)


def texts_of(w: Work, rows: Sequence[Any]) -> list[str]:
    """What each of these rows says (`seat_id`, `key`, `text`). The caller has checked that the actor may read them."""
    return w.ring.open_all(Message.text, [(message_row(r.seat_id, r.key), r.text) for r in rows])


def mark_read(w: Work, room: str, seq: int) -> None:
    """Remember how far the actor has read, for their own unread line. Nobody else can see it.

    Writes the seat, and puts away that they were called by name here.
    """
    found = rooms.place(w, room)
    seen = min(seq, found.last_seq)
    w.db.execute(update(Seat).where(Seat.id == found.seat_id, Seat.read_seq < seen).values(read_seq=seen))
    if seen >= found.last_seq:
        for table, done in ((Notice, Notice.read_at), (OutboxItem, OutboxItem.sent_at)):
            mine = (table.person_id == w.who.person_id) & (table.kind == "mention") & (table.ref == room)
            w.db.execute(update(table).where(mine, done.is_(None)).values({done: w.now}))


def callable_in(w: Work, room_id: int, role: str) -> frozenset[str]:
    """The aliases that somebody with this role can call by name in a room. One statement."""
    return rooms.aliases_in(w, room_id) | ({mentions.EVERYBODY} if role == FACILITATOR else frozenset())


def tell_called(w: Work, room_id: int, room: str, seq: int, by_seat: int, called: Collection[str]) -> None:
    """Tell whoever is called by name in a message that stands in the room. Once a room, until they have read it.

    Nobody hears of somebody they hid. Writes an outbox row each, announces `notice` to each; without a text.
    """
    if not called:
        return
    others = select(Seat.person_id).where(
        Seat.room_id == room_id,
        Seat.id != by_seat,
        Seat.left_at.is_(None),
        Seat.person_id.is_not(None),
        Seat.id.not_in(select(Hiding.seat_id).where(Hiding.hidden_seat_id == by_seat)),
    )
    if mentions.EVERYBODY not in called:
        others = others.where(Seat.alias.in_(called))
    for person_id in w.db.scalars(others.order_by(Seat.id)).all():
        if person_id is None:
            continue  # nobody sits there any more
        key = f"mention:{room}:{seq}:{person_id}"
        if not _waits(w, person_id, room):
            outbox.queue(w, person_id, "mention", room, key, due_at=w.now + _SEEN_FIRST)
        w.announce(f"person:{person_id}", "notice", {"kind": "mention", "room": room, "seq": seq})


def _waits(w: Work, person_id: int, room: str) -> bool:
    """Is there a line already that says they were called by name here?"""
    queued = select(OutboxItem.id).where(
        OutboxItem.person_id == person_id,
        OutboxItem.kind == "mention",
        OutboxItem.ref == room,
        OutboxItem.sent_at.is_(None),
    )
    unread_line = select(Notice.id).where(
        Notice.person_id == person_id, Notice.kind == "mention", Notice.ref == room, Notice.read_at.is_(None)
    )
    return w.db.scalar(queued.limit(1)) is not None or w.db.scalar(unread_line.limit(1)) is not None


_COLUMNS = (
    Message.id,
    Message.seq,
    Message.seat_id,
    Message.key,
    Message.text,
    Message.at,
    Message.reply_to,
    Message.status,
    Message.edited_at,
    Message.withdrawn_at,
    Seat.alias,
    Seat.role,
)


def _views(w: Work, room_id: int, condition: Any, limit: int, *, newest: bool, hidden: hiding.Hidden) -> list[View]:
    """Messages with all that stands at them: one statement each for rows, reactions, quotes and names, at most."""
    rows = w.db.execute(
        select(*_COLUMNS)
        .join(Seat, Seat.id == Message.seat_id)
        .where(Message.room_id == room_id, condition)
        .order_by(Message.seq.desc() if newest else Message.seq)
        .limit(max(1, min(limit, PAGE)))
    ).all()
    shown = [r for r in rows if r.status == "posted" and not hidden.hides(r.id, r.seat_id)]
    texts = dict(zip([r.id for r in shown], texts_of(w, shown), strict=True))
    given = reactions.of_messages(w, list(texts), hidden.seats)
    said = quotes(w, room_id, {r.reply_to for r in shown if r.reply_to}, hidden)
    names = rooms.aliases_in(w, room_id) if any("@" in text for text in texts.values()) else frozenset()
    views = [_view(r, texts.get(r.id), given.get(r.id, {}), said, names) for r in rows]
    return views[::-1] if newest else views


def _view(
    r: Any, text: str | None, given: Mapping[str, tuple[str, ...]], said: Mapping[int, Quote], names: frozenset[str]
) -> View:
    at = clock.iso_minute(r.at)
    if text is None:
        unwanted = r.status == "posted"  # the reader hid it for themselves
        trace = not unwanted and leaves_trace(r.at, r.withdrawn_at)
        return View(r.seq, r.alias, r.role, "", at, None, "hidden" if unwanted else r.status, trace=trace)
    called = mentions.found(text, names | {mentions.EVERYBODY} if r.role == FACILITATOR else names)
    quote = said.get(r.reply_to) if r.reply_to else None
    return View(r.seq, r.alias, r.role, text, at, r.reply_to, r.status, quote, given, r.edited_at is not None, called)


def leaves_trace(at: datetime, withdrawn_at: datetime | None) -> bool:
    """Is it seen that something stood here? Not when its author took it back soon."""
    return withdrawn_at is None or withdrawn_at - at > NO_TRACE
