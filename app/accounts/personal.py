"""What accounts keep of a person: the account, the ways into it, the sessions, the inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update

from app.accounts import invitations, signins
from app.accounts.models import (
    Authenticator,
    BackupCode,
    DeviceCode,
    Invitation,
    Organisation,
    Passkey,
    Person,
    SignIn,
)
from app.core.errors import Closed
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.work import Work
from app.notify import personal as notify


def export(w: Work, person_id: int) -> dict[str, Any]:
    """The person's account, sessions, ways in and inbox. Nothing secret is in it: only hashes of that are kept."""
    person = w.db.get_one(Person, person_id)
    account: dict[str, Any] = {
        "login": person.login,
        "role": person.role,
        "language": person.language,
        "timezone": person.timezone,
        "theme": person.theme,
        "since": person.created_on.isoformat(),
        "has_recovery_sheet": person.recovery_hash is not None,
    }
    if person.role != Role.CLIENT.value:
        account |= {"shown_name": person.name, "linked_to_institution": person.institution_hash is not None}
        account["invitations_made"] = [
            {"for": i.role, "on": i.made_on.isoformat()}
            for i in w.db.scalars(select(Invitation).where(Invitation.made_by == person_id).order_by(Invitation.id))
        ]
    sessions = [
        {"since": s.started_on.isoformat(), "last_used_on": s.last_on.isoformat(), "ended": s.revoked_at is not None}
        for s in w.db.scalars(select(SignIn).where(SignIn.person_id == person_id).order_by(SignIn.started_on))
    ]
    ways_in = {"account": account, "sessions": sessions, "second_steps": _second_steps(w, person_id)}
    return ways_in | notify.export(w, person_id)


def check(w: Work, person_id: int) -> None:
    """Raise `Closed` for the last administrator of an organisation. Holds the organisation's row."""
    person = w.db.get_one(Person, person_id)
    if person.role != Role.ADMINISTRATOR.value:
        return
    w.db.execute(
        select(Organisation.id).where(Organisation.id == person.organisation_id).with_for_update(key_share=True)
    )
    others = select(func.count()).where(
        Person.organisation_id == person.organisation_id,
        Person.role == Role.ADMINISTRATOR.value,
        Person.id != person_id,
        Person.suspended_at.is_(None),
    )
    if w.db.scalar(others) == 0:
        raise Closed(
            N_("Je bent de enige beheerder. Nodig eerst een ander uit; daarna kan dit. Er is nog niets gewist.")
        )


def erase(w: Work, person_id: int) -> None:
    """Remove the account with every way into it; announces the end of its sessions, so that sockets are cut.

    Codes of theirs that would let in staff, or a client once more, are void: nobody can be asked about them any more.
    """
    signins.end_all(w, person_id)
    for kept in (SignIn, Authenticator, BackupCode, Passkey, DeviceCode):
        w.db.execute(delete(kept).where(kept.person_id == person_id))
    w.db.execute(delete(DeviceCode).where(DeviceCode.made_by == person_id, DeviceCode.used_at.is_(None)))
    w.db.execute(update(DeviceCode).where(DeviceCode.made_by == person_id).values(made_by=None))
    invitations.withdraw(w, Invitation.made_by == person_id, Invitation.role != Role.CLIENT.value)
    w.db.execute(update(Invitation).where(Invitation.made_by == person_id).values(made_by=None))
    notify.erase(w, person_id)
    w.db.execute(delete(Person).where(Person.id == person_id))


def _second_steps(w: Work, person_id: int) -> dict[str, Any]:
    since = w.db.scalar(select(Authenticator.confirmed_on).where(Authenticator.person_id == person_id))
    left = select(func.count()).where(BackupCode.person_id == person_id, BackupCode.used_on.is_(None))
    passkeys = w.db.scalars(select(Passkey.added_on).where(Passkey.person_id == person_id).order_by(Passkey.id))
    return {
        "authenticator_since": since.isoformat() if since else None,
        "backup_codes_left": w.db.scalar(left),
        "passkeys": [added_on.isoformat() for added_on in passkeys],
    }
