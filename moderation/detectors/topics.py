"""Find what a message is about (crisis, harm, harassment, solicitation) from the phrase rules, and weigh each
phrase in its context: figurative, denied, past, somebody else's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moderation.detectors.model import Effect, Finding, Kind, Level
from moderation.detectors.phrases import Grammar, Hit, Pattern, PhraseBook, compile_pattern
from moderation.detectors.tokens import BREAK, Tokens, Vocabulary
from moderation.lexicon import load_table, rule_files

_QUOTED = re.compile(r'"[^"\n]{1,400}"')
_GRADES: dict[str, tuple[Effect, Level | None]] = {
    "plan": ("hold_and_alert", "red"),
    "child": ("hold_and_alert", "red"),
    "active": ("alert", "red"),
    "amber": ("note", "amber"),
    "farewell": ("note", "amber"),
    "hold": ("hold", None),
    "count": ("note", "note"),
}
_HINTS_FOR_A_FAREWELL = 2
_GRAPHIC_WORDS_TO_HOLD = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """A phrase rule (`kind` set) or a shield (`covers`, `scope` and `effect` set)."""

    name: str
    grade: str
    kind: Kind | None = None
    covers: frozenset[str] = frozenset()
    scope: str = ""
    yields_to_now: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything read from the rule files, ready to use."""

    rules: tuple[Rule, ...]
    book: PhraseBook
    vocabulary: Vocabulary


@lru_cache(maxsize=1)
def load_pack() -> Pack:
    """Read and compile the rule files.  Raises ValueError or KeyError when a rule is malformed."""
    grammar = _load_grammar()
    rules: list[Rule] = []
    patterns: list[Pattern] = []
    for name in rule_files():
        table = load_table(name)
        for entry in (*table.get("rule", ()), *table.get("shield", ())):
            rules.append(_rule(entry))
            for line in entry["patterns"].splitlines():
                if line.strip():
                    patterns.append(compile_pattern(line, len(rules) - 1, grammar))
    words, stems = _mentioned(patterns)
    danger = frozenset(load_table("danger_words.toml")["words"].split())
    vocabulary = Vocabulary(words | danger, stems, danger, load_table("chat.toml")["words"])
    shields = {number for number, rule in enumerate(rules) if not rule.kind}
    return Pack(tuple(rules), PhraseBook(patterns, shields), vocabulary)


def _load_grammar() -> Grammar:
    table = load_table("classes.toml")
    fixed = {name: frozenset(block.split()) for name, block in table["grammar"].items()}
    classes = {name: frozenset(block.split()) for name, block in table["classes"].items()}
    return Grammar(classes, fixed["negations"], fixed["clause_words"], fixed["common"])


def _rule(entry: dict[str, Any]) -> Rule:
    if "kind" in entry:
        return Rule(entry["id"], entry["grade"], entry["kind"])
    covers = frozenset(entry.get("covers", ()))
    return Rule(entry["id"], entry["effect"], None, covers, entry["scope"], entry.get("yields_to_now", False))


def _mentioned(patterns: Iterable[Pattern]) -> tuple[frozenset[str], frozenset[str]]:
    words: set[str] = set()
    stems: set[str] = set()
    for pattern in patterns:
        for element in (*pattern.before, pattern.anchor, *pattern.after):
            words |= element.words
            stems.update(element.stems)
    return frozenset(words - {BREAK}), frozenset(stems)


def find_topics(text: str) -> tuple[list[Finding], bool]:
    """Give the findings in folded `text`, and whether it was too dense in trigger words to finish."""
    pack = load_pack()
    tokens = Tokens(text, pack.vocabulary)
    hits, dense = pack.book.find(tokens.words)
    hits = [_without_breaks(hit, tokens) for hit in hits]
    phrases = [hit for hit in hits if pack.rules[hit.rule].kind]
    shields = [hit for hit in hits if not pack.rules[hit.rule].kind]
    weighed = list(_weigh(phrases, shields, tokens, text, pack.rules))
    return [_finding(rule, grade, hit, tokens) for rule, grade, hit in _combine(weighed)], dense


def _without_breaks(hit: Hit, tokens: Tokens) -> Hit:
    """Take the sentence ends, which only anchor a pattern, off the span."""
    first, last = hit.first, hit.last
    if tokens.words[first] == BREAK and first < last:
        first += 1
    if tokens.words[last] == BREAK and first < last:
        last -= 1
    return Hit(hit.rule, first, last)


Weighed = tuple[Rule, str, Hit]


def _weigh(
    phrases: list[Hit], shields: list[Hit], tokens: Tokens, text: str, rules: tuple[Rule, ...]
) -> Iterator[Weighed]:
    """Drop or soften each phrase by the shields that cover it."""
    sentences = _sentence_numbers(tokens)
    quotes = [quote.span() for quote in _QUOTED.finditer(text)] if '"' in text else []
    now = {sentences[hit.first] for hit in shields if rules[hit.rule].grade == "now"}
    for hit in phrases:
        rule = rules[hit.rule]
        grade = rule.grade
        for other in shields:
            shield = rules[other.rule]
            if rule.kind not in shield.covers or not _reaches(shield, other, hit, tokens, sentences, quotes):
                continue
            if shield.yields_to_now and sentences[hit.first] in now:
                continue
            if shield.grade == "drop":
                grade = ""
                break
            grade = "amber"
        if grade:
            yield rule, grade, hit


def _reaches(
    shield: Rule, at: Hit, hit: Hit, tokens: Tokens, sentences: list[int], quotes: list[tuple[int, int]]
) -> bool:
    if shield.scope == "overlap":
        return at.first <= hit.last and hit.first <= at.last
    if shield.scope == "sentence":
        return sentences[at.first] == sentences[hit.first]
    if shield.scope == "quote":
        start, end = tokens.starts[hit.first], tokens.ends[hit.last]
        return any(opens <= start and end <= closes for opens, closes in quotes)
    return True


def _sentence_numbers(tokens: Tokens) -> list[int]:
    numbers: list[int] = []
    number = 0
    for word in tokens.words:
        number += word == BREAK
        numbers.append(number)
    return numbers


def _combine(weighed: list[Weighed]) -> Iterator[Weighed]:
    """Raise grades that mean more together, and leave out what means nothing alone."""
    hints = {_spoken(hit) for rule, grade, hit in weighed if grade == "farewell"}
    wish = any(rule.kind == "crisis_self" and grade == "active" for rule, grade, _ in weighed)
    soon = any(grade == "time" for _, grade, _ in weighed)
    graphic = {_spoken(hit) for _, grade, hit in weighed if grade == "count"}
    for rule, grade, hit in weighed:
        last_words = grade == "farewell" and (wish or len(hints) >= _HINTS_FOR_A_FAREWELL)
        if last_words or (grade == "active" and rule.kind == "crisis_self" and soon):
            yield rule, "plan", hit
        elif grade == "count" and len(graphic) >= _GRAPHIC_WORDS_TO_HOLD:
            yield rule, "hold", hit
        elif grade in _GRADES:
            yield rule, grade, hit


def _spoken(hit: Hit) -> tuple[int, int]:
    return hit.first, hit.last


def _finding(rule: Rule, grade: str, hit: Hit, tokens: Tokens) -> Finding:
    effect, level = _GRADES[grade]
    assert rule.kind is not None
    return Finding(rule.kind, rule.name, tokens.starts[hit.first], tokens.ends[hit.last], effect, level)
