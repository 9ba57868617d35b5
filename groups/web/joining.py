"""Coming in: invitation, alias and passphrase, house rules. Nothing is stored until the last step.

What a half-finished join has drawn (names on offer, passphrase) travels sealed in the visitor's own cookie.
"""

from __future__ import annotations

import json
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import accounts, names, passwords
from app.accounts.web import sign_in_browser
from app.core.errors import AppError, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.work import Work
from groups import rooms
from groups.curriculum import house_rules
from groups.models import Group

blueprint = Blueprint("joining", __name__)

_PURPOSE = "half-finished join"
_MINUTES = 45


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
    """Check an invitation code and draw names and a passphrase for whoever holds it."""
    code = request.form.get("code", "")[:40]
    try:
        web.house().limiter.per_minute(10, "code", web.source())
        with web.read() as w:
            welcome = accounts.look_up_invitation(w, code)
            language = w.db.get_one(Group, welcome.group_id).language
            offers = names.offer_aliases(rooms.taken_aliases(w, welcome.group_id))
    except AppError as refusal:
        page = flask.render_template("joining/code.html", code=code, error=web.translated(refusal.message))
        return page, refusal.status
    _keep(
        {
            "code": code,
            "offers": offers,
            "login": names.code_name(language),
            "passphrase": names.passphrase(language),
        }
    )
    return flask.redirect(flask.url_for("joining.choose"), code=303)


@blueprint.get("/kiezen")
@web.public
def choose() -> Any:
    """Choose an alias, write down the passphrase. Shown no more once somebody came in with it."""
    half = _kept()
    with web.read() as r:
        if accounts.credentials(r, half["login"]) is not None:
            raise NotFound
    return _show_choice(half, None)


@blueprint.post("/kiezen")
@web.public
def chosen() -> Any:
    """Take the chosen alias, once one word of the passphrase was typed back; or draw other aliases."""
    half = _kept()
    if "others" in request.form:
        with web.read() as w:
            group_id = accounts.look_up_invitation(w, half["code"]).group_id
            half["offers"] = names.offer_aliases(rooms.taken_aliases(w, group_id) | set(half["offers"]))
        half.pop("alias", None)
        half.pop("written", None)
        _keep(half)
        return flask.redirect(flask.url_for("joining.choose"), code=303)
    alias = request.form.get("alias", "")
    half["alias"] = alias if alias in half["offers"] else half["offers"][0]
    _keep(half)
    if passwords.fold(request.form.get("third", "")[:40]) != half["passphrase"].split()[2]:
        return _show_choice(half, N_("Dat is niet het derde woord. Kijk nog eens op je briefje.")), 422
    half["written"] = True
    _keep(half)
    return flask.redirect(flask.url_for("joining.rules"), code=303)


@blueprint.get("/afspraken")
@web.public
def rules() -> Any:
    """The house rules, before anything is stored."""
    half = _kept()
    if not half.get("written"):
        return flask.redirect(flask.url_for("joining.choose"))
    lines, privacy_line = house_rules(web.language())
    return flask.render_template("joining/rules.html", rules=lines, privacy_line=privacy_line, alias=half["alias"])


@blueprint.post("/afspraken")
@web.public
def join() -> Any:
    """Agree and come in: the person, the membership and the session are stored together."""
    half = _kept()
    if request.form.get("agree") != "yes" or not half.get("written"):
        raise Invalid(N_("Vink eerst aan dat je je aan de afspraken houdt. Er is nog niets vastgelegd."))
    web.house().limiter.per_minute(5, "join", web.source())
    secret_hash = passwords.hash_secret(half["passphrase"])
    try:
        with web.house().database.work() as w:
            token = _join(w, half, secret_hash)
    except AppError as refusal:
        token = _joined_before(half, refusal)  # a second tap: the first one did it
    flask.session.clear()
    return sign_in_browser(flask.redirect(flask.url_for("today.show"), code=303), token)


def _joined_before(half: dict[str, Any], refusal: AppError) -> str:
    """Sign in whoever this slip already brought in. Raises the refusal of the second try if it was nobody."""
    with web.read() as r:
        known = accounts.credentials(r, half["login"])
    if known is None or not passwords.matches(known.secret_hash, half["passphrase"]):
        raise refusal
    with web.house().database.work() as w:
        return accounts.start_session(w, known.person_id, web.house().settings.session_days)


def _join(w: Work, half: dict[str, Any], secret_hash: str) -> str:
    welcome = accounts.use_invitation(w, half["code"])
    group = w.db.get_one(Group, welcome.group_id)
    person_id = accounts.create_person(
        w, group.organisation_id, Role.CLIENT, half["login"], secret_hash, language=web.language()
    )
    rooms.enter(w, group.id, person_id, half["alias"])
    return accounts.start_session(w, person_id, web.house().settings.session_days)


def _show_choice(half: dict[str, Any], error: str | None) -> str:
    return flask.render_template(
        "joining/choose.html",
        offers=half["offers"],
        chosen=half.get("alias", half["offers"][0]),
        login=half["login"],
        words=half["passphrase"].split(),
        error=web.translated(error) if error else None,
    )


def _keep(half: dict[str, Any]) -> None:
    flask.session["join"] = web.house().keys.seal(_PURPOSE, json.dumps(half).encode())


def _kept() -> dict[str, Any]:
    sealed = flask.session.get("join")
    if not sealed:
        raise NotFound(N_("Begin opnieuw met je code; er was nog niets vastgelegd."))
    try:
        half: dict[str, Any] = json.loads(web.house().keys.unseal(_PURPOSE, sealed, max_age=_MINUTES * 60))
    except Invalid:
        raise NotFound(N_("Dit stond te lang open. Begin opnieuw met je code; er was nog niets vastgelegd.")) from None
    return half
