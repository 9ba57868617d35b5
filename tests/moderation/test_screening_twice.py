"""What is screened on its way in need not be screened again; and the short ways find what the long ones find."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.texts import Texts
from moderation.detectors import tokens
from moderation.detectors.alternatives import any_of
from moderation.detectors.topics import load_pack
from moderation.normalise import normalise
from moderation.screening import Where, is_clean, screen

DOUBTFUL = (
    "bel me op 06 12345678",
    "0612",
    "nul zes een twee drie vier vijf zes zeven acht",
    "mail naar jan@voorbeeld.nl",
    "ik heet Sanne de Boer",
    "ik wil dood",
    "je bent een vieze hoer",
    "ik woon in Zwolle",
    "kijk op www.voorbeeld.nl",
    "i k w i l d o o d",
    "1k w1l d00d",
    "12 345 67 8",
    "vijf",
)
PIECES = st.lists(
    st.sampled_from([*DOUBTFUL, "Hoi allemaal", "het gaat wel.", "een goede dag gehad!", "...", "\n", "@Bo_wilg"]),
    min_size=1,
    max_size=5,
)
SIGNS = st.text(alphabet="abcdeinorstz 0123456789.,!?;:'@$|*_-/\n€éïΩ²", max_size=60)


@given(PIECES, st.lists(st.sampled_from([*DOUBTFUL, "06", "mijn nummer is 06 12", "ja"]), max_size=3))
def test_what_is_clean_is_clean_everywhere_and_after_anything(said: list[str], before: list[str]) -> None:
    text = " ".join(said)
    if not is_clean(text):
        return
    places: tuple[Where, ...] = ("group", "pair", "report")
    for where in places:
        for lang in ("nl", "en"):
            verdict = screen(text, lang=lang, where=where, recent=tuple(before))
            assert (verdict.action, verdict.alert, verdict.reasons, verdict.text) == ("allow", False, (), text)


@pytest.mark.parametrize("text", DOUBTFUL)
def test_what_could_be_something_is_not_called_clean(text: str) -> None:
    assert not is_clean(text)


def test_ordinary_talk_is_clean() -> None:
    """Otherwise nothing was won: the batch would screen it all again. What begins with "een" may be a number."""
    texts = Texts(5)
    said = [text for text in (texts() for _ in range(300)) if not text.startswith("Een ")]
    assert len(said) > 200
    assert all(is_clean(text) for text in said)


@given(st.one_of(SIGNS, PIECES.map(" ".join)))
def test_the_short_way_to_the_words_gives_what_the_long_way_gives(text: str) -> None:
    folded = normalise(text).text
    long = [word for word, _start, _end in tokens._raw(folded)]
    reading = load_pack().vocabulary.reading
    for odd in (True, bool(tokens._ODD.search(folded))):
        short = tokens._pieces(folded, odd=odd)
        assert [reading(p, False) for p in short if reading(p, False)] == [
            reading(p, False) for p in long if reading(p, False)
        ]


@given(st.one_of(SIGNS, PIECES.map(" ".join)))
def test_every_word_has_its_place_in_the_text(text: str) -> None:
    found = tokens.Tokens(normalise(text).text, load_pack().vocabulary)
    assert len(found.words) == len(found.starts) == len(found.ends)
    assert all(start <= end for start, end in zip(found.starts, found.ends, strict=True))


@given(st.text(max_size=80))
def test_runs_of_letters_are_the_same_by_either_way(text: str) -> None:
    assert list(tokens.letters_of(text)) == re.findall(r"[^\W\d_]+", text)


@given(st.sets(st.text(alphabet="ab' .", min_size=1, max_size=6), min_size=1, max_size=12), st.randoms())
def test_one_pattern_for_many_phrases_takes_the_longest(phrases: set[str], chance: random.Random) -> None:
    pattern = re.compile(any_of(phrases))
    text = "".join(chance.choice("ab' .") for _ in range(12))
    for at in range(len(text)):
        longest = max((p for p in phrases if text.startswith(p, at)), key=len, default=None)
        match = pattern.match(text, at)
        assert (match.group() if match else None) == longest
