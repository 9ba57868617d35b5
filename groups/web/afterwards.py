"""After a session, as pages: attendance and a summary, a text about one member, and who was missed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import flask
from flask import Blueprint, request
from flask_babel import force_locale, format_date

from app import web
from app.core.errors import Invalid
from app.core.i18n import N_
from app.core.permissions import Permission
from groups import rooms
from groups.after import afterwards, dossier, followups

blueprint = Blueprint("afterwards", __name__)


@blueprint.get("/bijeenkomst/<session>/verslag")
@web.needs(Permission.GROUP_SESSION_LEAD)
def report(session: str) -> Any:
    """Who was there and how long, and a summary to copy."""
    with web.read() as w:
        found = afterwards.report(w, session)
    with _speech(found.place) as speech:
        text = dossier.of_group(found.about, found.together, found.names, speech)
    zone = ZoneInfo(found.place.timezone)
    return flask.render_template("sessions/report.html", report=found, text=text, zone=zone)


@blueprint.post("/bijeenkomst/<session>/verslag/<member>")
@web.needs(Permission.GROUP_SESSION_LEAD)
def correct(session: str, member: str) -> Any:
    """Put somebody's attendance right."""
    form = request.form
    with web.work() as w:
        afterwards.correct(w, session, member, form.get("kind", ""), _time("came"), _time("last"))
    return web.done(flask.url_for("afterwards.report", session=session))


@blueprint.get("/bijeenkomst/<session>/verslag/<member>")
@web.needs(Permission.GROUP_DOSSIER_READ)
def of_member(session: str, member: str) -> Any:
    """A draft about one member, to edit and copy. It is made anew each time, and no answer of ours may be kept."""
    with web.work() as w:
        found = afterwards.of_member(w, session, member)
    with _speech(found.place) as speech:
        text = dossier.of_member(found.about, found.deeds, found.names, speech)
    return flask.render_template("sessions/dossier.html", found=found, text=text)


@blueprint.post("/gemist/<ref>")
@web.needs(Permission.GROUP_SESSION_LEAD)
def follow_up(ref: str) -> Any:
    """Say what came of looking after somebody."""
    with web.work() as w:
        followups.settle(w, ref, web.number("version"), request.form.get("outcome", ""))
    return web.done(flask.url_for("today.show"))


@contextmanager
def _speech(place: rooms.Place) -> Iterator[dossier.Speech]:
    """The group's own language and hours, whatever language the facilitator reads."""
    zone = ZoneInfo(place.timezone)

    def day(at: datetime) -> str:
        return str(format_date(at.astimezone(zone).date(), "EEEE d MMMM y", rebase=False))

    def clock(at: datetime) -> str:
        return at.astimezone(zone).strftime("%H.%M" if place.language == "nl" else "%H:%M")

    with force_locale(place.language):
        yield dossier.Speech(web.translated, day, clock)


def _time(field: str) -> time | None:
    """A time of day from the form, or nothing. Raises `Invalid`."""
    typed = request.form.get(field, "").strip()
    try:
        return time.fromisoformat(typed).replace(tzinfo=None) if typed else None
    except ValueError:
        raise Invalid(N_("Een tijd schrijf je als 19:30. Er is niets veranderd.")) from None
