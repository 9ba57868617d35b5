"""The prevention plan: its cards, one to change, a sheet to print, and what a plan-card step puts on it."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import Invalid
from app.core.permissions import Permission
from groups import readers
from groups.own import plan
from groups.programme import progress
from groups.programme.curriculum import programme
from groups.web import answers

blueprint = Blueprint("plan", __name__)


@blueprint.get("/plan")
@web.needs(Permission.OWN_PLAN_WRITE)
def show() -> Any:
    """One's plan, kind by kind."""
    with web.read() as w:
        cards = plan.cards(w)
    return flask.render_template(
        "plan/show.html", kinds=plan.of_kinds(cards), count=len(cards), most=plan.MOST, readers=readers.NOBODY
    )


@blueprint.post("/plan")
@web.needs(Permission.OWN_PLAN_WRITE)
def add() -> Any:
    """Put a card on it."""
    form = request.form
    with web.work() as w:
        kept = plan.add(w, form.get("card", ""), form.get("text", ""), form.get("then", ""))
    if kept.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return web.done(flask.url_for("plan.show", _anchor=form.get("card")))


@blueprint.get("/plan/print")
@web.needs(Permission.OWN_PLAN_WRITE)
def sheet() -> Any:
    """The plan as a sheet of paper that says nothing about what it is for."""
    with web.read() as w:
        cards = plan.cards(w)
    return flask.render_template("plan/print.html", kinds=plan.of_kinds(cards), count=len(cards))


@blueprint.get("/plan/<ref>")
@web.needs(Permission.OWN_PLAN_WRITE)
def ask(ref: str) -> Any:
    """One card, to say in other words or to take away."""
    with web.read() as w:
        card = plan.one(w, ref)
    return flask.render_template("plan/change.html", card=card, readers=readers.NOBODY)


@blueprint.post("/plan/<ref>")
@web.needs(Permission.OWN_PLAN_WRITE)
def change(ref: str) -> Any:
    """Keep the other words."""
    with web.work() as w:
        kept = plan.change(w, ref, request.form.get("text", ""), request.form.get("then", ""))
        card = plan.one(w, ref).card
    if kept.crisis:
        return flask.redirect(web.help_after_words(), code=303)
    return web.done(flask.url_for("plan.show", _anchor=card))


@blueprint.post("/plan/<ref>/weg")
@web.needs(Permission.OWN_PLAN_WRITE)
def remove(ref: str) -> Any:
    """Take a card off it."""
    with web.work() as w:
        plan.remove(w, ref)
    return web.done(flask.url_for("plan.show"))


@blueprint.post("/plan/<ref>/plek")
@web.needs(Permission.OWN_PLAN_WRITE)
def move(ref: str) -> Any:
    """One place up or down."""
    to = request.form.get("to")
    if to not in ("up", "down"):
        raise Invalid
    with web.work() as w:
        plan.move(w, ref, up=to == "up")
    return web.done(flask.url_for("plan.show", _anchor=ref))


@blueprint.post("/plan/verzamel/<chapter>/<step>")
@web.needs(Permission.OWN_PLAN_WRITE)
def collect(chapter: str, step: str) -> Any:
    """Take what was found at a step into the plan; the step is done then, and the next one comes."""
    form = request.form
    with web.work() as w:
        place = answers.home(w)
        crisis = plan.collect(w, place, chapter, step, form.getlist("row"), form.get("text", ""), form.get("then", ""))
        progress.mark(w, place, chapter, step)
        road = [one.id for one in programme(place.programme, w.who.language).chapter(chapter).path]
    if crisis:
        return flask.redirect(web.help_after_words(), code=303)
    following = road[road.index(step) + 1 :]
    if not following:
        return web.done(flask.url_for("programme.chapter", chapter=chapter, _anchor="klaar"))
    return web.done(flask.url_for("programme.step", chapter=chapter, step=following[0]))
