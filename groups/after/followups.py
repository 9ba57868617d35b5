"""Who did not come and had not said so: a facilitator looks after them, within a day, and says what came of it.

Nobody is asked why here, and nothing is said to the member: a person makes contact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from app.core import audit, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Absence, Attendance, FollowUp, Group, GroupSession, Membership
from groups.rules import FACILITATOR, MEMBER

OUTCOMES = ("reached", "coming_back", "stops", "unreached")

_lasts = {"within": timedelta(hours=24)}  # the default of SAMEN_FOLLOW_UP_HOURS


@dataclass(frozen=True, slots=True)
class Missed:
    """Somebody who was not there and whom nobody has looked after yet. `member` is the group's own id for them."""

    ref: str
    version: int
    alias: str
    member: str
    membership_id: int
    group: str
    group_name: str
    session: str
    starts_at: datetime
    due_at: datetime


def ask_within(hours: int) -> None:
    """How long facilitators have to look after somebody. Called once, when the app is made."""
    _lasts["within"] = timedelta(hours=hours)


def follow(w: Work, session: GroupSession, found: rooms.Place) -> None:
    """Note who was missed in a session that is being closed, in its transaction (`sessions.on_close`).

    Writes a row for every member who neither came nor excused themselves, and queues one neutral notice to every
    facilitator of the group. Doing it twice changes nothing. Who closes a session before it was to begin has tried
    something out: then nobody was missed.
    """
    if w.now < session.starts_at:
        return
    missed = _missed(w, session)
    if missed:
        _note(w, session, missed)


def open_ones(w: Work) -> list[Missed]:
    """Everybody to be looked after in the groups the actor leads, the most urgent first. One query."""
    lead = aliased(Membership)
    rows = w.db.execute(
        select(FollowUp, Membership, Group, GroupSession.public_id.label("session"), GroupSession.starts_at)
        .join(Membership, Membership.id == FollowUp.membership_id)
        .join(GroupSession, GroupSession.id == FollowUp.session_id)
        .join(Group, Group.id == Membership.group_id)
        .join(lead, (lead.group_id == Group.id) & (lead.person_id == w.who.person_id))
        .where(
            FollowUp.outcome == "",
            Membership.left_at.is_(None),
            lead.role == FACILITATOR,
            lead.left_at.is_(None),
        )
        .order_by(FollowUp.due_at, Membership.alias, FollowUp.id)
    )
    return [
        Missed(f.public_id, f.version, m.alias, m.public_id, m.id, g.public_id, g.name, session, starts_at, f.due_at)
        for f, m, g, session, starts_at in rows
    ]


def settle(w: Work, ref: str, version: int, outcome: str) -> None:
    """Say what came of it: reached, coming_back, stops or unreached. For facilitators of the group; the first wins.

    Writes the row and an audit line; the last one of a session puts away the notices about it. Raises `NotFound`,
    `Forbidden`, `Invalid`, or `Closed` when a colleague was faster.
    """
    row = _find(w, ref)
    if outcome not in OUTCOMES:
        raise Invalid(N_("Kies hoe het liep. Er is nog niets bewaard."))
    done = w.db.execute(
        update(FollowUp)
        .where(FollowUp.id == row.id, FollowUp.version == version, FollowUp.outcome == "")
        .values(version=version + 1, outcome=outcome, done_by=w.who.person_id, done_at=w.now)
        .returning(FollowUp.id)
    ).first()
    if done is None:
        raise Closed(N_("Een collega was je net voor. Je ziet nu hoe het ervoor staat."))
    audit.record(w, "absence.followed_up", "follow_up", row.id, outcome)
    _put_away(w, [row.session_id])


def drop(w: Work, membership_id: int) -> None:
    """Look after somebody no more: they left the group, or were there after all, or had excused themselves."""
    gone = delete(FollowUp).where(FollowUp.membership_id == membership_id, FollowUp.outcome == "")
    _put_away(w, w.db.scalars(gone.returning(FollowUp.session_id)).all())


def correct(w: Work, session: GroupSession, membership: Membership, *, missed: bool) -> None:
    """Somebody's attendance was put right: who turns out to have been missed is to be looked after, who was there or
    had excused themselves is not. What was settled already stays. In the caller's transaction.
    """
    mine = (FollowUp.session_id == session.id) & (FollowUp.membership_id == membership.id)
    if not missed:
        w.db.execute(delete(FollowUp).where(mine, FollowUp.outcome == ""))
        _put_away(w, [session.id])
    elif membership.left_at is None and w.db.scalar(select(FollowUp.id).where(mine)) is None:
        _note(w, session, [membership.id])


def _missed(w: Work, session: GroupSession) -> Sequence[int]:
    """The memberships that were not there and had not said so, but for those that are noted already. One query."""
    there = [select(row.membership_id).where(row.session_id == session.id) for row in (Attendance, Absence, FollowUp)]
    return w.db.scalars(
        select(Membership.id)
        .where(
            Membership.group_id == session.group_id,
            Membership.role == MEMBER,
            Membership.left_at.is_(None),
            *(Membership.id.not_in(found) for found in there),
        )
        .order_by(Membership.id)
    ).all()


def _note(w: Work, session: GroupSession, memberships: Sequence[int]) -> None:
    due = w.now + _lasts["within"]
    w.db.add_all(
        FollowUp(public_id=ids.public_id(), session_id=session.id, membership_id=one, due_at=due) for one in memberships
    )
    w.db.flush()
    for lead in rooms.facilitators_of(w, session.group_id):
        outbox.queue(w, lead.person_id, "missed", session.public_id, f"missed:{session.id}:{lead.ref}")


def _find(w: Work, ref: str) -> FollowUp:
    """A follow-up in a group the actor leads. Raises `NotFound` or `Forbidden`."""
    if not ids.is_ref(ref):
        raise NotFound
    row = w.db.execute(
        select(FollowUp, Group.public_id)
        .join(Membership, Membership.id == FollowUp.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .where(FollowUp.public_id == ref)
    ).first()
    if row is None:
        raise NotFound
    rooms.lead_place(w, row.public_id)
    found: FollowUp = row.FollowUp
    return found


def _put_away(w: Work, session_ids: Sequence[int]) -> None:
    """Notices about sessions in which nobody is left to be looked after."""
    if not session_ids:
        return
    w.db.flush()
    still = select(func.count()).where(FollowUp.session_id == GroupSession.id, FollowUp.outcome == "").scalar_subquery()
    done = select(GroupSession.public_id).where(GroupSession.id.in_(session_ids), still == 0)
    outbox.settle(w, "missed", w.db.scalars(done).all())
