"""Answering an ask for contact: on it, or not able now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import Blueprint

from app import web
from app.core.errors import Closed
from app.core.permissions import Permission
from app.core.work import Work
from matching import outreach

blueprint = Blueprint("outreach", __name__)


@blueprint.post("/contact/<ref>/ja")
@web.needs(Permission.OUTREACH_STEP_ACKNOWLEDGE)
def acknowledge(ref: str) -> Any:
    """ "I am on it.\""""
    return _answer(outreach.acknowledge, ref, to="today.show" if web.actor().staff else "buddies.duo")


@blueprint.post("/contact/<ref>/nee")
@web.needs(Permission.OUTREACH_STEP_ACKNOWLEDGE)
def hand_on(ref: str) -> Any:
    """ "Not able now.\""""
    return _answer(outreach.hand_on, ref)


def _answer(answer: Callable[[Work, str, int], None], ref: str, *, to: str = "today.show") -> Any:
    version = web.number("version")
    try:
        with web.work() as w:
            answer(w, ref, version)
    except Closed:
        if web.wants_json():
            raise  # for a person it is good news: somebody else was first
        to = "today.show"
    return web.done(flask.url_for(to))
