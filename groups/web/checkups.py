"""The check-up: asking for it, doing it once a quarter, and the numbers side by side."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from flask import Blueprint, request
from flask_babel import format_date

from app import web
from app.core.errors import AppError, Closed, Invalid, NotFound, TooLarge
from app.core.permissions import Permission
from app.core.work import Work
from groups import readers, rooms
from groups.own import checkups

blueprint = Blueprint("checkups", __name__)


@blueprint.get("/check-up")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def show() -> Any:
    """What it is, the one that is due, and how it went before."""
    return _show()


@blueprint.post("/check-up")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def begin() -> Any:
    """Ask for check-ups."""
    with web.work() as w:
        checkups.begin(w)
    return web.done(flask.url_for("checkups.show"))


@blueprint.post("/check-up/stop")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def stop() -> Any:
    """Want no more of them."""
    with web.work() as w:
        checkups.stop(w)
    return web.done(flask.url_for("checkups.show"))


@blueprint.post("/check-up/<ref>")
@web.needs(Permission.OWN_CHECKIN_WRITE)
def answer(ref: str) -> Any:
    """Do the one that is due."""
    form = request.form
    try:
        with web.work() as w:
            numbers = {name: form.get(name) for name in checkups.QUESTIONS}
            crisis = checkups.answer(w, ref, numbers, form.get("line", ""))
    except Closed:
        if web.wants_json():
            raise
        return web.done(flask.url_for("checkups.show"))
    except (Invalid, TooLarge) as refusal:
        if web.wants_json():
            raise
        return _show(refusal), refusal.status
    return web.done(web.help_after_words() if crisis else flask.url_for("checkups.show"))


def _show(refusal: AppError | None = None) -> str:
    with web.read() as w:
        own, member = checkups.own(w), _is_member(w)
    return flask.render_template(
        "checkups/show.html",
        own=own,
        member=member,
        questions=checkups.QUESTIONS,
        highest=checkups.HIGHEST,
        limit=checkups.LIMIT,
        given=request.form,
        short=_short,
        readers=readers.NOBODY,
        error=web.translated(refusal.message, **refusal.params) if refusal else None,
    )


def _short(on: date) -> str:
    """A day above a narrow column: `17 nov 2026`."""
    text: str = format_date(on, "d MMM y", rebase=False)
    return text


def _is_member(w: Work) -> bool:
    """Is this somebody with a group to come back to?"""
    try:
        rooms.home(w)
    except NotFound:
        return False
    return True
