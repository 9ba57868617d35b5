"""What one does with what others wrote, for oneself: report it without being named, hide it, look something up."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError
from app.core.permissions import Permission
from groups import rooms
from groups.talk import hiding, reporting, search

blueprint = Blueprint("view", __name__)


@blueprint.get("/ruimte/<room>/bericht/<int:seq>/meld")
@web.needs(Permission.GROUP_FLAG_RAISE)
def ask_flag(room: str, seq: int) -> Any:
    """Why somebody reports a message: one tap is the answer."""
    with web.read() as w:
        found = rooms.place(w, room)
        asked = reporting.ask(w, room, seq)
    return flask.render_template("groups/flag.html", place=found, asked=asked, receipt=None)


@blueprint.post("/ruimte/<room>/bericht/<int:seq>/meld")
@web.needs(Permission.GROUP_FLAG_RAISE)
def flag(room: str, seq: int) -> Any:
    """Report a message."""
    with web.work() as w:
        reporting.report(w, room, seq, request.form.get("reason", ""))
        receipt = reporting.receipt(w, room, seq)
    if web.wants_json():
        return {"ok": True, "said": flask.render_template("groups/flag_said.html", receipt=receipt).strip()}
    return web.done(flask.url_for("view.flagged", room=room, seq=seq))


@blueprint.get("/ruimte/<room>/bericht/<int:seq>/gemeld")
@web.needs(Permission.GROUP_FLAG_RAISE)
def flagged(room: str, seq: int) -> Any:
    """What happens with one's report, and when somebody looks."""
    with web.read() as w:
        found = rooms.place(w, room)
        receipt = reporting.receipt(w, room, seq)
    return flask.render_template("groups/flag.html", place=found, asked=None, receipt=receipt)


@blueprint.get("/ruimte/<room>/verborgen")
@web.needs(Permission.GROUP_MESSAGE_READ)
def hidden(room: str) -> Any:
    """What one does not want to see here, to take it back."""
    with web.read() as w:
        found = rooms.place(w, room)
        listed = hiding.listed(w, found)
    return flask.render_template("groups/hidden.html", place=found, listed=listed)


@blueprint.post("/ruimte/<room>/verborgen")
@web.needs(Permission.GROUP_MESSAGE_READ)
def hide(room: str) -> Any:
    """Hide a message, or somebody."""
    alias = request.form.get("alias", "")
    with web.work() as w:
        if alias:
            hiding.hide_person(w, room, alias)
        else:
            hiding.hide_message(w, room, web.number("seq"))
    return web.done(flask.url_for("room.show", room=room))


@blueprint.post("/ruimte/<room>/verborgen/terug")
@web.needs(Permission.GROUP_MESSAGE_READ)
def show(room: str) -> Any:
    """Show again what one hid."""
    alias = request.form.get("alias", "")
    with web.work() as w:
        if alias:
            hiding.show_person(w, room, alias)
        else:
            hiding.show_message(w, room, web.number("seq"))
    return web.done(flask.url_for("view.hidden", room=room))


@blueprint.get("/ruimte/<room>/zoeken")
@web.needs(Permission.GROUP_MESSAGE_READ)
def ask(room: str) -> Any:
    """Where to look something up in one's own room."""
    with web.read() as w:
        found = rooms.place(w, room)
    return flask.render_template("groups/search.html", place=found, results=None, asked="")


@blueprint.post("/ruimte/<room>/zoeken")
@web.needs(Permission.GROUP_MESSAGE_READ)
def find(room: str) -> Any:
    """What was found. The words travel in the form only, so that no address or history keeps them."""
    asked = request.form.get("words", "")
    web.house().limiter.per_minute(20, "search", web.actor().session)
    with web.read() as w:
        found = rooms.place(w, room)
        try:
            results, error = search.find(w, room, asked), None
        except AppError as refusal:
            if web.wants_json():
                raise
            results, error = None, refusal
    page = flask.render_template(
        "groups/search.html",
        place=found,
        results=results,
        asked=asked[: search.LONGEST],
        error=web.translated(error.message, **error.params) if error else None,
    )
    return (page, error.status) if error else page
