"""The programme as pages: chapters, one step a page, and everything one wrote before."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import pages, web
from app.core.errors import AppError, Forbidden, NotFound
from app.core.permissions import Permission
from app.core.work import Work
from groups import readers, rooms
from groups.agenda import runsheet
from groups.own import plan
from groups.programme import earlier, exercises, progress, shared, sharing, values
from groups.programme.curriculum import DEFAULT, Programme, programme
from groups.programme.steps import Chapter, Step
from groups.web import answers

blueprint = Blueprint("programme", __name__)

_DRAFTS = 90  # a minute, of one person: what is written is kept after every pause in typing

# The client's tools that a step may point at: the page, and the place on it.
TOOLS: dict[str, tuple[str, str | None]] = {
    "wave": ("help.show", "golf"),
    "help": ("help.show", None),
    "plan": ("plan.show", None),
    "goal": ("goals.show", None),
    "insight": ("insight.show", None),
    "buddy": ("buddies.duo", None),
    "report": ("reports.doors", None),
    "checkup": ("checkups.show", None),
}


@blueprint.get("/programma")
@web.needs(Permission.PROGRAMME_CHAPTER_READ)
def chapters() -> Any:
    """The chapters of one's programme, how far one is, and where one goes on."""
    with web.read() as w:
        place = _place(w)
        mine = place if place and not place.leads else None
        return flask.render_template(
            "programme/list.html",
            programme=_course(place),
            place=place,
            progress=progress.of_programme(w, mine) if mine else {},
            resume=progress.resume(w, mine) if mine else None,
        )


@blueprint.get("/programma/<chapter>")
@web.needs(Permission.PROGRAMME_CHAPTER_READ)
def chapter(chapter: str) -> Any:
    """One chapter: what it is for, its steps and how many of them one did; for staff its run-sheet too."""
    with web.read() as w:
        place = _place(w)
        course = _course(place)
        shown = _chapter(course, chapter)
        mine = place if place and not place.leads else None
        done = progress.of_chapter(w, mine, chapter) if mine else frozenset()
        resume = progress.resume(w, mine) if mine else None
    road = _road(shown)
    left = [step for step in road if step.id not in done]
    return flask.render_template(
        "programme/chapter.html",
        programme=course,
        chapter=shown,
        steps=road,
        done=done,
        left=left,
        next=resume[1] if resume and resume[0].key == chapter else left[0] if left else None,
        mine=mine is not None,
        sheet=_sheet(shown) if web.actor().staff else [],
    )


@blueprint.get("/programma/<chapter>/<step>")
@web.needs(Permission.PROGRAMME_CHAPTER_READ)
def step(chapter: str, step: str) -> Any:
    """One step, with what one answered at it; for staff to read only, with what a facilitator should know."""
    return _show(chapter, step)


@blueprint.post("/programma/<chapter>/<step>")
@web.needs(Permission.OWN_ANSWER_WRITE)
def answer(chapter: str, step: str) -> Any:
    """Keep what was answered, if anything was, note that the step is done, and go on to the next one.

    Somebody who emptied what they had written before is asked whether it should go.
    """
    kept, emptied, raw = None, None, None
    try:
        with web.work() as w:
            place = answers.home(w)
            asked = exercises.question(place, chapter, step).step
            raw = answers.read(asked, request.form) if asked.answered else ""
            if values.is_empty(asked, raw):
                emptied = earlier.at(w, place, chapter, asked) if asked.answered else None
            else:
                kept = exercises.answer(w, place, chapter, step, raw, over=request.form.get("over"))
            progress.mark(w, place, chapter, step)
            following = _beside(_chapter(_course(place), chapter).path, step)[1]
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        if web.wants_json():
            raise
        return _show(chapter, step, refusal, raw), refusal.status
    if kept and kept.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    if emptied and emptied.fits:
        return web.done(flask.url_for("programme.ask_remove", ref=emptied.ref))
    if following is None:
        return web.done(flask.url_for("programme.chapter", chapter=chapter, _anchor="klaar"))
    return web.done(flask.url_for("programme.step", chapter=chapter, step=following.id))


@blueprint.post("/programma/<chapter>/<step>/concept")
@web.needs(Permission.OWN_ANSWER_WRITE)
def keep_draft(chapter: str, step: str) -> Any:
    """Keep what is being written as one's own, without going on; nothing filled in changes nothing, and what another
    screen wrote meanwhile stays. For a script."""
    web.house().limiter.per_minute(_DRAFTS, "draft", str(web.actor().person_id))
    with web.work() as w:
        place = answers.home(w)
        asked = exercises.question(place, chapter, step).step
        raw = answers.read(asked, request.form)
        if not asked.answered or values.is_empty(asked, raw):
            return {"ok": True, "at": ""}
        kept = exercises.answer(w, place, chapter, step, raw, over=request.form.get("over"))
        given = earlier.at(w, place, chapter, asked)
        return {"ok": True, "at": pages.clock(w.now), "help": kept.crisis, "mark": given.mark if given else ""}


@blueprint.get("/programma/eerder")
@web.needs(Permission.OWN_ANSWER_WRITE)
def written() -> Any:
    """Everything one answered, in whatever group, with the question as it was asked."""
    with web.read() as w:
        return flask.render_template("programme/written.html", parts=earlier.everything(w))


@blueprint.get("/programma/eerder/<ref>/weghalen")
@web.needs(Permission.OWN_ANSWER_WRITE)
def ask_remove(ref: str) -> Any:
    """One answer, before it is taken away."""
    with web.read() as w:
        return flask.render_template("programme/remove.html", one=earlier.find(w, ref))


@blueprint.post("/programma/eerder/<ref>/weghalen")
@web.needs(Permission.OWN_ANSWER_WRITE)
def remove(ref: str) -> Any:
    """Take one answer away."""
    with web.work() as w:
        earlier.remove(w, ref)
    return web.done(flask.url_for("programme.written"))


@blueprint.get("/groep/<group>/voortgang")
@web.needs(Permission.GROUP_PROGRESS_READ)
def members(group: str) -> Any:
    """How far each member of a group is, and what was shared with its facilitators."""
    with web.read() as w:
        place = rooms.lead_place(w, group)
        return flask.render_template(
            "programme/members.html",
            place=place,
            programme=_course(place),
            members=progress.of_members(w, place),
            shared=shared.with_staff(w, place),
        )


def _show(chapter: str, step: str, refusal: AppError | None = None, raw: Any = None) -> str:
    """The page of a step; with `raw` the form shows what was typed, not what is kept."""
    with web.read() as w:
        place = _place(w)
        course = _course(place)
        shown = _chapter(course, chapter)
        road = _road(shown)
        one = next((each for each in road if each.id == step), None)
        if one is None:
            raise NotFound
        mine = place if place and not place.leads else None
        given = earlier.at(w, mine, chapter, one) if mine and one.answered else None
        done = progress.of_chapter(w, mine, chapter) if mine else frozenset()
        panel = sharing.panel(w, mine, chapter, step) if mine else None
        offers = plan.offered(w, mine, chapter, one) if mine and one.kind == "plan-card" else []
    before, following = _beside(road, step)
    return flask.render_template(
        "programme/step.html",
        programme=course,
        chapter=shown,
        step=one,
        number=road.index(one) + 1,
        count=len(road),
        before=before,
        following=following,
        done=done,
        mine=mine is not None,
        given=given,
        offers=offers,
        panel=panel,
        place=mine,
        filled=answers.typed(one, raw) if raw is not None else given if given and given.fits else None,
        error=web.translated(refusal.message, **refusal.params) if refusal else "",
        newer=refusal is not None and refusal.message == exercises.NEWER,
        tool=_tool(one),
        readers=readers.NOBODY,
    )


def _place(w: Work) -> rooms.Place | None:
    """Where somebody is in the programme: members in their own group, facilitators in the one they opened last."""
    places = [place for place in rooms.places(w) if place.kind == "group"]
    if not w.who.staff:
        places = [place for place in places if not place.leads]
    here = [place for place in places if place.group == web.group_here()]
    return next(iter(here or places), None)


def _course(place: rooms.Place | None) -> Programme:
    return programme(place.programme if place else DEFAULT, web.language())


def _chapter(course: Programme, key: str) -> Chapter:
    """A chapter of the programme. Raises `NotFound`."""
    for chapter in course.chapters:
        if chapter.key == key:
            return chapter
    raise NotFound


def _road(chapter: Chapter) -> tuple[Step, ...]:
    """The steps of a chapter as pages, in order: those for at home; staff see all, to prepare."""
    return chapter.steps if web.actor().staff else chapter.path


def _beside(road: tuple[Step, ...], step: str) -> tuple[Step | None, Step | None]:
    """The steps before and after one on its road."""
    at = next(n for n, each in enumerate(road) if each.id == step)
    return (road[at - 1] if at else None, road[at + 1] if at + 1 < len(road) else None)


def _sheet(chapter: Chapter) -> list[dict[str, Any]]:
    """The chapter's session line by line, each with its phase and the minutes at which it begins and ends."""
    lines, begins = [], 0
    for n, one in enumerate(chapter.run_sheet):
        phase = runsheet.phase_of(one, n, len(chapter.run_sheet))
        lines.append({"step": one, "phase": phase, "from": begins, "to": begins + one.minutes})
        begins += one.minutes
    return lines


def _tool(step: Step) -> str:
    """The address of the tool a step points at; empty for none, or for staff, who have no such tools."""
    endpoint, anchor = TOOLS.get(step.tool, ("", None))
    if web.actor().staff or endpoint not in flask.current_app.view_functions:
        return ""
    return flask.url_for(endpoint, _anchor=anchor)
