"""Many Socket.IO connections on one thread, as cheaply as Python can: raw sockets, epoll, and no parsing on the way.

While load runs, a chunk of bytes is only stamped, counted and kept; it is read afterwards (`Hub.take`). A client that
parsed what it got while it measured would measure itself. Engine.IO's pings are the one thing answered at once.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Sequence

from benchmarks.frames import PING_FRAME, PONG, Malformed, Splitter, frame

READ = 16_384  # bytes a read: what one connection gets in a tick fits many times over
READY = 4_096  # connections looked at per turn
MARK = b'"seq":'  # stands once in every message delivered and in every acknowledgement of one
PATH = "/socket.io/?EIO=4&transport=websocket"

Chunk = tuple[float, "Wire", bytes]


class Refused(ConnectionError):
    """The server did not let this client in."""


class Wire:
    """One connection. `splitter` belongs to whoever reads the chunks."""

    __slots__ = ("backlog", "fd", "lost", "owner", "sock", "splitter", "tail")

    def __init__(self, sock: socket.socket, owner: object) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.owner = owner
        self.splitter = Splitter()
        self.backlog = b""  # what the kernel would not take yet
        self.tail = b""  # how the last chunk ended, when that may be the start of a ping
        self.lost = False


class Hub:
    """Holds the connections. Make them with `open`, then `shoot` and `listen`, then `take` what came in.

    `counted` is how many marks went by since it was last set to zero: enough to know when to stop listening, not a
    result. `late` are the seconds by which each shot left after its moment.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._wires: dict[int, Wire] = {}
        self._chunks: list[Chunk] = []
        self.counted = 0
        self.late: list[float] = []
        self.lost: list[Wire] = []

    def open(self, host: str, port: int, cookie: str, owner: object, *, timeout: float = 20.0) -> Wire:
        """Connect one client and wait until Socket.IO lets it in. Raises `Refused` or `OSError`."""
        sock = socket.create_connection((host, port), timeout=timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(sock, owner)
        try:
            early = _upgrade(sock, f"{host}:{port}", cookie)
            _await(wire, early, b"0")
            sock.sendall(frame(b"40", os.urandom(4)))
            _await(wire, b"", b"40")
        except BaseException:
            sock.close()
            raise
        sock.setblocking(False)
        self._wires[wire.fd] = wire
        self._epoll.register(wire.fd, select.EPOLLIN)
        return wire

    def send(self, wire: Wire, payload: bytes) -> None:
        """Send one Engine.IO packet."""
        self._write(wire, frame(payload, os.urandom(4)))

    def shoot(self, moments: Sequence[float], shots: Sequence[tuple[Wire, bytes]], end: float) -> None:
        """Write each ready-made frame at its moment (of `time.perf_counter`), and listen until `end`."""
        clock, late = time.perf_counter, self.late
        number, count = 0, len(shots)
        while True:
            now = clock()
            while number < count and moments[number] <= now:
                wire, data = shots[number]
                self._write(wire, data)
                late.append(now - moments[number])
                number += 1
                now = clock()
            if number >= count and now >= end:
                return
            self._turn(min(moments[number] if number < count else end, end) - now)

    def listen(self, seconds: float, enough: int | None = None, quiet: float | None = None) -> None:
        """Take in what comes for `seconds`, or until `enough` marks went by, or until nothing came for `quiet`."""
        clock = time.perf_counter
        end = clock() + seconds
        heard, last = len(self._chunks), clock()
        while (now := clock()) < end and (enough is None or self.counted < enough):
            if len(self._chunks) != heard:
                heard, last = len(self._chunks), now
            elif quiet is not None and now - last > quiet:
                return
            self._turn(min(end - now, 0.05))

    def once(self, wait: float) -> None:
        """Take in what is there, or what comes first within `wait` seconds."""
        self._turn(wait)
        self._turn(0.0)

    def take(self) -> list[Chunk]:
        """Everything that came in since the last time, in the order in which it came."""
        taken, self._chunks = self._chunks, []
        return taken

    def close(self) -> None:
        """Drop every connection."""
        for wire in list(self._wires.values()):
            self._drop(wire)
        self._epoll.close()

    def _turn(self, wait: float) -> None:
        ready = self._epoll.poll(0, READY)
        if not ready:
            if wait > 0:  # epoll itself waits in whole milliseconds
                select.select([self._epoll], [], [], wait)
            return
        wires, chunks, clock, read = self._wires, self._chunks, time.perf_counter, os.read
        counted = 0
        for fd, _what in ready:
            wire = wires[fd]
            try:
                data = read(fd, READ)
            except BlockingIOError:
                data = None
            except OSError:
                data = b""
            if data:
                chunks.append((clock(), wire, data))
                counted += data.count(MARK)
                if wire.tail or PING_FRAME in data or data[-1] in (0x81, 0x01):
                    self._ping(wire, data)
            elif data is not None:
                self._lose(wire)
                continue
            if wire.backlog:
                self._flush(wire)
        self.counted += counted

    def _ping(self, wire: Wire, data: bytes) -> None:
        joined = wire.tail + data
        for _ in range(joined.count(PING_FRAME)):
            self._write(wire, frame(PONG, os.urandom(4)))
        wire.tail = next((part for part in (PING_FRAME[:2], PING_FRAME[:1]) if joined.endswith(part)), b"")

    def _write(self, wire: Wire, data: bytes) -> None:
        if wire.lost:
            return
        if wire.backlog:
            wire.backlog += data
            return
        try:
            sent = wire.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose(wire)
            return
        if sent < len(data):
            wire.backlog = data[sent:]
            self._epoll.modify(wire.fd, select.EPOLLIN | select.EPOLLOUT)

    def _flush(self, wire: Wire) -> None:
        data, wire.backlog = wire.backlog, b""
        self._epoll.modify(wire.fd, select.EPOLLIN)
        self._write(wire, data)

    def _lose(self, wire: Wire) -> None:
        self.lost.append(wire)
        self._drop(wire)

    def _drop(self, wire: Wire) -> None:
        wire.lost = True
        self._epoll.unregister(wire.fd)
        del self._wires[wire.fd]
        wire.sock.close()


def _upgrade(sock: socket.socket, host: str, cookie: str) -> bytes:
    """Ask for a WebSocket. Returns what came right behind the answer. Raises `Refused`."""
    key = "c2FtZW4tbG9zbGF0ZW4tMQ=="  # any sixteen bytes; that the answer fits it is the browser's care, not ours
    head = (
        f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nCookie: {cookie}\r\n\r\n"
    )
    sock.sendall(head.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = sock.recv(READ)
        if not more:
            raise Refused("the server hung up before it answered")
        answer += more
    answer, _, early = answer.partition(b"\r\n\r\n")
    status = answer.split(b"\r\n", 1)[0].decode("latin-1")
    if " 101" not in status:
        raise Refused(status)
    return early


def _await(wire: Wire, early: bytes, expected: bytes) -> None:
    """Wait for a packet that begins so. Raises `Refused` when another one comes, or none."""
    data = early or wire.sock.recv(READ)
    while data:
        try:
            packets = wire.splitter.feed(data)
        except Malformed as error:
            raise Refused(str(error)) from None
        for packet in packets:
            if not packet.startswith(expected):
                raise Refused(packet.decode(errors="replace"))
            return
        data = wire.sock.recv(READ)
    raise Refused("the server hung up in the handshake")
