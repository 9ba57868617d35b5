"""Answers as forms bring them, for every kind of step."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from app import web
from app.core.errors import Invalid, NotFound
from app.core.work import Work
from groups import rooms
from groups.programme import values
from groups.programme.steps import Step


def read(step: Step, form: MultiDict[str, str]) -> Any:
    """What a form says at a step, as `values.clean` takes it: `option` for what is chosen, `box-<name>` for each box of
    a reflection, `cell-<column>` once for each row of a list, else `text`. Raises `Invalid` for torn rows."""
    if values.is_chosen(step):
        return form.getlist("option")
    if step.fields:
        return {field.id: form.get(f"box-{field.id}", "") for field in step.fields}
    if step.kind == "list-builder":
        columns = [form.getlist(f"cell-{n}") for n in range(len(step.columns))]
        if len({len(cells) for cells in columns}) > 1:
            raise Invalid(values.UNREADABLE)
        return [list(row) for row in zip(*columns, strict=True)]
    return form.get("text", "")


def home(w: Work) -> rooms.Place:
    """One's own place in the group that the page was of: with two screens one may be in another group by now. Raises
    `NotFound` for who is in it no longer."""
    group = request.form.get("group", "")
    found = rooms.home(w, group or web.group_here())
    if group and found.group != group:
        raise NotFound
    return found


def typed(step: Step, raw: Any) -> dict[str, Any]:
    """What a form brought, to be shown in it again as it was typed."""
    given: dict[str, Any] = {"text": "", "chosen": (), "boxes": {}, "rows": []}
    if values.is_chosen(step):
        return given | {"chosen": tuple(int(n) for n in raw if n.isascii() and n.isdigit() and len(n) < 4)}
    if step.fields:
        return given | {"boxes": raw}
    if step.kind == "list-builder":
        return given | {"rows": [row for row in raw if any(cell.strip() for cell in row)]}
    return given | {"text": raw}
