"""Signed-in browsers: starting a session, asking who holds it, ending it, and proving again to be its owner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, bindparam, delete, select, update
from sqlalchemy.orm import Session

from app.accounts.models import Person, SignIn
from app.core import clock, ids
from app.core.actor import Actor
from app.core.db import Moment
from app.core.errors import NotFound
from app.core.permissions import Role
from app.core.work import Database, Work

IDLE = timedelta(days=14)  # a session that nobody used for so long is over
CONFIRMED = timedelta(minutes=10)  # how long a second proof of who one is counts


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of one's own sessions, as its owner sees it: days only, and nothing about the device."""

    ref: str
    started_on: date
    last_on: date
    this_one: bool


def start(w: Work, person_id: int, lasts: timedelta, *, confirmed: bool = False) -> str:
    """Sign a person in and return the new session token, which is stored only as a hash.

    Writes one sign-in row. Whoever calls it has checked the proof; `confirmed` says that it was strong enough for
    weighty actions too.
    """
    token = ids.session_token()
    w.db.add(
        SignIn(
            token_hash=ids.digest(token),
            public_id=ids.public_id(),
            person_id=person_id,
            started_on=w.now.date(),
            last_on=w.now.date(),
            expires_at=_end_of(w.now + lasts, lasts),
            confirmed_at=w.now if confirmed else None,
        )
    )
    w.db.flush()
    return token


def end(w: Work, token_hash: str) -> None:
    """End one session for good. Writes `revoked_at`; announces it, so that its open sockets are cut at once."""
    _end(w, SignIn.token_hash == token_hash)


def end_all(w: Work, person_id: int, *, spare: str = "") -> int:
    """End every session of a person but `spare` (a token hash), and return how many were ended."""
    return _end(w, (SignIn.person_id == person_id) & (SignIn.token_hash != spare))


def end_own(w: Work, ref: str) -> None:
    """End one of one's own sessions by its name on the list. Raises `NotFound`."""
    if _end(w, (SignIn.person_id == w.who.person_id) & (SignIn.public_id == ref)) == 0:
        raise NotFound


def mine(w: Work) -> list[OpenSession]:
    """One's own sessions that still stand, this one first. One query."""
    rows = w.db.scalars(
        select(SignIn)
        .where(SignIn.person_id == w.who.person_id, *_standing(w.now))
        .order_by(SignIn.last_on.desc(), SignIn.public_id)
    )
    found = [OpenSession(s.public_id, s.started_on, s.last_on, s.token_hash == w.who.session) for s in rows]
    return sorted(found, key=lambda s: not s.this_one)


def confirm(w: Work) -> None:
    """Note that the actor proved again, just now, to be who they are. Whoever calls it has checked the proof."""
    w.db.execute(update(SignIn).where(SignIn.token_hash == w.who.session).values(confirmed_at=w.now))


def touch(w: Work, token_hash: str) -> None:
    """Note that a session was used today. Called once a day."""
    w.db.execute(update(SignIn).where(SignIn.token_hash == token_hash).values(last_on=w.now.date()))


def who(db: Session, token_hash: str, now: datetime) -> Actor | None:
    """Who holds this session now, or None if it ended, ran out, lay idle, or the person is suspended. One query."""
    row = db.execute(_LIVE, {"hash": token_hash, "now": now, "used": (now - IDLE).date()}).first()
    if row is None:
        return None
    return Actor(
        person_id=row.id,
        organisation_id=row.organisation_id,
        role=Role(row.role),
        session=token_hash,
        language=row.language,
        timezone=row.timezone,
        theme=row.theme,
        name=row.name,
        confirmed=row.confirmed_at is not None and row.confirmed_at > now - CONFIRMED,
        last_on=row.last_on,
    )


def live_sessions(db: Session, token_hashes: Collection[str], now: datetime) -> set[str]:
    """Which of these sessions still stand. One query, for the re-check of open sockets."""
    return set(
        db.scalars(
            select(SignIn.token_hash)
            .join(Person, Person.id == SignIn.person_id)
            .where(SignIn.token_hash.in_(token_hashes), *_standing(now), Person.suspended_at.is_(None))
        )
    )


def sweep(database: Database) -> int:
    """Forget the sessions that are over since yesterday or longer: that somebody was signed in is nobody's business.

    When somebody last proved who they are is forgotten as soon as it counts no more.
    """
    with database.work() as w:
        w.db.execute(update(SignIn).where(SignIn.confirmed_at <= w.now - CONFIRMED).values(confirmed_at=None))
        gone = w.db.execute(
            delete(SignIn)
            .where((SignIn.expires_at <= w.now) | (SignIn.revoked_at < clock.day(w.now)))
            .returning(SignIn.public_id)
        )
        return len(gone.all())


def _end_of(end: datetime, lasts: timedelta) -> datetime:
    """When a session ends, to the day or the hour: from a finer time one could read when it began."""
    return clock.day(end) if lasts >= timedelta(days=2) else clock.hour(end)


def _standing(now: datetime) -> tuple[Any, ...]:
    return (SignIn.revoked_at.is_(None), SignIn.expires_at > now, SignIn.last_on >= (now - IDLE).date())


def _end(w: Work, which: Any) -> int:
    ended = w.db.scalars(
        update(SignIn)
        .where(which, SignIn.revoked_at.is_(None))
        .values(revoked_at=clock.day(w.now))
        .returning(SignIn.token_hash)
    ).all()
    for token_hash in ended:
        w.announce(f"session:{token_hash}", "revoked", {})
    return len(ended)


_LIVE = (
    select(
        Person.id,
        Person.organisation_id,
        Person.role,
        Person.language,
        Person.timezone,
        Person.theme,
        Person.name,
        SignIn.confirmed_at,
        SignIn.last_on,
    )
    .join(SignIn, SignIn.person_id == Person.id)
    .where(
        SignIn.token_hash == bindparam("hash"),
        SignIn.revoked_at.is_(None),
        SignIn.expires_at > bindparam("now", type_=Moment),
        SignIn.last_on >= bindparam("used", type_=Date),
        Person.suspended_at.is_(None),
    )
)
