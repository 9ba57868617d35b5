"""The programme: chapters as Markdown files with front matter, read once and checked as they are read.

A programme is a folder under `groups/content/`. Each language has its own files; a chapter's key, step ids,
kinds and minutes are the same in all of them, which a test checks. A mistake is named with file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml
from markupsafe import Markup

from app.core.errors import NotFound
from app.core.text import markdown

KINDS = ("text", "checklist", "reflection", "question", "poll", "scale", "round", "timer")
ANSWERED = ("checklist", "reflection", "question", "poll", "scale")
SHARING = ("private", "shared", "pooled", "counted")
SCALE = tuple(str(n) for n in range(11))  # what a scale is answered with: 0 to 10

_HEADING = re.compile(r"^## (.+?) \{#([a-z][a-z0-9-]*)\}$")


class ContentError(Exception):
    """A mistake in a content file; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chapter. `html` is safe; `minutes` is its usual length in a session."""

    id: str
    title: str
    kind: str
    minutes: int
    in_session: bool
    sharing: str
    prompt: str
    options: tuple[str, ...]
    html: Markup

    @property
    def answered(self) -> bool:
        return self.kind in ANSWERED


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter in one language."""

    key: str
    number: int
    version: int
    title: str
    goal: str
    minutes: int
    this_week: str
    sources: tuple[str, ...]
    intro: Markup
    steps: tuple[Step, ...]

    def step(self, step_id: str) -> Step:
        """The step with this id. Raises `NotFound`."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise NotFound

    @property
    def run_sheet(self) -> tuple[Step, ...]:
        """The steps of the default session, in order."""
        return tuple(step for step in self.steps if step.in_session)


@dataclass(frozen=True, slots=True)
class Programme:
    slug: str
    version: int
    title: str
    chapters: tuple[Chapter, ...]
    open_session: Chapter

    def chapter(self, key: str) -> Chapter:
        """The chapter with this key; for no key, what a session without a chapter goes by. Raises `NotFound`."""
        for chapter in (*self.chapters, self.open_session):
            if chapter.key == key:
                return chapter
        raise NotFound


@cache
def programme(slug: str, language: str) -> Programme:
    """A programme in one language, read from disk once. Raises `NotFound` for no such programme."""
    folder = _content() / slug
    if not re.fullmatch(r"[a-z0-9-]+", slug) or not (folder / "programme.yaml").is_file():
        raise NotFound
    about = yaml.safe_load((folder / "programme.yaml").read_text(encoding="utf-8"))
    chapters = {c.key: c for c in (_read(file) for file in _files(folder / language))}
    missing = [key for key in about["chapters"] if key not in chapters]
    if missing:
        raise ContentError(f"{slug}/{language}: chapters without a file: {', '.join(missing)}")
    return Programme(
        slug,
        about["version"],
        about["title"][language],
        tuple(chapters[key] for key in about["chapters"]),
        _open_session(language),
    )


@cache
def house_rules(language: str) -> tuple[tuple[str, ...], str]:
    """The five house rules, and the one sentence on when anonymity would be broken."""
    rules = yaml.safe_load((_content() / "house-rules.yaml").read_text(encoding="utf-8"))
    return tuple(rules[language]), rules["privacy_line"][language]


def parse(text: str, name: str, number: int = 1) -> Chapter:
    """One chapter from its file's text. Raises `ContentError` with `name` and a line number."""
    try:
        _empty, front, body = text.split("---\n", 2)
        about: dict[str, Any] = yaml.safe_load(front)
    except (ValueError, yaml.YAMLError) as mistake:
        raise ContentError(f"{name}:1: the front matter cannot be read ({type(mistake).__name__})") from None
    if not isinstance(about, dict) or not all(isinstance(step, dict) for step in about.get("steps") or ()):
        raise ContentError(f"{name}:1: the front matter is a list of names with values, and each step one too")
    intro, sections = _sections(body, name, first_line=front.count("\n") + 3)
    for key in ("chapter", "version", "title", "goal", "minutes", "this_week", "steps"):
        if key not in about:
            raise ContentError(f"{name}:1: the front matter has no `{key}`")
    ids = [step.get("id") for step in about["steps"]]
    if ids != list(sections):
        raise ContentError(f"{name}:1: steps {ids} and headings {list(sections)} are not the same, in the same order")
    return Chapter(
        key=about["chapter"],
        number=number,
        version=about["version"],
        title=about["title"],
        goal=about["goal"],
        minutes=about["minutes"],
        this_week=about["this_week"],
        sources=tuple(about.get("sources", ())),
        intro=markdown(intro),
        steps=tuple(_step(step, *sections[step["id"]], name) for step in about["steps"]),
    )


def _open_session(language: str) -> Chapter:
    file = _content() / "open-session" / f"{language}.md"
    return parse(file.read_text(encoding="utf-8"), f"open-session/{file.name}")


def _content() -> Traversable:
    return resources.files("groups") / "content"


def _files(folder: Traversable) -> list[Traversable]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".md")), key=lambda f: f.name)


def _read(file: Traversable) -> Chapter:
    return parse(file.read_text(encoding="utf-8"), file.name, int(file.name.split("-")[0]))


def _sections(body: str, name: str, first_line: int) -> tuple[str, dict[str, tuple[str, str, int]]]:
    intro: list[str] = []
    sections: dict[str, tuple[str, list[str], int]] = {}
    target = intro
    for line_number, line in enumerate(body.splitlines(), first_line):
        heading = _HEADING.match(line)
        if heading and heading[2] in sections:
            raise ContentError(f"{name}:{line_number}: the heading `{heading[2]}` is there twice")
        if heading:
            target = []
            sections[heading[2]] = (heading[1], target, line_number)
        elif line.startswith("## "):
            raise ContentError(f"{name}:{line_number}: a step heading ends with {{#its-id}}")
        else:
            target.append(line)
    return "\n".join(intro), {k: (t, "\n".join(lines), n) for k, (t, lines, n) in sections.items()}


def _step(about: dict[str, Any], title: str, body: str, line: int, name: str) -> Step:
    kind, sharing = about.get("kind"), about.get("sharing", "private")
    options = tuple(about.get("options", ()))
    if kind not in KINDS:
        raise ContentError(f"{name}:{line}: `{kind}` is not a kind of step; it is one of {', '.join(KINDS)}")
    if sharing not in SHARING:
        raise ContentError(f"{name}:{line}: `{sharing}` is not a way of sharing; it is one of {', '.join(SHARING)}")
    if (kind in ("checklist", "poll")) != bool(options):
        raise ContentError(f"{name}:{line}: a checklist or poll has options, and nothing else has")
    written = kind in ("question", "reflection")
    if (sharing in ("shared", "pooled") and not written) or (sharing == "counted" and written):
        raise ContentError(f"{name}:{line}: what is written can be shared or pooled, what is chosen counted")
    minutes = about.get("minutes")
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= 120:
        raise ContentError(f"{name}:{line}: minutes is a whole number from 1 to 120")
    return Step(
        id=about["id"],
        title=title,
        kind=kind,
        minutes=minutes,
        in_session=bool(about.get("session")),
        sharing=sharing,
        prompt=about.get("prompt", ""),
        options=SCALE if kind == "scale" else options,
        html=markdown(body),
    )
