"""Where a session stands, for everybody's screens: its step, who is here, whose hand is up. Reads and tells only.

What it costs does not grow with the group: `tests/groups/led/test_sessions.py` pins the number of statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.core.work import Work
from groups import rooms
from groups.agenda import runsheet
from groups.led import crowd, turns
from groups.led.crowd import Somebody
from groups.models import Answer, Attendance, Breakout, GroupSession, Membership, SessionNote, Turn
from groups.programme import exercises
from groups.rules import MEMBER

CLOSING_LASTS = timedelta(hours=24)  # how long after a session its closing questions can be answered


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its own pages show it."""

    public_id: str
    chapter: str
    status: str
    version: int
    position: int
    only_staff_writes: bool
    paused: bool
    starts_at: datetime
    minutes: int
    opened_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody on the facilitator's roster: that they answered, never what. `notes` are the unread ones."""

    alias: str
    here: bool
    came: bool
    hand: bool
    hand_seconds: int | None
    answered: bool
    muted: bool
    out: bool
    excused: bool
    pause: bool
    notes: int
    speaking: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a session's screens are made of, asked of the database once."""

    session: GroupSession
    lines: list[runsheet.Line]
    people: list[Somebody]
    answers: list[tuple[str, Answer]]
    places: list[turns.Place]
    pairs_end: list[datetime]

    @property
    def line(self) -> runsheet.Line:
        """The line of the run-sheet that everybody is at."""
        return self.lines[min(self.session.position, len(self.lines) - 1)]

    @property
    def round(self) -> turns.Round | None:
        """The speaking round at this line, if there is one. Who is sent out or has left has no place in it."""
        if not self.places:
            return None
        still = {p.membership_id for p in self.people if p.member and not p.out}
        places = [place for place in self.places if place.member in still]
        return turns.order(places, [p.membership_id for p in crowd.members_here(self.people)])


def shown(session: GroupSession) -> Shown:
    """What pages may see of a session's row."""
    return Shown(
        session.public_id,
        session.chapter,
        session.status,
        session.version,
        session.position,
        session.only_staff_writes,
        session.paused_at is not None,
        session.starts_at,
        session.minutes,
        session.opened_at,
        session.closed_at,
    )


def running_in(w: Work, found: rooms.Place) -> GroupSession | None:
    """The session that is open in this room now, if any."""
    return running_for(w, found) if found.kind == "group" else None


def running_for(w: Work, found: rooms.Place) -> GroupSession | None:
    """As `running_in`, and in a breakout the session that it came out of."""
    if found.kind == "pair":
        return None
    return w.db.scalar(
        select(GroupSession).where(GroupSession.group_id == found.group_id, GroupSession.status == "open")
    )


def current(w: Work, session: GroupSession, found: rooms.Place) -> runsheet.Line:
    """The line of the run-sheet that everybody is at."""
    return runsheet.lines(w, session, found)[session.position]


def scene(w: Work, session: GroupSession, found: rooms.Place) -> Scene:
    """All that the screens need, with a fixed number of queries. `found` is a place in the group's room."""
    lines = runsheet.lines(w, session, found)
    line = lines[min(session.position, len(lines) - 1)]
    turned = select(Turn.membership_id, Turn.position, Turn.state).where(Turn.line_id == line.line_id)
    ends = select(Breakout.ends_at).where(Breakout.session_id == session.id, Breakout.ends_at > w.now)
    return Scene(
        session=session,
        lines=lines,
        people=crowd.of_session(w, session, found),
        answers=exercises.at(w, session.id, line.step.id) if line.step.answered else [],
        places=[turns.Place(*row) for row in w.db.execute(turned.order_by(Turn.position))],
        pairs_end=list(w.db.scalars(ends)),
    )


def state(w: Work, session: GroupSession, found: rooms.Place) -> dict[str, Any]:
    """The protocol's `SessionState`: what every member may see of a running session."""
    return state_of(w, scene(w, session, found))


def state_of(w: Work, seen: Scene) -> dict[str, Any]:
    """As `state`, from what was asked already. Every length of time is relative: a client's own clock may be wrong."""
    session, line = seen.session, seen.line
    alias = {p.membership_id: p.alias for p in seen.people}
    hands = sorted((p for p in seen.people if p.hand_at and not p.out), key=lambda p: (p.hand_at, p.membership_id))
    return {
        "id": session.public_id,
        "status": session.status,
        "version": session.version,
        "position": session.position,
        "count": len(seen.lines),
        "step": {
            "ref": line.ref,
            "id": line.step.id,
            "kind": line.step.kind,
            "title": line.step.title,
            "phase": line.phase,
            "sharing": line.step.sharing if line.step.answered else None,
            "minutes": line.minutes,
        },
        "seconds_left": seconds_left(session, w.now),
        "paused": session.paused_at is not None,
        "only_staff_writes": session.only_staff_writes,
        "present": sum(p.here for p in seen.people),
        "hands": [p.alias for p in hands],
        "round": _round(seen.round, alias),
        "pulse": _pulse(session, w.now),
        "answers": exercises.summary(w, seen.answers, line.step, line.revealed),
        "breakout": _breakout(seen.pairs_end, w.now),
        "closing": closing(session, line, w.now),
    }


def closing(session: GroupSession, line: runsheet.Line, now: datetime) -> bool:
    """Can the closing questions be answered: at the closing of a session, and for a day after it?"""
    if session.status == "open":
        return line.phase == "closing"
    return session.closed_at is not None and now < session.closed_at + CLOSING_LASTS


def roster(w: Work, session: GroupSession, found: rooms.Place) -> list[Present]:
    """Who is here, for the facilitator, always in the same order: a row must not move under a pointer."""
    return roster_of(w, scene(w, session, found))


def roster_of(w: Work, seen: Scene) -> list[Present]:
    """As `roster`, from what was asked already. One query, for the notes."""
    answered = {row.membership_id for _alias, row in seen.answers}
    unread = unread_notes(w, seen.session)
    speaking = seen.round.speaking if seen.round else None
    return [
        Present(
            alias=p.alias,
            here=p.here,
            came=p.came_at is not None,
            hand=p.hand_at is not None,
            hand_seconds=max(0, round((w.now - p.hand_at).total_seconds())) if p.hand_at else None,
            answered=p.membership_id in answered,
            muted=p.muted,
            out=p.out,
            excused=p.excused,
            pause=p.pause_at is not None,
            notes=unread.get(p.seat_id, 0),
            speaking=p.membership_id == speaking,
        )
        for p in seen.people
        if p.member
    ]


def roster_items(w: Work, session: GroupSession, found: rooms.Place) -> list[dict[str, Any]]:
    """The roster as the event `session.roster` carries it."""
    return [asdict(present) for present in roster(w, session, found)]


def unread_notes(w: Work, session: GroupSession) -> dict[int, int]:
    """How many notes of each member no facilitator has read yet, by seat. One query."""
    rows = w.db.execute(
        select(SessionNote.seat_id, func.count().label("unread"))
        .where(SessionNote.session_id == session.id, SessionNote.by_staff.is_(False), SessionNote.read_at.is_(None))
        .group_by(SessionNote.seat_id)
    )
    return {row.seat_id: row.unread for row in rows}


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
    """Announce where the session stands: to everybody in the group's room, and the roster to its facilitators."""
    w.db.flush()
    seen = scene(w, session, found)
    w.announce(f"room:{found.room}", "session.state", {"room": found.room, "session": state_of(w, seen)})
    _tell_leads(w, seen, found)


def tell_leads(w: Work, session: GroupSession, found: rooms.Place) -> None:
    """Announce the roster, to facilitators only."""
    w.db.flush()
    _tell_leads(w, scene(w, session, found), found)


def _tell_leads(w: Work, seen: Scene, found: rooms.Place) -> None:
    members = [asdict(present) for present in roster_of(w, seen)]
    w.announce(f"lead:{found.room}", "session.roster", {"room": found.room, "members": members})


def clock_of(session: GroupSession, now: datetime) -> datetime:
    """What time it is for the clocks of a session: while it is paused they stand still."""
    return session.paused_at or now


def seconds_left(session: GroupSession, now: datetime) -> int:
    """How long the current step still lasts."""
    return _seconds_until(session.step_ends_at, session, now)


def _seconds_until(end: datetime | None, session: GroupSession, now: datetime) -> int:
    return max(0, round((end - clock_of(session, now)).total_seconds())) if end else 0


def _round(seen: turns.Round | None, alias: dict[int, str]) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "speaking": alias.get(seen.speaking) if seen.speaking is not None else None,
        "next": [alias[member] for member in seen.next],
        "spoken": seen.spoken,
        "passed": seen.passed,
    }


def _pulse(session: GroupSession, now: datetime) -> dict[str, Any] | None:
    """The timer that runs in step on every screen: a client counts on from `seconds_in`."""
    left = _seconds_until(session.pulse_ends_at, session, now)
    if not session.pulse or not left or session.pulse_started_at is None or session.pulse_ends_at is None:
        return None
    seconds = round((session.pulse_ends_at - session.pulse_started_at).total_seconds())
    return {"kind": session.pulse, "seconds_in": max(0, seconds - left), "seconds": seconds}


def _breakout(ends: Sequence[datetime], now: datetime) -> dict[str, int] | None:
    if not ends:
        return None
    return {"seconds_left": max(0, round((max(ends) - now).total_seconds())), "rooms": len(ends)}
