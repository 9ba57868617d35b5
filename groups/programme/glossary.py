"""Words that need explaining: marked where a chapter uses them first, and told under that step. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from markupsafe import Markup

from groups.programme.steps import Chapter

_TAG = re.compile(r"(<[^>]+>)")


def explained(chapter: Chapter, glossary: Mapping[str, str]) -> Chapter:
    """The chapter with each word of the glossary marked at its first use, and its explanation at that step. Who goes
    through it at home does not see every step: a word that was told only in a session is told there once more."""
    if not glossary:
        return chapter
    told: set[str] = set()
    told_at_home: set[str] = set()
    steps = []
    for step in chapter.steps:
        html, words = _marked(step.html, glossary, told_at_home if step.at_home else told)
        told |= told_at_home
        steps.append(replace(step, html=html, words=words))
    return replace(chapter, steps=tuple(steps))


def _marked(html: Markup, glossary: Mapping[str, str], told: set[str]) -> tuple[Markup, tuple[tuple[str, str], ...]]:
    pattern, names = _pattern(tuple(glossary))
    words: list[tuple[str, str]] = []

    def mark(found: re.Match[str]) -> str:
        name = names[found[0].lower()]
        if name in told:
            return found[0]
        told.add(name)
        words.append((name, glossary[name]))
        return f"<dfn>{found[0]}</dfn>"

    parts = _TAG.split(html)
    parts[::2] = [pattern.sub(mark, text) for text in parts[::2]]
    return Markup("".join(parts)), tuple(words)  # noqa: S704 - cleaned before, and marks of our own


@lru_cache(maxsize=16)
def _pattern(terms: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    longest = sorted(terms, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE)
    return pattern, {term.lower(): term for term in terms}
