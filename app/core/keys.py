"""The installation's secret, made at set-up, kept beside the data in a file only its owner can read.

It is never in the database nor in its backup. Losing it signs everybody out and breaks half-finished joins; it
does not lose messages. Several keys are derived from it, one per purpose, so that no key serves twice.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import Invalid
from app.core.settings import Settings, SettingsError

FILE_NAME = "secret.key"


class Keys:
    """Keys derived from the installation's secret (32 random bytes)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise SettingsError("The secret key file is too short; make a new one with `samen setup-keys`.")
        self._secret = secret

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose."""
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(self._secret)

    def seal(self, purpose: str, plain: bytes) -> str:
        """Encrypt `plain` so that only this installation can open it; safe to hand to a browser."""
        return Fernet(base64.urlsafe_b64encode(self.derive(purpose))).encrypt(plain).decode()

    def unseal(self, purpose: str, sealed: str, *, max_age: int) -> bytes:
        """Open what `seal` closed at most `max_age` seconds ago. Raises `Invalid`."""
        try:
            return Fernet(base64.urlsafe_b64encode(self.derive(purpose))).decrypt(sealed.encode(), ttl=max_age)
        except (InvalidToken, ValueError):
            raise Invalid from None


def ensure(settings: Settings) -> Path:
    """Make the key file if there is none yet, and return its path. Never overwrites one."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / FILE_NAME
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
    return path


def load(settings: Settings) -> Keys:
    """The keys of this installation. Raises `SettingsError` if the file is missing or others can read it."""
    path = settings.data_dir / FILE_NAME
    if not path.exists():
        raise SettingsError("There is no secret key yet; run `samen setup-keys` once (`make run` does it).")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError("The secret key file can be read by others; set its mode to 0600 first.")
    return Keys(path.read_bytes())
