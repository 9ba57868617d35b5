"""Your own calendar: what is planned, and a private address where a calendar reads it under a neutral word."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.accounts import slips
from app.core.permissions import Permission
from groups.agenda import calendar, planning

blueprint = Blueprint("calendar", __name__)

_PER_MINUTE = 30  # reads from one place: a calendar asks a few times a day


@blueprint.get("/meer/agenda")
@web.needs(Permission.OWN_CALENDAR_READ)
def mine() -> Any:
    """What is planned for me, and the address of my feed: shown once, right after it was made."""
    secret = slips.take_over(flask.session, web.house().keys, _purpose())
    with web.read() as w:
        feed, planned = calendar.standing(w), planning.upcoming(w, limit=30)
    origin = web.house().settings.origins[0]
    shown = origin + flask.url_for("calendar.read", secret=secret) if secret and feed else None
    words = {word: names[web.language()] for word, names in calendar.WORDS.items()}
    return flask.render_template("accounts/calendar.html", feed=feed, planned=planned, address=shown, words=words)


@blueprint.post("/meer/agenda")
@web.needs(Permission.OWN_CALENDAR_READ)
def make() -> Any:
    """Make an address, or a new one: the old one ends at once."""
    with web.work() as w:
        secret = calendar.make(w)
    slips.hand_over(flask.session, web.house().keys, _purpose(), secret)
    return web.done(flask.url_for("calendar.mine", _anchor="adres"))


@blueprint.post("/meer/agenda/stop")
@web.needs(Permission.OWN_CALENDAR_READ)
def end() -> Any:
    """End the address."""
    with web.work() as w:
        calendar.end(w)
    return web.done(flask.url_for("calendar.mine"))


@blueprint.post("/meer/agenda/woord")
@web.needs(Permission.OWN_CALENDAR_READ)
def name() -> Any:
    """Choose the word that appointments go by."""
    with web.work() as w:
        calendar.name(w, request.form.get("word", ""))
    return web.done(flask.url_for("calendar.mine"))


@blueprint.get("/agenda/<secret>.ics")
@web.public
def read(secret: str) -> Any:
    """What a calendar reads. For whoever has the address: no cookie is asked for, and none is set."""
    house = web.house()
    house.limiter.per_minute(_PER_MINUTE, "agenda", web.source())
    with house.database.read() as w:
        found = calendar.read(w, secret)
    return flask.Response(found, content_type="text/calendar; charset=utf-8", headers={"Cache-Control": web.PRIVATE})


def _purpose() -> str:
    return f"calendar {web.actor().person_id}"
