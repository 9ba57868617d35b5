"""Signing in and out, leaving at once, and one's own settings."""

from __future__ import annotations

import time
from typing import Any

import flask
from flask import Blueprint, Response, request

from app import web
from app.accounts import accounts, delays, passwords
from app.accounts.web import second_step
from app.accounts.web.browser import sign_out_browser
from app.core.errors import AppError, RateLimited, TooLarge, Unauthenticated
from app.core.i18n import LANGUAGES, N_
from app.core.permissions import Permission

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
        known = _prove(login, secret)
    except AppError as refusal:
        if web.wants_json():
            raise
        told = web.translated(refusal.message, **refusal.params)
        return flask.render_template("accounts/sign_in.html", login=login, error=told), refusal.status
    return second_step.proceed(known.person_id, known.role, proof=known.proof)


@blueprint.post("/uit")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def sign_out() -> Any:
    """End this session."""
    return sign_out_browser(flask.redirect(flask.url_for("joining.door"), code=303))


@blueprint.route("/weg", methods=["GET", "POST"])
@web.public
def leave() -> Any:
    """Leave at once: ends the session and wipes what the browser kept, then shows something neutral.

    A plain link works too (it only ever ends the visitor's own session); the script sends a beacon first and
    replaces the history entry.
    """
    target = web.house().settings.leave_url
    if request.method == "POST":
        return sign_out_browser(Response(status=204))
    return sign_out_browser(flask.redirect(target, code=303))


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


def _prove(login: str, secret: str) -> accounts.Credentials:
    """Whose name and secret these are. Takes as long and does the same for a name that nobody has.

    Raises `Unauthenticated`, `TooLarge` (nothing was looked at), `RateLimited`.
    """
    if len(secret) > passwords.LIMIT:
        raise TooLarge
    found, source = web.house(), web.source()
    name_key = delays.key_of(found.keys, found.database.clock().date(), "sign in", accounts.fold_login(login))
    with found.database.work() as w:
        held_up = delays.check(w, name_key, source)
        known = accounts.credentials(w, login)
    time.sleep(held_up)
    try:
        fits = passwords.matches(known.secret_hash if known else None, secret)
    except RateLimited:
        with found.database.work() as w:
            delays.withdrawn(w, name_key, source)
        raise
    if not fits or known is None:
        raise Unauthenticated(_WRONG)
    with found.database.work() as w:
        delays.succeeded(w, name_key, source)
    return known
