"""The catalogue is complete, the placeholders fit, and no sentence shames."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
SHAMING = re.compile(  # no page says these either: tests/guards/test_after_a_lapse.py reads them all
    r"\b((?:ge)?faal(?:t|d|de|den)?|falen|mislukt?|mislukken|mislukking|fail(?:s|ed|ing|ure|ures)?|(?:ge)?reset|streaks?"
    r"|(?:dag|day) (?:0|nul|zero)|(?:bij|vanaf|van) nul|terug bij af|(?:to|from|at) zero|back to square one"
    r"|clean|zwak(?:te|ke)?|weak(?:ness)?|schuldig|guilty|schaam je|shame on you|verpest|je bent te ver gegaan)\b",
    re.I,
)
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def extracted(tmp_path: Path) -> Catalog:
    """What the code and templates say now."""
    target = tmp_path / "messages.pot"
    options = ["-q", "extract", "-F", "app/locale/babel.cfg", "-k", "N_", "-o", str(target), "."]
    subprocess.run([Path(sys.executable).parent / "pybabel", *options], cwd=ROOT, check=True)
    with target.open("rb") as file:
        return read_po(file)


def english() -> Catalog:
    with (ROOT / "app/locale/en/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="en")


def forms(sentence: Any) -> tuple[str, ...]:
    """A sentence for one and for several, or the one there is."""
    return tuple(sentence) if isinstance(sentence, tuple | list) else (sentence,)


def places(sentence: Any) -> list[str]:
    """The placeholders of a sentence; "one" may be said in words, so of several forms the last one counts."""
    return sorted(PLACE.findall(forms(sentence)[-1]))


def problems(source: Catalog, translation: Catalog) -> list[str]:
    """Every sentence without a translation, left over, or with other placeholders."""
    found = []
    for message in source:
        if not message.id:
            continue
        translated = translation.get(message.id)
        if translated is None or not all(forms(translated.string)) or translated.fuzzy:
            found.append(f"not translated: {message.id}")
        elif places(message.id) != places(translated.string):
            found.append(f"placeholders differ: {message.id}")
    found += [f"nobody says this any more: {m.id}" for m in translation if m.id and source.get(m.id) is None]
    return found


def test_every_sentence_is_there_in_english(tmp_path: Path) -> None:
    assert problems(extracted(tmp_path), english()) == []


def test_a_missing_sentence_a_leftover_and_a_lost_placeholder_are_found() -> None:
    source, translation = Catalog(), Catalog()
    for text in ("Kom binnen", "Nog %(n)s"):
        source.add(text)
    translation.add("Nog %(n)s", "Still")
    translation.add("Weg", "Gone")
    assert len(problems(source, translation)) == 3


def test_no_sentence_on_any_screen_shames(tmp_path: Path) -> None:
    for message in english():
        for text in (message.id, message.string):
            assert not SHAMING.search(str(text)), text
