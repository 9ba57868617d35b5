"""The attacker's workbench: what was seen of each alias, and which alias here is most like which alias there.

It knows nothing of the product's inside. Words of messages are left out: they were drawn for everybody alike.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from itertools import combinations
from random import Random
from typing import Any

from tests.privacy.spying import Seen

_CONTAINERS = ("li", "tr", "section", "article", "label", "option", "p", "form", "details", "dd", "div")
_VOID = ("meta", "link", "input", "br", "hr", "img", "use", "path", "col", "circle", "rect")
_ELSEWHERE = ("seq", "at", "reply_to", "text", "room", "data-seq", "datetime", "data-room")  # have a clue of their own


@dataclass(slots=True)
class Profile:
    """What was seen of one alias in one group."""

    alias: str
    tokens: set[str] = field(default_factory=set)
    marks: set[tuple[str, str]] = field(default_factory=set)
    minutes: set[int] = field(default_factory=set)
    messages: set[int] = field(default_factory=set)
    places: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Dossier:
    """What was seen of one group: its aliases, and the lists they stood in (the longest of each name)."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def appear(self, name: str, aliases: Sequence[str]) -> None:
        """Note a list in which aliases stood in this order."""
        order = list(dict.fromkeys(a for a in aliases if a in self.profiles))
        if len(order) >= len(self.lists.get(name, ())):
            self.lists[name] = order

    def close(self) -> Dossier:
        """Turn the lists into places from 0 (first) to 1 (last)."""
        for name, order in self.lists.items():
            for place, alias in enumerate(order):
                self.profiles[alias].places[name] = place / max(1, len(order) - 1)
        return self


def study(seen: Iterable[Seen], room: str, own: Iterable[str]) -> Dossier:
    """Everything that was seen of one room, about anybody who is not staff and not the attacker."""
    here = [(s, None if s.page else json.loads(s.text)) for s in seen if s.room == room]
    found, streams = Dossier(), defaultdict(list)
    for _seen, data in here:
        for item in _dicts(data):
            if item.get("role") == "member" and isinstance(item.get("alias"), str) and "seq" in item:
                found.profiles.setdefault(item["alias"], Profile(item["alias"]))
    for alias in own:
        found.profiles.pop(alias, None)
    for one, data in here:
        if one.page:
            page = _Page(found.profiles)
            page.feed(one.text)
            for name, aliases in page.lists.items():
                found.appear(f"{one.source} {name}", aliases)
        else:
            _read(found, one.source, data, "", streams)
    for name, aliases in streams.items():
        found.appear(f"arrival in {name}", aliases)
    return found.close()


def _dicts(data: Any) -> Iterable[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
        data = list(data.values())
    if isinstance(data, list):
        for value in data:
            yield from _dicts(value)


def _read(found: Dossier, source: str, data: Any, path: str, streams: dict[str, list[str]]) -> None:
    """One live answer or event: who stands in which list, and what stands beside them."""
    if isinstance(data, dict):
        profile = found.profiles.get(str(data.get("alias")))
        if profile is not None:
            profile.tokens |= {f"{k}={v}" for k, v in data.items() if k not in ("alias", *_ELSEWHERE) and _telling(v)}
            if "at" in data and "seq" in data:
                profile.minutes.add(int(datetime.fromisoformat(data["at"]).timestamp() // 60))
                profile.messages.add(data["seq"])
        for key, value in data.items():
            _read(found, source, value, f"{path}.{key}", streams)
    elif isinstance(data, list):
        order = [v.get("alias") if isinstance(v, dict) else v for v in data]
        aliases = [a for a in order if isinstance(a, str) and a in found.profiles]
        if aliases:
            found.appear(f"{source}{path}", aliases)
            streams[f"{source}{path}"] += aliases
        for value in data:
            _read(found, source, value, path, streams)


def _telling(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) > 3


class _Page(HTMLParser):
    """A page: for every element that speaks of exactly one alias, its attributes, numbers and mark."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        super().__init__()
        self._profiles = profiles
        self._open: list[tuple[str, str, set[str], set[str], list[tuple[str, str]]]] = []
        self._tint = ""
        self.lists: dict[str, list[str]] = defaultdict(list)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        tokens = {f"{n}={v}" for n, v in about.items() if n not in ("class", *_ELSEWHERE) and len(v) > 3}
        aliases = {v for v in about.values() if v in self._profiles}
        classes = about.get("class", "").split()
        if tag == "svg" and "mark" in classes:
            self._tint = next((c for c in classes if re.fullmatch(r"t\d+", c)), "")
        if tag == "use" and self._tint and self._open:
            shape = about.get("href", about.get("xlink:href", "")).rpartition("#")[2]
            self._open[-1][4].append((shape, self._tint))
            self._tint = ""
        if tag in _VOID:
            if self._open:
                self._open[-1][2].update(tokens)
            return
        self._open.append((tag, ".".join(classes), tokens, aliases, []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        words = re.findall(r"[\w-]+", data)
        self._open[-1][3].update(w for w in words if w in self._profiles)
        if self._open[-1][0] != "time":
            self._open[-1][2].update(w for w in words if len(w) > 3 and any(c.isdigit() for c in w))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, classes, tokens, aliases, marks = self._open.pop()
            if self._open:
                self._open[-1][2].update(tokens)
                self._open[-1][3].update(aliases)
                self._open[-1][4].extend(marks)
            if name in _CONTAINERS and len(aliases) == 1:
                profile = self._profiles[next(iter(aliases))]
                profile.tokens |= tokens
                profile.marks.update(marks)
                self.lists[f"{name}.{classes.replace('.is', '')}"].append(profile.alias)
            if name == tag:
                return


Clue = Callable[[Profile, Profile], float]


def clues(here: Dossier, there: Dossier) -> dict[str, Clue]:
    """Every way in which two aliases can be alike, by name: the higher, the more alike."""
    common = Counter(t for d in (here, there) for p in d.profiles.values() for t in p.tokens)
    many = len(here.profiles) + len(there.profiles)
    weight = {token: max(0.0, math.log(many / 8 / n)) for token, n in common.items()}

    def alias(a: Profile, b: Profile) -> float:
        ours, theirs = a.alias.lower().split("_"), b.alias.lower().split("_")
        return 5.0 * (ours == theirs) + len(set(ours) & set(theirs))

    def order_in(name: str) -> Clue:
        return lambda a, b: -abs(a.places[name] - b.places[name]) if name in a.places and name in b.places else -1.0

    found: dict[str, Clue] = {
        "alias": alias,
        "mark": lambda a, b: float(bool(a.marks & b.marks)),
        "tokens": lambda a, b: sum(weight[t] for t in a.tokens & b.tokens),
        "minutes": lambda a, b: -_apart(a.minutes, b.minutes),
        "sequence": lambda a, b: -_apart(a.messages, b.messages),
        "how many": lambda a, b: -abs(len(a.messages) - len(b.messages)),
    }
    return found | {f"order: {name}": order_in(name) for name in here.lists if name in there.lists}


def _apart(ours: set[int], theirs: set[int]) -> float:
    """How far the moments of one lie from the nearest of the other, on average."""
    if not ours or not theirs:
        return math.inf
    return sum(min(abs(a - b) for b in theirs) for a in ours) / len(ours)


def match(scores: Sequence[Sequence[float]], draw: Random) -> dict[int, int]:
    """The best pairs first, each row and column once; what is alike is decided by lot."""
    ranked = sorted(
        ((score, draw.random(), a, b) for a, row in enumerate(scores) for b, score in enumerate(row)), reverse=True
    )
    chosen: dict[int, int] = {}
    for _score, _lot, a, b in ranked:
        if a not in chosen and b not in chosen.values():
            chosen[a] = b
    return chosen


def link(dossiers: Sequence[Dossier], truth: Sequence[Mapping[str, int]], seed: int) -> dict[str, tuple[int, int]]:
    """Match every group to every other by each clue alone, and by all of them together: (right, tried) by clue."""
    draw, result = Random(seed), defaultdict(lambda: (0, 0))
    for one, other in combinations(range(len(dossiers)), 2):
        ours, theirs = list(dossiers[one].profiles.values()), list(dossiers[other].profiles.values())
        together = [[0.0] * len(theirs) for _ in ours]
        tables = {
            name: [[clue(a, b) for b in theirs] for a in ours]
            for name, clue in clues(dossiers[one], dossiers[other]).items()
        }
        for table in tables.values():
            for row, sums in zip(_standard(table), together, strict=True):
                for at, value in enumerate(row):
                    sums[at] += value
        for name, table in (tables | {"all together": together}).items():
            right = sum(
                truth[one][ours[a].alias] == truth[other][theirs[b].alias] for a, b in match(table, draw).items()
            )
            result[name] = (result[name][0] + right, result[name][1] + len(ours))
    return dict(result)


def _standard(table: list[list[float]]) -> list[list[float]]:
    """The same scores with mean 0 and spread 1, so that no clue shouts down another."""
    flat = [value for row in table for value in row if math.isfinite(value)]
    mean = sum(flat) / len(flat)
    spread = math.sqrt(sum((value - mean) ** 2 for value in flat) / len(flat)) or 1.0
    return [[(value - mean) / spread if math.isfinite(value) else -3.0 for value in row] for row in table]
