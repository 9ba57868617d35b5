"""Buddies: made by a facilitator, two or three at a time, with a room of their own."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.core.audit import AuditLine
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.work import Database
from app.notify import outbox
from app.notify.models import OutboxItem
from groups import rooms
from groups.models import Membership, Room, Seat
from groups.people import joining
from groups.talk import conversation
from matching import buddies
from matching.models import Pair
from tests import builders
from tests.builders import Someone


def _mine(database: Database, who: Someone) -> list[buddies.Buddy]:
    with database.read(who.actor) as r:
        return buddies.mine(r)


def test_buddies_know_each_other_by_alias_and_have_a_room_of_their_own(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    ref = circle.pair(mees, noor)
    [buddy] = _mine(database, mees)
    assert (buddy.alias, buddy.membership_id) == (circle.known_as(noor), noor.membership_id)
    assert buddy.own_membership_id == mees.membership_id
    assert [b.alias for b in _mine(database, noor)] == [circle.known_as(mees)]
    assert _mine(database, jip) == _mine(database, circle.hanna) == []
    assert circle.post(mees, "Hoi", room=buddy.room).seq == 1
    for stranger in (jip, circle.hanna):
        with pytest.raises(NotFound):
            circle.post(stranger, "Hoi", room=buddy.room)
    with database.read() as r:
        told = r.db.execute(select(OutboxItem.person_id, OutboxItem.kind, OutboxItem.ref)).all()
        assert "pair.made" in r.db.scalars(select(AuditLine.action)).all()
    assert sorted(told) == sorted((m.person_id, "paired", ref) for m in (mees, noor))


def test_nothing_in_the_pairs_room_tells_who_somebody_is_in_the_group(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _jip = circle.members
    circle.pair(mees, noor)
    [buddy] = _mine(database, mees)
    circle.post(noor, builders.ORDINARY, room=buddy.room)
    with database.read(mees.actor) as r:
        seen = conversation.latest(r, rooms.place(r, buddy.room))
        seats = r.db.scalars(select(Seat).where(Seat.membership_id == noor.membership_id)).all()
    assert [m.alias for m in seen] == [buddy.alias]
    assert len({s.alias for s in seats}) == len({s.public_id for s in seats}) == 2
    assert noor.alias not in {buddy.alias, circle.known_as(mees)}


def test_three_may_be_buddies_too(database: Database) -> None:
    circle = builders.circle(database)
    circle.pair(*circle.members)
    assert [b.alias for b in _mine(database, circle.members[0])] == sorted(map(circle.known_as, circle.members[1:]))
    with database.read(circle.hanna.actor) as r:
        found = rooms.lead_place(r, circle.group)
        assert buddies.pairs(r, found) == [("Jip_kiezel", "Mees_duin", "Noor_eik")]
        assert buddies.paired(r, circle.group_id) == {m.membership_id for m in circle.members}
    with database.read(circle.members[0].actor) as r, pytest.raises(NotFound):
        buddies.pairs(r, rooms.group_place(r, circle.group))


def test_a_pair_that_cannot_be_is_refused_and_nothing_is_made(database: Database) -> None:
    circle, other = builders.circle(database, members=6), builders.circle(database)
    mees, noor, jip, bo, *_ = circle.members
    circle.pair(mees, noor)
    wrong: list[list[Someone]] = [
        [],
        [jip],
        [jip, jip],
        circle.members[2:6],
        [jip, circle.hanna],
        [jip, other.members[0]],
        [jip, mees],
    ]
    for members in wrong:
        with pytest.raises(Invalid):
            circle.pair(*members)
    for actor, refusal in ((mees.actor, Forbidden), (other.hanna.actor, NotFound)):
        with pytest.raises(refusal), database.work(actor) as w:
            buddies.pair(w, circle.group, [jip.ref, bo.ref])
    with database.read() as r:
        assert len(r.db.scalars(select(Pair)).all()) == 1
        assert len(r.db.scalars(select(Room).where(Room.kind == "pair")).all()) == 1


def test_two_facilitators_who_pair_the_same_person_at_the_same_moment_make_one_pair(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    monkeypatch.setattr(buddies, "paired", builders.Gap().after(buddies.paired))
    answers = builders.at_once(lambda: circle.pair(mees, noor), lambda: circle.pair(mees, jip))
    assert sorted(type(a).__name__ for a in answers) == ["Invalid", "str"]
    assert len(_mine(database, mees)) == 1


def test_a_pair_that_ended_leaves_its_members_free(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    circle.pair(mees, noor)
    with database.work() as w:
        w.db.execute(update(Pair).values(ended_at=w.now))
    assert _mine(database, mees) == []
    circle.pair(mees, jip)
    assert [b.alias for b in _mine(database, mees)] == [circle.known_as(jip)]


def test_who_left_the_group_is_nobodys_buddy_any_more(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    circle.pair(mees, noor)
    with database.work() as w:
        w.db.execute(update(Membership).where(Membership.id == noor.membership_id).values(left_at=w.now))
    assert _mine(database, mees) == []
    assert _mine(database, noor) == []


def test_buddies_of_another_group_stay_apart(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    mees = circle.members[0]
    also = builders.seat(database, other.group_id, mees.actor, mees.token, "Bo_wilg")
    circle.pair(mees, circle.members[1])
    other.pair(also, other.members[0])
    assert [(b.alias, b.own_membership_id) for b in _mine(database, mees)] == [
        (circle.known_as(circle.members[1]), mees.membership_id),
        (other.known_as(other.members[0]), also.membership_id),
    ]
    [seen] = _mine(database, other.members[0])
    assert (seen.alias, seen.membership_id) == (other.known_as(also), also.membership_id)


def test_a_new_code_to_come_back_in_with_is_told_to_the_buddy_and_to_who_else_leads(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    circle.pair(mees, noor)
    ilse = circle.second_lead()
    with database.work(circle.hanna.actor) as w:
        joining.renew_access(w, circle.group, mees.ref)
    outbox.deliver(database)
    kinds = {}
    for who in (mees, noor, jip, circle.hanna, ilse):
        with database.read(who.actor) as r:
            kinds[who.alias] = {line.kind for line in outbox.inbox(r)} - {"paired"}
    assert kinds == {
        mees.alias: {"access_renewed"},
        noor.alias: {"buddy_access_renewed"},
        jip.alias: set(),
        "Hanna": set(),
        "Ilse": {"member_access_renewed"},
    }


def test_ones_buddies_cost_one_query(database: Database) -> None:
    circle = builders.circle(database)
    circle.pair(*circle.members)
    with database.read(circle.members[0].actor) as r, builders.statements(database) as sent:
        buddies.mine(r)
    assert len(sent) == 1
