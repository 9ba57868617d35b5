"""A crowd of members on one server, messages offered at a rate, and what became of each of them.

Latency runs from the moment a message was to be sent, so a client or a server that falls behind cannot hide it.
Everything is made before a step (texts, keys, masked frames) and read after it: the generator only writes and stamps.
"""

from __future__ import annotations

import gc
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import orjson

from benchmarks.checker import Acked, History, Row, Seen, problems
from benchmarks.frames import Malformed, frame
from benchmarks.hub import Chunk, Hub, Wire
from benchmarks.servers import HOST, Person, Server
from benchmarks.texts import Texts

LIMIT_MS = 250.0  # p99 of deliveries that a sustained rate must keep
DRAIN = 30.0  # seconds after a step in which everything must have come in
QUIET = 3.0  # seconds without a byte after which nothing more is expected
BUSY = 0.9  # of a core: beyond it the generator measures itself
DISTURBED = 0.1  # of the time: beyond it a step that fails says nothing about the server
MESSAGES = b'42["messages",'
OVERLOAD = ("unavailable", "rate_limited")  # refusals that say "not now"; any other means that something is wrong


class CallFailed(RuntimeError):
    """The server refused what every server must allow, or did not answer."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the scheduled moment of sending."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of load. Rates are a second; `cpu_per_1000` is seconds for 1,000 messages; `late_ms` is the p99 of
    how late the generator itself was; `server_waited` the part of the time in which the server wanted to run and
    somebody else had its core. `why` says in words why the step does not hold, and is empty when it does.
    """

    offered: float
    seconds: float
    sent: int
    acked: int
    messages_per_second: float
    deliveries_per_second: float
    delivery_ms: Latency
    ack_ms: Latency
    late_ms: float
    cpu_per_1000: float
    server_busy: float
    server_waited: float
    generator_busy: float
    complete: bool
    why: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Sent:
    """A message on its way."""

    room: str
    key: str
    text: str
    due: float = 0.0


class Member:
    """One connected person and everything they were shown, in the order it came."""

    __slots__ = ("person", "seen", "wire")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.seen: list[Seen] = []
        self.wire: Wire | None = None


class Crowd:
    """Everybody on one server. `step` offers load, and in the end `verdict` says whether all held."""

    def __init__(self, server: Server, people: Sequence[Person], seed: int) -> None:
        self.server = server
        self.hub = Hub()
        self.members = [Member(person) for person in people]
        self.acked: list[Acked] = []
        self.refused: list[Any] = []
        self.lost = 0
        self._random = random.Random(seed)
        self._texts = Texts(seed)
        self._size = len(people) // len({p.room for p in people})
        self._open: dict[int, Sent] = {}  # number of the acknowledgement -> what it is about
        self._sent: dict[str, Sent] = {}  # text -> the message that carries it
        self._answers: dict[int, Any] = {}
        self._next = 0
        self._delivery: list[float] = []
        self._ack: list[float] = []

    def enter(self) -> None:
        """Bring everybody in who is not. Raises `Refused`, `OSError` or `CallFailed`."""
        for member in self.members:
            if member.wire is None or member.wire.lost:
                member.wire = self.hub.open(HOST, self.server.port, member.person.cookie, member)
                self._call(member, "room.join", {"room": member.person.room, "after": 0})
        self.hub.lost.clear()

    def leave(self) -> None:
        """Disconnect everybody."""
        self.hub.close()

    def step(self, rate: float, seconds: float) -> Step:
        """Offer `rate` messages a second for `seconds`, as independent people would; wait for the rest."""
        offsets, shots, sent = self._prepare(rate, seconds)
        hub, refused, lost = self.hub, len(self.refused), len(self.hub.lost)
        self._delivery, self._ack, hub.counted = [], [], 0
        hub.late.clear()
        gc.collect()
        gc.disable()  # a full collection would stop the clock for everybody
        waited = self.server.waited_seconds()
        cpu, own, began = self.server.cpu_seconds(), time.process_time(), time.perf_counter()
        moments = [began + offset for offset in offsets]
        for message, due in zip(sent, moments, strict=True):
            message.due = due
        hub.shoot(moments, shots, began + seconds)
        busy = (time.process_time() - own) / (time.perf_counter() - began)
        hub.listen(DRAIN, enough=len(shots) * (1 + self._size), quiet=QUIET)
        cpu, waited = self.server.cpu_seconds() - cpu, self.server.waited_seconds() - waited
        gc.enable()
        last = self._read(hub.take())
        took = max(last, began + seconds) - began
        return self._result(rate, seconds, len(shots), took, (cpu, waited, busy), refused, lost)

    def verdict(self, rows: Sequence[Row]) -> tuple[list[str], int]:
        """What is wrong, in sentences, and how many messages members had to fetch by `room.sync`."""
        wrong = [f"refused: {answer}" for answer in self.refused if answer.get("code") not in OVERLOAD][:5]
        heads: dict[str, int] = {}
        for row in rows:
            heads[row.room] = max(heads.get(row.room, 0), row.seq)
        fetched = 0
        for member in self.members:
            numbers = [item.seq for item in member.seen]
            if any(later <= earlier for earlier, later in pairwise(numbers)):
                wrong.append(f"{member.person.alias} in {member.person.room} was not served in order, once each")
            if len(numbers) != heads.get(member.person.room, 0):
                fetched += self._catch_up(member)
        seen = {(m.person.room, m.person.alias): m.seen for m in self.members}
        unanswered = frozenset(message.key for message in self._open.values())
        return wrong + problems(History(self.acked, rows, seen, unanswered)), fetched

    def _prepare(self, rate: float, seconds: float) -> tuple[list[float], list[tuple[Wire, bytes]], list[Sent]]:
        """The moments of a step, and a ready-made frame for each."""
        offsets: list[float] = []
        shots: list[tuple[Wire, bytes]] = []
        messages: list[Sent] = []
        moment = self._random.expovariate(rate)
        present = [m for m in self.members if m.wire is not None and not m.wire.lost]
        while moment < seconds:
            member = self._random.choice(present)
            key = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            message = Sent(member.person.room, key, self._texts())
            data = {"room": message.room, "key": message.key, "text": message.text}
            self._next += 1
            self._open[self._next] = self._sent[message.text] = message
            packet = b"42%d" % self._next + orjson.dumps(["message.send", data])
            assert member.wire is not None
            shots.append((member.wire, frame(packet, self._random.randbytes(4))))
            offsets.append(moment)
            messages.append(message)
            moment += self._random.expovariate(rate)
        return offsets, shots, messages

    def _result(
        self,
        rate: float,
        seconds: float,
        sent: int,
        took: float,
        used: tuple[float, float, float],
        refused: int,
        lost: int,
    ) -> Step:
        """What became of a step. `used`: the server's processor time, its wait for a core, the generator's share."""
        cpu, waited, busy = used
        complete = len(self._ack) >= sent and len(self._delivery) >= sent * self._size
        delivery = _latency(self._delivery)
        gone, no = len(self.hub.lost) - lost, len(self.refused) - refused
        self.lost += gone
        reasons = []
        if busy > BUSY:
            reasons.append(f"the generator was the limit ({busy:.2f} of its core busy)")
        if gone:
            reasons.append(f"{gone} connections lost")
        if no:
            reasons.append(f"{no} messages refused")
        if not complete:
            reasons.append("not everything arrived")
        if delivery.p99 > LIMIT_MS:
            reasons.append(f"p99 over {LIMIT_MS:.0f} ms")
        if reasons and waited / took > DISTURBED:
            reasons.append(f"others had the server's core for {waited / took:.2f} of the time")
        return Step(
            offered=round(rate, 1),
            seconds=seconds,
            sent=sent,
            acked=len(self._ack),
            messages_per_second=round(len(self._ack) / took, 1),
            deliveries_per_second=round(len(self._delivery) / took, 1),
            delivery_ms=delivery,
            ack_ms=_latency(self._ack),
            late_ms=_latency(self.hub.late).p99,
            cpu_per_1000=round(cpu / max(1, len(self._ack)) * 1000, 4),
            server_busy=round(cpu / took, 2),
            server_waited=max(0.0, round(waited / took, 2)),
            generator_busy=round(busy, 2),
            complete=complete,
            why=", ".join(reasons),
        )

    def _read(self, chunks: Sequence[Chunk]) -> float:
        """Read what came in. Returns when the last delivery or acknowledgement was there."""
        cache: dict[bytes, list[tuple[Seen, float | None]]] = {}  # members of a room get the same bytes
        delivery, last = self._delivery, 0.0
        for at, wire, data in chunks:
            member: Any = wire.owner
            try:
                packets = wire.splitter.feed(data)
            except Malformed as error:
                self.refused.append({"code": "malformed", "message": str(error)})
                continue
            for packet in packets:
                if packet.startswith(MESSAGES):
                    items = cache.get(packet)
                    if items is None:
                        items = cache[packet] = self._items(packet)
                    for seen, due in items:
                        member.seen.append(seen)
                        if due is not None:
                            delivery.append(at - due)
                    last = at
                elif packet.startswith(b"43"):
                    self._answered(packet, at)
                    last = at
        return last

    def _items(self, packet: bytes) -> list[tuple[Seen, float | None]]:
        found: list[tuple[Seen, float | None]] = []
        for item in orjson.loads(packet[2:])[1]["items"]:
            message = self._sent.get(item["text"])  # what nobody sent has no moment: the checker will say so
            if message is None:
                found.append((Seen(item["seq"], item["text"]), None))
            else:
                found.append((Seen(item["seq"], message.text), message.due))
        return found

    def _answered(self, packet: bytes, at: float) -> None:
        start = packet.index(b"[")
        number, values = int(packet[2:start]), orjson.loads(packet[start:])
        answer = values[0] if values else None
        message = self._open.get(number)
        if message is None:
            self._answers[number] = answer
        elif isinstance(answer, dict) and answer.get("status") == "posted":
            del self._open[number]
            self._ack.append(at - message.due)
            self.acked.append(Acked(message.room, answer["seq"], message.key, message.text))
        else:
            self.refused.append(answer if isinstance(answer, dict) else {"code": "nothing", "message": repr(answer)})

    def _call(self, member: Member, event: str, data: dict[str, Any], timeout: float = 20.0) -> Any:
        """Send an event and wait for its answer. Raises `CallFailed`."""
        assert member.wire is not None
        self._next += 1
        number = self._next
        self.hub.send(member.wire, b"42%d" % number + orjson.dumps([event, data]))
        deadline = time.perf_counter() + timeout
        while number not in self._answers:
            if member.wire.lost or time.perf_counter() > deadline:
                raise CallFailed(f"{event} was not answered")
            self.hub.once(0.5)
            self._read(self.hub.take())
        answer = self._answers.pop(number)
        if not answer.get("ok"):
            raise CallFailed(f"{event} was refused: {answer}")
        return answer

    def _catch_up(self, member: Member) -> int:
        """Fill every gap by `room.sync`, as a client does. Returns how many messages were missing."""
        if member.wire is None or member.wire.lost:
            member.wire = self.hub.open(HOST, self.server.port, member.person.cookie, member)
        before, after = len(member.seen), 0
        have = {item.seq for item in member.seen}
        while True:
            while after + 1 in have:
                after += 1
            answer = self._call(member, "room.sync", {"room": member.person.room, "after": after})
            if not answer["items"]:
                break
            for item in answer["items"]:
                after = item["seq"]
                if after not in have:
                    have.add(after)
                    member.seen.append(Seen(after, item["text"]))
        member.seen.sort(key=lambda seen: seen.seq)
        return len(member.seen) - before


def _latency(seconds: Sequence[float]) -> Latency:
    if not seconds:
        return Latency(*[DRAIN * 1000] * 3)
    ordered = sorted(seconds)
    cut = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return Latency(*[round(value * 1000, 2) for value in cut])
