"""Leading a group: its members and its invitations."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint

from app import web
from app.accounts import accounts
from app.core.errors import Invalid
from app.core.permissions import Permission
from groups import rooms

blueprint = Blueprint("leading", __name__)


@blueprint.get("/groepen")
@web.needs(Permission.GROUP_MEMBER_LIST)
def groups() -> Any:
    """The groups one leads."""
    with web.read() as w:
        places = [p for p in rooms.places(w) if p.kind == "group" and p.leads]
    return flask.render_template("groups/list.html", places=places)


@blueprint.post("/groepen/<group>/uitnodiging")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def invite(group: str) -> Any:
    """Make an invitation code, shown once on the next page."""
    with web.work() as w:
        found = rooms.lead_place(w, group)
        code = accounts.invite(w, found.group_id)
    flask.session["invitation"] = web.house().keys.seal(f"invitation {group}", code.encode())
    return web.done(flask.url_for("leading.invitation", group=group))


@blueprint.get("/groepen/<group>/uitnodiging")
@web.needs(Permission.GROUP_INVITATION_MAKE)
def invitation(group: str) -> Any:
    """The code that was just made, on a neutral slip."""
    with web.read() as w:
        found = rooms.lead_place(w, group)
    sealed = flask.session.pop("invitation", None)
    try:
        code = web.house().keys.unseal(f"invitation {group}", sealed, max_age=600).decode() if sealed else None
    except Invalid:
        code = None  # made for another group, or long ago
    return flask.render_template(
        "groups/invitation.html", place=found, code=code, address=web.house().settings.origins[0].split("://")[1]
    )
