"""Looking something up in a room one is in. What people wrote stands sealed, so the recent stretch is opened and read.

All words must occur, in any order, whatever their capitals and accents. What was asked is kept nowhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select

from app.core import text
from app.core.errors import Invalid
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.models import Hiding, Message, Seat, message_row

STRETCH = 2_000  # the latest messages that are read
MOST = 30  # results
LONGEST = 100  # characters of what is looked for
_AROUND = 70  # characters on either side of the first word that is found
_BESIDE = 90  # characters of the message before


@dataclass(frozen=True, slots=True)
class Hit:
    """A message in which all the words occur: `pieces` of it in order, each with whether it is one of them.

    `before` is what was said just before, as alias and first words.
    """

    seq: int
    alias: str
    role: str
    at: datetime
    pieces: tuple[tuple[str, bool], ...]
    before: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, newest first. `more` when there was more than is shown; `whole` when all of the room was read."""

    asked: str
    hits: tuple[Hit, ...]
    more: bool
    whole: bool


def find(w: Work, room: str, asked: str) -> Results:
    """Messages of a room one is in, in which every word occurs. Of no other room, and without what one hid.

    One indexed query after one's place, however much is read. Raises `NotFound`, `Invalid` without words.
    """
    found = rooms.place(w, room)
    asked = text.plain(asked, limit=LONGEST)
    words = _words(asked)
    if not words:
        raise Invalid(N_("Typ een woord van minstens twee letters. Er is nog niet gezocht."))
    rows = _stretch(w, found)
    said = w.ring.open_all(Message.text, [(message_row(r.seat_id, r.key), r.text) for r in rows])
    hits: list[Hit] = []
    for index, (row, line) in enumerate(zip(rows, said, strict=True)):
        folded = flat(line)
        if not all(word in folded for word in words):
            continue
        if len(hits) == MOST:
            return Results(asked, tuple(hits), True, found.last_seq <= STRETCH)
        before = (rows[index + 1].alias, _short(said[index + 1])) if index + 1 < len(rows) else None
        hits.append(Hit(row.seq, row.alias, row.role, row.at, snippet(line, words), before))
    return Results(asked, tuple(hits), False, found.last_seq <= STRETCH)


def flat(line: str) -> str:
    """A text without capitals and accents."""
    line = line.casefold()
    if line.isascii():
        return line
    return "".join(c for c in unicodedata.normalize("NFKD", line) if not unicodedata.combining(c))


def fold(line: str) -> tuple[str, tuple[int, ...]]:
    """As `flat`, with the place in the text that each character comes from."""
    parts = [flat(character) for character in line]
    return "".join(parts), tuple(place for place, part in enumerate(parts) for _ in part)


def snippet(line: str, words: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """The part of a text around the first word that is found, in pieces that say where the words stand."""
    folded, origins = fold(line)
    marked = [False] * len(line)
    first = len(line)
    for word in words:
        at = folded.find(word)
        while at >= 0:
            start, end = origins[at], origins[at + len(word) - 1] + 1
            marked[start:end] = [True] * (end - start)
            first = min(first, start)
            at = folded.find(word, at + len(word))
    start, end = _cut(line, first)
    pieces: list[tuple[str, bool]] = []
    for place in range(start, end):
        if pieces and pieces[-1][1] == marked[place]:
            pieces[-1] = (pieces[-1][0] + line[place], marked[place])
        else:
            pieces.append((line[place], marked[place]))
    if start > 0:
        pieces.insert(0, ("… ", False))
    if end < len(line):
        pieces.append((" …", False))
    return tuple(pieces)


def _cut(line: str, first: int) -> tuple[int, int]:
    """From where to where a text is shown: whole words around a place."""
    start, end = max(0, first - _AROUND), min(len(line), first + 2 * _AROUND)
    while 0 < start < first and not line[start - 1].isspace():
        start += 1
    while end < len(line) and end > first + _AROUND and not line[end].isspace():
        end -= 1
    return start, end


def _words(asked: str) -> tuple[str, ...]:
    words = dict.fromkeys(flat(asked).split())
    return tuple(words) if any(len(word) > 1 for word in words) else ()


def _short(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _BESIDE else line[: _BESIDE - 1].rstrip() + "…"


def _stretch(w: Work, found: rooms.Place) -> Sequence[Any]:
    """The latest messages that stand in a room, newest first, without what the actor hid."""
    mine = Hiding.seat_id == found.seat_id
    return w.db.execute(
        select(Message.seq, Message.seat_id, Message.key, Message.text, Message.at, Seat.alias, Seat.role)
        .join(Seat, Seat.id == Message.seat_id)
        .where(
            Message.room_id == found.room_id,
            Message.seq > found.last_seq - STRETCH,
            Message.status == "posted",
            ~exists().where(mine, Hiding.message_id == Message.id),
            ~exists().where(mine, Hiding.hidden_seat_id == Message.seat_id),
        )
        .order_by(Message.seq.desc())
    ).all()
