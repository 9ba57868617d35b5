"""The run-sheet of a session as a page: every line saved as it is changed, before the session and during it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError, Forbidden, NotFound
from app.core.permissions import Permission
from app.core.work import Work
from groups import readers, rooms
from groups.agenda import runsheet, steering
from groups.led import stage
from groups.models import GroupSession
from groups.programme.curriculum import programme
from groups.programme.steps import PHASES

blueprint = Blueprint("sheets", __name__)


@blueprint.get("/bijeenkomst/<session>/draaiboek")
@web.needs(Permission.GROUP_SESSION_LEAD)
def show(session: str) -> Any:
    """The run-sheet, to read and to change."""
    return _show(session)


@blueprint.post("/bijeenkomst/<session>/draaiboek")
@web.needs(Permission.GROUP_SESSION_LEAD)
def add(session: str) -> Any:
    """Add a line of one's own."""
    words, position = _words(), web.number("position", str(runsheet.MOST_LINES))
    return _edit(session, lambda w, version: runsheet.add(w, session, version, position, words), "einde")


@blueprint.post("/bijeenkomst/<session>/draaiboek/stap")
@web.needs(Permission.GROUP_SESSION_LEAD)
def bind(session: str) -> Any:
    """Add a step of the chapter that is not in it yet."""
    form, position = request.form, web.number("position", str(runsheet.MOST_LINES))
    step = form.get("step", "")

    def change(w: Work, version: int) -> None:
        row, found = steering.lead(w, session)
        known = runsheet.chapter_of(row, found).step(step)
        minutes = web.number("minutes", str(known.minutes))
        phase = form.get("phase") or runsheet.phase_of(known, 0, 0)
        runsheet.bind(w, session, version, position, step, minutes, phase)

    return _edit(session, change, "einde")


@blueprint.post("/bijeenkomst/<session>/draaiboek/<line>")
@web.needs(Permission.GROUP_SESSION_LEAD)
def change(session: str, line: str) -> Any:
    """Change a line: its minutes and phase, or its words too."""
    if "title" in request.form:
        words = _words()
        return _edit(session, lambda w, version: runsheet.change(w, session, version, line, words=words), line)
    minutes, phase = web.number("minutes"), request.form.get("phase", "")
    return _edit(
        session, lambda w, version: runsheet.change(w, session, version, line, minutes=minutes, phase=phase), line
    )


@blueprint.post("/bijeenkomst/<session>/draaiboek/<line>/plek")
@web.needs(Permission.GROUP_SESSION_LEAD)
def move(session: str, line: str) -> Any:
    """Put a line somewhere else."""
    position = web.number("position")
    return _edit(session, lambda w, version: runsheet.move(w, session, version, line, position), line)


@blueprint.post("/bijeenkomst/<session>/draaiboek/<line>/weg")
@web.needs(Permission.GROUP_SESSION_LEAD)
def remove(session: str, line: str) -> Any:
    """Take a line out."""
    return _edit(session, lambda w, version: runsheet.remove(w, session, version, line), "")


def _edit(session: str, change: Callable[[Work, int], object], anchor: str) -> Any:
    """Make one change, tell the screens of a session that runs, and come back to where it was made.

    What cannot be is said on the page itself, with everything as it stands now: nobody loses their place.
    """
    try:
        with web.work() as w:
            change(w, web.number("version"))
            row, found = steering.lead(w, session)
            if row.status == "open":
                stage.tell(w, row, found)
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        if web.wants_json():
            raise
        return _show(session, web.translated(refusal.message, **refusal.params)), refusal.status
    return web.done(flask.url_for("sheets.show", session=session, _anchor=anchor or None))


def _show(session: str, error: str | None = None) -> str:
    with web.read() as w:
        row, found = steering.lead(w, session)
        page = _page(w, row, found)
    return flask.render_template("sessions/run_sheet.html", **page, error=error)


def _page(w: Work, row: GroupSession, found: rooms.Place) -> dict[str, Any]:
    sheet = runsheet.lines(w, row, found)
    chapter = runsheet.chapter_of(row, found)
    spoken = programme(found.programme, w.who.language).chapter(row.chapter)
    used = {line.step.id for line in sheet}
    return {
        "session": stage.shown(row),
        "minutes": row.minutes,
        "place": found,
        "lines": sheet,
        "total": runsheet.total(sheet),
        "chapter": chapter,
        "unused": [step for step in chapter.steps if step.id not in used],
        "first_free": row.position + 1 if row.status == "open" else 0,
        "editable": row.status in ("planned", "open"),
        "phases": PHASES,
        "kinds": runsheet.FREE_KINDS,
        "chosen_kinds": runsheet.CHOSEN,
        "words_of_own": not row.chapter,
        "readers": readers.of_run_sheet(w, found),
        "pointers": {step.id: step.lead for step in spoken.steps},  # in the reader's own language
    }


def _words() -> runsheet.Words:
    form = request.form
    return runsheet.Words(
        phase=form.get("phase", ""),
        kind=form.get("kind", ""),
        sharing=form.get("sharing", "shared"),
        title=form.get("title", ""),
        prompt=form.get("prompt", ""),
        options=tuple(form.get("options", "")[:2_000].splitlines()),
        minutes=web.number("minutes"),
    )
