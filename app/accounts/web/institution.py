"""Signing in with an account at one's institution, and coupling it. For staff, where the operator set it up.

Somebody is sent to the institution and comes back with a code. What has to be remembered meanwhile travels sealed
in the visitor's own cookie, is good for ten minutes, and counts once.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass
from typing import Any

import flask
import structlog
from flask import Blueprint, request
from flask.blueprints import BlueprintSetupState

from app import web
from app.accounts import institution, once
from app.accounts import provider as providers
from app.accounts.provider import Begun, Provider, Unproven
from app.accounts.web import second_step
from app.core.errors import AppError, NotFound, Unauthenticated
from app.core.i18n import N_
from app.core.permissions import Permission

log = structlog.get_logger()

blueprint = Blueprint("institution", __name__)

_EXTENSION = "samen.institution"
_PURPOSE = "institution sign-in"
_SECONDS = 600
_FAILED = N_(
    "Inloggen via je instelling lukte niet. Er is niets veranderd; probeer het zo nog eens, of log hier in met je naam."
)


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody who was sent to the institution. `session` is theirs if they couple an account, else empty."""

    begun: Begun
    session: str


@blueprint.record_once
def _set_up(state: BlueprintSetupState) -> None:
    """Read the settings of the institution at the start, so that a wrong one is refused there."""
    state.app.extensions[_EXTENSION] = providers.of(state.app.extensions["samen"].settings)


@blueprint.get("/terug/instelling")
@web.public
def begin() -> Any:
    """Send a visitor to the institution, to sign in there."""
    try:
        return flask.redirect(_send_away(""), code=303)
    except Unproven as failure:
        return _failed(failure.code)


@blueprint.get("/terug/instelling/klaar")
@web.public
def finish() -> Any:
    """Somebody comes back from the institution: sign them in, or couple their account."""
    institution_ = _provider()
    try:
        away = _kept()
        with web.house().database.work() as w:
            once.spend(w, away.begun.state)
            now = w.now
        subject = institution_.finish(away.begun, _redirect(), _code(institution_, away.begun), now)
    except Unproven as failure:
        return _failed(failure.code)
    except AppError:
        return _failed("replayed")
    mark = institution.mark_of(web.house().keys, institution_.issuer, subject)
    return _couple(away, mark) if away.session else _sign_in(mark)


@blueprint.get("/instelling")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def show() -> Any:
    """Is one's account at the institution coupled?"""
    return _show(None)


@blueprint.post("/instelling")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def couple() -> Any:
    """Begin to couple one's account: the page links to the institution, for a form may not lead off the site."""
    with web.read() as r:
        institution.is_coupled(r)
    try:
        address = _send_away(web.actor().session)
    except Unproven as failure:
        log.warning("institution_refused", reason=failure.code)
        return _show(_FAILED), 401
    return flask.render_template("accounts/institution_go.html", address=address)


@blueprint.post("/instelling/los")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def uncouple() -> Any:
    """Let one's account at the institution go."""
    _provider()
    with web.work() as w:
        institution.uncouple(w)
    return web.done(flask.url_for("institution.show"))


def _sign_in(mark: str) -> Any:
    try:
        with web.read() as r:
            person_id, role = institution.recognise(r, mark)
        if web.house().settings.oidc_second_factor == "institution":
            return second_step.come_in(person_id)
        return second_step.proceed(person_id, role)
    except AppError as refusal:
        told = web.translated(refusal.message, **refusal.params)
        return flask.render_template("accounts/sign_in.html", login="", error=told), refusal.status


def _couple(away: Away, mark: str) -> Any:
    who = web.maybe_actor()
    if who is None or not hmac.compare_digest(who.session, away.session):
        return _failed("session")
    try:
        with web.work() as w:
            institution.couple(w, mark)
    except AppError as refusal:
        return _show(refusal.message), refusal.status
    return flask.redirect(flask.url_for("institution.show"), code=303)


def _show(error: str | None) -> str:
    _provider()
    with web.read() as r:
        coupled = institution.is_coupled(r)
    told = web.translated(error) if error else None
    return flask.render_template("accounts/institution.html", coupled=coupled, error=told)


def _send_away(session: str) -> str:
    """The address to go to, once what must be remembered is in the visitor's cookie."""
    web.house().limiter.per_minute(20, "institution", web.source())
    address, begun = _provider().begin(_redirect())
    kept = json.dumps({"begun": asdict(begun), "session": session})
    flask.session["institution"] = web.house().keys.seal(_PURPOSE, kept.encode())
    return address


def _kept() -> Away:
    """What was remembered, for the last time. Raises `AppError` when it is missing, too old or not ours."""
    sealed = flask.session.pop("institution", None)
    if not isinstance(sealed, str):
        raise Unauthenticated
    kept = json.loads(web.house().keys.unseal(_PURPOSE, sealed, max_age=_SECONDS))
    return Away(Begun(**kept["begun"]), kept["session"])


def _code(institution_: Provider, begun: Begun) -> str:
    """The code in the address somebody comes back by. Raises `Unproven` when it is not an answer to our question."""
    asked = request.args
    if not hmac.compare_digest(asked.get("state", "").encode(), begun.state.encode()):
        raise Unproven("state")
    if asked.get("iss", institution_.issuer) != institution_.issuer:
        raise Unproven("issuer")
    if "error" in asked or not 0 < len(asked.get("code", "")) <= 4096:
        raise Unproven("declined")
    return asked["code"]


def _failed(reason: str) -> Any:
    """One refusal for all that can go wrong; the log gets a code, never what was sent."""
    log.warning("institution_refused", reason=reason)
    page = flask.render_template("accounts/sign_in.html", login="", error=web.translated(_FAILED))
    return page, Unauthenticated.status


def _provider() -> Provider:
    found: Provider | None = flask.current_app.extensions[_EXTENSION]
    if found is None:
        raise NotFound
    return found


def _redirect() -> str:
    """Where the institution sends people back to: always an origin of ours, whatever the request says."""
    origins = web.house().settings.origins
    here = request.host_url.rstrip("/")
    return (here if here in origins else origins[0]) + flask.url_for("institution.finish")
