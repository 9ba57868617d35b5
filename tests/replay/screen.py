"""One person's open screen: a Socket.IO client, a browser for the forms, and a view of what was heard."""

from __future__ import annotations

import html
import json
import queue
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import socketio

from tests.builders import Someone
from tests.replay.record import Record
from tests.replay.view import Clock, View
from tests.server import Server
from tests.site import Browser, Page

WAIT = 10.0  # seconds for what should come at once
JSON = {"Accept": "application/json"}


class Screen:
    """Awake while it has a socket. `aside` is the breakout it is in, with the room to come back to, and until when.

    Its clock is `hours_off`: it only ever measures lengths of time with it.
    """

    def __init__(
        self, server: Server, someone: Someone, room: str, record: Record, clock: Clock, hours_off: float, line: Any
    ) -> None:
        self.alias, self.main, self.room = someone.alias, room, room
        self.record, self._line = record, line
        self._server, self._cookie = server, f"samen_session={someone.token}"
        self._clock: Clock = lambda: clock() + timedelta(hours=hours_off)
        self.view = View(self.alias, self._clock)
        self.aside: tuple[str, str, Any] | None = None
        self.pair = ""  # the last breakout this screen was in
        self.open: dict[str, str] = {}  # key -> text: sent, not answered
        self.browser = Browser(server.url, self._cookie)
        self._token = ""
        self._signs: queue.Queue[dict[str, Any]] = queue.Queue()
        self._client: socketio.Client | None = None
        self._told = threading.Condition()

    @property
    def seconds_aside(self) -> float:
        """How long the breakout still lasts, by this screen's own clock."""
        return (self.aside[2] - self._clock()).total_seconds() if self.aside else 0.0

    @property
    def awake(self) -> bool:
        return self._client is not None

    def connect(self) -> None:
        """Open a socket, and enter the room where this screen was."""
        self._client = socketio.Client(reconnection=False)
        self._client.on("*", self._hear)
        gone = self._gone = threading.Event()
        self._client.on("disconnect", lambda *_why: gone.set())
        self._client.connect(self._server.url, headers={"Cookie": self._cookie}, transports=["websocket"])
        self.join()

    def join(self) -> dict[str, Any]:
        """Ask where everybody is, and for what was missed."""
        main = self.room == self.main
        ack = self.ask("room.join", {"room": self.room, **({"after": self.view.head} if main else {})})
        if main:
            with self._told:
                self.view.enter(ack)
                self._told.notify_all()
        else:
            self._step_aside(**ack["breakout"])
        if main and ack["breakout"]:
            self.go_to(ack["breakout"]["room"])
        return ack

    def go_to(self, room: str) -> None:
        """Another page of the same person: another socket."""
        self.hang_up()
        self.room, self.aside = room, None
        self.connect()

    def hang_up(self) -> None:
        """Be gone: the phone is in a pocket, or the page was closed."""
        if self._client is not None:
            self._client.disconnect()
        self._client = None

    def wait_until_cut(self) -> None:
        """The server is gone, and this screen knows."""
        assert self._gone.wait(WAIT), f"{self.alias} did not notice"
        self._client = None

    def ask(self, event: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send an event, return its answer."""
        assert self._client is not None, f"{self.alias} is asleep"
        ack: dict[str, Any] = self._client.call(event, data, timeout=WAIT)
        self.record.hear(self._line(), self.alias, event, ack)
        return ack

    def write(self, text: str) -> None:
        """Write a message that is not sent yet, or is on its way; `open` keeps it until it is answered."""
        key = str(uuid.uuid4())
        self.open[key] = text
        if self._client is not None:
            self._client.emit("message.send", {"room": self.room, "key": key, "text": text})

    def say(self, text: str) -> dict[str, Any]:
        """Send a message. The same again must be answered the same: it is stored once."""
        message = {"room": self.room, "key": str(uuid.uuid4()), "text": text}
        ack = self.ask("message.send", message)
        if ack["ok"]:
            assert self.ask("message.send", message) == ack
        return ack

    def get(self, path: str) -> Page:
        """A page, written down with all that is on it."""
        page = self.browser.get(path)
        self.record.hear(self._line(), self.alias, path, html.unescape(page.text))
        return page

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Send a form as a script does."""
        answer: dict[str, Any] = json.loads(self.form(path, headers=JSON, **fields).text)
        return answer

    def form(self, path: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Page:
        """Send a form, as a page without scripts does."""
        self._token = self._token or self.browser.get("/hulp").token
        filled = {name: str(value) for name, value in fields.items()} | {"csrf_token": self._token}
        page = self.browser.post(path, filled, page="", **(headers or {}))
        self.record.hear(self._line(), self.alias, path, html.unescape(page.text))
        return page

    def beat(self) -> None:
        """Give a sign of life. Once everybody did, `answered` hears what came of it."""
        if self.aside is not None and self.seconds_aside <= 0:
            self._come_back(*self.aside[:2])  # the time is over by this screen's own clock
        assert self._client is not None
        self._client.emit("session.here", {"room": self.room}, callback=self._signs.put)

    def answered(self) -> None:
        """The answer to a sign of life; where it shows that something was missed, enter again."""
        ack = self._signs.get(timeout=WAIT)
        self.record.hear(self._line(), self.alias, "session.here", ack)
        assert ack["ok"], ack
        if self.room == self.main:
            with self._told:
                self.view.roster = ack.get("roster", self.view.roster)
            if ack["version"] is not None and ack["version"] != self.view.version:
                self.join()

    def _step_aside(self, room: str, back: str, seconds: int) -> None:
        """In a breakout, until it is over; somebody who slept may find that it is."""
        self.pair, self.aside = room, (room, back, self._clock() + timedelta(seconds=seconds))
        if not seconds:
            self._come_back(room, back)

    def _come_back(self, pair: str, back: str) -> None:
        page = self.browser.get(f"/ruimte/{pair}")
        assert page.headers.get("location", "").endswith(f"/ruimte/{back}"), f"{self.alias} is not led back"
        self.go_to(back)

    def until(self, holds: Callable[[View], bool]) -> bool:
        """Wait until something holds on this screen; False if it does not come to that."""
        with self._told:
            return self._told.wait_for(lambda: holds(self.view), WAIT)

    def _hear(self, event: str, data: Any = None) -> None:
        self.record.hear(self._line(), self.alias, event, data)
        with self._told:
            if event == "notice" or (data or {}).get("room") == self.main:
                self.view.hear(event, data)
            self._told.notify_all()
