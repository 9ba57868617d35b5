"""Quiet reactions: with names and in order, each once, gone with the message."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import func, select

from app.core.errors import Closed, Invalid, NotFound
from app.core.work import Database
from groups import rooms
from groups.models import Message, Reaction, Room
from groups.subjects import MessageSubject
from groups.talk import conversation, editing, hiding, reactions
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import Heard


@pytest.fixture
def circle(database: Database) -> Circle:
    made = builders.circle(database)
    made.post(made.members[0], "Zondagavond is het lastigst")
    return made


def give(circle: Circle, who: Someone, kind: str = "recognise", *, on: bool = True, seq: int = 1) -> dict[str, tuple]:
    with circle.database.work(who.actor) as w:
        return dict(reactions.react(w, circle.room, seq, kind, on))


def seen(circle: Circle, who: Someone) -> dict[str, tuple[str, ...]]:
    with circle.database.read(who.actor) as r:
        [view] = conversation.latest(r, rooms.place(r, circle.room))
    return dict(view.reactions)


def test_a_reaction_is_shown_with_names_in_the_order_in_which_they_came(circle: Circle, heard: Heard) -> None:
    mees, noor, jip = circle.members
    heard.clear()
    give(circle, noor)
    give(circle, jip, "strength")
    assert give(circle, jip) == {"recognise": (noor.alias, jip.alias), "strength": (jip.alias,)}
    assert seen(circle, mees) == {"recognise": (noor.alias, jip.alias), "strength": (jip.alias,)}
    last = heard.payloads(f"room:{circle.room}", "message.reactions")[-1]
    assert last == {
        "room": circle.room,
        "seq": 1,
        "reactions": {"recognise": [noor.alias, jip.alias], "strength": [jip.alias]},
    }


def test_twice_is_once_in_both_directions_and_only_a_change_is_told(circle: Circle, heard: Heard) -> None:
    _mees, noor, _jip = circle.members
    heard.clear()
    assert give(circle, noor) == give(circle, noor) == {"recognise": (noor.alias,)}
    assert give(circle, noor, on=False) == give(circle, noor, on=False) == {}
    assert heard.events(f"room:{circle.room}") == ["message.reactions"] * 2


def test_two_screens_at_once_are_one_reaction(circle: Circle, database: Database) -> None:
    noor, jip = circle.members[1:]
    answers = builders.at_once(*[partial(give, circle, who) for who in (noor, noor, jip, jip)])
    assert builders.refusals(answers) == []
    with database.read() as r:
        assert r.db.scalar(select(func.count(Reaction.id))) == 2


def test_reactions_go_with_the_message_and_nobody_reacts_to_what_is_gone(circle: Circle, database: Database) -> None:
    mees, noor, jip = circle.members
    give(circle, noor)
    with database.work(mees.actor) as w:
        editing.withdraw(w, circle.room, 1)
    assert seen(circle, noor) == {}
    with database.read() as r:
        assert r.db.scalar(select(func.count(Reaction.id))) == 0
    with pytest.raises(NotFound):
        give(circle, jip)


def test_what_a_moderator_hid_shows_no_reactions(circle: Circle, database: Database) -> None:
    give(circle, circle.members[1])
    with database.work(circle.hanna.actor) as w:
        MessageSubject().reject(w, w.db.scalars(select(Message.id)).one(), "tone")
    assert seen(circle, circle.members[2]) == {}


def test_who_hid_somebody_does_not_see_that_they_reacted(circle: Circle, database: Database) -> None:
    mees, noor, jip = circle.members
    give(circle, noor)
    give(circle, jip)
    with database.work(mees.actor) as w:
        hiding.hide_person(w, circle.room, noor.alias)
    assert seen(circle, mees) == {"recognise": (jip.alias,)}
    assert seen(circle, jip) == {"recognise": (noor.alias, jip.alias)}


def test_nobody_reacts_from_outside_in_a_closed_room_or_with_something_else(circle: Circle, database: Database) -> None:
    stranger = builders.circle(database).members[0]
    with pytest.raises(NotFound):
        give(circle, stranger)
    with pytest.raises(Invalid):
        give(circle, circle.members[1], "laugh")
    with pytest.raises(NotFound):
        give(circle, circle.members[1], seq=9)
    with database.work() as w:
        w.db.scalars(select(Room).where(Room.public_id == circle.room)).one().closed_at = w.now
    with pytest.raises(Closed):
        give(circle, circle.members[1])


def test_all_reactions_of_a_page_cost_one_statement(circle: Circle, database: Database) -> None:
    mees, noor, jip = circle.members
    costs = []
    for number in range(1, 6):
        for who in (noor, jip):
            for kind in reactions.KINDS:
                give(circle, who, kind, seq=number)
        with database.read(mees.actor) as r:
            found = rooms.place(r, circle.room)
            with builders.statements(database) as sent:
                conversation.latest(r, found)
            costs.append(len([s for s in sent if "reactions" in s]))
        circle.post((mees, noor, jip)[number % 3], f"Zin {number}")
    assert costs == [1] * 5
