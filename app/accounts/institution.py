"""Staff who sign in with their account at an institution: coupling it, uncoupling it, and whose it is.

All that is kept is a keyed hash of who somebody is there: no name, no e-mail address, and nothing the institution
could match with its own list. Clients can never be reached this way: an institution must not learn who comes here.
"""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Person
from app.core import audit
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.keys import Keys
from app.core.permissions import Role
from app.core.work import Work

_UNKNOWN = N_("We kennen dit account nog niet. Er is niets vastgelegd; vraag je beheerder om een uitnodiging.")
_TAKEN = N_("Dit account hoort al bij een collega. Er is niets veranderd; log bij je instelling in als jezelf.")


def mark_of(keys: Keys, issuer: str, subject: str) -> str:
    """What is kept of who somebody is at an institution."""
    return hmac.new(keys.derive("institution"), f"{issuer}\n{subject}".encode(), hashlib.sha256).hexdigest()


def recognise(w: Work, mark: str) -> tuple[int, Role]:
    """Whose account this is, and their role. For the sign-in door only. Raises `Forbidden` for nobody's."""
    row = w.db.execute(
        select(Person.id, Person.role).where(
            Person.institution_hash == mark, Person.role != Role.CLIENT.value, Person.suspended_at.is_(None)
        )
    ).first()
    if row is None:
        raise Forbidden(_UNKNOWN)
    return row.id, Role(row.role)


def is_coupled(w: Work) -> bool:
    """Has the actor coupled an account? Raises `NotFound` for clients."""
    _staff_only(w)
    return w.db.scalar(select(Person.institution_hash).where(Person.id == w.who.person_id)) is not None


def couple(w: Work, mark: str) -> None:
    """Couple the actor's account at their institution; an earlier one is let go. For staff.

    The caller has checked the proof. Writes the hash and an audit line. Raises `NotFound` for clients, `Invalid`
    when the account is a colleague's.
    """
    _staff_only(w)
    try:
        with w.db.begin_nested():
            w.db.execute(update(Person).where(Person.id == w.who.person_id).values(institution_hash=mark))
    except IntegrityError:
        raise Invalid(_TAKEN) from None
    audit.record(w, "institution.coupled", "person", w.who.person_id)


def uncouple(w: Work) -> None:
    """Let the actor's account at their institution go. For staff. Writes an audit line. Raises `NotFound`."""
    _staff_only(w)
    w.db.execute(update(Person).where(Person.id == w.who.person_id).values(institution_hash=None))
    audit.record(w, "institution.uncoupled", "person", w.who.person_id)


def _staff_only(w: Work) -> None:
    if not w.who.staff:
        raise NotFound
