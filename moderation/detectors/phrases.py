"""A small phrase language over words, matched in time linear in the text.

A pattern is a line of elements separated by spaces:

    word        this word                     a|b|c     one of these
    stem*       a word that begins so         <name>    one of the words of class `name`
    a|b?        may be missing                ^ or $    the beginning or the end of a sentence
    _3          up to three words, no negation among them
    +3          one up to three words, no negation among them
    =3          the same as _3, and no new subject or clause either (for what a negation reaches)
    ~3          up to three words, whatever they are

A gap at the end of a pattern takes as many words as it can; any other as few.  No gap reaches over the end of
a sentence.  Every pattern is tried only where its rarest word stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from moderation.detectors.tokens import BREAK

_CONTEXT = 10  # words either side that can decide a match, for recognising repeated passages
_MAX_TRIES = 4000


@dataclass(frozen=True, slots=True)
class Element:
    """One step of a pattern: words or stems to match, or a gap of at most `gap` words."""

    words: frozenset[str]
    stems: tuple[str, ...] = ()
    optional: bool = False
    gap: int = 0
    least: int = 0
    barrier: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled line of rule number `rule`, split around its rarest element.

    Where `also` holds words, one of them must be in the text somewhere: what saves most of the walking.
    """

    rule: int
    anchor: Element
    before: tuple[Element, ...]
    after: tuple[Element, ...]
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """Rule number `rule` matched the words `first` up to and including `last`."""

    rule: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """What patterns may refer to: classes by name, and the words that stop each kind of gap."""

    classes: Mapping[str, frozenset[str]]
    negations: frozenset[str]
    clause_words: frozenset[str]
    common: frozenset[str]


def compile_pattern(line: str, rule: int, grammar: Grammar) -> Pattern:
    """Compile one line.  Raises ValueError when it has no word to anchor on, KeyError for unknown classes."""
    elements = [_element(part, grammar) for part in line.split()]
    candidates = [i for i, e in enumerate(elements) if not e.gap and not e.optional and BREAK not in e.words]
    if not candidates:
        raise ValueError(f"nothing to anchor on in pattern {line!r}")
    at = min(candidates, key=lambda i: _commonness(elements[i], grammar))
    others = [e.words for i, e in enumerate(elements) if i != at and not (e.gap or e.optional or e.stems)]
    also = min((words for words in others if BREAK not in words), key=len, default=frozenset())
    return Pattern(rule, elements[at], tuple(reversed(elements[:at])), tuple(elements[at + 1 :]), also)


def _element(part: str, grammar: Grammar) -> Element:
    if part[0] in "_=~+" and part[1:].isdigit():
        barrier = {BREAK}
        if part[0] != "~":
            barrier |= grammar.negations
        if part[0] == "=":
            barrier |= grammar.clause_words
        least = 1 if part[0] == "+" else 0
        return Element(frozenset(), gap=int(part[1:]), least=least, barrier=frozenset(barrier))
    optional = part.endswith("?")
    words: set[str] = set()
    stems: list[str] = []
    for option in part.rstrip("?").split("|"):
        if option in ("^", "$"):
            words.add(BREAK)
        elif option.startswith("<"):
            for word in grammar.classes[option.strip("<>")]:
                _add_option(word, words, stems)
        else:
            _add_option(option, words, stems)
    return Element(frozenset(words), tuple(sorted(stems)), optional)


def _add_option(option: str, words: set[str], stems: list[str]) -> None:
    if option.endswith("*"):
        stems.append(option[:-1])
    else:
        words.add(option)


def _commonness(element: Element, grammar: Grammar) -> tuple[int, int]:
    shortest = min(len(word) for word in (*element.words, *element.stems))
    return len(element.words & grammar.common), -shortest


@dataclass(frozen=True, slots=True)
class Tried:
    """The patterns that a word lets us try: those that find something, and those that only shield what was found."""

    find: tuple[Pattern, ...]
    shield: tuple[Pattern, ...]
    tries: int


class PhraseBook:
    """All patterns of all rules, indexed by their rarest word. Rules in `shields` matter only beside another's hit."""

    def __init__(self, patterns: Iterable[Pattern], shields: Collection[int] = ()) -> None:
        self._shields = frozenset(shields)
        self._by_word: dict[str, list[Pattern]] = {}
        self._by_stem: dict[str, list[Pattern]] = {}
        for pattern in patterns:
            for word in pattern.anchor.words:
                self._by_word.setdefault(word, []).append(pattern)
            for stem in pattern.anchor.stems:
                self._by_stem.setdefault(stem, []).append(pattern)
        self._stem_lengths = tuple(sorted({len(stem) for stem in self._by_stem}))
        self._cache: dict[str, Tried | None] = {}

    def anchor_words(self) -> frozenset[str]:
        """Give the words at which patterns are tried."""
        return frozenset(self._by_word)

    def find(self, words: tuple[str, ...]) -> tuple[list[Hit], bool]:
        """Give all hits in `words`, and whether the text was too dense in trigger words to finish.

        Without a hit of a rule that finds something, those of shields are left out: there is nothing to shield. The
        number of patterns tried is bounded, so the time is linear whatever the text.
        """
        places, dense = self._places(words)
        said = set(words)
        hits = [hit for at, tried in places for hit in _match_all(tried.find, words, at, said)]
        if hits:
            hits += [hit for at, tried in places for hit in _match_all(tried.shield, words, at, said)]
        return hits, dense

    def _places(self, words: tuple[str, ...]) -> tuple[list[tuple[int, Tried]], bool]:
        """Where patterns are tried, each passage once, and whether there were too many."""
        again = {word for word, times in Counter(words).items() if times > 1}
        seen: set[tuple[int, tuple[str, ...]]] = set()
        places: list[tuple[int, Tried]] = []
        tries = 0
        for at, word in enumerate(words):
            tried = self._cache[word] if word in self._cache else self._tried(word)
            if tried is None:
                continue
            if word in again:
                passage = min(at, _CONTEXT), words[max(0, at - _CONTEXT) : at + _CONTEXT]
                if passage in seen:
                    continue
                seen.add(passage)
            tries += tried.tries
            if tries > _MAX_TRIES:
                return places, True
            places.append((at, tried))
        return places, False

    def _tried(self, word: str) -> Tried | None:
        found = list(self._by_word.get(word, ()))
        for length in self._stem_lengths:
            found += self._by_stem.get(word[:length], ()) if len(word) >= length else ()
        patterns = tuple(dict.fromkeys(found))
        shield = tuple(pattern for pattern in patterns if pattern.rule in self._shields)
        find = tuple(pattern for pattern in patterns if pattern.rule not in self._shields)
        tried = Tried(find, shield, len(patterns)) if patterns else None
        if len(self._cache) < 50_000:
            self._cache[word] = tried
        return tried


def _match_all(patterns: tuple[Pattern, ...], words: tuple[str, ...], at: int, said: set[str]) -> Iterator[Hit]:
    for pattern in patterns:
        if pattern.also and pattern.also.isdisjoint(said):
            continue
        last = _walk(pattern.after, words, at, 1)
        if last is None:
            continue
        first = _walk(pattern.before, words, at, -1)
        if first is not None:
            yield Hit(pattern.rule, first, last)


def _walk(elements: tuple[Element, ...], words: tuple[str, ...], at: int, step: int) -> int | None:
    """Follow the elements from word `at` on; give the word where they have all matched, or None."""
    if not elements:
        return at
    ends = [at]
    size = len(words)
    for element in elements:
        reached: list[int] = []
        for end in ends:
            if element.gap:
                reached += _across(element, words, end, step)
                continue
            if element.optional:
                reached.append(end)
            here = end + step
            if 0 <= here < size:
                word = words[here]
                if word in element.words or (element.stems and word.startswith(element.stems)):
                    reached.append(here)
        if not reached:
            return None
        ends = list(dict.fromkeys(reached)) if len(reached) > 1 else reached
    nearest = (step > 0) is (not elements[-1].gap)
    return min(ends) if nearest else max(ends)


def _across(element: Element, words: tuple[str, ...], end: int, step: int) -> list[int]:
    reached = [] if element.least else [end]
    for _ in range(element.gap):
        end += step
        if not 0 <= end < len(words) or words[end] in element.barrier:
            break
        reached.append(end)
    return reached
