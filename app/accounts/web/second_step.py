"""The second step of staff: after the password a code, a backup code or a passkey; without one of them no session.

Who proved only the first factor holds a half-way state: sealed, good for minutes, for one step, one person, one use.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

import flask
from flask import Blueprint, request

from app import web
from app.accounts import once, passkeys, qr, second_factor
from app.accounts.web import browser, challenges
from app.core import ids
from app.core.errors import AppError, Invalid, NotFound, Unauthenticated
from app.core.permissions import Permission, Role

blueprint = Blueprint("second_step", __name__)

_TO_PROVE = timedelta(minutes=5)
_TO_SET_UP = timedelta(minutes=15)  # somebody may have to find an app first
_PURPOSE = "half-way"


@dataclass(frozen=True, slots=True)
class HalfWay:
    """Somebody who proved one factor: to do what, who, a name that is spent when it is done, and until when.

    `secret` is that of the authenticator they are setting up, if they are; `proof` remembers the password they gave.
    """

    step: Literal["prove", "set up", "replace"]
    person_id: int
    name: str
    until: int  # seconds since 1970
    secret: str = ""
    proof: str = ""


def proceed(person_id: int, role: Role, *, proof: str = "") -> Any:
    """The answer to somebody who proved their first factor just now: a session for clients, the next step for staff.

    Raises `Unauthenticated` if they may not come in any more.
    """
    if role is Role.CLIENT:
        return come_in(person_id, proof=proof)
    with web.read() as r:
        ready = second_factor.factors(r, person_id).any
    language = flask.session.get("language")
    flask.session.clear()  # what a visitor began is not carried into somebody's account
    if language:
        flask.session["language"] = language
    if ready:
        _begin("prove", person_id, proof)
    else:
        _begin("set up", person_id, proof)
    return flask.redirect(flask.url_for("second_step.ask" if ready else "second_step.set_up"), code=303)


def come_in(person_id: int, *, proof: str = "") -> Any:
    """Sign a person in who proved all that is asked of them."""
    with web.house().database.work() as w:
        token = browser.start_session(w, person_id, proof=proof)
    return browser.arrive(token)


@blueprint.get("/terug/stap")
@web.public
def ask() -> Any:
    """Ask somebody half-way for a code or a passkey."""
    half = _half_way("prove")
    return _start_again() if half is None else _show(half, None)


@blueprint.post("/terug/stap")
@web.public
def answer() -> Any:
    """Check a code, a backup code or a passkey, and let somebody half-way in."""
    half = _half_way("prove")
    if half is None:
        return _start_again(once.STALE)
    try:
        second_factor.limit_tries(web.house().limiter, half.person_id)
        credential = request.form.get("credential", "")
        challenge = challenges.kept(_PURPOSE, half.name) if credential else b""
        with web.house().database.work() as w:
            once.spend(w, half.name)
            if credential:
                passkeys.recognise(w, challenges.place(), challenge, credential, half.person_id)
            else:
                second_factor.prove(w, half.person_id, request.form.get("code", ""))
            token = browser.start_session(w, half.person_id, confirmed=True, proof=half.proof)
    except Unauthenticated as refusal:
        return _start_again(refusal.message)
    except AppError as refusal:
        return _show(half, refusal.message), refusal.status
    return browser.arrive(token)


@blueprint.post("/terug/stap/sleutel")
@web.public
def challenge() -> Any:
    """What the browser needs to ask for a passkey of somebody half-way."""
    half = _half_way("prove")
    if half is None:
        raise Unauthenticated(once.STALE)
    with web.read() as r:
        options, secret = passkeys.ask(r, challenges.place(), half.person_id)
    challenges.keep(_PURPOSE, half.name, secret)
    return {"ok": True, "options": options}


@blueprint.get("/terug/instellen")
@web.public
def set_up() -> Any:
    """Show somebody half-way, who has no second factor yet, how to get one."""
    half = _half_way("set up")
    return _start_again() if half is None else _show_set_up(half, None)


@blueprint.post("/terug/instellen")
@web.public
def finish_set_up() -> Any:
    """Take the authenticator into use, show the backup codes once, and let its owner in."""
    half = _half_way("set up")
    if half is None:
        return _start_again(once.STALE)
    try:
        second_factor.limit_tries(web.house().limiter, half.person_id)
        with web.house().database.work() as w:
            once.spend(w, half.name)
            codes = second_factor.enrol(w, half.person_id, half.secret, request.form.get("code", ""))
            token = browser.start_session(w, half.person_id, confirmed=True, proof=half.proof)
    except Unauthenticated as refusal:
        return _start_again(refusal.message)
    except AppError as refusal:
        return _show_set_up(half, refusal.message), refusal.status
    flask.session.clear()
    page = flask.make_response(flask.render_template("accounts/backup_codes.html", codes=codes))
    return browser.sign_in_browser(page, token)


@blueprint.get("/tweede-stap")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def mine() -> Any:
    """What staff prove a second time with: the app, and how many backup codes are left."""
    with web.read() as r:
        found = second_factor.factors(r, _staff())
    return flask.render_template("accounts/second_factor.html", factors=found)


@blueprint.post("/tweede-stap/codes")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def renew_codes() -> Any:
    """Ten new backup codes, shown once; the old ones are worth nothing any more."""
    person_id = _staff()
    with web.work() as w:
        codes = second_factor.renew_codes(w, person_id)
    return flask.render_template("accounts/backup_codes.html", codes=codes)


@blueprint.get("/tweede-stap/app")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def another_app() -> Any:
    """Set up the app anew, such as on another telephone. The old one counts until this is done."""
    person_id, half = _staff(), _half_way("replace")
    if half is None or half.person_id != person_id:
        half = _begin("replace", person_id)
    return _show_set_up(half, None)


@blueprint.post("/tweede-stap/app")
@web.needs(Permission.OWN_ACCOUNT_CHANGE, confirmed=True)
def take_another_app() -> Any:
    """Take the app that was set up anew into use, in place of the old one, with new backup codes."""
    person_id, half = _staff(), _half_way("replace")
    if half is None or half.person_id != person_id:
        raise Invalid(once.STALE)
    try:
        second_factor.limit_tries(web.house().limiter, person_id)
        with web.work() as w:
            once.spend(w, half.name)
            codes = second_factor.enrol(w, person_id, half.secret, request.form.get("code", ""), replace=True)
    except AppError as refusal:
        return _show_set_up(half, refusal.message), refusal.status
    flask.session.pop("half_way", None)
    return flask.render_template("accounts/backup_codes.html", codes=codes)


def _begin(step: Literal["prove", "set up", "replace"], person_id: int, proof: str = "") -> HalfWay:
    lasts = _TO_PROVE if step == "prove" else _TO_SET_UP
    secret = "" if step == "prove" else second_factor.new_secret()
    half = HalfWay(step, person_id, ids.session_token(), _now() + int(lasts.total_seconds()), secret, proof)
    flask.session["half_way"] = web.house().keys.seal(_PURPOSE, json.dumps(asdict(half)).encode())
    return half


def _half_way(step: str) -> HalfWay | None:
    """The half-way state this browser holds for one step, if it still counts."""
    sealed = flask.session.get("half_way", "")
    try:
        opened = web.house().keys.unseal(_PURPOSE, sealed, max_age=int(_TO_SET_UP.total_seconds()))
    except Invalid:
        return None
    half = HalfWay(**json.loads(opened))
    return half if half.step == step and _now() < half.until else None


def _now() -> int:
    return int(web.house().database.clock().timestamp())


def _show(half: HalfWay, error: str | None) -> str:
    with web.read() as r:
        found = second_factor.factors(r, half.person_id)
        hint = "" if web.house().settings.production else second_factor.demo_code(r, half.person_id)
    return flask.render_template(
        "accounts/second_step.html",
        factors=found,
        demo_code=hint,
        elsewhere=challenges.elsewhere() if found.passkeys else "",
        error=web.translated(error) if error else None,
    )


def _show_set_up(half: HalfWay, error: str | None) -> str:
    address = second_factor.address(half.secret)
    return flask.render_template(
        "accounts/second_setup.html",
        address=address,
        picture=qr.drawing(address),
        secret=" ".join(half.secret[at : at + 4] for at in range(0, len(half.secret), 4)),
        renewing=half.step == "replace",
        error=web.translated(error) if error else None,
    )


def _start_again(refusal: str = "") -> Any:
    flask.session.pop("half_way", None)
    if not refusal:
        return flask.redirect(flask.url_for("accounts.sign_in_page"), code=303)
    page = flask.render_template("accounts/sign_in.html", login="", error=web.translated(refusal))
    return page, Unauthenticated.status


def _staff() -> int:
    who = web.actor()
    if not who.staff:
        raise NotFound
    return who.person_id
