"""The verdict: which action wins, where the spans are, and that nothing makes it slow or fail."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from moderation import screening
from moderation.detectors import topics
from moderation.detectors.model import Finding
from moderation.lexicon import load_table, word_set
from moderation.screening import PACK_VERSION, Verdict, flood, screen

PIECES = [
    "0612345678", "06 12 34 56 78", "jan@voorbeeld.nl", "www.voorbeeld.nl", "NL91ABNA0417164300",
    "ik heet Pieter", "mijn vrouw sandra", "Dorpsstraat 12", "1234 AB", "nul zes", "een twee drie",
    "ik wil dood", "vanavond", "groetjes Mark", "mijn insta is jan_89", "weer gekeken", "schaam me dood",
    "\u200b", "\n", "é", "。", "ik werk bij Philips", "113", "0800-0113",
]  # fmt: skip
MIXED = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map(" ".join)
CPU_SECONDS_WORST = 0.1  # ten times the budget, so that a busy machine does not fail the test


def test_the_rule_pack_has_a_version() -> None:
    assert PACK_VERSION


def test_the_verdict_on_a_plain_message_is_to_deliver_it_unchanged() -> None:
    assert screen("vandaag ging het goed") == Verdict("allow", False, (), "vandaag ging het goed")


def test_holding_wins_over_masking_and_keeps_the_text() -> None:
    text = "jij bent een loser, bel me op 0612345678"
    verdict = screen(text)
    assert (verdict.action, verdict.text) == ("hold", text)
    assert {"harassment", "contact"} <= {reason.kind for reason in verdict.reasons}


def test_a_cry_with_a_number_in_it_alerts_and_is_masked() -> None:
    verdict = screen("ik wil dood, bel me 0612345678")
    assert (verdict.action, verdict.alert) == ("mask", True)
    assert verdict.text == "ik wil dood, bel me [telefoonnummer]"


def test_a_wish_to_die_with_a_moment_is_a_plan() -> None:
    assert screen("ik wil vanavond dood").action == "hold"


@pytest.mark.parametrize("lang", ["nl", "en", "", "xx"])
def test_both_languages_are_screened_whatever_the_language(lang: str) -> None:
    assert screen("ik wil dood", lang=lang).alert
    assert screen("i want to die", lang=lang).alert


def test_the_reason_points_at_the_words_as_written() -> None:
    text = "sorry, bel 06\u200b12345678 maar"
    reason = screen(text).reasons[0]
    assert text[reason.start : reason.end] == "06\u200b12345678"


def test_too_many_messages_in_a_short_time_are_a_flood() -> None:
    assert flood([0.5 * i for i in range(9)]) is not None
    assert flood([3.0 * i for i in range(9)]) is None
    assert flood([]) is None


def test_the_same_text_again_and_again_is_a_flood() -> None:
    assert flood([1.0, 40.0], text_repeats=4) is not None
    assert flood([1.0, 40.0], text_repeats=3) is None


@given(st.one_of(st.text(), MIXED), st.lists(st.text(max_size=30), max_size=4).map(tuple))
@example("\ud800 06\ud800", ("\ud800",))
@settings(max_examples=300, deadline=None)
def test_any_text_gets_a_verdict_with_spans_inside_it(text: str, recent: tuple[str, ...]) -> None:
    verdict = screen(text, recent=recent)
    for reason in verdict.reasons:
        assert reason.start is not None
        assert reason.end is not None
        assert 0 <= reason.start < reason.end <= len(text)
    if verdict.action != "mask":
        assert verdict.text == text
    assert screen(text, recent=recent) == verdict


@given(MIXED)
@settings(max_examples=300, deadline=None)
def test_no_piece_of_a_masked_span_is_left(text: str) -> None:
    verdict = screen(text)
    if verdict.action != "mask":
        return
    spans = [(r.start or 0, r.end or 0) for r in verdict.reasons if r.kind in ("contact", "identity", "link")]
    rest = list(text)
    for start, end in spans:
        rest[start:end] = "\0" * (end - start)
    allowed = "".join(rest) + "".join(load_table("labels.toml")["nl"].values())
    for start, end in spans:
        for at in range(start, end - 2):
            piece = text[at : at + 3]
            assert piece not in verdict.text or piece in allowed


def _adversaries() -> Iterator[tuple[str, str]]:
    rng = random.Random(7)
    triggers = sorted(topics.load_pack().book.anchor_words())
    yield "one letter", "a" * 4000
    yield "digits", "1" * 4000
    yield "spaced digits", "0 6 " * 1000
    yield "number words", "nul zes een " * 334
    yield "at signs", "a@" * 2000
    yield "dots", "a." * 2000
    yield "punt", "a punt " * 572
    yield "dashes", "0-" * 2000
    yield "spaces", " " * 4000
    yield "spaced letters", "a " * 2000
    yield "one long word", "ikwildood" * 445
    yield "leet", "1k w1l " * 571
    yield "quotes", '"' * 4000
    yield "repeated letters", "doooood " * 500
    yield "iban", "nl12" * 1000
    yield "a crisis many times", "ik wil dood " * 333
    yield "names", "mijn vrouw van de " * 222
    yield "streets", "van straat laan 1 " * 222
    yield "marks", "e\u0301\u200b" * 1333
    yield "trigger words in any order", " ".join(rng.choice(triggers) for _ in range(900))[:4000]
    yield "trigger words with ik", " ".join("ik " + rng.choice(triggers) for _ in range(700))[:4000]


@pytest.mark.parametrize(("name", "text"), list(_adversaries()), ids=lambda value: str(value)[:20])
def test_no_message_of_4000_characters_is_slow(name: str, text: str) -> None:
    screen(text)
    before = time.thread_time()
    screen(text + " ")
    assert time.thread_time() - before < CPU_SECONDS_WORST, name


def test_a_text_too_dense_to_screen_is_held() -> None:
    words = sorted(topics.load_pack().book.anchor_words())
    rng = random.Random(11)
    verdict = screen(" ".join(rng.choice(words) for _ in range(3000)))
    assert verdict.action == "hold"


def test_a_helpline_in_the_lexicon_is_never_masked() -> None:
    for number in word_set("helplines.toml", "numbers"):
        assert screen(f"bel {number} als het niet gaat").action == "allow", number
    for site in word_set("helplines.toml", "sites"):
        assert screen(f"kijk op https://www.{site}/chat").action == "allow", site


def test_a_defect_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch detectors off one by one: the examples the other tests rely on must then fail."""
    samples = {
        "find_numbers": "bel 0612345678",
        "find_links": "mail jan@voorbeeld.nl",
        "find_accounts": "mijn insta is jan_89",
        "find_places": "ik woon op dorpsstraat 12",
        "find_names": "ik heet pieter",
        "find_spelled": "nul zes een twee drie vier vijf zes zeven acht",
    }

    def nothing(*_: object) -> Iterator[Finding]:
        return iter(())

    for detector, text in samples.items():
        assert screen(text).action == "mask", detector
        with monkeypatch.context() as patch:
            patch.setattr(screening, detector, nothing)
            assert screen(text).action == "allow", detector
    with monkeypatch.context() as patch:
        patch.setattr(screening, "find_topics", lambda _: ([], False))
        assert not screen("ik wil dood").alert
