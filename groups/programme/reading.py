"""A chapter's file: its front matter and its text, with a line number for every mistake in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from app.core.text import markdown
from groups.programme.steps import Chapter, Step, is_id, mistake_in, step_of

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C where PyYAML has it: eight times faster
_HEADING = re.compile(r"^## (.+?) \{#([a-z][a-z0-9-]*)\}$")
_WANTED: Mapping[str, type] = {
    "chapter": str,
    "version": int,
    "title": str,
    "goal": str,
    "minutes": int,
    "this_week": str,
    "steps": list,
}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong, in which file, at which line."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class ContentError(Exception):
    """Content that cannot be used. `mistakes` are all that were found; the message is one line for each."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class _Front:
    about: Mapping[str, Any]
    steps: Sequence[tuple[Any, int]]  # each with its line
    lines: Mapping[str, int]


def parse(text: str, name: str, number: int = 1) -> Chapter:
    """One chapter from its file's text; `name` is how mistakes call the file. Raises `ContentError`."""
    return read(text, name, number)[0]


def read(text: str, name: str, number: int = 1) -> tuple[Chapter, dict[str, int]]:
    """As `parse`, and at which line each step is told in the front matter. Raises `ContentError`."""
    front, body, first_line = _split(text, name)
    intro, sections, mistakes = _sections(body, name, first_line)
    mistakes += [Mistake(name, line, what) for line, what in _wrong(front, sections)]
    if mistakes:
        raise ContentError(sorted(mistakes))
    about = front.about
    steps = tuple(_step(step, sections[step["id"]]) for step, _line in front.steps)
    chapter = Chapter(
        key=about["chapter"],
        number=number,
        version=about["version"],
        title=about["title"],
        goal=about["goal"],
        minutes=about["minutes"],
        this_week=about["this_week"],
        sources=tuple(about.get("sources", ())),
        intro=markdown(intro),
        steps=steps,
    )
    return chapter, {step["id"]: line for step, line in front.steps}


def _split(text: str, name: str) -> tuple[_Front, str, int]:
    try:
        empty, front, body = text.split("---\n", 2)
        if empty:
            raise ValueError
        loader = SafeLoader(front)
        node = loader.get_single_node()
        about = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as mistake:
        line = mistake.problem_mark.line + 2 if mistake.problem_mark else 1
        raise ContentError([Mistake(name, line, f"this is not YAML: {mistake.problem}")]) from None
    except (ValueError, yaml.YAMLError):
        raise ContentError([Mistake(name, 1, "the file begins with front matter between two lines of ---")]) from None
    if not isinstance(about, dict):
        raise ContentError([Mistake(name, 1, "the front matter is a list of names with values")])
    assert isinstance(node, yaml.MappingNode)
    lines = {key.value: key.start_mark.line + 2 for key, _value in node.value}
    listed = next((value for key, value in node.value if key.value == "steps"), None)
    steps: list[tuple[Any, int]] = []
    if isinstance(listed, yaml.SequenceNode) and isinstance(about["steps"], list):
        steps = [(step, at.start_mark.line + 2) for step, at in zip(about["steps"], listed.value, strict=True)]
    return _Front(about, steps, lines), body, front.count("\n") + 3


def _wrong(front: _Front, sections: Mapping[str, _Section]) -> Iterator[tuple[int, str]]:
    for key, kind in _WANTED.items():
        value = front.about.get(key)
        if key not in front.about:
            yield 1, f"the front matter has no `{key}`"
        elif not isinstance(value, kind) or isinstance(value, bool):
            yield front.lines[key], f"`{key}` is not {_KINDS[kind]}"
    if "chapter" in front.about and front.about["chapter"] != "" and not is_id(front.about["chapter"]):
        yield front.lines["chapter"], "`chapter` is small letters, digits and hyphens"
    sources = front.about.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(line, str) for line in sources):
        yield front.lines["sources"], "`sources` is a list of sentences"
    seen: list[str] = []
    for step, line in front.steps:
        if not isinstance(step, dict):
            yield line, "a step is a list of names with values"
            continue
        if what := mistake_in(step):
            yield line, what
        if not isinstance(step.get("id"), str):
            continue
        if step.get("id") in seen:
            yield line, f"there is a step `{step.get('id')}` already"
        elif step.get("id") not in sections:
            yield line, f"the text has no heading for the step `{step.get('id')}`"
        seen.append(str(step.get("id")))
    for key, section in sections.items():
        if key not in seen:
            yield section.line, f"the front matter has no step `{key}`"
    if sorted(seen) == sorted(sections) and seen != list(sections):
        first = next(key for key, wanted in zip(sections, seen, strict=True) if key != wanted)
        yield sections[first].line, "headings and steps are not in the same order"


_KINDS: Mapping[type, str] = {str: "a sentence", int: "a whole number", list: "a list"}


def _sections(body: str, name: str, first_line: int) -> tuple[str, dict[str, _Section], list[Mistake]]:
    intro: list[str] = []
    found: dict[str, tuple[str, list[str], int]] = {}
    mistakes: list[Mistake] = []
    target = intro
    for number, line in enumerate(body.splitlines(), first_line):
        heading = _HEADING.match(line)
        if heading and heading[2] in found:
            mistakes.append(Mistake(name, number, f"the heading `{heading[2]}` is there twice"))
        elif heading:
            target = []
            found[heading[2]] = (heading[1], target, number)
        elif line.startswith("## "):
            mistakes.append(Mistake(name, number, "a step's heading ends with {#its-id}"))
        else:
            target.append(line)
    sections = {key: _Section(title, "\n".join(lines), at) for key, (title, lines, at) in found.items()}
    return "\n".join(intro), sections, mistakes


def _step(about: Mapping[str, Any], section: _Section) -> Step:
    return step_of(about, section.title, markdown(section.text))
