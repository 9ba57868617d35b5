"""Screen a message before it is delivered: let it pass, mask what would identify somebody, or hold it.

Pure and deterministic: text in, verdict out, no clock, no storage.  The rules are the lexicon files beside
this module.  Every detector works on the folded text of `moderation.normalise`; the spans in a verdict lead
back to the text as it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from moderation.detectors.links import find_accounts, find_links
from moderation.detectors.model import Effect, Finding, Kind, Level
from moderation.detectors.names import find_names
from moderation.detectors.numbers import find_numbers, find_spelled
from moderation.detectors.places import find_places
from moderation.detectors.split import continues, find_split
from moderation.detectors.topics import find_topics
from moderation.lexicon import load_table
from moderation.normalise import Normalised, normalise, undo_leet

__all__ = ["PACK_VERSION", "Action", "Kind", "Reason", "Verdict", "Where", "flood", "mask", "screen"]

PACK_VERSION: str = load_table("pack.toml")["version"]

Where = Literal["group", "pair", "report"]
Action = Literal["allow", "mask", "hold"]

FLOOD_WINDOW_SECONDS = 20.0
FLOOD_MESSAGES = 8
FLOOD_REPEATS = 3

_RANK: dict[Effect, int] = {"note": 0, "alert": 1, "mask": 2, "hold": 3, "hold_and_alert": 4}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the kind, the rule that fired and, where it has one, the span in the text as given."""

    kind: Kind
    rule: str
    start: int | None = None
    end: int | None = None
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a message.  `text` is what would be posted; a held message keeps its original text."""

    action: Action
    alert: bool
    reasons: tuple[Reason, ...]
    text: str


def screen(
    text: str,
    *,
    lang: str = "nl",
    where: Where = "group",
    recent: tuple[str, ...] = (),
    aliases: frozenset[str] = frozenset(),
) -> Verdict:
    """Give the verdict on `text`; never raises, whatever the text.

    `lang` ("nl" or "en") chooses the words of the masks only: the rules of both languages always run.
    `recent` holds the same author's last few lines, oldest first, so that a number split over lines is found.
    `aliases` are the room's own names, which may always be said: people greet each other by them.
    This pack has the same rules in every `where`.
    """
    folded = normalise(text)
    findings = _without_repeats(_without_aliases(_found(folded, recent), folded.text, aliases))
    effects = {finding.effect for finding in findings}
    action = _action(effects)
    spans = [(folded.origin(found.start, found.end), found) for found in findings]
    reasons = tuple(Reason(found.kind, found.rule, *span, found.level) for span, found in spans)
    posted = _masked(text, spans, lang) if action == "mask" else text
    return Verdict(action, bool(effects & {"alert", "hold_and_alert"}), reasons, posted)


def is_clean(text: str) -> bool:
    """Is there nothing to find in `text`, wherever and after whatever it is said?

    Then it need not be screened again by who knows the room and the author's lines before.
    """
    folded = normalise(text)
    return not continues(folded.text) and not _found(folded, ())


def mask(text: str, *, lang: str = "nl", aliases: frozenset[str] = frozenset()) -> str:
    """Put labels in the place of whatever could identify somebody, and leave the rest as it is.

    For a message that was held for another reason and is placed after all.
    """
    folded = normalise(text)
    findings = _without_aliases(_without_hosts(list(_leaks(folded))), folded.text, aliases)
    spans = [(folded.origin(found.start, found.end), found) for found in _without_repeats(findings)]
    return _masked(text, spans, lang)


def flood(ages: Sequence[float], *, text_repeats: int = 0) -> Reason | None:
    """Tell whether an author posts too fast or too much the same.

    `ages` are the ages in seconds of the author's last messages in the room; `text_repeats` counts how often
    this same text stands among them.  Gives None when all is well.
    """
    if sum(0 <= age <= FLOOD_WINDOW_SECONDS for age in ages) > FLOOD_MESSAGES:
        return Reason("flood", "too_fast")
    if text_repeats > FLOOD_REPEATS:
        return Reason("flood", "repeated")
    return None


def _found(folded: Normalised, recent: tuple[str, ...]) -> list[Finding]:
    """What all detectors find, before any of it is weighed against the rest."""
    findings, dense = find_topics(folded.text)
    findings += _leaks(folded)
    findings += find_split(folded.text, recent)
    if dense:
        findings.append(Finding("flood", "dense", 0, len(folded.text), "hold"))
    return _without_hosts(findings)


def _leaks(folded: Normalised) -> Iterator[Finding]:
    text = folded.text
    yield from find_numbers(text)
    yield from find_accounts(text)
    readable = undo_leet(text)
    for reading in (text,) if readable == text else (text, readable):
        yield from find_spelled(reading)
        yield from find_links(reading)
        yield from find_places(reading, folded.source, folded.starts)
        yield from find_names(reading, folded.source, folded.starts)


def _without_hosts(findings: Sequence[Finding]) -> list[Finding]:
    """Drop the web address that the second half of an e-mail address looks like."""
    mailed = [(found.start, found.end) for found in findings if found.label == "email"]
    return [
        found
        for found in findings
        if found.kind != "link" or not any(start <= found.start and found.end <= end for start, end in mailed)
    ]


def _without_aliases(findings: Iterable[Finding], text: str, aliases: frozenset[str]) -> list[Finding]:
    """Let a name pass that is somebody's alias in this room, or the first half of one."""
    said = {part for alias in aliases for part in (alias.casefold(), *alias.casefold().split("_"))}
    return [
        found
        for found in findings
        if found.rule not in ("name", "full_name", "signed", "at_name")
        or not said
        or text[found.start : found.end].strip("@ ").casefold() not in said
    ]


def _without_repeats(findings: Iterable[Finding]) -> list[Finding]:
    """Keep one finding per rule and place: the widest of those that overlap, in order of place."""
    kept: list[Finding] = []
    last: dict[str, int] = {}
    for found in sorted(findings, key=lambda f: (f.start, -f.end, -_RANK[f.effect], f.rule)):
        if found.start < last.get(found.rule + found.effect, -1):
            continue
        last[found.rule + found.effect] = found.end
        kept.append(found)
    return kept


def _action(effects: set[Effect]) -> Action:
    if effects & {"hold", "hold_and_alert"}:
        return "hold"
    return "mask" if "mask" in effects else "allow"


def _masked(text: str, spans: Iterable[tuple[tuple[int, int], Finding]], lang: str) -> str:
    """Put a label in the place of every masked span; overlapping spans share the first one's label."""
    labels = load_table("labels.toml")["en" if lang.startswith("en") else "nl"]
    pieces: list[str] = []
    done = 0
    for (start, end), found in sorted(
        ((span, found) for span, found in spans if found.effect == "mask"), key=lambda pair: pair[0]
    ):
        if start >= done:
            pieces += [text[done:start], labels[found.label]]
        done = max(done, end)
    return "".join([*pieces, text[done:]])
