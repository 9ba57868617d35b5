"""What chapters and steps are, and which shapes of them there are. Pure; the format is told in docs/content.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.core.errors import NotFound

KINDS = (
    "text",
    "reflection",
    "question",
    "scale",
    "choice",
    "poll",
    "list-builder",
    "week",
    "timer",
    "round",
    "plan-card",
)
WRITTEN = ("reflection", "question")
CHOSEN = ("scale", "choice", "poll")
ANSWERED = (*WRITTEN, *CHOSEN, "list-builder", "week")
ON_RUN_SHEET = ("text", "reflection", "question", "scale", "choice", "poll", "timer", "round")
TOGETHER = ("poll", "round")  # what makes sense in a group only
SHARING = ("private", "shared", "pooled", "counted")
PHASES = ("arrive", "check-in", "theme", "break", "exercise", "closing")
TIMERS = ("pause", "breath", "wave")
CARDS = ("rules", "risks", "techniques", "people", "reasons")
TOOLS = ("wave", "plan", "goal", "insight", "buddy", "report", "checkup", "help")

SCALE = tuple(str(n) for n in range(11))  # what a scale is answered with: 0 to 10
DAYS, PARTS = 7, 6  # a week: seven days, from Monday, of six parts of four hours, from midnight
MOST_LINES = 12
LONGEST = 120  # minutes of one step

_READ = 110  # words a minute, of somebody who takes their time
_TAG = re.compile(r"<[^>]+>")
_ID = re.compile(r"[a-z][a-z0-9-]{0,59}")
_FIELD = re.compile(r"[a-z][a-z0-9-]{0,19}")
_EVERY = ("id", "kind", "minutes", "session", "phase", "home", "prompt", "lead", "sharing", "shareable", "tool")
_BELONGS = {
    "options": ("choice", "poll"),
    "many": ("choice",),
    "fields": ("reflection",),
    "columns": ("list-builder",),
    "most": ("list-builder",),
    "low": ("scale",),
    "high": ("scale",),
    "timer": ("timer",),
    "card": ("plan-card",),
    "from": ("plan-card",),
}
_MAY_SHARE = {"question": ("shared", "pooled"), "poll": ("counted",), "scale": ("private", "counted")}
_MAY_SHARE |= {"choice": ("private", "counted"), "reflection": ("private", "shared", "pooled")}


@dataclass(frozen=True, slots=True)
class Field:
    """One box of a reflection that has several."""

    id: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chapter. `html` is safe; `minutes` is its usual length in a session.

    `options` is what a choice, poll or scale is answered with, `columns` the headings of a list, `fields` the boxes of
    a reflection, `sources` the steps whose answers a plan card offers, as (chapter or empty, step). `lead` is for
    facilitators only. `words` are explained at this step, because the chapter uses them here first.
    """

    id: str
    title: str
    kind: str
    minutes: int
    in_session: bool
    sharing: str
    prompt: str
    options: tuple[str, ...]
    html: Markup
    phase: str = ""
    at_home: bool = True
    lead: str = ""
    shareable: bool = False
    tool: str = ""
    many: bool = False
    fields: tuple[Field, ...] = ()
    columns: tuple[str, ...] = ()
    most: int = MOST_LINES
    low: str = ""
    high: str = ""
    timer: str = ""
    card: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    words: tuple[tuple[str, str], ...] = ()

    @property
    def answered(self) -> bool:
        return self.kind in ANSWERED

    @property
    def alone(self) -> int:
        """How many minutes it takes at home: a group reads together and talks, one alone just reads."""
        return max(1, round(len(_TAG.sub(" ", self.html).split()) / _READ)) if self.kind == "text" else self.minutes


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

    @property
    def path(self) -> tuple[Step, ...]:
        """The steps of somebody who goes through the chapter alone, in order."""
        return tuple(step for step in self.steps if step.at_home)


def is_id(value: object) -> bool:
    """Can this name a chapter or a step: small letters, digits and hyphens, at most 60, a letter first?"""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def mistake_in(about: Mapping[str, Any]) -> str | None:
    """What is wrong with a step as its front matter tells it, in one sentence; None when nothing is."""
    kind, sharing = about.get("kind"), about.get("sharing", _usual_sharing(about.get("kind")))
    if unknown := sorted(set(about) - {*_EVERY, *_BELONGS}):
        return f"`{unknown[0]}` is not something a step has"
    if not is_id(about.get("id")):
        return f"`{about.get('id')}` is not an id: small letters, digits and hyphens"
    if kind not in KINDS:
        return f"`{kind}` is not a kind of step; it is one of {', '.join(KINDS)}"
    for name, kinds in _BELONGS.items():
        if name in about and kind not in kinds:
            return f"`{name}` belongs to {' or '.join(kinds)}, not to {kind}"
    for name in ("session", "home", "shareable", "many"):
        if not isinstance(about.get(name, True), bool):
            return f"`{name}` is true or false"
    for name in ("prompt", "lead", "low", "high"):
        if not isinstance(about.get(name, ""), str):
            return f"`{name}` is a sentence"
    if not _whole(about.get("minutes"), 1, LONGEST):
        return f"minutes is a whole number from 1 to {LONGEST}"
    if sharing not in SHARING:
        return f"`{sharing}` is not a way of sharing; it is one of {', '.join(SHARING)}"
    if sharing not in _MAY_SHARE.get(str(kind), ("private",)):
        allowed = " or ".join(_MAY_SHARE.get(str(kind), ("private",)))
        return f"a {kind} is {allowed}: what is written can be shared or pooled, what is chosen counted"
    if about.get("session") and (kind not in ON_RUN_SHEET or about.get("fields")):
        return f"a {kind}{' with fields' if about.get('fields') else ''} is for at home, not for a run-sheet"
    if not about.get("session") and about.get("home", kind not in TOGETHER and not _pauses(about)) is False:
        return "nobody would ever see this step: it is neither on the run-sheet nor for at home"
    for name, known in (("phase", PHASES), ("tool", TOOLS)):
        if name in about and about[name] not in known:
            return f"`{about[name]}` is not a {name}; it is one of {', '.join(known)}"
    return _mistake_in_parts(about, str(kind))


def step_of(about: Mapping[str, Any], title: str, html: Markup) -> Step:
    """A step from its front matter, in which `mistake_in` found nothing."""
    kind = about["kind"]
    return Step(
        id=about["id"],
        title=title,
        kind=kind,
        minutes=about["minutes"],
        in_session=about.get("session", False),
        sharing=about.get("sharing", _usual_sharing(kind)),
        prompt=about.get("prompt", ""),
        options=SCALE if kind == "scale" else tuple(about.get("options", ())),
        html=html,
        phase=about.get("phase", ""),
        at_home=about.get("home", kind not in TOGETHER and not _pauses(about)),
        lead=about.get("lead", ""),
        shareable=about.get("shareable", kind in ANSWERED and kind != "poll"),
        tool=about.get("tool", ""),
        many=about.get("many", False),
        fields=tuple(Field(f["id"], f["label"], f.get("hint", "")) for f in about.get("fields", ())),
        columns=tuple(about.get("columns", ())),
        most=about.get("most", MOST_LINES),
        low=about.get("low", ""),
        high=about.get("high", ""),
        timer=about.get("timer", "pause") if kind == "timer" else "",
        card=about.get("card", ""),
        sources=tuple(_source(name) for name in about.get("from", ())),
    )


def _mistake_in_parts(about: Mapping[str, Any], kind: str) -> str | None:
    options, columns, fields = about.get("options"), about.get("columns"), about.get("fields")
    if kind in _BELONGS["options"] and not _words(options, 2, 12 if kind == "choice" else 8):
        return f"a {kind} has two to {'twelve' if kind == 'choice' else 'eight'} options"
    if kind == "list-builder" and not _words(columns, 1, 3):
        return "a list-builder has one to three columns"
    if not _whole(about.get("most", MOST_LINES), 1, 30):
        return "most is a whole number from 1 to 30"
    if fields is not None and not _are_fields(fields):
        return "fields are two to eight of {id, label, hint}, each with an id of its own"
    if kind == "timer" and about.get("timer", "pause") not in TIMERS:
        return f"a timer is {', '.join(TIMERS)}"
    if kind == "plan-card" and about.get("card") not in CARDS:
        return f"a plan card is one of {', '.join(CARDS)}"
    offered = about.get("from", [])
    if not isinstance(offered, list) or not all(
        isinstance(o, str) and all(map(is_id, _source(o)[1:])) for o in offered
    ):
        return "`from` is a list of steps, or of chapter/step"
    return None


def _usual_sharing(kind: object) -> str:
    return {"question": "shared", "poll": "counted"}.get(str(kind), "private")


def _pauses(about: Mapping[str, Any]) -> bool:
    return about.get("kind") == "timer" and about.get("timer", "pause") == "pause"


def _source(name: str) -> tuple[str, str]:
    chapter, _slash, step = name.rpartition("/")
    return chapter, step


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _words(value: object, least: int, most: int) -> bool:
    return isinstance(value, list) and least <= len(value) <= most and all(isinstance(v, str) and v for v in value)


def _are_fields(value: object) -> bool:
    if not isinstance(value, list) or not 2 <= len(value) <= 8:
        return False
    if not all(isinstance(f, dict) and set(f) <= {"id", "label", "hint"} for f in value):
        return False
    ids = [f.get("id") for f in value]
    named = all(isinstance(i, str) and _FIELD.fullmatch(i) for i in ids)
    return named and len(set(ids)) == len(ids) and all(isinstance(f.get("label"), str) for f in value)
