"""Saying beforehand that one cannot come, and taking it back. Its facilitators see it, nobody else."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, Forbidden
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.agenda import planning, steering
from groups.models import Absence, GroupSession, Membership


def cannot(w: Work, session_ref: str) -> None:
    """Say that one cannot come to a planned session. For members; saying it again changes nothing.

    Writes the absence, and puts away one's own lines about this session. Raises `Closed` once it is open or over,
    `NotFound`, `Forbidden`.
    """
    session, found = _mine(w, session_ref)
    try:
        with w.db.begin_nested():
            w.db.add(Absence(session_id=session.id, membership_id=found.membership_id, said_on=w.now.date()))
    except IntegrityError:
        return  # said before, or on another screen just now
    for kind in planning.ABOUT:
        outbox.mark_read(w, kind, session.public_id)


def can(w: Work, session_ref: str) -> None:
    """Take it back: one comes after all. Raises as `cannot`."""
    session, found = _mine(w, session_ref)
    w.db.execute(delete(Absence).where(Absence.session_id == session.id, Absence.membership_id == found.membership_id))


def aliases(w: Work, session_ref: str) -> list[str]:
    """Who said they cannot come, by alias. For the session's facilitators. Raises `NotFound`, `Forbidden`."""
    session, _found = steering.lead(w, session_ref)
    query = (
        select(Membership.alias)
        .join(Absence, Absence.membership_id == Membership.id)
        .where(Absence.session_id == session.id, Membership.left_at.is_(None))
        .order_by(Membership.alias)
    )
    return list(w.db.scalars(query))


def of(w: Work, session_id: int) -> frozenset[int]:
    """The memberships that said they cannot come. One query, for use-cases that checked who asks."""
    return frozenset(w.db.scalars(select(Absence.membership_id).where(Absence.session_id == session_id)))


def _mine(w: Work, session_ref: str) -> tuple[GroupSession, rooms.Place]:
    session, found = steering.attend(w, session_ref)
    if found.leads:
        raise Forbidden
    if session.status != "planned":
        raise Closed(
            N_("Deze bijeenkomst is al open of voorbij. Laat het je begeleider weten als je er niet bij kunt.")
        )
    return session, found
