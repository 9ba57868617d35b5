"""What every page shares: who is asking, what they need, how a refusal looks, and which headers go along."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import flask
import structlog
from flask import Response, current_app, request
from flask_babel import gettext
from flask_login import UserMixin, current_user
from werkzeug.exceptions import HTTPException

from app.core import ids
from app.core.actor import Actor
from app.core.errors import (
    AppError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unconfirmed,
)
from app.core.i18n import LANGUAGES
from app.core.keys import Keys
from app.core.permissions import Permission
from app.core.ratelimit import Limiter
from app.core.settings import Settings
from app.core.work import Database, Work
from app.live.fanout import Fanout
from app.live.writer import Writer
from app.part import Part, refused

log = structlog.get_logger()

PRIVATE = "private, no-store"  # for what other programs than browsers fetch

V = TypeVar("V", bound=Callable[..., Any])

_STATUS: dict[int, type[AppError]] = {
    400: Invalid,
    404: NotFound,
    405: NotFound,
    413: TooLarge,
    429: RateLimited,
}


@dataclass(frozen=True, slots=True)
class House:
    """What the doors of one running app share."""

    settings: Settings
    database: Database
    keys: Keys
    limiter: Limiter
    fanout: Fanout
    writers: dict[str, Writer]
    parts: tuple[Part, ...]

    @property
    def cookie(self) -> str:
        """The name of the session cookie; browsers protect the `__Host-` prefix."""
        return "__Host-samen" if self.settings.production else "samen_session"


@dataclass(frozen=True, slots=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """An actor as Flask-Login wants to see one."""

    actor: Actor

    def get_id(self) -> str:
        return self.actor.session


def house() -> House:
    """The house this request is in."""
    found: House = current_app.extensions["samen"]
    return found


def actor() -> Actor:
    """Who is asking. Raises `Unauthenticated`."""
    if not current_user.is_authenticated:
        raise Unauthenticated
    found: Actor = current_user.actor
    return found


def maybe_actor() -> Actor | None:
    """Who is asking, or None for a visitor."""
    return current_user.actor if current_user.is_authenticated else None


def work() -> AbstractContextManager[Work]:
    """A unit of work for whoever is asking."""
    return house().database.work(maybe_actor())


def read() -> AbstractContextManager[Work]:
    """A unit of work that only reads."""
    return house().database.read(maybe_actor())


def needs(permission: Permission, *, confirmed: bool = False) -> Callable[[V], V]:
    """Declare what a view needs. Without this line, or `public`, a view is refused to everybody.

    `confirmed` asks for a proof of minutes ago that this is still the person who signed in.
    """

    def mark(view: V) -> V:
        view.__dict__["needs"] = permission
        view.__dict__["confirmed"] = confirmed
        return view

    return mark


def public(view: V) -> V:
    """Declare that a view is for anybody. The list of these is pinned by a test."""
    view.__dict__["public"] = True
    return view


def check_access() -> None:
    """Refuse by default: runs before every view."""
    if any("\x00" in value for value in (request.path, *request.values.values())):
        raise Invalid  # no database takes it, and no person types it
    if request.method not in ("GET", "HEAD") and request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden  # the form token refuses it too; browsers say `Origin: null` where no page tells where it is
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.endpoint == "static":
        return
    maybe_actor()  # now, while no unit of work is open: once a day it notes that the session was used
    permission: Permission | None = getattr(view, "needs", None)
    if permission is None:
        if not getattr(view, "public", False):
            raise Forbidden
        return
    if not actor().may(permission):
        raise NotFound  # a page that is not yours looks like one that is not there
    if getattr(view, "confirmed", False) and not actor().confirmed:
        raise Unconfirmed


def source() -> str:
    """Where a request comes from, as a hash that cannot be turned back and changes every day."""
    found = house()
    salt = found.keys.derive(f"source {found.database.clock().date().isoformat()}")
    return hmac.new(salt, _network(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()[:16]


def _network(address: str) -> str:
    """The part of an address that one household or office shares: they can pick the rest of an IPv6 address freely."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))


def language() -> str:
    """The language to answer in: the person's own, else the visitor's choice, else the browser's."""
    who = maybe_actor()
    if who is not None:
        return who.language
    chosen = flask.session.get("language")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "nl")


def translated(message: str, **params: Any) -> str:
    """A marked sentence in the reader's language."""
    text: str = gettext(message)
    return text.format(**params) if params else text


def wants_json() -> bool:
    """Did a script ask, rather than a person following a link?"""
    return request.accept_mimetypes.best == "application/json"


def number(field: str, default: str = "") -> int:
    """A whole number from the form, such as a version. Raises `Invalid`."""
    return ids.number(request.form.get(field, default), 0, 2**31 - 1)


def help_after_words() -> str:
    """The address of help now, for somebody whose words spoke of danger. That they did is not in the address."""
    flask.session["said"] = True
    return flask.url_for("help.show")


def group_here() -> str:
    """Which of their groups somebody is in now: the one whose room they opened last. Known to their cookie alone."""
    group: str = flask.session.get("group", "")
    return group


def enter_group(group: str) -> None:
    """From now on they are in this group."""
    if group_here() != group:
        flask.session["group"] = group


def done(target: str) -> Any:
    """The answer to a form that worked: on to `target`, or plain success for a script."""
    if wants_json():
        return {"ok": True, "location": target}
    return flask.redirect(target, code=303)


def show_refusal(error: AppError) -> Any:
    """A refusal as a page, or in the documented shape for a script; with how long to wait, where waiting helps."""
    wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if wants_json():
        return refused(error, translated), error.status, wait
    if isinstance(error, Unconfirmed):
        flask.session["afterwards"] = request.path if request.method == "GET" else ""  # no query
        return flask.redirect(flask.url_for("confirming.ask")), 303
    if isinstance(error, Unauthenticated) and request.method == "GET":
        return flask.redirect(flask.url_for("joining.door")), 303  # nothing that draws the eye of who comes after
    page = flask.render_template("error.html", error=error, message=translated(error.message, **error.params))
    return page, error.status, wait


def show_http_error(error: HTTPException) -> Any:
    """The framework's own refusals, in our shape."""
    if error.code is None or error.code < 400:
        return error
    if error.code >= 500:
        return show_refusal(Unavailable())
    return show_refusal(_STATUS.get(error.code, Invalid)())


def show_crash(error: Exception) -> Any:
    """What nobody foresaw: logged without a person's words, shown without a trace."""
    log.error("request_failed", endpoint=request.endpoint, exc_info=error)
    return show_refusal(Unavailable())


def add_headers(response: Response) -> Response:
    """Nothing from elsewhere, nothing inline, nothing kept, nothing told to others."""
    settings = house().settings
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy(settings.origins))
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Robots-Tag"] = "noindex, nofollow"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    if settings.production:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static" and response.status_code in (200, 304):
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if request.args.get("v") else "no-cache"
    elif headers.get("Cache-Control") != PRIVATE:
        headers["Cache-Control"] = "no-store"
    return response


@lru_cache(maxsize=8)
def _policy(origins: tuple[str, ...]) -> str:
    sockets = " ".join(origin.replace("http", "ws", 1) for origin in origins)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            f"connect-src 'self' {sockets}",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types samen-worker",  # static/js/offline.js: makes one address, /sw.js, and nothing else
        )
    )
