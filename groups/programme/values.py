"""What an answer is made of, for each kind of step: checked on its way in, told in words on its way out. Pure.

What is written in one box is kept as it is; everything else as JSON: option numbers, boxes by their names, rows of a
list, hours of a week (day x 6 + part of the day, from Monday midnight). A value that was given to a step of another
shape has no options, boxes or rows to show, and is told as the text it is: reading never raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.core import ids
from app.core.errors import Invalid, TooLarge
from app.core.i18n import N_
from app.core.text import plain
from groups.programme.steps import DAYS, PARTS, Step

LIMIT = 2_000  # characters of what is written in one box
CELL = 300  # characters of one cell of a list

CHOOSE = N_("Kies één van de antwoorden. Er is nog niets verstuurd.")
EMPTY = N_("Er staat nog niets. Typ eerst iets.")
UNREADABLE = N_("We konden je antwoord niet lezen. Er is nog niets verstuurd.")


def clean(step: Step, raw: Any) -> str:
    """What is kept of an answer, from a form or an event: text, or a list of option numbers, of hours, of rows, or
    boxes by their names. Raises `Invalid` and `TooLarge`."""
    if step.kind == "week":
        return json.dumps(sorted(_numbers(raw, DAYS * PARTS)))
    if step.options:
        chosen = _numbers(raw, len(step.options))
        if len(chosen) != 1 and not step.many:
            raise Invalid(CHOOSE)
        return json.dumps(sorted(chosen))
    if step.fields:
        return _boxes(step, raw)
    if step.kind == "list-builder":
        return _rows(step, raw)
    return plain(raw, limit=LIMIT)


def lines(step: Step, value: str) -> list[str]:
    """An answer in words, line by line: what was chosen, each box with its name, each row of a list. The hours of a
    week have no words here: they are shown as a table."""
    if step.kind == "week":
        return []
    if not is_made_of_parts(step) or not _fits(step, value):
        return [value]
    if is_chosen(step):
        return [step.options[n] for n in chosen(step, value) if n < len(step.options)]
    if step.fields:
        kept = boxes(step, value)
        return [f"{field.label}: {kept[field.id]}" for field in step.fields if kept.get(field.id)]
    return [" · ".join(cell for cell in row if cell) for row in rows(step, value)]


def as_text(step: Step, value: str) -> str:
    """As `lines`, as one text: what is screened before others read it, and what a plan card or an export says."""
    return "\n".join(lines(step, value))


def is_chosen(step: Step) -> bool:
    """Is the answer made of options or hours, and not of anybody's own words?"""
    return bool(step.options) or step.kind == "week"


def is_made_of_parts(step: Step) -> bool:
    """Is the answer anything but one text?"""
    return is_chosen(step) or bool(step.fields) or step.kind == "list-builder"


def chosen(step: Step, value: str) -> tuple[int, ...]:
    """The option numbers, or the hours of a week, of an answer that is made of them."""
    return tuple(_parts(value)) if is_chosen(step) and _fits(step, value) else ()


def boxes(step: Step, value: str) -> dict[str, str]:
    """The boxes of a reflection by their names."""
    return _parts(value) if step.fields and _fits(step, value) else {}


def rows(step: Step, value: str) -> list[list[str]]:
    """The rows of a list."""
    return _parts(value) if step.kind == "list-builder" and _fits(step, value) else []


def is_empty(step: Step, raw: Any) -> bool:
    """Is nothing filled in, in what a form or an event brings? What cannot be read is not empty: `clean` says so."""
    if is_chosen(step):
        return raw in ([], "", None)
    if step.fields and isinstance(raw, Mapping):
        return not any(str(text).strip() for text in raw.values())
    if step.kind == "list-builder" and isinstance(raw, Sequence) and not isinstance(raw, str):
        return not any(str(cell).strip() for row in raw if isinstance(row, Sequence) for cell in row)
    return isinstance(raw, str) and not raw.strip()


def _fits(step: Step, value: str) -> bool:
    """Has a kept value the shape that answers to this step have?"""
    kept = _parts(value)
    if is_chosen(step):
        return isinstance(kept, list) and all(isinstance(n, int) for n in kept)
    if step.fields:
        return isinstance(kept, dict) and all(isinstance(text, str) for text in kept.values())
    return isinstance(kept, list) and all(
        isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in kept
    )


def _parts(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _numbers(raw: Any, count: int) -> set[int]:
    given = raw if isinstance(raw, list) else [raw]
    numbers = {ids.number(str(v), 0, count - 1) for v in given if not isinstance(v, bool)}
    if len(numbers) != len(given):
        raise Invalid(CHOOSE)
    return numbers


def _boxes(step: Step, raw: Any) -> str:
    if not isinstance(raw, Mapping):
        raise Invalid(UNREADABLE)
    kept = {field.id: _cell(raw.get(field.id, ""), LIMIT) for field in step.fields}
    if not any(kept.values()):
        raise Invalid(EMPTY)
    return json.dumps({name: text for name, text in kept.items() if text}, ensure_ascii=False)


def _rows(step: Step, raw: Any) -> str:
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise Invalid(UNREADABLE)
    kept = []
    for row in raw:
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != len(step.columns):
            raise Invalid(UNREADABLE)
        cells = [_cell(cell, CELL) for cell in row]
        if any(cells):
            kept.append(cells)
    if not kept:
        raise Invalid(EMPTY)
    if len(kept) > step.most:
        raise TooLarge
    return json.dumps(kept, ensure_ascii=False)


def _cell(raw: Any, limit: int) -> str:
    if not isinstance(raw, str):
        raise Invalid(UNREADABLE)
    return plain(raw, limit=limit) if raw.strip() else ""
