"""Passkey challenges on their way: sealed in the visitor's cookie, for one purpose and one person, for five minutes."""

from __future__ import annotations

import json
from ipaddress import ip_address
from urllib.parse import urlsplit

import flask
from flask import request

from app import web
from app.accounts import once, passkeys
from app.core.errors import Invalid
from app.core.i18n import N_

_SECONDS = 300
_NO_HOST = N_(
    "Toegangssleutels werken niet op een adres van alleen cijfers. Er is niets veranderd; open deze site via localhost."
)


def place() -> passkeys.Place:
    """Where this request takes place, as passkeys see it. Raises `Invalid` on an address of digits only."""
    origins = web.house().settings.origins
    origin = next((o for o in origins if urlsplit(o).netloc == request.host), origins[0])
    host = urlsplit(origin).hostname or ""
    if _is_number(host):
        raise Invalid(_NO_HOST)
    return passkeys.Place(origin, host, web.house().keys.derive("passkey handle"))


def elsewhere() -> str:
    """Where passkeys do work, when they do not at this address; nothing when they work here."""
    try:
        place()
    except Invalid:
        named = (o for o in web.house().settings.origins if not _is_number(urlsplit(o).hostname or ""))
        return next(named, "")
    return ""


def keep(purpose: str, whom: str, challenge: bytes) -> None:
    """Remember a challenge that was handed out. A newer one takes its place."""
    until = int(web.house().database.clock().timestamp()) + _SECONDS
    kept = json.dumps([purpose, whom, challenge.hex(), until]).encode()
    flask.session["challenge"] = web.house().keys.seal("passkey challenge", kept)


def kept(purpose: str, whom: str) -> bytes:
    """The challenge that was handed out, and remember it no more. Raises `Invalid` when there is none."""
    sealed = flask.session.pop("challenge", "")
    try:
        opened = json.loads(web.house().keys.unseal("passkey challenge", sealed, max_age=_SECONDS))
    except Invalid:
        raise Invalid(once.STALE) from None
    now = int(web.house().database.clock().timestamp())
    if opened[:2] != [purpose, whom] or now >= opened[3]:
        raise Invalid(once.STALE)
    return bytes.fromhex(opened[2])


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
