"""What one does with a message that stands in a room: change it, take it back, answer it quietly."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError
from app.core.permissions import Permission
from app.core.text import plain
from groups.talk import conversation, editing, reactions
from groups.talk.pages import Asked
from groups.web.room import help_now, note_change, page

blueprint = Blueprint("messages", __name__)

_CHANGES, _REACTIONS = 12, 60  # a minute, of one person: each is told to the whole room, and a change is kept


@blueprint.post("/ruimte/<room>/bericht/<int:seq>/wijzig")
@web.needs(Permission.OWN_MESSAGE_CHANGE)
def edit(room: str, seq: int) -> Any:
    """Let one's own message say something else."""
    typed = request.form.get("text", "")
    try:
        web.house().limiter.per_minute(_CHANGES, "change", str(web.actor().person_id))
        with web.work() as w:
            changed = editing.edit(w, room, seq, plain(typed), mask_ok="mask_ok" in request.form)
    except AppError as refusal:
        if web.wants_json():
            raise
        error = web.translated(refusal.message, **refusal.params)
        return page(room, Asked(change=seq), draft=typed, error=error), refusal.status
    note_change(changed)
    if web.wants_json():
        told = {"ok": True, "status": changed.status, "text": changed.text, "reasons": list(changed.kinds)}
        return told | ({"crisis": True} if changed.crisis else {})
    if changed.status == "preview":
        return page(room, Asked(change=seq), draft=typed, preview=changed.text, **help_now(changed.crisis))
    if changed.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return web.done(_at(room, seq))


@blueprint.post("/ruimte/<room>/bericht/<int:seq>/haal-weg")
@web.needs(Permission.OWN_MESSAGE_CHANGE)
def withdraw(room: str, seq: int) -> Any:
    """Take back one's own message."""
    with web.work() as w:
        editing.withdraw(w, room, seq)
    return web.done(_at(room, seq))


@blueprint.post("/ruimte/<room>/vastgehouden/haal-weg")
@web.needs(Permission.OWN_MESSAGE_CHANGE)
def withdraw_held(room: str) -> Any:
    """Take back one's own message that waits for a moderator."""
    with web.work() as w:
        editing.withdraw_held(w, room, request.form.get("key", ""))
    return web.done(flask.url_for("room.show", room=room, _anchor="end"))


@blueprint.post("/ruimte/<room>/bericht/<int:seq>/reactie")
@web.needs(Permission.GROUP_MESSAGE_READ)
def react(room: str, seq: int) -> Any:
    """Give a quiet reaction, or take it back."""
    kind, on = request.form.get("kind", ""), request.form.get("on") == "1"
    web.house().limiter.per_minute(_REACTIONS, "react", str(web.actor().person_id))
    with web.work() as w:
        names = reactions.react(w, room, seq, kind, on)
    if web.wants_json():
        return {"ok": True, "reactions": reactions.plain(names)}
    return web.done(_at(room, seq))


@blueprint.post("/ruimte/<room>/gelezen")
@web.needs(Permission.GROUP_MESSAGE_READ)
def read(room: str) -> Any:
    """Say how far one has read, where no script does."""
    with web.work() as w:
        conversation.mark_read(w, room, web.number("seq"))
    return web.done(flask.url_for("room.show", room=room, _anchor="end"))


def _at(room: str, seq: int) -> str:
    return flask.url_for("room.show", room=room, _anchor=f"b{seq}")
