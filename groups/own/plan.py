"""The prevention plan: cards of somebody's own, in their own order, from the programme or written here.

It is a person's, whatever group they are in, and nobody else reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.accounts.models import Person
from app.core import ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups import rooms
from groups.models import Answer, PlanCard
from groups.programme import exercises, questions, values
from groups.programme.curriculum import programme
from groups.programme.steps import CARDS, Step
from moderation.screening import screen

MOST = 60  # cards
LIMIT = 600  # characters of a card, and of what to do then

_FULL = N_("Je plan heeft al 60 kaarten. Haal er eerst een weg die je niet meer nodig hebt; er is niets veranderd.")
_WHICH = N_("Kies waar deze kaart bij hoort. Er is nog niets bewaard.")
_NOTHING = N_("Kies een regel, of schrijf er zelf een. Er is nog niets veranderd.")


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `then` is what to do then, of a risk; `chapter` and `step` where it came from, if from anywhere."""

    ref: str
    card: str
    text: str
    then: str
    chapter: str
    step: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of what was written: the card's `ref`, and whether the words speak of danger."""

    ref: str
    crisis: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """One row of an answer that could go on the plan; `key` names it by its words."""

    key: str
    text: str
    then: str
    on_plan: bool


def cards(w: Work) -> list[Card]:
    """One's own cards, in their order. One query, and one for keys."""
    return _opened(w, _rows(w, w.who.person_id))


def of_kinds(found: Iterable[Card]) -> dict[str, list[Card]]:
    """Cards by their kind, each kind in its order; kinds without any too."""
    all_of_them = list(found)
    return {kind: [card for card in all_of_them if card.card == kind] for kind in CARDS}


def one(w: Work, ref: str) -> Card:
    """One card of one's own. Raises `NotFound`."""
    return _opened(w, [_own(w, ref)])[0]


def techniques(w: Work, count: int) -> list[str]:
    """What helps, as the plan says it: its first cards. Queries as `cards`."""
    return [card.text for card in cards(w) if card.card == "techniques"][:count]


def add(w: Work, card: str, text: object, then: object = "", chapter: str = "", step: str = "") -> Kept:
    """Put a card at the end of one's plan; the same words of the same kind are the card there is.

    Raises `Invalid`, `TooLarge`, and `Closed` when the plan is full.
    """
    return _put(w, card, [_clean(card, text, then)], chapter, step)


def collect(
    w: Work,
    found: rooms.Place,
    chapter: str,
    step_id: str,
    keys: Collection[str],
    text: str = "",
    then: str = "",
) -> bool:
    """Take rows of one's answers (by their `Offer.key`), and a line of one's own, into the plan at a plan-card step.

    Returns whether the words speak of danger. Raises `NotFound` for another kind of step, `Invalid` for nothing at
    all, `Closed` when the plan would get too full: then nothing of it is added.
    """
    step = programme(found.programme, w.who.language).chapter(chapter).step(step_id)
    rows = [(o.text, o.then) for o in offered(w, found, chapter, step) if o.key in keys and not o.on_plan]
    if text.strip() or then.strip():
        rows.append(_clean(step.card, text, then))
    elif not keys:
        raise Invalid(_NOTHING)
    return bool(rows) and _put(w, step.card, rows, chapter, step_id).crisis


def change(w: Work, ref: str, text: object, then: object = "") -> Kept:
    """Say a card in other words. Raises `NotFound`, `Invalid`, `TooLarge`."""
    row = _own(w, ref)
    said, after = _clean(row.card, text, then)
    row.content = _sealed(w, row.public_id, said, after)
    return Kept(ref, _speaks_of_danger(w, said, after))


def remove(w: Work, ref: str) -> None:
    """Take a card off one's plan, for good. Raises `NotFound`."""
    w.db.delete(_own(w, ref))


def move(w: Work, ref: str, *, up: bool) -> None:
    """Let a card and the one before it (or after it) of its kind change places. At an end nothing moves.

    Raises `NotFound`.
    """
    row = _own(w, ref)
    kind = [other for other in _rows(w, w.who.person_id) if other.card == row.card]
    at = kind.index(row)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(kind):
        return
    places = sorted({other.position for other in kind})
    if len(places) < len(kind):  # two that were added in the same moment
        places = list(range(places[0], places[0] + len(kind)))
    kind[at], kind[to] = kind[to], kind[at]
    for other, position in zip(kind, places, strict=True):
        other.position = position


def offered(w: Work, found: rooms.Place, chapter: str, step: Step) -> list[Offer]:
    """What a plan-card step offers: the rows of one's latest answers at the steps it names, in their order.

    Three queries, and two for keys. Raises `NotFound` for another kind of step.
    """
    if step.kind != "plan-card":
        raise NotFound
    answers = _answers(w, found, [(of or chapter, name) for of, name in step.sources])
    here = {(card.text, card.then) for card in cards(w) if card.card == step.card}
    rows = dict.fromkeys(row for asked, value in answers for row in _offers(step.card, asked, value))
    return [Offer(_key(text, then), text, then, (text, then) in here) for text, then in rows]


def kept_of(w: Work, person_id: int) -> list[dict[str, str]]:
    """Somebody's plan as they take it along. The caller knows that it is theirs."""
    return [
        {"card": card.card, "text": card.text, **({"then": card.then} if card.then else {})}
        for card in _opened(w, _rows(w, person_id))
    ]


def _rows(w: Work, person_id: int) -> list[PlanCard]:
    query = select(PlanCard).where(PlanCard.person_id == person_id).order_by(PlanCard.position, PlanCard.id)
    return list(w.db.scalars(query))


def _own(w: Work, ref: str) -> PlanCard:
    query = select(PlanCard).where(PlanCard.public_id == ref, PlanCard.person_id == w.who.person_id)
    row = w.db.scalar(query) if ids.is_ref(ref) else None
    if row is None:
        raise NotFound
    return row


def _opened(w: Work, rows: Sequence[PlanCard]) -> list[Card]:
    texts = w.ring.open_all(PlanCard.content, [(row.public_id, row.content) for row in rows])
    return [_card(row, json.loads(text)) for row, text in zip(rows, texts, strict=True)]


def _card(row: PlanCard, content: dict[str, Any]) -> Card:
    return Card(row.public_id, row.card, content["text"], content.get("then", ""), row.chapter, row.step)


def _put(w: Work, card: str, rows: Sequence[tuple[str, str]], chapter: str, step: str) -> Kept:
    """Add rows that are not there yet, all or none. The person's own row orders two screens."""
    w.db.execute(select(Person.id).where(Person.id == w.who.person_id).with_for_update())
    there = _rows(w, w.who.person_id)
    known = {(c.text, c.then): c.ref for c in _opened(w, there) if c.card == card}
    fresh = [row for row in dict.fromkeys(rows) if row not in known]
    if len(there) + len(fresh) > MOST:
        raise Closed(_FULL)
    position = max((row.position for row in there), default=-1) + 1
    for number, (text, then) in enumerate(fresh, position):
        ref = known[text, then] = ids.public_id()
        w.db.add(
            PlanCard(
                public_id=ref,
                person_id=w.who.person_id,
                card=card,
                position=number,
                content=_sealed(w, ref, text, then),
                chapter=chapter,
                step=step,
                made_on=w.now.date(),
            )
        )
    return Kept(known[rows[-1]], any(_speaks_of_danger(w, *row) for row in rows))


def _clean(card: str, text: object, then: object) -> tuple[str, str]:
    if card not in CARDS:
        raise Invalid(_WHICH)
    after = plain(then, limit=LIMIT) if card == "risks" and isinstance(then, str) and then.strip() else ""
    return plain(text, limit=LIMIT), after


def _sealed(w: Work, ref: str, text: str, then: str) -> bytes:
    content = {"text": text, **({"then": then} if then else {})}
    return w.ring.seal(w.who.person_id, PlanCard.content, ref, json.dumps(content, ensure_ascii=False))


def _speaks_of_danger(w: Work, text: str, then: str) -> bool:
    verdict = screen(f"{text}\n{then}", lang=w.who.language, where="report")
    return any(reason.kind == "crisis_self" for reason in verdict.reasons)


def _key(text: str, then: str) -> str:
    return hashlib.sha256(f"{text}\0{then}".encode()).hexdigest()[:16]


def _answers(w: Work, found: rooms.Place, wanted: Sequence[tuple[str, str]]) -> list[tuple[Step, str]]:
    """One's latest answer at each of these steps, at home or in a session, with the question as it was asked."""
    rows = w.db.scalars(
        select(Answer)
        .where(
            Answer.membership_id == found.membership_id,
            Answer.programme == found.programme,
            Answer.chapter.in_({chapter for chapter, _step in wanted}),
            Answer.step.in_({step for _chapter, step in wanted}),
        )
        .order_by(Answer.updated_at, Answer.id)
    )
    latest = {(row.chapter, row.step): row for row in rows}
    given = [latest[name] for name in wanted if name in latest]
    asked = questions.asked(w, [row.question_id for row in given])
    course = programme(found.programme, w.who.language)
    answers = []
    for row in given:
        known = asked.get(row.question_id or 0)
        step = known[1] if known else course.find(row.chapter, row.step)
        if step is not None:
            answers.append((step, exercises.value_of(w, row)))
    return answers


def _offers(card: str, asked: Step, value: str) -> list[tuple[str, str]]:
    """An answer as rows of a plan. Of a list with two columns or more, a risk takes the first as what happens and the
    last as what to do then; of boxes, the same."""
    if asked.kind == "list-builder":
        parts = [[cell for cell in row if cell] for row in values.rows(asked, value)]
    elif asked.fields:
        filled = values.boxes(asked, value)
        texts = [filled[field.id] for field in asked.fields if filled.get(field.id)]
        parts = [texts] if card == "risks" else [[text] for text in texts]
    else:
        parts = [[line] for text in values.lines(asked, value) for line in text.splitlines() if line.strip()]
    return [_row(card, cells) for cells in parts if cells]


def _row(card: str, cells: Sequence[str]) -> tuple[str, str]:
    if card == "risks" and len(cells) > 1:
        return _cut(", ".join(cells[:-1])), _cut(cells[-1])
    return _cut(" · ".join(cells)), ""


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 1].rsplit(' ', 1)[0]}…"
