"""How many fit in a group, and who waits for a place. Nobody in the group knows of who waits but its facilitators.

A place is taken while the group's row is held: two who come in at once for the last place become one who has it and
one who waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import aliases
from app.core import audit, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Group, Membership, WaitingPlace
from groups.rules import MEMBER

FEWEST, MOST = 3, 12  # members of a group at most: what a cap may be
LEAST = 2  # members a session may need to start


@dataclass(frozen=True, slots=True)
class Sizes:
    """How full a group is, for its facilitators."""

    members: int
    cap: int
    minimum: int

    @property
    def free(self) -> int:
        return max(0, self.cap - self.members)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits, as facilitators see them."""

    ref: str
    alias: str
    since_on: date


@dataclass(frozen=True, slots=True)
class OwnWait:
    """One's own place on a waiting list."""

    ref: str
    group_name: str
    alias: str


def take_place(w: Work, group_id: int, person_id: int, alias: str) -> bool:
    """Give a person with an invitation a place in the group, or one on its waiting list; returns whether they are in.

    For the doors that used up an invitation. Holds the group. Who waits has their alias already; the facilitators are
    told that somebody waits. Raises `Invalid` when the alias was taken in the meantime.
    """
    if not is_full(w, group_id, hold=True):
        rooms.enter(w, group_id, person_id, alias)
        return True
    organisation_id = w.db.scalars(select(Group.organisation_id).where(Group.id == group_id)).one()
    aliases.take(w, organisation_id, alias)
    row = WaitingPlace(
        public_id=ids.public_id(), group_id=group_id, person_id=person_id, alias=alias, since_on=w.now.date()
    )
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:
        raise Closed(
            N_("Je staat al op de wachtlijst van deze groep. Bij Vandaag lees je het zodra je naar binnen kunt.")
        ) from None
    _tell_leads(w, group_id, "somebody_waits", f"waits:{row.public_id}")
    return False


def is_full(w: Work, group_id: int, *, hold: bool = False) -> bool:
    """Is every place taken, or does somebody wait already? `hold` keeps it so until the end of the work."""
    if hold:
        rooms.lock_group(w, group_id)
    sizes = _sizes(w, group_id)
    return sizes.free <= _count(w, group_id)


def mine(w: Work) -> list[OwnWait]:
    """Where the actor waits for a place. One query."""
    rows = w.db.execute(
        select(WaitingPlace.public_id, Group.name, WaitingPlace.alias)
        .join(Group, Group.id == WaitingPlace.group_id)
        .where(WaitingPlace.person_id == w.who.person_id)
        .order_by(WaitingPlace.id)
    )
    return [OwnWait(*row) for row in rows]


def step_back(w: Work, ref: str) -> None:
    """Wait no longer. For who waits; their alias rests. Raises `NotFound`."""
    row = _row(w, ref)
    if row is None or row.person_id != w.who.person_id:
        raise NotFound
    _forget(w, row)


def sizes(w: Work, group: str) -> Sizes:
    """How full a group is. For its facilitators. Raises `NotFound`, `Forbidden`."""
    return _sizes(w, rooms.lead_place(w, group).group_id)


def waiting(w: Work, group: str) -> list[Waiting]:
    """Who waits for a place, the first one first. For the group's facilitators. Raises `NotFound`, `Forbidden`."""
    found = rooms.lead_place(w, group)
    rows = w.db.scalars(select(WaitingPlace).where(WaitingPlace.group_id == found.group_id).order_by(WaitingPlace.id))
    return [Waiting(row.public_id, row.alias, row.since_on) for row in rows]


def counts(w: Work) -> dict[str, int]:
    """How many wait, by group, in the groups that the actor leads. One query."""
    rows = w.db.execute(
        select(Group.public_id, func.count(WaitingPlace.id).label("many"))
        .join(WaitingPlace, WaitingPlace.group_id == Group.id)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == w.who.person_id, Membership.role != MEMBER, Membership.left_at.is_(None))
        .group_by(Group.public_id)
    )
    return {row.public_id: row.many for row in rows}


def let_in(w: Work, group: str, ref: str, *, one_more: bool = False) -> None:
    """Let somebody in who waits: the first, or another. For the group's facilitators.

    With `one_more`, a full group gets one place more. Writes the membership and an audit line, queues a neutral
    notice to the person. Raises `Closed` when there is no room, `NotFound`, `Forbidden`.
    """
    found = rooms.lead_place(w, group)
    rooms.lock_group(w, found.group_id)
    row = _row(w, ref)
    if row is None or row.group_id != found.group_id:
        raise NotFound
    full = _sizes(w, found.group_id)
    if not full.free and one_more and full.members < MOST:
        _resize(w, found.group_id, full.members + 1, full.minimum)
    elif not full.free:
        raise Closed(N_("De groep is vol. Maak eerst een plek vrij of maak de groep groter; er is niets veranderd."))
    person_id, alias = row.person_id, row.alias
    w.db.delete(row)
    w.db.flush()
    membership = rooms.enter(w, found.group_id, person_id, alias, reserved=True)
    audit.record(w, "waiting.let_in", "membership", membership.id)
    outbox.queue(w, person_id, "let_in", found.group, f"let in:{ref}")
    outbox.settle(w, "somebody_waits", [] if waiting(w, group) else [group])


def resize(w: Work, group: str, cap: int, minimum: int) -> None:
    """Set how many members fit, and how many a session needs to start. For the group's facilitators.

    Nobody has to leave when the cap goes below how many there are. Writes an audit line. Raises `Invalid`, `NotFound`,
    `Forbidden`.
    """
    found = rooms.lead_place(w, group)
    if not FEWEST <= cap <= MOST or not LEAST <= minimum <= cap:
        raise Invalid(N_("Een groep heeft 3 tot 12 plekken, en begint met minstens 2. Er is niets veranderd."))
    rooms.lock_group(w, found.group_id)
    _resize(w, found.group_id, cap, minimum)
    audit.record(w, "group.resized", "group", found.group_id)


def place_came_free(w: Work, membership: Membership) -> None:
    """Tell the facilitators that somebody who waits can come in. Runs whenever a membership ends."""
    if membership.role == MEMBER and _count(w, membership.group_id):
        _tell_leads(w, membership.group_id, "place_free", f"free:{membership.id}")


def _sizes(w: Work, group_id: int) -> Sizes:
    inside = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.group_id == group_id, Membership.role == MEMBER, Membership.left_at.is_(None))
    )
    row = w.db.execute(select(inside.scalar_subquery(), Group.cap, Group.minimum).where(Group.id == group_id)).one()
    return Sizes(*row)


def _count(w: Work, group_id: int) -> int:
    return w.db.scalar(select(func.count()).where(WaitingPlace.group_id == group_id)) or 0


def _row(w: Work, ref: str) -> WaitingPlace | None:
    if not ids.is_ref(ref):
        return None
    return w.db.scalar(select(WaitingPlace).where(WaitingPlace.public_id == ref).with_for_update())


def _resize(w: Work, group_id: int, cap: int, minimum: int) -> None:
    w.db.execute(update(Group).where(Group.id == group_id).values(cap=cap, minimum=minimum))


def _forget(w: Work, row: WaitingPlace) -> None:
    organisation_id = w.db.scalars(select(Group.organisation_id).where(Group.id == row.group_id)).one()
    aliases.give_back(w, organisation_id, {row.alias})
    w.db.execute(delete(WaitingPlace).where(WaitingPlace.id == row.id))


def _tell_leads(w: Work, group_id: int, kind: str, key: str) -> None:
    group = w.db.scalars(select(Group.public_id).where(Group.id == group_id)).one()
    for lead in rooms.facilitators_of(w, group_id):
        outbox.queue(w, lead.person_id, kind, group, f"{key}:{lead.ref}")
