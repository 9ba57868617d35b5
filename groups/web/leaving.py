"""Leaving a group oneself, and taking a member or a colleague out of a group one leads: each asks once."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.permissions import Permission
from groups import rooms
from groups.people import leaving

blueprint = Blueprint("leaving", __name__)


@blueprint.get("/groep/<group>/stoppen")
@web.needs(Permission.OWN_GROUP_LEAVE)
def ask(group: str) -> Any:
    """What leaving means, before it is done."""
    with web.read() as w:
        found = rooms.group_place(w, group, out_too=True)
    return flask.render_template("groups/leave.html", place=found)


@blueprint.post("/groep/<group>/stoppen")
@web.needs(Permission.OWN_GROUP_LEAVE)
def leave(group: str) -> Any:
    """Leave a group."""
    with web.work() as w:
        leaving.leave(w, group)
    return web.done(flask.url_for("today.show"))


@blueprint.get("/groepen/<group>/deelnemers/<member>/afscheid")
@web.needs(Permission.GROUP_MEMBER_REMOVE)
def ask_remove(group: str, member: str) -> Any:
    """Why a member has to go, and what that means for them."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
        leaver = leaving.member(w, found, member)
    return flask.render_template("groups/remove.html", place=found, member=leaver, reasons=leaving.REASONS)


@blueprint.post("/groepen/<group>/deelnemers/<member>/afscheid")
@web.needs(Permission.GROUP_MEMBER_REMOVE)
def remove(group: str, member: str) -> Any:
    """Take a member out of the group."""
    with web.work() as w:
        leaving.remove(w, group, member, request.form.get("reason", ""))
    return web.done(flask.url_for("buddies.group", group=group))


@blueprint.get("/groepen/<group>/begeleiders/<member>/afscheid")
@web.needs(Permission.GROUP_MEMBER_REMOVE)
def ask_remove_colleague(group: str, member: str) -> Any:
    """What it means when a colleague leads the group no more."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
        leaver = leaving.colleague(w, found, member)
    return flask.render_template("groups/remove_colleague.html", place=found, member=leaver)


@blueprint.post("/groepen/<group>/begeleiders/<member>/afscheid")
@web.needs(Permission.GROUP_MEMBER_REMOVE)
def remove_colleague(group: str, member: str) -> Any:
    """End a colleague's place in the group."""
    with web.work() as w:
        leaving.remove_colleague(w, group, member)
    return web.done(flask.url_for("buddies.group", group=group))
