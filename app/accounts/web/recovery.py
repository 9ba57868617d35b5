"""Coming back in without one's words: a code, a new slip, one word typed back. Nothing changes before the last step."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import codes, passwords, recovery, slips
from app.accounts.slips import Slip
from app.accounts.web import browser
from app.core.errors import AppError, NotFound
from app.core.work import Work

blueprint = Blueprint("recovery", __name__)

_PURPOSE = "half-finished return"


@blueprint.get("/terug/herstel")
@web.public
def ask() -> Any:
    """A field for the code of one's recovery sheet, or the one a facilitator handed over."""
    return flask.render_template("accounts/recovery.html", error=None)


@blueprint.post("/terug/herstel")
@web.public
def check() -> Any:
    """Check the code, and draw a new slip for whoever holds it. The code is used up at the last step only."""
    code = request.form.get("code", "")[:80]
    house = web.house()
    try:
        half = codes.attempt(house.database, house.keys, "recovery", web.source(), lambda w: _begin(w, code))
    except AppError as refusal:
        if web.wants_json():
            raise
        said = web.translated(refusal.message, **refusal.params)
        return flask.render_template("accounts/recovery.html", error=said), refusal.status
    slips.keep(flask.session, house.keys, _PURPOSE, half)
    return flask.redirect(flask.url_for("recovery.show_slip"), code=303)


def _begin(w: Work, code: str) -> dict[str, Any]:
    found = recovery.look_up(w, code)
    return {"code": code, "slip": asdict(slips.draw(found.language, found.login))}


@blueprint.get("/terug/herstel/briefje")
@web.public
def show_slip() -> Any:
    """The new slip. Shown no more once somebody came in with it."""
    half = _kept()
    with web.read() as r:
        try:
            recovery.look_up(r, half["code"])
        except NotFound:
            slips.drop(flask.session)
            raise
    return _show(half, None)


@blueprint.post("/terug/herstel/briefje")
@web.public
def come_back() -> Any:
    """One word was typed back: the new words count from now on, and whoever wrote them down is in."""
    half = _kept()
    slip = Slip(**half["slip"])
    if not slip.was_written_down(request.form.get("third", "")):
        return _show(half, slips.NOT_THE_THIRD), 422
    house = web.house()
    house.limiter.per_minute(20, "return", web.source())
    secret_hash = passwords.hash_secret(slip.passphrase)
    try:
        with house.database.work() as w:
            person_id = recovery.come_back(w, half["code"], secret_hash, slip.recovery, login=slip.login)
            token = browser.start_session(w, person_id)
    except NotFound as refusal:
        token = _came_before(slip, refusal)  # a second tap: the first one did it
    return browser.arrive(token)


def _came_before(slip: Slip, refusal: AppError) -> str:
    person_id = slips.holder(web.house().database, slip)
    if person_id is None:
        raise refusal
    with web.house().database.work() as w:
        return browser.start_session(w, person_id)


def _show(half: dict[str, Any], error: str | None) -> str:
    return flask.render_template(
        "accounts/recovery_slip.html", slip=Slip(**half["slip"]), error=web.translated(error) if error else None
    )


def _kept() -> dict[str, Any]:
    return slips.kept(flask.session, web.house().keys, _PURPOSE)
