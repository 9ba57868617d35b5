"""Held messages in the cockpit: kind and alias at once, the text when asked for, and only for who leads that group."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.errors import Forbidden, NotFound
from app.core.work import Database
from groups import rooms
from groups.led import holding, sessions
from groups.models import Message
from groups.subjects import AnswerSubject, EditSubject, MessageSubject, NoteSubject
from moderation import queue, subjects
from tests import builders
from tests.builders import CRISIS, RUDE
from tests.conftest import FrozenClock
from tests.groups.led.evening import MOMENT, SHARED, Led, by, led

TO_MASK = f"{RUDE}, bel 06 12345678"


@pytest.fixture(autouse=True)
def _introduced() -> None:
    known: dict[str, subjects.Subject] = {
        "message": MessageSubject(),
        "edit": EditSubject(),
        "answer": AnswerSubject(),
        "note": NoteSubject(),
    }
    subjects.introduce(known)


def _here(it: Led) -> list[holding.Waiting]:
    with it.circle.database.read(it.circle.hanna.actor) as r:
        return holding.here(r, rooms.place(r, it.circle.room))


def test_what_is_held_in_the_group_is_listed_by_kind_and_alias_and_never_with_its_text(
    database: Database, clock: FrozenClock
) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    it.circle.post(mees, RUDE)
    clock.forward(minutes=3)
    it.do(sessions.move, SHARED)
    it.answer(noor, MOMENT, RUDE, share=True)
    waiting = _here(it)
    assert [(card.alias, card.minutes, card.held, card.red) for card in waiting] == [
        (mees.alias, 3, True, False),
        (noor.alias, 0, True, False),
    ]
    assert RUDE not in repr(waiting)


def test_an_alarm_is_on_top_although_the_group_can_read_it_and_leaves_when_it_was_seen(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    it.circle.post(mees, RUDE)
    it.circle.post(noor, CRISIS)
    first, second = _here(it)
    assert (first.alias, first.red, first.held) == (noor.alias, True, False)
    assert (second.alias, second.red) == (mees.alias, False)
    opened = it.lead(holding.look, first.ref)
    assert opened.decisions == ("seen",)
    by(it.circle, it.circle.hanna, queue.decide, first.ref, opened.detail.version, "seen", "")
    assert [card.ref for card in _here(it)] == [second.ref]


def test_a_message_between_buddies_shows_the_alias_the_group_knows(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    it.circle.pair(mees, noor)
    with database.read(mees.actor) as r:
        pair_room = next(place.room for place in rooms.places(r) if place.kind == "pair")
    it.circle.post(mees, RUDE, room=pair_room)
    assert [card.alias for card in _here(it)] == [mees.alias]
    assert it.circle.known_as(mees) != mees.alias


def test_reading_it_is_on_record_and_shows_how_the_group_would_read_it(database: Database) -> None:
    it = led(database)
    it.circle.post(it.circle.members[0], TO_MASK)
    (card,) = _here(it)
    with database.read() as r:
        assert not r.db.scalars(select(AuditLine).where(AuditLine.action == "case.read")).all()
    opened = it.lead(holding.look, card.ref)
    assert opened.detail.subject.text == TO_MASK
    assert "06 12345678" not in opened.masked
    assert "vieze hoer" in opened.masked
    assert opened.decisions == ("release", "reject")
    with database.read() as r:
        assert len(r.db.scalars(select(AuditLine).where(AuditLine.action == "case.read")).all()) == 1


def test_what_the_preview_promised_is_what_the_group_gets(database: Database) -> None:
    it = led(database)
    it.circle.post(it.circle.members[0], TO_MASK)
    (card,) = _here(it)
    opened = it.lead(holding.look, card.ref)
    by(it.circle, it.circle.hanna, queue.decide, card.ref, opened.detail.version, "release", "")
    with database.read(it.circle.hanna.actor) as r:
        row = r.db.scalars(select(Message)).one()
        assert MessageSubject().describe(r, row.id).text == opened.masked
    assert _here(it) == []


def test_nothing_to_mask_is_no_second_text(database: Database) -> None:
    it = led(database)
    it.circle.post(it.circle.members[0], RUDE)
    (card,) = _here(it)
    assert it.lead(holding.look, card.ref).masked == ""


def test_another_groups_case_is_nobodys_and_members_are_refused(database: Database) -> None:
    it = led(database)
    other = builders.circle(database, organisation_id=it.circle.organisation_id)
    it.circle.post(it.circle.members[0], RUDE)
    other.post(other.members[0], RUDE)
    with database.read(other.hanna.actor) as r:
        (theirs,) = holding.here(r, rooms.place(r, other.room))
    (ours,) = _here(it)
    assert theirs.ref != ours.ref
    for ref in (theirs.ref, "nietsnietsnie"):
        with pytest.raises(NotFound):
            it.lead(holding.look, ref)
    with pytest.raises(Forbidden):
        it.lead(holding.look, ours.ref, who=it.circle.members[1])
    with pytest.raises(NotFound):
        it.lead(holding.look, ours.ref, who=other.hanna)


def test_how_many_questions_the_list_asks_does_not_grow_with_it(database: Database) -> None:
    it = led(database, members=6)
    for member in it.circle.members[:2]:
        it.circle.post(member, RUDE)
    with builders.statements(database) as few:
        _here(it)
    for member in it.circle.members[2:]:
        it.circle.post(member, RUDE)
    with builders.statements(database) as many:
        assert len(_here(it)) == 6
    assert len(many) == len(few)
