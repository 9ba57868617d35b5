"""Joining, signing in and out, and what a person may change about their own account.

Nothing here asks for a name, an address or a number. Slow hashing happens before a unit of work opens: the
doors call `passwords` first and hand the result in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.models import Invitation, Organisation, Person, SignIn
from app.core import audit, ids
from app.core.actor import Actor
from app.core.db import Moment
from app.core.errors import Invalid, NotFound, Unauthenticated
from app.core.i18n import LANGUAGES, N_
from app.core.permissions import Role
from app.core.work import Work

THEMES = ("system", "light", "dark")
INVITATION_DAYS = 7


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in needs to know of a person: never shown to anybody."""

    person_id: int
    secret_hash: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """A valid invitation: which group it opens, in which language. Says nothing about who made it."""

    invitation_id: int
    group_id: int


def credentials(w: Work, login: str) -> Credentials | None:
    """The stored hash for a login name, or None. For the sign-in door only."""
    row = w.db.execute(
        select(Person.id, Person.secret_hash).where(Person.login == fold_login(login), Person.suspended_at.is_(None))
    ).first()
    return Credentials(row.id, row.secret_hash) if row else None


def fold_login(typed: str) -> str:
    """A login name as typed by hand: case and surrounding space do not matter."""
    plain = "".join(c for c in typed[:200] if c.isprintable())
    return "-".join(plain.casefold().replace("-", " ").split())[:60]


def start_session(w: Work, person_id: int, days: int) -> str:
    """Sign a person in and return the new session token, which is stored only as a hash.

    Writes one sign-in row. Whoever calls it has checked the passphrase.
    """
    token = ids.session_token()
    expires = w.now + timedelta(days=days)
    w.db.add(SignIn(token_hash=ids.digest(token), person_id=person_id, expires_at=expires))
    return token


def end_session(w: Work, token_hash: str) -> None:
    """End one session for good. Writes `revoked_at`; announces it, so that its open sockets are cut at once."""
    w.db.execute(
        update(SignIn).where(SignIn.token_hash == token_hash, SignIn.revoked_at.is_(None)).values(revoked_at=w.now)
    )
    w.announce(f"session:{token_hash}", "revoked", {})


def who(db: Session, token_hash: str, now: datetime) -> Actor | None:
    """Who holds this session now, or None if it ended, expired, or the person is suspended. One indexed query."""
    row = db.execute(_LIVE_SESSION, {"hash": token_hash, "now": now}).first()
    if row is None:
        return None
    return Actor(
        person_id=row.id,
        organisation_id=row.organisation_id,
        role=Role(row.role),
        session=token_hash,
        language=row.language,
        timezone=row.timezone,
        theme=row.theme,
        name=row.name,
    )


def live_sessions(db: Session, token_hashes: list[str], now: datetime) -> set[str]:
    """Which of these sessions still stand. One query, for the re-check of open sockets."""
    return set(
        db.scalars(
            select(SignIn.token_hash)
            .join(Person, Person.id == SignIn.person_id)
            .where(
                SignIn.token_hash.in_(token_hashes),
                SignIn.revoked_at.is_(None),
                SignIn.expires_at > now,
                Person.suspended_at.is_(None),
            )
        )
    )


def invite(w: Work, group_id: int, *, uses: int = 1, days: int = INVITATION_DAYS) -> str:
    """Make an invitation code for a group and return it, once. The caller has checked that the actor may.

    Writes the invitation (hash only) and an audit line.
    """
    code = ids.invitation_code()
    made_by = w.actor.person_id if w.actor else None
    invitation = Invitation(
        code_hash=ids.digest(code),
        group_id=group_id,
        made_by=made_by,
        uses_left=uses,
        expires_at=w.now + timedelta(days=days),
    )
    w.db.add(invitation)
    w.db.flush()
    audit.record(w, "invitation.made", "invitation", invitation.id)
    return code


def look_up_invitation(w: Work, code: str) -> Welcome:
    """Check a code without using it. Raises `NotFound`, the same for unknown, used, revoked and expired codes."""
    invitation = w.db.scalar(select(Invitation).where(Invitation.code_hash == ids.digest(ids.fold_code(code))))
    valid = invitation and invitation.uses_left > 0 and not invitation.revoked_at and invitation.expires_at > w.now
    if not invitation or not valid:
        raise NotFound(N_("Deze code kennen we niet, of hij is al gebruikt. Kijk hem nog eens na op je briefje."))
    return Welcome(invitation.id, invitation.group_id)


def use_invitation(w: Work, code: str) -> Welcome:
    """Take one use off a code. Two people with the last use: the second is refused. Raises `NotFound`."""
    welcome = look_up_invitation(w, code)
    taken = w.db.execute(
        update(Invitation)
        .where(Invitation.id == welcome.invitation_id, Invitation.uses_left > 0)
        .values(uses_left=Invitation.uses_left - 1)
        .returning(Invitation.id)
    ).first()
    if taken is None:
        raise NotFound(N_("Deze code kennen we niet, of hij is al gebruikt. Kijk hem nog eens na op je briefje."))
    return welcome


def create_person(
    w: Work,
    organisation_id: int,
    role: Role,
    login: str,
    secret_hash: str,
    *,
    name: str = "",
    language: str = "nl",
) -> int:
    """Create somebody who can sign in and return their id. Raises `Invalid` if the login is taken."""
    person = Person(
        organisation_id=organisation_id,
        role=role.value,
        login=fold_login(login),
        secret_hash=secret_hash,
        name=name,
        language=language,
        created_on=w.now.date(),
    )
    w.db.add(person)
    try:
        w.db.flush()
    except IntegrityError:
        raise Invalid(N_("Deze naam is net door iemand anders gekozen. Ga één stap terug en kies opnieuw.")) from None
    audit.record(w, "person.created", "person", person.id, role.value)
    return person.id


def create_organisation(w: Work, name: str) -> int:
    """Create an organisation and return its id. For set-up only."""
    organisation = Organisation(name=name, created_on=w.now.date())
    w.db.add(organisation)
    w.db.flush()
    return organisation.id


def change_preferences(w: Work, *, language: str, theme: str) -> None:
    """Change one's own language and appearance. Raises `Invalid` for a value that is not offered."""
    if language not in LANGUAGES or theme not in THEMES:
        raise Invalid
    person = w.db.get(Person, w.who.person_id)
    if person is None:
        raise Unauthenticated
    person.language, person.theme = language, theme


_LIVE_SESSION = (
    select(
        Person.id,
        Person.organisation_id,
        Person.role,
        Person.language,
        Person.timezone,
        Person.theme,
        Person.name,
    )
    .join(SignIn, SignIn.person_id == Person.id)
    .where(
        SignIn.token_hash == bindparam("hash"),
        SignIn.revoked_at.is_(None),
        SignIn.expires_at > bindparam("now", type_=Moment),
        Person.suspended_at.is_(None),
    )
)
