"""The ground floor's own sweeps: delivering the outbox, and cutting sockets whose session has ended."""

from __future__ import annotations

import time

import structlog

from app.accounts import signins
from app.notify import outbox
from app.part import Sweep
from app.web import House

log = structlog.get_logger()

RECHECK = 4.0  # seconds between two looks: no socket outlives its session by more than five, even if the hint was lost

HOUSE_SWEEPS = (
    Sweep("outbox", every=1.0, run=outbox.deliver),
    Sweep("outbox tidied", every=3600.0, run=outbox.tidy),
)


def recheck_once(house: House) -> int:
    """Cut the sockets of every session that no longer stands, and take from the others what they may hear no more.

    One query for the sessions and one for each package that speaks of topics. Returns how many sessions ended.
    """
    held = house.fanout.sessions()
    if not held:
        return 0
    with house.database.read() as w:
        standing = signins.live_sessions(w.db, held, w.now)
        kinds = {kind: part for part in house.parts if part.may_follow for kind in part.topic_kinds}
        allowed = {part.name: part.may_follow(w, standing) for part in kinds.values() if part.may_follow}
    ended = [session for session in held if session not in standing]
    for session in ended:
        house.fanout.end(session)
    for session, sid, topic in house.fanout.followed():
        part = kinds.get(topic.partition(":")[0])
        if part is not None and (session, topic) not in allowed[part.name]:
            house.fanout.unfollow(sid, topic)
    return len(ended)


def recheck_sessions(house: House) -> None:
    """Do so for ever."""
    while True:
        time.sleep(RECHECK)
        try:
            recheck_once(house)
        except Exception:
            log.exception("recheck_failed")
