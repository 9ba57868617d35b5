"""Plain language: every chapter, the glossary, and the pages people agree to are measured."""

from __future__ import annotations

import pytest

from app.core.i18n import LANGUAGES
from groups.programme import plainness
from groups.programme.curriculum import DEFAULT
from groups.programme.plainness import measure

PLAIN = "Drang is een golf.\nHij komt op, en hij zakt weer. Jij blijft staan."
STIFF = (
    "Ingevolge de toepasselijke privacywetgeving verstrekt de verwerkingsverantwoordelijke desgevraagd inzage in "
    "de geregistreerde persoonsgegevens, behoudens zwaarwegende uitzonderingsgronden."
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chapter_is_plain(language: str) -> None:
    measured = dict(plainness.of_programme(DEFAULT, language))
    assert len(measured) == 14
    found = [str(m) for name, told in measured.items() for m in plainness.mistakes(name, told)]
    assert found == []


def test_a_plain_text_passes_and_a_stiff_one_does_not() -> None:
    assert list(plainness.mistakes("x", measure(PLAIN, "nl"))) == []
    stiff = measure(STIFF, "nl")
    assert stiff.median > plainness.MEDIAN
    assert stiff.lix > plainness.LIX
    assert "zwaarwegende" in stiff.rare
    assert len(list(plainness.mistakes("x", stiff))) == 3


def test_a_word_that_is_explained_is_not_rare() -> None:
    said = "Dat noemen we abstinentie."
    assert measure(said, "nl").rare == ("abstinentie",)
    assert measure(said, "nl", {"abstinentie"}).rare == ()


@pytest.mark.parametrize("word", ["slaapkamer", "avondeten", "telefoonnummer", "groepsregel", "dinsdagavond"])
def test_a_word_made_of_two_common_ones_is_common(word: str) -> None:
    assert not plainness.is_rare(word, "nl")


@pytest.mark.parametrize("word", ["behoudens", "craving", "comorbiditeit", "krachtens", "xqzpt"])
def test_a_rare_word_is_rare(word: str) -> None:
    assert plainness.is_rare(word, "nl")


def test_nothing_measures_as_nothing() -> None:
    assert (measure("", "nl").words, measure("… !", "nl").sentences) == (0, 0)
