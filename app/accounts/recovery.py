"""Coming back in without one's words: the code on the recovery sheet, or a code from one's facilitator.

There is nothing else to come back with: no address, no question. Whoever comes back gets new words and a new
recovery code, and every session and passkey from before is over. With a facilitator's code they get a new code name
too: who makes codes for members of several groups must not learn from the old one who is the same person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from app.accounts import accounts, slips
from app.accounts.models import DeviceCode, Passkey, Person
from app.core import audit, ids
from app.core.errors import NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.work import Database, Work
from app.notify import outbox

DEVICE_HOURS = 24

Tell = Callable[[Work, int, str], None]

_also_told: list[Tell] = []

_UNKNOWN = N_(
    "Deze code kennen we niet, of hij is al gebruikt. Er is niets veranderd. Kijk hem nog eens na, of vraag je "
    "begeleider om een nieuwe."
)


@dataclass(frozen=True, slots=True)
class Returning:
    """Somebody whose code is good: the language of their words, and their code name, if it is theirs to see."""

    person_id: int
    login: str
    language: str


def on_device_code(tell: Tell) -> None:
    """Let `tell(w, person_id, ref)` run whenever a device code is made, in the same transaction. Called once, by a
    part above: whoever would notice that another person came back in the client's name should know to look.
    """
    if tell not in _also_told:
        _also_told.append(tell)


def look_up(w: Work, code: str) -> Returning:
    """Check a recovery or device code without using it. Raises `NotFound`, the same for every code that is no good."""
    return _look_up(w, w.digest(slips.fold_recovery_code(code)))


def come_back(w: Work, code: str, secret_hash: str, recovery_code: str, *, login: str = "") -> int:
    """Use up a code: new words, a new recovery code, all sessions and passkeys gone. Returns the person's id.

    `login` is the new code name of who comes back with a facilitator's code. Two at once with one code: one comes in,
    the other is refused. Writes the person, ends their sessions, adds an audit line. Raises `NotFound`.
    """
    hashed = w.digest(slips.fold_recovery_code(code))
    found = _look_up(w, hashed)
    by_sheet = w.db.scalar(
        update(Person).where(Person.recovery_hash == hashed).values(recovery_hash=None).returning(Person.id)
    )
    by_device = by_sheet or w.db.scalar(
        update(DeviceCode)
        .where(DeviceCode.code_hash == hashed, DeviceCode.used_at.is_(None))
        .values(used_at=w.now)
        .returning(DeviceCode.person_id)
    )
    if not by_device:
        raise NotFound(_UNKNOWN)
    renew(w, found.person_id, secret_hash, recovery_code)
    w.db.execute(delete(Passkey).where(Passkey.person_id == found.person_id))
    if login and not by_sheet:
        accounts.change_login(w, found.person_id, login)
    audit.record(w, "person.returned", "person", found.person_id, "sheet" if by_sheet else "device")
    return found.person_id


def renew(w: Work, person_id: int, secret_hash: str, recovery_code: str, *, spare: str = "") -> None:
    """Give a person new words and a new recovery code; codes and sessions from before (but `spare`) are over.

    The caller has checked the proof and hashed the words.
    """
    accounts.change_secret(w, person_id, secret_hash, spare=spare)
    w.db.execute(update(Person).where(Person.id == person_id).values(recovery_hash=w.digest(recovery_code)))
    _withdraw(w, person_id)


def own_login(w: Work) -> str:
    """The name the actor signs in with."""
    return w.db.scalars(select(Person.login).where(Person.id == w.who.person_id)).one()


def make_device_code(w: Work, person_id: int) -> str:
    """Make a code with which a client comes in again, within a day and once, and return it; earlier ones are void.

    The caller has checked that the actor leads a group of theirs. Writes the hash and an audit line, and tells the
    client. Raises `NotFound` for staff, who have their own ways back.
    """
    held = select(Person.role).where(Person.id == person_id).with_for_update()  # two makers come one after the other
    if w.db.scalar(held) != Role.CLIENT.value:
        raise NotFound
    _withdraw(w, person_id)
    code = ids.invitation_code(4)
    w.db.add(
        DeviceCode(
            code_hash=w.digest(code),
            person_id=person_id,
            made_by=w.who.person_id,
            expires_at=w.now + timedelta(hours=DEVICE_HOURS),
        )
    )
    w.db.flush()
    audit.record(w, "access.renewed", "person", person_id)
    ref = ids.public_id()
    outbox.queue(w, person_id, "access_renewed", ref, f"access:{ref}")
    for tell in _also_told:
        tell(w, person_id, ref)
    return code


def sweep(database: Database) -> int:
    """Forget the codes that are over, used or not, and return how many: the audit log knows that they were made."""
    with database.work() as w:
        over = delete(DeviceCode).where(DeviceCode.expires_at <= w.now).returning(DeviceCode.code_hash)
        return len(w.db.execute(over).all())


def _look_up(w: Work, hashed: str) -> Returning:
    devices = select(DeviceCode.person_id).where(
        DeviceCode.code_hash == hashed, DeviceCode.used_at.is_(None), DeviceCode.expires_at > w.now
    )
    row = w.db.execute(
        select(Person.id, Person.login, Person.language, Person.recovery_hash).where(
            (Person.recovery_hash == hashed) | Person.id.in_(devices),
            Person.role == Role.CLIENT.value,
            Person.suspended_at.is_(None),
        )
    ).first()
    if row is None:
        raise NotFound(_UNKNOWN)
    return Returning(row.id, row.login if row.recovery_hash == hashed else "", row.language)


def _withdraw(w: Work, person_id: int) -> None:
    """A newer code, or newer words, make what is still open void."""
    w.db.execute(delete(DeviceCode).where(DeviceCode.person_id == person_id, DeviceCode.used_at.is_(None)))
