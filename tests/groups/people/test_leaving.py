"""Leaving a group, being taken out of it, and what becomes of buddies and of whoever asked for contact."""

from __future__ import annotations

from datetime import timedelta

import flask
import pytest
from sqlalchemy import select

from app.accounts import aliases
from app.accounts.models import AliasUse, Person
from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from app.notify import outbox
from groups import rooms
from groups.agenda import absence, calendar
from groups.led import presence, rounds
from groups.models import Absence, Hiding, Membership, Seat
from groups.people import leaving
from groups.talk import conversation, hiding, reactions
from matching import buddies, outreach
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock, Heard


def _leave(circle: Circle, who: Someone) -> None:
    with circle.database.work(who.actor) as w:
        leaving.leave(w, circle.group)


def _remove(circle: Circle, who: Someone, reason: str = "rules", by: Someone | None = None) -> None:
    with circle.database.work((by or circle.hanna).actor) as w:
        leaving.remove(w, circle.group, who.ref, reason)


def _due(circle: Circle, who: Someone) -> list[outreach.Ask]:
    with circle.database.read(who.actor) as r:
        return outreach.due(r)


def _told(circle: Circle, who: Someone) -> list[tuple[str, str]]:
    outbox.deliver(circle.database)
    with circle.database.read(who.actor) as r:
        return [(line.kind, line.ref) for line in outbox.inbox(r)]


def _seats(circle: Circle, who: Someone) -> list[Seat]:
    with circle.database.read() as r:
        return list(r.db.scalars(select(Seat).where(Seat.person_id == who.person_id)))


def test_who_leaves_is_out_at_once_and_what_they_wrote_stays(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.post(mees, "Dit blijft staan")
    _leave(circle, mees)
    with database.read(mees.actor) as r:
        assert rooms.places(r) == []
    with pytest.raises(NotFound):
        circle.post(mees, "Nog iets")
    with database.read(noor.actor) as r:
        [seen] = conversation.latest(r, rooms.place(r, circle.room))
    assert (seen.text, seen.alias) == ("Dit blijft staan", mees.alias)
    with database.read(circle.hanna.actor) as r:
        assert mees.alias not in {m.alias for m in rooms.members(r, rooms.lead_place(r, circle.group))}
        assert "member.left" in r.db.scalars(select(AuditLine.action)).all()
    assert heard.events(f"person:{mees.person_id}") == ["revoked"]


def test_leaving_one_group_leaves_the_others_alone(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, organisation_id=circle.organisation_id)
    mees = circle.members[0]
    builders.seat(database, other.group_id, mees.actor, mees.token, "Wilg_stil")
    _leave(circle, mees)
    with database.read(mees.actor) as r:
        assert [p.group for p in rooms.places(r)] == [other.group]


def test_the_aliases_of_who_left_rest_for_a_year(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    used = {seat.alias for seat in _seats(circle, mees)}
    assert len(used) == 2
    _leave(circle, mees)
    with database.read() as r:
        held = {row.alias: row.free_from for row in r.db.scalars(select(AliasUse))}
    assert {alias for alias, free_from in held.items() if free_from} == used
    assert {held[alias] for alias in used} == {clock().date() + timedelta(days=365)}
    with pytest.raises(Invalid), database.work() as w:
        aliases.take(w, circle.organisation_id, mees.alias)


def test_leaving_twice_and_leaving_what_is_not_ones_own_is_not_found(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    mees = circle.members[0]
    answers = builders.at_once(lambda: _leave(circle, mees), lambda: _leave(circle, mees))
    assert sorted(type(a).__name__ for a in answers) == ["NoneType", "NotFound"]
    with pytest.raises(NotFound), database.work(circle.members[1].actor) as w:
        leaving.leave(w, other.group)
    with pytest.raises(NotFound), database.work(circle.members[1].actor) as w:
        leaving.leave(w, "' OR 1=1")


def test_the_last_facilitator_stays_until_there_is_another(database: Database) -> None:
    circle = builders.circle(database)
    with pytest.raises(Closed):
        _leave(circle, circle.hanna)
    ilse = circle.second_lead()
    answers = builders.at_once(lambda: _leave(circle, circle.hanna), lambda: _leave(circle, ilse))
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]


def test_a_facilitator_takes_a_member_out_and_the_member_hears_why(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _remove(circle, mees, "safety")
    assert _told(circle, mees) == [("removed", "safety")]
    with database.read(mees.actor) as r:
        assert rooms.places(r) == []
    with database.read() as r:
        line = r.db.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line
    assert (line.action, line.reason, line.actor_id) == ("member.removed", "safety", circle.hanna.person_id)
    assert "revoked" in heard.events(f"person:{mees.person_id}")


def test_nobody_is_taken_out_by_the_wrong_hands_or_without_a_reason(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    mees, noor, _ = circle.members
    ilse = circle.second_lead()
    for who, by, reason, refusal in (
        (mees, circle.hanna, "because he is Jan", Invalid),
        (mees, circle.hanna, "", Invalid),
        (mees, noor, "rules", Forbidden),
        (mees, other.hanna, "rules", NotFound),
        (ilse, circle.hanna, "rules", NotFound),
        (circle.hanna, circle.hanna, "rules", NotFound),
        (other.members[0], circle.hanna, "rules", NotFound),
    ):
        with pytest.raises(refusal):
            _remove(circle, who, reason, by)
    with database.read() as r:
        assert r.db.scalars(select(Membership.id).where(Membership.left_at.is_not(None))).all() == []


def test_a_pair_ends_kindly_when_one_of_two_leaves_and_the_other_is_free_again(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    ref = circle.pair(mees, noor)
    with database.read(noor.actor) as r:
        [buddy] = buddies.mine(r)
    _leave(circle, mees)
    assert ("pair_ended", ref) in _told(circle, noor)
    with pytest.raises(Closed):
        circle.post(noor, "Ben je er nog?", room=buddy.room)
    with pytest.raises(NotFound):
        circle.post(mees, "Dag", room=buddy.room)
    with database.read(circle.hanna.actor) as r:
        assert buddies.paired(r, circle.group_id) == frozenset()
        assert buddies.pairs(r, rooms.lead_place(r, circle.group)) == []
    circle.pair(noor, jip)
    with database.read(noor.actor) as r:
        assert len(buddies.mine(r)) == 1


def test_of_three_two_go_on(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    ref = circle.pair(mees, noor, jip)
    _leave(circle, mees)
    assert ("pair_ended", ref) not in _told(circle, noor)
    with database.read(noor.actor) as r:
        [left] = buddies.mine(r)
    assert circle.post(noor, "Wij nog wel", room=left.room).seq == 1
    with database.read(circle.hanna.actor) as r:
        assert buddies.paired(r, circle.group_id) == {noor.membership_id, jip.membership_id}


def test_what_was_asked_of_who_left_is_asked_of_the_next(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    circle.send(mees)
    assert len(_due(circle, noor)) == 1
    assert _due(circle, circle.hanna) == []
    _leave(circle, noor)
    assert _due(circle, noor) == []
    [ask] = _due(circle, circle.hanna)
    assert (ask.state, ask.rung) == ("asked", "facilitator")
    assert "outreach" not in dict(_told(circle, noor))


def test_a_ladder_never_loses_its_last_facilitator(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    circle.send(mees)  # Noor is asked, Hanna waits; Ilse is not on the ladder at all
    circle.send(mees, facilitator=True, buddy=False)
    ilse = circle.second_lead()
    _leave(circle, circle.hanna)
    assert [ask.state for ask in _due(circle, ilse)] == ["asked"]
    _leave(circle, noor)
    assert [ask.state for ask in _due(circle, ilse)] == ["asked", "asked"]


def test_an_alarm_goes_on_to_somebody_and_does_not_call_back_who_left(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    circle.send(circle.members[0], safe="no", buddy=False, facilitator=True)
    _leave(circle, circle.hanna)
    for _ in range(3):
        clock.forward(minutes=20)
        outreach.sweep(database)
        assert _due(circle, circle.hanna) == []
        [ask] = _due(circle, ilse)
        assert (ask.red, ask.state) == (True, "open")


def test_who_leaves_in_danger_is_not_forgotten(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    circle.send(mees, safe="no")
    before = _due(circle, circle.hanna)
    _leave(circle, mees)
    assert _due(circle, circle.hanna) == before
    assert before[0].red


def test_asks_of_another_group_stay_with_who_left_this_one(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, organisation_id=circle.organisation_id)
    ilse = circle.second_lead()
    also = builders.seat(database, other.group_id, ilse.actor, ilse.token, "Ilse B", "facilitator")
    other.send(other.members[0], buddy=False, facilitator=True)
    _leave(circle, ilse)
    assert len(_due(other, also)) == 1


def test_where_a_group_has_nobody_left_all_staff_are_asked(database: Database) -> None:
    circle = builders.circle(database)
    moderator, token = builders.someone(database, circle.organisation_id, Role.MODERATOR, name="Daan")
    daan = Someone(moderator, "", "", 0, token)
    circle.send(circle.members[0], buddy=False, facilitator=True)
    with database.work() as w:
        outreach.pass_on(w, circle.hanna.person_id)
        w.db.get_one(Membership, circle.hanna.membership_id).left_at = w.now
    assert _due(circle, circle.hanna) == []
    assert [ask.state for ask in _due(circle, daan)] == ["asked"]


def at_the_site(site: flask.Flask) -> tuple[Circle, Visitor, Visitor]:
    """A group on the app itself, with the browsers of a member and of its facilitator."""
    house = site.extensions["samen"]
    circle = builders.circle(house.database)
    browsers = []
    for who in (circle.members[0], circle.hanna):
        visitor = Visitor(site)
        visitor.client.set_cookie(house.cookie, who.token, domain="localhost")
        browsers.append(visitor)
    return circle, browsers[0], browsers[1]


def test_a_member_leaves_by_a_page_that_asks_once(site: flask.Flask) -> None:
    circle, mees, hanna = at_the_site(site)
    page = f"/groep/{circle.group}/stoppen"
    assert page in mees.get(f"/ruimte/{circle.room}").get_data(as_text=True)
    assert "tenzij je je account wist" in mees.get(page).get_data(as_text=True)
    assert mees.get(f"/ruimte/{circle.room}").status_code == 200
    assert hanna.get(page).status_code == 404
    answer = mees.post(page)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/vandaag")
    assert mees.get(f"/ruimte/{circle.room}").status_code == 404
    assert mees.get("/vandaag").status_code == 200
    assert mees.post(page).status_code == 404


def test_a_facilitator_removes_by_a_page_that_asks_why(site: flask.Flask) -> None:
    circle, mees, hanna = at_the_site(site)
    noor = circle.members[1]
    page = f"/groepen/{circle.group}/deelnemers/{noor.ref}/afscheid"
    assert page in hanna.get(f"/groepen/{circle.group}").get_data(as_text=True)
    assert noor.alias in hanna.get(page).get_data(as_text=True)
    assert mees.get(page).status_code == mees.post(page, {"reason": "rules"}).status_code == 404
    assert hanna.post(page).status_code == 422
    assert hanna.get(page).status_code == 200
    assert hanna.post(page, {"reason": "rules"}).headers["Location"] == f"/groepen/{circle.group}"
    assert hanna.get(page).status_code == 404
    assert noor.alias not in hanna.get(f"/groepen/{circle.group}").get_data(as_text=True)
    assert _told(circle, noor) == [("removed", "rules")]
    mees.client.set_cookie(mees.house.cookie, noor.token, domain="localhost")
    assert "Het ging niet meer samen met onze afspraken." in mees.get("/vandaag").get_data(as_text=True)


def _remove_colleague(circle: Circle, by: Someone, who: Someone) -> None:
    with circle.database.work(by.actor) as w:
        leaving.remove_colleague(w, circle.group, who.ref)


def _leads(circle: Circle) -> set[str]:
    with circle.database.read() as r:
        return {lead.alias for lead in rooms.facilitators_of(r, circle.group_id)}


def test_a_colleague_is_taken_out_by_another_and_hears_it(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    circle.post(ilse, "Welkom allemaal")
    _remove_colleague(circle, circle.hanna, ilse)
    assert _leads(circle) == {"Hanna"}
    assert _told(circle, ilse) == [("lead_ended", circle.group)]
    assert heard.events(f"person:{ilse.person_id}").count("revoked") == 1
    with database.read() as r:
        line = r.db.scalars(select(AuditLine).where(AuditLine.action == "facilitator.removed")).one()
    assert (line.object_id, line.actor_id) == (ilse.membership_id, circle.hanna.person_id)
    with pytest.raises(NotFound):
        circle.post(ilse, "Ben ik er nog?")
    with database.read(circle.members[0].actor) as r:
        [seen] = conversation.latest(r, rooms.place(r, circle.room))
    assert (seen.text, seen.alias) == ("Welkom allemaal", "Ilse")


def test_what_a_colleague_was_asked_goes_to_who_stays(database: Database) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    circle.send(circle.members[0], buddy=False, facilitator=True)
    _remove_colleague(circle, ilse, circle.hanna)
    assert len(_due(circle, ilse)) == 1


def test_nobody_removes_themselves_a_member_or_somebody_elsewhere_this_way(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, organisation_id=circle.organisation_id)
    circle.second_lead()
    for who in (circle.hanna, circle.members[0], other.hanna):
        with pytest.raises(NotFound):
            _remove_colleague(circle, circle.hanna, who)
    for by, refusal in ((circle.members[0], Forbidden), (other.hanna, NotFound)):
        with pytest.raises(refusal):
            _remove_colleague(circle, by, circle.hanna)
    assert _leads(circle) == {"Hanna", "Ilse"}


def test_of_two_who_remove_each_other_at_once_one_stays(database: Database) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    answers = builders.at_once(
        lambda: _remove_colleague(circle, circle.hanna, ilse), lambda: _remove_colleague(circle, ilse, circle.hanna)
    )
    assert len(builders.refusals(answers)) == 1
    assert len(_leads(circle)) == 1


def test_a_group_is_not_left_to_somebody_who_may_not_come_in(database: Database) -> None:
    """Hanna's account is suspended while she is still signed in: then Ilse is the last who can lead."""
    circle = builders.circle(database)
    ilse = circle.second_lead()
    with database.work() as w:
        w.db.get_one(Person, circle.hanna.person_id).suspended_at = w.now
    with pytest.raises(Closed):
        _remove_colleague(circle, circle.hanna, ilse)
    assert _leads(circle) == {"Ilse"}


def test_a_colleague_is_taken_out_on_a_page_that_asks_once(site: flask.Flask) -> None:
    house = site.extensions["samen"]
    circle = builders.circle(house.database)
    ilse = circle.second_lead()
    visitor = Visitor(site)
    visitor.client.set_cookie(house.cookie, circle.hanna.token, domain="localhost")
    path = f"/groepen/{circle.group}/begeleiders/{ilse.ref}/afscheid"
    members = visitor.get(f"/groepen/{circle.group}").get_data(as_text=True)
    assert path in members
    assert f"/begeleiders/{circle.hanna.ref}/" not in members
    assert "Begeleidt Ilse deze groep niet meer?" in visitor.get(path).get_data(as_text=True)
    assert visitor.post(path, {}).status_code == 303
    assert _leads(circle) == {"Hanna"}
    assert visitor.get(path).status_code == 404
    outbox.deliver(house.database)
    gone = Visitor(site)
    gone.client.set_cookie(house.cookie, ilse.token, domain="localhost")
    assert "Je begeleidt een groep niet meer" in gone.get("/vandaag").get_data(as_text=True)


def test_reactions_stay_under_the_alias_and_what_was_only_ones_own_goes(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    circle.post(noor, "Een rustige dag")
    planned = circle.plan()
    with database.work(mees.actor) as w:
        reactions.react(w, circle.room, 1, "thanks", True)
        hiding.hide_person(w, circle.room, jip.alias)
        absence.cannot(w, planned)
    with database.work(noor.actor) as w:
        hiding.hide_person(w, circle.room, mees.alias)
    _leave(circle, mees)
    with database.read(jip.actor) as r:
        [seen] = conversation.latest(r, rooms.place(r, circle.room))
        assert seen.reactions == {"thanks": (mees.alias,)}
        assert [h.hidden_seat_id for h in r.db.scalars(select(Hiding))] == [_seats(circle, mees)[0].id]
        assert r.db.scalars(select(Absence.id)).all() == []


def test_who_leaves_a_running_session_gives_up_their_turn_and_their_hand(
    database: Database, heard: Heard, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    ref = circle.open_session()
    for who in (mees, noor):
        with database.work(who.actor) as w:
            presence.raise_hand(w, circle.room, True)
        clock.forward(seconds=1)
    with database.work(circle.hanna.actor) as w:
        rounds.start(w, ref, 2)
    heard.clear()
    _leave(circle, mees)
    state = heard.payloads(f"room:{circle.room}", "session.state")[-1]["session"]
    assert isinstance(state, dict)
    assert state["round"]["speaking"] == noor.alias
    assert state["hands"] == [noor.alias]


def test_a_calendar_goes_on_with_the_groups_that_are_left(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, organisation_id=circle.organisation_id)
    mees = circle.members[0]
    builders.seat(database, other.group_id, mees.actor, mees.token, "Wilg_stil")
    circle.plan()
    other.plan()
    with database.work(mees.actor) as w:
        secret = calendar.make(w)

    def appointments() -> int:
        with database.read() as r:
            return calendar.read(r, secret).count(b"BEGIN:VEVENT")

    assert appointments() == 2
    _leave(circle, mees)
    assert appointments() == 1
