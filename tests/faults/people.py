"""A member with a stubborn client: reconnects, catches up, sends again what was not answered."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.checker import Acked, Seen
from benchmarks.client import Client
from benchmarks.servers import HOST, Person
from benchmarks.texts import Texts

PAGE = 200  # the most messages one answer holds
PAUSE = 0.1  # seconds between two attempts to reconnect, before jitter
GONE = (OSError, TimeoutError)  # what a client sees of a server that was killed


class Persistent:
    """Behaves as the protocol asks of a client. Use: `live` as a task, `finish`, wait for the task, `settle`.

    `resent` counts messages sent again with the same key, `comebacks` the connections after the first.
    `wrong` says in sentences what the server must never do, whatever happens to it.
    """

    def __init__(self, person: Person, port: int, seed: int, on_ack: Callable[[], None]) -> None:
        self.person = person
        self.acked: list[Acked] = []
        self.wrong: list[str] = []
        self.resent = self.comebacks = 0
        self._port = port
        self._on_ack = on_ack
        self._random = random.Random(f"{seed} {person.room} {person.alias}")
        self._texts = Texts(self._random.getrandbits(32))
        self._shown: dict[int, str] = {}
        self._live: set[int] = set()  # numbers that came as events on this connection
        self._open: dict[str, str] = {}  # key -> text: sent, not answered
        self._finishing = False
        self._client: Client | None = None

    @property
    def seen(self) -> list[Seen]:
        """What this member's screen holds, sorted by number as a client does."""
        return [Seen(seq, self._shown[seq]) for seq in sorted(self._shown)]

    def finish(self) -> None:
        """Write nothing new any more; `live` returns once everything is answered."""
        self._finishing = True

    async def live(self, rate: float) -> None:
        """Write `rate` messages a second and stay connected, whatever happens to the server."""
        while True:
            try:
                await self._connect()
                while not self._finishing:
                    self._send(str(uuid.uuid4()), self._texts())
                    await self._rest(self._random.expovariate(rate))
                while self._open:
                    await self._rest(PAUSE)
                return
            except GONE:
                if self._client is not None:
                    self._client.abort()
                await asyncio.sleep(PAUSE * self._random.uniform(0.5, 1.5))

    async def settle(self) -> None:
        """Catch up with what the others wrote last, and leave."""
        assert self._client is not None
        await self._sync()
        await self._client.close()

    async def _connect(self) -> None:
        again = self._client is not None
        self._client = await Client.open(HOST, self._port, self.person.cookie, self._heard)
        self.comebacks += again
        self._live.clear()
        ask = {"room": self.person.room, "after": self._complete_to()}
        ack = await self._client.call("room.join", ask)
        self._show(ack["items"])
        await self._sync()  # what did not fit in the first answer
        for key in list(self._open):
            self._send_again(key)

    async def _rest(self, seconds: float) -> None:
        """Wait, but no longer than the connection lives. Raises `ConnectionError` when it is gone."""
        assert self._client is not None
        done, _ = await asyncio.wait([self._client.closed], timeout=seconds)
        if done:
            raise ConnectionResetError("the connection is gone")

    def _send(self, key: str, text: str) -> None:
        self._open[key] = text

        def answered(answer: Any) -> None:
            if answer.get("status") == "posted":
                self._open.pop(key, None)
                self.acked.append(Acked(self.person.room, answer["seq"], key, text))
                self._on_ack()
            elif answer.get("code") in ("unavailable", "rate_limited"):
                asyncio.get_running_loop().call_later(PAUSE, self._send_again, key)
            else:
                self.wrong.append(f"{key} was refused: {answer}")

        assert self._client is not None
        self._client.send("message.send", {"room": self.person.room, "key": key, "text": text}, answered)

    def _send_again(self, key: str) -> None:
        if key in self._open and self._client is not None and not self._client.closed.done():
            self.resent += 1
            self._send(key, self._open[key])

    async def _sync(self) -> None:
        assert self._client is not None
        while True:
            ask = {"room": self.person.room, "after": self._complete_to()}
            ack = await self._client.call("room.sync", ask)
            self._show(ack["items"])
            if len(ack["items"]) < PAGE:
                return

    def _complete_to(self) -> int:
        """The highest number up to which nothing is missing."""
        last = 0
        while last + 1 in self._shown:
            last += 1
        return last

    def _heard(self, event: str, data: Any) -> None:
        if event == "messages":
            for item in data["items"]:
                if item["seq"] in self._live:
                    self.wrong.append(f"{self.person.alias} was sent number {item['seq']} twice")
                self._live.add(item["seq"])
            self._show(data["items"])

    def _show(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            if self._shown.setdefault(item["seq"], item["text"]) != item["text"]:
                self.wrong.append(f"{self.person.alias} saw two texts under number {item['seq']}")
