"""Two by two for some minutes: rooms for pairs out of a running session, from which everybody comes back by the clock.

A breakout closes by itself: its room's `closed_at` lies ahead from the beginning, so that nobody has to click and
nothing has to run. What is said there is screened and kept as anywhere else, and facilitators can look in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from app.core import audit, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.led import crowd, stage
from groups.led.crowd import Somebody
from groups.models import Breakout, GroupSession, Hiding, Room, Seat
from groups.rules import FACILITATOR

LONGEST = 30  # minutes

Shuffle = Callable[[list[int]], None]
_by_chance: Shuffle = random.SystemRandom().shuffle


@dataclass(frozen=True, slots=True)
class Aside:
    """A breakout as somebody who has a seat in it sees it: where, how long still, and with whom."""

    room: str
    seconds_left: int
    aliases: tuple[str, ...]


def pairs(
    people: Sequence[int], apart: Collection[frozenset[int]] = (), shuffle: Shuffle = _by_chance
) -> list[tuple[int, ...]]:
    """Everybody in twos, of an odd number one three; pure but for the shuffle. Who wants to be `apart` from somebody is
    kept apart as far as it goes. Nobody alone: of one person there are no pairs.
    """
    if len(people) < 2:
        return []
    drawn = list(people)
    shuffle(drawn)
    clashes = _clashes(drawn, apart)
    for one, other in combinations(range(len(drawn)), 2) if clashes else ():
        drawn[one], drawn[other] = drawn[other], drawn[one]
        now = _clashes(drawn, apart)
        if now < clashes:
            clashes = now
        else:
            drawn[one], drawn[other] = drawn[other], drawn[one]
    return _in_twos(drawn)


def _in_twos(drawn: Sequence[int]) -> list[tuple[int, ...]]:
    made = [tuple(drawn[n : n + 2]) for n in range(0, len(drawn) - len(drawn) % 2, 2)]
    return made if len(drawn) % 2 == 0 else [*made[:-1], (*made[-1], drawn[-1])]


def _clashes(drawn: Sequence[int], apart: Collection[frozenset[int]]) -> int:
    """How many wishes to be apart are not kept."""
    return sum(wish <= set(pair) for wish in apart for pair in _in_twos(drawn))


def start(w: Work, public_id: str, version: int, minutes: int) -> None:
    """Send everybody who is here into pairs for so many minutes. For facilitators.

    Writes a room with seats for each pair, and for the facilitators in each; announces to each member where they go,
    and the state. Who is not here stays in the room. Raises `Closed` if the session moved meanwhile, is paused, or
    pairs are out already; `Invalid` for fewer than two, or another number of minutes.
    """
    session, found = steering.running(w, public_id)
    if not 1 <= minutes <= LONGEST:
        raise Invalid(N_("Kies 1 tot 30 minuten. Iedereen is nog bij elkaar."))
    steering.change(w, session, version)
    if session.paused_at is not None:
        raise Closed(N_("De bijeenkomst staat op pauze. Kies eerst ‘Verder’; iedereen is nog bij elkaar."))
    seen = stage.scene(w, session, found)
    if seen.pairs_end:
        raise Closed(N_("Iedereen zit al twee aan twee. Roep eerst iedereen terug."))
    here = {p.membership_id: p for p in crowd.members_here(seen.people)}
    made = pairs(list(here), _apart(w, seen.people))
    if not made:
        raise Invalid(N_("Twee aan twee kan vanaf twee deelnemers. Er is niets veranderd."))
    leads = [p for p in seen.people if p.role == FACILITATOR]
    ends_at = w.now + timedelta(minutes=minutes)
    for pair in made:
        members = [here[member] for member in pair]
        room = _open(w, session, found, ends_at, [*members, *leads])
        for member in members:
            w.announce(
                f"person:{member.person_id}",
                "notice",
                {"kind": "breakout", "room": room, "back": found.room, "seconds": minutes * 60},
            )
    audit.record(w, "breakouts.opened", "session", session.id)
    stage.tell(w, session, found)


def call_back(w: Work, public_id: str, version: int) -> None:
    """Call everybody back before the time is over. For facilitators. Raises `Closed` if the session moved meanwhile."""
    session, found = steering.running(w, public_id)
    steering.change(w, session, version)
    end(w, session, found)
    stage.tell(w, session, found)


def end(w: Work, session: GroupSession, found: rooms.Place) -> None:
    """End the breakouts that still run, now; whoever is in one hears to come back. The caller tells the state."""
    ended = w.db.scalars(
        update(Breakout)
        .where(Breakout.session_id == session.id, Breakout.ends_at > w.now)
        .values(ends_at=w.now)
        .returning(Breakout.room_id)
    ).all()
    if not ended:
        return
    w.db.execute(update(Room).where(Room.id.in_(ended)).values(closed_at=w.now))
    for person_id in sorted(_seated(w, ended)):
        w.announce(f"person:{person_id}", "notice", {"kind": "back", "room": found.room})


def mine(w: Work, found: rooms.Place) -> list[Aside]:
    """The breakouts that run now and in which the actor has a seat: a member's own, of a facilitator all of them.

    `found` is their place in the group's room. One query.
    """
    if found.kind != "group" or found.out:
        return []
    own = aliased(Seat)
    rows = w.db.execute(
        select(Room.public_id, Room.closed_at, Seat.alias, Seat.role)
        .join(own, (own.room_id == Room.id) & (own.person_id == w.who.person_id) & own.left_at.is_(None))
        .join(Seat, (Seat.room_id == Room.id) & Seat.left_at.is_(None))
        .where(Room.group_id == found.group_id, Room.kind == "breakout", Room.closed_at > w.now)
        .order_by(Room.id, Seat.alias)
    ).all()
    ends = {row.public_id: row.closed_at for row in rows}
    return [
        Aside(
            room,
            max(0, round((at - w.now).total_seconds())),
            tuple(row.alias for row in rows if row.public_id == room and row.role != FACILITATOR),
        )
        for room, at in ends.items()
    ]


def elsewhere(w: Work, found: rooms.Place) -> str | None:
    """The room in which somebody who opens this one is awaited now: a member's own breakout, and once it is over the
    group's room again. At most one query.
    """
    if found.kind == "breakout" and not seconds_left(w, found):
        return main_room(w, found)
    aside = mine(w, found) if found.kind == "group" and not found.leads else []
    return aside[0].room if aside else None


def awaited(w: Work, found: rooms.Place) -> dict[str, Any] | None:
    """For the live door: of somebody in the group's room, the breakout they are awaited in; of somebody in a breakout
    how long it lasts, with the room to come back to.
    """
    if found.kind == "breakout":
        return {"room": found.room, "back": main_room(w, found), "seconds": seconds_left(w, found)}
    aside = mine(w, found) if found.kind == "group" and not found.leads else []
    return {"room": aside[0].room, "back": found.room, "seconds": aside[0].seconds_left} if aside else None


def main_room(w: Work, found: rooms.Place) -> str:
    """The group's own room, to come back to from a breakout."""
    return rooms.group_place(w, found.group, out_too=True).room


def seconds_left(w: Work, found: rooms.Place) -> int:
    """How long the breakout in which the actor stands still lasts."""
    return max(0, round((found.closed_at - w.now).total_seconds())) if found.closed_at else 0


def step_out(w: Work, room: str) -> str:
    """Leave one's breakout before it is over, back to the group; nobody has to stay. Returns the group's room.

    Writes one's seat. Raises `NotFound` where the room is no breakout.
    """
    found = rooms.place(w, room)
    if found.kind != "breakout" or found.leads:
        raise NotFound
    w.db.execute(update(Seat).where(Seat.id == found.seat_id).values(left_at=w.now))
    return main_room(w, found)


def take_out(w: Work, session: GroupSession, membership_id: int, at: datetime | None) -> None:
    """Keep somebody out of the breakouts of a session since `at`, or not any more."""
    its_rooms = select(Breakout.room_id).where(Breakout.session_id == session.id)
    w.db.execute(update(Seat).where(Seat.membership_id == membership_id, Seat.room_id.in_(its_rooms)).values(out_at=at))


def _open(w: Work, session: GroupSession, found: rooms.Place, ends_at: datetime, people: Sequence[Somebody]) -> str:
    room = Room(public_id=ids.public_id(), group_id=found.group_id, kind="breakout", closed_at=ends_at)
    w.db.add(room)
    w.db.flush()
    w.db.add(Breakout(session_id=session.id, room_id=room.id, ends_at=ends_at))
    w.db.add_all(
        Seat(
            public_id=ids.public_id(),
            room_id=room.id,
            person_id=p.person_id,
            membership_id=p.membership_id,
            alias=p.alias,
            role=p.role,
            muted_until=p.muted_until,
        )
        for p in people
    )
    w.db.flush()
    return room.public_id


def _apart(w: Work, people: Sequence[Somebody]) -> set[frozenset[int]]:
    """Who does not want to see what somebody else says: those two are not put together. One query."""
    member = {p.seat_id: p.membership_id for p in people}
    rows = w.db.execute(
        select(Hiding.seat_id, Hiding.hidden_seat_id).where(
            Hiding.seat_id.in_(member), Hiding.hidden_seat_id.in_(member)
        )
    )
    return {frozenset((member[one], member[other])) for one, other in rows if other is not None}


def _seated(w: Work, room_ids: Collection[int]) -> set[int]:
    rows = w.db.scalars(select(Seat.person_id).where(Seat.room_id.in_(room_ids), Seat.left_at.is_(None)))
    return {person_id for person_id in rows if person_id is not None}
