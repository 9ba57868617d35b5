"""The house a play is in: a real server on a real database, its people, and the hour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.core import keys
from app.core.crypto import Vault
from app.core.db import open_engine
from app.core.permissions import Role
from app.core.settings import Settings
from app.core.work import Database, Work
from groups import rooms
from groups.agenda import runsheet, steering
from groups.led import stage
from groups.models import Room
from groups.rules import FACILITATOR
from groups.talk import conversation
from tests import builders
from tests.builders import Someone
from tests.replay.record import Record
from tests.replay.screen import Screen
from tests.replay.script import Play
from tests.server import Server

DAYS_BEFORE = 7  # since when the group is there


class House:
    """A group with everybody of a play in it; `now` is the hour of the play, for the server too."""

    def __init__(self, folder: Path, url: str, play: Play, mode: str = "") -> None:
        self.play, self.record = play, Record(play.cast)
        self.line = 0
        self.session = ""
        self._clock = folder / "clock"
        self.plug = folder / "plug"
        extra = {
            "SAMEN_DATABASE_URL": url,
            "SAMEN_PLAY_CLOCK": str(self._clock),
            "SAMEN_PLAY_PLUG": str(self.plug),
            "SAMEN_ASYNC_MODE": mode,
        }
        self.server = Server(folder, extra=extra, runs=("tests.replay.server",))
        settings = Settings(data_dir=folder, database_url=url)
        keys.ensure(settings)
        known = keys.load(settings)
        vault, engine = Vault(keys.masters(settings)), open_engine(url)
        self.database = Database(engine, vault, lambda: self.now, known.derive("audit"), b"no code is used here")
        self.set(play.begins - timedelta(days=DAYS_BEFORE))
        self.group, self.room, self.people = self._people()
        self.screens = {alias: self._screen(alias) for alias in (*play.cast, *play.away)}

    def set(self, now: datetime) -> None:
        """Turn the page to this moment, all at once for whoever looks."""
        self.now = now
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(now.isoformat(), encoding="ascii")
        fresh.replace(self._clock)

    def advance(self, minute: float) -> None:
        """Go on to a minute of the play; whoever is awake gives a sign of life at each minute on the way."""
        goal = self.play.begins + timedelta(minutes=minute)
        while self.now < goal:
            if self.awake():
                self.set(min(goal, self.now.replace(second=0) + timedelta(minutes=1)))
                for screen in self.awake():
                    screen.beat()
                for screen in self.awake():
                    screen.answered()
            else:
                self.set(goal)

    def awake(self) -> list[Screen]:
        """The screens that are open now."""
        return [screen for screen in self.screens.values() if screen.awake]

    def here(self) -> list[Screen]:
        """The screens that are open in the group's own room."""
        return [screen for screen in self.awake() if screen.room == self.room]

    @contextmanager
    def reading(self, alias: str) -> Iterator[Work]:
        """The rows, as this person may read them."""
        with self.database.read(self.people[alias].actor) as r:
            yield r

    def state(self) -> dict[str, Any] | None:
        """Where the session stands by its rows."""
        if not self.session:
            return None
        with self.reading(self.play.lead) as r:
            row, found = steering.lead(r, self.session)
            return stage.state(r, row, found) if row.opened_at else None

    def talk(self, alias: str) -> list[dict[str, Any]]:
        """The conversation by its rows, as this person may read it."""
        with self.reading(alias) as r:
            return [item.as_dict() for item in conversation.history(r, rooms.place(r, self.room), 0)]

    def sheet(self) -> list[runsheet.Line]:
        """The run-sheet by its rows."""
        with self.reading(self.play.lead) as r:
            return runsheet.lines(r, *steering.lead(r, self.session))

    def version(self) -> int:
        """The version of the session by its row: for who has no screen of it yet."""
        with self.reading(self.play.lead) as r:
            return steering.lead(r, self.session)[0].version

    def close(self) -> None:
        """Let everybody go, and stop the server."""
        for screen in self.screens.values():
            screen.hang_up()
        self.server.stop()
        self.database.engine.dispose()

    def _people(self) -> tuple[str, str, dict[str, Someone]]:
        database, play = self.database, self.play
        organisation = builders.organisation(database)
        with database.work() as w:
            group = rooms.open_group(w, organisation, play.group)
            room = w.db.scalars(select(Room.public_id).where(Room.group_id == group.id)).one()
        lead = builders.someone(database, organisation, Role.FACILITATOR, name=play.lead)
        people = {play.lead: builders.seat(database, group.id, *lead, play.lead, FACILITATOR)}
        for alias in (*play.members, *play.away):
            people[alias] = builders.seat(database, group.id, *builders.someone(database, organisation), alias)
        return group.public_id, room, people

    def _screen(self, alias: str) -> Screen:
        off = self.play.wrong_clocks.get(alias, 0.0)
        someone = self.people[alias]
        return Screen(self.server, someone, self.room, self.record, lambda: self.now, off, lambda: self.line)
