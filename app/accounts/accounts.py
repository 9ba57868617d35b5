"""People: making them, what signing in needs to know of them, what they may change about their own account.

Nothing here asks for a name, an address or a number. Slow hashing happens before a unit of work opens: the
doors call `passwords` first and hand the result in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import invitations, signins
from app.accounts.models import DeviceCode, Invitation, Organisation, Person
from app.core import audit, ids
from app.core.errors import Invalid, Unauthenticated
from app.core.i18n import LANGUAGES, N_
from app.core.permissions import Role
from app.core.work import Work

THEMES = ("system", "light", "dark")

_TAKEN = N_("Deze naam is net door iemand anders gekozen. Ga één stap terug en kies opnieuw.")
_ALIKE = (("0", "o"), ("1", "l"), ("i", "l"), ("rn", "m"), ("vv", "w"), (".", "-"))  # easily read for one another


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in needs to know of a person: never shown to anybody."""

    person_id: int
    secret_hash: str
    role: Role

    @property
    def proof(self) -> str:
        """What says, until there is a session, by which secret somebody proved who they are."""
        return ids.digest(self.secret_hash)


def credentials(w: Work, login: str) -> Credentials | None:
    """The stored hash for a login name, or None. For the sign-in door only."""
    row = w.db.execute(
        select(Person.id, Person.secret_hash, Person.role).where(
            Person.login == fold_login(login), Person.suspended_at.is_(None)
        )
    ).first()
    return Credentials(row.id, row.secret_hash, Role(row.role)) if row else None


def credentials_of(w: Work, person_id: int) -> Credentials:
    """The same for somebody who is known already. Raises `Unauthenticated` if they may not come in any more."""
    row = w.db.execute(
        select(Person.id, Person.secret_hash, Person.role).where(Person.id == person_id, Person.suspended_at.is_(None))
    ).first()
    if row is None:
        raise Unauthenticated
    return Credentials(row.id, row.secret_hash, Role(row.role))


def fold_login(typed: str) -> str:
    """A login name as typed by hand: case, surrounding space and the kind of dash do not matter.

    Nothing else is forgiven: what only looks like a plain letter, or cannot be seen, makes it a name that nobody
    has (an empty one). Full-width letters count as plain ones, because some keyboards write those.
    """
    plain = "".join(unicodedata.normalize("NFKC", c) if "！" <= c <= "～" else c for c in typed[:200])
    folded = "-".join(re.sub("[-‐‑‒–—]", " ", plain).split())
    return folded.lower() if re.fullmatch(r"[A-Za-z0-9.-]{1,60}", folded) else ""


def create_person(
    w: Work,
    organisation_id: int,
    role: Role,
    login: str,
    secret_hash: str,
    *,
    name: str = "",
    language: str = "nl",
    recovery_hash: str | None = None,
) -> int:
    """Create somebody who can sign in, with a data key of their own, and return their id.

    Writes the person, their key and an audit line. Raises `Invalid` if the login is taken, is no login name, or was
    chosen by a member of staff and only looks different from another.
    """
    if not fold_login(login) or (role is not Role.CLIENT and _looks_taken(w, fold_login(login))):
        raise Invalid(_TAKEN)
    person = Person(
        organisation_id=organisation_id,
        role=role.value,
        login=fold_login(login),
        secret_hash=secret_hash,
        name=name,
        language=language,
        recovery_hash=recovery_hash,
        created_on=w.now.date(),
    )
    w.db.add(person)
    try:
        w.db.flush()
    except IntegrityError:
        raise Invalid(_TAKEN) from None
    w.ring.make_key(person.id)
    audit.record(w, "person.created", "person", person.id, role.value)
    return person.id


def create_organisation(w: Work, name: str) -> int:
    """Create an organisation and return its id. For set-up only."""
    organisation = Organisation(name=name, created_on=w.now.date())
    w.db.add(organisation)
    w.db.flush()
    return organisation.id


def suspend(w: Work, person_id: int) -> None:
    """Let somebody in no more, and cut whatever they have open. The caller has checked that the actor may.

    Writes the person, ends their sessions, adds an audit line. The codes they made and nobody used yet are void, so
    that nobody comes back in by one. Nothing they wrote is touched.
    """
    w.db.execute(update(Person).where(Person.id == person_id).values(suspended_at=w.now))
    signins.end_all(w, person_id)
    invitations.withdraw(w, Invitation.made_by == person_id)
    w.db.execute(delete(DeviceCode).where(DeviceCode.made_by == person_id, DeviceCode.used_at.is_(None)))
    audit.record(w, "person.suspended", "person", person_id)


def reinstate(w: Work, person_id: int) -> None:
    """Let a suspended person in again. The caller has checked that the actor may. Writes an audit line."""
    w.db.execute(update(Person).where(Person.id == person_id).values(suspended_at=None))
    audit.record(w, "person.reinstated", "person", person_id)


def change_secret(w: Work, person_id: int, secret_hash: str, *, spare: str = "") -> None:
    """Give a person another passphrase or password, and end all their sessions but `spare` (a token hash).

    The caller has checked the proof and hashed the secret. Writes an audit line.
    """
    w.db.execute(update(Person).where(Person.id == person_id).values(secret_hash=secret_hash))
    signins.end_all(w, person_id, spare=spare)
    audit.record(w, "person.secret_changed", "person", person_id)


def change_login(w: Work, person_id: int, login: str) -> None:
    """Give a client another code name. The caller has checked the proof. Raises `Invalid` if it is taken."""
    try:
        with w.db.begin_nested():
            w.db.execute(update(Person).where(Person.id == person_id).values(login=fold_login(login)))
    except IntegrityError:
        raise Invalid(_TAKEN) from None


def change_preferences(w: Work, *, language: str, theme: str) -> None:
    """Change one's own language and appearance. Raises `Invalid` for a value that is not offered."""
    if language not in LANGUAGES or theme not in THEMES:
        raise Invalid
    person = w.db.get(Person, w.who.person_id)
    if person is None:
        raise Unauthenticated
    person.language, person.theme = language, theme


def _looks_taken(w: Work, login: str) -> bool:
    """Does a login name exist that is easily read for this one?"""
    theirs: Any = Person.login
    for one, other in _ALIKE:
        theirs, login = func.replace(theirs, one, other), login.replace(one, other)
    return w.db.scalar(select(Person.id).where(theirs == login).limit(1)) is not None
