"""One's own account: where one is signed in, and what one signs in with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import accounts, passwords, recovery, signins, slips, staff
from app.accounts.slips import Slip
from app.accounts.web import entering
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission

blueprint = Blueprint("own", __name__)


@blueprint.get("/toestellen")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def sessions() -> Any:
    """Where one is signed in: days only, for we do not know which devices they are."""
    with web.read() as r:
        mine = signins.mine(r)
    return flask.render_template("accounts/sessions.html", sessions=mine, renewed=flask.session.pop("renewed", False))


@blueprint.post("/toestellen/<ref>/uit")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def end_session(ref: str) -> Any:
    """End one of one's own sessions."""
    with web.work() as w:
        signins.end_own(w, ref)
    return web.done(flask.url_for("own.sessions"))


@blueprint.post("/toestellen/uit")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def end_sessions() -> Any:
    """End all others, or all."""
    everywhere = request.form.get("which") == "all"
    with web.work() as w:
        signins.end_all(w, w.who.person_id, spare="" if everywhere else w.who.session)
    if everywhere:
        return entering.sign_out()  # and the browser forgets what it held
    return web.done(flask.url_for("own.sessions"))


@blueprint.get("/woorden")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def words() -> Any:
    """A client's new slip, the same one until it was written down. For staff there is no such page."""
    _clients_only()
    try:
        half = _kept()
    except NotFound:
        with web.read() as r:
            half = asdict(slips.draw(r.who.language, recovery.own_login(r)))
        slips.keep(flask.session, web.house().keys, _purpose(), half)
    return flask.render_template("accounts/words.html", slip=Slip(**half), error=None)


@blueprint.post("/woorden")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def change_words() -> Any:
    """One word was typed back: the new words and recovery code count, and all other sessions are over."""
    _clients_only()
    slip = Slip(**_kept())
    if not slip.was_written_down(request.form.get("third", "")):
        error = web.translated(slips.NOT_THE_THIRD)
        return flask.render_template("accounts/words.html", slip=slip, error=error), 422
    secret_hash = passwords.hash_secret(slip.passphrase)
    with web.work() as w:
        recovery.renew(w, w.who.person_id, secret_hash, slip.recovery, spare=w.who.session)
    slips.drop(flask.session)
    flask.session["renewed"] = True
    return web.done(flask.url_for("own.sessions"))


@blueprint.get("/wachtwoord")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def password() -> Any:
    """A form for another password. For staff; clients have words."""
    _staff_only()
    return flask.render_template("accounts/own_password.html", error=None)


@blueprint.post("/wachtwoord")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def change_password() -> Any:
    """Another password; all other sessions are over."""
    _staff_only()
    chosen = request.form.get("secret", "")
    with web.read() as r:
        login = recovery.own_login(r)
    try:
        staff.check_password(chosen, login, web.actor().name)
    except Invalid as refusal:
        if web.wants_json():
            raise
        error = web.translated(refusal.message)
        return flask.render_template("accounts/own_password.html", error=error), refusal.status
    secret_hash = passwords.hash_secret(chosen)
    with web.work() as w:
        accounts.change_secret(w, w.who.person_id, secret_hash, spare=w.who.session)
    flask.session["renewed"] = True
    return web.done(flask.url_for("own.sessions"))


def _clients_only() -> None:
    if web.actor().staff:
        raise NotFound


def _staff_only() -> None:
    if not web.actor().staff:
        raise NotFound


def _kept() -> dict[str, Any]:
    return slips.kept(flask.session, web.house().keys, _purpose())


def _purpose() -> str:
    return f"other words {web.actor().person_id}"
