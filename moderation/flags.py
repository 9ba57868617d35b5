"""Asking somebody to look, without being named: each person counts once, and nobody is told who it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.exc import IntegrityError

from app.core import clock
from app.core.errors import Invalid, RateLimited
from app.core.i18n import N_
from app.core.work import Work
from moderation import queue
from moderation.models import Case, Flag

# Why somebody may ask, in the order in which it is offered. The urgent ones are looked at first.
REASONS = ("touches_me", "unsafe", "recognisable", "advertising", "worry")
URGENT = frozenset({"unsafe", "worry"})
MOST = 20  # flags by one person in an hour


@dataclass(frozen=True, slots=True)
class About:
    """What is flagged: its kind and number, where it belongs, and the member of staff who wrote it, if one did."""

    kind: str
    subject_id: int
    organisation_id: int
    group_id: int
    staff_id: int | None = None


def level_of(reason: str) -> int:
    """How urgent a flag with this reason is."""
    return queue.RED if reason in URGENT else queue.AMBER


def flag(w: Work, about: About, reason: str) -> str | None:
    """Ask somebody to look. Opens a case, or joins the one that is open; returns its public id, None where the actor
    asked before.

    For whoever may read the thing: the caller has checked that, and holds its row, so that two at once open one case.
    The same person counts once; who asked before and now says it is urgent is heard, and their flag says that from then
    on. Writes the flag and the case, in the caller's transaction, and no audit line: it would say who it was. Raises
    `Invalid` for an unknown reason, `RateLimited` for more than 20 in an hour.
    """
    if reason not in REASONS:
        raise Invalid(N_("Kies waarom je dit meldt. Er is nog niets verstuurd."))
    _not_too_many(w)
    row = Flag(
        subject_kind=about.kind,
        subject_id=about.subject_id,
        person_id=w.who.person_id,
        reason=reason,
        at=clock.minute(w.now),
    )
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:
        if not _more_urgent_now(w, about, reason):
            return None  # they asked before: it counts once
    kinds, level = (queue.FLAGGED,), level_of(reason)
    joined = queue.raise_case(w, about.kind, about.subject_id, kinds, level, staff_id=about.staff_id)
    place = (about.organisation_id, about.group_id)
    return joined or queue.open_case(
        w, *place, about.kind, about.subject_id, kinds, level, held=False, staff_id=about.staff_id
    )


def own(w: Work, kind: str, subject_id: int) -> tuple[str, datetime] | None:
    """Why and when the actor flagged something; None if they did not. Nobody else can ask this."""
    row = w.db.execute(
        select(Flag.reason, Flag.at).where(
            Flag.subject_kind == kind, Flag.subject_id == subject_id, Flag.person_id == w.who.person_id
        )
    ).first()
    return (row.reason, row.at) if row else None


def unseen(kind: str) -> ColumnElement[bool]:
    """That nobody decided about a flagged thing since the flag: what was looked at counts no more."""
    return ~exists().where(Case.subject_kind == kind, Case.subject_id == Flag.subject_id, Case.decided_at > Flag.at)


def _more_urgent_now(w: Work, about: About, reason: str) -> bool:
    """Let the actor's own earlier flag say `reason`, if that is more urgent than what it says now."""
    mine = (Flag.subject_kind == about.kind) & (Flag.subject_id == about.subject_id)
    row = w.db.scalar(select(Flag).where(mine, Flag.person_id == w.who.person_id))
    if row is None or level_of(reason) >= level_of(row.reason):
        return False
    row.reason, row.at = reason, clock.minute(w.now)
    w.db.flush()
    return True


def _not_too_many(w: Work) -> None:
    lately = select(func.count()).where(Flag.person_id == w.who.person_id, Flag.at > w.now - timedelta(hours=1))
    if (w.db.scalar(lately) or 0) >= MOST:
        raise RateLimited(
            N_(
                "Je meldde net al veel, dus deze melding is nog niet verstuurd. Probeer het straks nog eens. "
                "Is het dringend? Kies ‘Hulp nu’."
            ),
            retry_after=600,
        )
