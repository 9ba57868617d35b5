"""Planning as pages: what is planned, one session or a whole series, and what changes afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import Closed, Invalid, NotFound
from app.core.permissions import Permission
from app.core.work import Work
from groups import rooms
from groups.agenda import absence, planning, replanning, runsheet, steering
from groups.agenda.series import Pattern, moment
from groups.people import waiting
from groups.programme.curriculum import programme

blueprint = Blueprint("planning", __name__)

_EVENING = "20:00"


@blueprint.get("/bijeenkomsten")
@web.needs(Permission.GROUP_SESSION_LEAD)
def show_all() -> Any:
    """The sessions that are open or planned, by group and series, and a form for the next one."""
    return _show_all()


@blueprint.post("/bijeenkomsten")
@web.needs(Permission.GROUP_SESSION_LEAD)
def plan() -> Any:
    """Plan a session."""
    form = request.form
    try:
        with web.work() as w:
            starts_at = _moment(rooms.lead_place(w, form.get("group", "")).timezone)
            minutes = web.number("minutes", str(planning.LENGTH))
            ref = planning.plan(w, form.get("group", ""), form.get("chapter", ""), starts_at, minutes)
    except Invalid as refusal:
        if web.wants_json():
            raise
        return _show_all(web.translated(refusal.message)), refusal.status
    return web.done(flask.url_for("sessions.cockpit", session=ref))


@blueprint.get("/bijeenkomsten/reeks")
@web.needs(Permission.GROUP_SESSION_LEAD)
def series() -> Any:
    """A form for a series, with what most groups choose filled in."""
    with web.read() as w:
        places = _leads(w)
    chosen = request.args.get("group", "")
    begin = _now().date() + timedelta(days=7)
    return flask.render_template(
        "sessions/plan_series.html",
        places=places,
        chosen=chosen,
        begin=begin.isoformat(),
        at=_EVENING,
        lengths=planning.LENGTHS,
        error=None,
    )


@blueprint.post("/bijeenkomsten/reeks")
@web.needs(Permission.GROUP_SESSION_LEAD)
def plan_series() -> Any:
    """Show what a series would be; save it, when it is what was shown."""
    form = request.form
    group, minutes = form.get("group", ""), web.number("minutes", str(planning.LENGTH))
    pattern, skipped = _pattern(), _days("skip")
    chapters = [key if key != "*" else None for key in form.getlist("chapter")]
    with web.work() as w:
        drafts = planning.preview(w, group, pattern, minutes, chapters, skipped)
        days = [draft.slot.on.isoformat() for draft in drafts]
        as_shown = form.get("seen", "") == " ".join(days)
        saved = form.get("op") == "save" and as_shown and not any(draft.clash for draft in drafts)
        if saved:
            planning.plan_series(w, group, pattern, minutes, chapters, skipped)
        place = rooms.lead_place(w, group)
    if saved:
        return web.done(flask.url_for("planning.show_all"))
    return flask.render_template(
        "sessions/plan_preview.html",
        place=place,
        pattern=pattern,
        minutes=minutes,
        drafts=drafts,
        skipped=sorted(skipped),
        seen=" ".join(days),
        changed=form.get("op") == "save" and not as_shown,
        chapters=programme(place.programme, web.language()).chapters,
    )


@blueprint.get("/bijeenkomst/<session>/plannen")
@web.needs(Permission.GROUP_SESSION_LEAD)
def one(session: str) -> Any:
    """One planned session: when, how many come, and everything that can be changed about it."""
    with web.read() as w:
        row, found = steering.lead(w, session)
        shown = planning.planned(w, session)
        if shown is None or row.status != "planned":
            raise NotFound
        minutes = runsheet.total(runsheet.lines(w, row, found))
        excused = absence.aliases(w, session)
    local = shown.starts_at.astimezone(ZoneInfo(found.timezone)).strftime("%Y-%m-%dT%H:%M")
    return flask.render_template(
        "sessions/plan_one.html",
        item=shown,
        place=found,
        local=local,
        total=minutes,
        excused=excused,
        lengths=sorted({*planning.LENGTHS, shown.minutes}),
        most=planning.MOST_SESSIONS - shown.count,
    )


@blueprint.post("/bijeenkomst/<session>/verzet")
@web.needs(Permission.GROUP_SESSION_LEAD)
def move(session: str) -> Any:
    """Another moment, or another length."""
    with web.work() as w:
        _row, found = steering.lead(w, session)
        minutes = web.number("minutes", str(planning.LENGTH))
        replanning.move(w, session, web.number("version"), _moment(found.timezone), minutes)
    return web.done(flask.url_for("planning.one", session=session))


@blueprint.post("/bijeenkomst/<session>/overslaan")
@web.needs(Permission.GROUP_SESSION_LEAD)
def skip(session: str) -> Any:
    """Not this week: all that follows moves on, or this one falls out."""
    shift = request.form.get("shift") == "1"
    return _change(lambda w: replanning.skip(w, session, web.number("version"), shift=shift))


@blueprint.post("/bijeenkomst/<session>/vervalt")
@web.needs(Permission.GROUP_SESSION_LEAD)
def cancel(session: str) -> Any:
    """Let it fall out."""
    return _change(lambda w: replanning.cancel(w, session, web.number("version")))


@blueprint.post("/reeks/<series>/meer")
@web.needs(Permission.GROUP_SESSION_LEAD)
def extend(series: str) -> Any:
    """More sessions at the end of a series."""
    return _change(lambda w: replanning.extend(w, series, web.number("count"), web.number("more", "1")))


@blueprint.post("/bijeenkomst/<session>/kan-niet")
@web.needs(Permission.GROUP_SESSION_ATTEND)
def absent(session: str) -> Any:
    """Say that one cannot come, or take it back."""
    with web.work() as w:
        if request.form.get("on", "1") == "1":
            absence.cannot(w, session)
        else:
            absence.can(w, session)
    return web.done(flask.url_for("today.show"))


@blueprint.get("/groepen/<group>/plekken")
@web.needs(Permission.GROUP_MEMBER_LIST)
def places(group: str) -> Any:
    """How many fit in a group, and who waits for a place."""
    with web.read() as w:
        page = {
            "place": rooms.lead_place(w, group),
            "sizes": waiting.sizes(w, group),
            "waiting": waiting.waiting(w, group),
            "fewest": waiting.FEWEST,
            "most": waiting.MOST,
            "least": waiting.LEAST,
        }
    return flask.render_template("groups/places.html", **page)


@blueprint.post("/groepen/<group>/plekken")
@web.needs(Permission.GROUP_ROOM_RUN)
def resize(group: str) -> Any:
    """Set how many members fit, and how many a session needs."""
    with web.work() as w:
        waiting.resize(w, group, web.number("cap"), web.number("minimum"))
    return web.done(flask.url_for("planning.places", group=group))


@blueprint.post("/groepen/<group>/wachtlijst/<ref>")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def let_in(group: str, ref: str) -> Any:
    """Let somebody in who waits."""
    with web.work() as w:
        waiting.let_in(w, group, ref, one_more=request.form.get("one_more") == "1")
    return web.done(flask.url_for("planning.places", group=group))


@blueprint.post("/wachtlijst/<ref>/stop")
@web.needs(Permission.OWN_GROUP_LEAVE)
def step_back(ref: str) -> Any:
    """Wait no longer."""
    with web.work() as w:
        waiting.step_back(w, ref)
    return web.done(flask.url_for("today.show"))


def _show_all(error: str | None = None) -> str:
    with web.read() as w:
        planned = planning.upcoming(w, limit=80)
        mine = _leads(w)
        chapters = {p.group: programme(p.programme, web.language()).chapters for p in mine}
    now = _now()
    soon = (now + timedelta(minutes=15 - now.minute % 15)).strftime("%Y-%m-%dT%H:%M")
    return flask.render_template(
        "sessions/list.html",
        planned=planned,
        places=mine,
        chapters=chapters,
        soon=soon,
        chosen=request.form.get("group", request.args.get("group", "")),
        lengths=planning.LENGTHS,
        error=error,
    )


def _change(use_case: Callable[[Work], None]) -> Any:
    """Make a change that leads back to the list. A click that came second shows how it stands now."""
    try:
        with web.work() as w:
            use_case(w)
    except Closed:
        if web.wants_json():
            raise
    return web.done(flask.url_for("planning.show_all"))


def _leads(w: Work) -> list[rooms.Place]:
    return [place for place in rooms.places(w) if place.kind == "group" and place.leads]


def _now() -> datetime:
    return web.house().database.clock().astimezone(ZoneInfo(web.actor().timezone))


def _moment(timezone: str) -> datetime:
    """The moment in a form, as the wall clock of the group means it."""
    try:
        local = datetime.fromisoformat(request.form.get("starts_at", "")[:30])
    except ValueError:
        raise Invalid(planning.NOT_TO_COME) from None
    if local.tzinfo is not None or not 2000 <= local.year <= 2100:
        raise Invalid(planning.NOT_TO_COME)
    return moment(local.date(), local.hour * 60 + local.minute, ZoneInfo(timezone))


def _pattern() -> Pattern:
    form = request.form
    try:
        begin = date.fromisoformat(form.get("starts_on", "")[:10])
        at = time.fromisoformat(form.get("at", "")[:5])
    except ValueError:
        raise Invalid(planning.NOT_TO_COME) from None
    if not 2000 <= begin.year <= 2100:
        raise Invalid(planning.NOT_TO_COME)
    return Pattern(
        begin,
        at.hour * 60 + at.minute,
        web.number("count", str(planning.SESSIONS)),
        web.number("every", "7"),
        web.number("booster", str(planning.BOOSTER_WEEKS)),
    )


def _days(field: str) -> frozenset[date]:
    try:
        return frozenset(date.fromisoformat(day[:10]) for day in request.form.getlist(field)[:60])
    except ValueError:
        raise Invalid from None
