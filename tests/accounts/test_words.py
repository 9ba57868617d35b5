"""The word lists for passphrases, aliases and code names."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = ROOT / "app" / "accounts" / "words"
LANGUAGES = ("nl", "en")
NEVER = {
    "nl": {"porno", "seks", "lust", "naakt", "bloot", "kus", "borst", "drang", "drugs", "bier", "dood"},
    "en": {"porn", "sex", "lust", "naked", "nude", "kiss", "breast", "urge", "drugs", "beer", "death"},
}
SIZES = {
    "alias-first-nl": (220, r"[A-Z][a-z]{1,5}"),
    "alias-second-nl": (220, r"[a-z]{3,8}"),
    "codename-first-nl": (128, r"[a-z]{3,12}"),
    "codename-second-nl": (128, r"[a-z]{3,12}"),
    "codename-first-en": (128, r"[a-z]{3,12}"),
    "codename-second-en": (128, r"[a-z]{3,12}"),
}


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_words", ROOT / "tools" / "build_words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_words = _script()


def _words(name: str) -> list[str]:
    words: list[str] = build_words.read_words(WORDS / f"{name}.txt")
    return words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_passphrase_list_holds_enough_different_words_in_order(language: str) -> None:
    words = _words(f"passphrase-{language}")
    assert len(words) >= 2048
    assert words == sorted(set(words))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_passphrase_word_is_three_to_eight_plain_letters(language: str) -> None:
    assert [w for w in _words(f"passphrase-{language}") if not re.fullmatch(r"[a-z]{3,8}", w)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_passphrase_word_begins_another_or_is_one_slip_from_it_or_sounds_like_it(language: str) -> None:
    alike = build_words.read_words(WORDS / "raw" / f"alike-{language}.txt")
    assert list(build_words.clashes(_words(f"passphrase-{language}"), alike)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_passphrase_word_is_blocked(language: str) -> None:
    words = _words(f"passphrase-{language}")
    rules = build_words.read_words(WORDS / "raw" / "blocked.txt")
    assert build_words.blocked(words, rules, language) == set()
    assert NEVER[language] & set(words) == set()
    assert build_words.blocked(NEVER[language], rules, language) == NEVER[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_passphrase_list_is_what_the_script_builds(language: str) -> None:
    text, kept, _ = build_words.build(language)
    assert (WORDS / f"passphrase-{language}.txt").read_bytes() == text.encode()
    assert kept == len(_words(f"passphrase-{language}"))


def test_the_script_writes_the_same_bytes_twice_and_reports_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(WORDS / "raw", tmp_path / "raw")
    seen = []
    for _ in range(2):
        assert build_words.main(["--words", str(tmp_path)]) == 0
        seen.append([(tmp_path / f"passphrase-{language}.txt").read_bytes() for language in LANGUAGES])
    assert seen[0] == seen[1]
    assert f"passphrase-nl: {len(_words('passphrase-nl'))} words kept of" in capsys.readouterr().out


def test_the_script_refuses_a_list_that_is_too_short(tmp_path: Path) -> None:
    shutil.copytree(WORDS / "raw", tmp_path / "raw")
    (tmp_path / "raw" / "passphrase-en.txt").write_text("apple\nriver\n", "utf-8")
    assert build_words.main(["--words", str(tmp_path)]) == 1
    assert not (tmp_path / "passphrase-en.txt").exists()


@pytest.mark.parametrize(
    ("planted", "clash"),
    [
        (["river", "sunlight", "sun"], ("sun", "sunlight", "prefix")),
        (["river", "molen", "zolen", "dak", "molenaar"], ("molen", "molenaar", "prefix")),
        (["house", "mouse", "river"], ("house", "mouse", "one slip apart")),
        (["hagel", "hangel"], ("hagel", "hangel", "one slip apart")),
        (["weide", "wedie"], ("wedie", "weide", "one slip apart")),
        (["steil", "stijl"], ("steil", "stijl", "sounds alike")),
    ],
)
def test_a_planted_clash_is_found(planted: list[str], clash: tuple[str, str, str]) -> None:
    assert clash in list(build_words.clashes(planted))
    assert list(build_words.clashes(build_words.choose(planted))) == []


def test_words_listed_as_alike_may_not_stand_together() -> None:
    assert list(build_words.clashes(["knight", "reign", "rain"], ["rain reign rein"])) == [
        ("rain", "reign", "sounds alike")
    ]


def test_words_further_than_one_slip_apart_may_stand_together() -> None:
    assert list(build_words.clashes(["vlinder", "wolken", "tak", "akt", "stam", "mast"])) == []


def test_a_block_rule_may_name_a_word_a_stem_or_one_language() -> None:
    words, rules = ["stil", "stilte", "boomhut", "regen"], ["stil", "boom*", "en:regen"]
    assert build_words.blocked(words, rules, "nl") == {"stil", "boomhut"}
    assert build_words.blocked(words, rules, "en") == {"stil", "boomhut", "regen"}


@pytest.mark.parametrize("name", SIZES)
def test_an_alias_or_code_name_list_is_large_sorted_and_in_the_right_case(name: str) -> None:
    words = _words(name)
    least, shape = SIZES[name]
    assert len(words) >= least
    assert words == sorted(set(words))
    assert [w for w in words if not re.fullmatch(shape, w)] == []


@pytest.mark.parametrize("name", SIZES)
def test_no_alias_or_code_name_word_is_blocked(name: str) -> None:
    rules = build_words.read_words(WORDS / "raw" / "blocked.txt")
    assert build_words.blocked([w.lower() for w in _words(name)], rules, name[-2:]) == set()


@pytest.mark.parametrize("path", sorted(WORDS.rglob("*.txt")), ids=lambda path: path.name)
def test_every_list_says_its_source_and_licence(path: Path) -> None:
    head = "\n".join(line for line in path.read_text("utf-8").splitlines()[:4] if line.startswith("#"))
    assert "self-made for this project" in head
    assert "CC0" in head
