"""Groups and rooms: one place, one alias, and no way to look into somebody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.core import audit
from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from groups import rooms
from groups.models import Membership, Seat
from groups.rules import FACILITATOR
from tests import builders
from tests.conftest import SEAL_KEY, FrozenClock, Heard


def test_everybody_has_one_place_and_their_own_alias_in_it(database: Database) -> None:
    circle = builders.circle(database)
    for who, leads in ((circle.hanna, True), (circle.members[0], False)):
        with database.read(who.actor) as r:
            found = rooms.place(r, circle.room)
            assert (found.alias, found.leads, found.membership_id) == (who.alias, leads, who.membership_id)
            assert rooms.group_place(r, circle.group) == found
            assert rooms.places(r) == [found]


def test_somebody_elses_room_and_no_room_at_all_look_the_same(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    told = set()
    with database.read(other.members[0].actor) as r:
        for find, what in (
            (rooms.place, circle.room),
            (rooms.place, "nosuchroom12"),
            (rooms.group_place, circle.group),
            (rooms.lead_place, circle.group),
            (rooms.group_place, ""),
            (rooms.place, "x\x00y"),
        ):
            with pytest.raises(NotFound) as refusal:
                find(r, what)
            told.add(refusal.value.message)
    assert len(told) == 1


def test_even_staff_need_a_place(database: Database) -> None:
    circle = builders.circle(database)
    stranger, _ = builders.someone(database, circle.organisation_id, Role.FACILITATOR, name="Ilse")
    with database.read(stranger) as r, pytest.raises(NotFound):
        rooms.lead_place(r, circle.group)


def test_an_alias_is_given_once_in_a_group(database: Database, heard: Heard) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    actor, token = builders.someone(database, circle.organisation_id)
    with pytest.raises(Invalid):
        builders.seat(database, circle.group_id, actor, token, "Mees_duin")
    with database.read() as r:
        assert r.db.scalars(select(Seat).where(Seat.person_id == actor.person_id)).all() == []
    assert builders.seat(database, other.group_id, actor, token, "Bo_wilg").alias == "Bo_wilg"
    with pytest.raises(NotFound):
        builders.seat(database, 999_999, actor, token, "Bo_wilg")


def test_two_who_take_the_same_alias_at_the_same_moment_get_one_seat(database: Database) -> None:
    circle = builders.circle(database, members=0)
    people = [builders.someone(database, circle.organisation_id) for _ in range(2)]
    answers = builders.at_once(*[lambda p=p: builders.seat(database, circle.group_id, *p, "Bo_wilg") for p in people])
    assert sorted(type(a).__name__ for a in answers) == ["Invalid", "Someone"]


def test_only_facilitators_see_who_is_in_a_group(database: Database) -> None:
    circle = builders.circle(database)
    with database.read(circle.hanna.actor) as r, builders.statements(database) as sent:
        members = rooms.members(r, rooms.lead_place(r, circle.group))
        assert [m.alias for m in members] == ["Hanna", "Jip_kiezel", "Mees_duin", "Noor_eik"]
        assert [m.alias for m in rooms.facilitators_of(r, circle.group_id)] == ["Hanna"]
    assert len(sent) == 3
    with database.read(circle.members[0].actor) as r:
        found = rooms.group_place(r, circle.group)
        for ask in (lambda: rooms.members(r, found), lambda: rooms.lead_place(r, circle.group)):
            with pytest.raises(Forbidden):
                ask()


def test_a_facilitator_lets_a_member_read_along_for_a_while(
    database: Database, heard: Heard, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    for minutes, until, told in ((10, clock() + timedelta(minutes=10), "muted"), (0, None, "unmuted")):
        heard.clear()
        with database.work(circle.hanna.actor) as w:
            rooms.mute(w, circle.room, "Mees_duin", minutes)
        with database.read(mees.actor) as r:
            assert rooms.place(r, circle.room).muted_until == until
        assert heard.payloads(f"person:{mees.person_id}", "notice") == [{"kind": told, "room": circle.room}]
    with database.read() as r:
        assert r.db.scalars(select(AuditLine.action).order_by(AuditLine.id.desc()).limit(2)).all() == [
            "member.unmuted",
            "member.muted",
        ]
        assert audit.verify(r.db, SEAL_KEY) is None


def test_a_mute_that_cannot_be_changes_nothing(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    hanna, mees = circle.hanna.actor, circle.members[0].actor
    for actor, room, alias, minutes, refusal in (
        (mees, circle.room, "Noor_eik", 10, Forbidden),
        (other.hanna.actor, circle.room, "Mees_duin", 10, NotFound),
        (hanna, circle.room, "Hanna", 10, NotFound),
        (hanna, circle.room, "Niemand", 10, NotFound),
        (hanna, circle.room, "Mees_duin", -1, Invalid),
        (hanna, circle.room, "Mees_duin", 24 * 60 + 1, Invalid),
    ):
        with pytest.raises(refusal), database.work(actor) as w:
            rooms.mute(w, room, alias, minutes)
    with database.read() as r:
        assert set(r.db.scalars(select(Seat.muted_until))) == {None}


def test_who_left_has_no_place_any_more(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    with database.work() as w:
        w.db.execute(update(Seat).where(Seat.person_id == mees.person_id).values(left_at=w.now))
        w.db.execute(update(Membership).where(Membership.id == mees.membership_id).values(left_at=w.now))
    with database.read(mees.actor) as r:
        assert rooms.places(r) == []
        with pytest.raises(NotFound):
            rooms.place(r, circle.room)
    with database.read(circle.hanna.actor) as r:
        assert "Mees_duin" not in {m.alias for m in rooms.members(r, rooms.lead_place(r, circle.group))}


def test_a_room_is_closed_once(database: Database) -> None:
    circle = builders.circle(database, members=0)
    with database.read(circle.hanna.actor) as r:
        room_id = rooms.place(r, circle.room).room_id
    with database.work() as w:
        rooms.close_room(w, room_id)
    with pytest.raises(Closed), database.work() as w:
        rooms.close_room(w, room_id)


def test_facilitators_are_asked_in_the_order_they_came(database: Database) -> None:
    circle = builders.circle(database, members=1)
    for name in ("Aart", "Bea"):
        actor, token = builders.someone(database, circle.organisation_id, Role.FACILITATOR, name=name)
        builders.seat(database, circle.group_id, actor, token, name, FACILITATOR)
    with database.read() as r:
        assert [m.alias for m in rooms.facilitators_of(r, circle.group_id)] == ["Hanna", "Aart", "Bea"]
