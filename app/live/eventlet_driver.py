"""The eventlet loop: the only module that knows eventlet, patched in one place and left with one setting.

It also closes what the stock server leaves open (measured and explained in `docs/decisions/0003-live-path.md`):
frames are unmasked in one go, fragments have a total size, compression is declined, a malformed frame ends the
connection cleanly, and a client that does not read is cut instead of filling the memory.
"""

from __future__ import annotations

import collections
import os
import socket
import time
import warnings
from typing import Any

from app.live import frames

PENDING = 200  # packets waiting for one client before it is cut
FRAMES_A_SECOND = 100
FRAMES_AT_ONCE = 400
SEND_BUFFER = 131_072  # bytes the kernel may hold for one client: beyond it the bounded queue fills
READ_AT_ONCE = 16_384  # bytes
MAX_SOCKETS = 8_000
HANDSHAKE_SECONDS = 10


def prepare() -> None:
    """Patch the standard library. Must run before anything else is imported; `app.wsgi` sees to that."""
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")  # psycopg's own waiting in C would stop the loop
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the loop's maintainers ask newcomers to look elsewhere; we did (decision 2)
        import eventlet
    eventlet.monkey_patch()
    from eventlet import tpool

    from app.core import native

    native.install(tpool.execute)
    _harden_frames()


def harden(server: Any) -> None:
    """Give every client an outlet of ours instead of an endless queue. `server` is a python-socketio server."""
    outlet = _outlet_class()
    server.eio.create_queue = lambda *args, **kwargs: outlet()


def adopt(server: Any, sid: str, environ: Any) -> Any:
    """The line to a new client: from now on its outlet writes to the socket by itself."""
    outlet = _queue_of(server, sid)
    outlet.open(environ["samen.websocket"])
    return outlet


def frame(text: str) -> bytes:
    """A Socket.IO packet as bytes that can be written to any number of clients."""
    return frames.text(b"4" + text.encode())


def cut(server: Any, sid: str) -> None:
    """End one client's connection now, whether or not it reads."""
    queue = _queue_of(server, sid)
    server.disconnect(sid, ignore_queue=True)
    if queue is not None:
        queue.shut()


def serve(app: Any, host: str, port: int) -> None:
    """Serve until stopped. No request line is logged: an address and a time are already somebody's secret."""
    import eventlet
    import eventlet.wsgi

    class Silent(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
        def log_message(self, *_line: Any) -> None:
            """Not even of a request that is malformed."""

    listener = eventlet.listen((host, port), backlog=1_024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # both are inherited by what it accepts
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    eventlet.wsgi.server(
        listener,
        app,
        max_size=MAX_SOCKETS,
        socket_timeout=HANDSHAKE_SECONDS,
        keepalive=True,
        debug=False,
        log_output=False,
        protocol=Silent,
    )


def _queue_of(server: Any, sid: str) -> Any:
    eio_sid = server.manager.eio_sid_from_sid(sid, "/")
    client = server.eio.sockets.get(eio_sid)
    return getattr(client, "queue", None)


class _Framed(bytes):
    """Bytes that are frames already. The library's writer asks what it finds in the queue for its encoding."""

    def encode(self) -> bytes:
        return self


def _outlet_class() -> Any:
    from eventlet import queue

    class Outlet(queue.Queue):  # type: ignore[misc]
        """What goes out to one client: straight to its socket while that takes it, else by the library's queue.

        A client that lets the queue fill up is cut; it catches up by sequence number. The order is kept: nothing is
        written past what waits, or past a frame that the library's writer is in the middle of.
        """

        raw: Any = None
        busy: Any = None
        held: bytes = b""

        def open(self, websocket: Any) -> None:
            self.raw, self.busy = websocket.socket.fd, websocket._sendlock

        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            return super().get(block)  # a writer with nothing to write is no sign of a dead client: pings are

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            if item is None:
                super().put(None)
            else:
                self.write(frames.text(item.encode().encode()))

        def hold(self, frame: bytes) -> None:
            self.held += frame

        def flush(self) -> None:
            if self.held:
                self.write(b"")

        def write(self, frame: bytes) -> None:
            if self.held:
                frame, self.held = self.held + frame, b""
            if self.raw is not None and not self.queue and not self.busy.locked():
                try:
                    sent = self.raw.send(frame)
                except BlockingIOError:
                    sent = 0
                except OSError:
                    return  # it is gone: its reader sees that too
                if sent == len(frame):
                    return
                frame = frame[sent:]
            if self.qsize() >= PENDING:
                self.shut()
                return
            super().put(_Framed(frame))

        def shut(self) -> None:
            while not self.empty():
                self.get_nowait()
                self.task_done()
            super().put(None)
            if self.raw is not None:
                try:
                    self.raw.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is gone already

    return Outlet


def _within_budget(client: Any) -> bool:
    """May this client send one more frame? It gains `FRAMES_A_SECOND`, and may save up `FRAMES_AT_ONCE`."""
    now = time.monotonic()
    ahead = max(client.ahead, now) + 1 / FRAMES_A_SECOND
    client.ahead = ahead
    return bool(ahead - now <= FRAMES_AT_ONCE / FRAMES_A_SECOND)


def _harden_frames() -> None:
    """Read frames by `app.live.frames`, and write those that are framed already as they are."""
    import eventlet
    from eventlet import hubs, websocket

    stock: Any = websocket.RFC6455WebSocket
    open_stock, send_stock = stock.__init__, stock.send

    def __init__(self: Any, sock: Any, environ: Any, *args: Any, **kwargs: Any) -> None:
        open_stock(self, sock, environ, *args, **kwargs)
        environ["samen.websocket"] = self
        self.iterator = None  # the stock reader, which is not used
        self.inbox = frames.Inbox(self.max_frame_length)
        self.ready = collections.deque()
        self.ahead = 0.0

    def wait(self: Any) -> str | None:
        """The next packet of a Socket.IO text client; None, which ends the connection, for anything else."""
        while not self.ready:
            try:
                data = _received(self.socket)
                self.ready.extend(self.inbox.feed(data) if data else (None,))
            except frames.Goodbye:
                self._send_closing_frame(True)
                self.ready.append(None)
            except frames.Broken as broken:
                self._send_closing_frame(True, (broken.status, ""))
                self.ready.append(None)
            while self.inbox.pongs:
                self.send(_Framed(self.inbox.pongs.pop(0)))
        packet: str | None = self.ready.popleft()
        if packet is None or not _within_budget(self):
            return None
        if self.ready:
            eventlet.sleep(0)  # a client that never pauses must not keep the others waiting
        if packet == "3" or (len(packet) > 1 and packet[0] == "4" and packet[1] in "0123"):
            return packet
        return None

    def _received(sock: Any) -> bytes:
        while True:
            try:
                data: bytes = sock.fd.recv(READ_AT_ONCE)
                return data
            except BlockingIOError:
                hubs.trampoline(sock.fd, read=True)
            except OSError:
                return b""

    def send(self: Any, message: Any) -> None:
        if isinstance(message, _Framed):
            with self._sendlock:
                self.socket.sendall(bytes(message))
        else:
            send_stock(self, message)

    def close(self: Any, close_data: Any = None) -> None:
        self._send_closing_frame(True, close_data)
        try:
            self.socket.fd.shutdown(socket.SHUT_RDWR)  # half-closed, a client that only talks would stay for ever
        except OSError:
            pass  # it is gone already
        self.socket.close()

    stock.__init__, stock.wait, stock.send, stock.close = __init__, wait, send, close
