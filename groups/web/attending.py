"""What members do in a running session: their turn, a quiet sign, a note to the facilitators, the closing questions."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.permissions import Permission
from groups import rooms
from groups.led import breakouts, closing, notes, presence, rounds, showing

blueprint = Blueprint("attending", __name__)


def _back(room: str) -> Any:
    return web.done(flask.url_for("room.show", room=room))


@blueprint.post("/ruimte/<room>/beurt")
@web.needs(Permission.GROUP_HAND_RAISE)
def turn(room: str) -> Any:
    """One's turn in a round: done, pass, or a turn after all."""
    with web.work() as w:
        rounds.take(w, room, request.form.get("what", ""))
    return _back(room)


@blueprint.post("/ruimte/<room>/pauze")
@web.needs(Permission.GROUP_HAND_RAISE)
def ask_pause(room: str) -> Any:
    """Ask quietly for a pause, or take that back."""
    with web.work() as w:
        presence.ask_pause(w, room, request.form.get("on") == "1")
    return _back(room)


@blueprint.post("/ruimte/<room>/notitie")
@web.needs(Permission.GROUP_NOTE_WRITE)
def note(room: str) -> Any:
    """Write a note to the facilitators. What would be masked comes back first, for its author to see."""
    form = request.form
    key, mask_ok = form.get("key") or str(uuid.uuid4()), form.get("mask_ok") == "1"
    with web.work() as w:
        sent = notes.send(w, room, key, form.get("text", ""), mask_ok=mask_ok)
    if web.wants_json():
        told: dict[str, Any] = {"ok": True, "status": sent.status, "masked": sent.masked, "crisis": sent.crisis}
        told |= {"text": sent.text, "reasons": list(sent.kinds)} if sent.masked else {}
        if sent.crisis and sent.status == "preview":
            return told | {"crisis": False}  # a notice shows help beside it; leaving the page would lose the note
        return told | ({"location": web.help_after_words()} if sent.crisis else {})
    if sent.status == "preview":
        with web.read() as w:
            place = rooms.place(w, room, out_too=True)
        return flask.render_template(
            "groups/note.html", place=place, key=key, draft=form.get("text", ""), preview=sent.text, help=sent.crisis
        )
    if sent.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return _back(room)


@blueprint.post("/ruimte/<room>/notitie/gelezen")
@web.needs(Permission.GROUP_NOTE_WRITE)
def notes_read(room: str) -> Any:
    """What facilitators answered was read."""
    with web.work() as w:
        notes.read_own(w, room)
    return _back(room)


@blueprint.post("/ruimte/<room>/slotvragen")
@web.needs(Permission.OWN_ANSWER_WRITE)
def closing_questions(room: str) -> Any:
    """Answer the two questions at the end."""
    form = request.form
    together, safe = web.number("together", "0"), web.number("safe", "0")
    with web.work() as w:
        closing.answer(w, room, form.get("session", ""), together, safe, few_ok=form.get("few_ok") == "1")
    return _back(room)


@blueprint.get("/ruimte/<room>/stap/<line>")
@web.needs(Permission.GROUP_SESSION_ATTEND)
def step(room: str, line: str) -> Any:
    """One step of the running session, for a screen that does not have it yet: a piece of a page."""
    with web.read() as w:
        page = showing.step(w, room, line)
    return flask.render_template("groups/step.html", **page)


@blueprint.get("/ruimte/<room>/even-niet")
@web.needs(Permission.GROUP_SESSION_ATTEND)
def outside(room: str) -> Any:
    """For who was asked to stay out of the running session. Whoever may come in is let in."""
    with web.read() as w:
        if not rooms.place(w, room, out_too=True).out:
            return flask.redirect(flask.url_for("room.show", room=room))
        page = showing.outside(w, room)
    return flask.render_template("groups/out.html", **page, key=str(uuid.uuid4()))


@blueprint.post("/ruimte/<room>/terug")
@web.needs(Permission.GROUP_SESSION_ATTEND)
def step_out(room: str) -> Any:
    """Leave one's breakout before it is over, back to the group."""
    with web.work() as w:
        back = breakouts.step_out(w, room)
    return _back(back)
