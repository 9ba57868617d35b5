"""Running a group's room: its hours, its pace, its lock, how long things stay, and what it talks about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core import ids
from app.core.errors import AppError, Invalid
from app.core.permissions import Permission
from groups import hours, readers, rooms
from groups.house import climate, retention, topics
from groups.programme.curriculum import house_rules, programme

blueprint = Blueprint("running", __name__)

_WEEK = range(1, 8)
KINDS = ("open", "staffed")


@blueprint.get("/groepen/<group>/ruimte")
@web.needs(Permission.GROUP_ROOM_RUN)
def show(group: str) -> Any:
    """How the room is run."""
    return _show(group)


@blueprint.get("/ruimte/<room>/klimaat")
@web.needs(Permission.GROUP_MESSAGE_READ)
def now(room: str) -> Any:
    """How the room stands now, for an open screen whose clock ran out."""
    with web.read() as w:
        return climate.of(w, rooms.place(w, room)).as_dict()


@blueprint.post("/groepen/<group>/ruimte/tijden")
@web.needs(Permission.GROUP_ROOM_RUN)
def keep_hours(group: str) -> Any:
    """Set opening hours and staffed hours."""
    try:
        opening, staffed = ([*_windows(kind)] if _limited(kind) else [] for kind in KINDS)
        with web.work() as w:
            climate.keep_hours(w, group, opening, staffed)
    except AppError as refusal:
        if web.wants_json() or not isinstance(refusal, Invalid):
            raise
        typed = {
            kind: {day: (_typed(kind, day, "from"), _typed(kind, day, "until")) for day in _WEEK} for kind in KINDS
        }
        return _show(group, typed=typed, error=web.translated(refusal.message, **refusal.params)), refusal.status
    return _saved(group, "tijden")


@blueprint.post("/groepen/<group>/ruimte/rustig")
@web.needs(Permission.GROUP_ROOM_RUN)
def slow(group: str) -> Any:
    """Let members wait between two messages, or no longer."""
    with web.work() as w:
        climate.slow(w, group, web.number("seconds"))
    return _saved(group, "rustig")


@blueprint.post("/groepen/<group>/ruimte/slot")
@web.needs(Permission.GROUP_ROOM_RUN)
def lock(group: str) -> Any:
    """Let only staff write, or everybody again."""
    with web.work() as w:
        climate.lock(w, group, request.form.get("locked") == "1")
    return _saved(group, "slot")


@blueprint.post("/groepen/<group>/ruimte/bewaren")
@web.needs(Permission.GROUP_ROOM_RUN)
def retain(group: str) -> Any:
    """Change how long messages stay."""
    days = ids.number(request.form.get("days", ""), retention.SHORTEST, retention.LONGEST)
    with web.work() as w:
        retention.keep_for(w, group, days)
    return _saved(group, "bewaren")


@blueprint.post("/groepen/<group>/ruimte/onderwerp")
@web.needs(Permission.GROUP_ROOM_RUN)
def open_topic(group: str) -> Any:
    """Begin a topic in the conversation."""
    title, chapter = request.form.get("title", ""), request.form.get("chapter", "")
    try:
        with web.work() as w:
            topics.open_topic(w, group, title, chapter)
    except AppError as refusal:
        if web.wants_json() or not isinstance(refusal, Invalid):
            raise
        error = web.translated(refusal.message, **refusal.params)
        return _show(group, title=title[: topics.LONGEST], topic_error=error), refusal.status
    return _saved(group, "onderwerp")


@blueprint.post("/groepen/<group>/ruimte/onderwerp/<ref>/weg")
@web.needs(Permission.GROUP_ROOM_RUN)
def remove_topic(group: str, ref: str) -> Any:
    """Take a topic away."""
    with web.work() as w:
        topics.take_back(w, group, ref)
    return _saved(group, "onderwerp")


def _saved(group: str, part: str) -> Any:
    return web.done(flask.url_for("running.show", group=group, _anchor=part))


def _limited(kind: str) -> bool:
    return request.form.get(kind) == "some"


def _typed(kind: str, day: int, end: str) -> str:
    return request.form.get(f"{kind}-{day}-{end}", "").strip()[:5]


def _windows(kind: str) -> Iterator[hours.Window]:
    """The hours of the form: a day without times is a day on which nothing is."""
    found = False
    for day in _WEEK:
        start, until = _typed(kind, day, "from"), _typed(kind, day, "until")
        if start or until:
            found = True
            yield hours.window(day, start, until)
    if not found:
        raise Invalid(hours.NO_DAY)


def _days(spelling: str) -> dict[int, tuple[str, str]]:
    """For each weekday from when until when, as the form shows it."""
    return {w.weekday: (hours.clock(w.start), hours.clock(w.until)) for w in hours.parse(spelling)}


def _show(group: str, **extra: Any) -> str:
    with web.read() as w:
        found = rooms.lead_place(w, group)
        kept = climate.hours_of(w, found)
        page: dict[str, Any] = {
            "place": found,
            "climate": climate.of(w, found),
            "kept": retention.of(w, found),
            "topics": topics.of(w, found),
            "readers": readers.of_topic(w, found),
            "limited": {kind: bool(spelling) for kind, spelling in kept.items()},
            "hours": {kind: _days(spelling) for kind, spelling in kept.items()},
        }
    if "typed" in extra:
        page |= {"hours": extra["typed"], "limited": {kind: _limited(kind) for kind in KINDS}}
    return flask.render_template(
        "groups/settings.html",
        **page,
        **{"error": None, "topic_error": None, "title": "", **extra},
        weekdays=_WEEK,
        slow_choices=climate.SLOW,
        bounds=(retention.SHORTEST, retention.LONGEST),
        chapters=programme(found.programme, web.language()).chapters,
        rules=house_rules(web.language()),
    )
