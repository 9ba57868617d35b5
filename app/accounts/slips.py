"""What somebody writes down to come back with, and what is half finished until they did.

Half-finished things travel sealed in the visitor's own cookie: nothing is stored before the last step, and a seal
that was made for one purpose opens for no other. Doors hand in their session and the installation's keys.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from app.accounts import accounts, names, passwords
from app.core import ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.keys import Keys
from app.core.permissions import Role
from app.core.work import Database

MINUTES = 45
STAFF = "half-finished staff join"  # a purpose: two doors hand it on
_PARTS_OF_A_CODE = 3  # of eight characters each: 117 bits

NOT_THE_THIRD = N_("Dat is niet het derde woord. Kijk nog eens op je briefje.")
_AGAIN = N_("Begin opnieuw met je code; er was nog niets vastgelegd.")
_TOO_LONG = N_("Dit stond te lang open. Begin opnieuw met je code; er was nog niets vastgelegd.")

Jar = MutableMapping[str, Any]  # the visitor's session


@dataclass(frozen=True, slots=True)
class Slip:
    """Code name, six words, and the recovery code for whoever loses the words. Only hashes of the last two are kept."""

    login: str
    passphrase: str
    recovery: str

    @property
    def words(self) -> list[str]:
        return self.passphrase.split()

    def was_written_down(self, third: str) -> bool:
        """Did they type the third word back?"""
        return passwords.fold(third[:40]) == self.words[2]


def draw(language: str, login: str = "") -> Slip:
    """A new slip, with words in `language`; for somebody who has a code name already, under that name."""
    return Slip(login or names.code_name(language), names.passphrase(language), recovery_code())


def holder(database: Database, slip: Slip) -> int | None:
    """Whom this slip already lets in, if anybody: for a second tap on the button that ended a half-finished thing.

    For doors, outside any unit of work: it hashes.
    """
    with database.read() as r:
        known = accounts.credentials(r, slip.login)
    fits = known is not None and known.role is Role.CLIENT and passwords.matches(known.secret_hash, slip.passphrase)
    return known.person_id if known and fits else None


def recovery_code() -> str:
    """The code on a recovery sheet: 24 characters in six groups of four, to be read aloud and typed by hand."""
    return "-".join(ids.invitation_code() for _ in range(_PARTS_OF_A_CODE))


def fold_recovery_code(typed: str) -> str:
    """A recovery or device code as typed by hand, brought back to how it was made."""
    kept = "".join(c for c in typed[:200].upper() if c.isascii() and c.isalnum())[:40]
    return "-".join(kept[n : n + 4] for n in range(0, len(kept), 4))


def keep(session: Jar, keys: Keys, purpose: str, half: dict[str, Any]) -> None:
    """Put something half finished into the visitor's cookie. It takes the place of what was half finished before."""
    session["half"] = keys.seal(purpose, json.dumps(half).encode())


def kept(session: Jar, keys: Keys, purpose: str) -> dict[str, Any]:
    """What was half finished for this purpose. Raises `NotFound`, kindly, when there is none or it is too old."""
    sealed = session.get("half")
    if not isinstance(sealed, str):
        raise NotFound(_AGAIN)
    try:
        half: dict[str, Any] = json.loads(keys.unseal(purpose, sealed, max_age=MINUTES * 60))
    except Invalid:
        raise NotFound(_TOO_LONG) from None
    return half


def drop(session: Jar) -> None:
    """Forget what was half finished."""
    session.pop("half", None)


def hand_over(session: Jar, keys: Keys, purpose: str, code: str) -> None:
    """Keep a code that was just made for the one page that shows it."""
    session["code"] = keys.seal(purpose, code.encode())


def take_over(session: Jar, keys: Keys, purpose: str) -> str | None:
    """The code that was just made for this purpose, once; None afterwards."""
    sealed = session.pop("code", None)
    try:
        return keys.unseal(purpose, sealed, max_age=600).decode() if isinstance(sealed, str) else None
    except Invalid:
        return None  # made for something else, or long ago
