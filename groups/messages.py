"""Messages: posting them once, reading them back in order, deciding about the held ones.

`post` takes a list, because messages that wait together are stored together (`app.live.writer`): for the whole
list it asks the database once who stands where, once which keys are known, and writes once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_, update

from app.accounts import signins
from app.accounts.models import Person, SignIn
from app.core import clock, ids
from app.core.crypto import DataKey, place_of
from app.core.db import Moment
from app.core.errors import AppError, Invalid, NotFound, RateLimited, Unauthenticated
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import conversation, rooms, rules
from groups.models import Group, GroupSession, Message, Room, Seat, message_row
from groups.pace import Pace
from moderation import queue
from moderation.screening import Verdict, Where, mask, screen

_KEPT_BACK = ("held", "rejected")


@dataclass(frozen=True, slots=True)
class Post:
    """A message somebody wants to place. `session` is the hash of the session it came in on."""

    person_id: int
    session: str
    room: str
    key: str
    text: str
    reply_to: int | None = None
    mask_ok: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it. `seq` is None unless it stands in the room; `text` is set where it was masked.

    `crisis` asks the page to show help now, the first time; `kinds` explain a preview. Neither is stored.
    """

    status: str
    seq: int | None
    masked: bool
    text: str | None = None
    crisis: bool = field(default=False, compare=False)
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the whole batch asked the database once: sessions that stand, and messages that may be answered."""

    standing: set[str]
    answerable: set[tuple[int, int | None]]


@dataclass(slots=True)
class _Ready:
    """A checked message on its way into the database."""

    index: int
    command: Post
    seat: Any
    verdict: Verdict
    status: str


_MESSAGES: Any = Message.__table__
_ROOMS: Any = Room.__table__

# Prepared once: building a statement costs more than running it, and these run for every batch.
_SEATS = (
    select(
        Seat.id.label("seat_id"),
        Seat.person_id,
        Seat.alias,
        Seat.role,
        Seat.muted_until,
        Room.id.label("room_id"),
        Room.public_id.label("room"),
        Room.kind,
        Room.pace,
        Room.last_seq,
        Room.closed_at,
        Group.id.label("group_id"),
        Group.organisation_id,
        Group.language,
        SignIn.token_hash,
        DataKey.id.label("key_id"),
        DataKey.master,
        DataKey.wrapped,
        GroupSession.only_staff_writes,
    )
    .join(Room, Room.id == Seat.room_id)
    .join(Group, Group.id == Room.group_id)
    .join(SignIn, SignIn.person_id == Seat.person_id)
    .join(Person, Person.id == Seat.person_id)
    .join(DataKey, DataKey.person_id == Seat.person_id)
    .outerjoin(
        GroupSession,
        (GroupSession.group_id == Group.id) & (GroupSession.status == "open") & (Room.kind == "group"),
    )
    .where(
        tuple_(Seat.person_id, Room.public_id).in_(bindparam("wanted", expanding=True)),
        SignIn.token_hash.in_(bindparam("sessions", expanding=True)),
        SignIn.revoked_at.is_(None),
        SignIn.expires_at > bindparam("now", type_=Moment),
        Person.suspended_at.is_(None),
        Seat.left_at.is_(None),
    )
    .order_by(Room.id)
)
_KNOWN = select(Message.seat_id, Message.key, Message.seq, Message.status, Message.masked, Message.text).where(
    Message.room_id.in_(bindparam("rooms", expanding=True)),
    Message.seat_id.in_(bindparam("seats", expanding=True)),
    Message.key.in_(bindparam("keys", expanding=True)),
)
_COUNT = update(_ROOMS).where(_ROOMS.c.id == bindparam("room")).values(last_seq=bindparam("last"))
_INSERT = insert(_MESSAGES)


def post(w: Work, commands: Sequence[Post], pace: Pace) -> list[Posted | AppError]:
    """Place messages, in order, each once. For anybody with a seat in the room; `pace` knows recent tempo.

    Per message the answer is a `Posted` or the refusal. A key seen before gets its first answer again. What
    would be masked is not stored but answered as a preview, unless the author agreed. Held messages and crisis
    phrases open a case in the same transaction. Writes messages, room counters, cases, outbox rows; announces
    `messages` to each room and notices to authors and staff.
    """
    seats = _seats(w, commands)
    known = _known(w, commands, seats)
    facts = _Facts(_standing(w, commands, seats), _answerable(w, commands, seats))
    answers: list[Posted | AppError | None] = [None] * len(commands)
    ready: list[_Ready] = []
    taken: set[tuple[int, str]] = set()
    for index, command in enumerate(commands):
        seat = seats.get((command.person_id, command.room, command.session))
        earlier = known.get((seat.seat_id, command.key)) if seat else None
        if earlier is not None:
            answers[index] = earlier
            continue
        try:
            checked = _check(w, index, command, seat, facts, pace)
        except AppError as refusal:
            answers[index] = refusal
            continue
        if isinstance(checked, Posted):
            answers[index] = checked
        elif (checked.seat.seat_id, command.key) in taken:
            answers[index] = RateLimited(retry_after=1)  # the same key twice in one batch: ask again, get the answer
        else:
            taken.add((checked.seat.seat_id, command.key))
            ready.append(checked)
    for item, posted in zip(ready, _store(w, ready), strict=True):
        answers[item.index] = posted
    return [a for a in answers if a is not None]


def release(w: Work, message_id: int) -> None:
    """Place a held message now, at the end of the conversation, without what identifies. For the review queue."""
    row = _for_review(w, message_id)
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
    view = conversation.View(seq, row.alias, row.role, text, at, row.Message.reply_to, "posted")
    w.announce(f"room:{row.room}", "messages", {"room": row.room, "items": [view.as_dict()]})
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


def _seats(w: Work, commands: Iterable[Post]) -> dict[tuple[int, str, str], Any]:
    """Who stands where, for live sessions only: one query for the whole batch.

    On PostgreSQL it locks the rooms in one order, so that numbers are given without holes and in commit order.
    """
    query = _SEATS.with_for_update(of=Room) if w.db.get_bind().dialect.name == "postgresql" else _SEATS
    wanted = {(c.person_id, c.room) for c in commands if ids.is_ref(c.room)}
    sessions = {c.session for c in commands}
    rows = w.db.connection().execute(query, {"wanted": list(wanted), "sessions": list(sessions), "now": w.now})
    return {(r.person_id, r.room, r.token_hash): r for r in rows}


def _standing(w: Work, commands: Iterable[Post], seats: dict[tuple[int, str, str], Any]) -> set[str]:
    """Which sessions still stand, of those whose owner has no seat where they want to write. At most one query."""
    doubtful = {c.session for c in commands if (c.person_id, c.room, c.session) not in seats}
    return signins.live_sessions(w.db, list(doubtful), w.now) if doubtful else set()


def _answerable(
    w: Work, commands: Iterable[Post], seats: dict[tuple[int, str, str], Any]
) -> set[tuple[int, int | None]]:
    """The messages that are replied to and still stand, as room and number. At most one query."""
    wanted = set()
    for command in commands:
        seat = seats.get((command.person_id, command.room, command.session))
        if seat is not None and command.reply_to is not None:
            wanted.add((seat.room_id, command.reply_to))
    if not wanted:
        return set()
    query = select(Message.room_id, Message.seq).where(
        tuple_(Message.room_id, Message.seq).in_(list(wanted)), Message.status == "posted"
    )
    return {(row.room_id, row.seq) for row in w.db.execute(query)}


def _known(w: Work, commands: Iterable[Post], seats: dict[tuple[int, str, str], Any]) -> dict[tuple[int, str], Posted]:
    """Answers already given, by seat and key: one query for the whole batch, served by the unique index."""
    if not seats:
        return {}
    rows = w.db.connection().execute(
        _KNOWN,
        {
            "rooms": list({s.room_id for s in seats.values()}),
            "seats": list({s.seat_id for s in seats.values()}),
            "keys": list({c.key for c in commands}),
        },
    )
    known = {}
    for r in rows:
        text = w.ring.open(Message.text, message_row(r.seat_id, r.key), r.text) if r.masked else None
        known[r.seat_id, r.key] = Posted("held" if r.status in _KEPT_BACK else "posted", r.seq, r.masked, text)
    return known


def _check(w: Work, index: int, command: Post, seat: Any, facts: _Facts, pace: Pace) -> _Ready | Posted:
    """Everything that can refuse a message, before anything is written."""
    if seat is None:
        raise NotFound if command.session in facts.standing else Unauthenticated
    standing = rules.Standing(seat.role, seat.muted_until, seat.closed_at is not None, bool(seat.only_staff_writes))
    refusal = rules.may_post(standing, w.now)
    if refusal is not None:
        raise refusal
    if command.reply_to is not None and (seat.room_id, command.reply_to) not in facts.answerable:
        raise Invalid(N_("Het bericht waarop je antwoordt is er niet meer. Je tekst staat er nog."))
    recent = pace.check(seat.seat_id, command.key, command.text, seat.pace)
    where: Where = "pair" if seat.kind == "pair" else "group"
    verdict = screen(command.text, lang=seat.language, where=where, recent=recent)
    if verdict.action == "mask" and {"identity", "contact"} & set(_kinds(verdict)):  # a name, or an alias in here?
        aliases = rooms.aliases_in(w, seat.room_id)
        verdict = screen(command.text, lang=seat.language, where=where, recent=recent, aliases=aliases)
    if verdict.action == "mask" and not command.mask_ok:
        pace.forget(seat.seat_id, command.key)
        return Posted("preview", None, True, verdict.text, kinds=_kinds(verdict))
    return _Ready(index, command, seat, verdict, "held" if verdict.action == "hold" else "posted")


def _store(w: Work, ready: Sequence[_Ready]) -> list[Posted]:
    """Number and insert what passed, open the cases, announce. In the order given."""
    numbers = _number(w, ready)
    at = clock.minute(w.now)
    rows, answers = [], []
    items: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item, seq in zip(ready, numbers, strict=True):
        seat, verdict, command = item.seat, item.verdict, item.command
        masked = verdict.action == "mask"
        place = place_of(Message.text, message_row(seat.seat_id, command.key))
        rows.append(
            {
                "room_id": seat.room_id,
                "seq": seq,
                "seat_id": seat.seat_id,
                "key": command.key,
                "text": w.ring.unwrap(seat.key_id, seat.master, seat.wrapped).seal(place, verdict.text),
                "reply_to": command.reply_to,
                "status": item.status,
                "masked": masked,
                "at": at,
            }
        )
        if seq is not None:
            reply = command.reply_to
            view = conversation.View(seq, seat.alias, seat.role, verdict.text, clock.iso_minute(at), reply, "posted")
            items[seat.room].append(view.as_dict())
        crisis = any(r.kind == "crisis_self" for r in verdict.reasons)
        text = verdict.text if masked else None
        answers.append(Posted(item.status, seq, masked, text, crisis))
    if rows:
        w.db.connection().execute(_INSERT, rows)
    for room, new in items.items():
        w.announce(f"room:{room}", "messages", {"room": room, "items": new})
    for item, answer in zip(ready, answers, strict=True):
        if item.status == "held" or item.verdict.alert:
            _open_case(w, item)
        if item.status == "held" or answer.crisis:
            notice = {
                "kind": "crisis" if answer.crisis else "held",
                "room": item.seat.room,
                "key": item.command.key,
            }
            w.announce(f"person:{item.command.person_id}", "notice", notice | {"reasons": list(_kinds(item.verdict))})
    return answers


def _number(w: Work, ready: Sequence[_Ready]) -> list[int | None]:
    """The sequence number of each message that will stand in its room: one statement for all counters."""
    last: dict[int, int] = {}
    numbers: list[int | None] = []
    for item in ready:
        if item.status != "posted":
            numbers.append(None)
            continue
        last[item.seat.room_id] = last.get(item.seat.room_id, item.seat.last_seq) + 1
        numbers.append(last[item.seat.room_id])
    if last:
        w.db.connection().execute(_COUNT, [{"room": room, "last": seq} for room, seq in sorted(last.items())])
    return numbers


def _next_seq(w: Work, room_id: int) -> int:
    """Take one number of a room."""
    query = update(Room).where(Room.id == room_id).values(last_seq=Room.last_seq + 1).returning(Room.last_seq)
    return w.db.execute(query).scalar_one()


def _open_case(w: Work, item: _Ready) -> None:
    seat, verdict = item.seat, item.verdict
    message_id = w.db.execute(
        select(Message.id).where(
            Message.room_id == seat.room_id, Message.seat_id == seat.seat_id, Message.key == item.command.key
        )
    ).scalar_one()
    level = queue.level_of(verdict.reasons, verdict.alert)
    held = item.status == "held"
    place = (seat.organisation_id, seat.group_id)
    ref = queue.open_case(w, *place, "message", message_id, _kinds(verdict), level, held=held)
    if verdict.alert:
        rooms.alert_staff(w, seat.group_id, ref)


def _kinds(verdict: Verdict) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.kind for r in verdict.reasons))


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
