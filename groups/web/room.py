"""A room as a page: the conversation, and the running session with it. Works without scripts."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError
from app.core.permissions import Permission
from groups import rooms
from groups.agenda import planning
from groups.led import answering, breakouts, presence, showing, stage
from groups.live import changed as note_change
from groups.live import parse_post
from groups.programme.curriculum import house_rules
from groups.talk import conversation, messages, pages

__all__ = ["blueprint", "help_now", "note_change", "page"]  # a change of a message needs them too

blueprint = Blueprint("room", __name__)


@blueprint.get("/ruimte/<room>")
@web.needs(Permission.GROUP_MESSAGE_READ)
def show(room: str) -> Any:
    """The conversation, with the session's current step when one is running; for a script, an earlier stretch."""
    asked = pages.Asked(_seq("voor") or _around("bij"), _seq("antwoord"), _seq("wijzig"), _seq("bericht"))
    if web.wants_json():
        with web.read() as w:
            items = conversation.before(w, rooms.place(w, room), asked.before or 0)
        return {"ok": True, "items": [item.as_dict() for item in items]}
    with web.read() as w:
        found = rooms.place(w, room, out_too=True)
        elsewhere = breakouts.elsewhere(w, found)
    if found.out:
        return flask.redirect(flask.url_for("attending.outside", room=room))
    if elsewhere:
        return flask.redirect(flask.url_for("room.show", room=elsewhere))
    return page(room, asked)


@blueprint.get("/groep")
@web.needs(Permission.GROUP_MESSAGE_READ)
def mine() -> Any:
    """The actor's own group room; staff get their list of groups."""
    if web.actor().staff:
        return flask.redirect(flask.url_for("leading.groups"))
    with web.read() as w:
        places = [place for place in rooms.places(w) if place.kind == "group"]
    if len(places) == 1:
        return flask.redirect(flask.url_for("room.show", room=places[0].room))
    return flask.render_template("groups/choose.html", places=places)


@blueprint.post("/ruimte/<room>")
@web.needs(Permission.GROUP_MESSAGE_POST)
def post(room: str) -> Any:
    """Place a message: the same way as over the socket, for when there is none."""
    text, key = request.form.get("text", ""), request.form.get("key") or str(uuid.uuid4())
    asked = pages.Asked(reply=_seq("reply_to"))
    try:
        form = {"room": room, "key": key, "text": text, "mask_ok": "mask_ok" in request.form, "reply_to": asked.reply}
        command = parse_post(web.actor(), form)
        posted: messages.Posted = web.house().writers["message.send"].submit(command)
    except AppError as refusal:
        if web.wants_json():
            raise
        return page(room, asked, draft=text, error=web.translated(refusal.message, **refusal.params)), refusal.status
    if posted.status == "preview":
        return page(room, asked, draft=text, preview=posted.text, key=key, **help_now(posted.crisis))
    if not web.wants_json():  # without a script this is where somebody says how far they have read
        with web.work() as w:
            conversation.mark_read(w, room, rooms.place(w, room).last_seq)
    if posted.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return web.done(flask.url_for("room.show", room=room, _anchor="end"))


@blueprint.post("/ruimte/<room>/antwoord")
@web.needs(Permission.OWN_ANSWER_WRITE)
def answer(room: str) -> Any:
    """Keep one's answer at the current step of the running session."""
    step = request.form.get("step", "")
    value: Any = request.form.getlist("option") or request.form.get("text", "")
    with web.work() as w:
        kept = answering.answer(
            w,
            room,
            step,
            value,
            chapter=request.form.get("chapter", ""),
            share="share" in request.form,
            few_ok="few_ok" in request.form,
        )
    if web.wants_json():
        answered = {"ok": True, "status": kept.status, "masked": kept.masked, "crisis": kept.crisis}
        return answered | ({"location": web.help_after_words()} if kept.crisis else {})
    target = web.help_after_words() if kept.crisis else flask.url_for("room.show", room=room)
    return flask.redirect(target, code=303)


@blueprint.post("/ruimte/<room>/hand")
@web.needs(Permission.GROUP_HAND_RAISE)
def hand(room: str) -> Any:
    """Raise or lower one's hand."""
    with web.work() as w:
        presence.raise_hand(w, room, request.form.get("up") == "1")
    return web.done(flask.url_for("room.show", room=room))


def page(room: str, asked: pages.Asked, **extra: Any) -> str:
    """The room's page. It writes nothing, but that coming in counts as attending when a session is running."""
    with web.read() as w:
        found = rooms.place(w, room)
        due = presence.due(w, found)
    if due:
        with web.work() as w:
            presence.arrive(w, found)
    with web.read() as w:
        running = stage.running_in(w, found)
        shown: dict[str, Any] = pages.talk(w, found, asked) | {
            "place": found,
            "rules": house_rules(web.language()),
            "session": showing.member(w, running, found) if running else None,
            "upcoming": next((s for s in planning.upcoming(w) if s.room == room and s.status == "planned"), None),
            "first_post": not conversation.has_posted(w, found),
            **showing.page_readers(w, found),
        }
        if found.kind == "breakout":
            shown |= showing.aside(w, found)
    if found.kind == "group" and not found.leads:
        web.enter_group(found.group)
    template = "groups/live.html" if shown["session"] else "groups/room.html"
    template = "groups/breakout.html" if found.kind == "breakout" else template
    return flask.render_template(template, **{**shown, "key": str(uuid.uuid4()), **extra})


def help_now(crisis: bool) -> dict[str, bool]:
    """Telephone numbers in sight, for who wrote words of danger that are not placed yet."""
    return {"crisis_now": True} if crisis else {}


def _around(name: str) -> int | None:
    """Where a page ends that shows a message with what came before and after it."""
    seq = _seq(name)
    return None if seq is None else seq + conversation.SHOWN // 2


def _seq(name: str) -> int | None:
    """A message's number from the address or the form, if there is one."""
    value = request.values.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
