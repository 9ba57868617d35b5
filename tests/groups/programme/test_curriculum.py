"""The programmes: the real content holds in both languages, every mistake is named, an organisation adds its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import NotFound
from app.core.i18n import LANGUAGES
from groups.programme import curriculum
from groups.programme.curriculum import DEFAULT, house_rules, programme
from groups.programme.reading import ContentError, parse
from groups.programme.steps import Chapter

FRONT = """---
chapter: proef
version: 1
title: "Proef"
goal: "Een doel."
minutes: 60
this_week: "Doe iets."
steps:
  - {id: lezen, kind: text, minutes: 5, session: true}
  - {id: kiezen, kind: poll, minutes: 5, session: true, options: [ja, nee]}
---
"""
BODY = "Welkom.\n\n## Lezen {#lezen}\nTekst.\n\n## Kiezen {#kiezen}\nKies.\n"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder with an organisation's own programmes, in use until the test ends."""
    yield tmp_path
    curriculum.look_in(None)


def _write(folder: Path, slug: str, about: str, **chapters: str) -> None:
    (folder / slug / "nl").mkdir(parents=True, exist_ok=True)
    (folder / slug / "programme.yaml").write_text(f"slug: {slug}\nversion: 1\n{about}")
    for name, text in chapters.items():
        (folder / slug / "nl" / f"{name[-2:]}-{name[:-2]}.md").write_text(text)


def test_a_chapter_is_read_with_its_steps_in_order() -> None:
    chapter = parse(FRONT + BODY, "01-proef.md", 1)
    assert (chapter.key, chapter.number, chapter.minutes) == ("proef", 1, 60)
    assert [(s.id, s.title, s.kind, s.minutes, s.sharing) for s in chapter.steps] == [
        ("lezen", "Lezen", "text", 5, "private"),
        ("kiezen", "Kiezen", "poll", 5, "counted"),
    ]
    assert [s.id for s in chapter.run_sheet] == ["lezen", "kiezen"]
    assert [s.id for s in chapter.path] == ["lezen"]  # nobody polls alone
    assert chapter.step("kiezen").options == ("ja", "nee")
    assert "<p>Welkom.</p>" in chapter.intro
    with pytest.raises(NotFound):
        chapter.step("elders")


def test_alone_a_text_takes_as_long_as_its_words_and_an_exercise_as_long_as_it_says() -> None:
    body = BODY.replace("Tekst.", "woord " * 330)
    reading, choosing = parse(FRONT + body, "01-proef.md").steps
    assert (reading.minutes, reading.alone) == (5, 3)
    assert (choosing.minutes, choosing.alone) == (5, 5)


MISTAKES = [
    ("---\nchapter", "chapter", 1),
    ("title: ", "title: [", 5),
    (FRONT.split("---\n")[1], "\n", 1),
    (FRONT.split("---\n")[1], "- een\n- lijst\n", 1),
    ("chapter: proef\n", "", 1),
    ("chapter: proef\n", "chapter: Proef!\n", 2),
    ("version: 1\n", "", 1),
    ("version: 1\n", "version: een\n", 3),
    ('title: "Proef"\n', "", 1),
    ('goal: "Een doel."\n', "", 1),
    ("minutes: 60\n", "", 1),
    ("minutes: 60\n", "minutes: true\n", 6),
    ('this_week: "Doe iets."\n', "", 1),
    ('this_week: "Doe iets."\n', 'this_week: "Doe iets."\nsources: een\n', 8),
    ("steps:\n", "stappen:\n", 1),
    ("steps:\n", "steps:\n  - lezen\n", 9),
    ("## Lezen {#lezen}\n", "", 9),
    ("id: kiezen", "id: keuze", 10),
    ("id: kiezen", "id: lezen", 10),
    ("id: kiezen", "id: [kiezen]", 10),
    ("id: kiezen", "id: {een: twee}", 10),
    ("## Lezen {#lezen}", "## Lezen", 14),
    ("## Lezen {#lezen}", "## Lezen {#Lezen}", 14),
    ("Tekst.\n", "Tekst.\n\n## Nog eens {#lezen}\n", 17),
    ("Tekst.\n", "Tekst.\n\n## Nog iets {#iets}\n", 17),
    ("kind: text", "kind: film", 9),
    ("kind: text, ", "", 9),
    ("options: [ja, nee]", "options: [ja, nee], sharing: everybody", 10),
    ("options: [ja, nee]", "options: [ja, nee], sharing: private", 10),
    (", options: [ja, nee]", "", 10),
    ("options: [ja, nee]", "options: [ja]", 10),
    ("kind: text", "kind: text, options: [ja, nee]", 9),
    ("kind: text", "kind: text, kleur: rood", 9),
    ("kind: text, minutes: 5", "kind: text", 9),
    ("kind: text, minutes: 5", "kind: text, minutes: 0", 9),
    ("kind: text, minutes: 5", "kind: text, minutes: 121", 9),
    ("kind: text, minutes: 5", "kind: text, minutes: vijf", 9),
    ("kind: text, minutes: 5", "kind: text, minutes: true", 9),
    ("kind: text", "kind: list-builder, columns: [iets]", 9),  # not for a run-sheet
    ("kind: text", "kind: reflection, fields: [{id: a, label: A}, {id: b, label: B}]", 9),
    ("session: true, options", "session: false, options", 10),  # nobody would ever see it
    ("kind: text", "kind: text, phase: midden", 9),
    ("kind: text", "kind: text, tool: hamer", 9),
    ("kind: text", "kind: text, lead: [een, lijst]", 9),
    ("kind: text", "kind: text, home: misschien", 9),
    ("kind: text", "kind: timer, timer: zandloper", 9),
]


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES)
def test_every_mistake_is_named_with_file_and_line(old: str, new: str, line: int) -> None:
    text = FRONT + BODY
    assert old in text
    with pytest.raises(ContentError) as found:
        parse(text.replace(old, new, 1), "01-proef.md")
    assert line in [mistake.line for mistake in found.value.mistakes]
    assert str(found.value).startswith("01-proef.md:")


@pytest.mark.parametrize(
    "step",
    [
        "kind: list-builder, columns: []",
        "kind: list-builder, columns: [a, b, c, d]",
        "kind: list-builder, columns: [a], most: 0",
        "kind: reflection, fields: [{id: a, label: A}]",
        "kind: reflection, fields: [{id: a, label: A}, {id: a, label: B}]",
        "kind: reflection, fields: [{id: a}, {id: b, label: B}]",
        "kind: plan-card, card: plannen",
        "kind: plan-card, card: rules, from: [Iets Anders]",
        "kind: scale, low: 3",
        "kind: choice, options: [een]",
    ],
)
def test_a_step_for_at_home_is_looked_over_too(step: str) -> None:
    text = FRONT.replace("kind: text, minutes: 5, session: true", f"{step}, minutes: 5")
    with pytest.raises(ContentError, match=r"^01-proef\.md:9: ."):
        parse(text + BODY, "01-proef.md")


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    text = (FRONT + BODY).replace("kind: text", "kind: film").replace("goal: ", "doel: ").replace("#kiezen", "#keuze")
    with pytest.raises(ContentError) as found:
        parse(text, "x.md")
    assert [m.line for m in found.value.mistakes] == [1, 9, 10, 17]


def _shape(chapter: Chapter) -> object:
    steps = [(s.id, s.kind, s.minutes, s.in_session, s.at_home, s.sharing, len(s.options)) for s in chapter.steps]
    return chapter.key, chapter.number, chapter.version, chapter.minutes, steps


def test_the_content_has_the_same_chapters_and_steps_in_every_language() -> None:
    shapes = [[_shape(chapter) for chapter in programme(DEFAULT, language).chapters] for language in LANGUAGES]
    assert len(shapes[0]) == 13
    assert all(shape == shapes[0] for shape in shapes)


def test_a_word_is_explained_where_a_chapter_uses_it_first(own: Path) -> None:
    first = FRONT.replace("lezen, kind: text", "lezen, kind: text, home: true")
    body = BODY.replace("Tekst.", "Een *drang* is een golf. Drang zakt.").replace("Kies.", "Drang & verdringing.")
    _write(own, "eigen", "title: {nl: Eigen}\nchapters: [proef]\n", proef01=first + body)
    (own / "eigen" / "nl" / "glossary.yaml").write_text("drang: een sterke zin om iets te doen\nstorm: iets anders\n")
    curriculum.look_in(own)
    reading, choosing = programme("eigen", "nl").chapters[0].steps
    assert reading.html == "<p>Een <em><dfn>drang</dfn></em> is een golf. Drang zakt.</p>\n"
    assert reading.words == (("drang", "een sterke zin om iets te doen"),)
    assert (choosing.html, choosing.words) == ("<p>Drang &amp; verdringing.</p>\n", ())


def test_an_organisation_adds_a_programme_of_its_own(own: Path) -> None:
    _write(own, "eigen", "title: {nl: Ons programma}\nchapters: [proef]\n", proef01=FRONT + BODY)
    curriculum.use(own)
    assert curriculum.slugs() == [DEFAULT, "eigen"]
    assert curriculum.titles("nl")[-1] == ("eigen", "Ons programma")
    for language in LANGUAGES:  # a reader of a language it is not written in gets the one there is
        assert [c.title for c in programme("eigen", language).chapters] == ["Proef"]


def test_an_organisation_replaces_one_chapter_and_keeps_the_others(own: Path) -> None:
    text = (FRONT + BODY).replace("chapter: proef", "chapter: world")
    _write(own, "bij-ons", f"title: {{nl: Bij ons}}\nbased_on: {DEFAULT}\n", world02=text)
    curriculum.look_in(own)
    ours, theirs = programme("bij-ons", "nl"), programme(DEFAULT, "nl")
    assert [c.key for c in ours.chapters] == [c.key for c in theirs.chapters]
    assert [c.title for c in ours.chapters if c not in theirs.chapters] == ["Proef"]
    assert ours.chapter("world").number == 2
    assert dict(ours.glossary) == dict(theirs.glossary)


def test_an_organisation_replaces_a_chapter_for_the_groups_that_run_already(own: Path) -> None:
    text = (FRONT + BODY).replace("chapter: proef", "chapter: world")
    _write(own, DEFAULT, f"title: {{nl: Bij ons}}\nbased_on: {DEFAULT}\n", world02=text)
    curriculum.look_in(own)
    assert curriculum.slugs() == [DEFAULT]
    assert programme(DEFAULT, "nl").chapter("world").title == "Proef"
    assert len(programme(DEFAULT, "nl").chapters) == 13


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ("title: {nl: X}\n", "chapters"),
        ("title: X\nchapters: [proef]\n", "title"),
        ("title: {fr: X}\nchapters: [proef]\n", "title"),
        ("title: {nl: X}\nchapters: [elders]\n", "elders"),
        ("title: {nl: X}\nbased_on: x\n", "itself"),
        ("title: {nl: X}\nbased_on: elders\n", "elders"),
        ("title: {nl: X\n", "YAML"),
        ("title: {nl: X}\nchapters: [proef]\nversion: twee\n", "version"),
    ],
)
def test_a_programme_that_cannot_be_used_stops_the_start_with_one_clear_sentence(
    own: Path, about: str, what: str
) -> None:
    _write(own, "x", about, proef01=FRONT + BODY)
    with pytest.raises(ContentError, match=what):
        curriculum.use(own)


def test_programmes_that_build_on_each_other_in_a_circle_are_told(own: Path) -> None:
    for slug, base in (("een", "twee"), ("twee", "drie"), ("drie", "een")):
        _write(own, slug, f"title: {{nl: {slug}}}\nbased_on: {base}\n")
    with pytest.raises(ContentError, match="cannot build on itself"):
        curriculum.use(own)


def test_no_such_programme_or_chapter_is_not_found() -> None:
    for slug in ("elders", "../content", "", "lust-leren-loslaten/nl", "LUST", "x\x00y"):
        with pytest.raises(NotFound):
            programme(slug, "nl")
    with pytest.raises(NotFound):
        programme(DEFAULT, "nl").chapter("elders")
    assert programme(DEFAULT, "nl").find("elders", "x") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_five_house_rules_and_one_line_on_anonymity(language: str) -> None:
    rules, line = house_rules(language)
    assert len(rules) == 5
    assert all(rules)
    assert line
