"""What one account gets to see: every page, every live answer and event, its own data. Kept as it came in."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import flask

from app.core.actor import Actor
from app.main import PARTS

BASE = "http://localhost:5000"
_LINK = re.compile(r'(?:href|action)="(/[^"#]*)')
_NOT_FOLLOWED = re.compile(r"^/(?:weg|uit|s/|taal)")  # leaving, and files that are the same for everybody
_EVENTS = {event.name: event for part in PARTS for event in part.live_events}


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: where it came from (a page without its references, or an event), in which room, and what it said."""

    source: str
    room: str
    text: str
    page: bool


STEP_NOBODY_WROTE_AT = re.compile(r"^/programma/(?!understanding/|triggers/|gedeeld/|eerder/)[a-z]+/[a-z-]+")


def _kind(path: str) -> str:
    """What sort of page a link leads to: one at any message is like one at every other message of that room, and a step
    of a chapter in which nobody wrote like every other such step.
    """
    return STEP_NOBODY_WROTE_AT.sub("/programma/…/…", re.sub(r"=[^&#]*", "=", path.partition("#")[0]))


class Ear:
    """Where the lines of all open screens end: what each of them would hear."""

    def __init__(self) -> None:
        self.heard: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        self.sessions: dict[str, str] = {}  # of each screen


@dataclass(frozen=True, slots=True)
class Line:
    """The way out to one screen."""

    ear: Ear
    sid: str

    def write(self, frame: str) -> None:
        event, data = json.loads(frame[1:])
        self.ear.heard[self.sid].append((event, data))

    hold = write

    def flush(self) -> None:
        """Nothing is held."""


class Spy:
    """One account of the attacker, with a browser and an open screen."""

    def __init__(self, site: flask.Flask, ear: Ear, actor: Actor, token: str) -> None:
        self._house = site.extensions["samen"]
        self._ear, self._actor, self._sid = ear, actor, f"screen-{actor.person_id}"
        self._browser = site.test_client()
        self._browser.set_cookie(self._house.cookie, token, domain="localhost")
        self._looked: list[Seen] = []

    @property
    def seen(self) -> list[Seen]:
        """Everything, live events first."""
        heard = [
            Seen(event, str(data.get("room", "")), json.dumps(data), False)
            for event, data in self._ear.heard[self._sid]
        ]
        return heard + self._looked

    def listen(self, rooms: Sequence[str]) -> None:
        """Open a screen that stays in all these rooms."""
        self._ear.sessions[self._sid] = self._actor.session
        self._house.fanout.opened(self._sid, self._actor.session, Line(self._ear, self._sid))
        self._house.fanout.follow(self._sid, [f"person:{self._actor.person_id}"])
        for room in rooms:
            self._ask("room.join", room=room)

    def look(self, room: str) -> None:
        """One room as it is now: as a page, and live from its beginning."""
        self._get(f"/ruimte/{room}")
        self._ask("room.join", room=room)
        after, more = 0, True
        while more:
            items = self._ask("room.sync", room=room, after=after)["items"]
            after, more = (items[-1]["seq"], True) if items else (after, False)

    def look_everywhere(self, rooms: Iterable[str]) -> None:
        """Every page that can be reached by links, the rooms, and one's own data."""
        for room in rooms:
            self.look(room)
            self._get(f"/groep/{room}/gedeeld")
        waiting, known = deque(["/vandaag", "/gegevens.json"]), {"/vandaag", "/gegevens.json"}
        while waiting:
            text = self._get(waiting.popleft())
            for path in _LINK.findall(text):
                kind = _kind(path)
                if kind not in known and not _NOT_FOLLOWED.match(path):
                    known.add(kind)
                    waiting.append(path)

    def _get(self, path: str) -> str:
        answer = self._browser.get(path, base_url=BASE)
        assert answer.status_code < 500, path
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers)
        text = answer.get_data(as_text=True)
        of_room = re.fullmatch(r"/ruimte/([^/]+)|/groep/([^/]+)/gedeeld", path)
        room = next(filter(None, of_room.groups())) if of_room else ""
        source = re.sub(r"/[a-z0-9]{12}\b", "/…", path.partition("?")[0])
        self._looked.append(Seen(source, room, text, answer.mimetype == "text/html"))
        self._looked.append(Seen(f"headers of {source}", "", headers, True))
        return text

    def _ask(self, name: str, **data: Any) -> dict[str, Any]:
        event = _EVENTS[name]
        assert event.handle is not None
        with self._house.database.work(self._actor) as w:
            reply = event.handle(w, event.parse(self._actor, data))
        self._house.fanout.follow(self._sid, reply.follow)
        self._looked.append(Seen(f"answer to {name}", str(data["room"]), json.dumps(reply.ack), False))
        return json.loads(json.dumps(reply.ack))
