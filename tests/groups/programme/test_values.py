"""What an answer is made of: every kind in, every kind out, and nothing that makes reading stumble."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.core.errors import Invalid, TooLarge
from groups.programme import values
from groups.programme.reading import parse
from groups.programme.steps import Step
from groups.web import answers
from tests.groups.programme import small

CHAPTER = parse(small.text(), Path("01-soorten.md").name)
ANSWERED = [step for step in CHAPTER.steps if step.answered]


def _step(name: str) -> Step:
    return CHAPTER.step(name)


@pytest.mark.parametrize(
    ("name", "form", "lines"),
    [
        ("schrijven", [("text", "Het was\r\nstil.")], ["Het was\nstil."]),
        ("vakken", [("box-voor", "Thuis"), ("box-na", " ")], ["Ervoor: Thuis"]),
        ("getal", [("option", "7")], ["7"]),
        ("kruisen", [("option", "2"), ("option", "0")], ["Een", "Drie"]),
        ("kiezen", [("option", "1")], ["Nee"]),
        ("lijst", [("cell-0", "laat"), ("cell-0", ""), ("cell-1", "naar bed"), ("cell-1", "")], ["laat · naar bed"]),
        ("uren", [("option", "41"), ("option", "3")], []),
    ],
)
def test_what_a_form_brings_is_kept_and_told_in_words(name: str, form: list[tuple[str, str]], lines: list[str]) -> None:
    step = _step(name)
    raw = answers.read(step, MultiDict(form))
    assert not values.is_empty(step, raw)
    kept = values.clean(step, raw)
    assert values.lines(step, kept) == lines
    shown = answers.typed(step, raw)
    assert values.clean(step, _again(step, kept)) == kept
    assert (shown["text"] or shown["boxes"] or shown["rows"] or shown["chosen"]) != ()


def _again(step: Step, kept: str) -> Any:
    """A kept answer as the same form brings it once more."""
    if values.is_chosen(step):
        return [str(n) for n in values.chosen(step, kept)]
    return values.boxes(step, kept) or values.rows(step, kept) or kept


def test_the_hours_of_a_week_come_back_as_hours() -> None:
    assert values.chosen(_step("uren"), values.clean(_step("uren"), ["41", "3"])) == (3, 41)


@pytest.mark.parametrize("name", [step.id for step in ANSWERED])
def test_an_untouched_form_is_empty(name: str) -> None:
    step = _step(name)
    untouched: list[tuple[str, str]] = [("text", " ")]
    untouched += [(f"box-{field.id}", "") for field in step.fields]
    untouched += [(f"cell-{n}", "") for n in range(len(step.columns)) for _row in range(3)]
    assert values.is_empty(step, answers.read(step, MultiDict(untouched)))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("getal", ["11"]),
        ("getal", ["1", "2"]),
        ("kiezen", ["2"]),
        ("kruisen", ["-1"]),
        ("uren", ["42"]),
        ("vakken", "text"),
        ("lijst", [["one cell"]]),
        ("lijst", "text"),
    ],
)
def test_what_was_not_asked_is_refused(name: str, raw: Any) -> None:
    with pytest.raises(Invalid):
        values.clean(_step(name), raw)


def test_a_list_holds_as_many_rows_as_it_may_and_a_torn_one_is_refused() -> None:
    rows = [[f"als {n}", "dan"] for n in range(5)]
    assert len(values.rows(_step("lijst"), values.clean(_step("lijst"), rows[:4]))) == 4
    with pytest.raises(TooLarge):
        values.clean(_step("lijst"), rows)
    with pytest.raises(Invalid):
        answers.read(_step("lijst"), MultiDict([("cell-0", "een"), ("cell-0", "twee"), ("cell-1", "dan")]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(ANSWERED), st.text(max_size=30) | JSON.map(json.dumps))
def test_an_answer_to_another_question_never_makes_reading_stumble(step: Step, kept: str) -> None:
    told = values.lines(step, kept)
    assert all(isinstance(line, str) for line in told)
    assert all(isinstance(n, int) for n in values.chosen(step, kept))
    assert isinstance(values.as_text(step, kept), str)
    assert all(isinstance(text, str) for text in values.boxes(step, kept).values())
    assert all(isinstance(cell, str) for row in values.rows(step, kept) for cell in row)


@given(st.sampled_from(ANSWERED), st.data())
def test_what_is_cleaned_is_what_is_read(step: Step, data: st.DataObject) -> None:
    cell = st.text("abc é\n", max_size=6)
    if values.is_chosen(step):
        count = 42 if step.kind == "week" else len(step.options)
        most = count if step.many or step.kind == "week" else 1
        numbers = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=most, unique=True))
        assert values.chosen(step, values.clean(step, [str(n) for n in numbers])) == tuple(sorted(numbers))
    elif step.fields:
        boxes = {field.id: data.draw(cell) for field in step.fields}
        filled = {name: text.strip() for name, text in boxes.items() if text.strip()}
        if filled:
            assert values.boxes(step, values.clean(step, boxes)) == filled
    elif step.columns:
        rows = data.draw(st.lists(st.lists(cell, min_size=2, max_size=2), max_size=step.most))
        kept = [[text.strip() for text in row] for row in rows if any(text.strip() for text in row)]
        if kept:
            assert values.rows(step, values.clean(step, rows)) == kept
