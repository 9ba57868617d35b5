"""A room as a page: the conversation, and the running session with it. Works without scripts."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError
from app.core.permissions import Permission
from app.core.work import Work
from groups import conversation, exercises, messages, presence, readers, rooms, sessions, stage
from groups.curriculum import house_rules, programme
from groups.live import parse_post
from groups.models import GroupSession
from moderation.screening import screen

blueprint = Blueprint("room", __name__)


@blueprint.get("/ruimte/<room>")
@web.needs(Permission.GROUP_MESSAGE_READ)
def show(room: str) -> Any:
    """The conversation, with the session's current step when one is running."""
    return _show(room)


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
    try:
        form = {"room": room, "key": key, "text": text, "mask_ok": "mask_ok" in request.form}
        command = parse_post(web.actor(), form)
        posted: messages.Posted = web.house().writers["message.send"].submit(command)
    except AppError as refusal:
        if web.wants_json():
            raise
        return _show(room, draft=text, error=web.translated(refusal.message)), refusal.status
    if posted.status == "preview":
        return _show(room, draft=text, preview=posted.text, key=key)
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
        found = rooms.place(w, room)
        session = stage.running_in(w, found)
        chapter = session.chapter if session else request.form.get("chapter", "")
        kept = exercises.answer(
            w,
            found,
            chapter,
            step,
            value,
            share="share" in request.form,
            session_id=session.id if session else 0,
            revealed=session is not None and stage.current(w, session, found).revealed,
        )
        if session is not None:
            stage.tell(w, session, found)
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


def _show(room: str, **extra: Any) -> str:
    """The room's page. Coming in counts as attending when a session is running."""
    with web.work() as w:
        found = rooms.place(w, room)
        presence.arrive(w, found)
        running = stage.running_in(w, found)
        page: dict[str, Any] = {
            "place": found,
            "items": conversation.latest(w, found),
            "held": conversation.waiting(w, found),
            "rules": house_rules(web.language()),
            "session": _session(w, running, found) if running else None,
            "upcoming": next((s for s in sessions.upcoming(w) if s.room == room and s.status == "planned"), None),
            "readers": readers.of_room(w, found),
            "answer_readers": {kind: readers.of_answer(w, found, kind) for kind in ("private", "shared", "counted")},
            "first_post": not conversation.has_posted(w, found),
        }
        page["crisis_now"] = any(r.kind == "crisis_self" for h in page["held"] for r in screen(h.text).reasons)
        conversation.mark_read(w, room, found.last_seq)
    if found.kind == "group" and not found.leads:
        web.enter_group(found.group)
    template = "groups/live.html" if page["session"] else "groups/room.html"
    return flask.render_template(template, **page, **{"key": str(uuid.uuid4()), **extra})


def _session(w: Work, running: GroupSession, found: rooms.Place) -> dict[str, Any]:
    """A running session for the page: its state, all its steps (the script turns to the current one), own answers."""
    chapter = programme(found.programme, web.language()).chapter(running.chapter)
    return {
        "ref": running.public_id,
        "state": stage.state(w, running, found),
        "lines": [(line, chapter.step(line.step.id)) for line in stage.run_sheet(w, running, found)],
        "own": exercises.own(w, found, running.chapter, running.id),
        "title": chapter.title,
    }
