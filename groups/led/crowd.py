"""Who belongs to a session, and how each of them stands in it now: here, a hand up, sent out. One query, no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.core.work import Work
from groups import rooms
from groups.models import Absence, Attendance, GroupSession, Membership, Seat
from groups.rules import MEMBER

HERE = timedelta(seconds=75)  # without a sign of life for this long, somebody counts as away


@dataclass(frozen=True, slots=True)
class Somebody:
    """Somebody of the group, as a session sees them. `arrival` orders who came first; since `hand_at` their hand is up,
    since `pause_at` they ask quietly for a pause.
    """

    membership_id: int
    person_id: int
    seat_id: int
    alias: str
    role: str
    here: bool
    came_at: datetime | None
    arrival: int
    hand_at: datetime | None
    pause_at: datetime | None
    muted_until: datetime | None
    muted: bool
    out: bool
    excused: bool

    @property
    def member(self) -> bool:
        return self.role == MEMBER


def of_session(w: Work, session: GroupSession, found: rooms.Place) -> list[Somebody]:
    """Everybody in the group, by alias: a row must not move under a pointer. `found` is the group's room. One query."""
    attended = (Attendance.membership_id == Membership.id) & (Attendance.session_id == session.id)
    excused = (Absence.membership_id == Membership.id) & (Absence.session_id == session.id)
    rows = w.db.execute(
        select(
            Membership.id,
            Membership.person_id,
            Membership.alias,
            Membership.role,
            Seat.id.label("seat_id"),
            Seat.muted_until,
            Seat.out_at,
            Attendance.id.label("arrival"),
            Attendance.came_at,
            Attendance.last_at,
            Attendance.hand_at,
            Attendance.pause_at,
            Absence.id.label("excused"),
        )
        .join(Seat, (Seat.membership_id == Membership.id) & (Seat.room_id == found.room_id))
        .outerjoin(Attendance, attended)
        .outerjoin(Absence, excused)
        .where(Membership.group_id == found.group_id, Membership.left_at.is_(None))
        .order_by(Membership.alias)
    )
    return [
        Somebody(
            membership_id=row.id,
            person_id=row.person_id,
            seat_id=row.seat_id,
            alias=row.alias,
            role=row.role,
            here=row.out_at is None and is_here(row.last_at, w.now),
            came_at=row.came_at,
            arrival=row.arrival or 0,
            hand_at=row.hand_at,
            pause_at=row.pause_at,
            muted_until=row.muted_until,
            muted=row.muted_until is not None and row.muted_until > w.now,
            out=row.out_at is not None,
            excused=row.excused is not None,
        )
        for row in rows
    ]


def is_here(last_at: datetime | None, now: datetime) -> bool:
    """Was there a sign of life of somebody just now?"""
    return last_at is not None and last_at > now - HERE


def members_here(people: list[Somebody]) -> list[Somebody]:
    """The members who are here, in the order in which they came."""
    return sorted((p for p in people if p.member and p.here and p.came_at), key=lambda p: p.arrival)


def named(people: list[Somebody], alias: str) -> Somebody | None:
    """The member with this alias."""
    return next((p for p in people if p.member and p.alias == alias), None)
