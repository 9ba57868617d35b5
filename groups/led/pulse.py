"""Breathing together, or sitting out a wave: a timer that runs in step on every screen.

The server knows when it began; every screen is told how many seconds it is in, and counts on by itself. A pause of the
session holds it, another step ends it.
"""

from __future__ import annotations

from datetime import timedelta

from app.core.errors import Invalid
from app.core.i18n import N_
from app.core.work import Work
from groups.agenda import steering
from groups.led import stage

KINDS = ("breath", "wave")
LONGEST = 20  # minutes


def start(w: Work, public_id: str, version: int, kind: str, minutes: int) -> None:
    """Start a timer on every screen, or a new one in its place; an empty `kind` ends it. For facilitators.

    Writes state; announces `session.state`. Raises `Closed` if the session moved meanwhile, `Invalid`.
    """
    session, found = steering.running(w, public_id)
    if not kind:
        steering.change(w, session, version, pulse="", pulse_started_at=None, pulse_ends_at=None)
    else:
        if kind not in KINDS or not 1 <= minutes <= LONGEST:
            raise Invalid(N_("Kies 1 tot 20 minuten. Er is nog niets gestart."))
        begins = stage.clock_of(session, w.now)
        ends = begins + timedelta(minutes=minutes)
        steering.change(w, session, version, pulse=kind, pulse_started_at=begins, pulse_ends_at=ends)
    stage.tell(w, session, found)
