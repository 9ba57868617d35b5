"""Questions as they were asked: an answer keeps the words it was given to, whatever the files say later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core.work import Work
from groups.models import SessionStep, StepQuestion
from groups.programme.steps import Field, Step


def digest(step: Step) -> str:
    """What tells one wording of a step from another."""
    return hashlib.sha256(f"{step.kind}\n{_words(step)}".encode()).hexdigest()


def keep(w: Work, programme: str, chapter: str, language: str, step: Step) -> int:
    """The number under which a step's words are kept; writes them if they are new."""
    named = {"programme": programme, "chapter": chapter, "step": step.id, "language": language, "digest": digest(step)}
    query = select(StepQuestion.id).filter_by(**named)
    found = w.db.scalar(query)
    if found is not None:
        return found
    row = StepQuestion(**named, kind=step.kind, words=_words(step))
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:  # somebody else answered it for the first time just now
        return w.db.scalars(query).one()
    return row.id


def asked(w: Work, numbers: Iterable[int | None]) -> dict[int, tuple[StepQuestion, Step]]:
    """Questions by their numbers, each as the step it was. One query."""
    wanted = {number for number in numbers if number is not None}
    if not wanted:
        return {}
    rows = w.db.scalars(select(StepQuestion).where(StepQuestion.id.in_(wanted)))
    return {row.id: (row, _step(row)) for row in rows}


def of_line(row: SessionStep, said: str) -> Step:
    """A step made of a facilitator's own words on a run-sheet. Of somebody who was erased the words are gone: the line
    stays, empty.
    """
    words: dict[str, Any] = json.loads(said) if said else {"title": "…", "prompt": "", "options": []}
    return Step(
        id=row.step,
        title=words["title"],
        kind=row.kind,
        minutes=row.minutes,
        in_session=True,
        sharing=row.sharing,
        prompt=words["prompt"],
        options=tuple(words["options"]),
        html=Markup(),
    )


def _words(step: Step) -> str:
    told: Mapping[str, object] = {
        "title": step.title,
        "prompt": step.prompt,
        "options": step.options,
        "many": step.many,
        "fields": [[field.id, field.label] for field in step.fields],
        "columns": step.columns,
        "low": step.low,
        "high": step.high,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _step(row: StepQuestion) -> Step:
    told = json.loads(row.words)
    return Step(
        id=row.step,
        title=told["title"],
        kind=row.kind,
        minutes=1,
        in_session=False,
        sharing="private",
        prompt=told["prompt"],
        options=tuple(told["options"]),
        html=Markup(),
        many=told["many"],
        fields=tuple(Field(name, label) for name, label in told["fields"]),
        columns=tuple(told["columns"]),
        low=told["low"],
        high=told["high"],
    )
