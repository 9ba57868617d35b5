"""What must hold after any amount of load and any number of crashes, as one pure function over a history.

The crash test feeds it planted defects: a checker that cannot fail proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Acked(NamedTuple):
    """A message whose acknowledgement came in."""

    room: str
    seq: int
    key: str
    text: str


class Row(NamedTuple):
    """A posted message as the database holds it."""

    room: str
    seq: int
    key: str
    text: str


class Seen(NamedTuple):
    """A message as one member got it."""

    seq: int
    text: str


@dataclass(slots=True)
class History:
    """All that was observed. `members` maps (room, alias) to what that member has, in the order it has it.

    `unanswered` are keys that were sent and never acknowledged: they may be stored or not, but not twice.
    """

    acked: Sequence[Acked]
    rows: Sequence[Row]
    members: Mapping[tuple[str, str], Sequence[Seen]]
    unanswered: frozenset[str] = field(default_factory=frozenset)


def problems(history: History) -> list[str]:
    """Everything that is wrong, one sentence each; an empty list when all holds.

    Lost: acknowledged, but not stored as acknowledged, or not with every member of its room. Doubled:
    stored or seen more than once. Disordered: a history does not rise by one, or differs from the rows.
    """
    found = _stored(history)
    rows: dict[str, list[Row]] = {}
    for row in history.rows:
        rows.setdefault(row.room, []).append(row)
    for stored in rows.values():
        stored.sort(key=lambda row: row.seq)
    found += _numbered(rows)
    stands = {room: [Seen(row.seq, row.text) for row in stored] for room, stored in rows.items()}
    for (room, alias), seen in history.members.items():
        found += _same(room, alias, stands.get(room, []), seen)
    return found


def _stored(history: History) -> list[str]:
    found = []
    kept = {row.key: row for row in history.rows}
    acked = {a.key for a in history.acked}
    for key in _twice(row.key for row in history.rows):
        found.append(f"doubled: {key} is stored more than once")
    for key in _twice(a.key for a in history.acked):
        found.append(f"doubled: {key} was acknowledged with different numbers")
    for a in history.acked:
        row = kept.get(a.key)
        if row is None:
            found.append(f"lost: {a.key} was acknowledged as {a.room}/{a.seq} and is not stored")
        elif (row.room, row.seq, row.text) != (a.room, a.seq, a.text):
            found.append(f"changed: {a.key} was acknowledged as {a.room}/{a.seq}, stored as {row.room}/{row.seq}")
    for key in kept.keys() - acked - history.unanswered:
        found.append(f"unasked: {key} is stored and was neither acknowledged nor left unanswered")
    return found


def _numbered(rows: Mapping[str, Sequence[Row]]) -> list[str]:
    return [
        f"disordered: the rows of {room} are not numbered 1 to {len(stored)}"
        for room, stored in rows.items()
        if [row.seq for row in stored] != list(range(1, len(stored) + 1))
    ]


def _same(room: str, alias: str, stored: Sequence[Seen], seen: Sequence[Seen]) -> list[str]:
    if list(stored) == list(seen):
        return []
    who = f"{alias} in {room}"
    found = [f"lost: {who} misses {item.seq}" for item in sorted(set(stored) - set(seen))]
    found += [f"doubled: {who} has {seq} more than once" for seq in _twice(item.seq for item in seen)]
    found += [f"invented: {who} has {item.seq}, which is not stored so" for item in sorted(set(seen) - set(stored))]
    return found or [f"disordered: {who} does not have the messages in the order of their numbers"]


def _twice(values: Iterable[object]) -> list[object]:
    return [value for value, count in Counter(values).items() if count > 1]
