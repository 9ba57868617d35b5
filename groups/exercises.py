"""Answers at the steps of a chapter: private, shared under the alias, or counted without one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core import ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups import rooms, rules
from groups.curriculum import Chapter, Step, programme
from groups.models import Answer, Membership, Room, answer_row
from moderation import queue
from moderation.screening import screen

LIMIT = 2_000  # characters of a written answer


@dataclass(frozen=True, slots=True)
class Own:
    """One's own answer at a step."""

    step: str
    text: str
    chosen: tuple[int, ...]
    sharing: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an answer: posted, held for review, or masked before sharing."""

    status: str
    masked: bool
    crisis: bool


def answer(
    w: Work,
    found: rooms.Place,
    chapter_key: str,
    step_id: str,
    value: Any,
    *,
    share: bool = False,
    session_id: int = 0,
    revealed: bool = False,
) -> Kept:
    """Keep an answer; a second one replaces the first. For members, in a session or at home.

    `value` is text, or a list of option numbers. What is shared is screened before anybody sees it: contact
    details are masked, what must be looked at is held and opens a case. A private answer is read by nobody; its
    author is shown help when it speaks of danger. Raises `Invalid`, `NotFound`, `TooLarge`.
    """
    chapter = programme(found.programme, found.language).chapter(chapter_key)
    step = chapter.step(step_id)
    if not step.answered:
        raise NotFound
    if revealed and step.sharing == "counted":
        raise Closed(N_("De aantallen zijn al getoond. Een antwoord erbij zou laten zien wat jij koos."))
    stored = _value(step, value)
    sharing = _sharing(step, share)
    verdict = None if step.options else screen(stored, lang=found.language, where="group")
    held = sharing == "shared" and verdict is not None and verdict.action == "hold"
    masked = sharing == "shared" and verdict is not None and verdict.action == "mask"
    row = _own_row(w, found, chapter, step, session_id)
    if row.id is not None:
        queue.withdraw(w, "answer", row.id)  # what was read there is not what stands here now
    row.value = sealed(w, w.who.person_id, row, verdict.text if verdict and masked else stored)
    row.sharing, row.step_version, row.updated_at = sharing, chapter.version, w.now
    row.status = "held" if held else "posted"
    _save(w, row)
    if verdict and sharing == "shared" and (held or verdict.alert):
        organisation = w.who.organisation_id
        kinds = [r.kind for r in verdict.reasons]
        level = queue.level_of(verdict.reasons, verdict.alert)
        ref = queue.open_case(w, organisation, found.group_id, "answer", row.id, kinds, level, held=held)
        if verdict.alert:
            rooms.alert_staff(w, found.group_id, ref)
    crisis = bool(verdict and any(r.kind == "crisis_self" for r in verdict.reasons))
    return Kept(row.status, masked, crisis)


def own(w: Work, found: rooms.Place, chapter: str, session_id: int | None = None) -> dict[str, Own]:
    """One's own answers in a chapter, by step; those of a session first if one is named. One query."""
    query = select(Answer).where(
        Answer.membership_id == found.membership_id,
        Answer.programme == found.programme,
        Answer.chapter == chapter,
    )
    if session_id is not None:
        query = query.where(Answer.session_id == session_id)
    steps = {step.id: step for step in programme(found.programme, found.language).chapter(chapter).steps}
    rows = [row for row in w.db.scalars(query.order_by(Answer.updated_at)) if row.step in steps]
    return {row.step: _own(row, value, steps[row.step]) for row, value in zip(rows, _values(w, rows), strict=True)}


def shared(w: Work, session_id: int, step_id: str) -> list[tuple[str, str]]:
    """The answers shared at a step of a session, as (alias, text), oldest first. One query."""
    rows = w.db.execute(
        select(Membership.alias, Answer)
        .join(Membership, Membership.id == Answer.membership_id)
        .where(
            Answer.session_id == session_id,
            Answer.step == step_id,
            Answer.sharing == "shared",
            Answer.status == "posted",
        )
        .order_by(Answer.updated_at, Answer.id)
    ).all()
    texts = _values(w, [row.Answer for row in rows])
    return [(row.alias, text) for row, text in zip(rows, texts, strict=True)]


def given(w: Work, session_id: int, step_id: str) -> int:
    """How many answered a step of a session."""
    return w.db.scalar(select(func.count()).where(Answer.session_id == session_id, Answer.step == step_id)) or 0


def answered_by(w: Work, session_id: int, step_id: str) -> frozenset[int]:
    """The memberships that answered a step: that they did, never what."""
    query = select(Answer.membership_id).where(Answer.session_id == session_id, Answer.step == step_id)
    return frozenset(w.db.scalars(query))


def summary(w: Work, session_id: int, step: Step, revealed: bool) -> dict[str, Any]:
    """What a room may see of the answers at a step: how many, what is shared, and a tally once revealed."""
    if not step.answered:
        return {"given": 0, "shared": [], "tally": None}
    texts = [] if step.options else shared(w, session_id, step.id)
    return {
        "given": given(w, session_id, step.id),
        "shared": [{"alias": alias, "text": text} for alias, text in texts],
        "tally": tally(w, session_id, step) if revealed and step.sharing == "counted" else None,
    }


def tally(w: Work, session_id: int, step: Step) -> list[dict[str, Any]] | None:
    """How often each option was chosen, or None while a number could point at somebody."""
    rows = w.db.scalars(select(Answer).where(Answer.session_id == session_id, Answer.step == step.id)).all()
    if not rules.may_count(len(rows)):
        return None
    counts = Counter(n for value in _values(w, rows) for n in json.loads(value))
    return [{"text": text, "count": counts[n]} for n, text in enumerate(step.options)]


def for_review(w: Work, answer_id: int) -> Any:
    """A shared answer with its author's alias and room, for the review queue. Raises `NotFound`."""
    row = w.db.execute(
        select(Answer, Membership.alias, Membership.person_id, Room.public_id.label("room"))
        .join(Membership, Membership.id == Answer.membership_id)
        .join(Room, (Room.group_id == Membership.group_id) & (Room.kind == "group"))
        .where(Answer.id == answer_id)
    ).first()
    if row is None:
        raise NotFound
    return row


def value_of(w: Work, row: Answer) -> str:
    """What an answer says. The caller has checked that the actor may read it."""
    return _values(w, [row])[0]


def sealed(w: Work, person_id: int, row: Answer, value: str) -> bytes:
    """A new value for an answer, sealed by its author's key for its own row."""
    return w.ring.seal(person_id, Answer.value, _name(row), value)


def _values(w: Work, rows: Sequence[Answer]) -> list[str]:
    return w.ring.open_all(Answer.value, [(_name(row), row.value) for row in rows])


def _name(row: Answer) -> str:
    return answer_row(row.membership_id, row.session_id, row.chapter, row.step)


def _value(step: Step, value: Any) -> str:
    if not step.options:
        return plain(value, limit=LIMIT)
    chosen = value if isinstance(value, list) else [value]
    numbers = {ids.number(str(v), 0, len(step.options) - 1) for v in chosen if not isinstance(v, bool)}
    fits = len(numbers) == len(chosen)
    if not fits or (step.kind == "poll" and len(numbers) != 1):
        raise Invalid(N_("Kies één van de antwoorden. Er is nog niets verstuurd."))
    return json.dumps(sorted(numbers))


def _save(w: Work, row: Answer) -> None:
    """Write an answer. The same first answer from two screens at once: the second is asked to try again."""
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:
        raise Closed(N_("Dit stond op een ander scherm ook open. Ververs; alles is bewaard.")) from None


def _sharing(step: Step, share: bool) -> str:
    if step.sharing == "shared":
        return "shared" if share else "private"
    return step.sharing


def _own_row(w: Work, found: rooms.Place, chapter: Chapter, step: Step, session_id: int) -> Answer:
    row = w.db.scalar(
        select(Answer).where(
            Answer.membership_id == found.membership_id,
            Answer.session_id == session_id,
            Answer.programme == found.programme,
            Answer.chapter == chapter.key,
            Answer.step == step.id,
        )
    )
    return row or Answer(
        membership_id=found.membership_id,
        session_id=session_id,
        programme=found.programme,
        chapter=chapter.key,
        step=step.id,
    )


def _own(row: Answer, value: str, step: Step) -> Own:
    if step.options:
        return Own(row.step, "", tuple(json.loads(value)), row.sharing)
    return Own(row.step, value, (), row.sharing)
