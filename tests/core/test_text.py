"""Text: what people write stays plain, what the programme writes becomes safe HTML."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import Invalid, TooLarge
from app.core.text import MESSAGE_LIMIT, markdown, plain

ALLOWED = {"p", "ul", "ol", "li", "strong", "em", "blockquote", "br", "h3"}
DANGEROUS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](https://elders.example)",
    "![x](https://elders.example/x.png)",
    "<https://elders.example>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<div>\n<iframe src=//elders.example></iframe>\n</div>",
    "**<b onclick=alert(1)>x</b>**",
    "- <style>*{display:none}</style>",
    "> <p style='position:fixed'>x</p>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><script>alert(1)</script>",
    "# <script>x</script>",
    "<math><mtext></p><script>alert(1)</script>",
    '<p title="</p><script>alert(1)</script>">',
]


def _tags(html: str) -> list[str]:
    return re.findall(r"<[^>]*>", html)


def _is_safe(html: str) -> bool:
    return all(re.fullmatch(r"</?([a-z0-9]+)( ?/)?>", t) and t.strip("</ >") in ALLOWED for t in _tags(html))


@pytest.mark.parametrize("source", DANGEROUS)
def test_nothing_dangerous_comes_through_the_allow_list(source: str) -> None:
    assert _is_safe(markdown(source))


def test_the_check_on_dangerous_html_can_fail() -> None:
    assert not any(_is_safe(html) for html in ("<script>", "<p onclick=x>", "<a href=x>x</a>", "<b>x</b>"))


@given(st.text(alphabet=st.sampled_from("<>/ab=\"'&;()[]!*`#-_\n :sript"), max_size=60))
def test_no_mix_of_signs_makes_another_tag_or_an_attribute(source: str) -> None:
    assert _is_safe(markdown(source))


def test_what_the_programme_needs_stays() -> None:
    html = markdown("### Kop\n\n**sterk** en *licht*\n\n- een\n- twee\n\n> gezegd\n\n1. eerst")
    for tag in ("h3", "strong", "em", "ul", "ol", "li", "blockquote", "p"):
        assert f"<{tag}>" in html


@given(st.text(max_size=200))
@example("e\x00\u0301")
@example("a\x85b")
@example("\u200b\u2060")
@example("\u202eandersom")
def test_stored_text_is_normalised_visible_and_stays_as_it_is(value: str) -> None:
    try:
        text = plain(value)
    except Invalid:
        return
    assert unicodedata.is_normalized("NFC", text)
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c not in "\t\n"]
    assert 1 <= len(text) <= MESSAGE_LIMIT
    assert plain(text) == text


def test_line_ends_and_the_space_around_are_made_alike() -> None:
    assert plain("  een\r\ntwee\rdrie \n") == "een\ntwee\ndrie"
    assert plain("cafe\u0301") == "café"
    assert plain("a\x00b\x07c\x7f") == "abc"


@pytest.mark.parametrize("nothing", ["", "   ", "\n\t", "\x00\x01", None, 7, b"tekst", ["tekst"]])
def test_nothing_is_refused(nothing: object) -> None:
    with pytest.raises(Invalid):
        plain(nothing)


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060\ufeff", "\u200e\u200f"])
def test_what_nobody_can_see_counts_as_nothing(unseen: str) -> None:
    with pytest.raises(Invalid):
        plain(unseen)


@pytest.mark.parametrize("broken", ["\ud800", "hoi \udfff"])
def test_half_a_character_is_refused(broken: str) -> None:
    with pytest.raises(Invalid):
        plain(broken)


def test_length_is_counted_after_normalisation_and_never_cut() -> None:
    assert len(plain("e\u0301" * MESSAGE_LIMIT)) == MESSAGE_LIMIT
    assert len(plain("x" * 280, limit=280)) == 280
    for long in ("x" * (MESSAGE_LIMIT + 1), "x" * 10_000_000):
        with pytest.raises(TooLarge):
            plain(long)


@pytest.mark.parametrize("marks", ["\u0300" * 8_000 + "\u0316" * 7_990, "\u0344\u0316" * 7_990, "\u0f73" * 15_990])
def test_a_tower_of_accents_is_cut_down_and_keeps_nobody_waiting(marks: str) -> None:
    began = time.process_time()
    text = plain("a" + marks + "b")
    assert time.process_time() - began < 0.1  # in order of what they are, so many would take a third of a second
    assert len(text) <= 32
    assert plain(text) == text


def test_accents_that_people_use_stay() -> None:
    for said in ("cliënten één geïnd", "Việt Nam", "שָׁלוֹם", "नमस्ते", "e" + "\u0301\u0323" * 15):
        assert plain(said) == unicodedata.normalize("NFC", said)
