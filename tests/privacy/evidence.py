"""Looking for marked strings in everything a server leaves behind, in clear or in any everyday spelling of it."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import urllib.parse
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

_COOKIE = re.compile(r"^[^=]+=([^;]+)")


@dataclass(frozen=True, slots=True)
class Canary:
    """A marked string, and the only places where it may stand in clear.

    A place is a column (`people.login`) or a response header (`header set-cookie`).
    """

    text: str
    allowed: tuple[str, ...] = ()


@dataclass(slots=True)
class Evidence:
    """What can be searched: (place, content) pairs. `files` are raw, and hold whatever the columns hold."""

    found: list[tuple[str, bytes]] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def add_log(self, text: str) -> None:
        self.found.append(("log", text.encode()))

    def add_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Response headers; a cookie is opened as anybody could who holds it."""
        for name, value in headers:
            place = f"header {name.lower()}"
            self.found.append((place, value.encode()))
            cookie = _COOKIE.match(value) if name.lower() == "set-cookie" else None
            if cookie:
                self.found += [(place, opened) for opened in _opened(cookie[1])]

    def add_database(self, path: Path) -> None:
        """Every value of every column."""
        with closing(sqlite3.connect(path)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                rows = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names from the database itself
                columns = [about[0] for about in rows.description]
                for row in rows:
                    for column, value in zip(columns, row, strict=True):
                        if isinstance(value, str | bytes):
                            content = value.encode() if isinstance(value, str) else value
                            self.found.append((f"{table}.{column}", content))

    def add_folder(self, folder: Path) -> None:
        """Every file as it is on the disk: the database with its log, keys, whatever else there is."""
        self.files += [(file.name, file.read_bytes()) for file in sorted(folder.rglob("*")) if file.is_file()]


def search(evidence: Evidence, canaries: Mapping[str, Canary]) -> set[tuple[str, str]]:
    """Where which canary stands that must not stand there."""
    columns = _together(evidence.found)
    files = _together(evidence.files)
    out: set[tuple[str, str]] = set()
    for name, canary in canaries.items():
        out |= {
            (name, place)
            for place, content in columns.items()
            if place not in canary.allowed and canary_in(canary, content)
        }
        stored = any("." in place for place in canary.allowed)
        out |= {(name, f"file {file}") for file, content in files.items() if not stored and canary_in(canary, content)}
    return out


def canary_in(canary: Canary, content: tuple[bytes, bytes]) -> bool:
    """Does the canary stand in this content? Given as it is, and in small letters."""
    plain, small = content
    return any(s in small for s in _spellings(canary.text)) or any(s in plain for s in _base64(canary.text))


def _together(pairs: Iterable[tuple[str, bytes]]) -> dict[str, tuple[bytes, bytes]]:
    grouped: dict[str, list[bytes]] = {}
    for place, content in pairs:
        grouped.setdefault(place, []).append(content)
    joined = {place: b"\n".join(contents) for place, contents in grouped.items()}
    return {place: (content, content.lower()) for place, content in joined.items()}


def _spellings(text: str) -> set[bytes]:
    """In clear, in an address, in JSON, in hexadecimal; all in small letters."""
    forms = {text, urllib.parse.quote(text), urllib.parse.quote_plus(text), json.dumps(text)[1:-1], text.encode().hex()}
    return {form.lower().encode() for form in forms}


def _base64(text: str) -> set[bytes]:
    """In base64, wherever in a longer text it began."""
    forms = set()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * before + text.encode()).rstrip(b"=")
            whole = len(coded) - (1 if (before + len(text.encode())) % 3 else 0)
            forms.add(coded[(before * 8 + 5) // 6 : whole])
    return forms


def _opened(value: str) -> Iterable[bytes]:
    """What the parts of a signed cookie say, packed or not."""
    packed = value.startswith(".")
    for part in value.strip(".").split("."):
        try:
            raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            yield zlib.decompress(raw) if packed else raw
        except (ValueError, zlib.error):
            continue
