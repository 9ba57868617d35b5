"""A crowd of members on one server, messages offered at a rate, and what became of each of them."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from benchmarks.checker import Acked, History, Row, Seen, problems
from benchmarks.client import Client
from benchmarks.servers import HOST, Person, Server
from benchmarks.texts import Texts

OPENING = 25  # connections opened at the same time
DRAIN = 30.0  # seconds after a step in which everything must have come in


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the scheduled moment of sending."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of load. Rates are a second; `cpu_per_1000` is seconds for 1,000 messages."""

    offered: float
    seconds: float
    sent: int
    acked: int
    messages_per_second: float
    deliveries_per_second: float
    delivery_ms: Latency
    ack_ms: Latency
    cpu_per_1000: float
    server_busy: float
    generator_busy: float
    complete: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Member:
    """One connected person and everything they were shown, in the order it came."""

    def __init__(self, person: Person, crowd: Crowd) -> None:
        self.person = person
        self.seen: list[Seen] = []
        self._crowd = crowd
        self.client: Client | None = None

    async def enter(self, port: int) -> None:
        """Connect and enter the room. Raises as `Client.open`, and `RuntimeError` when the room refuses."""
        self.client = await Client.open(HOST, port, self.person.cookie, self._heard)
        ack = await self.client.call("room.join", {"room": self.person.room, "after": 0})
        if not ack["ok"]:
            raise RuntimeError(f"room.join was refused: {ack}")

    async def catch_up(self) -> int:
        """Fill every gap by `room.sync`, as a client does. Returns how many messages were missing."""
        assert self.client is not None
        before, after = len(self.seen), 0
        have = {item.seq for item in self.seen}
        while True:
            while after + 1 in have:
                after += 1
            ack = await self.client.call("room.sync", {"room": self.person.room, "after": after})
            if not ack["items"]:
                break
            for item in ack["items"]:
                after = item["seq"]
                if after not in have:
                    self.seen.append(Seen(after, item["text"]))
        if len(self.seen) > before:
            self.seen.sort(key=lambda seen: seen.seq)
        return len(self.seen) - before

    def _heard(self, event: str, data: Any) -> None:
        if event == "messages":
            for item in data["items"]:
                self.seen.append(Seen(item["seq"], self._crowd.delivered(item["text"])))


class Crowd:
    """Everybody on one server. `step` offers load, and in the end `verdict` says whether all held."""

    def __init__(self, server: Server, people: Sequence[Person], seed: int) -> None:
        self.server = server
        self.members = [Member(person, self) for person in people]
        self.acked: list[Acked] = []
        self.refused: list[Any] = []
        self._random = random.Random(seed)
        self._texts = Texts(seed)
        self._size = len(people) // len({p.room for p in people})
        self._unanswered: set[str] = set()  # keys
        self._due: dict[str, tuple[float, str]] = {}  # text -> scheduled moment, and the one copy of the text
        self._delivery: list[float] = []
        self._ack: list[float] = []
        self._sent = 0
        self._last = 0.0

    async def enter(self) -> None:
        """Bring everybody in, a few at a time."""
        gate = asyncio.Semaphore(OPENING)

        async def one(member: Member) -> None:
            async with gate:
                await member.enter(self.server.port)

        await asyncio.gather(*(one(member) for member in self.members))

    async def leave(self) -> None:
        """Disconnect everybody."""
        await asyncio.gather(*(m.client.close() for m in self.members if m.client is not None))

    async def step(self, rate: float, seconds: float) -> Step:
        """Offer `rate` messages a second for `seconds`, as independent people would; wait for the rest."""
        self._delivery, self._ack, self._sent = [], [], 0
        cpu, own, began = self.server.cpu_seconds(), time.process_time(), time.perf_counter()
        due, end = began + self._random.expovariate(rate), began + seconds
        while due < end:
            now = time.perf_counter()
            while due <= now and due < end:
                self._send(due)
                due += self._random.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        complete = await self._drained()
        took = max(self._last, end) - began
        cpu, own = self.server.cpu_seconds() - cpu, time.process_time() - own
        return Step(
            offered=rate,
            seconds=seconds,
            sent=self._sent,
            acked=len(self._ack),
            messages_per_second=round(len(self._ack) / took, 1),
            deliveries_per_second=round(len(self._delivery) / took, 1),
            delivery_ms=_latency(self._delivery),
            ack_ms=_latency(self._ack),
            cpu_per_1000=round(cpu / max(1, len(self._ack)) * 1000, 3),
            server_busy=round(cpu / took, 2),
            generator_busy=round(own / took, 2),
            complete=complete,
        )

    async def verdict(self, rows: Sequence[Row]) -> tuple[list[str], int]:
        """What is wrong, in sentences, and how many messages members had to fetch by `room.sync`."""
        wrong = [f"refused: {answer}" for answer in self.refused[:5]]
        for member in self.members:
            numbers = [item.seq for item in member.seen]
            if any(later <= earlier for earlier, later in pairwise(numbers)):
                wrong.append(f"{member.person.alias} in {member.person.room} was not served in order, once each")
        fetched = sum([await member.catch_up() for member in self.members])
        seen = {(m.person.room, m.person.alias): m.seen for m in self.members}
        return wrong + problems(History(self.acked, rows, seen, frozenset(self._unanswered))), fetched

    def delivered(self, text: str) -> str:
        """Note that a text reached one member. Returns the one copy of it that is kept."""
        self._last = time.perf_counter()
        if text not in self._due:
            return text  # nobody sent this: the checker will say so
        scheduled, kept = self._due[text]
        self._delivery.append(self._last - scheduled)
        return kept

    def _send(self, due: float) -> None:
        member = self._random.choice(self.members)
        text, key, room = self._texts(), str(uuid.uuid4()), member.person.room
        self._due[text] = (due, text)
        self._unanswered.add(key)

        def acked(answer: Any) -> None:
            self._last = time.perf_counter()
            self._unanswered.discard(key)
            if answer.get("status") != "posted":
                self.refused.append(answer)
                return
            self._ack.append(self._last - due)
            self.acked.append(Acked(room, answer["seq"], key, text))

        assert member.client is not None
        member.client.send("message.send", {"room": room, "key": key, "text": text}, acked)
        self._sent += 1

    async def _drained(self) -> bool:
        """Wait until everything sent was acked and delivered. Returns whether that happened in time."""
        deadline = time.perf_counter() + DRAIN
        while time.perf_counter() < deadline:
            if len(self._ack) >= self._sent and len(self._delivery) >= self._sent * self._size:
                return True
            await asyncio.sleep(0.01)
        return False


def _latency(seconds: list[float]) -> Latency:
    if not seconds:
        return Latency(*[DRAIN * 1000] * 3)
    ordered = sorted(seconds)
    cut = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return Latency(*[round(value * 1000, 2) for value in cut])
