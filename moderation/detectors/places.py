"""Find addresses: Dutch and British postcodes, streets with a house number, home towns and employers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from moderation.detectors.model import Finding
from moderation.lexicon import word_set

_FILE = "places.toml"
_DIGIT = re.compile(r"\d")
_POSTCODE = re.compile(
    r"\b(?P<digits>[1-9]\d{3})(?P<gap> ?)(?!sa|sd|ss)(?P<letters>[a-z]{2})\b"
    r"(?P<house>[ ,]{1,3}(?:nr\.? ?|huisnummer )?\d{1,4}[a-z]?\b)?"
)
_HOUSE_BEFORE = re.compile(r"\d[a-h]?[ ,]{1,3}$")
_UK_POSTCODE = re.compile(r"\b(?:[a-z]{1,2}\d[a-z\d]?) ?\d[abd-hjlnp-uw-z]{2}\b")
_NO_TIME_OR_SUM = r"(?![\w:.,]?\d|\w)"
_DUTCH_STREET = re.compile(
    r"\b(?P<name>[^\W\d_]{2,30}?"
    r"(?:straat|laan|weg|plein|kade|gracht|dijk|singel|steeg|dreef|plantsoen|hof|pad|markt|str))"
    r"(?: (?:nr\.?|nummer|huisnummer))? ?(?P<number>\d{1,4})(?: ?-? ?(?:[a-h]|bis|hs|[i]{1,3}|\d{1,3}))?"
    + _NO_TIME_OR_SUM
)
_NAMED_STREET = re.compile(
    r"\b(?:laan|plein|weg|hof|park|burgemeester|prins|prinses|koning|koningin|sint|dokter|dr|van)"
    r"(?: [^\W\d_]{2,20}){1,4}? (?P<number>\d{1,4})(?: ?[a-h])?" + _NO_TIME_OR_SUM
)
_STREET_ENDINGS = ("straat", "laan", "weg", "plein", "kade", "hof", "singel")
_STREET_TITLES = ("laan", "burgemeester", "prins", "prinses", "koning", "koningin", "dokter", "dr")
_ENGLISH_STREET = re.compile(
    r"\b(?P<number>\d{1,4}[a-d]?),? (?P<name>[^\W\d_]{3,20}(?: [^\W\d_]{3,20})?) "
    r"(?:street|st|road|rd|avenue|ave|lane|crescent|terrace|gardens|drive|close|court|square|grove)\b"
)
_AFTER_NUMBER = re.compile(r" ?([^\W\d_]+|%|€)")
_HOME = re.compile(
    r"\b(?:ik (?:woon|kom|zit)(?: [a-z]{2,10}){0,2}?|ik ben [a-z]{2,15}|woonachtig|woonplaats(?: is)?:?"
    r"|we wonen|wonen|i live|i'?m living|we live|i'?m based|living) (?:in|te|uit|at|near|bij) "
    r"(?P<place>[^\W\d_][^\W\d_'\-]{2,24}(?:[ \-](?:aan|op|den|de|upon|on)[ \-][^\W\d_]{2,15})?)"
)
_EMPLOYER = re.compile(
    r"\b(?:(?:ik (?:werk|werkte|heb gewerkt|ben werkzaam|zit|zat|sta|studeer|ben [a-z]{3,20})|werkzaam"
    r"|i work(?:ed)?|i'?m employed|i studied|i'?m an? [a-z]{3,20}(?: [a-z]{3,20})?)"
    r"(?: (?:als|as an?|an?) [a-z]{3,20})?(?: [a-z]{2,10}){0,2}? (?:bij|voor|op|aan|at|for|with) "
    r"|(?:mijn werkgever|mijn bedrijf|mijn school|my employer|my company|my school) (?:is|heet) )"
    r"(?:de |het |the )?(?P<name>[^\W_][\w&.\-]{1,25}(?: [^\W_][\w&.\-]{1,25}){0,2})"
)


def find_places(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    """Give addresses in folded `text`; `starts` leads to `original`, where capitals tell names from words."""
    if _DIGIT.search(text) or not (text.isascii() or not any(char.isdigit() for char in text)):
        yield from _postcodes(text, original, starts)
        yield from _streets(text)
    yield from _home(text, original, starts)
    yield from _employer(text, original, starts)


def _postcodes(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    for match in _POSTCODE.finditer(text):
        at = match.start("letters")
        upper = original[starts[at]].isupper() and original[starts[at + 1]].isupper()
        word = match.group("letters") in word_set(_FILE, "two_letter_words")
        tight = not match.group("gap")
        street_before = bool(_HOUSE_BEFORE.search(text[max(0, match.start() - 5) : match.start()]))
        unit = match.group("letters") in word_set(_FILE, "two_letter_units")
        if (upper and (not unit or match.group("house"))) or (
            not word and not unit and (tight or match.group("house") or street_before)
        ):
            yield Finding("identity", "postcode", *match.span(), "mask", label="address")
    for match in _UK_POSTCODE.finditer(text):
        if len(match.group()) >= 6:
            yield Finding("identity", "uk_postcode", *match.span(), "mask", label="address")


def _streets(text: str) -> Iterator[Finding]:
    for match in _DUTCH_STREET.finditer(text):
        if match.group("name") not in word_set(_FILE, "not_a_street") and not _counts(text, match.end()):
            yield Finding("identity", "street", *match.span(), "mask", label="address")
    for match in _NAMED_STREET.finditer(text):
        words = match.group().split()
        titled = words[0] in _STREET_TITLES and words[1] in ("van", "de", "der")
        if (titled or words[-2].endswith(_STREET_ENDINGS)) and not _counts(text, match.end()):
            yield Finding("identity", "street", *match.span(), "mask", label="address")
    for match in _ENGLISH_STREET.finditer(text):
        if word_set(_FILE, "not_in_a_street").isdisjoint(match.group("name").split()):
            yield Finding("identity", "street", *match.span(), "mask", label="address")


def _counts(text: str, end: int) -> bool:
    """Tell whether the number counts something ("12 minuten") instead of naming a house."""
    after = _AFTER_NUMBER.match(text, end)
    return after is not None and after.group(1) in word_set(_FILE, "units")


def _home(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    for match in _HOME.finditer(text):
        place = match.group("place")
        named = original[starts[match.start("place")]].isupper() or place in word_set(_FILE, "towns")
        if named and place not in word_set(_FILE, "wide_places"):
            yield Finding("identity", "home_town", *match.span("place"), "mask", label="place")


def _employer(text: str, original: str, starts: Sequence[int]) -> Iterator[Finding]:
    for match in _EMPLOYER.finditer(text):
        begin, end = match.span("name")
        words = re.split(" ", text[begin:end])
        size = 0
        for index, word in enumerate(words):
            at = begin + size
            named = original[starts[at]].isupper() or word.strip(".") in word_set(_FILE, "employers")
            if not named or word.strip(".") in word_set(_FILE, "wide_places"):
                words = words[:index]
                break
            size += len(word) + 1
        found = " ".join(words).rstrip(".-")
        if found:
            yield Finding("identity", "employer", begin, begin + len(found), "mask", label="employer")
