"""The programmes: folders of chapters, read once, with an organisation's own over the product's.

The product's own stand in `groups/content/`; `use` names a folder with more of them. How they are written is told in
docs/content.md. A mistake is named with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from app.core.errors import NotFound
from app.core.i18n import LANGUAGES
from groups.programme import glossary
from groups.programme.reading import ContentError, Mistake, SafeLoader, parse
from groups.programme.steps import Chapter, Step

DEFAULT = "lust-leren-loslaten"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_FILE = re.compile(r"\d\d-([a-z][a-z0-9-]*)\.md")
_own: list[Traversable] = []


@dataclass(frozen=True, slots=True)
class Programme:
    """Chapters in one language, in order; `glossary` explains words."""

    slug: str
    version: int
    title: str
    chapters: tuple[Chapter, ...]
    open_session: Chapter
    glossary: Mapping[str, str]

    def chapter(self, key: str) -> Chapter:
        """The chapter with this key; for no key, what a session without a chapter goes by. Raises `NotFound`."""
        for chapter in (*self.chapters, self.open_session):
            if chapter.key == key:
                return chapter
        raise NotFound

    def find(self, chapter: str, step: str) -> Step | None:
        """A step of a chapter, or None where there is none (any more)."""
        try:
            return self.chapter(chapter).step(step)
        except NotFound:
            return None


@dataclass(frozen=True, slots=True)
class About:
    """What a programme's own file says, and where its folders are: its own before the one it builds on."""

    slug: str
    version: int
    title: Mapping[str, str]
    chapters: tuple[str, ...]
    folders: tuple[Traversable, ...]


def look_in(folder: Path | None) -> None:
    """Read an organisation's own programmes from `folder` too, from now on."""
    if folder is not None or _own:  # what is in it may have changed
        programme.cache_clear()
    _own[:] = [folder] if folder else []


def use(folder: Path | None) -> None:
    """As `look_in`, and read everything at once. Called when the product starts.

    Raises `ContentError` where something in it cannot be used.
    """
    look_in(folder)
    for slug in slugs():
        for language in LANGUAGES:
            programme(slug, language)


def slugs() -> list[str]:
    """The programmes there are, the product's own first."""
    return list(dict.fromkeys(slug for root in (_content(), *_own) for slug in programmes_in(root)))


def programmes_in(root: Traversable) -> list[str]:
    """The programmes of one folder."""
    return sorted(f.name for f in root.iterdir() if f.is_dir() and (f / "programme.yaml").is_file())


def titles(language: str) -> list[tuple[str, str]]:
    """Every programme with its title, to choose from."""
    return [(slug, programme(slug, language).title) for slug in slugs()]


@cache
def programme(slug: str, language: str) -> Programme:
    """A programme in one language, read once. Raises `NotFound` for no such programme, `ContentError`."""
    told = about(slug)
    words = _glossary(told, language)
    files = chapter_files(told, language)
    if missing := [key for key in told.chapters if key not in files]:
        raise ContentError([Mistake(f"{slug}/{language}", 1, f"chapters without a file: {', '.join(missing)}")])
    chapters = (_chapter(files[key], number) for number, key in enumerate(told.chapters, 1))
    return Programme(
        slug,
        told.version,
        told.title.get(language) or next(iter(told.title.values())),
        tuple(glossary.explained(chapter, words) for chapter in chapters),
        _open_session(language),
        words,
    )


def about(slug: str) -> About:
    """What a programme's `programme.yaml` says. Raises `NotFound`, `ContentError`."""
    return _resolved(slug, ())


def _resolved(slug: str, above: tuple[str, ...]) -> About:
    """A programme with what it builds on; `above` are those that build on it."""
    if not _SLUG.fullmatch(slug):
        raise NotFound
    told = [_about(root / slug) for root in (*_own, _content()) if (root / slug / "programme.yaml").is_file()]
    if not told:
        raise NotFound
    first, based_on = told[0]
    if not based_on:
        return first
    circle = based_on in above or (based_on == slug and len(told) == 1)
    if circle:
        raise ContentError([Mistake(f"{slug}/programme.yaml", 1, "a programme cannot build on itself")])
    try:
        base = told[1][0] if based_on == slug else _resolved(based_on, (*above, slug))
    except NotFound:
        raise ContentError([Mistake(f"{slug}/programme.yaml", 1, f"there is no programme `{based_on}`")]) from None
    return replace(
        first,
        title={**base.title, **first.title},
        chapters=first.chapters or base.chapters,
        folders=(*first.folders, *base.folders),
    )


def chapter_files(told: About, language: str) -> dict[str, Traversable]:
    """The file of each chapter: the programme's own before the one it builds on; in another language if need be."""
    files: dict[str, Traversable] = {}
    for folder in told.folders:
        for spoken in (language, *LANGUAGES):
            for key, file in _chapters_in(folder / spoken):
                files.setdefault(key, file)
    return files


@cache
def house_rules(language: str) -> tuple[tuple[str, ...], str]:
    """The five house rules, and the one sentence on when anonymity would be broken."""
    rules = yaml.safe_load((_content() / "house-rules.yaml").read_text(encoding="utf-8"))
    return tuple(rules[language]), rules["privacy_line"][language]


def _about(folder: Traversable) -> tuple[About, str]:
    name = f"{folder.name}/programme.yaml"
    told = _yaml(folder / "programme.yaml", name)
    based_on, chapters = told.get("based_on", ""), told.get("chapters", [])
    title, version = told.get("title"), told.get("version")
    if told.get("slug") != folder.name:
        raise ContentError([Mistake(name, 1, f"`slug` is the folder's name, {folder.name}")])
    if not isinstance(title, dict) or not title or not set(title) <= set(LANGUAGES):
        raise ContentError([Mistake(name, 1, f"`title` has one for each language: {', '.join(LANGUAGES)}")])
    if not isinstance(version, int) or not isinstance(based_on, str):
        raise ContentError([Mistake(name, 1, "`version` is a whole number, `based_on` a programme's name")])
    if not isinstance(chapters, list) or (not chapters and not based_on):
        raise ContentError([Mistake(name, 1, "`chapters` lists the chapters in their order")])
    return About(folder.name, version, title, tuple(map(str, chapters)), (folder,)), based_on


def _glossary(told: About, language: str) -> dict[str, str]:
    words: dict[str, str] = {}
    for folder in reversed(told.folders):
        file = folder / language / "glossary.yaml"
        if file.is_file():
            words |= _yaml(file, f"{folder.name}/{language}/glossary.yaml")
    return words


def _yaml(file: Traversable, name: str) -> dict[str, Any]:
    try:
        told = yaml.load(file.read_text(encoding="utf-8"), SafeLoader)  # noqa: S506 - it is the safe one, in C
    except yaml.YAMLError:
        raise ContentError([Mistake(name, 1, "this is not YAML")]) from None
    if not isinstance(told, dict):
        raise ContentError([Mistake(name, 1, "this is a list of names with values")])
    return told


def _chapters_in(folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    if folder.is_dir():
        for file in sorted(folder.iterdir(), key=lambda f: f.name):
            if found := _FILE.fullmatch(file.name):
                yield found[1], file


def _chapter(file: Traversable, number: int) -> Chapter:
    return parse(file.read_text(encoding="utf-8"), file.name, number)


def _open_session(language: str) -> Chapter:
    file = _content() / "open-session" / f"{language}.md"
    return parse(file.read_text(encoding="utf-8"), f"open-session/{file.name}")


def _content() -> Traversable:
    return resources.files("groups") / "content"
