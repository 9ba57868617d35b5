"""The run-sheet of a session: phases with minutes, each bound to a step of the chapter or to words of one's own.

Every change names the version of the session it was made from (`groups.agenda.steering`). While a session runs, the
line everybody is at and what came before it stay as they are; `GroupSession.position` keeps pointing at that line. Who
changes the run-sheet of a running session tells the screens afterwards (`stage.tell`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import case, func, select, update

from app.core import ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.models import Answer, GroupSession, SessionStep
from groups.programme import questions
from groups.programme.curriculum import programme
from groups.programme.steps import PHASES, SHARING, Chapter, Step
from moderation.screening import screen

FREE_KINDS = ("text", "question", "poll", "scale", "round", "timer")
WRITTEN, CHOSEN = ("question",), ("poll", "scale")  # of the kinds above: those that are answered

MOST_LINES = 30
LONGEST = 120  # minutes of one line
LONGEST_TITLE, LONGEST_PROMPT, LONGEST_OPTION = 80, 600, 80
FEWEST_OPTIONS, MOST_OPTIONS = 2, 8

MOVED_ON = N_("Jullie zijn hier al, of al verder. Er is niets veranderd; wat nog komt, kun je aanpassen.")
TELLING = N_("Hier staat iets in waarmee iemand te vinden is, of wat kan kwetsen. Zeg het anders; er is niets weg.")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run-sheet. `free` is a line with words of the facilitator's own; `ref` names it in addresses."""

    ref: str
    line_id: int
    position: int
    phase: str
    step: Step
    minutes: int
    revealed: bool
    free: bool


@dataclass(frozen=True, slots=True)
class Words:
    """A free line as a facilitator writes it. `sharing` counts for a question only, `options` for a poll or scale."""

    phase: str
    kind: str
    sharing: str
    title: str
    prompt: str
    options: tuple[str, ...]
    minutes: int


def chapter_of(session: GroupSession, found: rooms.Place) -> Chapter:
    """The chapter a session follows; without one, the open session's."""
    return programme(found.programme, found.language).chapter(session.chapter)


def lines(w: Work, session: GroupSession, found: rooms.Place) -> list[Line]:
    """The run-sheet with its steps, in order. Two queries at most."""
    rows = _rows(w, session)
    chapter = chapter_of(session, found)
    opened = w.ring.open_all(SessionStep.words, [(row.public_id, row.words) for row in rows])
    return [_line(row, chapter, said) for row, said in zip(rows, opened, strict=True)]


def total(sheet: Sequence[Line]) -> int:
    """How many minutes a run-sheet takes."""
    return sum(line.minutes for line in sheet)


def start(w: Work, session: GroupSession, found: rooms.Place, chapter: str) -> None:
    """Give a session its first run-sheet: the chapter's, or 15, 60 and 15 minutes of an open session for no chapter.

    The caller has just made the session, or emptied its run-sheet. Raises `NotFound` for no such chapter.
    """
    steps = programme(found.programme, found.language).chapter(chapter).run_sheet
    w.db.add_all(
        SessionStep(
            public_id=ids.public_id(),
            session_id=session.id,
            position=n,
            phase=phase_of(step, n, len(steps)),
            step=step.id,
            minutes=step.minutes,
        )
        for n, step in enumerate(steps)
    )


def phase_of(step: Step, position: int, count: int) -> str:
    """The phase a chapter's step belongs to: as it says, or from what it is and where it stands."""
    if step.phase:
        return step.phase
    if step.id in PHASES:
        return step.id
    if step.kind == "timer":
        return "break"
    if step.kind == "round":
        return "closing" if position == count - 1 and position else "check-in"
    return "exercise" if step.answered else "theme"


def add(w: Work, session_ref: str, version: int, position: int, words: Words) -> str:
    """Put a free line at a place of the run-sheet; returns its ref. For facilitators of the group.

    Writes the line, its words sealed by the actor's key. Raises `Closed` when the session moved meanwhile or is over,
    `Invalid`, `NotFound`, `Forbidden`.
    """
    session, found = _editable(w, session_ref)
    said = _check(words, found)
    row = _insert(w, session, version, position, said.phase, said.minutes)
    row.step = f"own-{row.public_id}"
    _write(w, row, said)
    return row.public_id


def bind(w: Work, session_ref: str, version: int, position: int, chapter_step: str, minutes: int, phase: str) -> str:
    """Put a step of the session's chapter at a place of the run-sheet; returns the line's ref. A step comes once.

    Raises as `add`, and `NotFound` for a step that the chapter has not.
    """
    session, found = _editable(w, session_ref)
    step = chapter_of(session, found).step(chapter_step)
    _check_frame(phase, minutes)
    if any(row.step == step.id for row in _rows(w, session)):
        raise Invalid(N_("Deze stap staat al in het draaiboek. Er is niets veranderd."))
    row = _insert(w, session, version, position, phase, minutes)
    row.step = step.id
    w.db.flush()
    return row.public_id


def change(
    w: Work,
    session_ref: str,
    version: int,
    line_ref: str,
    *,
    minutes: int | None = None,
    phase: str | None = None,
    words: Words | None = None,
) -> None:
    """Change a line: its minutes, its phase, or all of a line that is free or belongs to an open session.

    The words of a chapter are the programme's and stay. Once somebody answered, the question stays too. Raises as
    `add`.
    """
    session, found = _editable(w, session_ref)
    row = _coming(w, session, line_ref)
    if words is not None:
        said = _check(words, found)
        if not row.kind and session.chapter:
            raise Invalid(N_("Dit is een stap uit het hoofdstuk: alleen de minuten en de fase kun je veranderen."))
        _check_unanswered(w, session, row)
        steering.change(w, session, version)
        _write(w, row, said)
        return
    minutes = row.minutes if minutes is None else minutes
    phase = row.phase if phase is None else phase
    _check_frame(phase, minutes)
    steering.change(w, session, version)
    row.minutes, row.phase = minutes, phase
    w.db.flush()


def move(w: Work, session_ref: str, version: int, line_ref: str, position: int) -> None:
    """Put a line somewhere else. Raises as `add`; what is behind everybody cannot be moved, or moved into."""
    session, _found = _editable(w, session_ref)
    row = _coming(w, session, line_ref)
    order = [other.id for other in _rows(w, session) if other.id != row.id]
    order.insert(_place(session, position, len(order)), row.id)
    steering.change(w, session, version)
    _renumber(w, session, order)


def remove(w: Work, session_ref: str, version: int, line_ref: str) -> None:
    """Take a line out. A line that somebody answered stays, and so does the last one. Raises as `add`."""
    session, _found = _editable(w, session_ref)
    row = _coming(w, session, line_ref)
    order = [other.id for other in _rows(w, session) if other.id != row.id]
    if not order:
        raise Invalid(N_("Een bijeenkomst heeft ten minste één stap. Er is niets veranderd."))
    _check_unanswered(w, session, row)
    steering.change(w, session, version)
    w.db.delete(row)
    w.db.flush()
    _renumber(w, session, order)


def _rows(w: Work, session: GroupSession) -> list[SessionStep]:
    query = select(SessionStep).where(SessionStep.session_id == session.id).order_by(SessionStep.position)
    return list(w.db.scalars(query))


def _line(row: SessionStep, chapter: Chapter, said: str) -> Line:
    step = questions.of_line(row, said) if row.kind else chapter.step(row.step)
    if row.sharing == "private" and step.answered:  # what was shown may be shown no more (`groups.erasure`)
        step = replace(step, sharing="private")
    return Line(
        ref=row.public_id,
        line_id=row.id,
        position=row.position,
        phase=row.phase,
        step=step,
        minutes=row.minutes,
        revealed=row.revealed_at is not None,
        free=bool(row.kind),
    )


def _editable(w: Work, session_ref: str) -> tuple[GroupSession, rooms.Place]:
    session, found = steering.lead(w, session_ref)
    if session.status not in ("planned", "open"):
        raise Closed(N_("Deze bijeenkomst is voorbij. Het draaiboek blijft zoals het was."))
    return session, found


def _coming(w: Work, session: GroupSession, line_ref: str) -> SessionStep:
    """A line that still lies ahead. Raises `NotFound`, or `Closed` for where everybody is or was."""
    query = select(SessionStep).where(SessionStep.session_id == session.id, SessionStep.public_id == line_ref)
    row = w.db.scalar(query) if ids.is_ref(line_ref) else None
    if row is None:
        raise NotFound
    if row.position < _first_free(session):
        raise Closed(MOVED_ON)
    return row


def _first_free(session: GroupSession) -> int:
    """The first position that may still change."""
    return session.position + 1 if session.status == "open" else 0


def _place(session: GroupSession, position: int, last: int) -> int:
    if not 0 <= position <= MOST_LINES:
        raise Invalid
    if position < _first_free(session):
        raise Closed(MOVED_ON)
    return min(position, last)


def _insert(w: Work, session: GroupSession, version: int, position: int, phase: str, minutes: int) -> SessionStep:
    """Make room at a position, and give back the new row that stands there. Its `step` is for the caller to fill in."""
    order = [row.id for row in _rows(w, session)]
    if len(order) >= MOST_LINES:
        raise Invalid(N_("Een draaiboek heeft ten hoogste dertig stappen. Er is niets veranderd."))
    place = _place(session, position, len(order))
    steering.change(w, session, version)
    ref = ids.public_id()
    row = SessionStep(
        public_id=ref, session_id=session.id, position=len(order), phase=phase, step=f"own-{ref}", minutes=minutes
    )
    w.db.add(row)
    w.db.flush()
    order.insert(place, row.id)
    _renumber(w, session, order)
    return row


def _renumber(w: Work, session: GroupSession, order: Sequence[int]) -> None:
    """Give the lines their positions. First all out of the way: no two may stand at one position, even for a moment."""
    here = SessionStep.session_id == session.id
    quietly = {"synchronize_session": False}
    w.db.execute(update(SessionStep).where(here).values(position=-1 - SessionStep.position), execution_options=quietly)
    places = case({line: n for n, line in enumerate(order)}, value=SessionStep.id)
    w.db.execute(update(SessionStep).where(here).values(position=places), execution_options=quietly)
    for row in _rows(w, session):
        w.db.refresh(row)


def _write(w: Work, row: SessionStep, said: Words) -> None:
    text = json.dumps({"title": said.title, "prompt": said.prompt, "options": said.options}, ensure_ascii=False)
    row.phase, row.kind, row.sharing, row.minutes = said.phase, said.kind, said.sharing, said.minutes
    row.author_id = w.who.person_id
    row.words = w.ring.seal(w.who.person_id, SessionStep.words, row.public_id, text)
    w.db.flush()


def _check(words: Words, found: rooms.Place) -> Words:
    """The words as they are stored. Raises `Invalid` or `TooLarge` for what cannot be."""
    _check_frame(words.phase, words.minutes)
    if words.kind not in FREE_KINDS:
        raise Invalid
    title = " ".join(plain(words.title, limit=LONGEST_TITLE).split())
    prompt = plain(words.prompt, limit=LONGEST_PROMPT) if words.prompt.strip() else ""
    options = _options(words)
    for text in (title, prompt, *options):
        if text and screen(text, lang=found.language).action != "allow":
            raise Invalid(TELLING)
    return Words(words.phase, words.kind, _sharing(words), title, prompt, options, words.minutes)


def _check_frame(phase: str, minutes: int) -> None:
    if phase not in PHASES:
        raise Invalid
    if not 1 <= minutes <= LONGEST:
        raise Invalid(N_("Een stap duurt 1 tot 120 minuten. Er is niets veranderd."))


def _options(words: Words) -> tuple[str, ...]:
    if words.kind not in CHOSEN:
        return ()
    typed = [" ".join(plain(option, limit=LONGEST_OPTION).split()) for option in words.options if option.strip()]
    if words.kind == "scale" and not typed:
        return tuple(str(n) for n in range(11))
    if not FEWEST_OPTIONS <= len(typed) <= max(MOST_OPTIONS, 11 if words.kind == "scale" else 0):
        raise Invalid(N_("Zet twee tot acht keuzes onder elkaar, elk op een regel. Er is niets veranderd."))
    if len(set(typed)) < len(typed):
        raise Invalid(N_("Twee keuzes zijn hetzelfde. Maak er één anders; er is niets veranderd."))
    return tuple(typed)


def _sharing(words: Words) -> str:
    if words.kind in CHOSEN:
        return "counted"
    if words.kind not in WRITTEN:
        return "private"
    if words.sharing not in SHARING or words.sharing == "counted":
        raise Invalid
    return words.sharing


def _check_unanswered(w: Work, session: GroupSession, row: SessionStep) -> None:
    query = select(func.count()).where(Answer.session_id == session.id, Answer.step == row.step)
    if w.db.scalar(query):
        raise Closed(N_("Hier is al op geantwoord. De vraag blijft staan; minuten en fase kun je veranderen."))
