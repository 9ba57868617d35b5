"""Plain threads: one per connection, for tests and for leaving eventlet with one setting."""

from __future__ import annotations

from typing import Any


def prepare() -> None:
    """Nothing to patch: threads wait by themselves."""


def harden(server: Any) -> None:
    """Threads have the operating system's back-pressure; nothing to add here."""


def adopt(server: Any, sid: str, environ: Any) -> None:
    """Nothing to remember: `cut` goes through the server."""


def cut(server: Any, sid: str) -> None:
    """End one client's connection."""
    eio_sid = server.manager.eio_sid_from_sid(sid, "/")
    server.disconnect(sid, ignore_queue=True)
    if eio_sid is not None:
        server.eio.disconnect(eio_sid)


def serve(app: Any, host: str, port: int) -> None:
    """Serve until stopped, without a request log."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        """No request line is logged, not even of a request that is malformed."""

        def log(self, type: str, message: str, *args: Any) -> None:
            return

    make_server(host, port, app, threaded=True, request_handler=Silent).serve_forever()
