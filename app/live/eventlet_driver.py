"""The eventlet loop: the only module that knows eventlet, patched in one place and left with one setting.

It also closes what the stock server leaves open (measured and explained in `docs/decisions/0003-live-path.md`):
frames are unmasked in one go, fragments have a total size, compression is declined, a malformed frame ends the
connection cleanly, and a client that does not read is cut instead of filling the memory.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from typing import Any

PENDING = 200  # packets waiting for one client before it is cut
FRAGMENTS = 1_024
FRAMES_A_SECOND = 100
FRAMES_AT_ONCE = 400
SEND_BUFFER = 131_072  # bytes the kernel may hold for one client: beyond it the bounded queue fills
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
    """Give every client a bounded queue. `server` is a python-socketio server."""
    server.eio.create_queue = lambda *args, **kwargs: _bounded_queue()


def adopt(server: Any, sid: str, environ: Any) -> None:
    """Remember the raw socket of a new client, so that it can be cut from outside."""
    queue = _queue_of(server, sid)
    if queue is not None:
        queue.raw = environ["eventlet.input"].get_socket()


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


def _bounded_queue() -> Any:
    from eventlet import queue

    class BoundedQueue(queue.Queue):  # type: ignore[misc]
        """What waits for one client. A client that lets it fill up is cut; it catches up by sequence number."""

        raw: Any = None

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            if item is not None and self.qsize() >= PENDING:
                self.shut()
                return
            super().put(item, block, timeout)

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

    return BoundedQueue()


def _unmask(data: bytes, mask: bytes, length: int | None = None, offset: int = 0) -> bytes:
    """XOR a frame with its mask as one big number; byte by byte a large frame stops everybody for seconds."""
    size = len(data) if length is None else length
    turned = mask[offset % 4 :] + mask[: offset % 4]
    whole = (turned * (size // 4 + 1))[:size]
    return (int.from_bytes(data[:size], "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")


def _within_budget(client: Any) -> bool:
    """May this client send one more frame? It gains `FRAMES_A_SECOND`, and may save up `FRAMES_AT_ONCE`."""
    now = time.monotonic()
    ahead = max(getattr(client, "ahead", now), now) + 1 / FRAMES_A_SECOND
    client.ahead = ahead
    return ahead - now <= FRAMES_AT_ONCE / FRAMES_A_SECOND


def _harden_frames() -> None:
    import eventlet
    from eventlet import websocket

    frames: Any = websocket.RFC6455WebSocket

    class BoundedMessage(frames.Message):  # type: ignore[misc]
        """A message whose fragments together stay within the size of one frame."""

        size = parts = 0

        def push(self, data: bytes, final: bool = False) -> None:
            self.size += len(data)
            self.parts += 1
            if self.size > self.max_frame_length or self.parts > FRAGMENTS:
                raise websocket.FailedConnectionError(1009, "Message too large.")
            super().push(data, final)

    original_wait = frames.wait

    def wait(self: Any) -> str | None:
        """Only what Socket.IO text clients send gets through; anything else ends the connection quietly."""
        data = original_wait(self)
        eventlet.sleep(0)  # a client that never pauses must not keep the others waiting
        if not _within_budget(self):
            return None
        if isinstance(data, str) and (data == "3" or (len(data) > 1 and data[0] == "4" and data[1] in "0123")):
            return data
        return None

    frames.Message = BoundedMessage
    frames._apply_mask = staticmethod(_unmask)
    frames.wait = wait
