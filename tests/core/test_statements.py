"""Statements as text that is worked out once: the same rows as by the usual way, for every length of their lists."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, bindparam, cast, insert, select, update

from app.core.db import Moment, moment
from app.core.statements import Written, padded
from app.core.work import Database
from groups.models import Message, Room, Seat
from tests import builders

_SEATS = (
    select(Seat.id, Seat.alias, Seat.muted_until, Room.kind)
    .join(Room, Room.id == Seat.room_id)
    .where(
        Seat.alias.in_(bindparam("aliases", expanding=True)),
        Room.public_id.in_(bindparam("rooms", expanding=True)),
        Room.kind == "group",
        Seat.muted_until.is_(None) | (Seat.muted_until > bindparam("now", type_=Moment)),
    )
    .order_by(Seat.id)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["Mees_duin", "Noor_eik", "Jip_kiezel", "Hanna", "Niemand"]), min_size=1, max_size=9))
def test_it_finds_what_the_usual_way_finds(database: Database, aliases: list[str]) -> None:
    with database.read() as r:
        first = r.db.scalars(select(Room.public_id).order_by(Room.id)).first()
    room = first or builders.circle(database).room
    with database.work() as w:
        values = {"aliases": padded(aliases), "rooms": padded([room]), "now": w.now}
        usual = w.db.execute(_SEATS, values).all()
        written = Written(_SEATS, ("aliases", "rooms"))
        for _again in range(2):
            rows = written.rows(w.connection, values)
            assert [(row.id, row.alias, moment(row.muted_until), row.kind) for row in rows] == [tuple(r) for r in usual]
    assert {row.alias for row in usual} == set(aliases) - {"Niemand"}


def test_many_rows_are_written_as_their_columns_want_them(database: Database) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Hoi allemaal")
    with database.work() as w:
        row = w.db.scalars(select(Message)).one()
        same = {"room_id": row.room_id, "seat_id": row.seat_id, "text": row.text, "status": "posted", "masked": True}
        Written(insert(Message.__table__)).many(
            w.connection, [same | {"key": f"k{n}", "seq": 100 + n, "at": row.at, "reply_to": None} for n in range(3)]
        )
        Written(
            update(Room.__table__).where(Room.__table__.c.id == bindparam("room")).values(last_seq=bindparam("last"))
        ).many(w.connection, [{"room": row.room_id, "last": 102}])
        at = row.at
    with database.read() as r:
        stored = r.db.scalars(select(Message).where(Message.masked).order_by(Message.seq)).all()
        assert [(m.seq, m.key, m.at, m.text) for m in stored] == [(100 + n, f"k{n}", at, row.text) for n in range(3)]
        assert r.db.scalars(select(Room.last_seq).where(Room.id == row.room_id)).one() == 102
        spelled = r.db.execute(select(cast(Message.at, Text)).distinct()).scalars().all()
        assert len(spelled) == 1  # the one that was posted, and these: what is spelled otherwise compares otherwise


def test_what_does_not_belong_in_a_column_is_refused_here_too(database: Database) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], "Hoi allemaal")
    with database.work() as w:
        row = w.db.scalars(select(Message)).one()
        same = {"room_id": row.room_id, "seat_id": row.seat_id, "text": row.text, "status": "posted", "masked": True}
        rows = [same | {"key": "k", "seq": 9, "at": w.now.replace(tzinfo=None)}]
        with pytest.raises(ValueError, match="time zone"):
            Written(insert(Message.__table__)).many(w.connection, rows)


@given(st.lists(st.integers(), max_size=300))
def test_lists_come_in_few_lengths_and_say_the_same(values: list[int]) -> None:
    long = padded(values)
    assert set(long) == set(values)
    assert len(long) == 0 or (len(long) & (len(long) - 1)) == 0
    assert len(values) <= len(long) < max(1, 2 * len(values)) or not values
