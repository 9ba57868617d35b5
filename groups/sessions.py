"""Group sessions: planned, opened, led step by step, closed. State is rows with a version; screens follow it.

Every change names the version it was made from. If somebody else was faster, the change is refused and nothing
moves twice: the screens show where everybody is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.core import audit, clock, ids
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import exercises, rooms
from groups.curriculum import Step, programme
from groups.models import Attendance, Group, GroupSession, Membership, Room, Seat, SessionStep
from groups.rules import MEMBER

HERE = timedelta(seconds=75)  # without a sign of life for this long, somebody counts as away
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


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody on the facilitator's roster."""

    alias: str
    here: bool
    came: bool
    hand: bool
    answered: bool
    muted: bool


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
        SessionStep(session_id=session.id, position=n, step=step.id, minutes=step.minutes)
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


def lead(w: Work, public_id: str) -> tuple[GroupSession, rooms.Place]:
    """A session one leads. Raises `NotFound` or `Forbidden`."""
    session, found = _attend(w, public_id)
    if not found.leads:
        raise Forbidden
    return session, found


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


def open_session(w: Work, public_id: str, version: int) -> None:
    """Open the room for the session and start its first step. One session a group at a time.

    Writes state and an audit line; announces `session.state`. Raises `Closed` if it moved meanwhile.
    """
    session, found = lead(w, public_id)
    if session.status != "planned":
        raise Closed
    rooms.lock_group(w, found.group_id)
    other = select(GroupSession.id).where(GroupSession.group_id == found.group_id, GroupSession.status == "open")
    if w.db.scalar(other) is not None:
        raise Closed(N_("Er is al een bijeenkomst open in deze groep. Sluit die eerst af."))
    _change(w, session, version, status="open", opened_at=w.now, **_step_clock(w, session, 0))
    audit.record(w, "session.opened", "session", session.id)
    tell(w, session, found)


def move(w: Work, public_id: str, version: int, position: int) -> None:
    """Go to a step of the run-sheet: every screen follows. Hands go down; answers not yet shown stay hidden.

    Raises `Closed` if the session moved meanwhile or is over, `Invalid` for a step that is not there.
    """
    session, found = _running(w, public_id)
    _change(w, session, version, revealed=False, **_step_clock(w, session, position))
    w.db.execute(update(Attendance).where(Attendance.session_id == session.id).values(hand_at=None))
    tell(w, session, found)


def extend(w: Work, public_id: str, version: int, minutes: int = 2) -> None:
    """Give the current step some more minutes."""
    session, found = _running(w, public_id)
    start_from = max(session.step_ends_at or w.now, w.now)
    _change(w, session, version, step_ends_at=start_from + timedelta(minutes=minutes))
    tell(w, session, found)


def reveal(w: Work, public_id: str, version: int) -> None:
    """Show everybody the tally of the current step: before this, only how many answered is to be seen."""
    session, found = _running(w, public_id)
    if exercises.given(w, session.id, _current(w, session, found).step.id) < 3:
        raise Invalid(N_("Er zijn nog geen drie antwoorden. Bij minder zou je kunnen raden wie wat koos."))
    _change(w, session, version, revealed=True)
    tell(w, session, found)


def lock(w: Work, public_id: str, version: int, locked: bool) -> None:
    """Let only facilitators write, or everybody again."""
    session, found = _running(w, public_id)
    _change(w, session, version, only_staff_writes=locked)
    tell(w, session, found)


def close(w: Work, public_id: str, version: int) -> None:
    """Close the session for good. The room stays open for reading and writing as before.

    Writes state and an audit line; announces `session.state` with status `closed`.
    """
    session, found = _running(w, public_id)
    _change(w, session, version, status="closed", closed_at=w.now, only_staff_writes=False)
    audit.record(w, "session.closed", "session", session.id)
    tell(w, session, found)


def arrive(w: Work, found: rooms.Place) -> None:
    """Note that somebody is in the running session, for its attendance. Called when they come in, and while
    they stay. Writes at most one row; announces the count when somebody new comes in.
    """
    session = running_in(w, found)
    if session is None:
        return
    here = w.db.execute(
        update(Attendance)
        .where(Attendance.session_id == session.id, Attendance.membership_id == found.membership_id)
        .values(last_at=w.now)
        .returning(Attendance.id)
    ).first()
    if here is None:
        row = Attendance(session_id=session.id, membership_id=found.membership_id, came_at=w.now, last_at=w.now)
        try:
            with w.db.begin_nested():
                w.db.add(row)
        except IntegrityError:
            return  # they came in on another screen this very moment
        tell(w, session, found)


def raise_hand(w: Work, room: str, up: bool) -> None:
    """Raise or lower one's own hand in the running session. Raises `Closed` when none is running."""
    found = rooms.place(w, room)
    session = running_in(w, found)
    if session is None:
        raise Closed(N_("De bijeenkomst is net afgesloten."))
    arrive(w, found)
    mine = (Attendance.session_id == session.id) & (Attendance.membership_id == found.membership_id)
    if up:  # a second press keeps one's turn in the queue
        w.db.execute(update(Attendance).where(mine, Attendance.hand_at.is_(None)).values(hand_at=w.now))
    else:
        w.db.execute(update(Attendance).where(mine).values(hand_at=None))
    tell(w, session, found)


def give_word(w: Work, public_id: str, alias: str) -> None:
    """Give somebody the word: their hand goes down and they hear that it is their turn."""
    session, found = _running(w, public_id)
    membership = w.db.execute(
        select(Membership.id, Membership.person_id).where(
            Membership.group_id == found.group_id, Membership.alias == alias
        )
    ).first()
    if membership is None:
        raise NotFound
    w.db.execute(
        update(Attendance)
        .where(Attendance.session_id == session.id, Attendance.membership_id == membership.id)
        .values(hand_at=None)
    )
    w.announce(f"person:{membership.person_id}", "notice", {"kind": "word", "room": found.room})
    tell(w, session, found)


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
    return [Line(row.position, chapter.step(row.step), row.minutes) for row in rows]


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
        "answers": exercises.summary(w, session.id, line.step, session.revealed),
    }


def roster(w: Work, session: GroupSession, found: rooms.Place) -> list[Present]:
    """Who is here, for the facilitator: hands first in the order they went up, then by alias. One query."""
    step = run_sheet(w, session, found)[session.position].step
    answered = exercises.answered_by(w, session.id, step.id)
    rows = w.db.execute(
        select(Membership, Attendance, Seat.muted_until)
        .join(Seat, (Seat.membership_id == Membership.id) & (Seat.room_id == found.room_id))
        .outerjoin(Attendance, (Attendance.membership_id == Membership.id) & (Attendance.session_id == session.id))
        .where(Membership.group_id == found.group_id, Membership.role == MEMBER, Membership.left_at.is_(None))
        .order_by(Attendance.hand_at.is_(None), Attendance.hand_at, Membership.alias)
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


def _attend(w: Work, public_id: str) -> tuple[GroupSession, rooms.Place]:
    row = w.db.execute(
        select(GroupSession, Group.public_id)
        .join(Group, Group.id == GroupSession.group_id)
        .where(GroupSession.public_id == public_id)
    ).first()
    if row is None:
        raise NotFound
    return row[0], rooms.group_place(w, row[1])


def _running(w: Work, public_id: str) -> tuple[GroupSession, rooms.Place]:
    session, found = lead(w, public_id)
    if session.status != "open":
        raise Closed(N_("Deze bijeenkomst is niet open."))
    return session, found


def _current(w: Work, session: GroupSession, found: rooms.Place) -> Line:
    return run_sheet(w, session, found)[session.position]


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


def _change(w: Work, session: GroupSession, version: int, **values: Any) -> None:
    """Change the session if it is still at `version`; the first of two clicks wins."""
    changed = w.db.execute(
        update(GroupSession)
        .where(GroupSession.id == session.id, GroupSession.version == version)
        .values(version=version + 1, **values)
        .returning(GroupSession.id)
    ).first()
    if changed is None:
        raise Closed(N_("Er was net iemand anders sneller. Je ziet nu waar iedereen is."))
    w.db.refresh(session)


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
