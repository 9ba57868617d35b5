"""Held messages in the cockpit: read and decided in place, without leaving the session."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint

from app import web
from app.core.permissions import Permission
from groups.led import holding
from moderation import queue

blueprint = Blueprint("holding", __name__)


@blueprint.get("/bijeenkomst/<session>/vastgehouden/<case>")
@web.needs(Permission.ORGANISATION_CASE_READ)
def look(session: str, case: str) -> Any:
    """What was held, how the group would read it, and the form to decide: a piece of the cockpit's page."""
    with web.work() as w:
        opened = holding.look(w, session, case)
    return flask.render_template(
        "sessions/cockpit/look.html",
        detail=opened.detail,
        masked=opened.masked,
        decisions=opened.decisions,
        reasons=queue.REASONS,
    )
