"""Names for things that leave the server. Random, so that they say nothing about order, number or person."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid

from app.core.errors import Invalid
from app.core.i18n import N_

_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"  # without letters that are mistaken for digits
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


def public_id() -> str:
    """Twelve characters, about 59 bits: unguessable enough beside the permission check that always follows."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def is_ref(value: str) -> bool:
    """Could this be a public id at all? Anything else need not be looked up."""
    return re.fullmatch(r"[a-z0-9]{1,16}", value) is not None


def number(value: object, low: int, high: int) -> int:
    """A whole number as a form writes it, from `low` to `high`. Raises `Invalid`."""
    if (
        isinstance(value, str)
        and len(value) <= 10
        and value.isascii()
        and value.isdigit()
        and low <= int(value) <= high
    ):
        return int(value)
    raise Invalid(N_("Kies één van de antwoorden. Wat je eerder invulde is bewaard."))


def session_token() -> str:
    """The secret in the session cookie, 256 bits. Only its hash is stored."""
    return secrets.token_urlsafe(32)


def invitation_code(parts: int = 2) -> str:
    """Four characters a part, such as `KLEW-47RD`: short enough to type, read aloud without confusion.

    Two parts (39 bits) open one group to a member for some days; four (78 bits) are for what opens more.
    """
    return "-".join("".join(secrets.choice(_CODE_ALPHABET) for _ in range(4)) for _ in range(parts))


def fold_code(typed: str) -> str:
    """An invitation code as typed by hand, brought back to how it was made."""
    kept = "".join(c for c in typed[:60].upper() if c.isalnum())[:16]
    return "-".join(kept[n : n + 4] for n in range(0, max(len(kept), 1), 4))


def digest(secret: str) -> str:
    """What is stored of a high-entropy secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def client_key(value: object) -> str:
    """Check a client's idempotency key: a UUID in its usual spelling. Raises `Invalid`."""
    if isinstance(value, str) and _KEY.fullmatch(value):
        return value
    if not isinstance(value, str) or len(value) > 40:
        raise Invalid(N_("Dit bericht kwam niet goed door. Er is nog niets verstuurd; probeer het nog eens."))
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise Invalid(N_("Dit bericht kwam niet goed door. Er is nog niets verstuurd; probeer het nog eens.")) from None
