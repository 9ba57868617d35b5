"""Where a session stands, for everybody's screens: its step, who is here, whose hand is up. Reads and tells only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.core.work import Work
from groups import exercises, rooms
from groups.curriculum import Step, programme
from groups.models import Attendance, GroupSession, Membership, Seat, SessionStep
from groups.rules import MEMBER

HERE = timedelta(seconds=75)  # without a sign of life for this long, somebody counts as away


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its own pages show it."""

    public_id: str
    chapter: str
    status: str
    version: int
    position: int
    only_staff_writes: bool
    starts_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the run-sheet."""

    position: int
    step: Step
    minutes: int
    revealed: bool


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody on the facilitator's roster."""

    alias: str
    here: bool
    came: bool
    hand: bool
    answered: bool
    muted: bool


def shown(session: GroupSession) -> Shown:
    """What pages may see of a session's row."""
    return Shown(
        session.public_id,
        session.chapter,
        session.status,
        session.version,
        session.position,
        session.only_staff_writes,
        session.starts_at,
        session.opened_at,
        session.closed_at,
    )


def running_in(w: Work, found: rooms.Place) -> GroupSession | None:
    """The session that is open in this room now, if any."""
    if found.kind != "group":
        return None
    return w.db.scalar(
        select(GroupSession).where(GroupSession.group_id == found.group_id, GroupSession.status == "open")
    )


def run_sheet(w: Work, session: GroupSession, found: rooms.Place) -> list[Line]:
    """The run-sheet with its steps, in order."""
    chapter = programme(found.programme, found.language).chapter(session.chapter)
    rows = w.db.scalars(select(SessionStep).where(SessionStep.session_id == session.id).order_by(SessionStep.position))
    return [Line(row.position, chapter.step(row.step), row.minutes, row.revealed_at is not None) for row in rows]


def current(w: Work, session: GroupSession, found: rooms.Place) -> Line:
    """The line of the run-sheet that everybody is at."""
    return run_sheet(w, session, found)[session.position]


def state(w: Work, session: GroupSession, found: rooms.Place) -> dict[str, Any]:
    """The protocol's `SessionState`: what every member may see of a running session."""
    lines = run_sheet(w, session, found)
    line = lines[session.position]
    hands = _hands(w, session)
    left = (session.step_ends_at - w.now).total_seconds() if session.step_ends_at else 0
    return {
        "id": session.public_id,
        "status": session.status,
        "version": session.version,
        "position": session.position,
        "count": len(lines),
        "step": {
            "id": line.step.id,
            "kind": line.step.kind,
            "title": line.step.title,
            "sharing": line.step.sharing if line.step.answered else None,
            "minutes": line.minutes,
        },
        "seconds_left": max(0, round(left)),
        "only_staff_writes": session.only_staff_writes,
        "present": _present(w, session),
        "hands": hands,
        "answers": exercises.summary(w, session.id, line.step, line.revealed),
    }


def roster(w: Work, session: GroupSession, found: rooms.Place) -> list[Present]:
    """Who is here, for the facilitator, always in the same order: a row must not move under a pointer. Two queries."""
    step = run_sheet(w, session, found)[session.position].step
    answered = exercises.answered_by(w, session.id, step.id)
    rows = w.db.execute(
        select(Membership, Attendance, Seat.muted_until)
        .join(Seat, (Seat.membership_id == Membership.id) & (Seat.room_id == found.room_id))
        .outerjoin(Attendance, (Attendance.membership_id == Membership.id) & (Attendance.session_id == session.id))
        .where(Membership.group_id == found.group_id, Membership.role == MEMBER, Membership.left_at.is_(None))
        .order_by(Membership.alias)
    )
    return [
        Present(
            alias=m.alias,
            here=bool(a and a.last_at > w.now - HERE),
            came=a is not None,
            hand=bool(a and a.hand_at),
            answered=m.id in answered,
            muted=bool(muted and muted > w.now),
        )
        for m, a, muted in rows
    ]


def roster_items(w: Work, session: GroupSession, found: rooms.Place) -> list[dict[str, Any]]:
    """The roster as the event `session.roster` carries it."""
    return [
        {
            "alias": p.alias,
            "here": p.here,
            "came": p.came,
            "hand": p.hand,
            "answered": p.answered,
            "muted": p.muted,
        }
        for p in roster(w, session, found)
    ]


def attendance(
    w: Work, session: GroupSession, found: rooms.Place
) -> list[tuple[str, datetime | None, datetime | None]]:
    """Who came, from when to when (to the minute), by alias; None for who did not. For the facilitator. One query."""
    rows = w.db.execute(
        select(Membership.alias, Attendance.came_at, Attendance.last_at)
        .outerjoin(Attendance, (Attendance.membership_id == Membership.id) & (Attendance.session_id == session.id))
        .where(Membership.group_id == found.group_id, Membership.role == MEMBER)
        .order_by(Membership.alias)
    )
    return [(row.alias, row.came_at, row.last_at) for row in rows]


def tell(w: Work, session: GroupSession, found: rooms.Place) -> None:
    """Announce where the session stands: to everybody in the room, and the roster to its facilitators."""
    w.db.flush()
    w.announce(f"room:{found.room}", "session.state", {"room": found.room, "session": state(w, session, found)})
    w.announce(
        f"lead:{found.room}",
        "session.roster",
        {"room": found.room, "members": roster_items(w, session, found)},
    )


def _present(w: Work, session: GroupSession) -> int:
    query = select(func.count()).where(Attendance.session_id == session.id, Attendance.last_at > w.now - HERE)
    return w.db.scalar(query) or 0


def _hands(w: Work, session: GroupSession) -> list[str]:
    return list(
        w.db.scalars(
            select(Membership.alias)
            .join(Attendance, Attendance.membership_id == Membership.id)
            .where(Attendance.session_id == session.id, Attendance.hand_at.is_not(None))
            .order_by(Attendance.hand_at, Attendance.id)
        )
    )
