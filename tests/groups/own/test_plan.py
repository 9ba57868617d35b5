"""The prevention plan: one's own cards, in one's own order, gathered from the programme."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from sqlalchemy import select

from app.core.errors import Closed, Invalid, NotFound, TooLarge
from app.core.work import Database
from groups import personal, rooms
from groups.models import Group, PlanCard
from groups.own import plan
from groups.programme import curriculum, exercises, values
from groups.programme.steps import CARDS, step_of
from tests import builders
from tests.builders import CRISIS, Circle

CHAPTER = """---
chapter: tools
version: 1
title: Gereedschap
goal: Iets bij de hand.
minutes: 60
this_week: Kijk er elke dag naar.
sources: [Geen.]
steps:
  - {id: if-then, kind: list-builder, minutes: 5, columns: [Als, Dan]}
  - {id: helps, kind: list-builder, minutes: 5, columns: [Wat helpt]}
  - {id: three, kind: list-builder, minutes: 5, columns: [Als, En, Dan]}
  - {id: line, kind: reflection, minutes: 5, prompt: "Wat nog?"}
  - {id: boxes, kind: reflection, minutes: 5, prompt: "Wat?", fields: [{id: a, label: Eerst}, {id: b, label: Later}]}
  - {id: risks-card, kind: plan-card, minutes: 5, card: risks, from: [if-then, three, boxes]}
  - {id: helps-card, kind: plan-card, minutes: 5, card: techniques, from: [helps, tools/line, gone, other/gone]}
---
Om te beginnen.

## Als dan {#if-then}
Tekst.

## Helpt {#helps}
Tekst.

## Drie {#three}
Tekst.

## Regel {#line}
Tekst.

## Vakken {#boxes}
Tekst.

## Kaart {#risks-card}
Tekst.

## Kaart {#helps-card}
Tekst.
"""


@pytest.fixture
def circle(database: Database, tmp_path: Path) -> Iterator[Circle]:
    """A group that follows a small programme of two plan cards."""
    for language in ("nl", "en"):
        folder = tmp_path / "content" / "tools" / language
        folder.mkdir(parents=True)
        (folder / "01-tools.md").write_text(CHAPTER, encoding="utf-8")
    about = "slug: tools\nversion: 1\ntitle: {nl: Gereedschap, en: Tools}\nchapters: [tools]\n"
    (tmp_path / "content" / "tools" / "programme.yaml").write_text(about, encoding="utf-8")
    curriculum.look_in(tmp_path / "content")
    made = builders.circle(database)
    with database.work() as w:
        w.db.get_one(Group, made.group_id).programme = "tools"
    yield made
    curriculum.look_in(None)


def _add(circle: Circle, card: str, text: str, then: str = "", who: int = 0) -> plan.Kept:
    with circle.database.work(circle.members[who].actor) as w:
        return plan.add(w, card, text, then)


def _texts(circle: Circle, who: int = 0) -> list[str]:
    with circle.database.read(circle.members[who].actor) as r:
        return [card.text for card in plan.cards(r)]


def _answer(circle: Circle, step: str, value: object) -> None:
    with circle.database.work(circle.members[0].actor) as w:
        exercises.answer(w, rooms.place(w, circle.room), "tools", step, value)


def _offered(circle: Circle, step: str) -> list[plan.Offer]:
    with circle.database.read(circle.members[0].actor) as r:
        found = rooms.place(r, circle.room)
        asked = curriculum.programme("tools", "nl").chapter("tools").step(step)
        return plan.offered(r, found, "tools", asked)


def _collect(circle: Circle, step: str, keys: list[str], text: str = "", then: str = "") -> bool:
    with circle.database.work(circle.members[0].actor) as w:
        return plan.collect(w, rooms.place(w, circle.room), "tools", step, keys, text, then)


def test_cards_come_at_the_end_and_are_ones_own(circle: Circle) -> None:
    _add(circle, "rules", "Telefoon beneden")
    _add(circle, "risks", "Ik ben alleen", "Ik ga naar buiten")
    _add(circle, "rules", "Iets van Noor", who=1)
    with circle.database.read(circle.members[0].actor) as r:
        first, second = plan.cards(r)
    assert (first.card, first.text, first.then) == ("rules", "Telefoon beneden", "")
    assert (second.card, second.text, second.then) == ("risks", "Ik ben alleen", "Ik ga naar buiten")
    assert _texts(circle, 1) == ["Iets van Noor"]


def test_the_same_words_twice_are_one_card(circle: Circle) -> None:
    once = _add(circle, "rules", "Telefoon beneden")
    assert _add(circle, "rules", "  Telefoon beneden ") == once
    assert _add(circle, "reasons", "Telefoon beneden") != once
    assert _texts(circle) == ["Telefoon beneden"] * 2


def test_a_risk_alone_says_what_then(circle: Circle) -> None:
    _add(circle, "rules", "Telefoon beneden", "en uit")
    with circle.database.read(circle.members[0].actor) as r:
        assert plan.cards(r)[0].then == ""


@pytest.mark.parametrize(
    ("card", "text", "refusal"),
    [("rules", " ", Invalid), ("goals", "Iets", Invalid), ("rules", "x" * 601, TooLarge), ("rules", None, Invalid)],
)
def test_what_is_no_card_is_refused_and_nothing_is_kept(
    circle: Circle, card: str, text: object, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal), circle.database.work(circle.members[0].actor) as w:
        plan.add(w, card, text)
    assert _texts(circle) == []


def test_a_plan_holds_sixty_cards_and_then_says_so(circle: Circle) -> None:
    with circle.database.work(circle.members[0].actor) as w:
        for number in range(plan.MOST):
            plan.add(w, "rules", f"Regel {number}")
    with pytest.raises(Closed):
        _add(circle, "rules", "Nog een")
    assert _add(circle, "rules", "Regel 3").ref  # what is there already needs no place
    assert len(_texts(circle)) == plan.MOST


def test_somebody_elses_card_is_not_there(circle: Circle) -> None:
    ref = _add(circle, "rules", "Telefoon beneden").ref
    noor = circle.members[1].actor
    for act in (
        lambda w: plan.one(w, ref),
        lambda w: plan.change(w, ref, "Anders"),
        lambda w: plan.remove(w, ref),
        lambda w: plan.move(w, ref, up=True),
        lambda w: plan.one(w, "geen ref!"),
    ):
        with pytest.raises(NotFound), circle.database.work(noor) as w:
            act(w)
    assert _texts(circle) == ["Telefoon beneden"]


def test_a_card_is_said_in_other_words_and_taken_away(circle: Circle) -> None:
    ref = _add(circle, "risks", "Ik ben moe", "Ik ga slapen").ref
    mees = circle.members[0].actor
    with circle.database.work(mees) as w:
        plan.change(w, ref, "Ik ben heel moe")
    with circle.database.read(mees) as r:
        assert (plan.one(r, ref).text, plan.one(r, ref).then) == ("Ik ben heel moe", "")
    with circle.database.work(mees) as w:
        plan.remove(w, ref)
    assert _texts(circle) == []


def test_words_of_danger_are_noticed_wherever_they_stand(circle: Circle) -> None:
    mees = circle.members[0].actor
    kept = _add(circle, "reasons", "Voor mijn kinderen")
    assert not kept.crisis
    assert _add(circle, "risks", "Het is te veel", CRISIS).crisis
    with circle.database.work(mees) as w:
        assert plan.change(w, kept.ref, CRISIS).crisis


def test_a_card_moves_among_its_own_kind_and_stops_at_the_ends(circle: Circle) -> None:
    refs = [
        _add(circle, card, text).ref
        for card, text in (("rules", "een"), ("people", "broer"), ("rules", "twee"), ("rules", "drie"))
    ]

    def move(ref: str, *, up: bool) -> list[str]:
        with circle.database.work(circle.members[0].actor) as w:
            plan.move(w, ref, up=up)
        with circle.database.read(circle.members[0].actor) as r:
            return [card.text for card in plan.of_kinds(plan.cards(r))["rules"]]

    assert move(refs[3], up=True) == ["een", "drie", "twee"]
    assert move(refs[3], up=True) == ["drie", "een", "twee"]
    assert move(refs[3], up=True) == ["drie", "een", "twee"]
    assert move(refs[2], up=False) == ["drie", "een", "twee"]
    assert move(refs[0], up=False) == ["drie", "twee", "een"]
    assert "broer" in _texts(circle)


def test_cards_with_the_same_place_still_move(circle: Circle) -> None:
    """Two screens may add at the same moment."""
    one, two = (_add(circle, "rules", text).ref for text in ("een", "twee"))
    with circle.database.work() as w:
        for row in w.db.scalars(select(PlanCard)):
            row.position = 0
    with circle.database.work(circle.members[0].actor) as w:
        plan.move(w, two, up=True)
    assert _texts(circle) == ["twee", "een"]
    with circle.database.work(circle.members[0].actor) as w:
        plan.move(w, one, up=True)
    assert _texts(circle) == ["een", "twee"]


def test_what_one_wrote_is_offered_as_rows(circle: Circle) -> None:
    _answer(circle, "if-then", [["Ik ben alleen", "Ik bel iemand"], ["Ik ben moe", ""]])
    _answer(circle, "three", [["Het is laat", "ik lig in bed", "Ik sta op"]])
    _answer(circle, "boxes", {"a": "Stress", "b": "Wandelen"})
    _answer(circle, "helps", [["Koud water"], ["Muziek"]])
    _answer(circle, "line", "Naar buiten\n\nIemand bellen")
    assert [(o.text, o.then) for o in _offered(circle, "risks-card")] == [
        ("Ik ben alleen", "Ik bel iemand"),
        ("Ik ben moe", ""),
        ("Het is laat, ik lig in bed", "Ik sta op"),
        ("Stress", "Wandelen"),
    ]
    assert [o.text for o in _offered(circle, "helps-card")] == [
        "Koud water",
        "Muziek",
        "Naar buiten",
        "Iemand bellen",
    ]
    with pytest.raises(NotFound):
        _offered(circle, "line")


def test_what_is_taken_is_on_the_plan_and_says_where_it_came_from(circle: Circle) -> None:
    _answer(circle, "helps", [["Koud water"], ["Muziek"]])
    water, _music = _offered(circle, "helps-card")
    assert not _collect(circle, "helps-card", [water.key, "geen sleutel"], "Iemand bellen")
    assert _texts(circle) == ["Koud water", "Iemand bellen"]
    assert [o.on_plan for o in _offered(circle, "helps-card")] == [True, False]
    _collect(circle, "helps-card", [water.key])  # pressed twice
    assert _texts(circle) == ["Koud water", "Iemand bellen"]
    with circle.database.read(circle.members[0].actor) as r:
        assert {(card.card, card.chapter, card.step) for card in plan.cards(r)} == {
            ("techniques", "tools", "helps-card")
        }


def test_nothing_chosen_and_nothing_written_is_asked_again(circle: Circle) -> None:
    with pytest.raises(Invalid):
        _collect(circle, "helps-card", [])
    with pytest.raises(Invalid):
        _collect(circle, "risks-card", [], "", "Alleen dit")
    assert _texts(circle) == []


def test_what_would_not_all_fit_is_not_begun(circle: Circle) -> None:
    _answer(circle, "helps", [["Koud water"], ["Muziek"]])
    with circle.database.work(circle.members[0].actor) as w:
        for number in range(plan.MOST - 1):
            plan.add(w, "rules", f"Regel {number}")
    with pytest.raises(Closed):
        _collect(circle, "helps-card", [o.key for o in _offered(circle, "helps-card")])
    assert len(_texts(circle)) == plan.MOST - 1


def test_an_answer_to_an_older_question_is_offered_as_it_was_given(circle: Circle, tmp_path: Path) -> None:
    _answer(circle, "helps", [["Koud water"]])
    for language in ("nl", "en"):
        file = tmp_path / "content" / "tools" / language / "01-tools.md"
        text = file.read_text(encoding="utf-8").replace("columns: [Wat helpt]", "columns: [Wat, Waar]")
        file.write_text(text.replace("version: 1", "version: 2"), encoding="utf-8")
    curriculum.look_in(tmp_path / "content")
    assert [o.text for o in _offered(circle, "helps-card")] == ["Koud water"]


def test_what_helps_comes_in_its_order(circle: Circle) -> None:
    for text in ("een", "twee", "drie", "vier"):
        _add(circle, "techniques", text)
    _add(circle, "rules", "nul")
    with circle.database.read(circle.members[0].actor) as r:
        assert plan.techniques(r, 3) == ["een", "twee", "drie"]
        assert list(plan.of_kinds(plan.cards(r))) == list(CARDS)


def test_a_plan_costs_the_same_however_long_it_is(circle: Circle) -> None:
    def cost() -> int:
        with circle.database.read(circle.members[0].actor) as r, builders.statements(circle.database) as sent:
            plan.cards(r)
        return len(sent)

    _add(circle, "rules", "een")
    circle.database.vault._open.clear()
    first = cost()
    for number in range(20):
        _add(circle, "rules", f"Regel {number}")
    circle.database.vault._open.clear()
    assert cost() == first == 2


def test_a_plan_goes_along_and_goes_away_with_its_owner(circle: Circle) -> None:
    mees, noor = (member.actor for member in circle.members[:2])
    _add(circle, "risks", "Ik ben alleen", "Ik bel iemand")
    _add(circle, "rules", "Van Noor", who=1)
    with circle.database.work(mees) as w:
        assert personal.export(w, mees.person_id)["plan"] == [
            {"card": "risks", "text": "Ik ben alleen", "then": "Ik bel iemand"}
        ]
        personal.erase(w, mees.person_id)
    with circle.database.read() as r:
        assert set(r.db.scalars(select(PlanCard.person_id))) == {noor.person_id}


def test_what_stands_in_the_database_says_nothing(circle: Circle) -> None:
    _add(circle, "people", "Mijn broer Kees")
    with circle.database.read() as r:
        row = r.db.execute(select(PlanCard.__table__)).one()
    assert "Kees" not in str(row)
    assert b"Kees" not in row.content


@given(st.lists(st.lists(st.text(max_size=700), min_size=2, max_size=2), max_size=8), st.sampled_from(CARDS))
def test_every_row_that_is_offered_fits_on_a_card(rows: list[list[str]], card: str) -> None:
    step = step_of({"id": "a", "kind": "list-builder", "minutes": 1, "columns": ["Als", "Dan"]}, "", Markup())
    try:
        value = values.clean(step, rows)
    except (Invalid, TooLarge):
        return
    for text, then in plan._offers(card, step, value):
        assert 0 < len(text) <= plan.LIMIT
        assert len(then) <= plan.LIMIT
        assert plan._clean(card, text, then) == (text, then)
