"""What is written down while a play is on, by who saw it: material for the checker, and nothing else. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """Something that reached a screen, at a line of the play: an event, an answer, a page."""

    line: int
    alias: str
    name: str
    text: str


class Said(NamedTuple):
    """A message that the play wants to stand in the room, and the number it was given."""

    alias: str
    text: str
    seq: int


class Row(NamedTuple):
    """A message as somebody has it at the end."""

    seq: int
    alias: str
    text: str


class Answered(NamedTuple):
    """An answer as it is kept, or as the play wants it kept."""

    alias: str
    step: str
    sharing: str
    value: str


class Noted(NamedTuple):
    """A note between a member and the facilitators."""

    member: str
    by_staff: bool
    text: str


@dataclass(slots=True)
class Secret:
    """Words that only `readers` may come across; everybody else from line `since` on, or never."""

    text: str
    readers: frozenset[str]
    since: int | None = None


@dataclass(slots=True)
class Record:
    """Everything. What the play wants comes from its lines alone, what was found from screens, pages and rows."""

    cast: tuple[str, ...]
    heard: list[Heard] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    revealed_at: dict[str, int] = field(default_factory=dict)  # step -> line
    wanted: dict[str, Any] = field(default_factory=dict)
    talks: dict[str, list[Row]] = field(default_factory=dict)  # what stands on each screen at the end
    kept_talks: dict[str, list[Row]] = field(default_factory=dict)  # what each of them is given when they ask for all
    kept_answers: list[Answered] = field(default_factory=list)
    kept_notes: dict[str, list[Noted]] = field(default_factory=dict)  # by who reads them
    attendance: dict[str, list[Any]] = field(default_factory=dict)
    follow_up: list[str] = field(default_factory=list)
    alerts: int = 0
    dossier: str = ""

    def copy(self) -> Record:
        """The same again, to change something in."""
        return replace(self, **{name: _fresh(getattr(self, name)) for name in self.__slots__})

    def hear(self, line: int, alias: str, name: str, data: Any) -> None:
        """Write down what reached a screen."""
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        self.heard.append(Heard(line, alias, name, text))


def _fresh(found: Any) -> Any:
    match found:
        case dict():
            return {name: _fresh(value) for name, value in found.items()}
        case list():
            return list(found)
    return found
