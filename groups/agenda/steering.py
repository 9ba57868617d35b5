"""The state of a session, changed by whoever was first: every change names the version it was made from.

If somebody else was faster, the change is refused and nothing moves twice.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.core.errors import Closed, Forbidden, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.models import Group, GroupSession

OVER = N_("De bijeenkomst is net afgesloten.")


def attend(w: Work, public_id: str) -> tuple[GroupSession, rooms.Place]:
    """A session of a group one belongs to. Raises `NotFound`."""
    row = w.db.execute(
        select(GroupSession, Group.public_id)
        .join(Group, Group.id == GroupSession.group_id)
        .where(GroupSession.public_id == public_id)
    ).first()
    if row is None:
        raise NotFound
    return row[0], rooms.group_place(w, row[1])


def lead(w: Work, public_id: str) -> tuple[GroupSession, rooms.Place]:
    """A session one leads. Raises `NotFound` or `Forbidden`."""
    session, found = attend(w, public_id)
    if not found.leads:
        raise Forbidden
    return session, found


def running(w: Work, public_id: str) -> tuple[GroupSession, rooms.Place]:
    """A session one leads, and that is open. Raises `NotFound`, `Forbidden` or `Closed`."""
    session, found = lead(w, public_id)
    if session.status != "open":
        raise Closed(N_("Deze bijeenkomst is niet open."))
    return session, found


def held_in(w: Work, group_id: int, *, alone: bool = True) -> GroupSession:
    """The open session of a group, held until the end of the work. The caller has checked that the actor is in it.

    Held `alone`, nothing about it changes meanwhile; otherwise several may hold it at once, and only a facilitator's
    change waits for them. Raises `Closed` when none is open.
    """
    query = select(GroupSession).where(GroupSession.group_id == group_id, GroupSession.status == "open")
    query = query.with_for_update(read=not alone).execution_options(populate_existing=True)
    session = w.db.scalar(query)
    if session is None:
        raise Closed(OVER)
    return session


def change(w: Work, session: GroupSession, version: int, **values: Any) -> None:
    """Change the session if it is still at `version`; the first of two clicks wins."""
    changed = w.db.execute(
        update(GroupSession)
        .where(GroupSession.id == session.id, GroupSession.version == version)
        .values(version=version + 1, **values)
        .returning(GroupSession.id)
    ).first()
    if changed is None:
        raise Closed(N_("Er was net iemand anders sneller. Je ziet nu waar iedereen is."))
    w.db.refresh(session)


def advance(w: Work, session: GroupSession) -> None:
    """Let what a member did count as a change, so that a facilitator's click made before it does nothing twice.

    The caller holds the session (`held_in`).
    """
    w.db.execute(update(GroupSession).where(GroupSession.id == session.id).values(version=GroupSession.version + 1))
    w.db.refresh(session)
