"""Sessions as pages: planning one, and the facilitator's cockpit. Every control is a form; scripts only spare
the reload."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import Closed
from app.core.permissions import Permission
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.led import holding, presence, sessions, showing, stage
from groups.talk import pages

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/bijeenkomst/<session>")
@web.needs(Permission.GROUP_SESSION_LEAD)
def cockpit(session: str) -> Any:
    """Everything a facilitator needs during a session, on one screen."""
    with web.read() as w:
        row, found = steering.lead(w, session)
        page = showing.cockpit(w, row, found) | pages.talk(w, found, shown=100)
        page["held"] = holding.here(w, found)  # of the group; the talk has one's own
    page["run_sheet_url"] = flask.url_for("sheets.show", session=session)
    return flask.render_template("sessions/cockpit.html", **page, key=str(uuid.uuid4()))


def _step(change: Callable[[Work, str, int], None], session: str) -> Any:
    """Make one change. A click that came second is not an error for a person: they see where it stands now."""
    try:
        with web.work() as w:
            change(w, session, web.number("version"))
    except Closed:
        if web.wants_json():
            raise
    return web.done(flask.url_for("sessions.cockpit", session=session))


@blueprint.post("/bijeenkomst/<session>/open")
@web.needs(Permission.GROUP_SESSION_LEAD)
def open_session(session: str) -> Any:
    """Open the session."""
    return _step(sessions.open_session, session)


@blueprint.post("/bijeenkomst/<session>/stap")
@web.needs(Permission.GROUP_SESSION_LEAD)
def move(session: str) -> Any:
    """Go to a step."""
    position = web.number("position")
    return _step(lambda w, ref, version: sessions.move(w, ref, version, position), session)


@blueprint.post("/bijeenkomst/<session>/langer")
@web.needs(Permission.GROUP_SESSION_LEAD)
def extend(session: str) -> Any:
    """Two more minutes."""
    return _step(sessions.extend, session)


@blueprint.post("/bijeenkomst/<session>/toon")
@web.needs(Permission.GROUP_SESSION_LEAD)
def reveal(session: str) -> Any:
    """Show the tally to everybody."""
    return _step(sessions.reveal, session)


@blueprint.post("/bijeenkomst/<session>/schrijven")
@web.needs(Permission.GROUP_SESSION_LEAD)
def lock(session: str) -> Any:
    """Who may write: everybody, or only facilitators."""
    locked = request.form.get("locked") == "1"
    return _step(lambda w, ref, version: sessions.lock(w, ref, version, locked), session)


@blueprint.post("/bijeenkomst/<session>/sluit")
@web.needs(Permission.GROUP_SESSION_LEAD)
def close(session: str) -> Any:
    """Close the session."""
    return _step(sessions.close, session)


@blueprint.post("/bijeenkomst/<session>/woord")
@web.needs(Permission.GROUP_SESSION_LEAD)
def give_word(session: str) -> Any:
    """Give somebody the word."""
    with web.work() as w:
        presence.give_word(w, session, request.form.get("alias", ""))
    return web.done(flask.url_for("sessions.cockpit", session=session))


@blueprint.post("/bijeenkomst/<session>/stil")
@web.needs(Permission.GROUP_MEMBER_MUTE)
def mute(session: str) -> Any:
    """Let somebody only read for ten minutes, or write again."""
    with web.work() as w:
        row, found = steering.lead(w, session)
        minutes = 0 if request.form.get("lift") == "1" else 10
        rooms.mute(w, found.room, request.form.get("alias", ""), minutes)
        stage.tell(w, row, found)
    return web.done(flask.url_for("sessions.cockpit", session=session))
