"""Groups and rooms: opening them, entering under an alias, finding one's place in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import aliases
from app.accounts.models import Person, SignIn
from app.core import audit, ids
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.work import Work
from app.notify import outbox
from groups.models import Group, Membership, Room, Seat
from groups.rules import FACILITATOR, MEMBER

OUTSIDE = N_("De begeleider vroeg je om nu even niet mee te doen. Wat je typte staat er nog.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in one room: what they may see and under which alias they do so."""

    seat_id: int
    room_id: int
    room: str
    kind: str
    group_id: int
    group: str
    group_name: str
    language: str
    timezone: str
    programme: str
    membership_id: int
    alias: str
    role: str
    read_seq: int
    last_seq: int
    muted_until: datetime | None
    out_at: datetime | None
    closed_at: datetime | None

    @property
    def leads(self) -> bool:
        return self.role == FACILITATOR

    @property
    def out(self) -> bool:
        """Is this person asked to stay out of the running session?"""
        return self.out_at is not None


@dataclass(frozen=True, slots=True)
class Member:
    """A member as facilitators of the same group see them. `ref` is the group's own id for them."""

    ref: str
    membership_id: int
    person_id: int
    alias: str
    role: str
    muted_until: datetime | None


_PLACE = (
    select(
        Seat.id.label("seat_id"),
        Room.id.label("room_id"),
        Room.public_id.label("room"),
        Room.kind,
        Group.id.label("group_id"),
        Group.public_id.label("group"),
        Group.name.label("group_name"),
        Group.language,
        Group.timezone,
        Group.programme,
        Seat.membership_id,
        Seat.alias,
        Seat.role,
        Seat.read_seq,
        Room.last_seq,
        Seat.muted_until,
        Seat.out_at,
        Room.closed_at,
    )
    .join(Room, Room.id == Seat.room_id)
    .join(Group, Group.id == Room.group_id)
    .where(Seat.left_at.is_(None))
)


def place(w: Work, room: str, *, out_too: bool = False) -> Place:
    """The actor's own place in a room. Raises `NotFound` for no such room and for somebody else's alike.

    Who was asked to stay out of the running session is refused with `Forbidden`, but for the doors that are open to
    them too (`out_too`).
    """
    if not ids.is_ref(room):
        raise NotFound
    row = w.db.execute(_PLACE.where(Seat.person_id == w.who.person_id, Room.public_id == room)).first()
    if row is None:
        raise NotFound
    return _let_in(Place(**row._mapping), out_too)


def places(w: Work) -> list[Place]:
    """Every room the actor has a seat in that lasts, group rooms first: a breakout is over in minutes. One query."""
    query = _PLACE.where(Seat.person_id == w.who.person_id, Room.kind != "breakout")
    rows = w.db.execute(query.order_by(Room.kind, Group.id, Room.id))
    return [Place(**row._mapping) for row in rows]


def home(w: Work, group: str = "") -> Place:
    """The actor's own group room, as a member: of `group` where they have several, else the first one.

    Raises `NotFound` for who is in no group.
    """
    own = [found for found in places(w) if found.kind == "group" and not found.leads]
    for found in own:
        if found.group == group:
            return found
    if not own:
        raise NotFound
    return own[0]


def group_place(w: Work, group: str, *, out_too: bool = False) -> Place:
    """The actor's place in the main room of a group they belong to. Raises `NotFound`; `Forbidden` as `place` does."""
    if not ids.is_ref(group):
        raise NotFound
    query = _PLACE.where(Seat.person_id == w.who.person_id, Group.public_id == group, Room.kind == "group")
    row = w.db.execute(query).first()
    if row is None:
        raise NotFound
    return _let_in(Place(**row._mapping), out_too)


def lead_place(w: Work, group: str) -> Place:
    """As `group_place`, for facilitators of that group only. Raises `NotFound` or `Forbidden`."""
    found = group_place(w, group)
    if not found.leads:
        raise Forbidden
    return found


def open_group(
    w: Work,
    organisation_id: int,
    name: str,
    *,
    language: str = "nl",
    timezone: str = "Europe/Amsterdam",
    programme: str | None = None,
) -> Group:
    """Create a group with its room. For staff of the organisation, who know that there is such a `programme`.

    Writes both and an audit line.
    """
    group = Group(
        public_id=ids.public_id(),
        organisation_id=organisation_id,
        name=name,
        language=language,
        timezone=timezone,
        **({"programme": programme} if programme else {}),
        created_on=w.now.date(),
    )
    w.db.add(group)
    w.db.flush()
    w.db.add(Room(public_id=ids.public_id(), group_id=group.id, kind="group"))
    w.db.flush()
    audit.record(w, "group.opened", "group", group.id)
    return group


def enter(
    w: Work, group_id: int, person_id: int, alias: str, role: str = MEMBER, *, reserved: bool = False
) -> Membership:
    """Give a person a place in a group and a seat in its room, under `alias`.

    Called by the door that used up an invitation, or by set-up. A member's alias is taken out of the
    organisation's pool, unless it was `reserved` for them; facilitators are known by their own name. Writes a
    membership and a seat. Raises `Invalid` when the alias was taken in the meantime, or the person is in the group
    already: nothing is written then.
    """
    room = w.db.execute(
        select(Room.id, Group.organisation_id)
        .join(Group, Group.id == Room.group_id)
        .where(Room.group_id == group_id, Room.kind == "group")
    ).first()
    if room is None:
        raise NotFound
    if role == MEMBER and not reserved:
        aliases.take(w, room.organisation_id, alias)
    membership = Membership(
        public_id=ids.public_id(),
        group_id=group_id,
        person_id=person_id,
        alias=alias,
        role=role,
        joined_on=w.now.date(),
    )
    w.db.add(membership)
    try:
        w.db.flush()
    except IntegrityError:
        raise Invalid(
            N_("Deze naam is net door iemand anders gekozen. Kies een andere; verder is alles bewaard.")
        ) from None
    take_seat(w, room.id, membership, alias)
    return membership


def take_seat(w: Work, room_id: int, membership: Membership, alias: str) -> None:
    """Let a member into one more room, under an alias of its own."""
    w.db.add(
        Seat(
            public_id=ids.public_id(),
            room_id=room_id,
            person_id=membership.person_id,
            membership_id=membership.id,
            alias=alias,
            role=membership.role,
        )
    )
    w.db.flush()


def open_pair_room(w: Work, group_id: int, members: Collection[Membership]) -> int:
    """Open a private room for buddies and seat them, each under a new alias. Returns the room's id.

    For `matching.buddies`. Buddies meet as strangers: nothing in here tells who somebody is in the group.
    """
    organisation_id = w.db.scalars(select(Group.organisation_id).where(Group.id == group_id)).one()
    room = Room(public_id=ids.public_id(), group_id=group_id, kind="pair")
    w.db.add(room)
    w.db.flush()
    offers = aliases.offer(w, organisation_id, len(members))
    for membership, alias in zip(members, offers, strict=True):
        aliases.take(w, organisation_id, alias)
        take_seat(w, room.id, membership, alias)
    return room.id


def _let_in(found: Place, out_too: bool) -> Place:
    if found.out and not out_too:
        raise Forbidden(OUTSIDE)
    return found


def aliases_in(w: Work, room_id: int) -> frozenset[str]:
    """The aliases of everybody with a seat in a room."""
    return frozenset(w.db.scalars(select(Seat.alias).where(Seat.room_id == room_id, Seat.left_at.is_(None))))


def members(w: Work, found: Place) -> list[Member]:
    """Everybody in a group, for its facilitators. One query. Raises `Forbidden` for anybody else."""
    if not found.leads:
        raise Forbidden
    rows = w.db.execute(
        select(Membership, Seat.muted_until)
        .join(Seat, (Seat.membership_id == Membership.id) & (Seat.room_id == found.room_id))
        .where(Membership.group_id == found.group_id, Membership.left_at.is_(None))
        .order_by(Membership.role, Membership.alias)
    )
    return [Member(m.public_id, m.id, m.person_id, m.alias, m.role, muted) for m, muted in rows]


def facilitators_of(w: Work, group_id: int) -> list[Member]:
    """The facilitators of a group, in the order they joined it: whom outreach climbs to."""
    rows = w.db.scalars(
        select(Membership)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.group_id == group_id,
            Membership.role == FACILITATOR,
            Membership.left_at.is_(None),
            Person.suspended_at.is_(None),
        )
        .order_by(Membership.id)
    )
    return [Member(m.public_id, m.id, m.person_id, m.alias, m.role, None) for m in rows]


def leads_of_person(w: Work, person_id: int) -> set[int]:
    """Everybody who leads a group that a person is in. One query."""
    theirs = select(Membership.group_id).where(Membership.person_id == person_id, Membership.left_at.is_(None))
    return set(
        w.db.scalars(
            select(Membership.person_id).where(
                Membership.group_id.in_(theirs), Membership.role == FACILITATOR, Membership.left_at.is_(None)
            )
        )
    )


def staff_of(w: Work, group_id: int) -> list[int]:
    """Every member of staff of a group's organisation who can be reached: asked when a group has no facilitator."""
    return list(
        w.db.scalars(
            select(Person.id)
            .join(Group, Group.organisation_id == Person.organisation_id)
            .where(Group.id == group_id, Person.role != Role.CLIENT.value, Person.suspended_at.is_(None))
            .order_by(Person.id)
        )
    )


def alert_staff(w: Work, group_id: int, ref: str) -> None:
    """Queue an alert about a case to the group's facilitators, or to all staff where it has none."""
    people = [m.person_id for m in facilitators_of(w, group_id)] or staff_of(w, group_id)
    for person_id in people:
        outbox.queue(w, person_id, "alert", ref, f"alert:{ref}:{person_id}")


def lock_group(w: Work, group_id: int) -> None:
    """Hold the group's row until the end of the work, where two at once must become one after the other."""
    w.db.execute(select(Group.id).where(Group.id == group_id).with_for_update(key_share=True))


def mute(w: Work, room: str, alias: str, minutes: int) -> None:
    """Let a member only read for a while; 0 minutes lifts it. For facilitators of the room.

    It holds in the breakouts of the group too, and in the group's room for who is in one. Writes the seats and an audit
    line; announces a notice to the member. Raises `Forbidden`, `NotFound`, `Invalid`.
    """
    found = place(w, room)
    if not found.leads:
        raise Forbidden
    if not 0 <= minutes <= 24 * 60:
        raise Invalid
    until = w.now + timedelta(minutes=minutes) if minutes else None
    seat = w.db.execute(
        update(Seat)
        .where(Seat.room_id == found.room_id, Seat.alias == alias, Seat.role == MEMBER, Seat.left_at.is_(None))
        .values(muted_until=until)
        .returning(Seat.id, Seat.person_id, Seat.membership_id)
    ).first()
    if seat is None:
        raise NotFound
    if found.kind != "pair":
        together = select(Room.id).where(Room.group_id == found.group_id, Room.kind != "pair")
        theirs = (Seat.membership_id == seat.membership_id) & Seat.room_id.in_(together)
        w.db.execute(update(Seat).where(theirs).values(muted_until=until))
    audit.record(w, "member.muted" if minutes else "member.unmuted", "seat", seat.id)
    w.announce(f"person:{seat.person_id}", "notice", {"kind": "muted" if minutes else "unmuted", "room": room})


def close_room(w: Work, room_id: int) -> None:
    """Close a room for writing. Raises `Closed` if it was closed already."""
    done = w.db.execute(
        update(Room).where(Room.id == room_id, Room.closed_at.is_(None)).values(closed_at=w.now).returning(Room.id)
    ).first()
    if done is None:
        raise Closed


def may_follow(w: Work, sessions: Collection[str]) -> set[tuple[str, str]]:
    """The room topics these sessions (token hashes) may hear now. One query, for the re-check of open sockets.

    Who was sent out of a running session hears nothing of it, and a breakout is silent once it is over.
    """
    rows = w.db.execute(
        select(SignIn.token_hash, Room.public_id, Seat.role)
        .join(Seat, Seat.person_id == SignIn.person_id)
        .join(Room, Room.id == Seat.room_id)
        .where(
            SignIn.token_hash.in_(sessions),
            Seat.left_at.is_(None),
            Seat.out_at.is_(None),
            (Room.kind != "breakout") | Room.closed_at.is_(None) | (Room.closed_at > w.now),
        )
    )
    allowed = set()
    for session, room, role in rows:
        allowed.add((session, f"room:{room}"))
        if role == FACILITATOR:
            allowed.add((session, f"lead:{room}"))
    return allowed
