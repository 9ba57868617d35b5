"""The programme as pages: chapters to read at home, with one's own answers kept."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.core.work import Work
from groups import exercises, readers, rooms
from groups.curriculum import programme

blueprint = Blueprint("programme", __name__)

DEFAULT = "lust-leren-loslaten"


@blueprint.get("/programma")
@web.needs(Permission.PROGRAMME_CHAPTER_READ)
def chapters() -> Any:
    """The chapters of one's programme."""
    with web.read() as w:
        place = _place(w)
    shown = programme(place.programme if place else DEFAULT, web.language())
    return flask.render_template("programme/list.html", programme=shown)


@blueprint.get("/programma/<chapter>")
@web.needs(Permission.PROGRAMME_CHAPTER_READ)
def chapter(chapter: str) -> Any:
    """One chapter to read, with what one answered at home."""
    with web.read() as w:
        place = _place(w)
        shown = programme(place.programme if place else DEFAULT, web.language()).chapter(chapter)
        own = exercises.own(w, place, chapter, 0) if place and not place.leads else {}
    return flask.render_template("programme/chapter.html", chapter=shown, own=own, place=place, readers=readers.NOBODY)


@blueprint.post("/programma/<chapter>/<step>")
@web.needs(Permission.OWN_ANSWER_WRITE)
def answer(chapter: str, step: str) -> Any:
    """Keep an answer given at home: it stays one's own."""
    with web.work() as w:
        place = _place(w)
        if place is None:
            raise NotFound
        value: Any = request.form.getlist("option") or request.form.get("text", "")
        kept = exercises.answer(w, place, chapter, step, value)
    if kept.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return web.done(flask.url_for("programme.chapter", chapter=chapter, _anchor=step))


def _place(w: Work) -> rooms.Place | None:
    places = [p for p in rooms.places(w) if p.kind == "group"]
    if w.who.staff or not places:
        return places[0] if places else None
    return rooms.home(w, web.group_here())
