"""Staff: joining by a code for a role, the list of them, letting somebody in no more and in again."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy import func, select

from app.accounts import accounts, invitations, passwords, second_factor
from app.accounts.models import Organisation, Person, SignIn
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.settings import SettingsError
from app.core.work import Work

ROLES = (Role.FACILITATOR, Role.MODERATOR, Role.ADMINISTRATOR)
SHORTEST_PASSWORD = 12

_LOGIN = re.compile(r"(?=.{3,40}\Z)[a-z0-9]+(?:[.-][a-z0-9]+)*")
_WORN = ("wachtwoord", "welkom", "geheim", "password", "welcome", "secret", "qwerty", "azerty", "letmein")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody chose who joins the staff. Checked as it is made."""

    login: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff on the administrators' list. `person_id` stays on the server."""

    person_id: int
    name: str
    login: str
    role: Role
    last_on: date | None
    suspended: bool
    you: bool


def choose(login: str, name: str, password: str) -> Newcomer:
    """Check a user name, a shown name and a password. Pure. Raises `Invalid`, which says what to change."""
    login, name = login.strip().lower(), " ".join(unicodedata.normalize("NFC", name[:200]).split())
    if not _LOGIN.fullmatch(login):
        raise Invalid(N_("Kies een gebruikersnaam van 3 tot 40 letters en cijfers; een punt of streepje mag ertussen."))
    if not 2 <= len(name) <= 40 or not all(_is_plain(c) for c in name):
        raise Invalid(N_("Kies een naam van 2 tot 40 letters, zoals de groep je kent."))
    check_password(password, login, name)
    return Newcomer(login, name, password)


def check_password(password: str, *personal: str) -> None:
    """Is this password long enough, not a name of theirs, and not too simple? Pure. Raises `Invalid`."""
    if len(password) > passwords.LIMIT:
        raise Invalid(N_("Dit wachtwoord is te lang. Er is niets veranderd; neem er een van hoogstens 256 tekens."))
    plain = passwords.fold(password)
    if len(plain) < SHORTEST_PASSWORD:
        raise Invalid(N_("Neem een wachtwoord van minstens 12 tekens. Vier losse woorden werkt goed."))
    bare = _bare(plain)
    for name in personal:
        bare = bare.replace(_bare(passwords.fold(name)) or " ", "")
    for worn in _WORN:
        bare = bare.replace(worn, "")
    steps = {ord(b) - ord(a) for a, b in pairwise(bare)}
    if len(set(bare)) < 5 or len(bare) < 8 or len(steps) < 3:
        raise Invalid(N_("Dit wachtwoord is makkelijk te raden. Vier losse woorden, zonder je naam, werkt goed."))


def join(w: Work, code: str, chosen: Newcomer, secret_hash: str, language: str) -> tuple[int, Role]:
    """Use up a code for a role and create the person it lets in; returns their id and role.

    Writes both or neither. Raises `NotFound` for a code that is no good (or opens a group, not a role), `Invalid`
    when the user name or the shown name is taken.
    """
    welcome = look_up(w, code)
    others = select(Person.name).where(
        Person.organisation_id == welcome.organisation_id, Person.role != Role.CLIENT.value
    )
    if chosen.name.casefold() in {name.casefold() for name in w.db.scalars(others)}:
        raise Invalid(N_("Een collega heet al zo. Zet er een letter of achternaam bij, dan weet de groep wie wie is."))
    if w.db.scalar(select(Person.id).where(Person.login == chosen.login)) is not None:
        raise Invalid(N_("Deze gebruikersnaam is al gekozen. Neem een andere; je code werkt nog."))
    invitations.use(w, code)
    person_id = accounts.create_person(
        w,
        welcome.organisation_id,
        welcome.role,
        chosen.login,
        secret_hash,
        name=chosen.name,
        language=language,
    )
    return person_id, welcome.role


def look_up(w: Work, code: str) -> invitations.Welcome:
    """Check a code for a role without using it. Raises `NotFound`, the same for every code that is no good."""
    welcome = invitations.look_up(w, code)
    if welcome.group_id is not None or welcome.role not in ROLES:
        raise NotFound(invitations.UNKNOWN)
    return welcome


def first_administrator(w: Work, organisation_name: str) -> str:
    """Make a code for the first administrator of an installation, and its organisation if there is none yet.

    For the operator's command. Raises `SettingsError` when somebody administers it already, or there is no name.
    """
    there = select(Person.id).where(Person.role == Role.ADMINISTRATOR.value, Person.suspended_at.is_(None))
    if w.db.scalar(there.limit(1)) is not None:
        raise SettingsError("There is an administrator already, who makes codes for others; nothing was made.")
    organisation_id = w.db.scalar(select(Organisation.id).order_by(Organisation.id).limit(1))
    if organisation_id is None:
        if not organisation_name.strip():
            raise SettingsError("There is no organisation yet; give its name with --organisation.")
        organisation_id = accounts.create_organisation(w, organisation_name.strip()[:80])
    return invitations.invite(w, organisation_id, Role.ADMINISTRATOR)


def colleagues(w: Work) -> list[Colleague]:
    """The staff of the actor's organisation, by role and name. One query. For administrators."""
    last = select(func.max(SignIn.last_on)).where(SignIn.person_id == Person.id).scalar_subquery()
    rows = w.db.execute(
        select(Person.id, Person.name, Person.login, Person.role, Person.suspended_at, last.label("last_on"))
        .where(Person.organisation_id == w.who.organisation_id, Person.role != Role.CLIENT.value)
        .order_by(Person.role, func.lower(Person.name), Person.id)
    )
    return [
        Colleague(p.id, p.name, p.login, Role(p.role), p.last_on, p.suspended_at is not None, p.id == w.who.person_id)
        for p in rows
    ]


def suspend(w: Work, person_id: int) -> None:
    """Let a colleague in no more, and cut what they have open. For administrators of the same organisation.

    Raises `NotFound`, or `Closed` for oneself: so at least one administrator always stays, even when two suspend
    each other at the same moment.
    """
    administrators = w.db.scalars(
        select(Person.id)
        .where(
            Person.organisation_id == w.who.organisation_id,
            Person.role == Role.ADMINISTRATOR.value,
            Person.suspended_at.is_(None),
        )
        .order_by(Person.id)
        .with_for_update()
    ).all()
    if person_id == w.who.person_id:
        raise Closed(N_("Jezelf kun je niet de toegang ontzeggen. Er is niets veranderd; vraag een andere beheerder."))
    if w.who.person_id not in administrators:
        raise Closed(N_("Je bent zelf net geblokkeerd door een andere beheerder. Er is niets veranderd."))
    _colleague(w, person_id)
    accounts.suspend(w, person_id)


def reinstate(w: Work, person_id: int) -> None:
    """Let a suspended colleague in again. For administrators of the same organisation. Raises `NotFound`."""
    _colleague(w, person_id)
    accounts.reinstate(w, person_id)


def start_over(w: Work, person_id: int) -> None:
    """Let a colleague who lost their phone and their codes set up a second step anew, at their next sign-in.

    For administrators of the same organisation, and not for oneself: that takes a colleague, or the command. Raises
    `NotFound`, `Closed`.
    """
    if person_id == w.who.person_id:
        raise Closed(N_("Voor jezelf doet een andere beheerder dit. Er is niets veranderd."))
    _colleague(w, person_id)
    second_factor.forget(w, person_id)


def _colleague(w: Work, person_id: int) -> None:
    found = w.db.scalar(
        select(Person.id).where(
            Person.id == person_id,
            Person.organisation_id == w.who.organisation_id,
            Person.role != Role.CLIENT.value,
        )
    )
    if found is None:
        raise NotFound


def _is_plain(c: str) -> bool:
    """Letters of our own script and what stands between them: no look-alikes from elsewhere, nothing of an alias."""
    return c in " .'’-" or (c.isalpha() and unicodedata.name(c, "").startswith("LATIN ") and ord(c) < 0x250)


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
