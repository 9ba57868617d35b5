"""Leaving a group, and being asked to leave it: what one wrote stays under the alias, the place is gone at once.

Reactions stay under the alias too. What was only one's own there goes: what one hid, what one said about sessions to
come, a turn in a round. A calendar goes on with the groups that are left. Other modules and the packages above say what
else follows when somebody leaves (`on_leave`).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select, update

from app.accounts import aliases
from app.core import audit
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.after import followups
from groups.led import rounds, stage
from groups.models import Absence, Attendance, Group, GroupSession, Hiding, Membership, Seat
from groups.rules import FACILITATOR, MEMBER

REASONS = ("agreed", "rules", "safety", "other")

FollowUp = Callable[[Work, Membership], None]

_follow_ups: dict[str, FollowUp] = {}


def on_leave(name: str, follow_up: FollowUp) -> None:
    """Let `follow_up` run whenever a membership ends, in the same transaction. Called once, by a part above."""
    _follow_ups[name] = follow_up


def leave(w: Work, group: str) -> None:
    """Leave a group. For whoever is in it, but not for its last facilitator.

    Writes the membership and its seats, lets the aliases rest, adds an audit line; cuts the person's sockets, which
    come back by themselves to what is still theirs. Who was asked for contact here is asked no more: others are.
    A report of one's own that asks for contact stays asked. Raises `NotFound`, or `Closed` for the last facilitator.
    """
    found = rooms.group_place(w, group, out_too=True)
    membership = _locked(w, found.group_id, found.membership_id)
    if membership.role == FACILITATOR and is_last_facilitator(w, membership.person_id, found.group_id):
        raise Closed(N_("Je bent de enige begeleider van deze groep. Vraag eerst iemand erbij; er is niets veranderd."))
    _end(w, membership, found)
    audit.record(w, "member.left", "membership", membership.id)


def member(w: Work, found: rooms.Place, ref: str) -> rooms.Member:
    """A member who can be removed, for the facilitators of their group. Raises `NotFound`, `Forbidden`."""
    for known in rooms.members(w, found):
        if known.ref == ref and known.role == MEMBER:
            return known
    raise NotFound


def remove(w: Work, group: str, ref: str, reason: str) -> None:
    """Take a member out of a group, for a reason of `REASONS`. For its facilitators; never of a facilitator.

    Writes and cuts what `leave` does, and tells the member. Raises `NotFound`, `Forbidden`, `Invalid`.
    """
    found = rooms.lead_place(w, group)
    leaver = member(w, found, ref)
    if reason not in REASONS:
        raise Invalid(N_("Kies een reden, dan kunnen we het aan de deelnemer uitleggen. Er is nog niets veranderd."))
    membership = _locked(w, found.group_id, leaver.membership_id)
    _end(w, membership, found)
    outbox.queue(w, membership.person_id, "removed", reason, f"removed:{membership.id}")
    audit.record(w, "member.removed", "membership", membership.id, reason)


def colleague(w: Work, found: rooms.Place, ref: str) -> rooms.Member:
    """Another facilitator of the group, for its facilitators. Raises `NotFound`, also for oneself, and `Forbidden`."""
    for known in rooms.members(w, found):
        if known.ref == ref and known.role == FACILITATOR and known.person_id != w.who.person_id:
            return known
    raise NotFound


def remove_colleague(w: Work, group: str, ref: str) -> None:
    """End another facilitator's place in a group. For its facilitators, who stay: of two who remove each other at once,
    the first does.

    Writes and cuts what `leave` does, and tells the colleague. Raises `NotFound`, `Forbidden`, `Closed`.
    """
    found = rooms.lead_place(w, group)
    leaver = colleague(w, found, ref)
    membership = _locked(w, found.group_id, leaver.membership_id)
    if is_last_facilitator(w, leaver.person_id, found.group_id):
        raise Closed(N_("Dan heeft de groep geen begeleider meer. Vraag eerst iemand erbij; er is niets veranderd."))
    _locked(w, found.group_id, found.membership_id)  # still one of them, now that nobody else can change it
    _end(w, membership, found)
    outbox.queue(w, membership.person_id, "lead_ended", group, f"lead_ended:{membership.id}")
    audit.record(w, "facilitator.removed", "membership", membership.id)


def is_last_facilitator(w: Work, person_id: int, group_id: int) -> bool:
    """Can nobody lead this group but this person? The caller holds the group (`rooms.lock_group`)."""
    leads = {lead.person_id for lead in rooms.facilitators_of(w, group_id)}
    return not leads - {person_id}


def _locked(w: Work, group_id: int, membership_id: int) -> Membership:
    """A membership that still stands, with its group held, so that two at once come one after the other."""
    rooms.lock_group(w, group_id)
    query = select(Membership).where(Membership.id == membership_id, Membership.left_at.is_(None))
    found = w.db.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def _end(w: Work, membership: Membership, found: rooms.Place) -> None:
    """End a membership, in front of somebody with a place in the same group."""
    session = stage.running_in(w, found)
    if session is not None:
        mine = (Attendance.session_id == session.id) & (Attendance.membership_id == membership.id)
        w.db.execute(update(Attendance).where(mine).values(hand_at=None, pause_at=None))
        rounds.skip(w, session, found, membership.id)
    membership.left_at = w.now
    _forget_own(w, membership)
    seats = w.db.scalars(
        update(Seat)
        .where(Seat.membership_id == membership.id, Seat.left_at.is_(None))
        .values(left_at=w.now)
        .returning(Seat.alias)
    ).all()
    w.db.flush()
    if membership.role == MEMBER:
        organisation_id = w.db.scalars(select(Group.organisation_id).where(Group.id == membership.group_id)).one()
        aliases.give_back(w, organisation_id, {membership.alias, *seats})
    for follow_up in _follow_ups.values():
        follow_up(w, membership)
    if session is not None:
        stage.tell(w, session, found)
    w.announce(f"person:{membership.person_id}", "revoked", {})


def _forget_own(w: Work, membership: Membership) -> None:
    """What nobody else knows or needs: what they hid, that they cannot come to what is still to come, and that they are
    to be looked after."""
    seats = select(Seat.id).where(Seat.membership_id == membership.id)
    ahead = select(GroupSession.id).where(
        GroupSession.group_id == membership.group_id, GroupSession.status == "planned"
    )
    w.db.execute(delete(Hiding).where(Hiding.seat_id.in_(seats)))
    w.db.execute(delete(Absence).where(Absence.membership_id == membership.id, Absence.session_id.in_(ahead)))
    followups.drop(w, membership.id)
