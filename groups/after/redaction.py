"""Taking the aliases of others out of a text that goes to somebody's file. Pure.

An alias is found however it is typed: in capitals, with an at sign, half of it, with or without its underscore, with a
possessive s or a diminutive, with accents, look-alikes or invisible characters in it. A word that happens to be half of
somebody's alias goes too: better a word too many than somebody's name in another's file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from moderation.normalise import normalise, undo_leet

_OWN, _OTHER, _STAFF = "\ue000", "\ue001", "\ue002"  # stand in the text for whoever was named, until the end
_MARKS = re.compile("[\ue000-\ue002]")
_BREAK = r"[\s_\-.]{0,3}"  # between the halves of an alias
_BEFORE = r"@*(?<![^\W_])"  # no letter or digit before it
_AFTER = r"(?:['\-]?(?:s|tje|etje|pje|je))?'?(?![^\W_])"  # possessive or small, and then no letter or digit
_SHAPE = re.compile(r"@*(?<![^\W_])[^\W\d_]{2,}_+[^\W\d_]{2,}" + _AFTER)  # whoever it may be: written as aliases are


@dataclass(frozen=True, slots=True)
class Named:
    """What stands in the text instead of a name: of the text's own person, of somebody else, of a facilitator."""

    own: str
    other: str
    staff: str


@dataclass(frozen=True, slots=True)
class Names:
    """Ready to take names out of many texts: `own` are the aliases of whose text it is, `others` everybody else's,
    `staff` the names of facilitators.
    """

    own: frozenset[str]
    others: frozenset[str]
    staff: frozenset[str]

    def taken_out(self, text: str, named: Named) -> str:
        """`text` with every name replaced. Nothing else of it changes."""
        text = _MARKS.sub("", text)
        for pattern, mark in self._patterns():
            text = _replaced(text, pattern, mark)
        return _worded(text, named)

    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """What to look for, in this order: whole aliases, whatever else looks like one, and then halves."""
        own, others, staff = (_halves(names) for names in (self.own, self.others, self.staff))
        whole = [(halves, mark) for found, mark in ((own, _OWN), (others, _OTHER), (staff, _STAFF)) for halves in found]
        whole.sort(key=lambda one: -sum(len(half) for half in one[0]))
        patterns = [(_whole(halves), mark) for halves, mark in whole]
        patterns.append((_SHAPE, _OTHER))
        parts = [{half for halves in found for half in halves} for found in (own, others, staff)]
        not_others = (parts[0] - parts[1] - parts[2], parts[2] - parts[1])
        for halves, mark in ((parts[1], _OTHER), (not_others[1], _STAFF), (not_others[0], _OWN)):
            if halves:
                patterns.append((_half(halves), mark))
        return patterns


def _halves(names: Collection[str]) -> list[tuple[str, ...]]:
    """Each alias as the folded words it is made of."""
    split = (tuple(re.findall(r"[^\W_]+", normalise(name).text)) for name in sorted(names))
    return [halves for halves in split if halves]


def _whole(halves: tuple[str, ...]) -> re.Pattern[str]:
    """A whole alias as a word of its own; with its underscore, also in the middle of something else."""
    loose = _BEFORE + _BREAK.join(map(re.escape, halves)) + _AFTER
    if len(halves) == 1:
        return re.compile(loose)
    return re.compile(loose + "|@*" + "_+".join(map(re.escape, halves)) + "(?:" + _AFTER + ")?")


def _half(halves: Collection[str]) -> re.Pattern[str]:
    longest_first = sorted(halves, key=lambda half: (-len(half), half))
    return re.compile(_BEFORE + "(?:" + "|".join(map(re.escape, longest_first)) + ")" + _AFTER)


def _replaced(text: str, pattern: re.Pattern[str], mark: str) -> str:
    """Every match of the folded text, marked in the text itself, until there is none."""
    while True:
        folded = normalise(text)
        spans = [match.span() for read in {folded.text, undo_leet(folded.text)} for match in pattern.finditer(read)]
        origins = sorted({folded.origin(start, end) for start, end in spans})
        if not origins:
            return text
        pieces, at = [], 0
        for start, end in origins:
            if start < at:
                continue  # lies in one that is marked already; the next round looks again
            pieces += [text[at:start], mark]
            at = _past_invisible(text, end)
        text = "".join([*pieces, text[at:]])


def _past_invisible(text: str, end: int) -> int:
    """Accents and invisible characters behind a name go with it."""
    while end < len(text) and unicodedata.category(text[end]) in ("Mn", "Mc", "Me", "Cf"):
        end += 1
    return end


def _worded(text: str, named: Named) -> str:
    """The marks as words, with a blank where they would touch another word."""
    words = {_OWN: named.own, _OTHER: named.other, _STAFF: named.staff}
    pieces: list[str] = []
    for piece in filter(None, re.split("([\ue000-\ue002])", text)):
        word = words.get(piece, piece)
        if pieces and pieces[-1][-1].isalnum() and word[0].isalnum():
            pieces.append(" ")
        pieces.append(word)
    return "".join(pieces)
