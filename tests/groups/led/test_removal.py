"""Sending somebody out of a session: they hear nothing more of it, keep their place, and come back when let in."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, NotFound
from app.core.work import Database
from groups import live, rooms
from groups.led import answering, presence, removal, rounds, sessions, showing
from groups.models import Seat
from groups.people import leaving
from groups.talk import conversation
from tests import builders
from tests.conftest import Heard
from tests.groups.led.evening import WHICH, Led, by, led


def _out(database: Database) -> Led:
    it = led(database)
    it.arrive()
    by(it.circle, it.circle.members[0], presence.raise_hand, it.circle.room, True)
    it.lead(removal.send_out, "Mees_duin")
    return it


def _hears(it: Led, who: builders.Someone) -> set[str]:
    with it.circle.database.read() as r:
        return {topic for _session, topic in rooms.may_follow(r, [who.actor.session])}


def test_who_is_sent_out_is_told_and_then_cut_off(database: Database, heard: Heard) -> None:
    it = _out(database)
    mees = it.circle.members[0]
    assert heard.events(f"person:{mees.person_id}")[-2:] == ["notice", "revoked"]
    assert heard.payloads(f"person:{mees.person_id}", "notice")[-1] == {"kind": "out", "room": it.circle.room}
    assert _hears(it, mees) == set()
    seen = it.roster()["Mees_duin"]
    assert (seen.out, seen.here, seen.hand) == (True, False, False)
    assert (it.state()["hands"], it.state()["present"]) == ([], 2)
    assert "out" not in it.state()  # the others are not told who


def test_no_door_of_the_room_is_open_to_them(database: Database) -> None:
    it = _out(database)
    mees, room = it.circle.members[0], it.circle.room
    doors = [
        lambda w: rooms.place(w, room),
        lambda w: live._join(w, live.Stretch(room, None, 50)),
        lambda w: live._sync(w, live.Stretch(room, 0, 50)),
        lambda w: live._here(w, live.Stretch(room, None, 50)),
        lambda w: conversation.mark_read(w, room, 1),
        lambda w: presence.raise_hand(w, room, True),
        lambda w: presence.ask_pause(w, room, True),
        lambda w: rounds.take(w, room, "done"),
        lambda w: answering.answer(w, room, WHICH, ["1"]),
        lambda w: showing.step(w, room, "abc"),
    ]
    for door in doors:
        with database.work(mees.actor) as w, pytest.raises(Forbidden) as refusal:
            door(w)
        assert "staat er nog" in refusal.value.message
    assert it.roster()["Mees_duin"].came


def test_they_have_a_page_with_somebody_to_write_to(database: Database) -> None:
    it = _out(database)
    with database.read(it.circle.members[0].actor) as r:
        page = showing.outside(r, it.circle.room)
    assert (page["session"]["notes"], page["readers"].names) == ([], ("Hanna",))
    with database.read(it.circle.members[1].actor) as r, pytest.raises(NotFound):
        showing.outside(r, it.circle.room)


def test_they_can_still_leave_the_group(database: Database) -> None:
    it = _out(database)
    by(it.circle, it.circle.members[0], leaving.leave, it.circle.group)
    assert "Mees_duin" not in it.roster()


def test_a_buddys_room_is_none_of_it(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    it.circle.pair(mees, noor)
    it.lead(removal.send_out, "Mees_duin")
    with database.read(mees.actor) as r:
        pair = next(p for p in rooms.places(r) if p.kind == "pair")
        assert rooms.place(r, pair.room).alias == it.circle.known_as(mees)
    assert _hears(it, mees) == {f"room:{pair.room}"}


def test_who_is_let_in_is_in_again(database: Database, heard: Heard) -> None:
    it = _out(database)
    mees = it.circle.members[0]
    it.lead(removal.let_in, "Mees_duin")
    assert heard.payloads(f"person:{mees.person_id}", "notice")[-1] == {"kind": "in", "room": it.circle.room}
    it.arrive(mees)
    assert it.roster()["Mees_duin"].here
    assert f"room:{it.circle.room}" in _hears(it, mees)


def test_the_closing_lets_everybody_in(database: Database, heard: Heard) -> None:
    it = _out(database)
    it.lead(removal.send_out, "Noor_eik")
    heard.clear()
    it.do(sessions.close)
    with database.read() as r:
        assert r.db.scalars(select(Seat.id).where(Seat.out_at.is_not(None))).all() == []
    for who in it.circle.members[:2]:
        assert heard.payloads(f"person:{who.person_id}", "notice") == [{"kind": "in", "room": it.circle.room}]
        assert it.circle.post(who, "Ik ben er weer").status == "posted"


def test_two_facilitators_send_somebody_out_once(database: Database, heard: Heard) -> None:
    it = led(database)
    ilse, mees = it.circle.second_lead(), it.circle.members[0]
    sends = [lambda who=who: it.lead(removal.send_out, "Mees_duin", who=who) for who in (it.circle.hanna, ilse)]
    assert builders.refusals(builders.at_once(*sends)) == []
    assert heard.events(f"person:{mees.person_id}") == ["notice", "revoked"]
    with database.read() as r:
        assert r.db.scalars(select(AuditLine.action)).all().count("member.sent_out") == 1


def test_only_members_of_the_own_group_only_while_it_runs_and_only_by_who_leads(database: Database) -> None:
    it, other = led(database), builders.circle(database)
    it.circle.second_lead()
    for call in (removal.send_out, removal.let_in):
        for alias in ("Hanna", "Ilse", "Niemand", ""):
            with pytest.raises(NotFound):
                it.lead(call, alias)
        with pytest.raises(Forbidden):
            by(it.circle, it.circle.members[1], call, it.ref, "Mees_duin")
        with pytest.raises(NotFound):
            by(it.circle, other.hanna, call, it.ref, "Mees_duin")
    it.do(sessions.close)
    with pytest.raises(Closed):
        it.lead(removal.send_out, "Mees_duin")


def test_what_they_say_meanwhile_is_placed_nowhere(database: Database) -> None:
    it = _out(database)
    with pytest.raises(Forbidden):
        it.circle.post(it.circle.members[0], "Hoor je me?", key=str(uuid.uuid4()))
    with database.read(it.circle.hanna.actor) as r:
        assert conversation.latest(r, rooms.place(r, it.circle.room)) == []
