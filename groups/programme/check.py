"""Looking a programme over as its writer would want: every mistake at once, with file and line.

What makes a file unreadable is found by `reading`; here is the rest: what a chapter must have, the same steps in every
language, plan cards that point at something. `samen content check` prints what this finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from app.core.i18n import LANGUAGES
from groups.programme import curriculum
from groups.programme.reading import ContentError, Mistake, read
from groups.programme.steps import Chapter, Step

SHORTEST, LONGEST = 60, 100  # minutes of a chapter's session
FEWEST_TEXTS, MOST_TEXTS = 3, 6


@dataclass(frozen=True, slots=True)
class File:
    """A chapter as one file tells it; `lines` says where each step stands in the front matter."""

    name: str
    chapter: Chapter
    lines: Mapping[str, int]


def check(slug: str) -> list[Mistake]:
    """Everything that is wrong with a programme, in the order of its files. Raises `NotFound`."""
    try:
        about = curriculum.about(slug)
    except ContentError as error:
        return list(error.mistakes)
    mistakes: list[Mistake] = []
    told: dict[str, dict[str, File]] = {}
    for language in LANGUAGES:
        found = curriculum.chapter_files(about, language)
        told[language] = {}
        for key in about.chapters:
            if key not in found:
                mistakes.append(Mistake(f"{slug}/{language}", 1, f"there is no file for the chapter `{key}`"))
                continue
            try:
                told[language][key] = _file(found[key], slug, language)
            except ContentError as error:
                mistakes += error.mistakes
    for language in LANGUAGES:
        for key, file in told[language].items():
            mistakes += _of_chapter(key, file)
            mistakes += _of_cards(file, told[language], about.chapters)
    for key, first in told[LANGUAGES[0]].items():
        for language in LANGUAGES[1:]:
            if key in told[language]:
                mistakes += _unlike(first, told[language][key])
    return sorted(set(mistakes))


def _file(file: Traversable, slug: str, language: str) -> File:
    name = f"{slug}/{language}/{file.name}"
    return File(name, *read(file.read_text(encoding="utf-8"), name))


def _of_chapter(key: str, file: File) -> Iterator[Mistake]:
    chapter = file.chapter
    if chapter.key != key:
        yield Mistake(file.name, 1, f"the chapter is `{chapter.key}`, the file says `{key}`")
    texts = sum(step.kind == "text" for step in chapter.steps)
    if not FEWEST_TEXTS <= texts <= MOST_TEXTS:
        yield Mistake(file.name, 1, f"{texts} text steps; a chapter has {FEWEST_TEXTS} to {MOST_TEXTS}")
    if not any(step.at_home and step.answered and step.sharing == "private" for step in chapter.steps):
        yield Mistake(file.name, 1, "there is no private exercise for at home")
    if not chapter.this_week.strip() or not chapter.goal.strip() or not chapter.sources:
        yield Mistake(file.name, 1, "a chapter has a goal, something for this week, and sources")
    for step in chapter.steps:
        if not step.html.strip():
            yield Mistake(file.name, file.lines[step.id], f"the step `{step.id}` has no text")
        if (step.answered or step.kind in ("round", "poll")) and not step.prompt:
            yield Mistake(file.name, file.lines[step.id], f"the step `{step.id}` asks something and has no prompt")
    yield from _of_run_sheet(file)


def _of_run_sheet(file: File) -> Iterator[Mistake]:
    sheet = file.chapter.run_sheet
    total = sum(step.minutes for step in sheet)
    if not SHORTEST <= total <= LONGEST:
        yield Mistake(file.name, 1, f"the session takes {total} minutes; {SHORTEST} to {LONGEST} fit")
    if total != file.chapter.minutes:
        yield Mistake(file.name, 1, f"`minutes` says {file.chapter.minutes}, the session steps together {total}")
    if not sheet or sheet[0].kind != "round" or sheet[-1].kind != "round":
        yield Mistake(file.name, 1, "a session opens and closes with a round")
    if not any(step.kind == "timer" and step.timer == "pause" for step in sheet):
        yield Mistake(file.name, 1, "a session has a break")
    if not any(step.answered for step in sheet):
        yield Mistake(file.name, 1, "a session has an exercise that is answered")
    for step in sheet:
        if not step.lead:
            yield Mistake(
                file.name, file.lines[step.id], f"the step `{step.id}` tells the facilitator nothing (`lead`)"
            )


def _of_cards(file: File, chapters: Mapping[str, File], order: tuple[str, ...]) -> Iterator[Mistake]:
    for step in file.chapter.steps:
        for chapter_key, step_id in step.sources:
            line, name = file.lines[step.id], f"{chapter_key}/{step_id}" if chapter_key else step_id
            there = chapters.get(chapter_key or file.chapter.key)
            if there is None:
                if chapter_key not in order:  # a file that cannot be read is told of elsewhere
                    yield Mistake(file.name, line, f"there is no chapter `{chapter_key}` for `{name}`")
                continue
            source = next((s for s in there.chapter.steps if s.id == step_id), None)
            if source is None or not source.answered:
                yield Mistake(file.name, line, f"`{name}` is not a step that is answered")


def _unlike(first: File, second: File) -> Iterator[Mistake]:
    if (first.chapter.version, first.chapter.minutes) != (second.chapter.version, second.chapter.minutes):
        yield Mistake(second.name, 1, f"version and minutes are not those of {first.name}")
    ours, theirs = [s.id for s in first.chapter.steps], [s.id for s in second.chapter.steps]
    if ours != theirs:
        yield Mistake(second.name, 1, f"the steps are not those of {first.name}, in the same order")
        return
    for one, other in zip(first.chapter.steps, second.chapter.steps, strict=True):
        if _shape(one) != _shape(other):
            what = f"the step `{other.id}` is not the same as in {first.name}: kind, minutes, options, fields"
            yield Mistake(second.name, second.lines[other.id], what)


def _shape(step: Step) -> object:
    fields = tuple(field.id for field in step.fields)
    counts = len(step.options), len(step.columns), step.most, bool(step.low), bool(step.high), bool(step.lead)
    flags = step.in_session, step.at_home, step.shareable, step.many
    return (
        step.kind,
        step.minutes,
        step.sharing,
        step.phase,
        step.tool,
        step.timer,
        step.card,
        step.sources,
        fields,
        counts,
        flags,
    )
