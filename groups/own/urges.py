"""Waves: an urge somebody stays with at the timer, until it sinks. What came of it is theirs alone.

A ride that was left open counts as nothing: not everybody comes back to say how it went.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.core import clock, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups.models import UrgeRide
from moderation.screening import screen

MINUTES = (5, 15, 20)
USUAL = 15
OUTCOMES = ("rode", "lapsed")
OPEN = timedelta(hours=2)  # after this a ride that nobody finished counts as nothing
CARRIED = timedelta(days=7)  # how old a ride may be that a device brings along
LIMIT = 280  # characters of what helped
HIGHEST = 10

_CHOOSE = N_("Kies één van de antwoorden. Wat je eerder invulde is bewaard.")
_OVER = N_("Deze golf is al voorbij. Er is niets kwijt; je kunt altijd een nieuwe beginnen.")


@dataclass(frozen=True, slots=True)
class Ride:
    """One ride. `before` and `after` are 0 to 10 where somebody said so; `outcome` is rode, lapsed, or nothing."""

    ref: str
    key: str
    started_at: datetime
    ended_at: datetime | None
    minutes: int
    before: int | None
    after: int | None
    helped: str
    outcome: str

    @property
    def until(self) -> datetime:
        """When the timer comes to its end."""
        return self.started_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Brought:
    """A ride as a device kept it while there was no network: how many seconds ago it began, and how long it lasted."""

    key: str
    minutes: int
    ago: int
    lasted: int
    before: int | None
    after: int | None
    outcome: str


def begin(w: Work, key: str, minutes: int, before: int | None = None) -> Ride:
    """Start a ride; while one is open, that one goes on. The same `key` is the same ride. What was left open before is
    gone. Raises `Invalid`, `Closed`.
    """
    _check(minutes, before)
    known = _by_key(w, key)
    if known is not None:
        return _opened(w, [known])[0]
    going = open_one(w)
    if going is not None:
        return going
    w.db.execute(delete(UrgeRide).where(UrgeRide.person_id == w.who.person_id, UrgeRide.ended_at.is_(None)))
    row = _row(w, key, w.now, minutes)
    _write(w, row, {"before": before, "after": None, "helped": "", "outcome": ""})
    _save(w, row)
    return _opened(w, [row])[0]


def open_one(w: Work) -> Ride | None:
    """The ride that is not finished yet, if one began in the last two hours. One query, and one for keys."""
    row = w.db.scalar(
        select(UrgeRide)
        .where(UrgeRide.person_id == w.who.person_id, UrgeRide.ended_at.is_(None), UrgeRide.started_at > w.now - OPEN)
        .order_by(UrgeRide.started_at.desc(), UrgeRide.id.desc())
        .limit(1)
    )
    return _opened(w, [row])[0] if row is not None else None


def finish(w: Work, ref: str, after: int | None, helped: str, outcome: str) -> bool:
    """Say how it went. `outcome` is rode or lapsed; with nothing the ride ends and counts as nothing.

    The same answer twice is one. Returns whether the words speak of danger. Raises `NotFound`, `Invalid`, `TooLarge`,
    and `Closed` for a ride that is over.
    """
    row = w.db.scalar(select(UrgeRide).where(UrgeRide.public_id == ref, UrgeRide.person_id == w.who.person_id))
    if row is None:
        raise NotFound
    _check(row.minutes, after)
    if outcome not in ("", *OUTCOMES):
        raise Invalid(_CHOOSE)
    said = plain(helped, limit=LIMIT) if helped.strip() else ""
    content = _content(w, row)
    told = {"before": content["before"], "after": after, "helped": said, "outcome": outcome}
    if row.ended_at is None and row.started_at > w.now - OPEN:
        _end(row, w.now)
        _write(w, row, told)
    elif content != told:
        raise Closed(_OVER)
    verdict = screen(said, lang=w.who.language, where="report")
    return any(reason.kind == "crisis_self" for reason in verdict.reasons)


def bring(w: Work, brought: Brought) -> None:
    """Take in a ride that a device kept while there was no network. The same key twice is one ride.

    The device says how long ago, not when: its clock may be wrong. Raises `Invalid`, `Closed`.
    """
    _check(brought.minutes, brought.before, brought.after)
    if brought.outcome not in OUTCOMES or not 0 <= brought.lasted <= OPEN.total_seconds():
        raise Invalid(_CHOOSE)
    if not brought.lasted <= brought.ago <= CARRIED.total_seconds():
        raise Invalid(_CHOOSE)
    row, before = _by_key(w, brought.key), brought.before
    if row is None:
        row = _row(w, brought.key, w.now - timedelta(seconds=brought.ago), brought.minutes)
    elif row.ended_at is not None:
        return
    elif before is None:
        before = _content(w, row)["before"]
    _end(row, row.started_at + timedelta(seconds=brought.lasted))
    _write(w, row, {"before": before, "after": brought.after, "helped": "", "outcome": brought.outcome})
    _save(w, row)


def rides(w: Work, since: datetime) -> list[Ride]:
    """One's own rides from `since` on that came to an end somebody told of, oldest first. One query, one for keys."""
    rows = w.db.scalars(
        select(UrgeRide)
        .where(UrgeRide.person_id == w.who.person_id, UrgeRide.started_at >= since, UrgeRide.ended_at.is_not(None))
        .order_by(UrgeRide.started_at, UrgeRide.id)
    )
    return [ride for ride in _opened(w, list(rows)) if ride.outcome]


def kept_of(w: Work, person_id: int) -> list[dict[str, Any]]:
    """Somebody's rides as they take them along. The caller knows that they are theirs."""
    query = select(UrgeRide).where(UrgeRide.person_id == person_id).order_by(UrgeRide.started_at, UrgeRide.id)
    return [
        {
            "at": clock.iso_minute(ride.started_at),
            "minutes": ride.minutes,
            "before": ride.before,
            "after": ride.after,
            "helped": ride.helped,
            "outcome": ride.outcome,
        }
        for ride in _opened(w, list(w.db.scalars(query)))
    ]


def _check(minutes: int, *numbers: int | None) -> None:
    if minutes not in MINUTES or any(n is not None and not 0 <= n <= HIGHEST for n in numbers):
        raise Invalid(_CHOOSE)


def _by_key(w: Work, key: str) -> UrgeRide | None:
    return w.db.scalar(select(UrgeRide).where(UrgeRide.person_id == w.who.person_id, UrgeRide.key == key))


def _row(w: Work, key: str, started_at: datetime, minutes: int) -> UrgeRide:
    return UrgeRide(
        public_id=ids.public_id(), person_id=w.who.person_id, key=key, started_at=started_at, minutes=minutes
    )


def _end(row: UrgeRide, at: datetime) -> None:
    row.started_at, row.ended_at = clock.minute(row.started_at), clock.minute(at)  # the seconds are nobody's business


def _write(w: Work, row: UrgeRide, content: dict[str, Any]) -> None:
    said = json.dumps(content, ensure_ascii=False)
    row.content = w.ring.seal(w.who.person_id, UrgeRide.content, row.public_id, said)


def _save(w: Work, row: UrgeRide) -> None:
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:  # the same tap from two screens at once
        raise Closed(N_("Dit stond op een ander scherm ook open. Ververs; alles is bewaard.")) from None


def _content(w: Work, row: UrgeRide) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(w.ring.open(UrgeRide.content, row.public_id, row.content))
    return found


def _opened(w: Work, rows: Sequence[UrgeRide]) -> list[Ride]:
    texts = w.ring.open_all(UrgeRide.content, [(row.public_id, row.content) for row in rows])
    return [_ride(row, json.loads(text)) for row, text in zip(rows, texts, strict=True)]


def _ride(row: UrgeRide, content: dict[str, Any]) -> Ride:
    return Ride(
        row.public_id,
        row.key,
        row.started_at,
        row.ended_at,
        row.minutes,
        content["before"],
        content["after"],
        content["helped"],
        content["outcome"],
    )
