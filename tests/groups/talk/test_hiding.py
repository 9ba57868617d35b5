"""What somebody does not want to see: gone for them, and nobody else can tell."""

from __future__ import annotations

import pytest

from app.core.errors import Closed, Invalid, NotFound
from app.core.work import Database
from groups import rooms
from groups.talk import conversation, hiding
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import Heard


def _seen(circle: Circle, who: Someone) -> list[tuple[int, str]]:
    with circle.database.read(who.actor) as r:
        items = conversation.history(r, rooms.place(r, circle.room), 0)
    assert all(not v.text for v in items if not v.trace)
    return [(v.seq, v.text) for v in items if v.trace]


def _hide(circle: Circle, who: Someone, *, seq: int = 0, alias: str = "") -> None:
    with circle.database.work(who.actor) as w:
        if alias:
            hiding.hide_person(w, circle.room, alias)
        else:
            hiding.hide_message(w, circle.room, seq)


def _listed(circle: Circle, who: Someone) -> hiding.Listed:
    with circle.database.read(who.actor) as r:
        return hiding.listed(r, rooms.place(r, circle.room))


def _talk(database: Database) -> Circle:
    """Three messages: of Mees, of Noor, of Mees."""
    circle = builders.circle(database)
    for number, line in ((0, "Een"), (1, "Twee"), (0, "Drie")):
        circle.post(circle.members[number], line)
    return circle


def test_a_hidden_message_is_gone_for_who_hid_it_and_for_nobody_else(database: Database, heard: Heard) -> None:
    circle = _talk(database)
    mees, noor, jip = circle.members
    before = {who.alias: _seen(circle, who) for who in (mees, noor, circle.hanna)}
    heard.clear()
    _hide(circle, jip, seq=1)
    assert _seen(circle, jip) == [(2, "Twee"), (3, "Drie")]
    with database.read(jip.actor) as r:  # its number stays, so that nothing seems to be missing
        assert [v.seq for v in conversation.history(r, rooms.place(r, circle.room), 0)] == [1, 2, 3]
    assert {who.alias: _seen(circle, who) for who in (mees, noor, circle.hanna)} == before
    assert list(heard) == []


def test_hiding_somebody_hides_what_they_said_and_what_they_will_say(database: Database, heard: Heard) -> None:
    circle = _talk(database)
    mees, _, jip = circle.members
    _hide(circle, jip, alias=mees.alias)
    circle.post(mees, "Vier")
    assert _seen(circle, jip) == [(2, "Twee")]
    assert [seq for seq, _ in _seen(circle, mees)] == [1, 2, 3, 4]
    with database.read(jip.actor) as r:
        hidden = hiding.hidden_by(r, rooms.place(r, circle.room))
    assert hidden.aliases == (mees.alias,)
    assert len(hidden.seats) == 1


def test_what_was_hidden_can_be_shown_again(database: Database) -> None:
    circle = _talk(database)
    mees, noor, jip = circle.members
    _hide(circle, jip, alias=mees.alias)
    _hide(circle, jip, seq=2)
    assert _seen(circle, jip) == []
    listed = _listed(circle, jip)
    assert listed.aliases == (mees.alias,)
    assert [(m.seq, m.alias, m.text) for m in listed.messages] == [(2, noor.alias, "Twee")]
    with database.work(jip.actor) as w:
        hiding.show_person(w, circle.room, mees.alias)
        hiding.show_message(w, circle.room, 2)
    assert len(_seen(circle, jip)) == 3
    assert _listed(circle, jip) == hiding.Listed()
    with database.work(jip.actor) as w:
        hiding.show_message(w, circle.room, 2)
        hiding.show_person(w, circle.room, mees.alias)


def test_hiding_twice_is_hiding_once(database: Database) -> None:
    circle = _talk(database)
    mees, _, jip = circle.members
    for _ in range(2):
        _hide(circle, jip, seq=1)
        _hide(circle, jip, alias=mees.alias)
    assert len(_listed(circle, jip).messages) == 1
    assert _listed(circle, jip).aliases == (mees.alias,)


def test_a_facilitator_cannot_be_hidden_and_one_of_their_messages_can(database: Database) -> None:
    circle = _talk(database)
    jip = circle.members[2]
    circle.post(circle.hanna, "Vier")
    with pytest.raises(Invalid):
        _hide(circle, jip, alias="Hanna")
    _hide(circle, jip, seq=4)
    assert [seq for seq, _ in _seen(circle, jip)] == [1, 2, 3]


def test_what_is_not_there_or_ones_own_is_not_hidden(database: Database) -> None:
    circle, other = _talk(database), builders.circle(database)
    mees, *_ = circle.members
    for who, given, refusal in (
        (mees, {"seq": 1}, Invalid),
        (mees, {"alias": mees.alias}, Invalid),
        (mees, {"seq": 9}, NotFound),
        (mees, {"alias": "Niemand_hier"}, NotFound),
        (other.members[0], {"seq": 1}, NotFound),
        (other.members[0], {"alias": mees.alias}, NotFound),
    ):
        with pytest.raises(refusal):
            _hide(circle, who, **given)


def test_one_can_hide_very_much_and_not_without_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = _talk(database)
    monkeypatch.setattr(hiding, "MOST", 1)
    _hide(circle, circle.members[2], seq=1)
    with pytest.raises(Closed):
        _hide(circle, circle.members[2], seq=2)


def test_what_was_hidden_costs_one_statement_to_know(database: Database) -> None:
    circle = _talk(database)
    mees, _, jip = circle.members
    _hide(circle, jip, alias=mees.alias)
    with database.read(jip.actor) as r:
        found = rooms.place(r, circle.room)
        with builders.statements(database) as sent:
            hiding.hidden_by(r, found)
    assert len(sent) == 1
