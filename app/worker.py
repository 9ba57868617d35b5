"""Runs the sweeps: what must happen again and again, whoever is signed in.

In the default set-up they run inside the one server process; with `SAMEN_SWEEPS=apart` they are a process of
their own (`samen worker`), of which there may be several.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog

from app.core.work import Database
from app.main import PARTS
from app.part import Sweep
from app.sweeps import HOUSE_SWEEPS, recheck_sessions
from app.web import House

log = structlog.get_logger()


def all_sweeps() -> tuple[Sweep, ...]:
    """Every sweep of the house, those of the ground floor first."""
    return HOUSE_SWEEPS + tuple(sweep for part in PARTS for sweep in part.sweeps)


def run_once(database: Database, sweeps: Sequence[Sweep] | None = None) -> dict[str, int]:
    """Run each sweep once and return what each did. One that fails does not keep the others from running."""
    did: dict[str, int] = {}
    for sweep in all_sweeps() if sweeps is None else sweeps:
        try:
            did[sweep.name] = sweep.run(database)
        except Exception:
            log.exception("sweep_failed", name=sweep.name)
            did[sweep.name] = -1
    return did


def run_forever(database: Database) -> None:
    """Run every sweep at its own pace until the process ends."""
    sweeps = all_sweeps()
    due = {sweep.name: 0.0 for sweep in sweeps}
    while True:
        now = time.monotonic()
        ready = [sweep for sweep in sweeps if due[sweep.name] <= now]
        run_once(database, ready)
        for sweep in ready:
            due[sweep.name] = time.monotonic() + sweep.every
        time.sleep(max(0.05, min(due.values()) - time.monotonic()))


def start_inside(house: House) -> None:
    """Start what a serving process must keep doing: the re-check of open sockets and, unless apart, the sweeps."""
    threading.Thread(target=recheck_sessions, args=(house,), name="recheck", daemon=True).start()
    if house.settings.sweeps == "inside":
        threading.Thread(target=run_forever, args=(house.database,), name="sweeps", daemon=True).start()
