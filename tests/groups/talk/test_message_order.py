"""The sequence of a room: gapless, in the order of the commits, however many write at once."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.core.work import Database
from groups import rooms
from groups.models import Message, Room
from groups.talk import conversation, messages
from groups.talk.messages import Post
from groups.talk.pace import Pace
from tests import builders
from tests.builders import RUDE, Someone
from tests.conftest import Heard


def test_many_writers_share_one_unbroken_sequence(database: Database, heard: Heard) -> None:
    circles = [builders.circle(database, members=4) for _ in range(2)]
    heard.clear()

    def write(mine: int) -> list[messages.Posted]:
        """Six batches, each with a message in both rooms and one that is held, in an order of one's own."""
        given = []
        for number in range(6):
            batch = []
            for circle in circles[:: 1 if mine % 2 else -1]:
                who = circle.members[mine]
                batch += [_by(who, circle.room, f"Zin {mine}.{number}")]
                batch += [_by(who, circle.room, RUDE)] if number == 3 else []
            with database.work() as w:
                given += messages.post(w, batch, Pace())
        return given

    answers = builders.at_once(*[lambda mine=mine: write(mine) for mine in range(4)])
    assert builders.refusals(answers) == []
    for circle in circles:
        with database.read(circle.hanna.actor) as r:
            found = rooms.place(r, circle.room)
            views = conversation.history(r, found, 0)
            last = r.db.scalars(select(Room.last_seq).where(Room.id == found.room_id)).one()
        assert [v.seq for v in views] == list(range(1, 25))
        assert last == 24
        for member in circle.members:  # nobody's own lines change places
            own = [v.text for v in views if v.alias == member.alias]
            assert own == sorted(own)
        told = [i for p in heard.payloads(f"room:{circle.room}", "messages") for i in p["items"]]
        assert sorted(i["seq"] for i in told) == list(range(1, 25))


def test_the_check_for_gaps_can_fail(database: Database) -> None:
    circle = builders.circle(database)
    for _ in range(3):
        circle.post(circle.members[0], f"Zin {uuid.uuid4()}")
    with database.work() as w:
        w.db.delete(w.db.scalars(select(Message).where(Message.seq == 2)).one())
    with database.read(circle.hanna.actor) as r:
        views = conversation.history(r, rooms.place(r, circle.room), 0)
    assert [v.seq for v in views] == [1, 3]


def test_the_same_key_from_two_screens_at_once_is_one_message(database: Database) -> None:
    circle = builders.circle(database)
    key, mees = str(uuid.uuid4()), circle.members[0]
    answers = builders.at_once(*[lambda: circle.post(mees, "Eén keer", key=key)] * 6)
    assert [a for a in answers if isinstance(a, messages.Posted)]
    assert {a.seq for a in answers if isinstance(a, messages.Posted)} == {1}
    assert circle.post(mees, "Eén keer", key=key).seq == 1
    with database.read(mees.actor) as r:
        assert [v.seq for v in conversation.history(r, rooms.place(r, circle.room), 0)] == [1]


def _by(who: Someone, room: str, text: str) -> Post:
    return Post(who.person_id, who.actor.session, room, str(uuid.uuid4()), text)
