"""How a browser becomes signed in, and signed out: nothing of who it was before stays behind in it."""

from __future__ import annotations

from typing import Any

import flask
from flask import request
from werkzeug.wrappers import Response as BaseResponse

from app import web
from app.accounts import accounts, once, signins
from app.core import audit, ids
from app.core.errors import Unauthenticated
from app.core.permissions import Role
from app.core.work import Work
from app.live.gate import session_cookie


def start_session(w: Work, person_id: int, *, confirmed: bool = False, proof: str = "") -> str:
    """End whatever session this browser held and start one for a person who proved who they are; its token.

    `proof` remembers the secret they proved it by. Raises `Unauthenticated` when they were suspended in the meantime,
    or have another secret now: a session that an older one opened would outlive the change.
    """
    held = session_cookie(request.environ, web.house().cookie)
    if held:
        signins.end(w, ids.digest(held))
    known = accounts.credentials_of(w, person_id)
    if proof and proof != known.proof:
        raise Unauthenticated(once.STALE)
    lasts = web.house().settings.lasts(staff=known.role is not Role.CLIENT)
    client = known.role is Role.CLIENT  # their words are all the proof there is, and they typed them just now
    if not client:  # who on the staff was in when is asked after an incident; when a client came is nobody's business
        audit.record(w, "session.started", "person", person_id)
    return signins.start(w, person_id, lasts, confirmed=confirmed or client)


def arrive(token: str) -> Any:
    """On to today, with the session cookie and without what the visitor had begun."""
    flask.session.clear()
    return sign_in_browser(flask.redirect(flask.url_for("today.show"), code=303), token)


def sign_in_browser(response: Any, token: str) -> Any:
    """Give the browser its session cookie: out of reach of scripts, and never sent from other sites."""
    found = web.house()
    response.set_cookie(
        found.cookie,
        token,
        max_age=found.settings.session_days * 86_400,
        secure=found.settings.production,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def sign_out_browser(response: BaseResponse) -> BaseResponse:
    """End the session this browser holds, and leave nothing behind in it: no cookie, no draft, no page."""
    found = web.house()
    token = session_cookie(request.environ, found.cookie)
    if token:
        with found.database.work() as w:
            signins.end(w, ids.digest(token))
    flask.session.clear()
    response.delete_cookie(found.cookie, path="/", samesite="Lax", httponly=True, secure=found.settings.production)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response
