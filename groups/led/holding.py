"""What waits to be read in one group, for who leads its session: kind and alias at once, the text when asked for.

The queue of the organisation (`moderation.queue`) stays the one place where it is decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from app.core.errors import NotFound
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.models import Answer, Membership, Message, Seat
from moderation import queue, subjects
from moderation.models import Case
from moderation.screening import mask

MOST = 12  # the rest is in the queue


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case of this group as the cockpit lists it: no text. `held` is what the group does not see yet."""

    ref: str
    kinds: tuple[str, ...]
    alias: str
    red: bool
    held: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that is being read. `masked` is how the group would read it, where that differs from what was written."""

    detail: queue.Detail
    masked: str
    decisions: tuple[str, ...]


def here(w: Work, found: rooms.Place) -> list[Waiting]:
    """What is held in this group, and what was posted with an alarm: danger first. For its facilitators.

    Four queries, however many there are.
    """
    cards = {card.public_id: card for card in queue.waiting(w) if card.held or card.level == queue.RED}
    rows = w.db.execute(
        select(Case.public_id, Case.subject_kind, Case.subject_id).where(
            Case.public_id.in_(list(cards)), Case.group_id == found.group_id
        )
    ).all()
    order = list(cards)
    rows = sorted(rows, key=lambda row: order.index(row.public_id))[:MOST]
    messages = _message_aliases(w, [row.subject_id for row in rows if row.subject_kind == "message"])
    answers = _answer_aliases(w, [row.subject_id for row in rows if row.subject_kind == "answer"])
    known = {"message": messages, "answer": answers}
    return [
        _waiting(
            w,
            cards[row.public_id],
            known[row.subject_kind].get(row.subject_id, "")
            if row.subject_kind in known
            else _described(w, row.subject_kind, row.subject_id),
        )
        for row in rows
    ]


def look(w: Work, session_ref: str, case_ref: str) -> Opened:
    """Open one case of the group whose session one leads. Writes an audit line: a text is read.

    Raises `NotFound` for a case of another group, as for none at all; `Forbidden` for who does not lead.
    """
    _session, found = steering.lead(w, session_ref)
    own = select(Case.id).where(Case.public_id == case_ref, Case.group_id == found.group_id)
    if w.db.scalar(own) is None:
        raise NotFound
    detail = queue.look(w, case_ref)
    text = detail.subject.text
    shown = mask(text, lang=found.language, aliases=rooms.aliases_in(w, found.room_id)) if text else ""
    return Opened(detail, shown if shown != text else "", queue.decisions(detail.card))


def _waiting(w: Work, card: queue.Card, alias: str) -> Waiting:
    minutes = max(0, int((w.now - card.opened_at).total_seconds() // 60))
    return Waiting(card.public_id, card.kinds, alias, card.level == queue.RED, card.held, minutes)


def _message_aliases(w: Work, numbers: list[int]) -> dict[int, str]:
    """By message, who wrote it as the group knows them: in the room of a pair they go by another name."""
    rows = w.db.execute(
        select(Message.id, func.coalesce(Membership.alias, Seat.alias))
        .join(Seat, Seat.id == Message.seat_id)
        .outerjoin(Membership, Membership.id == Seat.membership_id)
        .where(Message.id.in_(numbers))
    )
    return {row[0]: row[1] for row in rows}


def _answer_aliases(w: Work, numbers: list[int]) -> dict[int, str]:
    rows = w.db.execute(
        select(Answer.id, Membership.alias)
        .join(Membership, Membership.id == Answer.membership_id)
        .where(Answer.id.in_(numbers), Answer.sharing != "pooled")  # that one is shared without a name
    )
    return {row[0]: row[1] for row in rows}


def _described(w: Work, kind: str, number: int) -> str:
    try:
        return subjects.of_kind(kind).describe(w, number).alias
    except NotFound:  # its author took it back in the meantime
        return ""
