"""Sharing what one wrote at home, one answer at a time; reading what others shared; asking somebody to look at it."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError, Forbidden, NotFound
from app.core.permissions import Permission
from groups import rooms
from groups.programme import shared, sharing
from moderation import flags

blueprint = Blueprint("sharing", __name__)

_SHARES = 12  # a minute, of one person


@blueprint.get("/programma/<chapter>/<step>/delen")
@web.needs(Permission.OWN_ANSWER_WRITE)
def ask(chapter: str, step: str) -> Any:
    """What an audience (`met`) would read, before it is shared; without one, with whom one could share."""
    audience = request.args.get("met", "")
    if audience in sharing.AUDIENCES:
        return _look(chapter, step, audience)
    return _offers(chapter, step)


@blueprint.post("/programma/<chapter>/<step>/delen")
@web.needs(Permission.OWN_ANSWER_WRITE)
def share(chapter: str, step: str) -> Any:
    """Share one's answer with one audience, as one has just seen it; otherwise it is shown first."""
    audience = request.form.get("audience", "")
    web.house().limiter.per_minute(_SHARES, "share", str(web.actor().person_id))
    try:
        with web.work() as w:
            place = rooms.home(w, web.group_here())
            done = sharing.share(w, place, chapter, step, audience, seen=request.form.get("seen", ""))
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        return _refused(chapter, step, refusal)
    if done.status == "preview":
        return _look(chapter, step, audience, again="seen" in request.form)
    if done.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return web.done(flask.url_for("programme.step", chapter=chapter, step=step, _anchor="delen"))


@blueprint.post("/programma/gedeeld/<ref>/terug")
@web.needs(Permission.OWN_ANSWER_WRITE)
def take_back(ref: str) -> Any:
    """Take back what one shared: nobody reads it any more."""
    with web.work() as w:
        chapter, step = sharing.take_back(w, ref)
    return web.done(flask.url_for("programme.step", chapter=chapter, step=step, _anchor="delen"))


@blueprint.get("/groep/<room>/gedeeld")
@web.needs(Permission.GROUP_MESSAGE_READ)
def room(room: str) -> Any:
    """What others shared in a room one has a seat in: the group's, or that of one's pair."""
    before = request.args.get("voor", "")
    with web.read() as w:
        place = rooms.place(w, room)
        if place.kind == "breakout":
            raise NotFound
        items = shared.in_room(w, place, shared.SHOWN + 1, before=before)
    return flask.render_template(
        "programme/shared.html",
        place=place,
        items=items[: shared.SHOWN],
        more=len(items) > shared.SHOWN,
        earlier=bool(before),
        asked=None,
        flagged="gemeld" in request.args,
        urgent=request.args.get("gemeld") == "nu",
    )


@blueprint.get("/groep/<room>/gedeeld/<ref>/meld")
@web.needs(Permission.GROUP_FLAG_RAISE)
def ask_flag(room: str, ref: str) -> Any:
    """Why somebody reports what was shared: one tap is the answer."""
    with web.read() as w:
        place, asked = shared.one(w, room, ref)
    return flask.render_template("programme/shared.html", place=place, asked=asked)


@blueprint.post("/groep/<room>/gedeeld/<ref>/meld")
@web.needs(Permission.GROUP_FLAG_RAISE)
def flag(room: str, ref: str) -> Any:
    """Report what was shared."""
    reason = request.form.get("reason", "")
    with web.work() as w:
        shared.report(w, room, ref, reason)
    return web.done(flask.url_for("sharing.room", room=room, gemeld="nu" if reason in flags.URGENT else "ja"))


def _look(chapter: str, step: str, audience: str, *, again: bool = False) -> Any:
    """The page on which one sees what would be shared. What keeps one from it is said where one came from."""
    try:
        with web.read() as w:
            place = rooms.home(w, web.group_here())
            look = sharing.look(w, place, chapter, step, audience)
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        return _refused(chapter, step, refusal)
    return flask.render_template("programme/sharing.html", chapter=chapter, step=step, look=look, again=again)


def _refused(chapter: str, step: str, refusal: AppError) -> Any:
    if web.wants_json():
        raise refusal
    return _offers(chapter, step, web.translated(refusal.message, **refusal.params)), refusal.status


def _offers(chapter: str, step: str, error: str = "") -> str:
    with web.read() as w:
        panel = sharing.panel(w, rooms.home(w, web.group_here()), chapter, step)
    if panel is None:
        raise NotFound
    return flask.render_template(
        "programme/sharing.html", chapter=chapter, step=step, look=None, panel=panel, error=error
    )
