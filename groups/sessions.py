"""Group sessions: planned, opened, led step by step, closed. State is rows with a version; screens follow it.

Every change names the version it was made from. If somebody else was faster, the change is refused and nothing
moves twice: the screens show where everybody is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.core import audit, clock, ids
from app.core.errors import Closed, Invalid
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import exercises, rooms, stage, steering
from groups.curriculum import programme
from groups.models import Attendance, Group, GroupSession, Membership, Room, SessionStep
from groups.rules import MEMBER

LENGTHS = (60, 75, 90, 120)


@dataclass(frozen=True, slots=True)
class Planned:
    """A session as lists show it."""

    public_id: str
    group: str
    group_name: str
    room: str
    title: str
    starts_at: datetime
    minutes: int
    status: str
    role: str
    alias: str
    timezone: str


def plan(w: Work, group: str, chapter: str, starts_at: datetime, minutes: int) -> str:
    """Plan a session on a chapter, with the chapter's run-sheet. For facilitators of the group.

    Writes the session, its run-sheet and an audit line; queues a neutral notice to every member. Returns the
    public id. Raises `Forbidden`, `NotFound`, `Invalid`.
    """
    found = rooms.lead_place(w, group)
    lines = programme(found.programme, found.language).chapter(chapter).run_sheet
    if minutes not in LENGTHS:
        raise Invalid(N_("Kies een lengte uit de lijst. Er is nog niets gepland."))
    if not w.now - timedelta(hours=1) <= starts_at <= w.now + timedelta(days=400):
        raise Invalid(N_("Kies een dag en tijd die nog komen. Er is nog niets gepland."))
    session = GroupSession(
        public_id=ids.public_id(),
        group_id=found.group_id,
        chapter=chapter,
        starts_at=clock.minute(starts_at),
        minutes=minutes,
    )
    w.db.add(session)
    w.db.flush()
    w.db.add_all(
        SessionStep(public_id=ids.public_id(), session_id=session.id, position=n, step=step.id, minutes=step.minutes)
        for n, step in enumerate(lines)
    )
    for member in rooms.members(w, found):
        if member.role == MEMBER:
            outbox.queue(w, member.person_id, "planned", session.public_id, f"planned:{session.id}:{member.ref}")
    audit.record(w, "session.planned", "session", session.id)
    return session.public_id


def upcoming(w: Work, *, limit: int = 5) -> list[Planned]:
    """The sessions of one's own groups that are open or still to come, soonest first. One query."""
    rows = w.db.execute(
        select(GroupSession, Group, Room.public_id.label("room"), Membership.role, Membership.alias)
        .join(Group, Group.id == GroupSession.group_id)
        .join(Room, (Room.group_id == Group.id) & (Room.kind == "group"))
        .join(Membership, (Membership.group_id == Group.id) & (Membership.person_id == w.who.person_id))
        .where(
            Membership.left_at.is_(None),
            (GroupSession.status == "open")
            | ((GroupSession.status == "planned") & (GroupSession.starts_at > w.now - timedelta(hours=3))),
        )
        .order_by(GroupSession.status, GroupSession.starts_at, GroupSession.id)
        .limit(limit)
    )
    language = w.who.language
    return [_planned(s, g, room, role, alias, language) for s, g, room, role, alias in rows]


def open_session(w: Work, public_id: str, version: int) -> None:
    """Open the room for the session and start its first step. One session a group at a time.

    Writes state and an audit line; announces `session.state`. Raises `Closed` if it moved meanwhile.
    """
    session, found = steering.lead(w, public_id)
    if session.status != "planned":
        raise Closed
    rooms.lock_group(w, found.group_id)
    other = select(GroupSession.id).where(GroupSession.group_id == found.group_id, GroupSession.status == "open")
    if w.db.scalar(other) is not None:
        raise Closed(N_("Er is al een bijeenkomst open in deze groep. Sluit die eerst af."))
    steering.change(w, session, version, status="open", opened_at=w.now, **_step_clock(w, session, 0))
    audit.record(w, "session.opened", "session", session.id)
    stage.tell(w, session, found)


def move(w: Work, public_id: str, version: int, position: int) -> None:
    """Go to a step of the run-sheet: every screen follows. Hands go down; answers not yet shown stay hidden.

    Raises `Closed` if the session moved meanwhile or is over, `Invalid` for a step that is not there.
    """
    session, found = steering.running(w, public_id)
    steering.change(w, session, version, **_step_clock(w, session, position))
    w.db.execute(update(Attendance).where(Attendance.session_id == session.id).values(hand_at=None))
    stage.tell(w, session, found)


def extend(w: Work, public_id: str, version: int, minutes: int = 2) -> None:
    """Give the current step some more minutes."""
    session, found = steering.running(w, public_id)
    start_from = max(session.step_ends_at or w.now, w.now)
    steering.change(w, session, version, step_ends_at=start_from + timedelta(minutes=minutes))
    stage.tell(w, session, found)


def reveal(w: Work, public_id: str, version: int) -> None:
    """Show everybody the tally of the current step: before this, only how many answered is to be seen."""
    session, found = steering.running(w, public_id)
    if exercises.given(w, session.id, _current(w, session, found).step.id) < 3:
        raise Invalid(N_("Er zijn nog geen drie antwoorden. Bij minder zou je kunnen raden wie wat koos."))
    steering.change(w, session, version)
    line = (SessionStep.session_id == session.id) & (SessionStep.position == session.position)
    w.db.execute(update(SessionStep).where(line, SessionStep.revealed_at.is_(None)).values(revealed_at=w.now))
    stage.tell(w, session, found)


def lock(w: Work, public_id: str, version: int, locked: bool) -> None:
    """Let only facilitators write, or everybody again."""
    session, found = steering.running(w, public_id)
    steering.change(w, session, version, only_staff_writes=locked)
    stage.tell(w, session, found)


def close(w: Work, public_id: str, version: int) -> None:
    """Close the session for good. The room stays open for reading and writing as before.

    Writes state and an audit line; announces `session.state` with status `closed`.
    """
    session, found = steering.running(w, public_id)
    steering.change(w, session, version, status="closed", closed_at=w.now, only_staff_writes=False)
    audit.record(w, "session.closed", "session", session.id)
    stage.tell(w, session, found)


def _current(w: Work, session: GroupSession, found: rooms.Place) -> stage.Line:
    return stage.run_sheet(w, session, found)[session.position]


def _step_clock(w: Work, session: GroupSession, position: int) -> dict[str, Any]:
    minutes = w.db.scalar(
        select(SessionStep.minutes).where(SessionStep.session_id == session.id, SessionStep.position == position)
    )
    if minutes is None:
        raise Invalid
    return {
        "position": position,
        "step_started_at": w.now,
        "step_ends_at": w.now + timedelta(minutes=minutes),
    }


def _planned(s: GroupSession, g: Group, room: str, role: str, alias: str, language: str) -> Planned:
    title = programme(g.programme, language).chapter(s.chapter).title
    return Planned(
        s.public_id,
        g.public_id,
        g.name,
        room,
        title,
        s.starts_at,
        s.minutes,
        s.status,
        role,
        alias,
        g.timezone,
    )
