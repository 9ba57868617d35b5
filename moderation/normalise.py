"""Fold a message to the plain form in which the screening rules are written, and keep the way back.

People (and people who evade) write the same word in many ways: capitals, accents, full-width or
Cyrillic look-alikes, zero-width characters, l o o s e letters.  `normalise` undoes these on the level of
characters.  What needs knowledge of words (leet, repeated letters, words written as one) is undone on
tokens, in `moderation.detectors.tokens`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from moderation.lexicon import load_table

# Four or more lone characters with the same kind of gap between them: "d o o d", "0 6 1 2 3 4".
_LOOSE = re.compile(r"(?<!\S)\S(?:[ \n]{1,3}\S(?!\S)){3,}")
_BLANKS = frozenset("\u3164\u115f\u1160\uffa0\u17b4\u17b5")  # letters by category, but drawn as nothing
_FIXPOINT_ROUNDS = 6


_MIXED = re.compile(r"(?<![^\W_])(?:[^\W\d_]+[013457@$]|[013457@$]+[^\W\d_])[^\W_@$]*(?:[@$][^\W_]+)*")
_LEET = str.maketrans("013457@$", "oieastas")
_LEET_SIGN = re.compile(r"[013457@$]")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A folded text with, for each of its characters, the span it came from in `source`."""

    text: str
    source: str
    starts: Sequence[int]
    ends: Sequence[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Give the span in the source of the folded characters `start` up to `end` (end exclusive).

        Raises IndexError when the span is empty or outside the text.
        """
        if not 0 <= start < end <= len(self.text):
            raise IndexError(f"no such span: {start}..{end} of {len(self.text)}")
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> Normalised:
    """Fold compatibility forms, look-alikes, invisible characters, accents, case and loose letters.

    Any string is accepted, lone surrogates included.  Folding a folded text changes nothing.
    """
    folded = _fold(text)
    while True:
        closed = _close_loose_letters(folded)
        if closed is folded:
            return folded
        folded = closed


def undo_leet(text: str) -> str:
    """Read digits inside words as the letters they imitate ("h33t" is "heet"); the length stays the same.

    Words with more digits than letters, or with a number at the end, are left alone ("12a", "jan89").
    """
    if not _LEET_SIGN.search(text) or not any(len(word.group()) > 2 for word in _MIXED.finditer(text)):
        return text  # "3x" and "2e" alone are no disguise
    return _MIXED.sub(_letters, text)


def _letters(match: re.Match[str]) -> str:
    word = match.group()
    digits = sum(char.isdigit() for char in word)
    return word if 2 * digits > len(word) or word[-2:].isdigit() else word.translate(_LEET)


def _fold(text: str) -> Normalised:
    if text.isascii() and "\t" not in text and "\r" not in text:
        return Normalised(text.lower(), text, range(len(text)), range(1, len(text) + 1))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, char in enumerate(text):
        piece = _fold_char(char)
        pieces.append(piece)
        if len(piece) == 1:
            starts.append(index)
            ends.append(index + 1)
        elif piece:
            starts.extend([index] * len(piece))
            ends.extend([index + 1] * len(piece))
    return Normalised("".join(pieces), text, starts, ends)


@lru_cache(maxsize=8192)
def _fold_char(char: str) -> str:
    """Fold one character until nothing changes, so that folding twice is folding once."""
    now = char
    for _ in range(_FIXPOINT_ROUNDS):
        after = "".join(_fold_once(part) for part in now)
        if after == now:
            break
        now = after
    return now


def _fold_once(char: str) -> str:
    if char in "\t ":
        return " "
    if char in "\n\r\v\f\x85\u2028\u2029":
        return "\n"
    look_alike = _look_alikes().get(char)
    if look_alike is not None:
        return look_alike
    category = unicodedata.category(char)
    if category in ("Cf", "Cc") or category.startswith("M") or char in _BLANKS:
        return ""
    if category == "Zs" or char == "\u2800":
        return " "
    return unicodedata.normalize("NFKD", char.casefold())


@lru_cache(maxsize=1)
def _look_alikes() -> dict[str, str]:
    table = load_table("characters.toml")
    found: dict[str, str] = {}
    for plain, others in table["look_alikes"].items():
        for other in others:
            found[other] = plain
    return found


def _close_loose_letters(folded: Normalised) -> Normalised:
    """Write "d o o d" as "dood"; a wider gap than the usual one in the run ends a word."""
    runs = list(_LOOSE.finditer(folded.text))
    if not runs:
        return folded
    keep: list[int] = []
    done = 0
    for run in runs:
        keep.extend(range(done, run.start()))
        keep.extend(_kept_in_run(folded.text, run.start(), run.end()))
        done = run.end()
    keep.extend(range(done, len(folded.text)))
    return Normalised(
        "".join([folded.text[i] for i in keep]),
        folded.source,
        [folded.starts[i] for i in keep],
        [folded.ends[i] for i in keep],
    )


def _kept_in_run(text: str, start: int, end: int) -> list[int]:
    letters = [i for i in range(start, end) if text[i] not in " \n"]
    usual = min(b - a for a, b in pairwise(letters))
    kept: list[int] = []
    for before, letter in zip([letters[0], *letters], letters, strict=False):
        if letter - before > usual:
            kept.append(letter - 1)
        kept.append(letter)
    return kept
