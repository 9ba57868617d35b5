"""Builds the app. The one file that knows every part."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

import flask
from flask_babel import Babel, force_locale
from flask_login import LoginManager
from flask_socketio import SocketIO
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

import app.accounts.part
import groups.part
import matching.part
import moderation.part
from app import pages, web
from app.accounts import signins
from app.core import ids, keys
from app.core.actor import Actor
from app.core.assets import folder
from app.core.crypto import Vault
from app.core.db import open_engine
from app.core.errors import AppError, Forbidden
from app.core.i18n import N_
from app.core.ratelimit import Limiter, Tempo
from app.core.settings import Settings, check
from app.core.work import Database
from app.live import driver, gate, server
from app.live.fanout import Fanout
from app.live.gateway import Gateway, Identify
from app.live.writer import Writer
from app.part import Part, refused
from groups.after import followups
from groups.agenda import reminders
from groups.programme import curriculum
from moderation import subjects

PARTS: tuple[Part, ...] = (app.accounts.part.PART, moderation.part.PART, groups.part.PART, matching.part.PART)

_FORM_EXPIRED = N_("Dit formulier stond te lang open. Er is niets verstuurd; ga terug, je tekst staat er nog.")


def create_app(settings: Settings) -> flask.Flask:
    """The whole product as one WSGI app. Raises `SettingsError` if it must not start like this."""
    check(settings)
    secrets = keys.load(settings)
    vault = Vault(keys.masters(settings), lambda: keys.masters(settings))
    database = Database(
        open_engine(settings.database_url),
        vault,
        seal_key=secrets.derive("audit"),
        code_key=secrets.derive("codes on paper"),
    )
    fanout = Fanout()
    database.announcer = fanout.announce
    events = {event.name: event for part in PARTS for event in part.live_events}
    writers = {e.name: Writer(database, e.together) for e in events.values() if e.together is not None}
    for part in PARTS:
        subjects.introduce(part.subjects)
    followups.ask_within(settings.follow_up_hours)
    curriculum.use(settings.content_dir)
    reminders.send_before(settings.reminder_hours, settings.reminder_minutes)
    house = web.House(settings, database, secrets, Limiter(), fanout, writers, PARTS)
    site = _site(settings, secrets, house)

    def identify(session: str) -> Actor | None:
        with database.read() as w:
            return signins.who(w.db, session, w.now)

    @lru_cache(maxsize=256)  # a flood is refused in the same few sentences
    def translated(language: str, message: str, params: tuple[tuple[str, Any], ...]) -> str:
        with site.app_context(), force_locale(language):
            return web.translated(message, **dict(params))

    def translate(language: str, refusal: AppError) -> dict[str, object]:
        return refused(refusal, lambda message, **params: translated(language, message, tuple(sorted(params.items()))))

    gateway = Gateway(database, fanout, writers, identify, translate, Tempo())
    loop = driver.choose(settings.async_mode)
    site.extensions["samen.live"] = server.open_live(
        site, settings, loop, gateway, fanout, events, identify, house.cookie
    )
    _sign_in_by_cookie(site, house, identify)
    return site


def live_of(site: flask.Flask) -> SocketIO:
    """The live endpoint of an app."""
    found: SocketIO = site.extensions["samen.live"]
    return found


class _Number(IntegerConverter):
    """A number in an address, as long as a database takes it; a longer one is the address of nothing."""

    regex = r"[0-9]{1,9}"


def _site(settings: Settings, secrets: keys.Keys, house: web.House) -> flask.Flask:
    site = flask.Flask(
        "samen",
        template_folder=str(folder("templates")),
        static_folder=str(folder("static")),
        static_url_path="/s",
    )
    site.config.update(
        SECRET_KEY=secrets.derive("visitor cookie"),
        SESSION_COOKIE_NAME="__Host-visit" if settings.production else "samen_visit",
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=128 * 1024,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=False,  # it reads the Referer, which no page of ours sends
        WTF_CSRF_HEADERS=["X-CSRF-Token"],
    )
    site.url_map.converters["int"] = _Number
    site.extensions["samen"] = house
    if settings.proxies:
        site.wsgi_app = ProxyFix(site.wsgi_app, x_for=settings.proxies)  # type: ignore[method-assign]
    CSRFProtect(site).exempt("app.accounts.web.entering.leave")  # it only ends one's own session, and must never fail
    Babel(site, default_locale="nl", locale_selector=web.language, default_translation_directories=pages.LOCALE)
    site.before_request(web.check_access)
    site.after_request(web.add_headers)
    site.register_error_handler(AppError, web.show_refusal)
    site.register_error_handler(CSRFError, lambda error: web.show_refusal(Forbidden(_FORM_EXPIRED)))
    site.register_error_handler(HTTPException, web.show_http_error)
    site.register_error_handler(Exception, web.show_crash)
    pages.furnish(site)
    for part in PARTS:
        for blueprint in part.blueprints:
            site.register_blueprint(blueprint)
    return site


def _sign_in_by_cookie(site: flask.Flask, house: web.House, identify: Identify) -> None:
    manager = LoginManager(site)
    manager.session_protection = None  # it compares addresses and browsers, which we do not keep

    def load(request: flask.Request) -> web.SignedIn | None:
        token = gate.session_cookie(request.environ, house.cookie)
        found = identify(ids.digest(token)) if token else None
        if found is not None and found.last_on != house.database.clock().date():
            with house.database.work() as w:
                signins.touch(w, found.session)
        return web.SignedIn(found) if found else None

    manager.request_loader(load)
