"""Answers at the steps of a chapter or of a session: private, shared under the alias, or among all without one.

What is *pooled* (texts) or *counted* (choices) is shown to nobody, facilitators included, before a facilitator reveals
it, and never while it could point at somebody (`rules.may_count`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms, rules
from groups.models import Answer, Membership, Room, SessionStep, answer_row
from groups.programme import questions, values
from groups.programme.curriculum import programme
from groups.programme.steps import Step
from moderation import queue
from moderation.screening import screen

READ = ("shared", "pooled")  # texts that others will read
ANONYMOUS = ("pooled", "counted")  # what is shown without a name, and so only where there is enough of it

NEWER = N_(
    "Op een ander scherm schreef je hier intussen iets anders. Dat staat er nog, en wat je hier typte ook. "
    "Druk op de knop als dit ervoor in de plaats mag."
)


@dataclass(frozen=True, slots=True)
class Own:
    """One's own answer at a step: `text` where it was written in one box, `chosen` options or hours, `boxes` of a
    reflection by their names, `rows` of a list; `lines` is all of it in words."""

    step: str
    text: str
    chosen: tuple[int, ...]
    sharing: str
    few_ok: bool
    boxes: Mapping[str, str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Question:
    """What is answered: a step of a chapter or of a run-sheet, with the version of the chapter it stands in."""

    chapter: str
    version: int
    step: Step


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an answer: posted, held for review, or masked before sharing."""

    status: str
    masked: bool
    crisis: bool


def question(found: rooms.Place, chapter_key: str, step_id: str) -> Question:
    """A step of a chapter of the group's programme. Raises `NotFound`."""
    chapter = programme(found.programme, found.language).chapter(chapter_key)
    return Question(chapter.key, chapter.version, chapter.step(step_id))


def answer(
    w: Work,
    found: rooms.Place,
    chapter_key: str,
    step_id: str,
    value: Any,
    *,
    share: bool = False,
    few_ok: bool = False,
    session_id: int = 0,
    over: str | None = None,
) -> Kept:
    """Keep an answer at a step of a chapter, as `keep` does. For members, at home."""
    asked = question(found, chapter_key, step_id)
    return keep(w, found, asked, value, share=share, few_ok=few_ok, session_id=session_id, over=over)


def keep(
    w: Work,
    found: rooms.Place,
    asked: Question,
    value: Any,
    *,
    share: bool = False,
    few_ok: bool = False,
    session_id: int = 0,
    over: str | None = None,
) -> Kept:
    """Keep an answer; a second one replaces the first. For members; the caller knows that it may still be given.

    `value` is text, or a list of option numbers. With `few_ok` what is pooled or counted may be shown where only three
    or four answered. `over` is the `mark` of what the writer saw there, empty for nothing: something else there stays.
    What others will read is screened first: contact details are masked, what must be looked at is held and opens a
    case. A private answer is read by nobody; its author is shown help when it speaks of danger.
    Raises `Closed` (`NEWER`), `Invalid`, `NotFound`, `TooLarge`.
    """
    step = asked.step
    if not step.answered:
        raise NotFound
    stored = values.clean(step, value)
    sharing = _sharing(step, share) if session_id else "private"
    said = values.as_text(step, stored)
    verdict = None if values.is_chosen(step) else screen(said, lang=found.language, where="group")
    read = sharing in READ
    held = read and verdict is not None and verdict.action == "hold"
    masked = read and verdict is not None and verdict.action == "mask"
    crisis = bool(verdict and any(r.kind == "crisis_self" for r in verdict.reasons))
    row = _own_row(w, found, asked, session_id)
    stored = verdict.text if verdict and masked else stored
    few_ok = few_ok and sharing in ANONYMOUS
    if row.id is not None:
        before = value_of(w, row)
        same = (row.sharing, row.few_ok, row.step_version) == (sharing, few_ok, asked.version)
        if same and row.status == ("held" if held else "posted") and before == stored:
            return Kept(row.status, masked, crisis)  # sent again: who must look was asked the first time
        if over is not None and before != stored and over != mark(w, before):
            raise Closed(NEWER)
        if row.sharing != "private":  # what was private is in no case
            queue.withdraw(w, "answer", row.id)  # what was read there is not what stands here now
    row.value = sealed(w, w.who.person_id, row, stored)
    row.question_id = _question_id(w, found, asked)
    row.sharing, row.step_version, row.updated_at, row.few_ok = sharing, asked.version, w.now, few_ok
    row.status = "held" if held else "posted"
    _save(w, row)
    if verdict and read and (held or verdict.alert):
        organisation = w.who.organisation_id
        kinds = [r.kind for r in verdict.reasons]
        level = queue.level_of(verdict.reasons, verdict.alert)
        ref = queue.open_case(w, organisation, found.group_id, "answer", row.id, kinds, level, held=held)
        if verdict.alert:
            rooms.alert_staff(w, found.group_id, ref)
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
    return _owned(w, w.db.scalars(query.order_by(Answer.updated_at)), steps)


def own_in(w: Work, found: rooms.Place, session_id: int, steps: Iterable[Step]) -> dict[str, Own]:
    """One's own answers in a session, by step of its run-sheet. One query, and one for keys."""
    query = select(Answer).where(Answer.membership_id == found.membership_id, Answer.session_id == session_id)
    return _owned(w, w.db.scalars(query), {step.id: step for step in steps})


def at(w: Work, session_id: int, step_id: str) -> list[tuple[str, Answer]]:
    """Every answer at a step of a session with its author's alias, oldest first. For this package only: what may be
    shown of them is `summary`. One query."""
    rows = w.db.execute(
        select(Membership.alias, Answer)
        .join(Membership, Membership.id == Answer.membership_id)
        .where(Answer.session_id == session_id, Answer.step == step_id)
        .order_by(Answer.updated_at, Answer.id)
    )
    return [(row.alias, row.Answer) for row in rows]


def shared(w: Work, session_id: int, step_id: str) -> list[tuple[str, str]]:
    """The answers shared at a step of a session, as (alias, text), oldest first; the caller knows that they were
    revealed. One query, and one for keys."""
    return _shared(w, at(w, session_id, step_id))


def given(w: Work, session_id: int, step_id: str) -> int:
    """How many answered a step of a session."""
    return w.db.scalar(select(func.count()).where(Answer.session_id == session_id, Answer.step == step_id)) or 0


def missing(rows: Sequence[tuple[str, Answer]], step: Step) -> int:
    """How many answers are missing before what is pooled or counted may be shown; 0 when it may."""
    counted = [row for _alias, row in rows if row.sharing == step.sharing and row.status == "posted"]
    if rules.may_count(len(counted), all(row.few_ok for row in counted)):
        return 0
    return rules.ENOUGH - len(counted)


def summary(w: Work, rows: Sequence[tuple[str, Answer]], step: Step, revealed: bool) -> dict[str, Any]:
    """What a room may see of the answers at a step (`rows`, from `at`): before they are revealed only how many.

    `few` is how many are missing before what is pooled or counted may be shown.
    """
    seen: dict[str, Any] = {"given": 0, "revealed": revealed, "shared": [], "pooled": [], "tally": None, "few": 0}
    if not step.answered:
        return seen
    seen["given"] = len(rows)
    if step.sharing in ANONYMOUS:
        seen["few"] = missing(rows, step)
    if not revealed or seen["few"]:
        return seen
    if step.sharing == "shared":
        seen["shared"] = [{"alias": alias, "text": text} for alias, text in _shared(w, rows)]
    elif step.sharing == "pooled":
        seen["pooled"] = _pooled(w, rows)
    elif step.sharing == "counted":
        seen["tally"] = _tally(w, rows, step)
    return seen


def _shared(w: Work, rows: Sequence[tuple[str, Answer]]) -> list[tuple[str, str]]:
    mine = [(alias, row) for alias, row in rows if row.sharing == "shared" and row.status == "posted"]
    texts = values_of(w, [row for _alias, row in mine])
    return [(alias, text) for (alias, _row), text in zip(mine, texts, strict=True)]


def _pooled(w: Work, rows: Sequence[tuple[str, Answer]]) -> list[str]:
    """The texts in an order that stays, and that says nothing about who wrote when: by a hash of what they say."""
    mine = [row for _alias, row in rows if row.sharing == "pooled" and row.status == "posted"]
    return sorted(values_of(w, mine), key=lambda text: hashlib.sha256(text.encode()).digest())


def _tally(w: Work, rows: Sequence[tuple[str, Answer]], step: Step) -> list[dict[str, Any]]:
    mine = [row for _alias, row in rows if row.sharing == "counted" and row.status == "posted"]
    counts = Counter(n for value in values_of(w, mine) for n in json.loads(value))
    return [{"text": text, "count": counts[n]} for n, text in enumerate(step.options)]


def too_late(w: Work, row: Answer) -> bool:
    """Would this answer be added to texts without names that were shown already? One query at most."""
    if row.sharing != "pooled":
        return False
    shown = select(SessionStep.revealed_at).where(
        SessionStep.session_id == row.session_id, SessionStep.step == row.step
    )
    return w.db.scalar(shown) is not None


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
    return values_of(w, [row])[0]


def mark(w: Work, value: str) -> str:
    """What tells an answer from another one, on its author's own screens."""
    return w.digest(f"answer says {value}")[:16]


def sealed(w: Work, person_id: int, row: Answer, value: str) -> bytes:
    """A new value for an answer, sealed by its author's key for its own row."""
    return w.ring.seal(person_id, Answer.value, _name(row), value)


def values_of(w: Work, rows: Sequence[Answer]) -> list[str]:
    """What answers say, as `value_of`. One query for keys."""
    return w.ring.open_all(Answer.value, [(_name(row), row.value) for row in rows])


def _name(row: Answer) -> str:
    return answer_row(row.membership_id, row.session_id, row.chapter, row.step)


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


def _own_row(w: Work, found: rooms.Place, asked: Question, session_id: int) -> Answer:
    row = w.db.scalar(
        select(Answer).where(
            Answer.membership_id == found.membership_id,
            Answer.session_id == session_id,
            Answer.programme == found.programme,
            Answer.chapter == asked.chapter,
            Answer.step == asked.step.id,
        )
    )
    return row or Answer(
        membership_id=found.membership_id,
        session_id=session_id,
        programme=found.programme,
        chapter=asked.chapter,
        step=asked.step.id,
    )


def _owned(w: Work, rows: Iterable[Answer], steps: Mapping[str, Step]) -> dict[str, Own]:
    known = [row for row in rows if row.step in steps]
    return {row.step: _own(row, value, steps[row.step]) for row, value in zip(known, values_of(w, known), strict=True)}


def _own(row: Answer, value: str, step: Step) -> Own:
    return Own(
        step=row.step,
        text="" if values.is_made_of_parts(step) else value,
        chosen=values.chosen(step, value),
        sharing=row.sharing,
        few_ok=row.few_ok,
        boxes=values.boxes(step, value),
        rows=values.rows(step, value),
        lines=values.lines(step, value),
    )


def _question_id(w: Work, found: rooms.Place, asked: Question) -> int | None:
    """A facilitator's own question has its words on the run-sheet; one of the programme is kept as it is now."""
    if programme(found.programme, found.language).find(asked.chapter, asked.step.id) is None:
        return None
    return questions.keep(w, found.programme, asked.chapter, found.language, asked.step)
