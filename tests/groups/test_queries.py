"""What the hot calls cost: a fixed number of statements, however much there is."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import update

from app.core.work import Database
from groups import rooms
from groups.models import Room
from groups.talk import conversation, messages, seating
from groups.talk.messages import Post
from groups.talk.pace import Pace
from tests import builders
from tests.builders import Circle


def _batch(circles: list[Circle], amount: int, **more: object) -> list[Post]:
    """So many ordinary messages, spread over the rooms and their members."""
    batch = []
    for number in range(amount):
        circle = circles[number % len(circles)]
        who = circle.members[number // len(circles) % len(circle.members)]
        key, text = str(uuid.uuid4()), f"Zin {number}"
        batch.append(Post(who.person_id, who.actor.session, circle.room, key, text, **more))
    return batch


def _cost(database: Database, batch: list[Post]) -> int:
    with database.work() as w, builders.statements(database) as sent:
        messages.post(w, batch, Pace())
    return len(sent)


def test_a_batch_costs_four_statements_however_many_messages_and_rooms(database: Database) -> None:
    circles = [builders.circle(database, members=3) for _ in range(5)]
    assert _cost(database, _batch(circles, 50)) == 4
    assert _cost(database, _batch(circles, 100)) == 4
    assert _cost(database, _batch(circles[:1], 1)) == 4


def test_looking_for_known_keys_uses_the_whole_index_however_many_are_asked_for(database: Database) -> None:
    """Rooms, seats and keys as three lists would be tried in every combination."""
    if database.engine.dialect.name != "sqlite":
        return  # PostgreSQL chooses by how much there is
    with database.read() as r:
        asked = f"EXPLAIN QUERY PLAN {seating.known_sql(2, 'sqlite')}"
        plan = r.db.connection().exec_driver_sql(asked, (1, 2, "k", 3, 4, "l")).all()
    assert "SEARCH m USING INDEX" in str(plan), plan
    assert "room_id=? AND seat_id=? AND key=?" in str(plan), plan


@pytest.mark.parametrize("kind", ["refused", "replies"])
def test_refusals_and_replies_in_a_batch_cost_no_more_for_more(database: Database, kind: str) -> None:
    circles = [builders.circle(database, members=3) for _ in range(2)]
    for circle in circles:
        circle.post(circle.members[0], "Hoi allemaal")
    few, many = _batch(circles, 6, reply_to=1), _batch(circles, 18, reply_to=1)
    if kind == "refused":
        for post in few + many:
            object.__setattr__(post, "room", "nosuchroom12")
    assert _cost(database, many) == _cost(database, few)


@pytest.mark.parametrize(("more", "statements"), [({}, 3), ({"reply_to": 1}, 4)])
def test_reading_costs_a_fixed_number_of_statements_whatever_the_history(
    database: Database, more: dict[str, object], statements: int
) -> None:
    """What the reader hid, the messages, their reactions; what they answer where one does."""
    circle = builders.circle(database)
    with database.work() as w:
        w.db.execute(update(Room).values(pace=1_000))
    circle.post(circle.members[0], builders.ORDINARY)
    for amount in (1, 200):
        with database.work() as w:
            messages.post(w, _batch([circle], amount, **more), Pace())
        with database.read(circle.members[0].actor) as r, builders.statements(database) as sent:
            found = rooms.place(r, circle.room)
            assert len(sent) == 1
            conversation.history(r, found, 0)
            assert len(sent) == 1 + statements
            conversation.latest(r, found)
            assert len(sent) == 1 + 2 * statements
            rooms.places(r)
            assert len(sent) == 2 + 2 * statements
