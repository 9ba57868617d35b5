"""What groups keep of a person: places under their aliases, what they wrote and did there, where they were.

`export` is here; what erasing does is in `groups.erasure`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from app.core import clock
from app.core.work import Work
from groups.erasure import check, erase
from groups.models import (
    Absence,
    Attendance,
    CalendarFeed,
    FollowUp,
    GlassBreak,
    Goal,
    Group,
    GroupSession,
    Hiding,
    Membership,
    Message,
    MessageVersion,
    Reaction,
    Room,
    Seat,
    SessionNote,
    SessionStep,
    Topic,
    Turn,
    WaitingPlace,
    version_row,
)
from groups.own import aims, checkups, plan, urges
from groups.programme import earlier, progress, shared, sharing
from groups.talk import conversation

__all__ = ["check", "erase", "export"]


def export(w: Work, person_id: int) -> dict[str, Any]:
    """The person's groups with what they wrote and did there; where they wait for a place; for staff also what they
    wrote for others and where they broke glass. Nobody else's words and no alias but their own are in it.
    """
    memberships = w.db.execute(
        select(Membership, Group).join(Group).where(Membership.person_id == person_id).order_by(Membership.id)
    ).all()
    found: dict[str, Any] = {"groups": [_group(w, row.Membership, row.Group) for row in memberships]}
    waits = w.db.execute(
        select(Group.name, WaitingPlace.alias, WaitingPlace.since_on)
        .join(Group, Group.id == WaitingPlace.group_id)
        .where(WaitingPlace.person_id == person_id)
        .order_by(WaitingPlace.id)
    ).all()
    if waits:
        found["waits_for"] = [{"group": r.name, "alias": r.alias, "since": r.since_on.isoformat()} for r in waits]
    feed = w.db.scalar(select(CalendarFeed).where(CalendarFeed.person_id == person_id))
    if feed is not None:
        found["calendar"] = {"since": feed.made_on.isoformat(), "word": feed.word}
    looked_back = checkups.export(w, person_id)
    if looked_back:
        found["check_ups"] = looked_back
    tools = {"plan": plan.kept_of(w, person_id), "waves": urges.kept_of(w, person_id)}
    found |= {name: kept for name, kept in tools.items() if kept}
    return found | _as_staff(w, person_id)


def _group(w: Work, membership: Membership, group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "alias": membership.alias,
        "role": membership.role,
        "since": membership.joined_on.isoformat(),
        "agreed_to_house_rules_on": membership.joined_on.isoformat(),
        "until": membership.left_at.date().isoformat() if membership.left_at else None,
        "conversations": _conversations(w, membership),
        "answers": earlier.kept_of(w, membership.id, group.language),
        "steps_done": progress.kept_of(w, membership.id),
        "shared": _shared(w, membership),
        "notes": _notes(w, membership),
        "goals": _goals(w, membership),
        **_sessions(w, membership),
    }


def _conversations(w: Work, membership: Membership) -> list[dict[str, Any]]:
    """One's own messages in each room, with what they said before, and what one did there with those of others; what
    others wrote stays out. Six queries."""
    seats = w.db.execute(
        select(Seat.id, Seat.alias, Room.kind)
        .join(Room, Room.id == Seat.room_id)
        .where(Seat.membership_id == membership.id)
        .order_by(Seat.id)
    ).all()
    own = [seat.id for seat in seats]
    rows = w.db.execute(
        select(Message.id, Message.seat_id, Message.key, Message.text, Message.at, Message.status)
        .where(Message.seat_id.in_(own))
        .order_by(Message.id)
    ).all()
    earlier = _earlier(w, own)
    written: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row, text in zip(rows, conversation.texts_of(w, rows), strict=True):
        said = {"at": clock.iso_minute(row.at), "status": row.status, "text": text}
        written[row.seat_id].append(said | ({"earlier": earlier[row.id]} if row.id in earlier else {}))
    reacted: dict[int, Counter[str]] = defaultdict(Counter)
    for seat_id, kind in w.db.execute(select(Reaction.seat_id, Reaction.kind).where(Reaction.seat_id.in_(own))):
        reacted[seat_id][kind] += 1
    hidden = dict(
        w.db.execute(select(Hiding.seat_id, func.count()).where(Hiding.seat_id.in_(own)).group_by(Hiding.seat_id)).all()
    )
    return [
        {
            "room": seat.kind,
            "alias": seat.alias,
            "messages": written[seat.id],
            "reactions": dict(reacted[seat.id]),
            "hidden": hidden.get(seat.id, 0),
        }
        for seat in seats
    ]


def _earlier(w: Work, seats: Sequence[int]) -> dict[int, list[str]]:
    """What one's own messages said before they were changed, or would say once a change was read; by message."""
    rows = w.db.execute(
        select(MessageVersion, Message.seat_id, Message.key)
        .join(Message, Message.id == MessageVersion.message_id)
        .where(Message.seat_id.in_(seats))
        .order_by(MessageVersion.message_id, MessageVersion.version)
    ).all()
    named = [(version_row(r.seat_id, r.key, r.MessageVersion.version), r.MessageVersion.text) for r in rows]
    found: dict[int, list[str]] = defaultdict(list)
    for row, text in zip(rows, w.ring.open_all(MessageVersion.text, named), strict=True):
        found[row.MessageVersion.message_id].append(text)
    return found


def _shared(w: Work, membership: Membership) -> list[dict[str, Any]]:
    """What one shared of answers written at home, as it was then, and with whom."""
    return [
        {
            "chapter": answer.chapter,
            "step": said.title,
            "with": next(name for name in sharing.AUDIENCES if name[0] == share.audience[0]),
            "on": share.shared_at.date().isoformat(),
            "status": share.status,
            **({"hours": list(said.hours)} if said.hours else {"text": said.text}),
        }
        for share, answer, said in shared.of_member(w, membership.id)
    ]


def _notes(w: Work, membership: Membership) -> list[dict[str, Any]]:
    """What one wrote to the facilitators in sessions; what they answered is theirs."""
    rows = w.db.scalars(
        select(SessionNote)
        .join(Seat, Seat.id == SessionNote.seat_id)
        .where(Seat.membership_id == membership.id, SessionNote.author_id == membership.person_id)
        .order_by(SessionNote.id)
    ).all()
    return _opened(w, rows)


def _goals(w: Work, membership: Membership) -> list[dict[str, Any]]:
    """What one worked towards, agreed in this group."""
    rows = w.db.scalars(select(Goal).where(Goal.membership_id == membership.id).order_by(Goal.id)).all()
    return [
        {
            "kind": row.kind,
            "state": row.state,
            "weeks": row.weeks,
            "asked_on": row.asked_on.isoformat(),
            "started_on": row.started_on.isoformat() if row.started_on else None,
            "paused_on": row.paused_on.isoformat() if row.paused_on else None,
            "paused_days": row.paused_days,
            "ended_on": row.ended_on.isoformat() if row.ended_on else None,
            **content,
        }
        for row, content in zip(rows, aims.opened(w, rows), strict=True)
    ]


def _opened(w: Work, rows: Sequence[SessionNote]) -> list[dict[str, Any]]:
    texts = w.ring.open_all(SessionNote.text, [(row.public_id, row.text) for row in rows])
    return [{"at": clock.iso_minute(row.at), "text": text} for row, text in zip(rows, texts, strict=True)]


def _sessions(w: Work, membership: Membership) -> dict[str, Any]:
    """Where they were and what they did there; what they said they could not come to; and that they were missed."""
    came = w.db.execute(
        select(GroupSession.chapter, Attendance.came_at, Attendance.last_at, Attendance.corrected_on)
        .join(Attendance, Attendance.session_id == GroupSession.id)
        .where(Attendance.membership_id == membership.id)
        .order_by(Attendance.came_at)
    ).all()
    absences = w.db.execute(
        select(GroupSession.chapter, GroupSession.starts_at, Absence.said_on)
        .join(Absence, Absence.session_id == GroupSession.id)
        .where(Absence.membership_id == membership.id)
        .order_by(GroupSession.starts_at)
    ).all()
    turns = w.db.execute(
        select(GroupSession.starts_at, Turn.state)
        .join(SessionStep, SessionStep.id == Turn.line_id)
        .join(GroupSession, GroupSession.id == SessionStep.session_id)
        .where(Turn.membership_id == membership.id)
        .order_by(Turn.id)
    ).all()
    missed = w.db.execute(
        select(GroupSession.starts_at, FollowUp.outcome)
        .join(FollowUp, FollowUp.session_id == GroupSession.id)
        .where(FollowUp.membership_id == membership.id)
        .order_by(FollowUp.id)
    ).all()
    return {
        "meetings": [
            {
                "chapter": row.chapter,
                "on": row.came_at.date().isoformat(),
                "from": clock.iso_minute(row.came_at),
                "to": clock.iso_minute(row.last_at),
                "put_right_on": row.corrected_on.isoformat() if row.corrected_on else None,
            }
            for row in came
        ],
        "absences": [
            {"chapter": r.chapter, "on": r.starts_at.date().isoformat(), "said_on": r.said_on.isoformat()}
            for r in absences
        ],
        "turns": [{"on": row.starts_at.date().isoformat(), "turn": row.state} for row in turns],
        "missed": [{"on": row.starts_at.date().isoformat(), "outcome": row.outcome} for row in missed],
    }


def _as_staff(w: Work, person_id: int) -> dict[str, Any]:
    """What somebody wrote and did as a facilitator. Only what there is."""
    broken = w.db.execute(select(GlassBreak, Group.name).join(Group).where(GlassBreak.person_id == person_id)).all()
    seen = w.ring.open_all(GlassBreak.note, [(row.GlassBreak.public_id, row.GlassBreak.note) for row in broken])
    answered = w.db.scalars(
        select(SessionNote)
        .where(SessionNote.author_id == person_id, SessionNote.by_staff.is_(True))
        .order_by(SessionNote.id)
    ).all()
    settled = w.db.execute(
        select(FollowUp.done_at, FollowUp.outcome).where(FollowUp.done_by == person_id).order_by(FollowUp.id)
    ).all()
    found: dict[str, Any] = {
        "looked_into": [
            {
                "group": row.name,
                "on": row.GlassBreak.opened_at.date().isoformat(),
                "reason": row.GlassBreak.reason,
                "note": note,
            }
            for row, note in zip(broken, seen, strict=True)
        ],
        "notes_to_members": _opened(w, answered),
        "topics": _topics(w, person_id),
        "run_sheet_lines": _lines(w, person_id),
        "goals_begun": [
            day.isoformat()
            for day in w.db.scalars(select(Goal.started_on).where(Goal.started_by == person_id).order_by(Goal.id))
            if day
        ],
        "looked_after": [{"on": r.done_at.date().isoformat(), "outcome": r.outcome} for r in settled if r.done_at],
    }
    return {name: kept for name, kept in found.items() if kept}


def _topics(w: Work, person_id: int) -> list[dict[str, str]]:
    rows = w.db.scalars(select(Topic).where(Topic.author_id == person_id).order_by(Topic.id)).all()
    titles = w.ring.open_all(Topic.title, [(row.public_id, row.title) for row in rows])
    return [
        {"on": row.opened_on.isoformat(), "title": title or row.chapter}
        for row, title in zip(rows, titles, strict=True)
    ]


def _lines(w: Work, person_id: int) -> list[dict[str, Any]]:
    rows = w.db.scalars(select(SessionStep).where(SessionStep.author_id == person_id).order_by(SessionStep.id)).all()
    said = w.ring.open_all(SessionStep.words, [(row.public_id, row.words) for row in rows])
    return [json.loads(words) for words in said if words]
