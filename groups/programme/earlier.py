"""What somebody wrote before: every answer of their own with the question it was given to; and taking one away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app.core.errors import Closed, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.models import Answer, Group, GroupSession, Membership, SessionStep, Share, StepQuestion
from groups.programme import exercises, questions, shared, values
from groups.programme.curriculum import Programme, programme
from groups.programme.steps import Step
from moderation import queue
from moderation.models import Flag

RUNNING = N_("De bijeenkomst loopt nog. Daarna kun je dit weghalen; er is niets veranderd.")
LOOKED_AT = N_(
    "Wat je hiervan deelde, ging over gevaar. Een begeleider kijkt daar nog naar; daarna kun je dit weghalen. "
    "Er is niets veranderd."
)
COUNTED = N_(
    "Dit telt zonder naam mee met de anderen. Los weghalen zou laten zien wat van jou was; er is niets veranderd."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answered at a step at home. `asked` is the question as it was, where it says something else now;
    without `fits` that question had another shape, and only `lines` and `hours` tell what was answered. `mark` tells it
    from what another screen wrote since."""

    ref: str
    mark: str
    at: datetime
    text: str
    chosen: Sequence[int]
    boxes: Mapping[str, str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[str]
    asked: Step | None = None
    fits: bool = True


@dataclass(frozen=True, slots=True)
class Earlier:
    """One answer as its author finds it back. `asked` is the question it was given to, None where nobody kept it.

    `hours` are those of a week. `now` is the step as it is, where it says something else now; `gone`: there is none any
    more. `own` is a facilitator's own question. What was counted without a name is not `removable`.
    """

    ref: str
    chapter: str
    step: str
    asked: Step | None
    lines: Sequence[str]
    hours: Sequence[int]
    at: datetime
    in_session: bool
    sharing: str
    now: Step | None
    gone: bool
    own: bool
    here: bool

    @property
    def removable(self) -> bool:
        return self.sharing not in exercises.ANONYMOUS


@dataclass(frozen=True, slots=True)
class Part:
    """The answers in one chapter, oldest first. `title` is empty for a chapter that is not there any more."""

    title: str
    answers: Sequence[Earlier]


def at(w: Work, found: rooms.Place, chapter: str, step: Step) -> Given | None:
    """What the actor answered at a step (in the reader's language) at home, if they did. Three queries at most."""
    row = w.db.scalar(
        select(Answer).where(
            Answer.membership_id == found.membership_id,
            Answer.session_id == 0,
            Answer.programme == found.programme,
            Answer.chapter == chapter,
            Answer.step == step.id,
        )
    )
    if row is None:
        return None
    value = exercises.value_of(w, row)
    known = questions.asked(w, [row.question_id]).get(row.question_id or 0)
    asked = known[1] if known and _differs(_course(row.programme, known[0].language), known[0]) else None
    fits = asked is None or _shape(asked) == _shape(step)
    told = step if asked is None else asked
    return Given(
        ref=_ref(w, row.id),
        mark=exercises.mark(w, value),
        at=row.updated_at,
        text=value if fits and not values.is_made_of_parts(step) else "",
        chosen=values.chosen(step, value) if fits else values.chosen(told, value) if told.kind == "week" else (),
        boxes=values.boxes(step, value) if fits else {},
        rows=values.rows(step, value) if fits else [],
        lines=values.lines(told, value),
        asked=asked,
        fits=fits,
    )


def everything(w: Work) -> list[Part]:
    """Every answer of the actor, at home and in sessions, in whatever group: by chapter, in the programme's order.

    Three queries, and one for keys.
    """
    rows = w.db.execute(
        select(Answer, Group.language, Group.programme, Membership.left_at)
        .join(Membership, Membership.id == Answer.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.person_id == w.who.person_id)
        .order_by(Answer.updated_at, Answer.id)
    ).all()
    asked = questions.asked(w, (row.Answer.question_id for row in rows))
    own = _own_questions(w, {row.Answer.session_id for row in rows if row.Answer.session_id})
    opened = exercises.values_of(w, [row.Answer for row in rows])
    parts: dict[tuple[str, str], list[Earlier]] = {}
    for row, value in zip(rows, opened, strict=True):
        here = row.left_at is None and row.programme == row.Answer.programme and not row.Answer.session_id
        known = asked.get(row.Answer.question_id or 0)
        free = own.get((row.Answer.session_id, row.Answer.step))
        one = _earlier(w, row.Answer, value, row.language, known, free, here)
        parts.setdefault((row.Answer.programme, row.Answer.chapter), []).append(one)
    return _in_order(w, parts)


def find(w: Work, ref: str) -> Earlier:
    """One answer of the actor. Raises `NotFound`. Queries as `everything`."""
    for part in everything(w):
        for one in part.answers:
            if one.ref == ref:
                return one
    raise NotFound


def kept_of(w: Work, membership_id: int, language: str) -> list[dict[str, Any]]:
    """A member's answers as they take them along, oldest first, each with the question as the programme asked it; what
    a facilitator asked in their own words is not theirs to take. The caller knows whose they are. Two queries, and one
    for keys."""
    rows = w.db.scalars(
        select(Answer).where(Answer.membership_id == membership_id).order_by(Answer.updated_at, Answer.id)
    ).all()
    asked = questions.asked(w, (row.question_id for row in rows))
    told = []
    for row, value in zip(rows, exercises.values_of(w, rows), strict=True):
        known = asked.get(row.question_id or 0)
        course = _course(row.programme, known[0].language if known else language)
        chapter = next((c.title for c in course.chapters if c.key == row.chapter), "") if course else ""
        current = course.find(row.chapter, row.step) if course else None
        step = known[1] if known else current
        about = {
            "chapter": chapter or row.chapter,
            "step": step.title if step else row.step,
            "on": row.updated_at.date().isoformat(),
            "sharing": row.sharing,
            "status": row.status,
            "shown_where_few_answered": row.few_ok,
        }
        if step and step.prompt:
            about["question"] = step.prompt
        told.append(about | _as_data(step, value))
    return told


def remove(w: Work, ref: str) -> None:
    """Take an answer of one's own away, with everything that was shared of it. That the step was done stays.

    Deletes the answer and its shares, closes open cases about them. Raises `NotFound`, and `Closed` for what is counted
    without a name, while its session runs, and while somebody still has to look after who wrote it: a case about danger
    would not say any more who that is.
    """
    own = select(Membership.id).where(Membership.person_id == w.who.person_id)
    ids = w.db.scalars(select(Answer.id).where(Answer.membership_id.in_(own)))
    wanted = [number for number in ids if _ref(w, number) == ref]
    row = w.db.scalar(select(Answer).where(Answer.id.in_(wanted)).with_for_update())
    if row is None:
        raise NotFound
    if row.sharing in exercises.ANONYMOUS:
        raise Closed(COUNTED)
    if row.session_id:
        session = w.db.get(GroupSession, row.session_id)
        if session is not None and session.status == "open":
            raise Closed(RUNNING)
    shares = list(w.db.scalars(select(Share.id).where(Share.answer_id == row.id)))
    if queue.is_red(w, shared.KIND, shares) or queue.is_red(w, "answer", [row.id]):
        raise Closed(LOOKED_AT)
    queue.withdraw_all(w, shared.KIND, shares, removed=True)
    shared.remove(w, shares)
    queue.withdraw_all(w, "answer", [row.id], removed=True)
    w.db.execute(delete(Flag).where(Flag.subject_kind == "answer", Flag.subject_id == row.id))
    w.db.delete(row)
    w.db.flush()


def _earlier(
    w: Work,
    row: Answer,
    value: str,
    language: str,
    known: tuple[StepQuestion, Step] | None,
    free: Step | None,
    here: bool,
) -> Earlier:
    spoken = known[0].language if known else language
    course = _course(row.programme, spoken)
    current = course.find(row.chapter, row.step) if course else None
    asked = free or (known[1] if known else current)
    differs = known is not None and current is not None and _differs(course, known[0])
    shown = _course(row.programme, w.who.language)
    return Earlier(
        ref=_ref(w, row.id),
        chapter=row.chapter,
        step=row.step,
        asked=asked,
        lines=values.lines(asked, value) if asked else _plainly(value),
        hours=values.chosen(asked, value) if asked and asked.kind == "week" else (),
        at=row.updated_at,
        in_session=bool(row.session_id),
        sharing=row.sharing,
        now=shown.find(row.chapter, row.step) if shown and differs else None,
        gone=current is None and free is None,
        own=free is not None,
        here=here and current is not None and current.at_home,
    )


def _in_order(w: Work, parts: Mapping[tuple[str, str], list[Earlier]]) -> list[Part]:
    """Chapters in their programme's order; those that are not there any more come last."""

    def place(key: tuple[str, str]) -> tuple[str, int]:
        course = _course(key[0], w.who.language)
        keys = [chapter.key for chapter in course.chapters] if course else []
        return (key[0], keys.index(key[1]) if key[1] in keys else len(keys))

    def title(key: tuple[str, str]) -> str:
        course = _course(key[0], w.who.language)
        return next((c.title for c in course.chapters if c.key == key[1]), "") if course else ""

    return [Part(title(key), parts[key]) for key in sorted(parts, key=lambda key: (not title(key), place(key)))]


def _own_questions(w: Work, sessions: Iterable[int]) -> dict[tuple[int, str], Step]:
    """The questions that facilitators wrote themselves in these sessions, by session and step. One query."""
    rows = list(
        w.db.scalars(select(SessionStep).where(SessionStep.session_id.in_(set(sessions)), SessionStep.kind != ""))
    )
    said = w.ring.open_all(SessionStep.words, [(row.public_id, row.words) for row in rows])
    return {(row.session_id, row.step): questions.of_line(row, words) for row, words in zip(rows, said, strict=True)}


def _as_data(step: Step | None, value: str) -> dict[str, Any]:
    """An answer for a file: its text, or what it is made of in words; the hours of a week as numbers from Monday."""
    if step is None:
        told = _plainly(value)
        return {"text": told[0]} if told == [value] else {"chosen": told}
    if step.kind == "week":
        return {"hours_of_the_week": [4 * n for n in values.chosen(step, value)]}
    if step.options:
        return {"chosen": values.lines(step, value)}
    return {"lines": values.lines(step, value)} if values.is_made_of_parts(step) else {"text": value}


def _plainly(value: str) -> list[str]:
    """An answer whose question nobody kept: the text as it is, of what was chosen only the numbers."""
    try:
        kept = json.loads(value)
    except ValueError:
        return [value]
    if isinstance(kept, dict):
        return [str(text) for text in kept.values()]
    if isinstance(kept, list):
        return [" · ".join(map(str, row)) if isinstance(row, list) else str(row) for row in kept]
    return [value]


def _differs(course: Programme | None, was: StepQuestion) -> bool:
    """Does the step say something else now than it did?"""
    current = course.find(was.chapter, was.step) if course else None
    return current is not None and questions.digest(current) != was.digest


def _shape(step: Step) -> tuple[object, ...]:
    """What an answer must fit in: of words, how many boxes of which name; of choices, how many there are."""
    fields = tuple(field.id for field in step.fields)
    return (
        step.kind in ("week", "list-builder") and step.kind,
        len(step.options),
        step.many,
        fields,
        len(step.columns),
    )


def _course(slug: str, language: str) -> Programme | None:
    try:
        return programme(slug, language)
    except NotFound:
        return None


def _ref(w: Work, answer_id: int) -> str:
    """What names an answer in an address: it says nothing about which it is, and nobody can make one up."""
    return w.digest(f"answer {answer_id}")[:16]
