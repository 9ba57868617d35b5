"""Cut folded text into words and bring disguised words back to the ones the lexicons know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import product

BREAK = "¶"  # stands for the end of a sentence; no lexicon word can equal it

_LETTER = r"[^\W_]"
_WHOLE = rf"(?:(?<!\S)[@$])?{_LETTER}+(?:['@$!|€*]{{1,2}}{_LETTER}+)*|\.{{2,}}|[.!?;\n]+"
_WHOLE_PIECES = re.compile(_WHOLE)
_PIECES = re.compile(
    rf"(?P<loose>(?<!{_LETTER})[^\W\d_]"
    rf"(?:(?:[.\-_*/+~|]{{1,2}}{_LETTER}(?!{_LETTER}))+"
    rf"|(?:[ .\-_*/,+~|]{{1,3}}{_LETTER}(?!{_LETTER})){{2,}}))"
    rf"|(?P<whole>{_WHOLE})"
)
_LONE = re.compile(rf"(?<!{_LETTER}){_LETTER}(?!{_LETTER})")  # without any, no word is written in loose letters
_ODD = re.compile(r"[\d'@$!|€*]")
_STOPS = ".!?;\n"
_STOPS_TWICE = re.compile(r"[.!?;\n]{2}")
_LETTERS = re.compile(r"[^\W\d_]+")
_ONLY_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_STOP = "!!"  # as long as no word is that is not loose
_SPACED = {code: " " for code in range(128) if not chr(code).isalnum()} | {ord(stop): f" {_STOP} " for stop in ".!?;\n"}
_NOT_LETTERS = re.compile(r"[^\W\d_]*[\d'@$!|€*][\w'@$!|€*]*")
_SEPARATORS = re.compile(r"[\W_]+")
_REPEATED = re.compile(r"(.)\1+")
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b",
                       "9": "g", "@": "a", "$": "s", "!": "i", "|": "i", "€": "e"})  # fmt: skip
_LEET_L = str.maketrans({"1": "l", "!": "l", "|": "l"})
_LONGEST_WORD = 18
_LONGEST_COMPOUND = 60
_SHORTEST_DANGER = 7


@lru_cache(maxsize=8)
def letters_of(text: str) -> tuple[str, ...]:
    """Every run of letters in a text, in order; several detectors ask for it one after the other."""
    return tuple(text.translate(_ONLY_LETTERS).split() if text.isascii() else _LETTERS.findall(text))


class Tokens:
    """Words in order, with their spans in the folded text; BREAK at both ends and between sentences.

    The spans are worked out when somebody asks: most texts are done with before.
    """

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.words = words_of(text, vocabulary)
        self._text, self._vocabulary = text, vocabulary

    @property
    def starts(self) -> tuple[int, ...]:
        return self._spans[0]

    @property
    def ends(self) -> tuple[int, ...]:
        return self._spans[1]

    @cached_property
    def _spans(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        starts, ends = [0], [0]
        pieces = list(_raw(self._text))
        disguised = _disguised((word for word, _, _ in pieces), self._vocabulary)
        for word, start, end in pieces:
            for _ in self._vocabulary.reading(word, disguised):
                starts.append(start)
                ends.append(end)
        return (*starts, len(self._text)), (*ends, len(self._text))


class Vocabulary:
    """The words and word beginnings the rules mention; finds the known word behind a disguised one."""

    def __init__(
        self, words: frozenset[str], stems: frozenset[str], danger: frozenset[str], chat: Mapping[str, str]
    ) -> None:
        self._words = words
        self._chat = {short: tuple(meant.split()) for short, meant in chat.items()}
        self._stems = stems
        self._stem_lengths = tuple(sorted({len(stem) for stem in stems}))
        self._slips = _one_letter_less(danger)
        self.canonical: Callable[[str], tuple[str, ...]] = lru_cache(maxsize=32768)(self._canonical)
        self.reading: Callable[[str, bool], tuple[str, ...]] = lru_cache(maxsize=32768)(self._reading)

    def knows(self, word: str) -> bool:
        """Tell whether a rule mentions this word or a beginning of it."""
        if word in self._words:
            return True
        return any(word[:length] in self._stems for length in self._stem_lengths)

    def is_leet(self, word: str) -> bool:
        """Tell whether this is a known word with digits or signs for some of its letters."""
        return bool(_NOT_LETTERS.fullmatch(word)) and "'" not in word and self.canonical(word) != (word,)

    def _reading(self, piece: str, disguised: bool) -> tuple[str, ...]:
        """What a piece of text says: words, the end of a sentence, or nothing."""
        if piece[0] in _STOPS:
            return () if len(piece) > 1 and not piece.strip(".") else (BREAK,)
        if disguised and piece.isdigit():
            piece = piece.translate(_LEET)
        return self.canonical(piece)

    def _canonical(self, word: str) -> tuple[str, ...]:
        meant = self._chat.get(word) or self._chat.get(_plain(word))
        if meant:
            return meant
        if word in self._words:
            return (word,)
        for variant in _variants(word):
            if self.knows(variant):
                return (variant,)
        plain = _plain(word)
        slip = self._slip(plain)
        if slip:
            return (slip,)
        parts = self._segment(plain)
        return parts or (plain,)

    def _slip(self, word: str) -> str | None:
        """Find the danger word that is one typing slip away."""
        if len(word) < _SHORTEST_DANGER - 1:
            return None
        for shorter in (word, *(word[:i] + word[i + 1 :] for i in range(min(len(word), _LONGEST_WORD)))):
            meant = self._slips.get(shorter)
            if meant and abs(len(meant) - len(word)) <= 1 and meant[0] == word[0]:
                return meant
        return None

    def _segment(self, word: str) -> tuple[str, ...]:
        """Split words written as one ("ikwildood") when every part is known and there are at least three."""
        if not 7 <= len(word) <= _LONGEST_COMPOUND:
            return ()
        best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - _LONGEST_WORD), end):
                before = best[start]
                if before is None or word[start:end] not in self._words:
                    continue
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = (*before, word[start:end])
        parts = best[-1]
        return parts if parts and len(parts) >= 3 and len(word) / len(parts) >= 2.5 else ()


def words_of(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Cut folded text into words, with BREAK at both ends.  Commas, colons and dots in a row do not end a sentence;
    . ! ? ; and a new line do."""
    odd = _ODD.search(text)
    pieces = _pieces(text, odd=odd is not None)
    disguised = odd is not None and _disguised(pieces, vocabulary)
    reading = vocabulary.reading
    words = [BREAK]
    for piece in pieces:
        words += reading(piece, disguised)
    words.append(BREAK)
    return tuple(words)


def _pieces(text: str, *, odd: bool) -> list[str]:
    """The words and stops of `_raw`, by the shortest way that gives the same."""
    if text.isascii() and not odd and not _STOPS_TWICE.search(text):
        pieces = text.translate(_SPACED).split()
        if 1 not in set(map(len, pieces)):
            return pieces
    if _LONE.search(text):
        return [word for word, _, _ in _raw(text)]
    return _WHOLE_PIECES.findall(text)


def _disguised(pieces: Iterable[str], vocabulary: Vocabulary) -> bool:
    """Is this a text with digits for letters? Then lone digits are letters too."""
    return sum(vocabulary.is_leet(word) for word in pieces if not word.isalpha()) > 1


def _raw(text: str) -> Iterator[tuple[str, int, int]]:
    for piece in _PIECES.finditer(text):
        found = piece.group()
        yield _SEPARATORS.sub("", found) if piece.lastgroup == "loose" else found, piece.start(), piece.end()


def _plain(word: str) -> str:
    return word.replace("'", "") if "'" in word else word


def _variants(word: str) -> Iterator[str]:
    """Give the word itself, then with leet and repeated letters undone, likeliest first."""
    bare = _plain(word)
    readings = [bare]
    if len(bare) <= _LONGEST_COMPOUND and _NOT_LETTERS.fullmatch(bare) and not bare.isdigit():
        readings.append(bare.translate(_LEET))
        readings.append(bare.translate(_LEET_L).translate(_LEET))
        readings.append(bare.replace("*", "").replace("|", ""))
    for reading in readings:
        yield reading
    for reading in readings:
        yield from _without_repeats(reading)


def _without_repeats(word: str) -> Iterator[str]:
    runs = [run for run in _REPEATED.finditer(word) if len(run.group()) > 2]
    if not runs:
        return
    for keep in product((2, 1), repeat=min(len(runs), 3)):
        pieces: list[str] = []
        done = 0
        for run, count in zip(runs, keep, strict=False):
            pieces += [word[done : run.start()], run.group(1) * count]
            done = run.end()
        yield _REPEATED.sub(lambda run: run.group()[:2], "".join(pieces) + word[done:])
    yield _REPEATED.sub(r"\1", word)


def _one_letter_less(words: frozenset[str]) -> dict[str, str]:
    table: dict[str, str] = {}
    for word in sorted(words):
        if len(word) < _SHORTEST_DANGER:
            continue
        table[word] = word
        for index in range(len(word)):
            table.setdefault(word[:index] + word[index + 1 :], word)
    return table
