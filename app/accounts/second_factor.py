"""The second factor of staff: the codes of an authenticator app, and backup codes for when the app is lost.

A code of the app counts once. The secret behind the codes is sealed by its owner's own key; of a backup code only a
hash is kept. What the app shows beside the codes says nothing about this place: a phone is seen by others too.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import signins
from app.accounts.models import Authenticator, BackupCode, Passkey
from app.core import audit, ids
from app.core.errors import Closed, Invalid, RateLimited
from app.core.i18n import N_
from app.core.ratelimit import Limiter
from app.core.work import Work
from app.notify import outbox

NAME = "Agenda"  # what stands beside the codes in the app
STEP = 30  # seconds a code is shown
CODES = 10
TRIES, WINDOW = 5, 300  # so many tries in so many seconds
# The secret of the people of the demo (app.demo). A local installation shows their code on the page that asks for it.
DEMO_SECRET = "SAMENPROBEERHETRUSTIGUITALSJEWIL"  # noqa: S105

_WRONG = N_("Die code klopt niet, of hij is al gebruikt. Er is niets veranderd; probeer het met de volgende code.")
_WAIT = N_("Dat waren veel pogingen. Wacht vijf minuten en probeer het dan nog eens; er is niets kwijt.")
_THERE_ALREADY = N_("Je tweede stap is al ingesteld. Er is niets veranderd; log in met een code uit je app.")


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person can prove a second time with."""

    authenticator: bool
    passkeys: bool
    codes_left: int

    @property
    def any(self) -> bool:
        """Is there something besides codes on paper?"""
        return self.authenticator or self.passkeys


def factors(w: Work, person_id: int) -> Factors:
    """What a person can prove a second time with. For doors that already know who it is. One query."""
    row = w.db.execute(
        select(
            select(Authenticator.person_id)
            .where(Authenticator.person_id == person_id, Authenticator.confirmed_on.is_not(None))
            .exists(),
            select(Passkey.id).where(Passkey.person_id == person_id).exists(),
            select(func.count())
            .select_from(BackupCode)
            .where(BackupCode.person_id == person_id, BackupCode.used_on.is_(None))
            .scalar_subquery(),
        )
    ).one()
    return Factors(bool(row[0]), bool(row[1]), row[2])


def limit_tries(limiter: Limiter, person_id: int) -> None:
    """Allow so many tries in so many minutes. Only who proved the first factor comes here, so no stranger can lock
    anybody out. Raises `RateLimited`.
    """
    try:
        limiter.per_seconds(TRIES, WINDOW, "second factor", str(person_id))
    except RateLimited:
        raise RateLimited(_WAIT, retry_after=WINDOW) from None


def new_secret() -> str:
    """A fresh secret for an authenticator app, 160 bits. Nothing is stored until its first code was typed."""
    return pyotp.random_base32()


def address(secret: str) -> str:
    """What an authenticator app reads from a QR code or a link. It names neither the product nor the person."""
    return pyotp.TOTP(secret).provisioning_uri(name=NAME, issuer_name=NAME)


def enrol(w: Work, person_id: int, secret: str, typed: str, *, replace: bool = False) -> list[str]:
    """Take an authenticator app into use once a code of it was typed, and return ten fresh backup codes, to show once.

    Writes the sealed secret, the codes' hashes and an audit line. Without `replace` it is for people who have no
    second factor yet. Raises `Invalid` for a wrong code, `Closed` when there is a second factor already.
    """
    step = _step_of(secret, _digits(typed), w.now)
    if step is None:
        raise Invalid(_WRONG)
    if replace:
        w.db.execute(delete(Authenticator).where(Authenticator.person_id == person_id))
    elif factors(w, person_id).any:
        raise Closed(_THERE_ALREADY)
    keep(w, person_id, secret, used_step=step)
    audit.record(w, "authenticator.set_up", "person", person_id)
    return renew_codes(w, person_id)


def keep(w: Work, person_id: int, secret: str, *, used_step: int = 0) -> None:
    """Store the secret of an authenticator, sealed by its owner's key. Raises `Closed` when there is one already."""
    sealed = w.ring.seal(person_id, Authenticator.secret, str(person_id), secret)
    try:
        with w.db.begin_nested():
            w.db.add(Authenticator(person_id=person_id, secret=sealed, used_step=used_step, confirmed_on=w.now.date()))
    except IntegrityError:
        raise Closed(_THERE_ALREADY) from None


def forget(w: Work, person_id: int) -> None:
    """Take away every second factor of a person, end their sessions, and tell them: they set up a new one at their
    next sign-in, after the password. The caller has checked who asks. Writes an audit line.
    """
    for table in (Authenticator, BackupCode, Passkey):
        w.db.execute(delete(table).where(table.person_id == person_id))
    signins.end_all(w, person_id)
    audit.record(w, "person.second_step_reset", "person", person_id)
    ref = ids.public_id()
    outbox.queue(w, person_id, "second_step_reset", ref, f"second step:{ref}")


def renew_codes(w: Work, person_id: int) -> list[str]:
    """Ten new backup codes of 58 bits, to show once; the old ones are worth nothing any more.

    Whoever calls it has checked the proof. Writes their hashes and an audit line.
    """
    codes = [_grouped(ids.public_id()) for _ in range(CODES)]
    w.db.execute(delete(BackupCode).where(BackupCode.person_id == person_id))
    w.db.add_all(BackupCode(code_hash=w.digest(code), person_id=person_id, used_on=None) for code in codes)
    w.db.flush()
    audit.record(w, "backup_codes.made", "person", person_id)
    return codes


def prove(w: Work, person_id: int, typed: str) -> None:
    """Check a code of the app or a backup code, and use it up. Raises `Invalid`, the same for every wrong code.

    Of two uses of one code at the same moment one counts. A backup code leaves an audit line.
    """
    digits = _digits(typed)
    if len(digits) == 6:
        _use_step(w, person_id, digits)
    else:
        _use_backup_code(w, person_id, typed)


def demo_code(w: Work, person_id: int) -> str:
    """The next code of somebody of the demo, who has no app to look at; nothing for anybody else."""
    found = w.db.get(Authenticator, person_id)
    if found is None or w.ring.open(Authenticator.secret, str(person_id), found.secret) != DEMO_SECRET:
        return ""
    step = max(_now_step(w.now), found.used_step + 1)
    return pyotp.TOTP(DEMO_SECRET).generate_otp(step)


def _use_step(w: Work, person_id: int, digits: str) -> None:
    found = w.db.get(Authenticator, person_id)
    if found is None or found.confirmed_on is None:
        raise Invalid(_WRONG)
    step = _step_of(w.ring.open(Authenticator.secret, str(person_id), found.secret), digits, w.now)
    if step is None:
        raise Invalid(_WRONG)
    used = w.db.execute(
        update(Authenticator)
        .where(Authenticator.person_id == person_id, Authenticator.used_step < step)
        .values(used_step=step)
        .returning(Authenticator.person_id)
    ).first()
    if used is None:
        raise Invalid(_WRONG)


def _use_backup_code(w: Work, person_id: int, typed: str) -> None:
    plain = "".join(c for c in typed[:40].casefold() if c.isalnum())
    used = w.db.execute(
        update(BackupCode)
        .where(
            BackupCode.person_id == person_id,
            BackupCode.code_hash == w.digest(_grouped(plain)),
            BackupCode.used_on.is_(None),
        )
        .values(used_on=w.now.date())
        .returning(BackupCode.person_id)
    ).first()
    if used is None:
        raise Invalid(_WRONG)
    audit.record(w, "backup_code.used", "person", person_id)


def _step_of(secret: str, digits: str, now: datetime) -> int | None:
    """The time step a code belongs to: this one, the one before or the one after, because clocks differ."""
    generator, current = pyotp.TOTP(secret), _now_step(now)
    fitting = [s for s in (current - 1, current, current + 1) if _same(generator.generate_otp(s), digits)]
    return fitting[-1] if fitting else None


def _now_step(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _digits(typed: str) -> str:
    """A code of the app as typed by hand, or nothing when something else was typed."""
    plain = "".join(typed[:40].split())
    return plain if plain.isascii() and plain.isdigit() and len(plain) == 6 else ""


def _grouped(code: str) -> str:
    parts: Sequence[str] = [code[at : at + 4] for at in range(0, len(code), 4)]
    return "-".join(parts)
