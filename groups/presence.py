"""Being in a session: coming in, staying, raising a hand, being given the word."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms, stage, steering
from groups.models import Attendance, Membership


def arrive(w: Work, found: rooms.Place) -> None:
    """Note that somebody is in the running session, for its attendance. Called when they come in, and while
    they stay. Writes at most one row; announces the count when somebody new comes in.
    """
    session = stage.running_in(w, found)
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
        stage.tell(w, session, found)


def raise_hand(w: Work, room: str, up: bool) -> None:
    """Raise or lower one's own hand in the running session. Raises `Closed` when none is running."""
    found = rooms.place(w, room)
    session = stage.running_in(w, found)
    if session is None:
        raise Closed(N_("De bijeenkomst is net afgesloten."))
    arrive(w, found)
    mine = (Attendance.session_id == session.id) & (Attendance.membership_id == found.membership_id)
    if up:  # a second press keeps one's turn in the queue
        w.db.execute(update(Attendance).where(mine, Attendance.hand_at.is_(None)).values(hand_at=w.now))
    else:
        w.db.execute(update(Attendance).where(mine).values(hand_at=None))
    stage.tell(w, session, found)


def give_word(w: Work, public_id: str, alias: str) -> None:
    """Give somebody the word: their hand goes down and they hear that it is their turn."""
    session, found = steering.running(w, public_id)
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
    stage.tell(w, session, found)
