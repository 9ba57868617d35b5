"""The linter of programmes: the product's own has nothing to mend, and each thing that is missing is found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.i18n import LANGUAGES
from groups.programme import check, curriculum
from groups.programme.curriculum import DEFAULT

CONTENT = Path(curriculum.__file__).parents[1] / "content" / DEFAULT
FIRST = "01-understanding.md"


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """The product's programme under another name, to be spoilt."""
    folder = tmp_path / "kopie"
    shutil.copytree(CONTENT, folder)
    about = folder / "programme.yaml"
    about.write_text(about.read_text().replace(DEFAULT, "kopie"))
    yield folder
    curriculum.look_in(None)


def _found(copy: Path) -> list[str]:
    curriculum.look_in(copy.parent)
    return [str(mistake) for mistake in check.check("kopie")]


def test_the_products_own_programme_has_nothing_to_mend() -> None:
    assert check.check(DEFAULT) == []


def test_a_copy_of_it_has_nothing_to_mend_either(copy: Path) -> None:
    assert _found(copy) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("minutes: 90\n", "minutes: 91\n", "`minutes` says 91"),
        ("kind: round\n    minutes: 15", "kind: round\n    minutes: 75", "the session takes 150 minutes"),
        ("    timer: pause\n", "    timer: breath\n", "a session has a break"),
        ("sources:\n", "sources: []\nnotes:\n", "sources"),
        ("chapter: understanding", "chapter: misunderstanding", "the file says `understanding`"),
        ("{#what-it-does}", "{#something-else}", "something-else"),
        ("version: 1", "version: 2", "version and minutes are not those of"),
    ],
)
def test_what_is_wrong_with_a_chapter_is_told_with_its_file(copy: Path, old: str, new: str, what: str) -> None:
    file = copy / LANGUAGES[0] / FIRST
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    found = [line for line in _found(copy) if what in line]
    assert found
    assert all(line.startswith(("kopie/nl/01-understanding.md:", "kopie/en/01-understanding.md:")) for line in found)


def test_a_step_without_words_for_the_facilitator_is_found(copy: Path) -> None:
    file = copy / "nl" / FIRST
    kept = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("    lead:")]
    file.write_text("".join(kept))
    found = [line for line in _found(copy) if "tells the facilitator nothing" in line]
    assert len(found) == len(curriculum.programme(DEFAULT, "nl").chapters[0].run_sheet)


def test_another_language_that_differs_is_found(copy: Path) -> None:
    file = copy / "en" / FIRST
    text = file.read_text()
    assert "many: true" in text
    file.write_text(text.replace("many: true", "many: false", 1))
    assert any("is not the same as in kopie/nl/" in line for line in _found(copy))


def test_a_plan_card_that_points_at_nothing_is_found(copy: Path) -> None:
    file = copy / "nl" / "08-plan.md"
    text = file.read_text()
    assert "triggers/if-then" in text
    file.write_text(text.replace("triggers/if-then", "triggers/elders").replace("craving/techniques", "elders/iets"))
    found = _found(copy)
    assert any("`triggers/elders` is not a step that is answered" in line for line in found)
    assert any("there is no chapter `elders`" in line for line in found)


def test_a_chapter_that_is_missing_in_both_languages_is_found(copy: Path) -> None:
    for language in LANGUAGES:
        (copy / language / "02-world.md").unlink()
    assert sum("there is no file for the chapter `world`" in line for line in _found(copy)) == 2


def test_a_file_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_others(copy: Path) -> None:
    (copy / "nl" / "02-world.md").write_text("Geen voorwerk.")
    third = copy / "nl" / "03-triggers.md"
    third.write_text(third.read_text().replace("this_week:", "deze_week:", 1))
    found = _found(copy)
    assert any(line.startswith("kopie/nl/02-world.md:1:") for line in found)
    assert any(line.startswith("kopie/nl/03-triggers.md:1:") for line in found)
