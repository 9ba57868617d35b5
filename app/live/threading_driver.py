"""Plain threads on Werkzeug's server: for tests, for development, and for leaving a loop that fails on a bad day.

It keeps the same promises as `app.live.eventlet_driver`, for fewer people: every open screen costs three threads, and
Werkzeug's server has no more than what is here to defend itself with. In production it stands behind a proxy that reads
requests whole (`docs/decisions/0002-eventlet-and-bleach.md`).
"""

from __future__ import annotations

import io
import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

from app.live import limits, websocket
from app.live.websocket import adopt, cut, frame

__all__ = ["adopt", "cut", "frame", "harden", "prepare", "serve"]

MAX_SOCKETS = 500
HANDSHAKE_SECONDS = limits.HANDSHAKE_SECONDS


class Outlet(websocket.Outlet, queue.Queue):  # type: ignore[type-arg]
    """Everything goes by way of the library's writer: a thread that wrote to a socket might have to wait."""


def prepare() -> None:
    """Nothing to patch: threads wait by themselves."""


def harden(server: Any) -> None:
    """Give every client a WebSocket and an outlet of ours. `server` is a python-socketio server."""
    websocket.harden(server, websocket.WebSocket, Outlet)


def serve(app: Any, host: str, port: int) -> None:
    """Serve until stopped. No request line is logged: an address and a time are already somebody's secret."""
    _server(app, host, port).serve_forever()


def _server(app: Any, host: str, port: int) -> Any:
    import structlog
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    log = structlog.get_logger()

    class Handler(WSGIRequestHandler):
        """One connection: its head in time, nothing about it in any log."""

        timeout = limits.PAGE_SECONDS

        def setup(self) -> None:
            super().setup()
            self.rfile.close()
            arriving = websocket.Arriving(self.connection)
            arriving.until = time.monotonic() + HANDSHAKE_SECONDS
            self.arriving, self.rfile = arriving, io.BufferedReader(arriving)

        def make_environ(self) -> Any:
            self.arriving.until = None
            return super().make_environ() | {websocket.LINK: websocket.Link(self.connection, self.rfile)}

        def log(self, type: str, message: str, *args: Any) -> None:
            """Not even of a request that is malformed."""

    class Server(ThreadedWSGIServer):
        """As many connections as there are places; the next ones wait to be accepted."""

        places = threading.BoundedSemaphore(MAX_SOCKETS)

        def process_request(self, request: Any, client_address: Any) -> None:
            self.places.acquire()
            super().process_request(request, client_address)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.places.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            log.exception("request_failed")

        def log(self, type: str, message: str, *args: Any) -> None:
            log.error("request_failed", trace=message)

    def without_an_answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = app(environ, start_response)
        if environ[websocket.LINK].websocket is not None:
            raise ConnectionError  # so this server learns that the connection is no longer its own
        return answer

    with websocket.listener(host, port) as listener:
        return Server(host, port, without_an_answer, Handler, fd=listener.fileno())
