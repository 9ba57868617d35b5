"""The programme: real content holds in both languages, and every mistake is named with file and line."""

from __future__ import annotations

import pytest

from app.core.errors import NotFound
from app.core.i18n import LANGUAGES
from groups import curriculum
from groups.curriculum import Chapter, ContentError, house_rules, parse, programme

SLUG = "lust-leren-loslaten"
FRONT = """---
chapter: proef
version: 1
title: "Proef"
goal: "Een doel."
minutes: 60
this_week: "Doe iets."
steps:
  - {id: lezen, kind: text, minutes: 5, session: true}
  - {id: kiezen, kind: poll, minutes: 5, sharing: counted, options: [ja, nee]}
---
"""
BODY = "Welkom.\n\n## Lezen {#lezen}\nTekst.\n\n## Kiezen {#kiezen}\nKies.\n"


def test_a_chapter_is_read_with_its_steps_in_order() -> None:
    chapter = parse(FRONT + BODY, "01-proef.md", 1)
    assert (chapter.key, chapter.number, chapter.minutes) == ("proef", 1, 60)
    assert [(s.id, s.title, s.kind, s.minutes, s.sharing) for s in chapter.steps] == [
        ("lezen", "Lezen", "text", 5, "private"),
        ("kiezen", "Kiezen", "poll", 5, "counted"),
    ]
    assert [s.id for s in chapter.run_sheet] == ["lezen"]
    assert chapter.step("kiezen").options == ("ja", "nee")
    assert "<p>Welkom.</p>" in chapter.intro
    with pytest.raises(NotFound):
        chapter.step("elders")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("---\nchapter", "chapter", 1),
        ("title: ", "title: [", 1),
        (FRONT.split("---\n")[1], "\n", 1),
        (FRONT.split("---\n")[1], "- een\n- lijst\n", 1),
        ("chapter: proef\n", "", 1),
        ("version: 1\n", "", 1),
        ('title: "Proef"\n', "", 1),
        ('goal: "Een doel."\n', "", 1),
        ("minutes: 60\n", "", 1),
        ('this_week: "Doe iets."\n', "", 1),
        ("steps:\n", "stappen:\n", 1),
        ("steps:\n", "steps:\n  - lezen\n", 1),
        ("## Lezen {#lezen}\n", "", 1),
        ("id: kiezen", "id: keuze", 1),
        ("## Lezen {#lezen}", "## Lezen", 14),
        ("## Lezen {#lezen}", "## Lezen {#Lezen}", 14),
        ("Tekst.\n", "Tekst.\n\n## Nog eens {#lezen}\n", 17),
        ("kind: text", "kind: film", 14),
        ("kind: text, ", "", 14),
        ("sharing: counted", "sharing: everybody", 17),
        (", options: [ja, nee]", "", 17),
        ("kind: text", "kind: text, options: [ja]", 14),
        ("kind: text, minutes: 5", "kind: text", 14),
        ("kind: text, minutes: 5", "kind: text, minutes: 0", 14),
        ("kind: text, minutes: 5", "kind: text, minutes: 121", 14),
        ("kind: text, minutes: 5", "kind: text, minutes: vijf", 14),
        ("kind: text, minutes: 5", "kind: text, minutes: true", 14),
    ],
)
def test_every_mistake_is_named_with_file_and_line(old: str, new: str, line: int) -> None:
    text = FRONT + BODY
    assert old in text
    with pytest.raises(ContentError, match=rf"^01-proef\.md:{line}: ."):
        parse(text.replace(old, new, 1), "01-proef.md")


def _shape(chapter: Chapter) -> object:
    steps = [(s.id, s.kind, s.minutes, s.in_session, s.sharing, len(s.options)) for s in chapter.steps]
    return chapter.key, chapter.number, chapter.version, chapter.minutes, steps


def test_the_content_has_the_same_chapters_and_steps_in_every_language() -> None:
    shapes = [[_shape(chapter) for chapter in programme(SLUG, language).chapters] for language in LANGUAGES]
    assert shapes[0]
    assert all(shape == shapes[0] for shape in shapes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_session_fits_in_its_time_and_says_what_it_asks(language: str) -> None:
    for chapter in programme(SLUG, language).chapters:
        assert chapter.run_sheet
        assert sum(step.minutes for step in chapter.run_sheet) <= chapter.minutes
        assert chapter.title
        assert chapter.goal
        assert chapter.sources
        for step in chapter.steps:
            assert step.title
            assert step.html
            assert bool(step.prompt) >= step.answered
            if step.kind == "poll":
                assert step.sharing == "counted"


def test_no_such_programme_or_chapter_is_not_found() -> None:
    for slug in ("elders", "../content", "", "lust-leren-loslaten/nl", "LUST", "x\x00y"):
        with pytest.raises(NotFound):
            programme(slug, "nl")
    with pytest.raises(NotFound):
        programme(SLUG, "nl").chapter("elders")


def test_a_chapter_without_a_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curriculum, "_files", lambda _folder: [])
    with pytest.raises(ContentError, match=rf"{SLUG}/nl: .*understanding"):
        programme.__wrapped__(SLUG, "nl")


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_five_house_rules_and_one_line_on_anonymity(language: str) -> None:
    rules, line = house_rules(language)
    assert len(rules) == 5
    assert all(rules)
    assert line
