"""In front of the live endpoint: no valid session and no own origin, no handshake. Nothing is upgraded first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.http import parse_cookie

from app.core import ids
from app.core.actor import Actor

PATH = "/socket.io/"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class Gate:
    """WSGI middleware. `identify` says who holds a session now; `origins` are the only ones let through."""

    def __init__(
        self, app: WSGIApp, cookie: str, origins: tuple[str, ...], identify: Callable[[str], Actor | None]
    ) -> None:
        self._app = app
        self._cookie = cookie
        self._origins = origins
        self._identify = identify

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PATH):
            return self._app(environ, start_response)
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin not in self._origins:
            return _refuse(start_response, "403 Forbidden")
        actor = self._identify(ids.digest(session_cookie(environ, self._cookie)))
        if actor is None:
            return _refuse(start_response, "401 Unauthorized")
        environ["samen.actor"] = actor
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)  # compression costs memory and tells sizes
        return self._app(environ, start_response)


def session_cookie(environ: Environ, name: str) -> str:
    """The session token a request carries, or an empty string."""
    return parse_cookie(environ).get(name, "")


def _refuse(start_response: StartResponse, status: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", "0"), ("Cache-Control", "no-store")])
    return [b""]
