"""Breaking glass, as pages: which groups are not one's own, why one must look, and what is seen then."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, request

from app import web
from app.core.permissions import Permission
from groups import readers
from groups.people import glass

blueprint = Blueprint("glass", __name__)


@blueprint.get("/elders-meelezen")
@web.needs(Permission.ORGANISATION_GLASS_BREAK, confirmed=True)
def panes() -> Any:
    """The groups that one does not lead, and what it takes to look inside."""
    with web.read() as w:
        found = glass.panes(w)
        who = readers.of_glass_note(w)
    return flask.render_template("groups/glass.html", panes=found, reasons=glass.REASONS, inside=None, readers=who)


@blueprint.post("/elders-meelezen/<group>")
@web.needs(Permission.ORGANISATION_GLASS_BREAK, confirmed=True)
def break_glass(group: str) -> Any:
    """Open one group for an hour; its members are told."""
    with web.work() as w:
        glass.break_glass(w, group, request.form.get("reason", ""), request.form.get("note", ""))
    return web.done(flask.url_for("glass.look", group=group))


@blueprint.get("/elders-meelezen/<group>")
@web.needs(Permission.ORGANISATION_GLASS_BREAK, confirmed=True)
def look(group: str) -> Any:
    """Read along."""
    with web.work() as w:
        inside = glass.look(w, group)
        found = glass.panes(w)
        who = readers.of_glass_note(w)
    return flask.render_template("groups/glass.html", panes=found, reasons=glass.REASONS, inside=inside, readers=who)
