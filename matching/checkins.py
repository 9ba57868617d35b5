"""Check-ins: one a day, one question at a time, saved as it goes; the buddy sees what was agreed to be seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from app.core import clock, ids
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Membership
from matching import buddies
from matching.models import CheckIn, checkin_row
from moderation.screening import screen

QUESTIONS = ("mood", "urge", "halt", "line", "share")
HALT = "halt"  # hungry, angry, lonely, tired
SHARES = ("done", "all")
_EMPTY: dict[str, Any] = {"mood": None, "urge": None, "halt": "", "line": ""}
HARD_URGE = 3  # from here on a day counts as a hard one


@dataclass(frozen=True, slots=True)
class Draft:
    """Today's check-in as far as it is filled in."""

    mood: int | None
    urge: int | None
    halt: str
    line: str
    share: str
    done: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One dot of somebody's week. The answers are set only where they were shared."""

    day: date
    state: str  # done, hard, rest (nothing that day) or next (today, still open)
    mood: int | None = None
    urge: int | None = None
    line: str = ""


def today(w: Work) -> date:
    """The actor's own calendar day."""
    return w.now.astimezone(ZoneInfo(w.who.timezone)).date()


def draft(w: Work, found: rooms.Place) -> Draft:
    """Today's check-in of the actor in one group; empty if they have not begun."""
    row = _row(w, found.membership_id, today(w))
    if row is None:
        return Draft(None, None, "", "", "done", False)
    return Draft(**_opened(w, [row])[0], share=row.share, done=row.done_at is not None)


def save(w: Work, found: rooms.Place, question: str, value: object) -> bool:
    """Keep the answer to one question of today's check-in; the last one finishes it. For members.

    Answering again the same day changes the answer. Returns whether the written line speaks of danger, so that
    the page can show help at once. Raises `Invalid` for a value that was not offered.
    """
    if found.leads:
        raise Forbidden
    changes, crisis = _clean(found, question, value)
    row = _row(w, found.membership_id, today(w))
    if row is None:
        row = CheckIn(membership_id=found.membership_id, day=today(w), share="done", line_kept_back=False)
        content = dict(_EMPTY)
    else:
        content = _opened(w, [row])[0]
    for name, new in changes.items():
        if name in content:
            content[name] = new
        else:
            setattr(row, name, new)
    row.content = w.ring.seal(w.who.person_id, CheckIn.content, _name(row), json.dumps(content))
    w.db.add(row)
    if question == QUESTIONS[-1]:
        if content["mood"] is None or content["urge"] is None:
            raise Invalid(N_("Er mist nog een antwoord. Ga één vraag terug; alles is bewaard."))
        first = row.done_at is None
        row.done_at = clock.day(w.now)
        if first:
            _tell_buddies(w, found, row)
    try:
        w.db.flush()
    except IntegrityError:  # the same first answer from two screens at once
        raise Invalid(N_("Dit stond op een ander scherm ook open. Ververs; alles is bewaard.")) from None
    return crisis


def week(w: Work, membership_id: int, *, own: bool) -> list[Day]:
    """The last seven days of one membership, oldest first. Answers only where they are the actor's or shared.

    Raises `NotFound` unless it is the actor's own or a buddy's.
    """
    allowed = _own_memberships(w) if own else {b.membership_id for b in buddies.mine(w)}
    if membership_id not in allowed:
        raise NotFound
    last = today(w)
    days = [last - timedelta(days=n) for n in range(6, -1, -1)]
    query = select(CheckIn).where(
        CheckIn.membership_id == membership_id, CheckIn.day.in_(days), CheckIn.done_at.is_not(None)
    )
    rows = {row.day: row for row in w.db.scalars(query)}
    seen = [row for row in rows.values() if own or row.share == "all"]  # the rest is not even opened
    contents = {row.day: content for row, content in zip(seen, _opened(w, seen), strict=True)}
    return [_day(day, rows.get(day), contents.get(day), own, is_today=day == last) for day in days]


def own_days(w: Work) -> set[date]:
    """Every day on which the actor finished a check-in, in whatever group. One query."""
    return set(w.db.scalars(_own_finished(select(CheckIn.day), w)))


def own_since(w: Work, first: date) -> list[Day]:
    """The actor's own finished check-ins from a day on, in whatever group, oldest first. At most two queries."""
    rows = w.db.scalars(_own_finished(select(CheckIn), w).where(CheckIn.day >= first).order_by(CheckIn.day, CheckIn.id))
    found = list(rows)
    return [
        _day(row.day, row, content, True, is_today=False) for row, content in zip(found, _opened(w, found), strict=True)
    ]


def _own_finished(query: Select[Any], w: Work) -> Select[Any]:
    own = select(Membership.id).where(Membership.person_id == w.who.person_id)
    return query.where(CheckIn.membership_id.in_(own), CheckIn.done_at.is_not(None), CheckIn.day <= today(w))


def _day(day: date, row: CheckIn | None, content: dict[str, Any] | None, own: bool, *, is_today: bool) -> Day:
    if row is None:
        return Day(day, "next" if is_today else "rest")
    if content is None:
        return Day(day, "done")
    line = "" if row.line_kept_back and not own else content["line"]
    return Day(day, "hard" if (content["urge"] or 0) >= HARD_URGE else "done", content["mood"], content["urge"], line)


def _opened(w: Work, rows: Sequence[CheckIn]) -> list[dict[str, Any]]:
    """The answers of each check-in. The caller has checked that the actor may read them."""
    return [json.loads(text) for text in w.ring.open_all(CheckIn.content, [(_name(r), r.content) for r in rows])]


def _name(row: CheckIn) -> str:
    return checkin_row(row.membership_id, row.day)


def _clean(found: rooms.Place, question: str, value: object) -> tuple[dict[str, object], bool]:
    """The columns one answer changes, and whether it speaks of danger."""
    if question == "mood":
        return {"mood": _number(value, 1, 5)}, False
    if question == "urge":
        return {"urge": _number(value, 0, 4)}, False
    if question == "halt":
        letters = value if isinstance(value, list) else []
        return {"halt": "".join(letter for letter in HALT if letter in letters)}, False
    if question == "line":
        text = plain(value, limit=280) if isinstance(value, str) and value.strip() else ""
        verdict = screen(text, lang=found.language, where="pair")
        crisis = any(r.kind == "crisis_self" for r in verdict.reasons)
        return {"line": verdict.text, "line_kept_back": verdict.action == "hold"}, crisis
    if question == "share" and value in SHARES:
        return {"share": value}, False
    raise Invalid(N_("Kies één van de antwoorden. Wat je eerder invulde is bewaard."))


def _number(value: object, low: int, high: int) -> int:
    return ids.number(value, low, high)


def _tell_buddies(w: Work, found: rooms.Place, row: CheckIn) -> None:
    for buddy in buddies.mine(w):
        if buddy.own_membership_id == found.membership_id:
            key = f"checkin:{found.membership_id}:{row.day}:{buddy.membership_id}"
            outbox.queue(w, buddy.person_id, "checkin", buddy.room, key)


def _own_memberships(w: Work) -> set[int]:
    return set(w.db.scalars(select(Membership.id).where(Membership.person_id == w.who.person_id)))


def _row(w: Work, membership_id: int, day: date) -> CheckIn | None:
    return w.db.scalar(select(CheckIn).where(CheckIn.membership_id == membership_id, CheckIn.day == day))
