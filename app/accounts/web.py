"""Signing in and out, leaving at once, and one's own settings."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from app import web
from app.accounts import accounts, passwords
from app.core import ids
from app.core.errors import AppError, Unauthenticated
from app.core.i18n import LANGUAGES, N_
from app.core.permissions import Permission
from app.live.gate import session_cookie

blueprint = Blueprint("accounts", __name__)

_WRONG = N_("Die twee horen niet bij elkaar. Kijk ze nog eens na; hoofdletters maken niet uit.")


@blueprint.get("/terug")
@web.public
def sign_in_page() -> Any:
    """Sign in with a code name and passphrase, or a user name and password."""
    return flask.render_template("accounts/sign_in.html", login="", error=None)


@blueprint.post("/terug")
@web.public
def sign_in() -> Any:
    """Check the two and start a session. Unknown names take as long and look the same as known ones."""
    login, secret = request.form.get("login", "")[:80], request.form.get("secret", "")
    try:
        limiter, source = web.house().limiter, web.source()
        limiter.per_minute(30, "sign in", source)
        limiter.per_minute(8, "sign in as", ids.digest(accounts.fold_login(login)), source)
        with web.read() as r:
            known = accounts.credentials(r, login)
        if not passwords.matches(known.secret_hash if known else None, secret) or known is None:
            raise Unauthenticated(_WRONG)
        with web.house().database.work() as w:
            held = session_cookie(request.environ, web.house().cookie)
            if held:
                accounts.end_session(w, ids.digest(held))
            token = accounts.start_session(w, known.person_id, web.house().settings.session_days)
    except AppError as refusal:
        if web.wants_json():
            raise
        page = flask.render_template("accounts/sign_in.html", login=login, error=web.translated(refusal.message))
        return page, refusal.status
    flask.session.clear()
    return sign_in_browser(flask.redirect(flask.url_for("today.show"), code=303), token)


@blueprint.post("/uit")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def sign_out() -> Any:
    """End this session."""
    return _end(flask.redirect(flask.url_for("joining.door"), code=303))


@blueprint.route("/weg", methods=["GET", "POST"])
@web.public
def leave() -> Any:
    """Leave at once: ends the session and wipes what the browser kept, then shows something neutral.

    A plain link works too (it only ever ends the visitor's own session); the script sends a beacon first and
    replaces the history entry.
    """
    target = web.house().settings.leave_url
    if request.method == "POST":
        return _end(Response(status=204))
    return _end(flask.redirect(target, code=303))


@blueprint.get("/elders")
@web.public
def elsewhere() -> Any:
    """A page that could be anybody's, unless the operator chose another site to leave to."""
    return flask.render_template("accounts/elsewhere.html")


@blueprint.get("/meer")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def more() -> Any:
    """What does not need a tab of its own: language, appearance, signing out."""
    return flask.render_template("accounts/more.html")


@blueprint.post("/instellingen")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def settings() -> Any:
    """Change one's own language and appearance."""
    with web.work() as w:
        accounts.change_preferences(w, language=request.form.get("language", ""), theme=request.form.get("theme", ""))
    return web.done(flask.url_for("accounts.more"))


@blueprint.post("/taal")
@web.public
def visitor_language() -> Any:
    """A visitor's language, before there is an account."""
    if request.form.get("language") in LANGUAGES:
        flask.session["language"] = request.form["language"]
    return flask.redirect(flask.url_for("joining.door"), code=303)


def sign_in_browser(response: Any, token: str) -> Any:
    """Give the browser its session cookie: out of reach of scripts, and never sent from other sites."""
    found = web.house()
    response.set_cookie(
        found.cookie,
        token,
        max_age=found.settings.session_days * 86_400,
        secure=found.settings.production,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _end(response: BaseResponse) -> BaseResponse:
    token = session_cookie(request.environ, web.house().cookie)
    if token:
        with web.house().database.work() as w:
            accounts.end_session(w, ids.digest(token))
    flask.session.clear()
    found = web.house()
    response.delete_cookie(found.cookie, path="/", samesite="Lax", httponly=True, secure=found.settings.production)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response
