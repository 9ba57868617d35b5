"""Help now: the wave, one's own plan, a buddy, the numbers. For everybody, signed in or not."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core import ids
from app.core.errors import NotFound
from app.core.ids import client_key
from app.core.permissions import Permission
from groups import readers, rooms
from groups.own import plan as own_plan
from groups.own import urges
from matching import buddies, plan, relapse

blueprint = Blueprint("help", __name__)

_WAVES = 30  # a minute, of one person: a device keeps twenty at most


@blueprint.get("/hulp")
@web.public
def show() -> Any:
    """Help in one tap. The numbers work without internet; the page works without an account."""
    found: dict[str, Any] = {"buddies": [], "ride": None, "techniques": []}
    who = web.maybe_actor()
    if who is not None and not who.staff:
        with web.read() as w:
            found = {"buddies": buddies.mine(w), "ride": urges.open_one(w), "techniques": own_plan.techniques(w, 3)}
    asked = request.args.get("minutes", "")
    minutes = int(asked) if asked in {str(n) for n in urges.MINUTES} else 0
    return flask.render_template(
        "help/now.html",
        **found,
        said=bool(flask.session.pop("said", False)),
        rode=flask.session.pop("rode", ""),
        until=web.house().database.clock() + timedelta(minutes=minutes) if minutes else None,
        key=str(uuid.uuid4()),
        ping_key=str(uuid.uuid4()),
        readers=readers.NOBODY,
    )


@blueprint.post("/hulp/golf")
@web.needs(Permission.OWN_PLAN_WRITE)
def begin() -> Any:
    """Stay with a wave: from now on it is counted down."""
    web.house().limiter.per_minute(_WAVES, "wave", str(web.actor().person_id))
    with web.work() as w:
        ride = urges.begin(w, client_key(request.form.get("key")), web.number("minutes"), _number("before"))
    if web.wants_json():
        return {"ok": True, "location": flask.url_for("help.finish", ref=ride.ref)}
    return flask.redirect(flask.url_for("help.show", _anchor="golf"), code=303)


@blueprint.post("/hulp/golf/<ref>")
@web.needs(Permission.OWN_PLAN_WRITE)
def finish(ref: str) -> Any:
    """Say how it went. What came of it is not in the address."""
    outcome = request.form.get("outcome", "")
    with web.work() as w:
        crisis = urges.finish(w, ref, _number("after"), request.form.get("helped", ""), outcome)
    flask.session["rode"] = outcome
    return web.done(web.help_after_words() if crisis else flask.url_for("help.show"))


@blueprint.post("/hulp/meegebracht")
@web.needs(Permission.OWN_PLAN_WRITE)
def bring() -> Any:
    """A wave that a device kept while there was no network. For a script."""
    web.house().limiter.per_minute(_WAVES, "wave", str(web.actor().person_id))
    brought = urges.Brought(
        key=client_key(request.form.get("key")),
        minutes=web.number("minutes"),
        ago=web.number("ago"),
        lasted=web.number("lasted"),
        before=_number("before"),
        after=_number("after"),
        outcome=request.form.get("outcome", ""),
    )
    with web.work() as w:
        urges.bring(w, brought)
    return web.done(flask.url_for("help.show"))


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


def _number(field: str) -> int | None:
    """A number from 0 to 10, or nothing where it was left out. Raises `Invalid`."""
    typed = request.form.get(field, "")
    return ids.number(typed, 0, urges.HIGHEST) if typed else None
