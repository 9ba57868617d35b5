"""Who can read what is written where, computed from the permissions and the seats that decide about reading.

Every page on which somebody writes shows the answer (templates/components/readers.html). `tests/guards` tries the
doors themselves, as everybody, and compares.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.accounts.models import Person
from app.core.permissions import BUNDLES, Permission, Role
from app.core.readers import NOBODY, Readers, holders
from app.core.work import Work
from groups import rooms
from groups.models import Seat
from groups.rules import FACILITATOR
from moderation import subjects

__all__ = [
    "NOBODY",
    "WRITINGS",
    "Readers",
    "Writing",
    "holders",
    "of_answer",
    "of_glass_note",
    "of_goal",
    "of_note",
    "of_room",
    "of_run_sheet",
    "of_share",
]


@dataclass(frozen=True, slots=True)
class Writing:
    """How one kind of writing is read: by whom has a seat in its room or leads there, by who reviews (as which subject,
    and whether what stood before it is read too), and through broken glass.
    """

    seats: bool = False
    leads: bool = False
    subject: str | None = None
    context: bool = False
    glass: bool = False


WRITINGS = {
    "group": Writing(seats=True, subject="message", context=True, glass=True),
    "pair": Writing(seats=True, subject="message"),
    "breakout": Writing(seats=True, subject="message"),
    "shared": Writing(seats=True, subject="answer"),
    "pooled": Writing(seats=True, subject="answer"),
    "note": Writing(leads=True, subject="note"),
    "counted": Writing(),
    "private": Writing(),
    "share group": Writing(seats=True, subject="share"),
    "share buddy": Writing(seats=True, subject="share"),
    "share staff": Writing(leads=True, subject="share"),
    "run-sheet": Writing(seats=True),
    "topic": Writing(seats=True),
    "glass note": Writing(),
    "goal": Writing(leads=True, subject="goal"),
}


def of_room(w: Work, found: rooms.Place) -> Readers:
    """Who reads what the actor posts in this room. One query."""
    return _readers(w, found, WRITINGS[found.kind])


def of_answer(w: Work, found: rooms.Place, sharing: str) -> Readers:
    """Who reads an answer the actor gives with this sharing (one of `curriculum.SHARING`). At most one query."""
    return _readers(w, found, WRITINGS[sharing])


def of_note(w: Work, found: rooms.Place) -> Readers:
    """Who reads a note to the facilitators. `found` is one's place in the group's room. One query."""
    return _readers(w, found, WRITINGS["note"])


def of_goal(w: Work, found: rooms.Place) -> Readers:
    """Who reads what the actor says of their goal. `found` is one's place in the group's room. One query."""
    return _readers(w, found, WRITINGS["goal"])


def of_note_back(w: Work, found: rooms.Place) -> Readers:
    """Who reads what a facilitator writes to one member: that member, and the other facilitators. One query."""
    return Readers(members=1, names=of_note(w, found).names)


def of_share(w: Work, found: rooms.Place, audience: str) -> Readers:
    """Who reads an answer from the programme shared with this audience (group, buddy or staff). `found` is one's place
    in the room where it is read: the pair's for a buddy, else the group's. One query."""
    return _readers(w, found, WRITINGS[f"share {audience}"])


def of_run_sheet(w: Work, found: rooms.Place) -> Readers:
    """Who reads a facilitator's own lines of a run-sheet, once a session comes to them. One query."""
    return _readers(w, found, WRITINGS["run-sheet"])


def of_topic(w: Work, found: rooms.Place) -> Readers:
    """Who reads what a facilitator calls the topic of a room. One query."""
    return _readers(w, found, WRITINGS["topic"])


def of_glass_note(w: Work) -> Readers:
    """Who reads why somebody broke the glass."""
    return _readers(w, None, WRITINGS["glass note"])


def _readers(w: Work, found: rooms.Place | None, writing: Writing) -> Readers:
    members, names = _seated(w, found) if (writing.seats or writing.leads) and found else (0, ())
    return Readers(
        members if writing.seats else 0,
        names,
        holders(Permission.ORGANISATION_CASE_READ) if writing.subject in subjects.kinds() else frozenset(),
        holders(Permission.ORGANISATION_GLASS_BREAK) if writing.glass else frozenset(),
        writing.context,
    )


def _seated(w: Work, found: rooms.Place) -> tuple[int, tuple[str, ...]]:
    """How many others with a seat may read in the room, and the names of those who are named."""
    rows = w.db.execute(
        select(Seat.alias, Seat.role, Person.role.label("is_a"))
        .join(Person, Person.id == Seat.person_id)
        .where(Seat.room_id == found.room_id, Seat.id != found.seat_id, Seat.left_at.is_(None))
        .order_by(Seat.alias)
    ).all()
    may = [row for row in rows if Permission.GROUP_MESSAGE_READ in BUNDLES[Role(row.is_a)]]
    named = [row.alias for row in may if row.role == FACILITATOR or found.kind == "pair"]
    return len(may) - len(named), tuple(named)
