"""One's own data: reading it, taking it along, having it destroyed."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import flask
from flask import Blueprint, Response, request
from flask_babel import format_date

from app import web
from app.accounts import erasure
from app.accounts.web.browser import sign_out_browser
from app.core.errors import Invalid
from app.core.i18n import N_
from app.core.permissions import Permission

blueprint = Blueprint("data", __name__)

WORD = N_("wissen")  # what is typed, in the reader's language, before anything is erased
_FILE = "mijn-gegevens.json"  # says nothing about what it is of


@blueprint.get("/gegevens")
@web.needs(Permission.OWN_DATA_READ, confirmed=True)
def show() -> Any:
    """What we keep about the reader, in words."""
    return flask.render_template("accounts/data.html", data=_export(), day_of=_day)


@blueprint.get("/gegevens.json")
@web.needs(Permission.OWN_DATA_READ, confirmed=True)
def download() -> Any:
    """The same as a file that other programs can read."""
    text = json.dumps(_export(), ensure_ascii=False, indent=2) + "\n"
    headers = {"Content-Disposition": f'attachment; filename="{_FILE}"'}
    return Response(text, mimetype="application/json", headers=headers)


@blueprint.get("/gegevens/wissen")
@web.needs(Permission.OWN_ACCOUNT_ERASE, confirmed=True)
def ask() -> Any:
    """What goes and what stays, before anything does."""
    return _ask()


@blueprint.post("/gegevens/wissen")
@web.needs(Permission.OWN_ACCOUNT_ERASE, confirmed=True)
def erase() -> Any:
    """Destroy the account and everything in it, and leave the browser empty."""
    typed = request.form.get("word", "")[:40].strip().casefold()
    if typed != web.translated(WORD):
        refusal = Invalid(N_("Typ het woord hieronder precies over. Er is nog niets gewist."))
        if web.wants_json():
            raise refusal
        return _ask(web.translated(refusal.message)), refusal.status
    found = web.house()
    with web.work() as w:
        erasure.erase(w, found.parts, w.who.person_id)
    erasure.wipe_log(found.database)
    return sign_out_browser(flask.redirect(flask.url_for("data.erased"), code=303))


@blueprint.get("/gewist")
@web.public
def erased() -> Any:
    """The last page: it could be anybody's."""
    return flask.render_template("accounts/erased.html")


def _ask(error: str | None = None) -> str:
    return flask.render_template("accounts/erase.html", word=web.translated(WORD), error=error)


def _export() -> dict[str, Any]:
    with web.read() as r:
        return erasure.export(r, web.house().parts, r.who.person_id)


def _day(on: str) -> str:
    """A day of the export as its reader says it."""
    text: str = format_date(date.fromisoformat(on[:10]), "d MMMM y")
    return text
