"""The pages of passkeys: one's own list, adding and removing one, and signing in with one."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request
from flask_babel import format_date

from app import web
from app.accounts import passkeys
from app.accounts.web import browser, challenges
from app.core.errors import AppError, Invalid
from app.core.i18n import N_
from app.core.permissions import Permission

blueprint = Blueprint("passkeys", __name__)

_SIGN_IN, _ADD = "sign in", "add"
_READ_FIRST = N_("Vink eerst aan dat je weet wat anderen op je telefoon kunnen zien. Er is nog niets toegevoegd.")


@blueprint.post("/terug/sleutel/vraag")
@web.public
def sign_in_challenge() -> Any:
    """What the browser of a visitor needs to ask for a passkey. It is the same for everybody."""
    web.house().limiter.per_minute(30, "passkey", web.source())
    with web.read() as r:
        options, secret = passkeys.ask(r, challenges.place())
    challenges.keep(_SIGN_IN, "", secret)
    return {"ok": True, "options": options}


@blueprint.post("/terug/sleutel")
@web.public
def sign_in() -> Any:
    """Let in whoever's passkey signed the challenge. The device made sure who holds it: two factors in one."""
    try:
        web.house().limiter.per_minute(30, "passkey sign in", web.source())
        secret = challenges.kept(_SIGN_IN, "")
        with web.house().database.work() as w:
            person_id = passkeys.recognise(w, challenges.place(), secret, request.form.get("credential", ""))
            token = browser.start_session(w, person_id, confirmed=True)
    except AppError as refusal:
        page = flask.render_template(
            "accounts/sign_in.html", login="", error=web.translated(refusal.message, **refusal.params)
        )
        return page, refusal.status
    return browser.arrive(token)


@blueprint.get("/sleutels")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def mine() -> Any:
    """One's own passkeys, and a way to another one; for clients first what their telephone will show."""
    return _show(None)


@blueprint.post("/sleutels/vraag")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def add_challenge() -> Any:
    """What the browser needs to make a passkey."""
    with web.read() as r:
        options, secret = passkeys.ask_new(r, challenges.place())
    challenges.keep(_ADD, web.actor().session, secret)
    return {"ok": True, "options": options}


@blueprint.post("/sleutels")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def add() -> Any:
    """Add the passkey the device made."""
    who = web.actor()
    try:
        if not who.staff and request.form.get("understood") != "yes":
            raise Invalid(_READ_FIRST)
        secret = challenges.kept(_ADD, who.session)
        with web.work() as w:
            passkeys.add(w, challenges.place(), secret, request.form.get("credential", ""))
    except AppError as refusal:
        return _show(refusal), refusal.status
    return web.done(flask.url_for("passkeys.mine"))


@blueprint.post("/sleutels/<ref>/weg")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def remove(ref: str) -> Any:
    """Remove one of one's own passkeys."""
    with web.work() as w:
        passkeys.remove(w, ref)
    return web.done(flask.url_for("passkeys.mine"))


def _show(refusal: AppError | None) -> str:
    with web.read() as r:
        held = passkeys.mine(r)
    return flask.render_template(
        "accounts/passkeys.html",
        passkeys=[{"ref": p.ref, "added": format_date(p.added_on, "d MMMM y", rebase=False)} for p in held],
        full=len(held) >= passkeys.MOST,
        elsewhere=challenges.elsewhere(),
        error=web.translated(refusal.message, **refusal.params) if refusal else None,
    )
