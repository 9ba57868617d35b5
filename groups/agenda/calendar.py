"""A private address where a person's own calendar reads when they are expected, under a neutral word.

The address holds a random secret; only its hash is kept. What stands there says when, and nothing else: no place, no
description, nobody else. The same session has another id in everybody's calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event
from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Person
from app.core import clock, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import BUNDLES, Permission, Role
from app.core.work import Work
from groups.models import Absence, CalendarFeed, GroupSession, Membership

WORDS: dict[str, dict[str, str]] = {
    "appointment": {"nl": "Afspraak", "en": "Appointment"},
    "busy": {"nl": "Bezet", "en": "Busy"},
    "meeting": {"nl": "Overleg", "en": "Meeting"},
    "course": {"nl": "Cursus", "en": "Course"},
}
PAST = timedelta(days=30)  # a calendar keeps showing what was, for so long
_TOKEN = 43  # characters of an address


@dataclass(frozen=True, slots=True)
class Feed:
    """That somebody has an address, since when, and under which word; not the address: it is not known here."""

    made_on: date
    word: str


def standing(w: Work) -> Feed | None:
    """The actor's own feed, if they have one."""
    row = w.db.scalar(select(CalendarFeed).where(CalendarFeed.person_id == w.who.person_id))
    return Feed(row.made_on, row.word) if row else None


def make(w: Work) -> str:
    """Make the actor's address, and return its secret, which is shown once. An older address ends at once."""
    secret = ids.session_token()
    values = {"digest": ids.digest(secret), "made_on": w.now.date()}
    renewed = w.db.execute(
        update(CalendarFeed)
        .where(CalendarFeed.person_id == w.who.person_id)
        .values(**values)
        .returning(CalendarFeed.id)
    ).first()
    if renewed is None:
        try:
            with w.db.begin_nested():
                w.db.add(CalendarFeed(person_id=w.who.person_id, word="appointment", **values))
        except IntegrityError:
            raise Closed(
                N_("Je adres is net op een ander scherm gemaakt. Was jij dat niet? Maak dan een nieuw adres.")
            ) from None
    return secret


def end(w: Work) -> None:
    """End the actor's address: calendars that have it find nothing there from now on."""
    w.db.execute(delete(CalendarFeed).where(CalendarFeed.person_id == w.who.person_id))


def name(w: Work, word: str) -> None:
    """Choose the word one's appointments go by. Raises `Invalid`, and `NotFound` without a feed."""
    if word not in WORDS:
        raise Invalid
    own = update(CalendarFeed).where(CalendarFeed.person_id == w.who.person_id)
    if w.db.execute(own.values(word=word).returning(CalendarFeed.id)).first() is None:
        raise NotFound


def read(w: Work, secret: str) -> bytes:
    """What a calendar finds at an address, as iCalendar. For whoever has the address; nobody is signed in.

    Looked up by its hash, so that how long it takes says nothing about the secret. Raises `NotFound`, alike for an
    address that never was, that ended, and that belongs to somebody who may not come in.
    """
    if len(secret) != _TOKEN:
        raise NotFound
    row = w.db.execute(
        select(CalendarFeed, Person.language, Person.role)
        .join(Person, Person.id == CalendarFeed.person_id)
        .where(CalendarFeed.digest == ids.digest(secret), Person.suspended_at.is_(None))
    ).first()
    if row is None or Permission.OWN_CALENDAR_READ not in BUNDLES[Role(row.role)]:
        raise NotFound
    feed = row.CalendarFeed
    sessions = w.db.execute(
        select(GroupSession.public_id, GroupSession.starts_at, GroupSession.minutes)
        .join(Membership, Membership.group_id == GroupSession.group_id)
        .where(
            Membership.person_id == feed.person_id,
            Membership.left_at.is_(None),
            GroupSession.status != "cancelled",
            GroupSession.starts_at > w.now - PAST,
            ~exists().where(Absence.session_id == GroupSession.id, Absence.membership_id == Membership.id),
        )
        .order_by(GroupSession.starts_at, GroupSession.id)
    ).all()
    word = WORDS[feed.word][row.language]
    return _calendar(word, (_event(w, feed.person_id, word, *session) for session in sessions))


def _calendar(word: str, events: Iterable[Event]) -> bytes:
    made = Calendar()
    made.add("prodid", "-//Agenda//1.0//")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("x-wr-calname", word)
    made.add("refresh-interval", timedelta(hours=6), parameters={"value": "DURATION"})
    made.add("x-published-ttl", "PT6H")
    for event in events:
        made.add_component(event)
    return bytes(made.to_ical())


def _event(w: Work, person_id: int, word: str, ref: str, starts_at: datetime, minutes: int) -> Event:
    event = Event()
    event.add("uid", w.digest(f"calendar {person_id} {ref}")[:32])
    event.add("dtstamp", clock.day(w.now.astimezone(UTC)))
    event.add("dtstart", starts_at.astimezone(UTC))
    event.add("dtend", (starts_at + timedelta(minutes=minutes)).astimezone(UTC))
    event.add("summary", word)
    event.add("class", "PRIVATE")
    return event
