"""Find people's names by the words around them: "ik heet ...", "mijn vrouw ...", "groetjes ...".

Chat is mostly lower case, so capitals are only a hint: a strong cue makes any word that is not an ordinary
one a name; a weak cue needs a known given name or a capital.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from moderation.detectors.alternatives import any_of
from moderation.detectors.model import Finding
from moderation.detectors.tokens import letters_of
from moderation.lexicon import line_list, word_set

_FILE = "names.toml"
_WORD = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*")
_END = re.compile(r"\s*(?:$|[.,!?;:)\n])")
_MAX_PARTS = 5
_SIGNATURE_REACH = 110  # characters at the end of a message in which a signature can stand


def find_names(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    """Give names of people in folded `text`; `starts` leads to `original`, which shows the capitals."""
    for match in _cues().finditer(text):
        at = match.end()
        word = _WORD.match(text, at)
        if not word or text[word.end() : word.end() + 1] in ("_", "@"):
            continue
        strength = _strength(match.group("cue"))
        if strength == "known_or_capital" and _particle(word):
            word = _after_particles(text, word, original, starts) or word
        capital = original[starts[word.start()]].isupper()
        if not _is_name(word.group(), strength, capital, text, word.end()):
            continue
        if strength != "known" or not _is_public(text, match.start()):
            yield Finding("identity", "name", at, _name_end(text, word, original, starts), "mask", label="name")
    yield from _full_names(text, original, starts)
    yield from _signed(text, original, starts)


@lru_cache(maxsize=1)
def _cues() -> re.Pattern[str]:
    cues = any_of(cue for key in ("strong", "known_or_capital", "known") for cue in line_list(_FILE, key))
    fillers = any_of(word_set(_FILE, "fillers"))
    return re.compile(rf"\b(?P<cue>{cues})[ :]{{1,2}}(?:{fillers} )?(?=[^\W\d_])")


@lru_cache(maxsize=512)
def _strength(cue: str) -> str:
    for key in ("strong", "known_or_capital"):
        if cue in line_list(_FILE, key):
            return key
    return "known"


def _is_name(word: str, strength: str, capital: bool, text: str, end: int) -> bool:
    head = word.split("'")[0]
    if word in word_set(_FILE, "never") or (head in word_set(_FILE, "never") and head != word):
        return False
    given = head in word_set(_FILE, "given") or head.rstrip("s") in word_set(_FILE, "given")
    doubtful = head in word_set(_FILE, "also_words")
    if strength == "strong":
        return given or capital or bool(_END.match(text, end)) or text.startswith(" en ", end)
    if given and not doubtful:
        return True
    if strength == "known_or_capital":
        return capital
    return capital and given and bool(_END.match(text, end))


def _name_end(text: str, first: re.Match[str], original: str, starts: Sequence[int]) -> int:
    """Take the surname along: particles ("van der") and words with a capital, or one after a particle."""
    end = first.end()
    particle = False
    for _ in range(_MAX_PARTS):
        if text[end : end + 1] != " ":
            break
        word = _WORD.match(text, end + 1)
        if not word:
            break
        if word.group() in word_set(_FILE, "particles"):
            after = _WORD.match(text, word.end() + 1)
            if not after or not (particle or _surname_like(after, original, starts) or _particle(after)):
                break
            particle = True
            end = word.end()
            continue
        ordinary = word.group() in word_set(_FILE, "never")
        if not _surname_like(word, original, starts) and not (particle and not ordinary):
            break
        end = word.end()
        if particle:
            break
    return end


def _particle(word: re.Match[str]) -> bool:
    return word.group() in word_set(_FILE, "particles")


def _after_particles(
    text: str, word: re.Match[str] | None, original: str, starts: Sequence[int]
) -> re.Match[str] | None:
    """Give the word with a capital after "van der", as in "meneer van der Berg"."""
    for _ in range(_MAX_PARTS):
        if word is None or not _particle(word):
            break
        word = _WORD.match(text, word.end() + 1)
    return word if word is not None and _surname_like(word, original, starts) else None


def _surname_like(word: re.Match[str], original: str, starts: Sequence[int]) -> bool:
    if word.group() in word_set(_FILE, "surnames"):
        return True
    return original[starts[word.start()]].isupper() and word.group() not in word_set(_FILE, "never")


def _full_names(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    """Give a known given name followed by a surname ("Sanne de Boer", "piet jansen")."""
    given = _given_only()
    joined = "'" in text or "-" in text
    if given.isdisjoint(_WORD.findall(text) if joined else letters_of(text)):
        return
    for word in _WORD.finditer(text):
        if word.group() not in given:
            continue
        end = _name_end(text, word, original, starts)
        if end == word.end():
            continue
        if not _is_public(text, word.start()):
            yield Finding("identity", "full_name", word.start(), end, "mask", label="name")


@lru_cache(maxsize=1)
def _given_only() -> frozenset[str]:
    """Given names that are no ordinary word too."""
    return word_set(_FILE, "given") - word_set(_FILE, "also_words")


def _is_public(text: str, at: int) -> bool:
    """Tell whether the words before speak of a book, a song or a researcher: public people may be named."""
    before = _WORD.findall(text[max(0, at - 40) : at])[-4:]
    return not word_set(_FILE, "public_cues").isdisjoint(before)


def _signed(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    """Give the name under a message: the last word, after a greeting such as "groetjes,"."""
    match = _signature().search(text, max(0, len(text) - _SIGNATURE_REACH))
    if not match:
        return
    word = match.group("name").split(" ")[0]
    capital = original[starts[match.start("name")]].isupper()
    given = word in word_set(_FILE, "given")
    if word not in word_set(_FILE, "never") and (capital or given or "\n" in match.group("gap")):
        yield Finding("identity", "signed", *match.span("name"), "mask", label="name")


@lru_cache(maxsize=1)
def _signature() -> re.Pattern[str]:
    greetings = any_of(line_list(_FILE, "greetings"))
    return re.compile(
        rf"\b{greetings}(?P<gap>[ ,.\n\-]{{1,4}}(?:(?:van|from|uit) )?)"
        r"(?P<name>[^\W\d_]{2,20}(?: [^\W\d_]{2,20}){0,2})"
        r"[ .!)x\n]{0,4}$"
    )
