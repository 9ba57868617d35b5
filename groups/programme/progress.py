"""How far a member is with the programme at home: which steps they did, and which one comes next.

A step that was done stays done, whatever happens later; one that disappeared from the programme counts nowhere. A
member's facilitators see how far they are, and never what they wrote.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core.errors import Forbidden, NotFound
from app.core.work import Work
from groups import rooms
from groups.models import Membership, StepDone
from groups.programme.curriculum import Programme, programme
from groups.programme.steps import Chapter, Step
from groups.rules import MEMBER

Place = tuple[Chapter, Step]


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a chapter somebody did, and how many minutes are left of it, as the steps' usual lengths have it."""

    done: int
    total: int
    minutes_left: int

    @property
    def state(self) -> str:
        """`new`, `begun` or `done`; a chapter with nothing to do at home is new."""
        return "new" if not self.done else "done" if self.done >= self.total else "begun"


def mark(w: Work, found: rooms.Place, chapter: str, step: str) -> None:
    """Note that a member did a step at home; again is the same as once. Raises `NotFound` for one not for at home."""
    if step not in {one.id for one in _programme(w, found).chapter(chapter).path}:
        raise NotFound
    of = {"membership_id": found.membership_id, "programme": found.programme, "chapter": chapter, "step": step}
    if w.db.scalar(select(StepDone.id).filter_by(**of)) is not None:
        return
    today = w.now.astimezone(ZoneInfo(w.who.timezone)).date()
    try:
        with w.db.begin_nested():
            w.db.add(StepDone(**of, done_on=today))
    except IntegrityError:
        pass  # done on another screen, just now


def of_chapter(w: Work, found: rooms.Place, chapter: str) -> frozenset[str]:
    """The steps of a chapter that a member did. One query."""
    return frozenset(step for of, step in _done(w, found) if of == chapter)


def of_programme(w: Work, found: rooms.Place) -> dict[str, Progress]:
    """How far a member is, chapter by chapter in the programme's order. One query."""
    done = frozenset(_done(w, found))
    return {chapter.key: _progress(chapter, done) for chapter in _programme(w, found).chapters}


def resume(w: Work, found: rooms.Place) -> Place | None:
    """Where a member goes on: the first step they did not do after the one they did last; from the first chapter on
    where there is none after it. None when everything is done. One query."""
    return after(_programme(w, found), _done(w, found))


def after(course: Programme, done: Collection[tuple[str, str]]) -> Place | None:
    """As `resume`, for what was done in this order, as (chapter, step). Pure."""
    road: list[Place] = [(chapter, step) for chapter in course.chapters for step in chapter.path]
    names = [(chapter.key, step.id) for chapter, step in road]
    known = set(names)
    last = next((name for name in reversed(list(done)) if name in known), None)
    start = names.index(last) + 1 if last else 0
    did = set(done)
    return next((road[at] for at in (*range(start, len(road)), *range(start)) if names[at] not in did), None)


def of_members(w: Work, found: rooms.Place) -> dict[str, dict[str, Progress]]:
    """How far each member of a group is, by alias and chapter, for its facilitators: done or not, never what was
    written. One query. Raises `Forbidden`."""
    if not found.leads:
        raise Forbidden
    here = (StepDone.membership_id == Membership.id) & (StepDone.programme == found.programme)
    rows = w.db.execute(
        select(Membership.alias, StepDone.chapter, StepDone.step)
        .outerjoin(StepDone, here)
        .where(Membership.group_id == found.group_id, Membership.role == MEMBER, Membership.left_at.is_(None))
        .order_by(Membership.alias)
    )
    did: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for alias, chapter, step in rows:
        did[alias].add((chapter, step))
    chapters = _programme(w, found).chapters
    return {alias: {chapter.key: _progress(chapter, done) for chapter in chapters} for alias, done in did.items()}


def kept_of(w: Work, membership_id: int) -> list[dict[str, str]]:
    """What is kept of how far a member is, for them to take along. One query."""
    rows = w.db.scalars(select(StepDone).where(StepDone.membership_id == membership_id).order_by(StepDone.id))
    return [{"chapter": row.chapter, "step": row.step, "on": row.done_on.isoformat()} for row in rows]


def _done(w: Work, found: rooms.Place) -> list[tuple[str, str]]:
    """What a member did, as (chapter, step), the last one last."""
    rows = w.db.execute(
        select(StepDone.chapter, StepDone.step)
        .where(StepDone.membership_id == found.membership_id, StepDone.programme == found.programme)
        .order_by(StepDone.id)
    )
    return [(row.chapter, row.step) for row in rows]


def _progress(chapter: Chapter, done: Collection[tuple[str, str]]) -> Progress:
    left = [step for step in chapter.path if (chapter.key, step.id) not in done]
    total = len(chapter.path)
    return Progress(total - len(left), total, sum(step.alone for step in left))


def _programme(w: Work, found: rooms.Place) -> Programme:
    return programme(found.programme, w.who.language)
