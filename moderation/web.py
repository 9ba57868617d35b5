"""The review queue as pages."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.permissions import Permission
from moderation import queue

blueprint = Blueprint("moderation", __name__)


@blueprint.get("/beoordelen")
@web.needs(Permission.ORGANISATION_CASE_READ)
def waiting() -> Any:
    """What waits, danger first."""
    with web.read() as w:
        cards = queue.waiting(w)
    return _show(cards, None)


@blueprint.get("/beoordelen/<case>")
@web.needs(Permission.ORGANISATION_CASE_READ)
def look(case: str) -> Any:
    """One case: kind first, its text closed until asked for."""
    with web.work() as w:
        cards = queue.waiting(w)
        detail = queue.look(w, case)
    return _show(cards, detail)


@blueprint.post("/beoordelen/<case>")
@web.needs(Permission.ORGANISATION_CASE_DECIDE)
def decide(case: str) -> Any:
    """Decide a case."""
    form = request.form
    with web.work() as w:
        decision, reason, note = form.get("decision", ""), form.get("reason", ""), form.get("note", "")
        queue.decide(w, case, web.number("version"), decision, reason, note)
    return web.done(flask.url_for("moderation.waiting"))


def _show(cards: list[queue.Card], detail: queue.Detail | None) -> str:
    return flask.render_template(
        "moderation/queue.html",
        cards=cards,
        detail=detail,
        reasons=queue.REASONS,
        readers=queue.NOTE_READERS,
    )
