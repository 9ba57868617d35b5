"""Passkeys: a key on somebody's own device that signs a challenge, after the device made sure who holds it.

They are a second factor for staff and a complete sign-in for everybody: a device in the hand and a finger, face or
code to unlock it. Their labels are neutral, because a telephone lists them and may share that list with a family.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import webauthn
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.accounts import once
from app.accounts.models import Passkey, Person
from app.core import audit, ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work

T = TypeVar("T")

NAME = "Agenda"  # all that a device ever shows of this place, of the account and of the person
MOST = 10
LONGEST = 16_384  # characters; a device answers with far fewer
_MILLISECONDS = 120_000

_WRONG = N_(
    "Met deze toegangssleutel lukte het niet. Er is niets veranderd; probeer het nog eens, of kies een andere weg."
)
_NOT_ADDED = N_("De toegangssleutel is niet toegevoegd. Er is niets veranderd; probeer het nog eens.")
_ENOUGH = N_("Je hebt al tien toegangssleutels. Er is niets veranderd; verwijder er eerst één.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys are used: the origin in the address bar, its host, and the key that user handles are made with."""

    origin: str
    host: str
    handles: bytes

    def handle(self, person_id: int) -> bytes:
        """What a device keeps to tell accounts apart. It says nothing to anybody but this installation."""
        return hmac.new(self.handles, str(person_id).encode(), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """One of one's own passkeys, as its owner sees it."""

    ref: str
    added_on: date


def ask_new(w: Work, place: Place) -> tuple[dict[str, Any], bytes]:
    """What the actor's browser needs to make a passkey, and the challenge to keep. Raises `Invalid` beyond ten."""
    held = _held(w, w.who.person_id)
    if len(held) >= MOST:
        raise Invalid(_ENOUGH)
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=NAME,
        user_id=place.handle(w.who.person_id),
        user_name=NAME.lower(),
        user_display_name=NAME,
        timeout=_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=held,
    )
    return options_to_json_dict(options), options.challenge


def add(w: Work, place: Place, challenge: bytes, answer: str) -> None:
    """Add the passkey the actor's device made. The door has checked that they confirmed who they are.

    Writes the public half and an audit line. Raises `Invalid` when the device's answer does not hold.
    """
    found = _understood(lambda: parse_registration_credential_json(answer[:LONGEST]), _NOT_ADDED)
    made = _understood(
        lambda: webauthn.verify_registration_response(
            credential=found,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        ),
        _NOT_ADDED,
    )
    once.spend(w, challenge.hex())
    amount = w.db.scalar(select(func.count()).select_from(Passkey).where(Passkey.person_id == w.who.person_id))
    if (amount or 0) >= MOST:
        raise Invalid(_ENOUGH)
    passkey = Passkey(
        public_id=ids.public_id(),
        person_id=w.who.person_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        added_on=w.now.date(),
    )
    try:
        with w.db.begin_nested():
            w.db.add(passkey)
    except IntegrityError:  # somebody else's, or the same one twice
        raise Invalid(_NOT_ADDED) from None
    audit.record(w, "passkey.added", "person", w.who.person_id)


def ask(w: Work, place: Place, person_id: int | None = None) -> tuple[dict[str, Any], bytes]:
    """What a browser needs to ask for a passkey, of one person or of whoever holds one; and the challenge to keep."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        timeout=_MILLISECONDS,
        allow_credentials=_held(w, person_id) if person_id is not None else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options), options.challenge


def recognise(w: Work, place: Place, challenge: bytes, answer: str, person_id: int | None = None) -> int:
    """Whose passkey signed the challenge: the person's id. With `person_id`, only that person's passkeys count.

    Writes the device's count and that the challenge was used. Raises `Invalid`, the same for an unknown passkey, a
    wrong signature, a copy whose count went back, and a suspended person.
    """
    given = _understood(lambda: parse_authentication_credential_json(answer[:LONGEST]))
    passkey = w.db.scalar(
        select(Passkey)
        .join(Person, Person.id == Passkey.person_id)
        .where(Passkey.credential_id == given.raw_id, Person.suspended_at.is_(None))
    )
    if passkey is None or person_id not in (None, passkey.person_id):
        raise Invalid(_WRONG)
    handle = given.response.user_handle
    if handle and not hmac.compare_digest(handle, place.handle(passkey.person_id)):
        raise Invalid(_WRONG)
    before = passkey.sign_count
    proved = _understood(
        lambda: webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=before,
            require_user_verification=True,
        )
    )
    once.spend(w, challenge.hex())
    counted = w.db.execute(
        update(Passkey)
        .where(Passkey.id == passkey.id, Passkey.sign_count == before)
        .values(sign_count=proved.new_sign_count)
        .returning(Passkey.id)
    ).first()
    if counted is None:
        raise Invalid(_WRONG)
    return passkey.person_id


def mine(w: Work) -> list[OwnPasskey]:
    """One's own passkeys, oldest first. One query."""
    rows = w.db.scalars(select(Passkey).where(Passkey.person_id == w.who.person_id).order_by(Passkey.id))
    return [OwnPasskey(p.public_id, p.added_on) for p in rows]


def remove(w: Work, ref: str) -> None:
    """Remove one of one's own passkeys. Writes an audit line. Raises `NotFound`."""
    gone = w.db.scalar(
        delete(Passkey)
        .where(Passkey.person_id == w.who.person_id, Passkey.public_id == ref)
        .returning(Passkey.person_id)
    )
    if gone is None:
        raise NotFound
    audit.record(w, "passkey.removed", "person", gone)


def _held(w: Work, person_id: int) -> list[PublicKeyCredentialDescriptor]:
    rows = w.db.scalars(select(Passkey.credential_id).where(Passkey.person_id == person_id).order_by(Passkey.id))
    return [PublicKeyCredentialDescriptor(id=bytes(held)) for held in rows]


def _understood(read: Callable[[], T], refusal: str = _WRONG) -> T:
    try:
        return read()
    except Exception:  # whatever a stranger sends in, all the library's many errors mean the same
        raise Invalid(refusal) from None
