"""Invitations: codes on a slip of paper that let somebody into a group, or into the organisation with a role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.accounts.models import Invitation
from app.core import audit, ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.work import Work

DAYS = 7
LONGEST = 60  # days
MOST = 50  # uses

UNKNOWN = N_("Deze code kennen we niet, of hij is al gebruikt. Kijk hem nog eens na op je briefje.")


@dataclass(frozen=True, slots=True)
class Welcome:
    """A valid invitation: what it opens, and as what. Says nothing about who made it."""

    invitation_id: int
    organisation_id: int
    group_id: int | None
    role: Role


@dataclass(frozen=True, slots=True)
class Slip:
    """An invitation on the list of who may make and revoke it. The code itself is shown once and not kept."""

    ref: str
    hint: str
    role: Role
    uses: int
    uses_left: int
    made_on: date
    expires_at: datetime


def invite(
    w: Work,
    organisation_id: int,
    role: Role,
    *,
    group_id: int | None = None,
    uses: int = 1,
    days: int = DAYS,
) -> str:
    """Make an invitation code and return it, once. The caller has checked that the actor may.

    Writes the invitation (hash only) and an audit line. Raises `Invalid` for an amount that is not offered.
    """
    if not 1 <= uses <= MOST or not 1 <= days <= LONGEST:
        raise Invalid(N_("Kies hoe vaak en hoe lang de code geldt. Er is nog geen code gemaakt."))
    code = ids.invitation_code(2 if role is Role.CLIENT else 4)
    invitation = Invitation(
        public_id=ids.public_id(),
        code_hash=w.digest(code),
        hint=code[-2:],
        organisation_id=organisation_id,
        group_id=group_id,
        role=role.value,
        made_by=w.actor.person_id if w.actor else None,
        made_on=w.now.date(),
        uses=uses,
        uses_left=uses,
        expires_at=w.now + timedelta(days=days),
    )
    w.db.add(invitation)
    w.db.flush()
    audit.record(w, "invitation.made", "invitation", invitation.id, role.value)
    return code


def look_up(w: Work, code: str) -> Welcome:
    """Check a code without using it. Raises `NotFound`, the same for unknown, used, revoked and expired codes."""
    folded = ids.fold_code(code)
    hashes = (w.digest(folded), ids.digest(folded))  # the second as the first version stored it
    found = w.db.scalar(select(Invitation).where(Invitation.code_hash.in_(hashes)))
    valid = found and found.uses_left > 0 and not found.revoked_at and found.expires_at > w.now
    if not found or not valid:
        raise NotFound(UNKNOWN)
    return Welcome(found.id, found.organisation_id, found.group_id, Role(found.role))


def use(w: Work, code: str) -> Welcome:
    """Take one use off a code. Two people with the last use: the second is refused. Raises `NotFound`."""
    welcome = look_up(w, code)
    taken = w.db.execute(
        update(Invitation)
        .where(Invitation.id == welcome.invitation_id, Invitation.uses_left > 0, Invitation.revoked_at.is_(None))
        .values(uses_left=Invitation.uses_left - 1)
        .returning(Invitation.id)
    ).first()
    if taken is None:
        raise NotFound(UNKNOWN)
    return welcome


def slips(w: Work, *which: Any) -> list[Slip]:
    """The invitations that can still be used, of those meant, newest first. The caller has checked who asks."""
    rows = w.db.scalars(
        select(Invitation)
        .where(*which, Invitation.revoked_at.is_(None), Invitation.uses_left > 0, Invitation.expires_at > w.now)
        .order_by(Invitation.id.desc())
    )
    return [Slip(i.public_id, i.hint, Role(i.role), i.uses, i.uses_left, i.made_on, i.expires_at) for i in rows]


def withdraw(w: Work, *which: Any) -> None:
    """Take back all of those meant that are not used up: who made them is here no more. The caller has checked."""
    w.db.execute(update(Invitation).where(*which, Invitation.revoked_at.is_(None)).values(revoked_at=w.now))


def of_group(group_id: int) -> Any:
    """The invitations of one group, for `slips` and `revoke`."""
    return Invitation.group_id == group_id


def of_organisation(organisation_id: int) -> Any:
    """The invitations into an organisation that name no group, for `slips` and `revoke`."""
    return (Invitation.organisation_id == organisation_id) & Invitation.group_id.is_(None)


def revoke(w: Work, ref: str, which: Any) -> None:
    """Take an invitation back, of those meant. Writes an audit line. Raises `NotFound`."""
    revoked = w.db.scalar(
        update(Invitation)
        .where(which, Invitation.public_id == ref, Invitation.revoked_at.is_(None))
        .values(revoked_at=w.now)
        .returning(Invitation.id)
    )
    if revoked is None:
        raise NotFound
    audit.record(w, "invitation.revoked", "invitation", revoked)
