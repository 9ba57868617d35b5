"""Who was missed: noted once when a session closes, told to facilitators, settled by whoever was first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import flask
import pytest
from sqlalchemy import func, select

from app.core import ids
from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.settings import SettingsError, load
from app.core.work import Database
from app.notify import outbox
from app.notify.models import OutboxItem
from groups import rooms
from groups.after import followups
from groups.agenda import absence, steering
from groups.led import presence, sessions
from groups.models import FollowUp, GroupSession
from groups.people import leaving
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import Circle, Someone, at_once, statements
from tests.conftest import FrozenClock


def _as(circle: Circle, who: Someone, call: Callable[..., Any], *args: Any) -> Any:
    with circle.database.work(who.actor) as w:
        return call(w, *args)


def _here(circle: Circle, who: Someone) -> None:
    with circle.database.work(who.actor) as w:
        presence.arrive(w, rooms.place(w, circle.room))


def _open(circle: Circle, who: Someone | None = None) -> list[followups.Missed]:
    with circle.database.read((who or circle.hanna).actor) as r:
        return followups.open_ones(r)


def _told(circle: Circle, who: Someone) -> list[tuple[str, str]]:
    outbox.deliver(circle.database)
    with circle.database.read(who.actor) as r:
        return [(line.kind, line.ref) for line in outbox.inbox(r) if line.kind == "missed"]


def _meet(circle: Circle, clock: FrozenClock, *came: Someone, minutes: int = 90) -> str:
    """A session at which these members were, and which Hanna closed."""
    ref = circle.plan()
    clock.forward(minutes=10)
    _as(circle, circle.hanna, sessions.open_session, ref, 1)
    for who in came:
        _here(circle, who)
    clock.forward(minutes=minutes)
    _as(circle, circle.hanna, sessions.close, ref, 2)
    return ref


def test_who_neither_came_nor_said_so_is_to_be_looked_after_within_a_day(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database, 4)
    mees, noor, jip, bo = circle.members
    ref = circle.plan()
    _as(circle, jip, absence.cannot, ref)
    clock.forward(minutes=10)
    _as(circle, circle.hanna, sessions.open_session, ref, 1)
    _here(circle, mees)
    clock.forward(minutes=90)
    _as(circle, circle.hanna, sessions.close, ref, 2)
    found = _open(circle)
    assert [one.alias for one in found] == sorted([noor.alias, bo.alias])
    assert {one.due_at for one in found} == {clock() + timedelta(hours=24)}
    assert {(one.session, one.group, one.version) for one in found} == {(ref, circle.group, 1)}
    assert {one.membership_id for one in found} == {noor.membership_id, bo.membership_id}


def test_every_facilitator_hears_once_a_session_and_no_member_hears_anything(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    ref = _meet(circle, clock)
    assert len(_open(circle)) == 3
    assert _told(circle, circle.hanna) == _told(circle, ilse) == [("missed", ref)]
    assert [_told(circle, who) for who in circle.members] == [[], [], []]


def test_when_everybody_was_there_nothing_follows(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    _meet(circle, clock, *circle.members)
    assert _open(circle) == []
    assert _told(circle, circle.hanna) == []


def test_a_session_closed_before_it_was_to_begin_missed_nobody(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    clock.forward(minutes=2)
    _as(circle, circle.hanna, sessions.close, ref, 2)
    assert _open(circle) == []


def test_closing_twice_and_following_twice_never_double(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    clock.forward(minutes=10)
    _as(circle, circle.hanna, sessions.open_session, ref, 1)
    clock.forward(minutes=90)
    answers = at_once(*[lambda: _as(circle, circle.hanna, sessions.close, ref, 2)] * 2)
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]
    with database.work(circle.hanna.actor) as w:
        followups.follow(w, *steering.lead(w, ref))
        followups.follow(w, *steering.lead(w, ref))
    assert len(_open(circle)) == 3
    with database.read() as r:
        assert r.db.scalar(select(func.count()).where(OutboxItem.kind == "missed")) == 1


def test_a_crash_while_closing_leaves_nothing_half_done(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    clock.forward(minutes=10)
    _as(circle, circle.hanna, sessions.open_session, ref, 1)
    clock.forward(minutes=90)

    def pulled(*_args: object) -> None:
        raise RuntimeError("the plug was pulled")

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "queue", pulled)
        with pytest.raises(RuntimeError):
            _as(circle, circle.hanna, sessions.close, ref, 2)
    with database.read() as r:
        assert r.db.scalars(select(GroupSession.status)).all() == ["open"]
    assert _open(circle) == []
    _as(circle, circle.hanna, sessions.close, ref, 2)
    assert len(_open(circle)) == 3


@pytest.mark.parametrize("outcome", followups.OUTCOMES)
def test_what_came_of_it_is_kept_with_who_and_when(database: Database, clock: FrozenClock, outcome: str) -> None:
    circle = builders.circle(database)
    _meet(circle, clock, *circle.members[1:])
    [one] = _open(circle)
    clock.forward(hours=3)
    _as(circle, circle.hanna, followups.settle, one.ref, one.version, outcome)
    assert _open(circle) == []
    with database.read() as r:
        row = r.db.scalars(select(FollowUp)).one()
        line = r.db.scalars(select(AuditLine).where(AuditLine.action == "absence.followed_up")).one()
    assert (row.outcome, row.done_by, row.done_at, row.version) == (outcome, circle.hanna.person_id, clock(), 2)
    assert (line.object_id, line.reason) == (row.id, outcome)


def test_of_two_colleagues_at_once_the_first_wins(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ilse = circle.second_lead()
    _meet(circle, clock, *circle.members[1:])
    [one] = _open(circle, ilse)
    answers = at_once(
        lambda: _as(circle, circle.hanna, followups.settle, one.ref, 1, "reached"),
        lambda: _as(circle, ilse, followups.settle, one.ref, 1, "unreached"),
    )
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]
    with pytest.raises(Closed):
        _as(circle, ilse, followups.settle, one.ref, 2, "unreached")


def test_the_notice_goes_when_the_last_one_is_settled(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ref = _meet(circle, clock, circle.members[0])
    one, other = _open(circle)
    assert _told(circle, circle.hanna) == [("missed", ref)]
    _as(circle, circle.hanna, followups.settle, one.ref, 1, "reached")
    assert _told(circle, circle.hanna) == [("missed", ref)]
    _as(circle, circle.hanna, followups.settle, other.ref, 1, "reached")
    assert _told(circle, circle.hanna) == []


def test_who_leaves_the_group_meanwhile_is_looked_after_no_more(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    _meet(circle, clock, jip)
    _as(circle, mees, leaving.leave, circle.group)
    assert [one.alias for one in _open(circle)] == [noor.alias]
    _as(circle, circle.hanna, leaving.remove, circle.group, noor.ref, "agreed")
    assert _open(circle) == []
    assert _told(circle, circle.hanna) == []
    with database.read() as r:
        assert r.db.scalars(select(FollowUp.id)).all() == []


def test_what_was_settled_stays_when_they_leave(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    _meet(circle, clock, *circle.members[1:])
    [one] = _open(circle)
    _as(circle, circle.hanna, followups.settle, one.ref, 1, "stops")
    _as(circle, circle.members[0], leaving.leave, circle.group)
    with database.read() as r:
        assert r.db.scalars(select(FollowUp.outcome)).all() == ["stops"]


def test_only_who_leads_the_group_sees_and_settles(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    other = builders.circle(database, organisation_id=circle.organisation_id)
    _meet(circle, clock, *circle.members[1:])
    [one] = _open(circle)
    assert _open(circle, other.hanna) == _open(circle, circle.members[0]) == []
    for who, refusal in ((other.hanna, NotFound), (circle.members[0], Forbidden)):
        with pytest.raises(refusal):
            _as(circle, who, followups.settle, one.ref, 1, "reached")
    for ref in ("nobody", ids.public_id()):
        with pytest.raises(NotFound):
            _as(circle, circle.hanna, followups.settle, ref, 1, "reached")
    with pytest.raises(Invalid):
        _as(circle, circle.hanna, followups.settle, one.ref, 1, "forgotten")
    assert len(_open(circle)) == 1


def test_the_list_is_one_query_however_long_it_is(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, 8)
    _meet(circle, clock)
    _meet(circle, clock)
    with database.read(circle.hanna.actor) as r, statements(database) as seen:
        assert len(followups.open_ones(r)) == 16
    assert len(seen) == 1


def test_how_long_they_have_is_a_setting(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load({}).follow_up_hours == 24
    assert load({"SAMEN_FOLLOW_UP_HOURS": "48"}).follow_up_hours == 48
    for wrong in ("0", "169", "a day"):
        with pytest.raises(SettingsError):
            load({"SAMEN_FOLLOW_UP_HOURS": wrong})
    monkeypatch.setattr(followups, "_lasts", {})
    followups.ask_within(48)
    circle = builders.circle(database)
    _meet(circle, clock)
    assert {one.due_at for one in _open(circle)} == {clock() + timedelta(hours=48)}


def test_it_stands_on_the_first_page_and_is_settled_there(site: flask.Flask, clock: FrozenClock) -> None:
    house = site.extensions["samen"]
    house.database.clock = clock
    circle = builders.circle(house.database)
    _meet(circle, clock, *circle.members[1:])
    visitor = Visitor(site)
    visitor.client.set_cookie(house.cookie, circle.hanna.token, domain="localhost")
    page = visitor.get("/vandaag").get_data(as_text=True)
    [one] = _open(circle)
    assert "Wie er niet was" in page
    assert circle.members[0].alias in page
    answer = visitor.post(f"/gemist/{one.ref}", {"version": "1", "outcome": "coming_back"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/vandaag")
    assert "Wie er niet was" not in visitor.get("/vandaag").get_data(as_text=True)
    assert visitor.post(f"/gemist/{one.ref}", {"version": "1", "outcome": "reached"}).status_code == 409
