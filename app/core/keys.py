"""The installation's secrets, made at set-up, kept beside the data in files only their owner can read.

They are never in the database nor in its backup. `secret.key` seals cookies and the audit log and hashes codes on
paper: losing it signs everybody out and makes those codes void. `master.keys` wraps the data keys of what people
wrote: losing it loses every word. Several keys are derived from the secret, one per purpose, so that no key serves
twice.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import Invalid
from app.core.settings import Settings, SettingsError

FILE_NAME = "secret.key"
MASTERS_NAME = "master.keys"  # one a line, `id key`, newest first: they wrap the data keys (app.core.crypto)


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
    """Make the key files if there are none yet, and return the folder they are in. Never overwrites one."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _create(settings.data_dir / FILE_NAME, secrets.token_bytes(32))
    _create(settings.data_dir / MASTERS_NAME, _new_master().encode())
    return settings.data_dir


def load(settings: Settings) -> Keys:
    """The keys of this installation. Raises `SettingsError` if the file is missing, weak, or others can read it."""
    secret = _read(settings.data_dir / FILE_NAME)
    if len(set(secret)) < 12 or secret.isascii():  # somebody typed it: 32 random bytes never look like that
        raise SettingsError("The secret key is not a random one; make a new one with `samen setup-keys`.")
    return Keys(secret)


def masters(settings: Settings) -> dict[str, bytes]:
    """The master keys by id, newest first. Raises `SettingsError` if the file is missing, damaged or readable."""
    found = {}
    for line in _read(settings.data_dir / MASTERS_NAME).decode(errors="replace").splitlines():
        name, _, encoded = line.partition(" ")
        key = _decoded(encoded)
        if not name or len(key) != 32 or len(set(key)) < 12:
            raise SettingsError("The master key file is damaged; put it back from its own backup.")
        found[name] = key
    if not found:
        raise SettingsError("The master key file is empty; put it back from its own backup.")
    return found


def add_master(settings: Settings) -> None:
    """Put a new master key in front of the list. The file is replaced whole or not at all."""
    with _alone(settings):
        masters(settings)
        _replace_masters(settings, _new_master() + (settings.data_dir / MASTERS_NAME).read_text(encoding="ascii"))


def drop_masters(settings: Settings, kept: Collection[str]) -> int:
    """Take the master keys off the list that wrap nothing any more, and return how many.

    The newest two always stay: a server that is still running may be wrapping a newcomer's key by the second.
    """
    with _alone(settings):
        lines = (settings.data_dir / MASTERS_NAME).read_text(encoding="ascii").splitlines(keepends=True)
        staying = [line for n, line in enumerate(lines) if n < 2 or line.partition(" ")[0] in kept]
        if len(staying) < len(lines):
            _replace_masters(settings, "".join(staying))
    return len(lines) - len(staying)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One changes the list at a time: a key that another's copy of the list forgot would be lost with all it wraps."""
    folder = os.open(settings.data_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)  # and with it the lock


def _new_master() -> str:
    return f"{secrets.token_hex(4)} {base64.b64encode(secrets.token_bytes(32)).decode()}\n"


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""


def _create(path: Path, content: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace_masters(settings: Settings, content: str) -> None:
    aside = settings.data_dir / f"{MASTERS_NAME}.{secrets.token_hex(4)}"
    _create(aside, content.encode())
    aside.replace(settings.data_dir / MASTERS_NAME)
    folder = os.open(settings.data_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    if not path.exists():
        raise SettingsError(f"There is no {path.name} yet; run `samen setup-keys` once (`make run` does it).")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path.name} can be read by others; set its mode to 0600 first.")
    return path.read_bytes()
