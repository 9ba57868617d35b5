"""Who is called by name: aliases of the room, whole words only; and that they hear it without a word of the text."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from sqlalchemy import select

from app.core.work import Database
from app.notify import outbox
from app.notify.models import Notice, OutboxItem
from groups import rooms
from groups.models import Room, Seat
from groups.talk import conversation, hiding, mentions
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock, Heard

ALIASES = ("Bo_wilg", "Hanna", "Hanna de Vries", "Mees_duin", "Jip")
names = st.sampled_from(ALIASES)
between = st.text(alphabet=st.sampled_from("abé ,.!?\n@_9"), max_size=12)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Dank je @Bo_wilg.", ("Bo_wilg",)),
        ("@bo_wilg en @JIP!", ("Bo_wilg", "Jip")),
        ("@Jip @Bo_wilg @jip", ("Jip", "Bo_wilg")),
        ("Dag @Hanna de Vries", ("Hanna de Vries",)),
        ("Dag @Hanna de boer", ("Hanna",)),
        ("mail naar jip@Hanna of @@Jip", ()),
        ("@Jippie, @Bo_wilg_2 en @Bo", ()),
        ("Bo_wilg zonder teken", ()),
        ("@iedereen kom", ()),
    ],
)
def test_only_a_whole_alias_after_a_loose_at_is_called(text: str, called: tuple[str, ...]) -> None:
    assert mentions.found(text, ALIASES) == called


@given(st.lists(st.one_of(between, names.map(lambda name: f"@{name}")), max_size=8).map("".join), st.sets(names))
def test_the_pieces_are_the_text_and_call_only_who_is_there(text: str, aliases: set[str]) -> None:
    pieces = mentions.split(text, aliases)
    assert "".join(piece for piece, _alias in pieces) == text
    for piece, alias in pieces:
        assert not alias or (alias in aliases and piece.casefold() == f"@{alias}".casefold())
    called = mentions.found(text, aliases)
    assert len(set(called)) == len(called)
    assert set(called) == {alias for _piece, alias in pieces if alias}


@given(between, names, st.sampled_from(("", " hoi", ", ja", "!", "\n")))
def test_a_name_is_found_wherever_it_stands_alone(before: str, name: str, after: str) -> None:
    before = before.rstrip("@_9abé") + " "
    assert name in mentions.found(f"{before}@{name}{after}", [name])


def test_everybody_can_be_called_by_facilitators_alone(database: Database) -> None:
    circle = builders.circle(database)
    with database.read() as r:
        room_id = _room_id(circle)
        member, lead = (conversation.callable_in(r, room_id, role) for role in ("member", "facilitator"))
    assert mentions.found("@iedereen, we beginnen", member) == ()
    assert mentions.found("@iedereen, we beginnen", lead) == (mentions.EVERYBODY,)
    assert {"Mees_duin", "Hanna"} <= member


def _room_id(circle: Circle) -> int:
    with circle.database.read() as r:
        return r.db.scalars(select(Room.id).where(Room.public_id == circle.room)).one()


def _tell(circle: Circle, who: Someone, *called: str, seq: int = 1) -> None:
    with circle.database.work(who.actor) as w:
        found = rooms.place(w, circle.room)
        conversation.tell_called(w, found.room_id, circle.room, seq, found.seat_id, called)


def _lines(database: Database, who: Someone) -> list[str]:
    with database.read(who.actor) as r:
        return [line.kind for line in outbox.inbox(r)]


def test_who_is_called_hears_it_at_once_and_finds_a_line_when_they_do_not_look(
    database: Database, clock: FrozenClock, heard: Heard
) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    heard.clear()
    _tell(circle, mees, noor.alias)
    said = {"kind": "mention", "room": circle.room, "seq": 1}
    assert heard.payloads(f"person:{noor.person_id}", "notice") == [said]
    assert heard.payloads(f"person:{jip.person_id}", "notice") == []
    outbox.deliver(database)
    assert _lines(database, noor) == []  # who reads along needs no line
    clock.forward(minutes=1)
    outbox.deliver(database)
    assert _lines(database, noor) == ["mention"]
    _tell(circle, mees, noor.alias, seq=2)
    clock.forward(minutes=1)
    outbox.deliver(database)
    assert _lines(database, noor) == ["mention"]  # one line a room, until it is read


def test_reading_to_the_end_puts_the_line_away_also_before_it_came(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    circle.post(mees, "Fijn dat je er was")
    _tell(circle, mees, noor.alias, jip.alias)
    for reader in (noor,):
        with database.work(reader.actor) as w:
            conversation.mark_read(w, circle.room, 1)
    clock.forward(minutes=2)
    outbox.deliver(database)
    assert _lines(database, noor) == []
    assert _lines(database, jip) == ["mention"]
    with database.work(jip.actor) as w:
        conversation.mark_read(w, circle.room, 1)
    assert _lines(database, jip) == []


def test_everybody_means_everybody_else_and_nobody_who_left_or_hid_the_caller(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    with database.work(noor.actor) as w:
        hiding.hide_person(w, circle.room, mees.alias)
    with database.work() as w:
        w.db.scalars(select(Seat).where(Seat.membership_id == jip.membership_id)).one().left_at = w.now
    heard.clear()
    _tell(circle, mees, mentions.EVERYBODY)
    told = {a.topic for a in heard}
    assert told == {f"person:{circle.hanna.person_id}"}


def test_nothing_that_is_kept_about_a_call_holds_a_name_or_a_text(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, _jip = circle.members
    circle.post(mees, "Fijn dat je er was")
    _tell(circle, mees, noor.alias)
    clock.forward(minutes=2)
    outbox.deliver(database)
    with database.read() as r:
        [item] = r.db.scalars(select(OutboxItem).where(OutboxItem.kind == "mention")).all()
        [line] = r.db.scalars(select(Notice).where(Notice.kind == "mention")).all()
    for kept in (item.key, item.ref, line.key, line.ref):
        assert noor.alias not in kept
        assert mees.alias not in kept
