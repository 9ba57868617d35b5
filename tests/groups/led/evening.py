"""A session that is led, for tests: who does what in it, and what everybody's screens say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.work import Database
from groups import rooms
from groups.agenda import runsheet, steering
from groups.agenda.runsheet import Words
from groups.led import answering, presence, sessions, stage
from groups.programme import exercises
from tests import builders
from tests.builders import Circle, Someone

POLL, SHARED, PRIVATE = 2, 3, 6  # positions on chapter 1's run-sheet
WHICH, MOMENT, ALONE = "which-feeling", "in-the-moment", "a-moment"


@dataclass(slots=True)
class Led:
    """An open session of a circle."""

    circle: Circle
    ref: str

    @property
    def version(self) -> int:
        with self.circle.database.read(self.circle.hanna.actor) as r:
            return steering.lead(r, self.ref)[0].version

    def do(self, call: Callable[..., Any], *args: Any, who: Someone | None = None, **more: Any) -> Any:
        """A facilitator's change, from the version that stands now."""
        return by(self.circle, who or self.circle.hanna, call, self.ref, self.version, *args, **more)

    def lead(self, call: Callable[..., Any], *args: Any, who: Someone | None = None, **more: Any) -> Any:
        """Something a facilitator does that names no version."""
        return by(self.circle, who or self.circle.hanna, call, self.ref, *args, **more)

    def arrive(self, *people: Someone) -> None:
        for who in people or self.circle.members:
            with self.circle.database.work(who.actor) as w:
                presence.arrive(w, rooms.place(w, self.circle.room))

    def state(self, who: Someone | None = None) -> dict[str, Any]:
        with self.circle.database.read((who or self.circle.hanna).actor) as r:
            session, found = steering.attend(r, self.ref)
            return stage.state(r, session, found)

    def roster(self) -> dict[str, stage.Present]:
        with self.circle.database.read(self.circle.hanna.actor) as r:
            return {p.alias: p for p in stage.roster(r, *steering.lead(r, self.ref))}

    def ask(self, kind: str, sharing: str = "", options: tuple[str, ...] = ()) -> str:
        """A question in the middle of the session; the name of its step."""
        words = Words("theme", kind, sharing, "Hoe is het nu?", "", options, 4)
        ref = self.do(sessions.ask, words)
        with self.circle.database.read(self.circle.hanna.actor) as r:
            session, found = steering.lead(r, self.ref)
            return next(line.step.id for line in runsheet.lines(r, session, found) if line.ref == ref)

    def answer(self, who: Someone, step: str, value: object, **more: Any) -> exercises.Kept:
        return by(self.circle, who, answering.answer, self.circle.room, step, value, **more)


def by(circle: Circle, who: Someone, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """Somebody does something."""
    with circle.database.work(who.actor) as w:
        return call(w, *args, **more)


def led(database: Database, members: int = 3) -> Led:
    """A session that is open, at its first step, in a group of so many."""
    circle = builders.circle(database, members)
    return Led(circle, circle.open_session())
