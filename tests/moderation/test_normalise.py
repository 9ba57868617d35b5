"""Folding undoes disguises of characters and always knows the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.normalise import normalise

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)
LOOSE_TEXT = st.text(alphabet=" \nab1.\u200b", max_size=60)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Ik Wil RUST", "ik wil rust"),
        ("suïcidaal, één, café", "suicidaal, een, cafe"),
        ("ｆｕｌｌ ｗｉｄｔｈ ０６", "full width 06"),
        ("z\u200bw\u200ci\u200dj\ufeffg", "zwijg"),
        ("ruѕt еn kаlm", "rust en kalm"),
        ("𝓫𝓸𝓵𝓭 𝐭𝐞𝐱𝐭", "bold text"),
        ("0️⃣6️⃣1️⃣", "061"),
        ("r u s t i g", "rustig"),
        ("i k   w i l   r u s t", "ik wil rust"),
        ("0 6 1 2 3 4", "061234"),
        ("dit is a b c", "dit is a b c"),
        ("Straße", "strasse"),
        ("“hallo” – dag", '"hallo" - dag'),
        ("", ""),
    ],
)
def test_disguises_of_characters_are_undone(written: str, folded: str) -> None:
    assert normalise(written).text == folded


def test_a_folded_span_leads_back_to_the_text_as_written() -> None:
    written = "zeg: é\u200bé\u200bn ﬁets"
    folded = normalise(written)
    at = folded.text.index("een")
    start, end = folded.origin(at, at + 3)
    assert written[start:end] == "é\u200bé\u200bn"
    at = folded.text.index("iets")
    assert written[slice(*folded.origin(at, at + 4))] == "ﬁets"


@pytest.mark.parametrize("span", [(0, 0), (-1, 2), (2, 1), (0, 99)])
def test_an_impossible_span_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(IndexError):
        normalise("rust").origin(*span)


@given(st.one_of(ANY_TEXT, LOOSE_TEXT))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@given(st.one_of(ANY_TEXT, LOOSE_TEXT))
def test_every_folded_character_has_a_place_in_the_source(text: str) -> None:
    folded = normalise(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    for before, after in zip(folded.starts, folded.ends, strict=True):
        assert 0 <= before < after <= len(text)
    assert list(folded.starts) == sorted(folded.starts)
