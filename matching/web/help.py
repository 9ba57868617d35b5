"""Help now: the wave, a buddy, the numbers. For everybody, signed in or not."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.errors import NotFound
from app.core.ids import client_key
from app.core.permissions import Permission
from groups import rooms
from matching import buddies, plan, relapse

blueprint = Blueprint("help", __name__)


@blueprint.get("/hulp")
@web.public
def show() -> Any:
    """Help in one tap. The numbers work without internet; the page works without an account."""
    own: list[buddies.Buddy] = []
    who = web.maybe_actor()
    if who is not None and not who.staff:
        with web.read() as w:
            own = buddies.mine(w)
    said = bool(flask.session.pop("said", False))
    return flask.render_template("help/now.html", buddies=own, said=said, key=str(uuid.uuid4()))


@blueprint.post("/hulp/seintje")
@web.needs(Permission.OWN_REPORT_WRITE)
def ping() -> Any:
    """Ask one's buddy for contact, without a word of explanation. The last rung is a facilitator, as always."""
    settings = web.house().settings
    clocks = plan.Clocks(settings.outreach_minutes_buddy, settings.outreach_minutes_facilitator)
    with web.work() as w:
        own = buddies.mine(w)
        if not own:
            raise NotFound
        place = next(p for p in rooms.places(w) if p.membership_id == own[0].own_membership_id)
        ref = relapse.ping(w, place, client_key(request.form.get("key")), clocks)
    return web.done(flask.url_for("reports.show", ref=ref))
