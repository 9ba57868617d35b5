"""Answering at a step of the running session, or at home when none runs."""

from __future__ import annotations

from typing import Any

from app.core.errors import Closed, Forbidden, Muted
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.agenda import runsheet, steering
from groups.led import stage
from groups.models import GroupSession
from groups.programme import exercises

SHOWN = N_("De antwoorden zijn al getoond. Een antwoord erbij zou laten zien wat jij koos. Wat je typte staat er nog.")
READING = N_("Je kunt nu even alleen meelezen. Wat je typte staat er nog.")
PAUSED = N_("We pauzeren even. Straks kun je verder; wat je typte staat er nog.")


def answer(
    w: Work,
    room: str,
    step: str,
    value: Any,
    *,
    chapter: str = "",
    share: bool = False,
    few_ok: bool = False,
) -> exercises.Kept:
    """Keep one's answer at a step of the running session; outside a session at a step of `chapter`.

    No answer comes in between a facilitator's look at the number of answers and the showing of them: both hold the
    session. Writes the answer; announces the state. Raises `Closed` when what was counted or pooled is shown already,
    `Forbidden` while the session is paused, `Muted` for who may only read, where everybody would read it at once,
    `NotFound` for no such step, and as `exercises.keep` does.
    """
    found = rooms.place(w, room)
    if stage.running_for(w, found) is None:
        return exercises.answer(w, found, chapter, step, value, share=share)
    if found.kind == "breakout":
        found = rooms.group_place(w, found.group)
    session = steering.held_in(w, found.group_id, alone=False)
    if session.paused_at is not None and not found.leads:
        raise Forbidden(PAUSED)
    asked, revealed = _question(w, session, found, step)
    if revealed and asked.step.sharing in exercises.ANONYMOUS:
        raise Closed(SHOWN)
    if revealed and share and found.muted_until is not None and found.muted_until > w.now:
        raise Muted(READING)  # everybody would read it at once, as they would a message
    kept = exercises.keep(w, found, asked, value, share=share, few_ok=few_ok, session_id=session.id)
    stage.tell(w, session, found)
    return kept


def _question(w: Work, session: GroupSession, found: rooms.Place, step: str) -> tuple[exercises.Question, bool]:
    """The step as the run-sheet has it, and whether its answers were shown. A step of the chapter that is not on the
    run-sheet can be answered too."""
    chapter = runsheet.chapter_of(session, found)
    for line in runsheet.lines(w, session, found):
        if line.step.id == step:
            return exercises.Question(chapter.key, chapter.version, line.step), line.revealed
    return exercises.Question(chapter.key, chapter.version, chapter.step(step)), False
