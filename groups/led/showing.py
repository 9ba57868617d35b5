"""What pages show of a running session: a member's screen, a breakout, the page of who was sent out, the cockpit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.core.errors import NotFound
from app.core.work import Work
from groups import readers, rooms
from groups.agenda import runsheet
from groups.led import breakouts, closing, notes, stage
from groups.models import GroupSession
from groups.programme import exercises
from groups.programme.curriculum import programme
from groups.programme.steps import SHARING, Step


def member(w: Work, running: GroupSession, found: rooms.Place) -> dict[str, Any]:
    """A running session for a member's page: its state, all its steps (the script turns to the current one), and what
    is the reader's own: answers, notes, whether they asked for a pause, their breakout.
    """
    seen = stage.scene(w, running, found)
    asked = closing.asked(w, found)
    aside = breakouts.mine(w, found) if not found.leads else []
    chapter = runsheet.chapter_of(running, found)
    return {
        "ref": running.public_id,
        "state": stage.state_of(w, seen),
        "lines": [(line, _shown(w, found, running, line)) for line in seen.lines],
        "own": exercises.own_in(w, found, running.id, [line.step for line in seen.lines]),
        "title": chapter.title,
        "notes": notes.own(w, running, found),
        "asks_pause": any(p.pause_at for p in seen.people if p.membership_id == found.membership_id),
        "breakout": _aside(aside[0], found) if aside else None,
        "closed_questions": asked is not None and asked.answered,
    }


def page_readers(w: Work, found: rooms.Place) -> dict[str, Any]:
    """Who reads what somebody writes on a session's page, by kind of writing."""
    return {
        "readers": readers.of_room(w, found),
        "answer_readers": {sharing: readers.of_answer(w, found, sharing) for sharing in SHARING},
        "note_readers": readers.of_note(w, found),
        "closing_readers": readers.of_answer(w, found, "counted"),
    }


def step(w: Work, room: str, ref: str) -> dict[str, Any]:
    """One step of the running session for a screen that does not have it yet. Raises `NotFound`."""
    found = rooms.place(w, room)
    running = stage.running_in(w, found)
    if running is None:
        raise NotFound
    session = member(w, running, found)
    for line, shown in session["lines"]:
        if line.ref == ref:
            about = {"place": found, "session": session, "state": session["state"], "line": line, "shown": shown}
            return about | page_readers(w, found)
    raise NotFound


def outside(w: Work, room: str) -> dict[str, Any]:
    """What somebody sees who was asked to stay out: their notes with the facilitators. Raises `NotFound` for others."""
    found = rooms.place(w, room, out_too=True)
    if not found.out:
        raise NotFound
    found = rooms.group_place(w, found.group, out_too=True)
    running = stage.running_in(w, found)
    session = {"ref": running.public_id, "notes": notes.own(w, running, found)} if running else None
    note_readers = readers.of_note(w, found)
    return {"place": found, "session": session, "note_readers": note_readers, "readers": note_readers}


def aside(w: Work, found: rooms.Place) -> dict[str, Any]:
    """What a breakout shows beside its conversation: with whom, how long still, and what it is about."""
    here = rooms.group_place(w, found.group)
    running = stage.running_in(w, here)
    others = [p for p in breakouts.mine(w, here) if p.room == found.room]
    return {
        "breakout": {
            "room": here.room,
            "seconds": breakouts.seconds_left(w, found),
            "with": [alias for other in others for alias in other.aliases if alias != found.alias],
        },
        "step": stage.current(w, running, here).step if running else None,
    }


def cockpit(w: Work, session: GroupSession, found: rooms.Place) -> dict[str, Any]:
    """Everything about a session for the facilitator's one screen."""
    seen = stage.scene(w, session, found)
    roster = stage.roster_of(w, seen)
    to_go = sum(line.minutes for line in seen.lines[session.position + 1 :])
    left = stage.seconds_left(session, w.now)
    open_seconds = round((w.now - session.opened_at).total_seconds()) if session.opened_at else 0
    minutes_to_go = max(0, session.minutes - open_seconds // 60)
    return {
        "session": stage.shown(session),
        "place": found,
        "lines": seen.lines,
        "current": seen.line,
        "chapter": programme(found.programme, w.who.language).chapter(session.chapter),
        "state": stage.state_of(w, seen),
        "roster": roster,
        "notes": notes.threads(w, session, found),
        "breakouts": breakouts.mine(w, found),
        "closing": closing.felt(w, session, found),
        "readers": readers.of_room(w, found),
        "note_readers": readers.of_note_back(w, found),
        "open_seconds": open_seconds,
        "total": runsheet.total(seen.lines),
        "minutes_to_go": minutes_to_go,
        "pace": minutes_to_go - to_go - round(left / 60),
    }


def _aside(one: breakouts.Aside, found: rooms.Place) -> dict[str, Any]:
    others = [alias for alias in one.aliases if alias != found.alias]
    return {"room": one.room, "seconds": one.seconds_left, "with": others}


def _shown(w: Work, found: rooms.Place, running: GroupSession, line: runsheet.Line) -> Step:
    """A step in the reader's own language, where the programme has it."""
    if line.free:
        return line.step
    step = programme(found.programme, w.who.language).chapter(running.chapter).step(line.step.id)
    return replace(step, sharing=line.step.sharing)
