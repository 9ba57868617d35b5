"""Who stands where: all that a batch of messages must know of its authors and their rooms, asked once for the batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import bindparam, select

from app.accounts import signins
from app.accounts.models import Person, SignIn
from app.core import ids
from app.core.crypto import DataKey
from app.core.db import Moment, moment
from app.core.statements import Written, padded
from app.core.work import Work
from groups import rules
from groups.models import Group, GroupSession, Room, Seat

Key = tuple[int, str, str]  # person, room, session


class Sent(Protocol):
    """What this module asks of a message on its way in."""

    @property
    def person_id(self) -> int: ...

    @property
    def session(self) -> str: ...

    @property
    def room(self) -> str: ...

    @property
    def key(self) -> str: ...


# Prepared once: building a statement costs more than running it, and these run for every batch.
_SEATS = (
    select(
        Seat.id.label("seat_id"),
        Seat.person_id,
        Seat.alias,
        Seat.role,
        Seat.muted_until,
        Seat.out_at,
        Room.id.label("room_id"),
        Room.public_id.label("room"),
        Room.kind,
        Room.pace,
        Room.last_seq,
        Room.only_staff_writes.label("room_locked"),
        Room.slow_seconds,
        Room.calm_until,
        Room.closed_at,
        Group.id.label("group_id"),
        Group.organisation_id,
        Group.language,
        Group.open_hours,
        Group.timezone,
        SignIn.token_hash,
        DataKey.id.label("key_id"),
        DataKey.master,
        DataKey.wrapped,
        GroupSession.id.label("session_id"),
        GroupSession.only_staff_writes.label("session_locked"),
        GroupSession.paused_at,
    )
    .join(Room, Room.id == Seat.room_id)
    .join(Group, Group.id == Room.group_id)
    .join(SignIn, SignIn.person_id == Seat.person_id)
    .join(Person, Person.id == Seat.person_id)
    .join(DataKey, DataKey.person_id == Seat.person_id)
    .outerjoin(
        GroupSession,
        (GroupSession.group_id == Group.id) & (GroupSession.status == "open") & (Room.kind == "group"),
    )
    .where(
        SignIn.token_hash.in_(bindparam("sessions", expanding=True)),
        Room.public_id.in_(bindparam("rooms", expanding=True)),
        SignIn.revoked_at.is_(None),
        SignIn.expires_at > bindparam("now", type_=Moment),
        Person.suspended_at.is_(None),
        Seat.left_at.is_(None),
    )
    .order_by(Room.id)
)
_LISTS = ("sessions", "rooms")
_WRITTEN = Written(_SEATS, _LISTS)
_WRITTEN_LOCKED = Written(_SEATS.with_for_update(of=Room), _LISTS)


def seats(w: Work, sent: Collection[Sent]) -> dict[Key, Any]:
    """Who stands where, by person, room and session, for sessions that stand now. One query.

    On PostgreSQL it locks the rooms in one order, so that numbers are given without holes and in commit order.
    """
    rooms = padded({one.room for one in sent if ids.is_ref(one.room)})
    if not rooms:
        return {}
    query = _WRITTEN_LOCKED if w.connection.dialect.name == "postgresql" else _WRITTEN
    found = {"rooms": rooms, "sessions": padded({one.session for one in sent}), "now": w.now}
    return {(row.person_id, row.room, row.token_hash): row for row in query.rows(w.connection, found)}


def standing(w: Work, sent: Iterable[Sent], seated: Mapping[Key, Any]) -> set[str]:
    """Which sessions still stand, of those whose owner has no seat where they want to write. At most one query."""
    doubtful = {one.session for one in sent if (one.person_id, one.room, one.session) not in seated}
    return signins.live_sessions(w.db, list(doubtful), w.now) if doubtful else set()


def known(w: Work, sent: Iterable[Sent], seated: Mapping[Key, Any]) -> Sequence[Any]:
    """The messages that are there already under one of these keys. One query, served by the unique index."""
    places = [(seated.get((one.person_id, one.room, one.session)), one.key) for one in sent]
    wanted = padded({(seat.room_id, seat.seat_id, key) for seat, key in places if seat is not None})
    if not wanted:
        return ()
    sql = known_sql(len(wanted), w.connection.dialect.name)
    return w.connection.exec_driver_sql(sql, tuple(chain.from_iterable(wanted))).all()


@lru_cache(maxsize=32)
def known_sql(keys: int, dialect: str) -> str:
    """The query of `known`, written out: joined from a list of rows, each is one step into the index, where lists of
    columns would be tried in every combination, or not by the index at all.
    """
    first, other = ("(%s::int, %s::int, %s::text)", "(%s, %s, %s)") if dialect == "postgresql" else ("(?, ?, ?)",) * 2
    rows = ", ".join([first] + [other] * (keys - 1))
    return (
        f"WITH wanted(room_id, seat_id, key) AS (VALUES {rows})"  # noqa: S608 - only places for values
        " SELECT m.seat_id, m.key, m.seq, m.status, m.masked, m.text FROM wanted CROSS JOIN messages AS m"
        " WHERE m.room_id = wanted.room_id AND m.seat_id = wanted.seat_id AND m.key = wanted.key"
    )


def standing_of(seat: Any, seconds_since_last: float | None) -> rules.Standing:
    """What `rules.may_post` decides on."""
    return rules.Standing(
        role=seat.role,
        muted_until=moment(seat.muted_until),
        room_closed=False,
        only_staff_writes=bool(seat.room_locked or seat.session_locked),
        out=seat.out_at is not None,
        paused=seat.paused_at is not None,
        open_hours=seat.open_hours,
        timezone=seat.timezone,
        slow_seconds=seat.slow_seconds,
        calm_until=moment(seat.calm_until),
        seconds_since_last=seconds_since_last,
        closed_at=moment(seat.closed_at),
        kind=seat.kind,
        session=seat.session_id is not None,
    )
