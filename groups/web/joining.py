"""Coming in: invitation, alias and slip, house rules. Nothing is stored until the last step.

What a half-finished join has drawn (names on offer, the slip) travels sealed in the visitor's own cookie.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import accounts, codes, invitations, passwords, slips, staff
from app.accounts.slips import Slip
from app.accounts.web import browser
from app.core.errors import AppError, Invalid, NotFound
from app.core.work import Work
from groups.people import joining
from groups.programme.curriculum import house_rules

blueprint = Blueprint("joining", __name__)

_PURPOSE = "half-finished join"


@blueprint.get("/")
@web.public
def door() -> Any:
    """The first page: an invitation code, or on to where a signed-in person belongs."""
    if web.maybe_actor() is not None:
        return flask.redirect(flask.url_for("today.show"))
    return flask.render_template("joining/code.html", code="", error=None)


@blueprint.post("/")
@web.public
def check_code() -> Any:
    """Check a code: on to choosing an alias, or for staff a user name. Draws a slip for whoever holds it."""
    code = request.form.get("code", "")[:40]
    house = web.house()
    try:
        half = codes.attempt(house.database, house.keys, "code", web.source(), lambda w: _begin(w, code))
    except AppError as refusal:
        if web.wants_json():
            raise
        page = flask.render_template("joining/code.html", code=code, error=_said(refusal))
        return page, refusal.status
    purpose, target = (_PURPOSE, "joining.choose") if "offers" in half else (slips.STAFF, "staff.newcomer")
    slips.keep(flask.session, house.keys, purpose, half)
    return flask.redirect(flask.url_for(target), code=303)


def _begin(w: Work, code: str) -> dict[str, Any]:
    if invitations.look_up(w, code).group_id is None:
        staff.look_up(w, code)
        return {"code": code}
    group = joining.look_up(w, code)
    return {"code": code, "offers": joining.offers(w, group), "slip": asdict(slips.draw(web.language()))}


@blueprint.get("/kiezen")
@web.public
def choose() -> Any:
    """Choose an alias, write down the slip. Shown no more once somebody came in with it."""
    half = _kept()
    with web.read() as r:
        if accounts.credentials(r, half["slip"]["login"]) is not None:
            raise NotFound
    return _show_choice(half, None)


@blueprint.post("/kiezen")
@web.public
def chosen() -> Any:
    """Take the chosen alias, once one word of the passphrase was typed back; or draw other aliases."""
    half = _kept()
    if "others" in request.form:
        with web.read() as w:
            half["offers"] = joining.offers(w, joining.look_up(w, half["code"]), besides=tuple(half["offers"]))
        half.pop("alias", None)
        half.pop("written", None)
        _keep(half)
        return flask.redirect(flask.url_for("joining.choose"), code=303)
    alias = request.form.get("alias", "")
    half["alias"] = alias if alias in half["offers"] else half["offers"][0]
    half["written"] = Slip(**half["slip"]).was_written_down(request.form.get("third", ""))
    _keep(half)
    if not half["written"]:
        return _show_choice(half, slips.NOT_THE_THIRD), 422
    return flask.redirect(flask.url_for("joining.rules"), code=303)


@blueprint.get("/afspraken")
@web.public
def rules() -> Any:
    """The house rules, before anything is stored."""
    half = _kept()
    if not half.get("written"):
        return flask.redirect(flask.url_for("joining.choose"))
    lines, privacy_line = house_rules(web.language())
    with web.read() as w:
        full = joining.is_full(w, half["code"])
    return flask.render_template(
        "joining/rules.html", rules=lines, privacy_line=privacy_line, alias=half["alias"], full=full, door="joining"
    )


@blueprint.post("/afspraken")
@web.public
def join() -> Any:
    """Agree and come in: the person, the membership and the session are stored together."""
    half = _kept()
    if request.form.get("agree") != "yes" or not half.get("written"):
        raise Invalid(joining.AGREE_FIRST)
    house = web.house()
    house.limiter.per_minute(20, "join", web.source())
    slip = Slip(**half["slip"])
    secret_hash = passwords.hash_secret(slip.passphrase)
    try:
        with house.database.work() as w:
            person_id = joining.come_in(w, half["code"], slip, secret_hash, half["alias"], web.language())
            token = browser.start_session(w, person_id)
    except AppError as refusal:
        token = _joined_before(slip, refusal)  # a second tap: the first one did it
    return browser.arrive(token)


def _joined_before(slip: Slip, refusal: AppError) -> str:
    """Sign in whoever this slip already brought in. Raises the refusal of the second try if it was nobody."""
    person_id = slips.holder(web.house().database, slip)
    if person_id is None:
        raise refusal
    with web.house().database.work() as w:
        return browser.start_session(w, person_id)


def _show_choice(half: dict[str, Any], error: str | None) -> str:
    return flask.render_template(
        "joining/choose.html",
        offers=half["offers"],
        chosen=half.get("alias", half["offers"][0]),
        slip=Slip(**half["slip"]),
        error=web.translated(error) if error else None,
    )


def _said(refusal: AppError) -> str:
    return web.translated(refusal.message, **refusal.params)


def _keep(half: dict[str, Any]) -> None:
    slips.keep(flask.session, web.house().keys, _PURPOSE, half)


def _kept() -> dict[str, Any]:
    return slips.kept(flask.session, web.house().keys, _PURPOSE)
