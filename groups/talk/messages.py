"""Messages: posting them, each once, in the order in which they came.

`post` takes a list, because messages that wait together are stored together (`app.live.writer`): for the whole
list it asks the database once who stands where, once which keys are known, and writes once (`groups.talk.seating`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from app.core import clock
from app.core.crypto import place_of
from app.core.errors import AppError, Invalid, NotFound, RateLimited, Unauthenticated
from app.core.i18n import N_
from app.core.statements import Written
from app.core.work import Work
from groups import rooms, rules
from groups.house import climate
from groups.models import Message, Room, message_row
from groups.talk import conversation, mentions, seating
from groups.talk.pace import Pace
from moderation import queue
from moderation.screening import Verdict, Where, screen

_KEPT_BACK = ("held", "rejected")
_NOTHING_FOUND = Verdict("allow", False, (), "")  # the text is the one that was sent


@dataclass(frozen=True, slots=True)
class Post:
    """A message somebody wants to place. `session` is the hash of the session it came in on.

    `clean` says that the text was screened on its way in and nothing was found (`moderation.screening.is_clean`).
    """

    person_id: int
    session: str
    room: str
    key: str
    text: str
    reply_to: int | None = None
    mask_ok: bool = False
    clean: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it. `seq` is None unless it stands in the room; `text` is set where it was masked.

    `crisis` asks the page to show help now; `kinds` explain a preview. Neither is stored.
    """

    status: str
    seq: int | None
    masked: bool
    text: str | None = None
    crisis: bool = field(default=False, compare=False)
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the whole batch asked the database once: sessions that stand, and what is answered, by room and number."""

    standing: set[str]
    quotes: Mapping[tuple[int, int], conversation.Quote]


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
_COUNT = Written(update(_ROOMS).where(_ROOMS.c.id == bindparam("room")).values(last_seq=bindparam("last")))
_INSERT = Written(insert(_MESSAGES))


def post(w: Work, commands: Sequence[Post], pace: Pace) -> list[Posted | AppError]:
    """Place messages, in order, each once. For anybody with a seat in the room; `pace` knows recent tempo.

    Per message the answer is a `Posted` or the refusal. A key seen before gets its first answer again. What
    would be masked is not stored but answered as a preview, unless the author agreed. Held messages and crisis
    phrases open a case in the same transaction. Writes messages, room counters, cases, outbox rows; announces
    `messages` to each room and notices to authors, to whoever is called by name, and to staff.
    """
    seats = seating.seats(w, commands)
    known = _known(w, commands, seats)
    facts = _Facts(seating.standing(w, commands, seats), _quotes(w, commands, seats))
    answers: list[Posted | AppError | None] = [None] * len(commands)
    ready: list[_Ready] = []
    taken: set[tuple[int, str]] = set()
    for index, command in enumerate(commands):
        seat = seats.get((command.person_id, command.room, command.session))
        earlier = known.get((seat.seat_id, command.key)) if seat else None
        if earlier is not None:
            answers[index] = _again(w, command, seat, earlier)
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
    for item, posted in zip(ready, _store(w, ready, facts), strict=True):
        answers[item.index] = posted
    _watch_for_floods(w, ready, pace)
    return [a for a in answers if a is not None]


def _quotes(
    w: Work, commands: Iterable[Post], seats: Mapping[seating.Key, Any]
) -> dict[tuple[int, int], conversation.Quote]:
    """What the messages that are replied to say, where they still stand. One query for each room with replies."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for command in commands:
        seat = seats.get((command.person_id, command.room, command.session))
        if seat is not None and command.reply_to is not None:
            wanted[seat.room_id].add(command.reply_to)
    return {
        (room_id, seq): quote
        for room_id, seqs in wanted.items()
        for seq, quote in conversation.quotes(w, room_id, seqs).items()
    }


def _known(w: Work, commands: Sequence[Post], seats: Mapping[seating.Key, Any]) -> dict[tuple[int, str], Posted]:
    """Answers already given, by seat and key."""
    known = {}
    for r in seating.known(w, commands, seats):
        text = w.ring.open(Message.text, message_row(r.seat_id, r.key), r.text) if r.masked else None
        known[r.seat_id, r.key] = Posted("held" if r.status in _KEPT_BACK else "posted", r.seq, r.masked, text)
    return known


def _again(w: Work, command: Post, seat: Any, earlier: Posted) -> Posted:
    """The first answer again. Words of danger bring help again: the first time it may not have reached their author."""
    if command.clean:
        return earlier
    where: Where = "pair" if seat.kind == "pair" else "group"
    verdict = screen(command.text, lang=seat.language, where=where)
    if not any(reason.kind == "crisis_self" for reason in verdict.reasons):
        return earlier
    about = {"kind": "crisis", "room": seat.room, "key": command.key, "reasons": list(_kinds(verdict))}
    w.announce(f"person:{command.person_id}", "notice", about)
    return replace(earlier, crisis=True)


def _check(w: Work, index: int, command: Post, seat: Any, facts: _Facts, pace: Pace) -> _Ready | Posted:
    """Everything that can refuse a message, before anything is written."""
    if seat is None:
        raise NotFound if command.session in facts.standing else Unauthenticated
    refusal = rules.may_post(seating.standing_of(seat, pace.since(seat.seat_id, command.key)), w.now)
    if refusal is not None:
        raise refusal
    if command.reply_to is not None and (seat.room_id, command.reply_to) not in facts.quotes:
        raise Invalid(N_("Het bericht waarop je antwoordt is er niet meer. Je tekst staat er nog."))
    recent = pace.check(seat.seat_id, command.key, command.text, seat.pace)
    if command.clean:
        return _Ready(index, command, seat, _NOTHING_FOUND, "posted")
    where: Where = "pair" if seat.kind == "pair" else "group"
    verdict = screen(command.text, lang=seat.language, where=where, recent=recent)
    if verdict.action == "mask" and {"identity", "contact"} & set(_kinds(verdict)):  # a name, or an alias in here?
        aliases = rooms.aliases_in(w, seat.room_id)
        verdict = screen(command.text, lang=seat.language, where=where, recent=recent, aliases=aliases)
    if verdict.action == "mask" and not command.mask_ok:
        pace.forget(seat.seat_id, command.key)
        shown = Posted("preview", None, True, verdict.text, "crisis_self" in _kinds(verdict), _kinds(verdict))
        if shown.crisis:  # nothing is placed yet, but help does not wait for that
            _tell_author(w, command, seat.room, "crisis", verdict)
        return shown
    return _Ready(index, command, seat, verdict, "held" if verdict.action == "hold" else "posted")


def _store(w: Work, ready: Sequence[_Ready], facts: _Facts) -> list[Posted]:
    """Number and insert what passed, open the cases, announce. In the order given."""
    if not ready:
        return []
    numbers = _number(w, ready)
    at = clock.minute(w.now)
    _INSERT.many(w.connection, [_row(w, item, seq, at) for item, seq in zip(ready, numbers, strict=True)])
    items: dict[str, list[dict[str, Any]]] = defaultdict(list)
    answers, told_at = [], clock.iso_minute(at)
    for item, seq in zip(ready, numbers, strict=True):
        if seq is not None:
            items[item.seat.room].append(_shown(w, item, seq, told_at, facts))
        crisis = any(r.kind == "crisis_self" for r in item.verdict.reasons)
        masked = item.verdict.action == "mask"
        answers.append(Posted(item.status, seq, masked, item.verdict.text if masked else None, crisis))
    for room, new in items.items():
        w.announce(f"room:{room}", "messages", {"room": room, "items": new})
    for item, answer in zip(ready, answers, strict=True):
        if item.verdict.reasons:
            _follow_up(w, item, answer)
    return answers


def _row(w: Work, item: _Ready, seq: int | None, at: Any) -> dict[str, Any]:
    seat, command = item.seat, item.command
    place = place_of(Message.text, message_row(seat.seat_id, command.key))
    key = w.ring.unwrap(seat.key_id, seat.master, seat.wrapped)
    return {
        "room_id": seat.room_id,
        "seq": seq,
        "seat_id": seat.seat_id,
        "key": command.key,
        "text": key.seal(place, item.verdict.text or command.text),
        "reply_to": command.reply_to,
        "status": item.status,
        "masked": item.verdict.action == "mask",
        "at": at,
    }


def _shown(w: Work, item: _Ready, seq: int, at: str, facts: _Facts) -> dict[str, Any]:
    """The message as it reaches everybody in the room; whoever it calls by name is told."""
    seat, reply = item.seat, item.command.reply_to
    text = item.verdict.text or item.command.text
    shown: dict[str, Any] = {"seq": seq, "alias": seat.alias, "role": seat.role, "text": text, "at": at}
    shown["status"] = "posted"
    if reply is not None:
        quote = facts.quotes[seat.room_id, reply]
        shown |= {"reply_to": reply, "quote": {"alias": quote.alias, "text": quote.text}}
    if "@" in text:
        called = mentions.found(text, conversation.callable_in(w, seat.room_id, seat.role))
        conversation.tell_called(w, seat.room_id, seat.room, seq, seat.seat_id, called)
        if called:
            shown["mentions"] = list(called)
    return shown


def _follow_up(w: Work, item: _Ready, answer: Posted) -> None:
    """What the screening found: a case for whoever reviews, a notice to the author."""
    if item.status == "held" or item.verdict.alert:
        _open_case(w, item)
    if item.status == "held" or answer.crisis:
        _tell_author(w, item.command, item.seat.room, "crisis" if answer.crisis else "held", item.verdict)


def _tell_author(w: Work, command: Post, room: str, kind: str, verdict: Verdict) -> None:
    notice = {"kind": kind, "room": room, "key": command.key, "reasons": list(_kinds(verdict))}
    w.announce(f"person:{command.person_id}", "notice", notice)


def _watch_for_floods(w: Work, ready: Iterable[_Ready], pace: Pace) -> None:
    """Let a room calm down in which so much comes at once that nobody can follow."""
    said = Counter(
        (item.seat.room_id, item.seat.pace)
        for item in ready
        if item.status == "posted" and item.seat.role == rules.MEMBER
    )
    for (room_id, limit), messages in said.items():
        if pace.rooms.count(room_id, messages, limit):
            climate.notice_flood(w, room_id)


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
        _COUNT.many(w.connection, [{"room": room, "last": seq} for room, seq in sorted(last.items())])
    return numbers


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
