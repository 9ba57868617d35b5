"""A code for somebody who has an account: a client enters another group, a facilitator helps to lead one."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import codes, slips
from app.core.errors import AppError, Invalid
from app.core.permissions import Permission
from app.core.work import Work
from groups import rooms
from groups.people import joining
from groups.programme.curriculum import house_rules

blueprint = Blueprint("code", __name__)


@blueprint.get("/code")
@web.needs(Permission.OWN_INVITATION_USE)
def ask() -> Any:
    """A field for the code."""
    return flask.render_template("joining/another_code.html", code="", error=None)


@blueprint.post("/code")
@web.needs(Permission.OWN_INVITATION_USE)
def check() -> Any:
    """Check the code: a client goes on to another alias, a facilitator leads the group from now on."""
    code = request.form.get("code", "")[:40]
    house, who = web.house(), web.actor()
    try:
        target = codes.attempt(house.database, house.keys, "code", web.source(), lambda w: _use(w, code), who)
    except AppError as refusal:
        if web.wants_json():
            raise
        said = web.translated(refusal.message, **refusal.params)
        return flask.render_template("joining/another_code.html", code=code, error=said), refusal.status
    return flask.redirect(target, code=303)


def _use(w: Work, code: str) -> str:
    if w.who.staff:
        return flask.url_for("buddies.group", group=joining.help_lead(w, code))
    _keep({"code": code, "offers": joining.offers(w, joining.look_up_more(w, code))})
    return flask.url_for("code.choose")


@blueprint.get("/code/naam")
@web.needs(Permission.OWN_INVITATION_USE)
def choose() -> Any:
    """Choose an alias for this group, another one than anywhere else."""
    half = _kept()
    return flask.render_template(
        "joining/another_name.html", offers=half["offers"], chosen=half.get("alias", half["offers"][0])
    )


@blueprint.post("/code/naam")
@web.needs(Permission.OWN_INVITATION_USE)
def chosen() -> Any:
    """Take the chosen alias, or draw others."""
    half = _kept()
    if "others" in request.form:
        with web.read() as w:
            half["offers"] = joining.offers(w, joining.look_up_more(w, half["code"]), besides=tuple(half["offers"]))
        half.pop("alias", None)
        _keep(half)
        return flask.redirect(flask.url_for("code.choose"), code=303)
    alias = request.form.get("alias", "")
    half["alias"] = alias if alias in half["offers"] else half["offers"][0]
    _keep(half)
    return flask.redirect(flask.url_for("code.rules"), code=303)


@blueprint.get("/code/afspraken")
@web.needs(Permission.OWN_INVITATION_USE)
def rules() -> Any:
    """The house rules, once more: they are the same in every group."""
    half = _kept()
    if "alias" not in half:
        return flask.redirect(flask.url_for("code.choose"))
    lines, privacy_line = house_rules(web.language())
    with web.read() as w:
        full = joining.is_full(w, half["code"])
    return flask.render_template(
        "joining/rules.html", rules=lines, privacy_line=privacy_line, alias=half["alias"], full=full, door="code"
    )


@blueprint.post("/code/afspraken")
@web.needs(Permission.OWN_INVITATION_USE)
def join() -> Any:
    """Agree, and enter the other group with the account one has."""
    half = _kept()
    if request.form.get("agree") != "yes" or "alias" not in half:
        raise Invalid(joining.AGREE_FIRST)
    with web.work() as w:
        group = joining.join_more(w, half["code"], half["alias"])
        room = rooms.group_place(w, group).room if group else ""
    slips.drop(flask.session)
    target = flask.url_for("room.show", room=room) if room else flask.url_for("today.show")
    return flask.redirect(target, code=303)


def _keep(half: dict[str, Any]) -> None:
    slips.keep(flask.session, web.house().keys, _purpose(), half)


def _kept() -> dict[str, Any]:
    return slips.kept(flask.session, web.house().keys, _purpose())


def _purpose() -> str:
    return f"another group {web.actor().person_id}"
