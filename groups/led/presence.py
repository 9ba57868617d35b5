"""Being in a session: coming in, staying, raising a hand, being given the word, asking quietly for a pause."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, NotFound
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.led import crowd, stage
from groups.models import Attendance, GroupSession, Membership

FRESH = timedelta(seconds=20)  # a sign of life as young as this need not be written again


def due(w: Work, found: rooms.Place) -> bool:
    """Is there anything to note about the actor's being here (`arrive`)? Two queries at most; writes nothing."""
    session = stage.running_for(w, found)
    if session is None:
        return False
    last_at = _last_at(w, found, session)
    return last_at is None or last_at <= w.now - FRESH


def arrive(w: Work, found: rooms.Place) -> None:
    """Note that somebody is in the running session, for its attendance. Called when they come in, and while they stay.

    In a breakout they are in the session too. Writes at most one row, and none if one was written just now; announces
    the state when somebody comes in or comes back, and by a facilitator's sign of life also when somebody went quiet.
    """
    session = stage.running_for(w, found)
    if session is None:
        return
    last_at = _last_at(w, found, session)
    if last_at is None:
        row = Attendance(session_id=session.id, membership_id=found.membership_id, came_at=w.now, last_at=w.now)
        try:
            with w.db.begin_nested():
                w.db.add(row)
        except IntegrityError:
            return  # they came in on another screen this very moment
    elif last_at <= w.now - FRESH:
        w.db.execute(update(Attendance).where(*_mine(session, found)).values(last_at=w.now))
    if not crowd.is_here(last_at, w.now) or (found.leads and _went_quiet(w, session, last_at)):
        stage.tell(w, session, _main(w, found))


def raise_hand(w: Work, room: str, up: bool) -> None:
    """Raise or lower one's own hand in the running session. Raises `Closed` when none is running."""
    found = rooms.place(w, room)
    if found.kind != "group":
        raise Closed(steering.OVER)
    session = steering.held_in(w, found.group_id, alone=False)
    arrive(w, found)
    mine = _mine(session, found)
    if up:  # a second press keeps one's turn in the queue
        w.db.execute(update(Attendance).where(*mine, Attendance.hand_at.is_(None)).values(hand_at=w.now))
    else:
        w.db.execute(update(Attendance).where(*mine).values(hand_at=None))
    stage.tell(w, session, found)


def give_word(w: Work, public_id: str, alias: str) -> None:
    """Give somebody the word: their hand goes down, if it was up, and they hear that it is their turn.

    Raises `NotFound` for somebody who is not in the group.
    """
    session, found = steering.running(w, public_id)
    who = _member(w, found, alias)
    w.db.execute(
        update(Attendance)
        .where(Attendance.session_id == session.id, Attendance.membership_id == who.id)
        .values(hand_at=None)
    )
    w.announce(f"person:{who.person_id}", "notice", {"kind": "word", "room": found.room})
    stage.tell(w, session, found)


def ask_pause(w: Work, room: str, on: bool) -> None:
    """Ask quietly for a pause, or take that back. Only facilitators see it; asking twice is asking once.

    Writes one's attendance; announces the roster. Raises `Closed` when no session is running.
    """
    found = rooms.place(w, room)
    if found.kind == "pair":
        raise Closed(steering.OVER)
    session = steering.held_in(w, found.group_id, alone=False)
    arrive(w, found)
    unchanged = Attendance.pause_at.is_(None) if on else Attendance.pause_at.is_not(None)
    changed = w.db.execute(
        update(Attendance)
        .where(*_mine(session, found), unchanged)
        .values(pause_at=w.now if on else None)
        .returning(Attendance.id)
    ).first()
    if changed is not None:
        stage.tell_leads(w, session, _main(w, found))


def clear_pause(w: Work, public_id: str, alias: str) -> None:
    """Put away somebody's quiet signal: it was seen, and they can ask again. For facilitators. Raises `NotFound`."""
    session, found = steering.running(w, public_id)
    who = _member(w, found, alias)
    w.db.execute(
        update(Attendance)
        .where(Attendance.session_id == session.id, Attendance.membership_id == who.id)
        .values(pause_at=None)
    )
    stage.tell_leads(w, session, found)


def _went_quiet(w: Work, session: GroupSession, since: datetime | None) -> bool:
    """Has somebody become away since then, so that screens still count them? One query."""
    if since is None:
        return False
    quiet = Attendance.last_at.between(since - crowd.HERE, w.now - crowd.HERE)
    return w.db.scalar(select(Attendance.id).where(Attendance.session_id == session.id, quiet).limit(1)) is not None


def _mine(session: GroupSession, found: rooms.Place) -> tuple[ColumnElement[bool], ...]:
    return Attendance.session_id == session.id, Attendance.membership_id == found.membership_id


def _last_at(w: Work, found: rooms.Place, session: GroupSession) -> datetime | None:
    return w.db.scalar(select(Attendance.last_at).where(*_mine(session, found)))


def _main(w: Work, found: rooms.Place) -> rooms.Place:
    """One's place in the group's own room."""
    return found if found.kind == "group" else rooms.group_place(w, found.group)


def _member(w: Work, found: rooms.Place, alias: str) -> Membership:
    who = w.db.scalar(
        select(Membership).where(
            Membership.group_id == found.group_id, Membership.alias == alias, Membership.left_at.is_(None)
        )
    )
    if who is None:
        raise NotFound
    return who
