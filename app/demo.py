"""People to try the product with: a demo group, and crowds for load tests. Both are refused in production."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.accounts import accounts, names, passwords, second_factor, signins
from app.accounts.models import AliasUse, Person
from app.core import clock, ids
from app.core.actor import Actor
from app.core.permissions import Role
from app.core.settings import Settings, SettingsError
from app.core.work import Database, Work
from groups import rooms
from groups.agenda import planning
from groups.models import Group, Room
from groups.rules import FACILITATOR

FACILITATOR_LOGIN, FACILITATOR_PASSWORD = "hanna", "open de deur maar"
MODERATOR_LOGIN, MODERATOR_PASSWORD = "daan", "lees rustig mee"
CODES = ("DEMO-AAAA", "DEMO-BBBB", "DEMO-CCCC", "DEMO-DDDD")
UNHURRIED = 1_000_000  # the pace of a load-test room: nobody is asked to slow down


def fill(settings: Settings, database: Database) -> bool:
    """Make the demo group, once. Returns whether it was made now. Raises `SettingsError` in production."""
    _refuse_in_production(settings)
    with database.read() as r:
        if r.db.scalar(select(Person.id).limit(1)) is not None:
            return False
    hashes = [passwords.hash_secret(p) for p in (FACILITATOR_PASSWORD, MODERATOR_PASSWORD)]
    with database.work() as w:
        organisation = accounts.create_organisation(w, "Demo")
        hanna = accounts.create_person(w, organisation, Role.FACILITATOR, FACILITATOR_LOGIN, hashes[0], name="Hanna")
        daan = accounts.create_person(w, organisation, Role.MODERATOR, MODERATOR_LOGIN, hashes[1], name="Daan")
        for person in (hanna, daan):  # the page that asks for their code shows it, as long as this is no production
            second_factor.keep(w, person, second_factor.DEMO_SECRET)
        group = rooms.open_group(w, organisation, "Dinsdaggroep")
        rooms.enter(w, group.id, hanna, "Hanna", FACILITATOR)
        for code in CODES:
            _invitation(w, group, code)
    with database.work(Actor(hanna, organisation, Role.FACILITATOR)) as w:
        planning.plan(w, group.public_id, "understanding", clock.minute(w.now) + timedelta(minutes=10), 90)
    return True


def _invitation(w: Work, group: Group, code: str) -> None:
    """A demo code: easy to type, good for many people and a year."""
    from app.accounts.models import Invitation

    w.db.add(
        Invitation(
            public_id=ids.public_id(),
            code_hash=w.digest(ids.fold_code(code)),
            hint=code[-2:],
            organisation_id=group.organisation_id,
            group_id=group.id,
            role=Role.CLIENT.value,
            made_on=w.now.date(),
            uses=50,
            uses_left=50,
            expires_at=w.now + timedelta(days=365),
        )
    )
    w.db.flush()


def loadtest_people(
    settings: Settings, database: Database, groups: int, members: int, facilitators: int
) -> list[dict[str, Any]]:
    """Create `groups` groups of `members` members and some facilitators, all signed in.

    Returns one dictionary a person, as the protocol says: group, room, alias, role and the session cookie.
    """
    _refuse_in_production(settings)
    cookie = "samen_session"
    people: list[dict[str, Any]] = []
    for number in range(groups):
        with database.work() as w:
            organisation = w.db.scalar(select(Person.organisation_id).limit(1)) or accounts.create_organisation(
                w, "Load test"
            )
            group = rooms.open_group(w, organisation, f"Groep {number + 1}")
            room = w.db.scalars(select(Room).where(Room.group_id == group.id)).one()
            room.pace = UNHURRIED
            taken = set(w.db.scalars(select(AliasUse.alias).where(AliasUse.organisation_id == organisation)))
            for n in range(members + facilitators):
                lead = n >= members
                role = Role.FACILITATOR if lead else Role.CLIENT
                login = f"load-{ids.public_id()}"
                person = accounts.create_person(w, organisation, role, login, "!", name="Load" if lead else "")
                alias = names.offer_aliases(frozenset(taken), 1)[0]
                taken.add(alias)
                rooms.enter(w, group.id, person, alias, FACILITATOR if lead else "member")
                token = signins.start(w, person, timedelta(days=settings.session_days))
                people.append(
                    {
                        "group": group.public_id,
                        "room": room.public_id,
                        "alias": alias,
                        "role": "facilitator" if lead else "member",
                        "cookie": f"{cookie}={token}",
                    }
                )
    return people


def is_here(settings: Settings, database: Database) -> bool:
    """Does this local installation hold the demo group?"""
    if settings.production:
        return False
    with database.read() as r:
        return r.db.scalar(select(Person.id).where(Person.login == FACILITATOR_LOGIN)) is not None


def refuse_leftovers(settings: Settings, database: Database) -> None:
    """Raise `SettingsError` in production where the people of the demo are: their passwords are in the manual."""
    if not settings.production:
        return
    with database.read() as r:
        known = r.db.scalars(select(Person.id).where(Person.login.in_((FACILITATOR_LOGIN, MODERATOR_LOGIN)))).all()
        if any(second_factor.demo_code(r, person_id) for person_id in known):
            raise SettingsError("The demo's people are in this database; start production on an empty one.")


def _refuse_in_production(settings: Settings) -> None:
    if settings.production:
        raise SettingsError("Demo and load-test people are refused in production.")


def greeting(settings: Settings) -> str:
    """What the local server prints: where to go and who to be."""
    return f"""
  Samen Loslaten is open on http://{settings.host}:{settings.port}

  facilitator   {FACILITATOR_LOGIN}   {FACILITATOR_PASSWORD}
  moderator     {MODERATOR_LOGIN}    {MODERATOR_PASSWORD}
  clients       come in with one of these codes: {", ".join(CODES)}

  Staff sign in under “Ik was hier al eens”; the code they are asked for is filled in already.
  Stop with Ctrl+C; what you did is kept.
"""
