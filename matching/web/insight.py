"""Inzicht: mood and urge, the hours that ask most, what was built up. One's own, and nobody else's."""

from __future__ import annotations

from datetime import date
from typing import Any

import flask
from flask import Blueprint, request
from flask_babel import format_date
from markupsafe import Markup

from app import web
from app.core.permissions import Permission
from matching import insight, picture, practice
from matching.insight import Insight

blueprint = Blueprint("insight", __name__)

_WEEK = tuple(date(2024, 1, day) for day in range(1, 8))  # a week that begins on Monday, for the names of its days


@blueprint.get("/inzicht")
@web.needs(Permission.OWN_INSIGHT_READ)
def show() -> Any:
    """The last thirty days, or ninety when asked for."""
    span = insight.SPANS[1] if request.args.get("dagen") == str(insight.SPANS[1]) else insight.SPANS[0]
    with web.read() as w:
        seen = insight.read(w, span)

    def draw(**words: str) -> Markup:
        return _lines(seen, words)

    asked = [day for day in seen.days if day.mood is not None and day.urge is not None]
    return flask.render_template(
        "insight/show.html",
        seen=seen,
        span=span,
        spans=insight.SPANS,
        draw=draw,
        short=_short,
        week=_WEEK,
        asked=asked,
        mood=practice.course([day.mood for day in asked if day.mood is not None]),
        urge=practice.course([day.urge for day in asked if day.urge is not None]),
    )


def _lines(seen: Insight, words: dict[str, str]) -> Markup:
    asked = [(day.day, day.mood - 1, day.urge) for day in seen.days if day.mood is not None and day.urge is not None]
    moods: list[tuple[date, float]] = [(day, mood) for day, mood, _urge in asked]
    urges: list[tuple[date, float]] = [(day, urge) for day, _mood, urge in asked]
    if seen.long:
        moods, urges = practice.averaged(moods), practice.averaged(urges)
    points = [picture.Point(day, mood, urge) for (day, mood), (_day, urge) in zip(moods, urges, strict=True)]
    marks = [picture.Mark(day.day, kind) for day in seen.days for kind in day.lapses]
    known = {"first": _short(seen.first), "last": _short(seen.last)}
    return picture.lines(seen.first, seen.last, points, marks, known | words)


def _short(on: date) -> str:
    """A day without its year: 21 okt."""
    text: str = format_date(on, "d MMM", rebase=False)
    return text
