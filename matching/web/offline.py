"""Help without a network: what a browser keeps to show when there is none, and the script that shows it.

What it keeps is nobody's. Only who asked for it, on one device, has their own plan kept beside it
(static/js/offline.js).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import flask
from flask import Blueprint, Response, current_app, request

from app import web
from app.core.assets import folder
from app.core.i18n import LANGUAGES
from app.core.permissions import Permission
from app.pages import asset
from groups.own import plan

blueprint = Blueprint("offline", __name__)

SCRIPTS = ("leave.js", "wave.js", "rides.js", "offline.js", "dom.js")  # what main.js fetches on these pages
FONTS = ("text-400.woff2", "text-600.woff2")
ELSEWHERE = "/elders"  # where leaving goes
_LINKED = re.compile(r'(?:href|src)="(/s/[^"#]+)')


@dataclass(frozen=True, slots=True)
class Loose:
    """Help as nobody's page, by language, and the worker that shows it; `version` changes when any of it does."""

    pages: dict[str, str]
    worker: str
    version: str


@blueprint.get("/hulp/los")
@web.public
def page() -> Any:
    """Help now as it is kept: nobody's, the same for everybody, in the language that is asked for."""
    asked = request.args.get("taal", "")
    return _loose().pages[asked if asked in LANGUAGES else web.language()]


@blueprint.get("/hulp/mijn")
@web.needs(Permission.OWN_PLAN_WRITE)
def mine() -> Any:
    """The same with one's own plan in it, for a device on which somebody asked to keep it."""
    with web.read() as w:
        kinds = plan.of_kinds(plan.cards(w))
    return flask.render_template("help/loose.html", kinds=kinds, loose=True)


@blueprint.get("/sw.js")
@web.public
def worker() -> Any:
    """The script that answers when there is no network."""
    return Response(
        _loose().worker, content_type="text/javascript; charset=utf-8", headers={"Service-Worker-Allowed": "/"}
    )


def _loose() -> Loose:
    """Drawn once for a running app: it holds nothing of who asks."""
    found: Loose | None = current_app.extensions.get("samen.loose")
    if found is None:
        found = current_app.extensions["samen.loose"] = _draw()
    return found


def _draw() -> Loose:
    pages, files = {}, set()
    for language in LANGUAGES:
        # A context of the app's own too: what is known of who asks stands in that one.
        with (
            current_app.app_context(),
            current_app.test_request_context("/hulp/los", headers=[("Accept-Language", language)]),
        ):
            pages[language] = flask.render_template("help/loose.html", loose=True)
            files |= {link.replace("&amp;", "&") for link in _LINKED.findall(pages[language])}
            files |= {flask.url_for("static", filename=f"js/{name}") for name in SCRIPTS}
            files |= {flask.url_for("static", filename=f"vendor/{name}") for name in FONTS}
            files |= {asset("css/elsewhere.css"), asset("css/programme.css")}
    scripts = folder("static") / "js"
    said = [*pages.values(), *((scripts / name).read_text(encoding="utf-8") for name in ("sw.js", *SCRIPTS))]
    version = hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]
    kept = {
        "version": version,
        "pages": {language: f"/hulp/los?taal={language}" for language in LANGUAGES},
        "elsewhere": ELSEWHERE,
        "files": sorted(files),
    }
    script = (scripts / "sw.js").read_text(encoding="utf-8")
    return Loose(pages, f"const KEPT = {json.dumps(kept)}\n{script}", version)
