"""A running server with a few people, and sockets to it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.server import MODES, Server

WAIT = 10  # seconds
GROUPS = 20  # made at a time


class Screen:
    """One open screen: a real Socket.IO client with a person's session cookie."""

    def __init__(self, server: Server, person: dict[str, Any]) -> None:
        self.person = person
        self.room = person["room"]
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.gone = queue.Queue[bool]()
        self.client = socketio.Client(reconnection=False)
        self.client.on("*", lambda event, data=None: self.events.put((event, data)))
        self.client.on("disconnect", lambda *_: self.gone.put(True))
        self.client.connect(server.url, headers={"Cookie": person["cookie"]}, transports=["websocket"])

    def ask(self, event: str, data: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        answer: dict[str, Any] = self.client.call(event, data, timeout=WAIT)
        return answer

    def join(self, **more: Any) -> dict[str, Any]:
        return self.ask("room.join", {"room": self.room, **more})

    def hear(self, event: str) -> Any:
        """The next event of this name; others on the way are passed over."""
        while True:
            name, data = self.events.get(timeout=WAIT)
            if name == event:
                return data

    def close(self) -> None:
        self.client.disconnect()


@pytest.fixture(scope="module", params=MODES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server per loop and file; every test brings people of its own."""
    folder: Path = tmp_path_factory.mktemp("server")
    made = Server(folder).on(request.param).prepare()
    made.start()
    yield made
    made.stop()
    assert "failed" not in made.log(), made.log()


@pytest.fixture(scope="module")
def crowd(server: Server) -> Iterator[list[dict[str, Any]]]:
    """People who have met no test yet, two groups at a time."""

    def more() -> Iterator[list[dict[str, Any]]]:
        while True:
            made = server.people(GROUPS, 3)
            size = 2 * len(made) // GROUPS
            yield from (made[at : at + size] for at in range(0, len(made), size))

    return more()


@pytest.fixture
def people(crowd: Iterator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Two groups of three members and a facilitator, whom no other test knows."""
    return next(crowd)


@pytest.fixture
def screens(server: Server, people: list[dict[str, Any]]) -> Iterator[list[Screen]]:
    """An open screen for everybody of the first group."""
    opened = [Screen(server, person) for person in people[:4]]
    yield opened
    for screen in opened:
        screen.close()
