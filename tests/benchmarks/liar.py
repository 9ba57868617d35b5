"""A Socket.IO server of a hundred lines that does what the contract asks, or one thing wrong on purpose."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from benchmarks.checker import Row
from benchmarks.frames import PING_FRAME
from benchmarks.servers import Person, free_port
from tests.benchmarks.test_frames import served

EVERY = 5  # the message with every fifth number is the one it lies about


class Liar:
    """Stands in for `benchmarks.servers.Server`. `lie` names what it does wrong; "" is honest.

    `pongs` counts the answers to its pings, which it sends in two pieces.
    """

    def __init__(self, lie: str = "") -> None:
        self.lie = lie
        self.port = free_port()
        self.people = [Person(f"room{room}", f"Lid {n}", f"seat={room}-{n}") for room in range(2) for n in range(3)]
        self.kept: dict[str, list[dict[str, Any]]] = {"room0": [], "room1": []}
        self.keys: dict[str, str] = {}  # text -> key
        self.pongs = 0
        self._present: list[tuple[str, socket.socket]] = []
        self._held: list[tuple[socket.socket, bytes]] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cpu_seconds(self) -> float:
        return 0.0

    def waited_seconds(self) -> float:
        return 0.0

    def rows(self) -> list[Row]:
        forgets = [
            item for items in self.kept.values() for item in items if self.lie == "forgets" and item["seq"] == EVERY
        ]
        return [
            Row(room, item["seq"], self.keys[item["text"]], item["text"])
            for room, items in self.kept.items()
            for item in items
            if item not in forgets
        ]

    def ping(self, cut: int, between: Callable[[], None]) -> None:
        """Ask everybody whether they are there; after `cut` bytes of the question comes what happens in between."""
        for _room, sock in self._present:
            sock.sendall(PING_FRAME[:cut])
        between()
        for _room, sock in self._present:
            sock.sendall(PING_FRAME[cut:])

    def close(self) -> None:
        self._listener.close()
        for _room, sock in self._present:
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _address = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" + served(b"0{}"))
        with suppress(OSError, ValueError):
            while True:
                self._packet(sock, _read(sock))

    def _packet(self, sock: socket.socket, packet: str) -> None:
        if packet == "40":
            sock.sendall(served(b'40{"sid":"x"}'))
        elif packet == "3":
            with self._lock:
                self.pongs += 1
        elif packet.startswith("42"):
            start = packet.index("[")
            event, data = json.loads(packet[start:])
            with self._lock:
                answer = getattr(self, "_" + event.replace(".", "_"))(sock, data)
                sock.sendall(_event(f"43{packet[2:start]}", [answer]))
                for other, frame in self._held:
                    other.sendall(frame)
                self._held.clear()

    def _room_join(self, sock: socket.socket, data: dict[str, Any]) -> dict[str, Any]:
        self._present.append((data["room"], sock))
        return {"ok": True, "items": []}

    def _room_sync(self, _sock: socket.socket, data: dict[str, Any]) -> dict[str, Any]:
        items = [item for item in self.kept[data["room"]] if item["seq"] > data["after"]]
        if self.lie == "loses for good":
            items = [item for item in items if item["seq"] % EVERY]
        return {"ok": True, "items": items}

    def _message_send(self, sock: socket.socket, data: dict[str, Any]) -> dict[str, Any]:
        room = data["room"]
        seq = len(self.kept[room]) + 1
        item = {"seq": seq, "text": data["text"]}
        self.kept[room].append(item)
        self.keys[data["text"]] = data["key"]
        members = [other for name, other in self._present if name == room]
        wrong = seq % EVERY == 0
        for number, member in enumerate(members):
            frame = _event("42", ["messages", {"room": room, "items": [item]}])
            if wrong and number == 0 and self.lie in ("loses", "loses for good"):
                continue
            if wrong and number == 0 and self.lie == "swaps":
                self._swapped = (member, frame)
                continue
            self._held.append((member, frame))
            if wrong and number == 0 and self.lie == "doubles":
                self._held.append((member, frame))
            if number == 0 and self.lie == "swaps" and seq % EVERY == 1 and seq > 1:
                self._held.append(self._swapped)
        if wrong and self.lie == "refuses":
            return {"ok": False, "code": "forbidden"}
        return {"ok": True, "seq": seq, "status": "posted"}


def _event(kind: str, values: list[Any]) -> bytes:
    return served((kind + json.dumps(values, separators=(",", ":"))).encode())


def _read(sock: socket.socket) -> str:
    """One masked frame of the client."""
    head = _exactly(sock, 2)
    size = head[1] & 0x7F
    if size == 126:
        size = int.from_bytes(_exactly(sock, 2), "big")
    mask, payload = _exactly(sock, 4), _exactly(sock, size)
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)).decode()


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise OSError("gone")
        data += more
    return data
