"""Changing what one said, for ten minutes; taking it back, always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms, rules
from groups.models import Group, GroupSession, Message, Reaction, Room, Seat
from groups.talk import conversation, reactions, revisions
from moderation import queue
from moderation.screening import Verdict, screen

WINDOW = timedelta(minutes=10)
_NEAR = timedelta(minutes=2)  # lines of one author this close together may be pieces of one number
_LINES = 3


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a change: edited, held, or a preview of what would be masked; `text` is what stands there, or
    would. `crisis` asks the page to show help now; `line` names the message: its seat and key.
    """

    status: str
    text: str
    crisis: bool = False
    kinds: tuple[str, ...] = ()
    line: tuple[int, str] | None = field(default=None, compare=False)


def edit(w: Work, room: str, seq: int, text: str, *, mask_ok: bool = False) -> Changed:
    """Let one's own message say something else. For its author, within ten minutes, where they may write now.

    The new text is screened as a new message is. What would be masked is answered as a preview and not kept, unless
    the author agreed. What must be read first leaves the old text standing: the new one waits in a case of its own.
    Writes the message, what it said before, cases, outbox rows; announces `message.changed`, and `notice` crisis to
    the author. Raises `NotFound`, `Closed` when it is too late, `Invalid`, and what keeps somebody from writing.
    """
    found = rooms.place(w, room)
    row = revisions.find(w, _own(found) & (Message.seq == seq))
    message = row.Message
    if message.status != "posted":
        raise NotFound
    if not may_edit(message.at, w.now):
        raise Closed(N_("Wijzigen kan tot tien minuten na het plaatsen. Weghalen kan altijd; er is niets veranderd."))
    refusal = rules.may_post(_standing(w, found), w.now)
    if refusal is not None:
        raise refusal
    if text == conversation.text_of(w, message):
        revisions.drop_waiting(w, message.id)
        reasons = screen(text, lang=found.language).reasons  # the first answer, with help in it, may not have arrived
        return Changed("edited", text, any(reason.kind == "crisis_self" for reason in reasons))
    verdict = _screen(w, row, text)
    kinds = tuple(dict.fromkeys(reason.kind for reason in verdict.reasons))
    crisis = "crisis_self" in kinds
    if crisis:
        about = {"kind": "crisis", "room": room, "key": message.key, "reasons": list(kinds)}
        w.announce(f"person:{row.person_id}", "notice", about)
    if verdict.action == "mask" and not mask_ok:
        return Changed("preview", verdict.text, crisis, kinds)
    if verdict.action == "hold":
        revisions.drop_waiting(w, message.id)
        _open_case(w, row, revisions.EDIT, revisions.keep(w, row, text, held=True), verdict, kinds)
    else:
        revisions.write(w, row, verdict.text, masked=verdict.action == "mask")
        if verdict.alert:
            _open_case(w, row, "message", message.id, verdict, kinds)
    held = verdict.action == "hold"
    line = (message.seat_id, message.key)
    return Changed("held" if held else "edited", text if held else verdict.text, crisis, kinds, line)


def may_edit(at: datetime, now: datetime) -> bool:
    """Is it still early enough? Moments are kept to the minute, so that nobody is a few seconds late."""
    return clock.minute(now) - at <= WINDOW


def withdraw(w: Work, room: str, seq: int) -> None:
    """Take back one's own message. For its author, always; twice is once.

    Within half an hour nothing shows that it was there, later a line says that something was taken away. What it said,
    now and before, is gone from the database. Only where somebody may be in danger it is kept, unseen by the room,
    until that case is decided (`revisions.settle`). Closes the other cases about it; announces `message.changed`.
    Raises `NotFound`.
    """
    found = rooms.place(w, room)
    _take_back(w, revisions.find(w, _own(found) & (Message.seq == seq)))


def withdraw_held(w: Work, room: str, key: str) -> None:
    """Take back one's own message that waits for a moderator, or was kept back: as `withdraw`, unseen by the room."""
    found = rooms.place(w, room)
    _take_back(w, revisions.find(w, _own(found) & (Message.key == key) & Message.seq.is_(None)))


def _take_back(w: Work, row: Any) -> None:
    message = row.Message
    if message.status == "withdrawn":
        return
    revisions.withdraw_cases(w, message.id)
    message.status, message.withdrawn_at = "withdrawn", clock.minute(w.now)
    w.db.flush()
    reactions.forget(w, Reaction.message_id == message.id)
    revisions.settle(w, message.id)
    if message.seq is not None:
        trace = conversation.leaves_trace(message.at, message.withdrawn_at)
        changed = {"room": row.room, "seq": message.seq, "status": "withdrawn", "trace": trace}
        w.announce(f"room:{row.room}", "message.changed", changed)


def _own(found: rooms.Place) -> Any:
    return (Message.room_id == found.room_id) & (Message.seat_id == found.seat_id)


def _standing(w: Work, found: rooms.Place) -> rules.Standing:
    """How the author and the room stand now. How long ago they posted does not matter here. One statement."""
    row = w.db.execute(
        select(
            Room.closed_at,
            Room.only_staff_writes,
            Seat.out_at,
            Group.open_hours,
            GroupSession.id.label("session_id"),
            GroupSession.only_staff_writes.label("locked"),
            GroupSession.paused_at,
        )
        .join(Room, Room.id == Seat.room_id)
        .join(Group, Group.id == Room.group_id)
        .outerjoin(
            GroupSession,
            (GroupSession.group_id == Group.id) & (GroupSession.status == "open") & (Room.kind == "group"),
        )
        .where(Seat.id == found.seat_id)
    ).one()
    return rules.Standing(
        found.role,
        found.muted_until,
        False,
        row.only_staff_writes or bool(row.locked),
        out=row.out_at is not None and row.session_id is not None,
        paused=row.paused_at is not None,
        open_hours=row.open_hours,
        timezone=found.timezone,
        closed_at=row.closed_at,
        kind=found.kind,
        session=row.session_id is not None,
    )


def _screen(w: Work, row: Any, text: str) -> Verdict:
    """The verdict on a new text, as on a new message that comes where the old one stands."""
    before, after = _around(w, row.Message)
    where: Any = "pair" if row.kind == "pair" else "group"
    verdict = screen(text, lang=row.language, where=where, recent=tuple(before))
    if verdict.action == "mask" and {"identity", "contact"} & {r.kind for r in verdict.reasons}:
        names = conversation.callable_in(w, row.Message.room_id, row.role)
        verdict = screen(text, lang=row.language, where=where, recent=tuple(before), aliases=names)
    lines = [*before, verdict.text]
    for line in after:  # a number may not be completed from its front either
        if any(r.rule == "phone_split" for r in screen(line, recent=tuple(lines)).reasons):
            raise Invalid(
                N_(
                    "Samen met wat je daarna schreef, staat hier een nummer waarmee je te vinden bent. "
                    "Haal het weg; er is niets veranderd."
                )
            )
        lines.append(line)
    return verdict


def _around(w: Work, message: Message) -> tuple[Sequence[str], Sequence[str]]:
    """What the same author said just before and just after, oldest first. One statement."""
    rows = w.db.execute(
        select(Message.id, Message.seat_id, Message.key, Message.text)
        .where(
            Message.room_id == message.room_id,
            Message.seat_id == message.seat_id,
            Message.status == "posted",
            Message.id != message.id,
            Message.at.between(message.at - _NEAR, message.at + _NEAR),
        )
        .order_by(Message.id)
    ).all()
    said = list(zip([r.id < message.id for r in rows], conversation.texts_of(w, rows), strict=True))
    before = [text for earlier, text in said if earlier]
    return before[-_LINES:], [text for earlier, text in said if not earlier][:_LINES]


def _open_case(w: Work, row: Any, kind: str, subject_id: int, verdict: Verdict, kinds: tuple[str, ...]) -> None:
    level = queue.level_of(verdict.reasons, verdict.alert)
    ref = queue.open_case(
        w, row.organisation_id, row.group_id, kind, subject_id, kinds, level, held=verdict.action == "hold"
    )
    if verdict.alert:
        rooms.alert_staff(w, row.group_id, ref)
