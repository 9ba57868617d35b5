"""Two by two for some minutes: everybody finds their room, and is back by the clock."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.core.errors import Closed, Forbidden, Invalid, Muted, NotFound
from app.core.permissions import Role
from app.core.work import Database
from groups import live, readers, rooms
from groups.led import breakouts, presence, removal, sessions
from groups.led.breakouts import Aside, pairs
from groups.models import Breakout, Room
from groups.subjects import MessageSubject
from groups.talk import conversation, hiding
from moderation import queue, subjects
from tests import builders
from tests.builders import RUDE, Someone
from tests.conftest import FrozenClock, Heard
from tests.groups.led.evening import Led, by, led


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"message": MessageSubject()})


def _apart(database: Database, members: int = 4, minutes: int = 10) -> Led:
    it = led(database, members)
    it.arrive()
    it.do(breakouts.start, minutes)
    return it


def _mine(it: Led, who: Someone) -> list[Aside]:
    with it.circle.database.read(who.actor) as r:
        return breakouts.mine(r, rooms.place(r, it.circle.room))


def _room(it: Led, who: Someone) -> str:
    [aside] = _mine(it, who)
    return aside.room


def _hears(it: Led, who: Someone) -> set[str]:
    with it.circle.database.read() as r:
        return {topic for _session, topic in rooms.may_follow(r, [who.actor.session])}


def test_everybody_who_is_here_gets_one_room_with_one_or_two_others(database: Database, heard: Heard) -> None:
    it = led(database, 6)
    *here, away = it.circle.members
    it.arrive(*here)
    it.do(breakouts.start, 10)
    asides = {who.alias: _mine(it, who) for who in it.circle.members}
    assert asides.pop(away.alias) == []
    assert all(len(found) == 1 for found in asides.values())
    assert sorted(len(set(found[0].aliases)) for found in asides.values()) == [2, 2, 3, 3, 3]
    assert all(alias in found[0].aliases for alias, found in asides.items())
    assert it.state()["breakout"] == {"seconds_left": 600, "rooms": 2}
    for who in here:
        [told] = heard.payloads(f"person:{who.person_id}", "notice")
        assert told == {"kind": "breakout", "room": _room(it, who), "back": it.circle.room, "seconds": 600}
    assert heard.payloads(f"person:{away.person_id}", "notice") == []
    assert len(_mine(it, it.circle.hanna)) == 2


def test_they_are_back_by_the_clock_without_anybody_doing_anything(database: Database, clock: FrozenClock) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    room = _room(it, mees)
    assert it.circle.post(mees, "Hoi daar", room=room).status == "posted"
    assert f"room:{room}" in _hears(it, mees)
    clock.forward(minutes=9, seconds=59)
    assert (_mine(it, mees)[0].seconds_left, it.state()["breakout"]["seconds_left"]) == (1, 1)
    clock.forward(seconds=1)
    assert _mine(it, mees) == []
    assert it.state()["breakout"] is None
    assert f"room:{room}" not in _hears(it, mees)
    assert f"room:{it.circle.room}" in _hears(it, mees)
    with pytest.raises(Closed):
        it.circle.post(mees, "Nog iets", room=room)
    with database.read(mees.actor) as r:
        found = rooms.place(r, room)
        assert breakouts.elsewhere(r, found) == it.circle.room
        assert breakouts.elsewhere(r, rooms.place(r, it.circle.room)) is None
        assert [v.text for v in conversation.latest(r, found)] == ["Hoi daar"]  # kept as any conversation


def test_who_reloads_or_wakes_up_lands_in_their_breakout(database: Database, clock: FrozenClock) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    clock.forward(minutes=4)
    room = _room(it, mees)

    def joined(of: str, who: Someone = mees) -> dict[str, object]:
        found: dict[str, object] = by(it.circle, who, live._join, live.Stretch(of, None, 50)).ack
        return found

    with database.read(mees.actor) as r:
        assert breakouts.elsewhere(r, rooms.place(r, it.circle.room)) == room
    assert joined(it.circle.room)["breakout"] == {"room": room, "back": it.circle.room, "seconds": 360}
    assert joined(room)["breakout"] == {"room": room, "back": it.circle.room, "seconds": 360}
    assert joined(it.circle.room, it.circle.hanna)["breakout"] is None  # a facilitator goes where they like
    clock.forward(minutes=6)
    assert joined(it.circle.room)["breakout"] is None
    assert joined(room)["breakout"] == {"room": room, "back": it.circle.room, "seconds": 0}


def test_a_breakout_is_no_room_that_lasts(database: Database) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    with database.read(mees.actor) as r:
        assert [p.room for p in rooms.places(r)] == [it.circle.room]
        assert rooms.home(r).room == it.circle.room
        assert rooms.group_place(r, it.circle.group).room == it.circle.room


def test_being_in_a_breakout_is_being_in_the_session(database: Database, clock: FrozenClock) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    clock.forward(seconds=80)
    with database.work(mees.actor) as w:
        presence.arrive(w, rooms.place(w, _room(it, mees)))
    assert [p.alias for p in it.roster().values() if p.here] == ["Mees_duin"]
    assert it.state()["present"] == 1


def test_what_is_said_there_is_screened_and_reviewed_without_what_stood_before(database: Database) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    room = _room(it, mees)
    it.circle.post(mees, "Dit blijft tussen ons", room=room)
    assert it.circle.post(mees, RUDE, room=room).status == "held"
    with database.work(it.circle.hanna.actor) as w:
        [card] = queue.waiting(w)
        detail = queue.look(w, card.public_id)
    assert (detail.subject.alias, detail.subject.text, detail.subject.context) == ("Mees_duin", RUDE, ())


def test_members_are_told_that_facilitators_can_look_in(database: Database) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    with database.read(mees.actor) as r:
        told = readers.of_room(r, rooms.place(r, _room(it, mees)))
    assert (told.members, told.names) == (1, ("Hanna",))
    assert told.reviewers == {Role.FACILITATOR, Role.MODERATOR}
    assert not told.context
    other = next(who for who in it.circle.members if _room(it, who) != _room(it, mees))
    with database.read(it.circle.hanna.actor) as r:
        assert rooms.place(r, _room(it, mees)).leads
    with database.read(other.actor) as r, pytest.raises(NotFound):
        rooms.place(r, _room(it, mees))


def test_a_facilitator_calls_everybody_back_once(database: Database, heard: Heard) -> None:
    it = _apart(database)
    ilse, version = it.circle.second_lead(), it.version
    heard.clear()
    calls = [
        lambda who=who: by(it.circle, who, breakouts.call_back, it.ref, version) for who in (it.circle.hanna, ilse)
    ]
    answers = builders.at_once(*calls)
    assert [type(a) for a in builders.refusals(answers)] == [Closed]
    for who in it.circle.members:
        assert heard.payloads(f"person:{who.person_id}", "notice") == [{"kind": "back", "room": it.circle.room}]
        assert _mine(it, who) == []
    with database.read() as r:
        assert {room.closed_at for room in r.db.scalars(select(Room).where(Room.kind == "breakout"))} == {r.now}


def test_two_facilitators_send_them_apart_once(database: Database) -> None:
    it = led(database, 4)
    it.arrive()
    ilse, version = it.circle.second_lead(), it.version
    calls = [lambda who=who: by(it.circle, who, breakouts.start, it.ref, version, 5) for who in (it.circle.hanna, ilse)]
    answers = builders.at_once(*calls)
    assert [type(a) for a in builders.refusals(answers)] == [Closed]
    with pytest.raises(Closed):
        it.do(breakouts.start, 5)
    with database.read() as r:
        assert len(r.db.scalars(select(Breakout.id)).all()) == 2


def test_who_is_sent_out_is_out_of_their_breakout_too(database: Database) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    room = _room(it, mees)
    it.lead(removal.send_out, "Mees_duin")
    assert _hears(it, mees) == set()
    with database.read(mees.actor) as r, pytest.raises(Forbidden):
        rooms.place(r, room)
    it.lead(removal.let_in, "Mees_duin")
    assert _room(it, mees) == room


def test_who_is_muted_meanwhile_only_reads_in_their_breakout_too_and_with_their_buddy_still_writes(
    database: Database,
) -> None:
    it = _apart(database)
    mees, noor, *_ = it.circle.members
    it.circle.pair(mees, noor)
    with database.read() as r:
        pair = r.db.scalars(select(Room.public_id).where(Room.kind == "pair")).one()
    room = _room(it, mees)
    by(it.circle, it.circle.hanna, rooms.mute, it.circle.room, mees.alias, 10)
    with pytest.raises(Muted):
        it.circle.post(mees, "Toch nog iets", room=room)
    it.circle.post(mees, "Tussen ons", room=pair)
    by(it.circle, it.circle.hanna, rooms.mute, room, mees.alias, 0)
    for where in (room, it.circle.room):
        it.circle.post(mees, "Ik ben er weer", room=where)
    it.circle.post(noor, "Ik was er nog", room=_room(it, noor))


def test_nobody_has_to_stay(database: Database) -> None:
    it = _apart(database)
    mees = it.circle.members[0]
    room = _room(it, mees)
    assert by(it.circle, mees, breakouts.step_out, room) == it.circle.room
    assert _mine(it, mees) == []
    with pytest.raises(NotFound):
        by(it.circle, mees, breakouts.step_out, it.circle.room)
    with pytest.raises(NotFound):
        it.circle.post(mees, "Toch nog iets", room=room)


def test_too_few_or_too_long_sends_nobody_anywhere(database: Database) -> None:
    it = led(database)
    it.arrive(it.circle.members[0])
    for minutes in (10, 0, 31):
        with pytest.raises(Invalid):
            it.do(breakouts.start, minutes)
    for call, args in ((breakouts.start, (10,)), (breakouts.call_back, ())):
        with pytest.raises(Forbidden):
            by(it.circle, it.circle.members[0], call, it.ref, it.version, *args)
    with database.read() as r:
        assert r.db.scalars(select(Room.id).where(Room.kind == "breakout")).all() == []


def test_a_closing_ends_them(database: Database) -> None:
    it = _apart(database)
    it.do(sessions.close)
    assert all(_mine(it, who) == [] for who in it.circle.members)


def test_who_hid_somebody_is_not_put_beside_them(database: Database) -> None:
    it = led(database, 4)
    it.arrive()
    mees, noor, *_rest = it.circle.members
    it.circle.post(noor, "Hoi")
    by(it.circle, mees, hiding.hide_person, it.circle.room, "Noor_eik")
    for _ in range(6):
        it.do(breakouts.start, 5)
        assert "Noor_eik" not in _mine(it, mees)[0].aliases
        it.do(breakouts.call_back)


def test_a_message_sent_again_there_is_stored_once(database: Database) -> None:
    it = _apart(database)
    mees, key = it.circle.members[0], str(uuid.uuid4())
    room = _room(it, mees)
    assert it.circle.post(mees, "Hoi", key=key, room=room) == it.circle.post(mees, "Hoi", key=key, room=room)


PEOPLE = st.lists(st.integers(0, 40), unique=True, max_size=13)


@given(PEOPLE, st.randoms(use_true_random=False))
def test_everybody_is_in_one_pair_or_the_one_three(people: list[int], chance: random.Random) -> None:
    made = pairs(people, shuffle=chance.shuffle)
    if len(people) < 2:
        assert made == []
        return
    assert sorted(member for pair in made for member in pair) == sorted(people)
    assert sorted(len(pair) for pair in made) == [2] * (len(made) - len(people) % 2) + [3] * (len(people) % 2)


@given(st.integers(4, 12), st.randoms(use_true_random=False))
def test_one_wish_to_be_apart_is_kept_as_soon_as_there_is_room_for_it(amount: int, chance: random.Random) -> None:
    made = pairs(range(amount), {frozenset((0, 1))}, chance.shuffle)
    assert not any({0, 1} <= set(pair) for pair in made)
