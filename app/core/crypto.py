"""What a person wrote, encrypted at rest: one column type, one data key per person, a list of master keys.

A sealed value is bound to its table, column and row: moved to another place it cannot be opened. Each person has
a data key, kept in the database only wrapped by a master key; the master keys live in a file beside it
(`app.core.keys`). Destroying a person's data key makes everything they wrote unreadable, in every copy of the rows.

Layout of a sealed value: one byte of version, eight bytes of key id, twelve of nonce, then AES-256-GCM.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ForeignKey, LargeBinary, String, TypeDecorator, delete, select, update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.core.db import Base

_VERSION = b"\x01"
_HEAD, _NONCE = 9, 12
REMEMBERED = 20_000  # unwrapped keys kept in memory, about 200 bytes each


class CannotOpen(Exception):
    """A sealed value that does not open: its key is gone, or it stands where it was not written."""


class Sealed(TypeDecorator[bytes]):
    """A column that holds sealed values only: plain text is refused before it reaches the database."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is not None and (not isinstance(value, bytes) or value[:1] != _VERSION or len(value) < 37):
            raise ValueError("plain text on its way into a sealed column")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)


class DataKey(Base):
    """A person's data key, wrapped by the master key named `master`. One a person; destroyed, never replaced."""

    __tablename__ = "data_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), unique=True)
    master: Mapped[str] = mapped_column(String(8))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class DestroyedKey(Base):
    """That a data key was destroyed, and on which day: after a restore from an older copy it is destroyed again."""

    __tablename__ = "destroyed_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    destroyed_on: Mapped[date]


@dataclass(frozen=True, slots=True)
class Key:
    """A person's data key, ready to seal with."""

    id: str
    cipher: AESGCM

    def seal(self, place: bytes, text: str) -> bytes:
        """`text`, bound to `place` (see `place_of`). About three microseconds."""
        nonce = os.urandom(_NONCE)
        return _VERSION + bytes.fromhex(self.id) + nonce + self.cipher.encrypt(nonce, text.encode(), place)


class Vault:
    """The master keys, newest first, and the data keys that were unwrapped lately.

    `reread` gives the list anew: a server that runs while the master keys are rotated meets names it does not know.
    Keys are remembered by their own random id, which is never used twice, so that a rolled-back transaction can
    leave nothing wrong behind.
    """

    def __init__(self, masters: Mapping[str, bytes], reread: Callable[[], Mapping[str, bytes]] | None = None) -> None:
        self._reread = reread
        self._take(masters)
        self._open: OrderedDict[str, AESGCM] = OrderedDict()

    def new_key(self, person_id: int) -> tuple[DataKey, Key]:
        """A fresh data key for a person: the row to store, and the key itself."""
        if self._reread is not None:
            self._take(self._reread())
        key_id, secret = os.urandom(8).hex(), AESGCM.generate_key(256)
        row = DataKey(id=key_id, person_id=person_id, master=self.newest, wrapped=self._wrap(key_id, secret))
        return row, self._remember(key_id, secret)

    def unwrap(self, key_id: str, master: str, wrapped: bytes) -> Key:
        """The data key of a stored row. Raises `CannotOpen` when the master key is missing."""
        known = self._open.get(key_id)
        return Key(key_id, known) if known else self._remember(key_id, self._unwrap(key_id, master, wrapped))

    def known(self, key_id: str) -> AESGCM | None:
        """A data key that was unwrapped lately."""
        return self._open.get(key_id)

    def forget(self, key_id: str) -> None:
        """Keep a data key in memory no longer."""
        self._open.pop(key_id, None)

    def rewrap(self, row: DataKey) -> None:
        """Wrap a stored data key by the newest master key."""
        row.wrapped = self._wrap(row.id, self._unwrap(row.id, row.master, row.wrapped))
        row.master = self.newest

    def _take(self, masters: Mapping[str, bytes]) -> None:
        self._masters = {name: AESGCM(key) for name, key in masters.items()}
        self.newest = next(iter(masters))

    def _wrap(self, key_id: str, secret: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._masters[self.newest].encrypt(nonce, secret, key_id.encode())

    def _unwrap(self, key_id: str, master: str, wrapped: bytes) -> bytes:
        if master not in self._masters and self._reread is not None:
            self._take(self._reread())
        if master not in self._masters:
            raise CannotOpen("a data key is wrapped by a master key that is not in the key file")
        try:
            return self._masters[master].decrypt(wrapped[:_NONCE], wrapped[_NONCE:], key_id.encode())
        except InvalidTag:
            raise CannotOpen("a data key does not fit its master key") from None

    def _remember(self, key_id: str, secret: bytes) -> Key:
        self._open[key_id] = cipher = AESGCM(secret)
        if len(self._open) > REMEMBERED:
            self._open.popitem(last=False)
        return Key(key_id, cipher)


def place_of(column: InstrumentedAttribute[Any], row: str) -> bytes:
    """What a sealed value is bound to. `row` names the row by what it never changes, such as its public id."""
    return f"{column.class_.__tablename__}.{column.key}|{row}".encode()


class Ring:
    """The data keys one unit of work needs: asked of the database once each, at most one query for many."""

    def __init__(self, session: Callable[[], Session], vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys: dict[int, Key] = {}

    def make_key(self, person_id: int) -> None:
        """Give somebody new a data key. Writes it, wrapped."""
        row, self._keys[person_id] = self._vault.new_key(person_id)
        self._session().add(row)
        self._session().flush()

    def seal(self, person_id: int, column: InstrumentedAttribute[Any], row: str, text: str) -> bytes:
        """`text` sealed by its author's key, for one column of one row."""
        return self.key_of(person_id).seal(place_of(column, row), text)

    def key_of(self, person_id: int) -> Key:
        """A person's data key. Raises `CannotOpen` when it was destroyed."""
        if person_id not in self._keys:
            row = self._session().scalar(select(DataKey).where(DataKey.person_id == person_id))
            if row is None:
                raise CannotOpen("there is no data key for this person")
            self._keys[person_id] = self._vault.unwrap(row.id, row.master, row.wrapped)
        return self._keys[person_id]

    def unwrap(self, key_id: str, master: str, wrapped: bytes) -> Key:
        """A data key whose row a query of the caller's brought along."""
        return self._vault.unwrap(key_id, master, wrapped)

    def open(self, column: InstrumentedAttribute[Any], row: str, sealed: bytes | None) -> str:
        """What was sealed there; nothing for nothing. Raises `CannotOpen`."""
        return self.open_all(column, [(row, sealed)])[0]

    def open_all(self, column: InstrumentedAttribute[Any], values: Sequence[tuple[str, bytes | None]]) -> list[str]:
        """Many values of one column, each with the name of its row. At most one query. Raises `CannotOpen`."""
        self._fetch(sealed[1:_HEAD].hex() for _row, sealed in values if sealed is not None)
        return ["" if sealed is None else self._open(place_of(column, row), sealed) for row, sealed in values]

    def destroy(self, person_id: int, on: date) -> str | None:
        """Destroy a person's data key: what they wrote can be read no more, here and in every copy of the rows.

        Returns the key's id, or None if there was none. The caller lets the vault forget it after the commit.
        """
        key_id = self._session().scalar(select(DataKey.id).where(DataKey.person_id == person_id))
        if key_id is None:
            return None
        self._session().execute(update(DataKey).where(DataKey.id == key_id).values(wrapped=os.urandom(60)))
        self._session().execute(delete(DataKey).where(DataKey.id == key_id))
        self._session().add(DestroyedKey(id=key_id, destroyed_on=on))
        self._keys.pop(person_id, None)
        return key_id

    def forget(self, key_id: str) -> None:
        """Keep a destroyed key in memory no longer. For after the commit."""
        self._vault.forget(key_id)

    def _fetch(self, key_ids: Iterable[str]) -> None:
        missing = {key_id for key_id in key_ids if self._vault.known(key_id) is None}
        if missing:
            for row in self._session().scalars(select(DataKey).where(DataKey.id.in_(missing))):
                self._vault.unwrap(row.id, row.master, row.wrapped)

    def _open(self, place: bytes, sealed: bytes) -> str:
        cipher = self._vault.known(sealed[1:_HEAD].hex())
        if cipher is None:
            raise CannotOpen("the key of this text was destroyed")
        try:
            return cipher.decrypt(sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :], place).decode()
        except InvalidTag:
            raise CannotOpen("this text does not belong in this place") from None
