"""The check-in: one question a screen, kept at every step."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import NotFound
from app.core.permissions import Permission
from groups import readers, rooms
from matching import buddies, checkins

blueprint = Blueprint("checkins", __name__)


@blueprint.get("/check-in")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def begin() -> Any:
    """To the first question that is still open today."""
    with web.read() as w:
        draft = checkins.draft(w, rooms.home(w, web.group_here()))
    question = "mood" if draft.mood is None else "urge" if draft.urge is None else "halt"
    return flask.redirect(flask.url_for("checkins.ask", question="mood" if draft.done else question))


@blueprint.get("/check-in/<question>")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def ask(question: str) -> Any:
    """One question."""
    if question not in checkins.QUESTIONS:
        raise NotFound
    with web.read() as w:
        place = rooms.home(w, web.group_here())
        draft = checkins.draft(w, place)
        own = [b for b in buddies.mine(w) if b.own_membership_id == place.membership_id]
    number = checkins.QUESTIONS.index(question)
    before = checkins.QUESTIONS[number - 1] if number else None
    return flask.render_template(
        f"checkin/{question}.html",
        draft=draft,
        number=number + 1,
        count=len(checkins.QUESTIONS),
        before=before,
        buddies=own,
        question=question,
        place=place,
        readers=readers.NOBODY,
    )


@blueprint.post("/check-in/<question>")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def save(question: str) -> Any:
    """Keep one answer, and on to the next question."""
    if question not in checkins.QUESTIONS:
        raise NotFound
    value: Any = request.form.getlist("value") if question == "halt" else request.form.get("value", "")
    with web.work() as w:
        crisis = checkins.save(w, rooms.home(w, web.group_here()), question, value)
    if crisis:
        return flask.redirect(web.help_after_words(), code=303)
    number = checkins.QUESTIONS.index(question) + 1
    if number == len(checkins.QUESTIONS):
        return web.done(flask.url_for("checkins.thanks"))
    return web.done(flask.url_for("checkins.ask", question=checkins.QUESTIONS[number]))


@blueprint.get("/check-in/klaar")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def thanks() -> Any:
    """Done for today."""
    with web.read() as w:
        draft = checkins.draft(w, rooms.home(w, web.group_here()))
    return flask.render_template("checkin/thanks.html", draft=draft)
