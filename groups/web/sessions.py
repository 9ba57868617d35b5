"""Sessions as pages: planning one, and the facilitator's cockpit. Every control is a form; scripts only spare
the reload."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import Closed, Invalid
from app.core.i18n import N_
from app.core.permissions import Permission
from app.core.work import Work
from groups import conversation, exercises, presence, readers, rooms, sessions, stage, steering
from groups.curriculum import programme
from moderation import queue

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/bijeenkomsten")
@web.needs(Permission.GROUP_SESSION_LEAD)
def show_all() -> Any:
    """The sessions that are open or planned, and a form for the next one."""
    with web.read() as w:
        planned = sessions.upcoming(w, limit=20)
        places = [p for p in rooms.places(w) if p.kind == "group" and p.leads]
        chapters = {p.group: programme(p.programme, web.language()).chapters for p in places}
    now = web.house().database.clock().astimezone(ZoneInfo(web.actor().timezone))
    soon = (now + timedelta(minutes=15 - now.minute % 15)).strftime("%Y-%m-%dT%H:%M")
    return flask.render_template(
        "sessions/list.html",
        planned=planned,
        places=places,
        chapters=chapters,
        soon=soon,
        lengths=sessions.LENGTHS,
    )


@blueprint.post("/bijeenkomsten")
@web.needs(Permission.GROUP_SESSION_LEAD)
def plan() -> Any:
    """Plan a session."""
    form = request.form
    try:
        local = datetime.fromisoformat(form.get("starts_at", ""))
        minutes = web.number("minutes", "90")
    except ValueError:
        raise Invalid(N_("Kies een dag en tijd die nog komen. Er is nog niets gepland.")) from None
    with web.work() as w:
        zone = ZoneInfo(rooms.lead_place(w, form.get("group", "")).timezone)
        starts_at = local.replace(tzinfo=zone)
        ref = sessions.plan(w, form.get("group", ""), form.get("chapter", ""), starts_at, minutes)
    return web.done(flask.url_for("sessions.cockpit", session=ref))


@blueprint.get("/bijeenkomst/<session>")
@web.needs(Permission.GROUP_SESSION_LEAD)
def cockpit(session: str) -> Any:
    """Everything a facilitator needs during a session, on one screen."""
    with web.read() as w:
        row, found = steering.lead(w, session)
        lines = stage.run_sheet(w, row, found)
        page = {
            "session": stage.shown(row),
            "place": found,
            "lines": lines,
            "current": lines[row.position],
            "chapter": programme(found.programme, web.language()).chapter(row.chapter),
            "state": stage.state(w, row, found),
            "roster": stage.roster(w, row, found),
            "items": conversation.latest(w, found, 100),
            "readers": readers.of_room(w, found),
            "held": [card for card in queue.waiting(w) if card.held or card.level == queue.RED][:6],
        }
    return flask.render_template("sessions/cockpit.html", **page)


def _step(change: Callable[[Work, str, int], None], session: str) -> Any:
    """Make one change. A click that came second is not an error for a person: they see where it stands now."""
    try:
        with web.work() as w:
            change(w, session, web.number("version"))
    except Closed:
        if web.wants_json():
            raise
    return web.done(flask.url_for("sessions.cockpit", session=session))


@blueprint.post("/bijeenkomst/<session>/open")
@web.needs(Permission.GROUP_SESSION_LEAD)
def open_session(session: str) -> Any:
    """Open the session."""
    return _step(sessions.open_session, session)


@blueprint.post("/bijeenkomst/<session>/stap")
@web.needs(Permission.GROUP_SESSION_LEAD)
def move(session: str) -> Any:
    """Go to a step."""
    position = web.number("position")
    return _step(lambda w, ref, version: sessions.move(w, ref, version, position), session)


@blueprint.post("/bijeenkomst/<session>/langer")
@web.needs(Permission.GROUP_SESSION_LEAD)
def extend(session: str) -> Any:
    """Two more minutes."""
    return _step(sessions.extend, session)


@blueprint.post("/bijeenkomst/<session>/toon")
@web.needs(Permission.GROUP_SESSION_LEAD)
def reveal(session: str) -> Any:
    """Show the tally to everybody."""
    return _step(sessions.reveal, session)


@blueprint.post("/bijeenkomst/<session>/schrijven")
@web.needs(Permission.GROUP_SESSION_LEAD)
def lock(session: str) -> Any:
    """Who may write: everybody, or only facilitators."""
    locked = request.form.get("locked") == "1"
    return _step(lambda w, ref, version: sessions.lock(w, ref, version, locked), session)


@blueprint.post("/bijeenkomst/<session>/sluit")
@web.needs(Permission.GROUP_SESSION_LEAD)
def close(session: str) -> Any:
    """Close the session."""
    return _step(sessions.close, session)


@blueprint.post("/bijeenkomst/<session>/woord")
@web.needs(Permission.GROUP_SESSION_LEAD)
def give_word(session: str) -> Any:
    """Give somebody the word."""
    with web.work() as w:
        presence.give_word(w, session, request.form.get("alias", ""))
    return web.done(flask.url_for("sessions.cockpit", session=session))


@blueprint.post("/bijeenkomst/<session>/stil")
@web.needs(Permission.GROUP_MEMBER_MUTE)
def mute(session: str) -> Any:
    """Let somebody only read for ten minutes, or write again."""
    with web.work() as w:
        row, found = steering.lead(w, session)
        minutes = 0 if request.form.get("lift") == "1" else 10
        rooms.mute(w, found.room, request.form.get("alias", ""), minutes)
        stage.tell(w, row, found)
    return web.done(flask.url_for("sessions.cockpit", session=session))


@blueprint.get("/bijeenkomst/<session>/verslag")
@web.needs(Permission.GROUP_SESSION_LEAD)
def report(session: str) -> Any:
    """What is kept of a session: who came and how long, and how many answered each step."""
    with web.read() as w:
        row, found = steering.lead(w, session)
        lines = stage.run_sheet(w, row, found)
        answers = {line.step.id: exercises.given(w, row.id, line.step.id) for line in lines if line.step.answered}
        chapter = programme(found.programme, web.language()).chapter(row.chapter)
        page = {
            "session": stage.shown(row),
            "place": found,
            "lines": lines,
            "answers": answers,
            "chapter": chapter,
        }
        page["attendance"] = stage.attendance(w, row, found)
    return flask.render_template("sessions/report.html", **page)
