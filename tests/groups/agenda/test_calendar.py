"""The private calendar feed: when, and nothing else; found by whoever has the address, and ended at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from app.accounts.models import Person
from app.core.errors import Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from groups.agenda import absence, calendar, planning, replanning
from groups.agenda.series import Pattern
from groups.models import CalendarFeed
from groups.people import leaving
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock

# All that may stand in an appointment. A new name here is a decision about what a calendar's owner may see.
MAY_STAND = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "CLASS"}


def _make(database: Database, who: Someone) -> str:
    with database.work(who.actor) as w:
        return calendar.make(w)


def _read(database: Database, secret: str) -> Any:
    with database.read() as r:
        return Calendar.from_ical(calendar.read(r, secret))


def _events(database: Database, secret: str) -> list[Any]:
    return list(_read(database, secret).walk("VEVENT"))


def _series(circle: Circle, starts: datetime, **more: Any) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        pattern = Pattern(starts.date(), starts.hour * 60 + starts.minute, **{"count": 8, "booster_weeks": 6} | more)
        planning.plan_series(w, circle.group, pattern, 90)


def test_a_feed_says_when_under_a_neutral_word_and_nothing_else(database: Database) -> None:
    circle = builders.circle(database)
    _series(circle, database.clock() + timedelta(days=7))
    feed = _read(database, _make(database, circle.members[0]))
    events = list(feed.walk("VEVENT"))
    assert len(events) == 9
    for event in events:
        assert set(event.keys()) <= MAY_STAND
        assert str(event["SUMMARY"]) == "Afspraak"
    text = feed.to_ical().decode()
    for telling in ("Dinsdag", "Hanna", "Mees", "Begrijpen", "groep", "samen", "localhost", circle.group, circle.room):
        assert telling.casefold() not in text.casefold()


def test_the_hour_is_the_groups_own_whatever_the_clocks_do(database: Database, clock: FrozenClock) -> None:
    clock.at = datetime(2026, 9, 1, 9, tzinfo=UTC)
    circle = builders.circle(database)
    _series(circle, datetime(2026, 9, 8, 20))
    with database.read(circle.hanna.actor) as r:
        planned = [item.starts_at for item in planning.upcoming(r, limit=20)]
    events = _events(database, _make(database, circle.hanna))
    assert [event.decoded("DTSTART") for event in events] == planned
    assert {start.hour for start in planned} == {18, 19}  # eight in the evening, before and after the clocks went back
    assert all(re.fullmatch(rb"\d{8}T\d{6}Z", event["DTSTART"].to_ical()) for event in events)  # instants, no zone
    assert {event.decoded("DTEND") - event.decoded("DTSTART") for event in events} == {timedelta(minutes=90)}


def test_an_appointment_keeps_its_name_when_it_moves_and_has_another_in_each_calendar(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    mees, noor = circle.members[:2]
    secret = _make(database, mees)
    [before] = _events(database, secret)
    with database.work(circle.hanna.actor) as w:
        replanning.move(w, ref, 1, w.now + timedelta(days=2), 90)
    [after] = _events(database, secret)
    assert after["UID"] == before["UID"]
    assert after.decoded("DTSTART") == database.clock().replace(second=0, microsecond=0) + timedelta(days=2)
    [elsewhere] = _events(database, _make(database, noor))
    assert elsewhere["UID"] != after["UID"]
    [renewed] = _events(database, _make(database, mees))
    assert renewed["UID"] == after["UID"]
    assert ref not in str(after["UID"])


def test_what_falls_out_or_is_not_mine_is_not_in_it(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    mees = circle.members[0]
    first = circle.plan()
    other.plan()
    secret = _make(database, mees)
    assert len(_events(database, secret)) == 1
    with database.work(mees.actor) as w:
        absence.cannot(w, first)
    assert _events(database, secret) == []
    with database.work(mees.actor) as w:
        absence.can(w, first)
    assert len(_events(database, secret)) == 1
    with database.work(circle.hanna.actor) as w:
        replanning.cancel(w, first, 1)
    assert _events(database, secret) == []
    circle.plan()
    assert len(_events(database, secret)) == 1
    with database.work(mees.actor) as w:
        leaving.leave(w, circle.group)
    assert _events(database, secret) == []


def test_an_old_session_leaves_the_feed_after_a_month(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    circle.plan()
    secret = _make(database, circle.members[0])
    clock.at += timedelta(days=29)
    assert len(_events(database, secret)) == 1
    clock.at += timedelta(days=2)
    assert _events(database, secret) == []


def test_only_a_hash_is_kept_and_a_new_address_ends_the_old_one(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    old = _make(database, mees)
    new = _make(database, mees)
    assert new != old
    with database.read() as r:
        [row] = r.db.scalars(select(CalendarFeed)).all()
        assert old not in row.digest
        assert new not in row.digest
    with pytest.raises(NotFound):
        _read(database, old)
    assert _read(database, new)
    with database.work(mees.actor) as w:
        calendar.end(w)
    with pytest.raises(NotFound):
        _read(database, new)
    with database.read(mees.actor) as r:
        assert calendar.standing(r) is None


def test_two_screens_that_make_an_address_at_once_leave_one(database: Database) -> None:
    circle = builders.circle(database)
    made = builders.at_once(*[lambda: _make(database, circle.members[0])] * 2)
    with database.read() as r:
        assert len(r.db.scalars(select(CalendarFeed)).all()) == 1
    good = [secret for secret in made if isinstance(secret, str)]
    works = []
    for secret in good:
        try:
            works.append(_read(database, secret))
        except NotFound:
            continue
    assert len(works) == 1


def test_the_word_is_one_of_a_short_list_in_the_persons_language(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    with pytest.raises(NotFound), database.work(mees.actor) as w:
        calendar.name(w, "busy")
    circle.plan()
    secret = _make(database, mees)
    with pytest.raises(Invalid), database.work(mees.actor) as w:
        calendar.name(w, "Therapie")
    with database.work(mees.actor) as w:
        calendar.name(w, "busy")
    assert str(_events(database, secret)[0]["SUMMARY"]) == "Bezet"
    with database.work() as w:
        w.db.execute(update(Person).where(Person.id == mees.person_id).values(language="en"))
    assert str(_events(database, secret)[0]["SUMMARY"]) == "Busy"


def test_who_may_not_come_in_has_no_feed_any_more(database: Database) -> None:
    circle = builders.circle(database)
    secret = _make(database, circle.hanna)
    for values in ({"suspended_at": database.clock()}, {"suspended_at": None, "role": Role.MODERATOR.value}):
        with database.work() as w:
            w.db.execute(update(Person).where(Person.id == circle.hanna.person_id).values(**values))
        with pytest.raises(NotFound):
            _read(database, secret)


def test_an_address_is_read_without_a_session_and_kept_by_nobody(site: flask.Flask) -> None:
    database: Database = site.extensions["samen"].database
    circle = builders.circle(database)
    circle.plan()
    mees = circle.members[0]
    visitor = Visitor(site)
    visitor.client.set_cookie(visitor.house.cookie, mees.token, domain="localhost")
    shown = visitor.post("/meer/agenda", {}).headers["Location"]
    page = visitor.get(shown.partition("#")[0]).get_data(as_text=True)
    [address] = set(re.findall(r"http://[^\"<\s]+/agenda/[\w-]+\.ics", page))
    assert address not in visitor.get("/meer/agenda").get_data(as_text=True)  # once
    path = "/agenda/" + address.rpartition("/")[2]
    stranger = site.test_client()
    answer = stranger.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in answer.headers
    assert len(Calendar.from_ical(answer.data).walk("VEVENT")) == 1
    visitor.post("/meer/agenda/stop", {})
    ended, unknown = stranger.get(path), stranger.get("/agenda/" + "x" * 43 + ".ics")
    assert (ended.status_code, unknown.status_code) == (404, 404)
    assert ended.data == unknown.data


def test_addresses_cannot_be_tried_out_fast(site: flask.Flask) -> None:
    client = site.test_client()
    statuses = [client.get("/agenda/" + f"{n:043d}.ics").status_code for n in range(40)]
    assert set(statuses) == {404, 429}
    assert statuses.index(429) == 30
