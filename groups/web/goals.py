"""A goal: looking at the roads, asking for one, and what its member does with it; for facilitators those of a group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import AppError, Closed, Invalid, NotFound, TooLarge
from app.core.permissions import Permission
from app.core.work import Work
from groups import readers, rooms
from groups.own import goals
from groups.own.aims import FEWEST, MOST, Aim
from groups.programme.curriculum import programme

blueprint = Blueprint("goals", __name__)

CHAPTER = "pause"  # where the programme tells about it


@blueprint.get("/doel")
@web.needs(Permission.OWN_GOAL_SET)
def show() -> Any:
    """One's goal, or the roads there are: looking is all one has to do."""
    with web.read() as w:
        mine, place = goals.mine(w), _home(w)
    return flask.render_template("goals/mine.html", mine=mine, place=place, chapter=_chapter(place))


@blueprint.get("/doel/vraag")
@web.needs(Permission.OWN_GOAL_SET)
def ask_page() -> Any:
    """The form in which one asks for a goal of one kind."""
    kind = request.args.get("kind", "")
    with web.read() as w:
        place, busy = _home(w), goals.mine(w).now is not None
    if kind not in goals.KINDS or place is None or busy:
        return flask.redirect(flask.url_for("goals.show"))
    return _form(kind, place)


@blueprint.post("/doel/vraag")
@web.needs(Permission.OWN_GOAL_SET)
def ask() -> Any:
    """Ask for a goal. Who has one already sees it."""
    form = request.form
    try:
        with web.work() as w:
            place = rooms.home(w, web.group_here())
            asked = goals.ask(w, place, form.get("kind", ""), _weeks(), form.get("words", ""), _days())
    except Closed:
        if web.wants_json():
            raise
        return web.done(flask.url_for("goals.show"))
    except (Invalid, TooLarge) as refusal:
        if web.wants_json() or form.get("kind") not in goals.KINDS:
            raise
        return _form(form["kind"], place, refusal=refusal), refusal.status
    return _on(asked)


@blueprint.get("/doel/<ref>/wijzig")
@web.needs(Permission.OWN_GOAL_SET)
def change_page(ref: str) -> Any:
    """The form in which one changes one's own goal."""
    place, aim = _open_one(ref)
    return _form(aim.kind, place, aim)


@blueprint.post("/doel/<ref>/wijzig")
@web.needs(Permission.OWN_GOAL_SET)
def change(ref: str) -> Any:
    """Change one's own goal."""
    try:
        with web.work() as w:
            changed = goals.change(w, ref, _weeks(), request.form.get("words", ""), _days())
    except (Invalid, TooLarge) as refusal:
        if web.wants_json():
            raise
        place, aim = _open_one(ref)
        return _form(aim.kind, place, aim, refusal=refusal), refusal.status
    return _on(changed)


@blueprint.post("/doel/<ref>/pauze")
@web.needs(Permission.OWN_GOAL_SET)
def pause(ref: str) -> Any:
    """Let it rest; nobody asks why."""
    return _do(goals.pause, ref)


@blueprint.post("/doel/<ref>/verder")
@web.needs(Permission.OWN_GOAL_SET)
def resume(ref: str) -> Any:
    """Go on with it."""
    return _do(goals.resume, ref)


@blueprint.post("/doel/<ref>/stop")
@web.needs(Permission.OWN_GOAL_SET)
def stop(ref: str) -> Any:
    """End it, or ask for it no more."""
    return _do(goals.stop, ref)


@blueprint.get("/groep/<group>/doelen")
@web.needs(Permission.GROUP_GOAL_START)
def of_group(group: str) -> Any:
    """The goals of a group's members: who asks for one, and how the others stand."""
    with web.read() as w:
        place = rooms.lead_place(w, group)
        found = goals.of_group(w, place)
    return flask.render_template("goals/group.html", place=place, found=found)


@blueprint.post("/groep/<group>/doelen/<ref>")
@web.needs(Permission.GROUP_GOAL_START)
def start(group: str, ref: str) -> Any:
    """Begin a goal together with its member. A click that came second shows how it stands now."""
    try:
        with web.work() as w:
            goals.start(w, ref, web.number("version"))
    except Closed:
        if web.wants_json():
            raise
    return web.done(flask.url_for("goals.of_group", group=group))


def _home(w: Work) -> rooms.Place | None:
    """The group one is in now; none for who waits for a place, or left."""
    try:
        return rooms.home(w, web.group_here())
    except NotFound:
        return None


def _chapter(place: rooms.Place | None) -> str | None:
    """The chapter about goals, where this group's programme has it."""
    if place is None:
        return None
    chapters = programme(place.programme, web.language()).chapters
    return CHAPTER if any(chapter.key == CHAPTER for chapter in chapters) else None


def _open_one(ref: str) -> tuple[rooms.Place, Aim]:
    """One's own goal that is not over, with one's place in its group. Raises `NotFound`."""
    with web.read() as w:
        aim = goals.mine(w).now
        if aim is None or aim.ref != ref:
            raise NotFound
        return rooms.group_place(w, aim.group, out_too=True), aim


def _form(kind: str, place: rooms.Place, aim: Aim | None = None, *, refusal: AppError | None = None) -> str:
    """The form, with what was typed where it was refused."""
    with web.read() as w:
        read_by = readers.of_goal(w, place)
    given = {"weeks": str(aim.weeks if aim else goals.USUAL[kind])}
    given |= {"days": str(aim.days or "") if aim else "", "words": aim.words if aim else ""}
    if refusal is not None:
        given = {name: request.form.get(name, "") for name in given}
    return flask.render_template(
        "goals/ask.html",
        kind=kind,
        place=place,
        aim=aim,
        given=given,
        fewest=aim.fewest if aim else FEWEST,
        most=MOST,
        days=goals.DAYS,
        limit=goals.LIMIT,
        readers=read_by,
        error=web.translated(refusal.message, **refusal.params) if refusal else None,
    )


def _weeks() -> int:
    return web.number("weeks")


def _days() -> int | None:
    return web.number("days") if request.form.get("days") else None


def _do(use_case: Callable[[Work, str], None], ref: str) -> Any:
    """Do something with one's own goal. A click that came too late shows how it stands now."""
    try:
        with web.work() as w:
            use_case(w, ref)
    except Closed:
        if web.wants_json():
            raise
    return web.done(flask.url_for("goals.show"))


def _on(asked: goals.Asked) -> Any:
    return web.done(web.help_after_words() if asked.crisis else flask.url_for("goals.show"))
