"""The relapse report as pages: thanks, a breath, safety, who may know, what happens now, and then the analysis."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import NotFound
from app.core.ids import client_key
from app.core.permissions import Permission
from app.core.work import Work
from groups import readers, rooms
from groups.models import Membership
from matching import buddies, plan, relapse

blueprint = Blueprint("reports", __name__)

STEPS = ("adem", "veilig", "wie")


@blueprint.get("/verslag")
@web.needs(Permission.OWN_REPORT_WRITE)
def doors() -> Any:
    """Three equal doors: an urge ridden out, a lapse, a relapse."""
    with web.read() as w:
        place = rooms.home(w, web.group_here())
        reports = relapse.recent(w)
    return flask.render_template("report/doors.html", key=str(uuid.uuid4()), reports=reports, place=place)


@blueprint.post("/verslag")
@web.needs(Permission.OWN_REPORT_WRITE)
def begin() -> Any:
    """Open a draft."""
    with web.work() as w:
        place = rooms.home(w, web.group_here())
        ref = relapse.begin(w, place, request.form.get("kind", ""), client_key(request.form.get("key")))
    return web.done(flask.url_for("reports.step", ref=ref, step="dank"))


@blueprint.get("/verslag/<ref>/<step>")
@web.needs(Permission.OWN_REPORT_WRITE)
def step(ref: str, step: str) -> Any:
    """One screen of the report."""
    if step not in ("dank", *STEPS):
        raise NotFound
    with web.read() as w:
        report = relapse.read(w, ref)
        if report.sent_at is not None:
            return flask.redirect(flask.url_for("reports.show", ref=ref))
        page = _people(w, report)
    return flask.render_template(f"report/{step}.html", report=report, buddy_minutes=_clocks().buddy, **page)


@blueprint.post("/verslag/<ref>/veilig")
@web.needs(Permission.OWN_REPORT_WRITE)
def safe(ref: str) -> Any:
    """Keep the answer to the safety question. Not safe: somebody is asked at once, and help stands first."""
    answer = request.form.get("safe", "")
    with web.work() as w:
        relapse.say_safe(w, ref, answer)
        if answer != "yes":
            relapse.warn(w, ref, _clocks())
    if answer == "yes":
        return web.done(flask.url_for("reports.step", ref=ref, step="wie"))
    return web.done(flask.url_for("reports.show", ref=ref))


@blueprint.post("/verslag/<ref>/wie")
@web.needs(Permission.OWN_REPORT_WRITE)
def send(ref: str) -> Any:
    """Send it to whom the client chose, or keep it."""
    chosen = request.form.getlist("who")
    with web.work() as w:
        if "nobody" in request.form:
            relapse.keep(w, ref)
        else:
            relapse.send(w, ref, ask_buddy="buddy" in chosen, ask_facilitator="facilitator" in chosen, clocks=_clocks())
    return web.done(flask.url_for("reports.show", ref=ref))


@blueprint.get("/verslag/<ref>")
@web.needs(Permission.OWN_REPORT_WRITE)
def show(ref: str) -> Any:
    """What happens now: who was asked, until when, what comes next; and the analysis, whenever one likes."""
    with web.read() as w:
        report = relapse.read(w, ref)
        page = _people(w, report)
    return flask.render_template(
        "report/show.html", report=report, parts=relapse.ANALYSIS, readers=readers.NOBODY, **page
    )


@blueprint.post("/verslag/<ref>/kijken")
@web.needs(Permission.OWN_REPORT_WRITE)
def analyse(ref: str) -> Any:
    """Keep one part of the analysis."""
    part, text = request.form.get("part", ""), request.form.get("text", "")
    with web.work() as w:
        danger = relapse.write_analysis(w, ref, part, text, _clocks())
    if danger:
        return web.done(web.help_after_words())
    number = relapse.ANALYSIS.index(part) + 1
    anchor = relapse.ANALYSIS[number] if number < len(relapse.ANALYSIS) else "klaar"
    return web.done(flask.url_for("reports.show", ref=ref, _anchor=anchor))


@blueprint.post("/verslag/<ref>/contact")
@web.needs(Permission.OWN_REPORT_WRITE)
def stop(ref: str) -> Any:
    """ "I have contact": nobody else needs to be asked."""
    with web.work() as w:
        relapse.stop(w, ref)
    return web.done(flask.url_for("reports.show", ref=ref))


def _clocks() -> plan.Clocks:
    settings = web.house().settings
    return plan.Clocks(settings.outreach_minutes_buddy, settings.outreach_minutes_facilitator)


def _people(w: Work, report: relapse.Report) -> dict[str, Any]:
    """Who could be asked about this report, by alias; and as whom their buddy knows the writer."""
    own = [b for b in buddies.mine(w) if _group_of(w, b.own_membership_id) == report.group_id]
    leads = rooms.facilitators_of(w, report.group_id)
    return {"buddies": own, "facilitators": leads, "known_as": rooms.place(w, own[0].room).alias if own else ""}


def _group_of(w: Work, membership_id: int) -> int:
    return w.db.get_one(Membership, membership_id).group_id
