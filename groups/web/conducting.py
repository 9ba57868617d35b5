"""Leading a session with more than the next step: pauses, rounds, timers, pairs, notes, sending out. Every control is a
form; a click that came second is no error for a person: they see where it stands now."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import Closed
from app.core.permissions import Permission
from app.core.work import Work
from groups.agenda import steering
from groups.agenda.runsheet import Words
from groups.led import breakouts, notes, presence, pulse, removal, rounds, sessions, stage

blueprint = Blueprint("conducting", __name__)


def _back(session: str) -> Any:
    return web.done(flask.url_for("sessions.cockpit", session=session))


def _move(session: str, change: Callable[[Work, int], object]) -> Any:
    """Make one change of the session, from the version that the screen showed."""
    try:
        with web.work() as w:
            change(w, web.number("version"))
    except Closed:
        if web.wants_json():
            raise
    return _back(session)


@blueprint.post("/bijeenkomst/<session>/pauze")
@web.needs(Permission.GROUP_SESSION_LEAD)
def pause(session: str) -> Any:
    """Pause, or go on."""
    on = request.form.get("on") == "1"
    return _move(session, lambda w, version: sessions.pause(w, session, version, on))


@blueprint.post("/bijeenkomst/<session>/pauze-gezien")
@web.needs(Permission.GROUP_SESSION_LEAD)
def pause_seen(session: str) -> Any:
    """Put away somebody's quiet signal."""
    with web.work() as w:
        presence.clear_pause(w, session, request.form.get("alias", ""))
    return _back(session)


@blueprint.post("/bijeenkomst/<session>/ronde")
@web.needs(Permission.GROUP_SESSION_LEAD)
def start_round(session: str) -> Any:
    """Start a speaking round at this step."""
    return _move(session, lambda w, version: rounds.start(w, session, version))


@blueprint.post("/bijeenkomst/<session>/ronde/verder")
@web.needs(Permission.GROUP_SESSION_LEAD)
def next_turn(session: str) -> Any:
    """The next one, or who is named."""
    alias = request.form.get("alias", "")
    return _move(session, lambda w, version: rounds.go_on(w, session, version, alias))


@blueprint.post("/bijeenkomst/<session>/ronde/klaar")
@web.needs(Permission.GROUP_SESSION_LEAD)
def finish_round(session: str) -> Any:
    """End the round."""
    return _move(session, lambda w, version: rounds.finish(w, session, version))


@blueprint.post("/bijeenkomst/<session>/vraag")
@web.needs(Permission.GROUP_SESSION_LEAD)
def ask(session: str) -> Any:
    """Ask something now: everybody goes to it."""
    form = request.form
    kind = form.get("kind", "")
    words = Words(
        phase="theme",
        kind=kind,
        sharing=form.get("sharing", "") if kind == "question" else "counted",
        title=form.get("title", ""),
        prompt=form.get("prompt", ""),
        options=tuple(form.get("options", "").splitlines()),
        minutes=web.number("minutes", "5"),
    )
    return _move(session, lambda w, version: sessions.ask(w, session, version, words))


@blueprint.post("/bijeenkomst/<session>/adem")
@web.needs(Permission.GROUP_SESSION_LEAD)
def breathe(session: str) -> Any:
    """Breathe together or sit out a wave, or stop."""
    kind, minutes = request.form.get("kind", ""), web.number("minutes", "0")
    return _move(session, lambda w, version: pulse.start(w, session, version, kind, minutes))


@blueprint.post("/bijeenkomst/<session>/twee-aan-twee")
@web.needs(Permission.GROUP_SESSION_LEAD)
def pair_up(session: str) -> Any:
    """Everybody in pairs for some minutes."""
    minutes = web.number("minutes", "10")
    return _move(session, lambda w, version: breakouts.start(w, session, version, minutes))


@blueprint.post("/bijeenkomst/<session>/terugroepen")
@web.needs(Permission.GROUP_SESSION_LEAD)
def call_back(session: str) -> Any:
    """Everybody back before the time is over."""
    return _move(session, lambda w, version: breakouts.call_back(w, session, version))


@blueprint.post("/bijeenkomst/<session>/eruit")
@web.needs(Permission.GROUP_MEMBER_MUTE)
def send_out(session: str) -> Any:
    """Ask somebody to stay out of the session for now."""
    with web.work() as w:
        removal.send_out(w, session, request.form.get("alias", ""))
    return _back(session)


@blueprint.post("/bijeenkomst/<session>/weer-erin")
@web.needs(Permission.GROUP_MEMBER_MUTE)
def let_in(session: str) -> Any:
    """Let somebody in again."""
    with web.work() as w:
        removal.let_in(w, session, request.form.get("alias", ""))
    return _back(session)


@blueprint.get("/bijeenkomst/<session>/notities")
@web.needs(Permission.GROUP_SESSION_LEAD)
def show_notes(session: str) -> Any:
    """The notes of this session with their answers: a piece of the cockpit's page. Reading it marks nothing as read."""
    with web.read() as w:
        row, found = steering.lead(w, session)
        page = {"session": stage.shown(row), "place": found, "notes": notes.threads(w, row, found)}
    return flask.render_template("sessions/notes.html", **page, key=str(uuid.uuid4()))


@blueprint.post("/bijeenkomst/<session>/notities")
@web.needs(Permission.GROUP_NOTE_WRITE)
def answer_note(session: str) -> Any:
    """Answer a member's notes, or write to them first."""
    form = request.form
    with web.work() as w:
        notes.answer(w, session, form.get("alias", ""), form.get("key") or str(uuid.uuid4()), form.get("text", ""))
    return _back(session)


@blueprint.post("/bijeenkomst/<session>/notities/gelezen")
@web.needs(Permission.GROUP_SESSION_LEAD)
def notes_read(session: str) -> Any:
    """A member's notes were read."""
    with web.work() as w:
        notes.read(w, session, request.form.get("alias", ""))
    return _back(session)
