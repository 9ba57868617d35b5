"""Buddies: a facilitator pairs two or three members, who then have a room of their own and see each other's week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.core import audit, ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Membership, Room, Seat
from groups.rules import MEMBER
from matching.models import Pair, PairMember


@dataclass(frozen=True, slots=True)
class Buddy:
    """A buddy of the actor, as the actor sees them: under the alias of their own room, not of the group."""

    alias: str
    membership_id: int
    person_id: int
    own_membership_id: int
    room: str


def pair(w: Work, group: str, member_refs: Sequence[str]) -> str:
    """Make a pair (or trio) of members of one's own group. For its facilitators.

    Writes the pair, its room and seats, an audit line; queues a notice to each. Returns the pair's public id.
    Raises `Invalid` when it is not two or three different members, or one of them has a buddy already.
    """
    found = rooms.lead_place(w, group)
    rooms.lock_group(w, found.group_id)
    wanted = {ref for ref in member_refs if ids.is_ref(ref)}
    members = w.db.scalars(
        select(Membership).where(
            Membership.group_id == found.group_id,
            Membership.public_id.in_(wanted),
            Membership.role == MEMBER,
            Membership.left_at.is_(None),
        )
    ).all()
    if len(members) != len(wanted) or not 2 <= len(members) <= 3:
        raise Invalid(N_("Kies twee of drie deelnemers van deze groep. Er is nog niemand gekoppeld."))
    if paired(w, found.group_id) & {m.id for m in members}:
        raise Invalid(N_("Een van hen heeft al een duo. Er is nog niemand gekoppeld."))
    room_id = rooms.open_pair_room(w, found.group_id, members)
    made = Pair(
        public_id=ids.public_id(),
        group_id=found.group_id,
        room_id=room_id,
        made_by=w.who.person_id,
        made_on=w.now.date(),
    )
    w.db.add(made)
    w.db.flush()
    w.db.add_all(PairMember(pair_id=made.id, membership_id=m.id) for m in members)
    audit.record(w, "pair.made", "pair", made.id)
    for member in members:
        outbox.queue(w, member.person_id, "paired", made.public_id, f"paired:{made.id}:{member.id}")
    return made.public_id


def of_person(w: Work, person_id: int) -> list[int]:
    """The people who are somebody's buddies now, over all their groups. One query."""
    other = aliased(PairMember)
    own = aliased(Membership)
    return list(
        w.db.scalars(
            select(Membership.person_id)
            .join(other, other.membership_id == Membership.id)
            .join(Pair, Pair.id == other.pair_id)
            .join(PairMember, PairMember.pair_id == Pair.id)
            .join(own, own.id == PairMember.membership_id)
            .where(
                own.person_id == person_id,
                own.left_at.is_(None),
                Membership.person_id != person_id,
                Membership.left_at.is_(None),
                Pair.ended_at.is_(None),
            )
            .distinct()
            .order_by(Membership.person_id)
        )
    )


def step_out(w: Work, membership_id: int) -> None:
    """Somebody is in the group no longer. Their pair ends, unless two others are left in it.

    Writes the pair, closes its room for writing, and queues a notice to whoever stays behind. The caller holds the
    group.
    """
    own = select(PairMember.pair_id).where(PairMember.membership_id == membership_id)
    for found in w.db.scalars(select(Pair).where(Pair.id.in_(own), Pair.ended_at.is_(None))).all():
        staying = w.db.scalars(
            select(Membership)
            .join(PairMember, PairMember.membership_id == Membership.id)
            .where(PairMember.pair_id == found.id, Membership.id != membership_id, Membership.left_at.is_(None))
        ).all()
        if len(staying) >= 2:
            continue
        found.ended_at = w.now
        rooms.close_room(w, found.room_id)
        for membership in staying:
            outbox.queue(
                w, membership.person_id, "pair_ended", found.public_id, f"pair_ended:{found.id}:{membership.id}"
            )


def paired(w: Work, group_id: int) -> frozenset[int]:
    """The memberships of a group that are in a pair now. One query."""
    return frozenset(
        w.db.scalars(
            select(PairMember.membership_id)
            .join(Pair, Pair.id == PairMember.pair_id)
            .join(Membership, Membership.id == PairMember.membership_id)
            .where(Pair.group_id == group_id, Pair.ended_at.is_(None), Membership.left_at.is_(None))
        )
    )


def pairs(w: Work, found: rooms.Place) -> list[tuple[str, ...]]:
    """The pairs of a group as aliases, for its facilitators. One query."""
    if not found.leads:
        raise NotFound
    rows = w.db.execute(
        select(Pair.id, Membership.alias)
        .join(PairMember, PairMember.pair_id == Pair.id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(Pair.group_id == found.group_id, Pair.ended_at.is_(None), Membership.left_at.is_(None))
        .order_by(Pair.id, Membership.alias)
    )
    together: dict[int, list[str]] = {}
    for pair_id, alias in rows:
        together.setdefault(pair_id, []).append(alias)
    return [tuple(aliases) for aliases in together.values()]


def mine(w: Work) -> list[Buddy]:
    """The actor's own buddies, over all their groups. One query."""
    own = select(PairMember.pair_id, Membership.id).join(Membership, Membership.id == PairMember.membership_id)
    own_pairs = own.where(Membership.person_id == w.who.person_id, Membership.left_at.is_(None)).subquery()
    rows = w.db.execute(
        select(Membership, Seat.alias, own_pairs.c.id.label("own_id"), Room.public_id.label("room"))
        .join(PairMember, PairMember.membership_id == Membership.id)
        .join(own_pairs, own_pairs.c.pair_id == PairMember.pair_id)
        .join(Pair, Pair.id == PairMember.pair_id)
        .join(Room, Room.id == Pair.room_id)
        .join(Seat, (Seat.room_id == Room.id) & (Seat.membership_id == Membership.id))
        .where(Pair.ended_at.is_(None), Membership.person_id != w.who.person_id, Membership.left_at.is_(None))
        .order_by(Pair.id, Seat.alias)
    )
    return [Buddy(alias, m.id, m.person_id, own_id, room) for m, alias, own_id, room in rows]
