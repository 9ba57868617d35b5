"""Lets a play happen line by line, and after each line holds every open screen against what the rows say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.replay.house import House
from tests.replay.screen import Screen
from tests.replay.script import EVERYBODY, Line
from tests.replay.view import View

Act = Callable[[House, Screen, Line], None]
Scene = Callable[[House, Line], None]


class Director:
    """Knows what every kind of line means: of a member, of the facilitator, of everybody."""

    def __init__(
        self, house: House, of_member: Mapping[str, Act], of_lead: Mapping[str, Act], scenes: Mapping[str, Scene]
    ) -> None:
        self._house, self._scenes = house, scenes
        self._of_member, self._of_lead = of_member, of_lead

    def perform(self) -> None:
        """The whole play."""
        house = self._house
        for number, line in enumerate(house.play.lines, 1):
            house.advance(line.at)
            house.line = number
            try:
                if line.who == EVERYBODY:
                    self._scenes[line.does](house, line)
                else:
                    acts = self._of_lead if line.who == house.play.lead else self._of_member
                    acts[line.does](house, house.screens[line.who], line)
                same_everywhere(house)
            except AssertionError as wrong:
                raise AssertionError(f"{line}: {wrong}") from wrong


def same_everywhere(house: House) -> None:
    """Every screen in the group's room shows the session and the conversation as the rows have them."""
    state, talk = house.state(), house.talk(house.play.lead)

    def same(view: View) -> bool:
        return not _apart(view.shown(), state, view.fresh) and view.talk() == talk

    for screen in house.here():
        if not screen.until(same):
            view = screen.view
            raise AssertionError(f"{screen.alias}: {_apart(view.shown(), state)} {_lines_apart(view.talk(), talk)}")


def _apart(shown: dict[str, Any] | None, want: dict[str, Any] | None, fresh: bool = True) -> dict[str, Any]:
    """What differs. Who went away tells nobody: how many are here is true when the state was heard."""
    if shown is None or want is None:
        return {} if shown is want else {"all of it": (shown, want)}
    return {
        name: (shown.get(name), want.get(name))
        for name in {*shown, *want}
        if shown.get(name) != want.get(name) and (name != "present" or fresh)
    }


def _lines_apart(shown: list[dict[str, Any]], want: list[dict[str, Any]]) -> list[Any]:
    return [pair for pair in zip(shown, want, strict=False) if pair[0] != pair[1]] or [len(shown), len(want)]
