"""The ground floor's own sweeps: delivering the outbox, and cutting sockets whose session has ended."""

from __future__ import annotations

import time

import structlog

from app.accounts import accounts
from app.notify import outbox
from app.part import Sweep
from app.web import House

log = structlog.get_logger()

RECHECK = 5.0  # seconds: how long a socket may outlive its session if the hint was lost

HOUSE_SWEEPS = (Sweep("outbox", every=1.0, run=outbox.deliver),)


def recheck_once(house: House) -> int:
    """Cut the sockets of every session that no longer stands. One query for all of them."""
    held = house.fanout.sessions()
    if not held:
        return 0
    with house.database.read() as w:
        standing = accounts.live_sessions(w.db, held, w.now)
    ended = [session for session in held if session not in standing]
    for session in ended:
        house.fanout.end(session)
    return len(ended)


def recheck_sessions(house: House) -> None:
    """Do so for ever."""
    while True:
        time.sleep(RECHECK)
        try:
            recheck_once(house)
        except Exception:
            log.exception("recheck_failed")
