"""What groups keep of a person: places under their aliases, what they wrote there, where they were."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from app.accounts import aliases
from app.core import clock, ids
from app.core.errors import Closed, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import conversation, exercises, leaving, rooms
from groups.curriculum import programme
from groups.models import Answer, Attendance, GlassBreak, Group, GroupSession, Membership, Message, Room, Seat
from groups.rules import FACILITATOR, MEMBER
from moderation import queue

_MESSAGES: Any = Message.__table__
_GONE = "weg"  # how the alias of nobody's seat begins


def export(w: Work, person_id: int) -> dict[str, Any]:
    """The person's groups with their own messages, answers and attendance; for staff also where they broke glass."""
    memberships = w.db.execute(
        select(Membership, Group).join(Group).where(Membership.person_id == person_id).order_by(Membership.id)
    ).all()
    found: dict[str, Any] = {"groups": [_group(w, row.Membership, row.Group) for row in memberships]}
    broken = w.db.execute(select(GlassBreak, Group.name).join(Group).where(GlassBreak.person_id == person_id)).all()
    if broken:
        notes = w.ring.open_all(GlassBreak.note, [(row.GlassBreak.public_id, row.GlassBreak.note) for row in broken])
        found["looked_into"] = [
            {
                "group": row.name,
                "on": row.GlassBreak.opened_at.date().isoformat(),
                "reason": row.GlassBreak.reason,
                "note": note,
            }
            for row, note in zip(broken, notes, strict=True)
        ]
    return found


def check(w: Work, person_id: int) -> None:
    """Raise `Closed` for the last facilitator of a group that has members.

    Holds the person's groups, rooms and seats, in the order in which posting takes them: no message may slip into a
    seat that is being emptied.
    """
    own = select(Membership).where(Membership.person_id == person_id, Membership.left_at.is_(None))
    for membership in w.db.scalars(own.order_by(Membership.group_id)).all():
        rooms.lock_group(w, membership.group_id)
        inside = select(func.count()).where(
            Membership.group_id == membership.group_id, Membership.role == MEMBER, Membership.left_at.is_(None)
        )
        leads = membership.role == FACILITATOR
        if leads and leaving.is_last_facilitator(w, person_id, membership.group_id) and w.db.scalar(inside):
            raise Closed(
                N_(
                    "Je bent de enige begeleider van een groep met deelnemers. Vraag eerst iemand erbij; daarna kan "
                    "dit. Er is nog niets gewist."
                )
            )
    seated = select(Seat.room_id).where(Seat.person_id == person_id)
    w.db.execute(select(Room.id).where(Room.id.in_(seated)).order_by(Room.id).with_for_update())
    w.db.execute(select(Seat.id).where(Seat.person_id == person_id).order_by(Seat.id).with_for_update())


def erase(w: Work, person_id: int) -> None:
    """Empty what the person wrote in rooms, so that no number is missing; remove everything else.

    Closes open cases about it, but for red ones; announces to rooms which messages are gone.
    """
    seats = select(Seat.id).where(Seat.person_id == person_id)
    memberships = select(Membership.id).where(Membership.person_id == person_id)
    queue.withdraw_all(w, "message", select(Message.id).where(Message.seat_id.in_(seats)))
    queue.withdraw_all(w, "answer", select(Answer.id).where(Answer.membership_id.in_(memberships)), removed=True)
    _give_back_aliases(w, person_id)
    for seat in w.db.scalars(select(Seat).where(Seat.person_id == person_id).order_by(Seat.id)).all():
        _empty(w, seat)
        w.db.delete(seat)
    w.db.flush()
    w.db.execute(delete(Answer).where(Answer.membership_id.in_(memberships)))
    w.db.execute(delete(Attendance).where(Attendance.membership_id.in_(memberships)))
    w.db.execute(update(GlassBreak).where(GlassBreak.person_id == person_id).values(person_id=None, note=None))
    w.db.execute(delete(Membership).where(Membership.person_id == person_id))


def _group(w: Work, membership: Membership, group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "alias": membership.alias,
        "role": membership.role,
        "since": membership.joined_on.isoformat(),
        "agreed_to_house_rules_on": membership.joined_on.isoformat(),
        "until": membership.left_at.date().isoformat() if membership.left_at else None,
        "conversations": _conversations(w, membership),
        "answers": _answers(w, membership, group),
        "meetings": [
            {"chapter": chapter, "on": at.date().isoformat()}
            for chapter, at in w.db.execute(
                select(GroupSession.chapter, Attendance.came_at)
                .join(Attendance, Attendance.session_id == GroupSession.id)
                .where(Attendance.membership_id == membership.id)
                .order_by(Attendance.came_at)
            )
        ],
    }


def _conversations(w: Work, membership: Membership) -> list[dict[str, Any]]:
    """One's own messages in each room; what they answered to is somebody else's and stays out. Two queries."""
    seats = w.db.execute(
        select(Seat.id, Seat.alias, Room.kind)
        .join(Room, Room.id == Seat.room_id)
        .where(Seat.membership_id == membership.id)
        .order_by(Seat.id)
    ).all()
    rows = w.db.execute(
        select(Message.seat_id, Message.key, Message.text, Message.at, Message.status)
        .where(Message.seat_id.in_([seat.id for seat in seats]))
        .order_by(Message.id)
    ).all()
    written: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row, text in zip(rows, conversation.texts_of(w, rows), strict=True):
        written[row.seat_id].append({"at": clock.iso_minute(row.at), "status": row.status, "text": text})
    return [{"room": seat.kind, "alias": seat.alias, "messages": written[seat.id]} for seat in seats]


def _answers(w: Work, membership: Membership, group: Group) -> list[dict[str, Any]]:
    rows = w.db.scalars(
        select(Answer).where(Answer.membership_id == membership.id).order_by(Answer.updated_at, Answer.id)
    ).all()
    return [_answer(w, row, group) for row in rows]


def _answer(w: Work, row: Answer, group: Group) -> dict[str, Any]:
    about = {
        "chapter": row.chapter,
        "step": row.step,
        "on": row.updated_at.date().isoformat(),
        "sharing": row.sharing,
        "status": row.status,
    }
    value = exercises.value_of(w, row)
    try:
        chapter = programme(row.programme, group.language).chapter(row.chapter)
        step = chapter.step(row.step)
    except NotFound:  # the programme has changed since
        return about | {"text": value}
    about |= {"chapter": chapter.title, "step": step.title}
    if not step.options:
        return about | {"text": value}
    return about | {"chosen": [step.options[n] for n in json.loads(value) if n < len(step.options)]}


def _give_back_aliases(w: Work, person_id: int) -> None:
    """The aliases of members rest; facilitators were known by their own name."""
    rows = w.db.execute(
        select(Group.organisation_id, Membership.alias, Seat.alias.label("beside"))
        .join(Group, Group.id == Membership.group_id)
        .join(Seat, Seat.membership_id == Membership.id)
        .where(Membership.person_id == person_id, Membership.role == MEMBER)
    ).all()
    for organisation_id in {row.organisation_id for row in rows}:
        mine = [row for row in rows if row.organisation_id == organisation_id]
        aliases.give_back(w, organisation_id, {row.alias for row in mine} | {row.beside for row in mine})


def _empty(w: Work, seat: Seat) -> None:
    """What was said is gone; that something was said stays, in a seat of nobody, so that no number is missing."""
    room = w.db.get_one(Room, seat.room_id)
    rows = w.db.execute(
        select(Message.id, Message.seq, Message.status).where(Message.seat_id == seat.id).order_by(Message.seq)
    ).all()
    if not rows:
        return
    nobody = Seat(
        public_id=ids.public_id(),
        room_id=seat.room_id,
        alias=f"{_GONE}-{ids.public_id()[:6]}",
        role=seat.role,
        left_at=seat.left_at or w.now,
    )
    w.db.add(nobody)
    w.db.flush()
    gone = (
        update(_MESSAGES)
        .where(_MESSAGES.c.id == bindparam("row"))
        .values(seat_id=nobody.id, text=None, masked=False, status="withdrawn", key=bindparam("fresh"))
    )
    w.db.connection().execute(gone, [{"row": row.id, "fresh": str(uuid.uuid4())} for row in rows])
    for row in rows:
        if row.status == "posted":
            changed = {"room": room.public_id, "seq": row.seq, "status": "withdrawn"}
            w.announce(f"room:{room.public_id}", "message.changed", changed)
