"""The check-up: once a quarter somebody stands still and looks how it goes. For who asked for it, in a group or not.

It is a person's own and nobody else reads it. When it is due there is one line about it, and another a week later;
never more. Numbers stand beside those of last time, without a word about what they would mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Person
from app.core import ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Database, Work
from app.notify import outbox
from groups.models import CheckUp
from moderation.screening import screen

QUESTIONS = ("calm", "urge", "contact", "mood", "values")
LIGHTER = frozenset({"urge"})  # where a lower number is the lighter one
HIGHEST = 10
LIMIT = 500  # characters of the line
EVERY = timedelta(days=90)
AGAIN = timedelta(days=7)  # after the day it was due there is one more line about it
MORNING = 9  # o'clock of one's own: nobody is told at night
KIND = "check_up"  # of the notice
_DOWN = 2  # so many points harder than last time, on one question, are worth a word

_MISSING = N_("Er mist nog een antwoord. Wat je koos, staat er nog.")
_NOT_YET = N_("Deze check-up is nog niet aan de beurt, of al gedaan. Er is niets veranderd.")


@dataclass(frozen=True, slots=True)
class Done:
    """One check-up that was done: a number from 0 to 10 by question, and a line, empty for none."""

    ref: str
    done_on: date
    numbers: dict[str, int]
    line: str


@dataclass(frozen=True, slots=True)
class Own:
    """One's own check-ups. `ref` is the one that is still to be done and `due_on` its day, both empty for who does not
    want any; `due` when it can be done now. `done` are the others, the first one first.
    """

    ref: str
    due_on: date | None
    due: bool
    done: tuple[Done, ...]

    @property
    def down(self) -> bool:
        """Was the last one harder than the one before it?"""
        return len(self.done) > 1 and harder(self.done[-2].numbers, self.done[-1].numbers)


def harder(before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Is something clearly harder than it was? Of numbers by question. Pure."""
    more = {name: number - before[name] for name, number in now.items()}
    return any((points if name in LIGHTER else -points) >= _DOWN for name, points in more.items())


def own(w: Work) -> Own:
    """One's own check-ups. One query, and one for keys."""
    rows = w.db.scalars(select(CheckUp).where(CheckUp.person_id == w.who.person_id).order_by(CheckUp.due_on)).all()
    done = sorted((row for row in rows if row.done_on is not None), key=lambda row: (row.done_on or row.due_on, row.id))
    texts = w.ring.open_all(CheckUp.content, [(row.public_id, row.content) for row in done])
    open_one = next((row for row in rows if row.done_on is None), None)
    return Own(
        open_one.public_id if open_one else "",
        open_one.due_on if open_one else None,
        bool(open_one and open_one.due_on <= _today(w)),
        tuple(_done(row, text) for row, text in zip(done, texts, strict=True)),
    )


def begin(w: Work) -> None:
    """Ask for check-ups: the first is due ninety days from today. For clients; again changes nothing."""
    _plan(w)


def stop(w: Work) -> None:
    """Want no more check-ups. What was done stays, until one's account goes. Again changes nothing."""
    gone = delete(CheckUp).where(CheckUp.person_id == w.who.person_id, CheckUp.done_on.is_(None))
    outbox.settle(w, KIND, list(w.db.scalars(gone.returning(CheckUp.public_id))))


def answer(w: Work, ref: str, numbers: Mapping[str, object], line: object = "") -> bool:
    """Do the check-up that is due: a number for every question as a form writes it, and a line. The next is due ninety
    days from today.

    Writes both, puts its notice away. Returns whether the line speaks of danger. Raises `NotFound`, `Closed` for one
    that is not due yet or done already, `Invalid` where an answer is missing, `TooLarge`.
    """
    if not ids.is_ref(ref):
        raise NotFound
    mine = select(CheckUp).where(CheckUp.public_id == ref, CheckUp.person_id == w.who.person_id)
    row = w.db.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound
    if row.done_on is not None or row.due_on > _today(w):
        raise Closed(_NOT_YET)
    said = plain(line, limit=LIMIT) if isinstance(line, str) and line.strip() else ""
    content = {name: _number(numbers.get(name)) for name in QUESTIONS}
    row.content = w.ring.seal(
        w.who.person_id, CheckUp.content, ref, json.dumps(content | {"line": said}, ensure_ascii=False)
    )
    row.done_on = _today(w)
    w.db.flush()
    outbox.settle(w, KIND, [ref])
    _plan(w)
    return any(reason.kind == "crisis_self" for reason in screen(said, lang=w.who.language, where="pair").reasons)


def sweep(database: Database) -> int:
    """Tell everybody whose check-up is due, once, and once more a week after that day. Returns how many were told.

    Run again, or by two at once, it changes nothing more. Writes only when there is somebody to tell.
    """
    with database.read() as r:
        if not _to_tell(r):
            return 0
    with database.work() as w:
        told = _to_tell(w, hold=True)
        for row, today in told:
            outbox.settle(w, KIND, [row.public_id])  # one line at a time
            outbox.queue(w, row.person_id, KIND, row.public_id, f"{KIND}:{row.public_id}:{today.isoformat()}")
            row.told_on = today
    return len(told)


def export(w: Work, person_id: int) -> list[dict[str, Any]]:
    """A person's check-ups, to take along; the one still to be done by its day alone."""
    rows = w.db.scalars(select(CheckUp).where(CheckUp.person_id == person_id).order_by(CheckUp.due_on)).all()
    texts = w.ring.open_all(CheckUp.content, [(row.public_id, row.content) for row in rows])
    return [
        {"due_on": row.due_on.isoformat()}
        | ({"done_on": row.done_on.isoformat(), **json.loads(text)} if row.done_on else {})
        for row, text in zip(rows, texts, strict=True)
    ]


def _plan(w: Work) -> None:
    """The next one, unless there is one to be done already."""
    waits = select(CheckUp.id).where(CheckUp.person_id == w.who.person_id, CheckUp.done_on.is_(None))
    if w.db.scalar(waits.limit(1)) is not None:
        return
    row = CheckUp(public_id=ids.public_id(), person_id=w.who.person_id, due_on=_today(w) + EVERY)
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:
        pass  # asked for on another screen, just now


def _done(row: CheckUp, text: str) -> Done:
    content = json.loads(text)
    return Done(row.public_id, row.done_on or row.due_on, {name: content[name] for name in QUESTIONS}, content["line"])


def _number(value: object) -> int:
    try:
        return ids.number(value, 0, HIGHEST)
    except Invalid:
        raise Invalid(_MISSING) from None


def _today(w: Work) -> date:
    return w.now.astimezone(ZoneInfo(w.who.timezone)).date()


def _to_tell(w: Work, *, hold: bool = False) -> list[tuple[CheckUp, date]]:
    """The check-ups to tell their people about now, each with the day it is there. One query, of what is due only.

    One that was told about a week or more after its day was told about for the last time.
    """
    tomorrow = w.now.date() + timedelta(days=1)  # the day in the zone that is furthest ahead
    query = (
        select(CheckUp, Person.timezone)
        .join(Person, Person.id == CheckUp.person_id)
        .where(CheckUp.done_on.is_(None), CheckUp.due_on <= tomorrow, Person.suspended_at.is_(None))
        .order_by(CheckUp.id)
    )
    if hold:
        query = query.with_for_update(of=CheckUp, skip_locked=True).execution_options(populate_existing=True)
    found = [(row.CheckUp, w.now.astimezone(ZoneInfo(row.timezone))) for row in w.db.execute(query)]
    return [(row, now.date()) for row, now in found if is_time(row.due_on, row.told_on, now)]


def is_time(due_on: date, told_on: date | None, now: datetime) -> bool:
    """Is there something to tell at this hour of one's own? Pure."""
    if now.hour < MORNING or now.date() < due_on:
        return False
    return told_on is None or told_on < due_on + AGAIN <= now.date()
