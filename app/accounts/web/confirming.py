"""Proving again to be who one is, minutes before something weighty: with a code, one's own words, or a passkey."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import accounts, passkeys, passwords, second_factor, signins
from app.accounts.web import challenges
from app.core.actor import Actor
from app.core.errors import AppError, Invalid
from app.core.i18n import N_
from app.core.permissions import Permission

blueprint = Blueprint("confirming", __name__)

_PURPOSE = "confirm"
_WRONG = N_("Dat zijn niet de woorden van je briefje. Er is niets veranderd; kijk ze nog eens na.")


@blueprint.get("/bevestigen")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def ask() -> Any:
    """Ask for the proof: of staff a code, of clients their words, of both a passkey if they have one."""
    return _show(None)


@blueprint.post("/bevestigen")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def answer() -> Any:
    """Check the proof, note it on the session, and go on with what was asked for."""
    who = web.actor()
    try:
        second_factor.limit_tries(web.house().limiter, who.person_id)
        credential = request.form.get("credential", "")
        if credential:
            _confirm_by_passkey(who, credential)
        elif who.staff:
            with web.work() as w:
                second_factor.prove(w, who.person_id, request.form.get("code", ""))
                signins.confirm(w)
        else:
            _confirm_by_words(who, request.form.get("secret", ""))
    except AppError as refusal:
        if web.wants_json():
            raise
        return _show(refusal), refusal.status
    return web.done(_afterwards())


@blueprint.post("/bevestigen/sleutel")
@web.needs(Permission.OWN_ACCOUNT_CHANGE)
def challenge() -> Any:
    """What the browser needs to ask for one of one's own passkeys."""
    who = web.actor()
    with web.read() as r:
        options, secret = passkeys.ask(r, challenges.place(), who.person_id)
    challenges.keep(_PURPOSE, who.session, secret)
    return {"ok": True, "options": options}


def _confirm_by_passkey(who: Actor, credential: str) -> None:
    secret = challenges.kept(_PURPOSE, who.session)
    with web.work() as w:
        passkeys.recognise(w, challenges.place(), secret, credential, who.person_id)
        signins.confirm(w)


def _confirm_by_words(who: Actor, words: str) -> None:
    with web.read() as r:
        stored = accounts.credentials_of(r, who.person_id).secret_hash
    if not passwords.matches(stored, words):
        raise Invalid(_WRONG)
    with web.work() as w:
        signins.confirm(w)


def _afterwards() -> str:
    """Where the person was going; only ever a page of our own."""
    path = str(flask.session.pop("afterwards", ""))
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path.removesuffix("?") if local else flask.url_for("accounts.more")


def _show(refusal: AppError | None) -> str:
    who = web.actor()
    with web.read() as r:
        found = second_factor.factors(r, who.person_id)
        hint = "" if web.house().settings.production else second_factor.demo_code(r, who.person_id)
    return flask.render_template(
        "accounts/confirm.html",
        factors=found,
        demo_code=hint,
        elsewhere=challenges.elsewhere() if found.passkeys else "",
        error=web.translated(refusal.message, **refusal.params) if refusal else None,
    )
