"""How plain a text is: the length of its sentences, LIX, and rare words. Needs the measuring libraries of development.

LIX is words a sentence plus the percentage of words longer than six letters. A word is rare below Zipf 3.3, that is
used less than about twice in a million words; a Dutch word made of two common ones is as common as these.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import median

from groups.programme.curriculum import programme
from groups.programme.reading import Mistake
from groups.programme.steps import Chapter, Step

MEDIAN, LIX, ZIPF = 12, 40, 3.3

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_END = re.compile(r"(?<=[.!?:;])['\"”’)]*\s+|\n+")
_TAG = re.compile(r"<[^>]+>")
_BLOCK = re.compile(r"</(?:p|li|h3|blockquote)>|<br ?/?>")
_LINKS = ("", "s", "e", "en", "n")  # what Dutch puts between two words that became one
_PART = 3  # letters of the shortest word that another may be made with


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a text; `rare` are its rare words, in the order of their first use."""

    sentences: int
    words: int
    median: float
    lix: float
    rare: tuple[str, ...]


def of_programme(slug: str, language: str) -> Iterator[tuple[str, Measured]]:
    """Every chapter of a programme, measured. Names of sources are not: they are as their authors wrote them."""
    told = programme(slug, language)
    known = {word for term in told.glossary for word in _words(term.lower())}
    for chapter in told.chapters:
        yield f"{slug}/{language}/{chapter.key}", measure(text_of(chapter), language, known)
    yield f"{slug}/{language}/glossary.yaml", measure("\n".join(told.glossary.values()), language, known)


def mistakes(name: str, told: Measured) -> Iterator[Mistake]:
    """What is not plain in a measured text."""
    if told.median > MEDIAN:
        yield Mistake(name, 1, f"the middle sentence has {told.median:g} words; {MEDIAN} fit")
    if told.lix >= LIX:
        yield Mistake(name, 1, f"LIX is {told.lix:.0f}; it is under {LIX} in plain language")
    if told.rare:
        yield Mistake(name, 1, f"rare words that no glossary explains: {', '.join(told.rare)}")


def measure(text: str, language: str, known: Collection[str] = ()) -> Measured:
    """Measure plain text, one paragraph or list item a line. `known` are words that are explained, in small letters."""
    sentences = [words for part in _END.split(text) if (words := _words(part))]
    if not sentences:
        return Measured(0, 0, 0, 0, ())
    words = [word for sentence in sentences for word in sentence]
    return Measured(
        sentences=len(sentences),
        words=len(words),
        median=median(map(len, sentences)),
        lix=_lix(sentences),
        rare=tuple(dict.fromkeys(word for word in words if word.lower() not in known and is_rare(word, language))),
    )


def text_of(chapter: Chapter) -> str:
    """Everything that somebody reads in a chapter, one paragraph or list item a line."""
    said = [chapter.title, chapter.goal, chapter.this_week, plain_text(chapter.intro)]
    return "\n".join([*said, *(_text_of_step(step) for step in chapter.steps)])


def plain_text(safe: str) -> str:
    """The words of safe HTML, one paragraph or list item a line."""
    return html.unescape(_TAG.sub("", _BLOCK.sub("\n", safe)))


@cache
def is_rare(word: str, language: str) -> bool:
    """Is this word used less than about twice in a million?"""
    small = word.lower()
    if _zipf(small, language) >= ZIPF:
        return False
    if "-" in small or "’" in small or "'" in small:
        return any(is_rare(part, language) for part in re.split(r"[-'’]", small) if len(part) > 1)
    return language != "nl" or not _is_made_of_common(small)


def _is_made_of_common(word: str) -> bool:
    for at in range(_PART, len(word) - _PART + 1):
        if _zipf(word[at:], "nl") < ZIPF:
            continue
        for link in _LINKS:
            first = word[:at].removesuffix(link) if link else word[:at]
            if word[:at] == first + link and len(first) >= _PART and _zipf(first, "nl") >= ZIPF:
                return True
    return False


def _zipf(word: str, language: str) -> float:
    from wordfreq import zipf_frequency  # 58 MB: only where texts are measured

    return float(zipf_frequency(word, language))


def _lix(sentences: list[list[str]]) -> float:
    import textstat  # as above

    textstat.set_lang("nl")
    return float(textstat.lix(" ".join(" ".join(words) + "." for words in sentences if len(words) > 2)))


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _text_of_step(step: Step) -> str:
    said = [step.title, plain_text(step.html), step.prompt, step.lead, step.low, step.high]
    said += [text for field in step.fields for text in (field.label, field.hint)]
    options = step.options if step.kind != "scale" else ()
    return "\n".join([*said, *options, *step.columns])
