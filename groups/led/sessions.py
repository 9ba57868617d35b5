"""Group sessions: opened, led step by step, paused, closed. State is rows with a version; screens follow it.

Every change names the version it was made from. If somebody else was faster, the change is refused and nothing
moves twice: the screens show where everybody is now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from app.core import audit
from app.core.errors import Closed, Invalid
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.agenda import runsheet, steering
from groups.led import breakouts, pulse, removal, stage
from groups.models import Attendance, GroupSession, SessionStep
from groups.programme import exercises
from groups.programme.curriculum import programme

STILL = {"pulse": "", "pulse_started_at": None, "pulse_ends_at": None}  # no timer runs
TOO_FEW = N_(
    "Er zijn nog te weinig antwoorden, dus er is niets getoond. Bij minder dan vijf kun je raden wie wat schreef."
)

FollowUp = Callable[[Work, GroupSession, rooms.Place], None]

_follow_ups: dict[str, FollowUp] = {}


def on_close(name: str, follow_up: FollowUp) -> None:
    """Let `follow_up` run whenever a session closes, in the same transaction. Called once for each name, by a part."""
    _follow_ups[name] = follow_up


def open_session(w: Work, public_id: str, version: int) -> None:
    """Open the room for the session and start its first step. One session a group at a time.

    Writes state and an audit line; announces `session.state`. Raises `Closed` if it moved meanwhile.
    """
    session, found = steering.lead(w, public_id)
    if session.status != "planned":
        raise Closed
    rooms.lock_group(w, found.group_id)
    other = select(GroupSession.id).where(GroupSession.group_id == found.group_id, GroupSession.status == "open")
    if w.db.scalar(other) is not None:
        raise Closed(N_("Er is al een bijeenkomst open in deze groep. Sluit die eerst af."))
    steering.change(w, session, version, status="open", opened_at=w.now, **_clocks(w, session, found, 0))
    audit.record(w, "session.opened", "session", session.id)
    stage.tell(w, session, found)


def move(w: Work, public_id: str, version: int, position: int) -> None:
    """Go to a step of the run-sheet: every screen follows. Hands stay up; answers that were not shown stay hidden.

    While the session is paused it stays so, with the whole time of the new step ahead. Raises `Closed` if the session
    moved meanwhile or is over, `Invalid` for a step that is not there.
    """
    session, found = steering.running(w, public_id)
    _go(w, session, found, version, position)


def ask(w: Work, public_id: str, version: int, words: runsheet.Words) -> str:
    """Ask something in the middle of a session: a line of one's own after this one, and everybody goes to it.

    Returns the line's ref. Raises as `runsheet.add` and `move`.
    """
    session, found = steering.running(w, public_id)
    position = session.position + 1
    ref = runsheet.add(w, public_id, version, position, words)
    _go(w, session, found, version + 1, position)
    return ref


def extend(w: Work, public_id: str, version: int, minutes: int = 2) -> None:
    """Give the current step some more minutes."""
    session, found = steering.running(w, public_id)
    clock = stage.clock_of(session, w.now)
    start_from = max(session.step_ends_at or clock, clock)
    steering.change(w, session, version, step_ends_at=start_from + timedelta(minutes=minutes))
    stage.tell(w, session, found)


def pause(w: Work, public_id: str, version: int, on: bool) -> None:
    """Pause the session, or go on. While it is paused only facilitators write and every clock stands still.

    A pause calls everybody back from breakouts and answers the quiet signals. Writes state and an audit line. Raises
    `Closed` if the session moved meanwhile; to pause what is paused changes nothing.
    """
    session, found = steering.running(w, public_id)
    if on is (session.paused_at is not None):
        if session.version != version:
            steering.change(w, session, version)  # refuses
        return
    if on:
        steering.change(w, session, version, paused_at=w.now)
        breakouts.end(w, session, found)
        w.db.execute(update(Attendance).where(Attendance.session_id == session.id).values(pause_at=None))
    else:
        stood = w.now - (session.paused_at or w.now)
        names = ("step_ends_at", "pulse_started_at", "pulse_ends_at")
        moved = {name: at + stood for name in names if (at := getattr(session, name)) is not None}
        steering.change(w, session, version, paused_at=None, **moved)
    audit.record(w, "session.paused" if on else "session.resumed", "session", session.id)
    stage.tell(w, session, found)


def reveal(w: Work, public_id: str, version: int) -> None:
    """Show everybody what was answered at the current step. Before this, nobody sees more than how many answered.

    After this nothing is added to what was counted or pooled. Raises `Invalid` while there are too few answers for it,
    or where nothing is to be shown.
    """
    session, found = steering.running(w, public_id)
    steering.change(w, session, version)  # from here on no answer comes in until this is done (`steering.held_in`)
    line = stage.current(w, session, found)
    if not line.step.answered or line.step.sharing == "private":
        raise Invalid(N_("Bij deze stap valt niets te tonen. Er is niets veranderd."))
    rows = exercises.at(w, session.id, line.step.id)
    if line.step.sharing in exercises.ANONYMOUS and exercises.missing(rows, line.step):
        raise Invalid(TOO_FEW)
    shown = (SessionStep.id == line.line_id) & SessionStep.revealed_at.is_(None)
    w.db.execute(update(SessionStep).where(shown).values(revealed_at=w.now))
    stage.tell(w, session, found)


def lock(w: Work, public_id: str, version: int, locked: bool) -> None:
    """Let only facilitators write, or everybody again."""
    session, found = steering.running(w, public_id)
    steering.change(w, session, version, only_staff_writes=locked)
    stage.tell(w, session, found)


def close(w: Work, public_id: str, version: int) -> None:
    """Close the session for good. The room stays open for reading and writing as before.

    Lets everybody in again who was sent out, ends breakouts, hands, pauses and timers. Writes state and an audit line,
    and what others do at a closing (`on_close`); announces `session.state` with status `closed`.
    """
    session, found = steering.running(w, public_id)
    closed = {"status": "closed", "closed_at": w.now, "only_staff_writes": False, "paused_at": None}
    steering.change(w, session, version, **closed, **STILL)
    breakouts.end(w, session, found)
    removal.let_all_in(w, found)
    w.db.execute(update(Attendance).where(Attendance.session_id == session.id).values(hand_at=None, pause_at=None))
    audit.record(w, "session.closed", "session", session.id)
    for follow_up in _follow_ups.values():
        follow_up(w, session, found)
    stage.tell(w, session, found)


def _go(w: Work, session: GroupSession, found: rooms.Place, version: int, position: int) -> None:
    steering.change(w, session, version, **_clocks(w, session, found, position))
    stage.tell(w, session, found)


def _clocks(w: Work, session: GroupSession, found: rooms.Place, position: int) -> dict[str, Any]:
    """The clocks of a step that begins now. Where it is for breathing or for a wave, its timer starts with it."""
    here = (SessionStep.session_id == session.id) & (SessionStep.position == position)
    line = w.db.execute(select(SessionStep.minutes, SessionStep.step).where(here)).first()
    if line is None:
        raise Invalid
    ends = w.now + timedelta(minutes=line.minutes)
    step = programme(found.programme, found.language).find(session.chapter, line.step)
    together = step is not None and step.timer in pulse.KINDS
    timer = {"pulse": step.timer, "pulse_started_at": w.now, "pulse_ends_at": ends} if step and together else STILL
    return timer | {
        "position": position,
        "step_started_at": w.now,
        "step_ends_at": ends,
        "paused_at": w.now if session.paused_at else None,  # a pause that goes on counts from here for the new step
    }
