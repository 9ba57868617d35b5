"""What somebody agrees to, and what is said about their data, is as plain as the programme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from groups.programme import plainness
from groups.programme.curriculum import DEFAULT, programme

ROOT = Path(__file__).parents[2]
PAGES = (
    "joining/agree.html",
    "joining/rules.html",
    "accounts/data.html",
    "accounts/erase.html",
    "accounts/erased.html",
    "accounts/more.html",
    "accounts/passkeys.html",
    "accounts/recovery.html",
    "groups/leave.html",
)
SAID = re.compile(r"""_\('((?:[^'\\]|\\.)*)'""")
PHONES_TEACH = ("inlogt", "inlogde", "ingelogd", "uitgelogd", "afgemeld", "javascript")


def _known() -> frozenset[str]:
    terms = programme(DEFAULT, "nl").glossary
    return frozenset(PHONES_TEACH) | {word.lower() for term in terms for word in re.findall(r"\w+", term)}


def _measured(text: str) -> plainness.Measured:
    return plainness.measure(text, "nl", _known())


@pytest.mark.parametrize("page", PAGES)
def test_every_page_about_agreements_and_data_is_plain(page: str) -> None:
    said = SAID.findall((ROOT / "templates" / page).read_text())
    assert len(said) >= 3
    told = _measured("\n".join(re.sub(r"%\(\w+\)s", "Noor", sentence) for sentence in said))
    assert list(map(str, plainness.mistakes(page, told))) == []


def test_the_house_rules_and_the_line_on_anonymity_are_plain() -> None:
    rules = yaml.safe_load((ROOT / "groups" / "content" / "house-rules.yaml").read_text())
    told = _measured("\n".join([*rules["nl"], rules["privacy_line"]["nl"]]))
    assert list(map(str, plainness.mistakes("house-rules.yaml", told))) == []


def test_a_stiff_sentence_would_be_noticed() -> None:
    stiff = (
        "Ingevolge de toepasselijke regelgeving worden uw persoonsgegevens uitsluitend verwerkt voor zover zulks voor "
        "de behandelingsovereenkomst noodzakelijk is, behoudens wettelijke uitzonderingsgronden."
    )
    assert len(list(plainness.mistakes("x", _measured(stiff)))) == 3
