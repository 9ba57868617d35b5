"""Vandaag: the one page that says what matters now, for clients and for staff."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint

from app import crisis, web
from app.core.permissions import Permission, Role
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.after import followups
from groups.agenda import planning
from groups.people import waiting
from groups.programme import progress
from matching import buddies, checkins, outreach, relapse
from moderation import queue

blueprint = Blueprint("today", __name__)


@blueprint.get("/vandaag")
@web.needs(Permission.OWN_TODAY_READ)
def show() -> Any:
    """The first page after signing in."""
    with web.read() as w:
        if w.who.role is Role.CLIENT:
            return flask.render_template("today/client.html", **_client(w))
        if w.who.role is Role.MODERATOR and not outreach.due(w) and not outreach.taken_on(w):
            return flask.redirect(flask.url_for("moderation.waiting"))
        return flask.render_template("today/staff.html", **_staff(w))


@blueprint.post("/gezien/<kind>/<ref>")
@web.needs(Permission.OWN_TODAY_READ)
def seen(kind: str, ref: str) -> Any:
    """Put a line of one's inbox away."""
    with web.work() as w:
        outbox.mark_read(w, kind, ref)
    return web.done(flask.url_for("today.show"))


def _client(w: Work) -> dict[str, Any]:
    places = [p for p in rooms.places(w) if p.kind == "group"]
    home = rooms.home(w, web.group_here()) if places else None
    planned = planning.upcoming(w, limit=3)
    return {
        "places": places,
        "home": home,
        "next": planned[0] if planned else None,
        "later": planned[1:],
        "waits": waiting.mine(w),
        "checkin": checkins.draft(w, home) if home else None,
        "small_step": progress.resume(w, home) if home else None,
        "buddies": buddies.mine(w),
        "asks": outreach.due(w),
        "reports": relapse.recent(w),
        "lines": outbox.inbox(w),
        "alias": home.alias if home and len(places) == 1 else "",
    }


def _staff(w: Work) -> dict[str, Any]:
    return {
        "asks": outreach.due(w),
        "taken_on": outreach.taken_on(w),
        "lines": outbox.inbox(w),
        "cards": queue.waiting(w),
        "planned": planning.upcoming(w),
        "waiting": waiting.counts(w),
        "places": [p for p in rooms.places(w) if p.kind == "group" and p.leads],
        "missed": followups.open_ones(w),
        "unchecked": crisis.unchecked(w.now.date(), w.who.language) if w.who.role is Role.ADMINISTRATOR else [],
    }
