"""One client's WebSocket on a socket that waits, for the loops without one of their own: gevent and threads.

`app.live.frames` reads and writes the frames. One thread (or greenlet) reads, another writes what is in the client's
outlet; either may end the connection, and so may anybody who shuts its socket.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.live import frames, limits

LINK = "samen.link"  # where a server puts the `Link` of a request
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455


class Framed(bytes):
    """Bytes that are frames already. The library's writer asks what it finds in the queue for its encoding."""

    def encode(self) -> Framed:
        return self


class Arriving(io.RawIOBase):
    """The bytes of a connection as they come in. While `until` is set, all of them must have come by then."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self.until: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.until is None:
            return self._connection.recv_into(buffer)
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        usual = self._connection.gettimeout()
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(usual)


@dataclass(slots=True)
class Link:
    """The connection a request came in on. Once it has a `websocket`, its server answers nothing more."""

    socket: socket.socket
    reader: io.BufferedIOBase
    websocket: WebSocket | None = None


class WebSocket:
    """What Engine.IO expects of a WebSocket: call it with a request, and it hands itself to `handler`.

    `socket` is public because Engine.IO sets its timeout, so that a client that falls silent is noticed.
    """

    socket: socket.socket

    def __init__(self, handler: Callable[[WebSocket], object], server: Any) -> None:
        self._handler = handler
        self._inbox = frames.Inbox(server.max_http_buffer_size)
        self._ready: deque[str] = deque()
        self._budget = limits.Budget()
        self._sending = threading.Lock()
        self._reader: io.BufferedIOBase

    @staticmethod
    def pause() -> None:
        """Let others go first. A cooperative loop needs this between two packets of a client that never pauses."""

    @property
    def writing(self) -> bool:
        """Is somebody in the middle of a frame?"""
        return self._sending.locked()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the handshake, and stay until the connection ends."""
        key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
        if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not _is_key(key):
            start_response("400 Bad Request", [("Content-Length", "0"), ("Sec-WebSocket-Version", "13")])
            return [b""]
        link: Link = environ[LINK]
        link.websocket, self.socket, self._reader = self, link.socket, link.reader
        accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
        self.socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        try:
            self._handler(self)
        finally:
            self.close()
        return []

    def send(self, message: str | bytes) -> None:
        """Send one packet. Raises `OSError` when the client is gone, or has not read for too long."""
        if isinstance(message, str):
            message = frames.text(message.encode())
        with self._sending:
            self.socket.sendall(message)

    def wait(self) -> str | None:
        """The next packet; None once nothing more is to be read: gone, silent, too fast, or not as agreed."""
        while not self._ready:
            try:
                data = self._reader.read1(limits.READ_AT_ONCE)
                if not data:
                    return None
                self._ready.extend(self._inbox.feed(data))
                for pong in self._inbox.answers():
                    if not self._budget.spend():
                        return None
                    self.send(pong)
            except (OSError, ValueError, frames.Goodbye):
                return None
            except frames.Broken as broken:
                self._say_why(broken.status)
                return None
        packet = self._ready.popleft()
        if not self._budget.spend() or not limits.may_send(packet):
            return None
        if self._ready:
            self.pause()
        return packet

    def close(self) -> None:
        """End the connection now. Whoever reads or writes at this moment is woken."""
        shut(self.socket)

    def _say_why(self, status: int) -> None:
        """The code of the goodbye, if the client reads and nobody is in the middle of a frame."""
        if self.writing:
            return
        try:
            self.send(frames.close(status))
        except OSError:
            pass  # it is gone already


class Outlet:
    """Comes before a queue class: what goes out to one client, in order, and never more than it may leave unread.

    `straight` is set where a loop can write without waiting: then only what the socket does not take now is queued, and
    the library's writer sends that. A client that lets the queue fill up is cut; it catches up by sequence number.
    """

    raw: socket.socket | None = None
    straight: Callable[[bytes], int] | None = None
    websocket: WebSocket | None = None
    held: bytes = b""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.RLock()
        self._size = 0  # bytes that wait

    def open(self, environ: Any) -> None:
        """Learn which connection this is for."""
        link: Link = environ[LINK]
        self.websocket, self.raw = link.websocket, link.socket

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        item = super().get(block)  # type: ignore[misc]  # a writer without work is no sign of a dead client: pings are
        if item is not None:
            with self._turn:
                self._size -= len(item)
        return item

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is None:
            super().put(None)  # type: ignore[misc]
        else:
            self.write(frames.text(item.encode().encode()))

    def hold(self, frame: bytes) -> None:
        with self._turn:
            self.held += frame

    def flush(self) -> None:
        with self._turn:
            if self.held:
                self.write(b"")

    def write(self, frame: bytes) -> None:
        with self._turn:
            frame, self.held = self.held + frame, b""
            frame = frame[self._written(frame) :]
            if not frame:
                return
            if self.qsize() >= limits.PENDING or self._size >= limits.PENDING_BYTES:  # type: ignore[attr-defined]
                self.shut()
                return
            self._size += len(frame)
            super().put(Framed(frame))  # type: ignore[misc]

    def shut(self) -> None:
        """Forget what waits, let the writer stop, and end the connection."""
        try:
            while True:
                self.get_nowait()  # type: ignore[attr-defined]
                self.task_done()  # type: ignore[attr-defined]
        except queue.Empty:
            pass
        super().put(None)  # type: ignore[misc]
        if self.raw is not None:
            shut(self.raw)

    def _written(self, frame: bytes) -> int:
        """How much of it the socket took at once: nothing where others wait, or a frame is not finished."""
        if self.straight is None or self.qsize() or self.websocket is None or self.websocket.writing:  # type: ignore[attr-defined]
            return 0
        try:
            return self.straight(frame)
        except BlockingIOError:
            return 0
        except OSError:
            return len(frame)  # it is gone: its reader sees that too


def shut(connection: socket.socket) -> None:
    """End a connection from outside, in both directions."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is gone already


def harden(server: Any, socket_class: type[WebSocket], outlet_class: Callable[[], Any]) -> None:
    """Let a python-socketio server use these for every client."""
    server.eio._async = server.eio._async | {"websocket": socket_class}
    server.eio.create_queue = lambda *args, **kwargs: outlet_class()


def adopt(server: Any, sid: str, environ: Any) -> Any:
    """The line to a new client: its outlet, which now knows the connection."""
    outlet = outlet_of(server, sid)
    outlet.open(environ)
    return outlet


def frame(text: str) -> bytes:
    """A Socket.IO packet as bytes that can be written to any number of clients."""
    return frames.text(b"4" + text.encode())


def cut(server: Any, sid: str) -> None:
    """End one client's connection now, whether or not it reads."""
    outlet = outlet_of(server, sid)
    server.disconnect(sid, ignore_queue=True)
    if outlet is not None:
        outlet.shut()


def outlet_of(server: Any, sid: str) -> Any:
    """What goes out to this client, or None if it is gone."""
    client = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
    return getattr(client, "queue", None)


def listener(host: str, port: int) -> socket.socket:
    """Where clients come in. What is set here is inherited by the sockets it accepts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=limits.BACKLOG)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.SEND_BUFFER)
    return made


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
