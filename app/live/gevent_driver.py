"""The gevent loop: the only module that knows gevent. `SAMEN_ASYNC_MODE=gevent` leaves eventlet for it.

It keeps the same promises as `app.live.eventlet_driver`; the WebSocket is ours (`app.live.websocket`), so that neither
gevent-websocket (2017) nor simple-websocket (which may send half a frame on a socket that does not wait) is needed.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from app.live import limits, websocket
from app.live.websocket import adopt, cut, frame

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["adopt", "cut", "frame", "harden", "prepare", "serve"]

MAX_SOCKETS = 8_000
HANDSHAKE_SECONDS = limits.HANDSHAKE_SECONDS
THREADS = 20  # native ones, for what waits on the disk or burns the processor


def prepare() -> None:
    """Patch the standard library. Must run before anything else is imported; `app.wsgi` sees to that.

    psycopg sees by itself that gevent patched the world, and waits in a way that lets others go on.
    """
    import gevent
    from gevent import monkey

    monkey.patch_all()
    gevent.get_hub().threadpool.maxsize = THREADS
    from app.core import native

    native.install(_outside)


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


def _outside(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a call in a native thread. What it raises is carried over by hand: the pool would print it."""
    import gevent

    def caught() -> T | _Raised:
        try:
            return call(*args, **kwargs)
        except BaseException as error:
            return _Raised(error)

    result: T | _Raised = gevent.get_hub().threadpool.apply(caught)
    if isinstance(result, _Raised):
        raise result.error
    return result


def harden(server: Any) -> None:
    """Give every client a WebSocket and an outlet of ours. `server` is a python-socketio server."""
    import gevent
    from gevent import queue

    class Socket(websocket.WebSocket):
        pause = staticmethod(gevent.sleep)

    class Outlet(websocket.Outlet, queue.JoinableQueue):  # type: ignore[misc]
        def open(self, environ: Any) -> None:
            super().open(environ)
            self.straight = environ[websocket.LINK].socket._sock.send  # the socket below gevent's: it never waits

    websocket.harden(server, Socket, Outlet)


def serve(app: Any, host: str, port: int) -> None:
    """Serve until stopped. No request line is logged: an address and a time are already somebody's secret."""
    from gevent import pool, pywsgi

    server = pywsgi.WSGIServer(
        websocket.listener(host, port),
        app,
        log=None,
        error_log=None,
        handler_class=_handler_class(),
        spawn=pool.Pool(MAX_SOCKETS),
    )
    server.serve_forever()


def _handler_class() -> Any:
    import structlog
    from gevent import pywsgi

    log = structlog.get_logger()

    class Handler(pywsgi.WSGIHandler):  # type: ignore[misc]
        """One connection: its head in time, its errors without a word about who it was."""

        def __init__(self, connection: Any, address: Any, server: Any) -> None:
            connection.settimeout(limits.PAGE_SECONDS)
            self.arriving = websocket.Arriving(connection)
            super().__init__(connection, address, server, io.BufferedReader(self.arriving))

        def handle_one_request(self) -> Any:
            self.arriving.until = time.monotonic() + HANDSHAKE_SECONDS
            return super().handle_one_request()

        def get_environ(self) -> Any:
            self.arriving.until = None
            environ = super().get_environ()
            self.link = environ[websocket.LINK] = websocket.Link(self.socket, self.rfile)
            return environ

        def run_application(self) -> None:
            try:
                super().run_application()
            finally:
                self.close_connection |= self.link.websocket is not None

        def handle_error(self, kind: Any, error: Any, trace: Any) -> None:
            self.close_connection = True
            if not isinstance(error, OSError):  # a client that left, or was too slow
                log.error("request_failed", exc_info=(kind, error, trace))
                self._send_error_response_if_possible(500)

        def _handle_client_error(self, error: Any) -> Any:
            if isinstance(error, OSError):
                return None
            return super()._handle_client_error(error) if isinstance(error, ValueError) else None

    return Handler
