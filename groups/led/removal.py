"""Asking somebody to stay out of a running session, and letting them in again.

They keep their place in the group. Until they are let in, or the session closes, they hear nothing of its room; they
see a page with help, and can write a note to the facilitators (`groups.led.notes`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from app.core import audit
from app.core.errors import NotFound
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.led import breakouts, rounds, stage
from groups.models import Attendance, Room, Seat
from groups.rules import MEMBER


def send_out(w: Work, public_id: str, alias: str) -> None:
    """Ask a member to stay out of the session for now. For facilitators; twice is once.

    Writes their seats and an audit line; their hand goes down and their turn passes. Tells them and cuts their sockets,
    which come back by themselves to what is still theirs. Raises `NotFound`, `Forbidden`, `Closed`.
    """
    _set(w, public_id, alias, w.now)


def let_in(w: Work, public_id: str, alias: str) -> None:
    """Let somebody in again who was sent out. For facilitators; twice is once. Raises as `send_out`."""
    _set(w, public_id, alias, None)


def let_all_in(w: Work, found: rooms.Place) -> None:
    """Let in everybody who was sent out of a session of this group: it is over. The caller leads it."""
    group_rooms = select(Room.id).where(Room.group_id == found.group_id, Room.kind != "pair")
    rows = w.db.execute(
        update(Seat)
        .where(Seat.room_id.in_(group_rooms), Seat.out_at.is_not(None))
        .values(out_at=None)
        .returning(Seat.person_id, Seat.room_id)
    ).all()
    for row in rows:
        if row.room_id == found.room_id:
            w.announce(f"person:{row.person_id}", "notice", {"kind": "in", "room": found.room})


def _set(w: Work, public_id: str, alias: str, at: datetime | None) -> None:
    _session, found = steering.running(w, public_id)
    session = steering.held_in(w, found.group_id)
    theirs = (Seat.room_id == found.room_id) & (Seat.alias == alias) & (Seat.role == MEMBER) & Seat.left_at.is_(None)
    seat = w.db.scalar(select(Seat).where(theirs))
    if seat is None or seat.membership_id is None:
        raise NotFound
    unchanged = Seat.out_at.is_(None) if at else Seat.out_at.is_not(None)
    if w.db.execute(update(Seat).where(theirs, unchanged).values(out_at=at).returning(Seat.id)).first() is None:
        return
    breakouts.take_out(w, session, seat.membership_id, at)
    about = {"kind": "out" if at else "in", "room": found.room}
    w.announce(f"person:{seat.person_id}", "notice", about)
    if at:
        own = (Attendance.session_id == session.id) & (Attendance.membership_id == seat.membership_id)
        w.db.execute(update(Attendance).where(own).values(hand_at=None, pause_at=None))
        rounds.skip(w, session, found, seat.membership_id)
        w.announce(f"person:{seat.person_id}", "revoked", {})
    audit.record(w, "member.sent_out" if at else "member.let_in", "seat", seat.id)
    stage.tell(w, session, found)
