"""What a room talks about now: one topic at a time, a facilitator's own words or a chapter of the programme.

A topic begins at a message number and lasts until the next one begins; a page shows it as a divider there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select

from app.core import audit, ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups import rooms
from groups.models import Room, Topic
from groups.programme.curriculum import programme
from moderation.screening import screen

LONGEST = 80  # characters of a title


@dataclass(frozen=True, slots=True)
class Shown:
    """A topic as everybody in the room sees it."""

    ref: str
    title: str
    from_seq: int
    opened_on: date
    chapter: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As the event `room.topic` carries it."""
        return {"ref": self.ref, "title": self.title, "from_seq": self.from_seq}


def of(w: Work, found: rooms.Place) -> list[Shown]:
    """The topics of a room, oldest first, for whoever has a place in it. One query, and one for the keys."""
    rows = w.db.scalars(select(Topic).where(Topic.room_id == found.room_id).order_by(Topic.from_seq, Topic.id)).all()
    titles = w.ring.open_all(Topic.title, [(row.public_id, row.title) for row in rows])
    shown = [_shown(found, row, title) for row, title in zip(rows, titles, strict=True)]
    return [topic for topic in shown if topic.title]  # one without words: who chose them erased their account


def open_topic(w: Work, group: str, title: str = "", chapter: str = "") -> str:
    """Begin a topic here: from the next message on the room talks about it. Returns its reference.

    For facilitators of the group. A `chapter` of the programme gives the title, else `title` does: it is screened as
    all that a group reads, and refused where it would point at somebody. A topic under which nobody said anything yet
    is replaced. Writes the topic, sealed, and an audit line; announces `room.topic`. Raises `Invalid`, `Forbidden`.
    """
    found = rooms.lead_place(w, group)
    written = "" if chapter else _checked(w, found, title)
    if chapter:
        try:
            programme(found.programme, found.language).chapter(chapter)
        except NotFound:
            raise Invalid(N_("Dit hoofdstuk kennen we niet. Kies een ander; er is niets veranderd.")) from None
    # the room's row is held: no message gets a number between reading the last one and beginning after it
    last = w.db.scalars(select(Room.last_seq).where(Room.id == found.room_id).with_for_update()).one()
    w.db.execute(delete(Topic).where(Topic.room_id == found.room_id, Topic.from_seq > last))
    ref = ids.public_id()
    row = Topic(
        public_id=ref,
        room_id=found.room_id,
        author_id=w.who.person_id,
        title=w.ring.seal(w.who.person_id, Topic.title, ref, written) if written else None,
        chapter=chapter,
        from_seq=last + 1,
        opened_on=w.now.date(),
    )
    w.db.add(row)
    w.db.flush()
    audit.record(w, "topic.opened", "topic", row.id)
    w.announce(f"room:{found.room}", "room.topic", {"room": found.room} | _shown(found, row, written).as_dict())
    return ref


def take_back(w: Work, group: str, ref: str) -> None:
    """Take a topic away, with its divider; what was said stays. For facilitators of the group. Raises `NotFound`."""
    found = rooms.lead_place(w, group)
    gone = w.db.execute(
        delete(Topic).where(Topic.room_id == found.room_id, Topic.public_id == ref).returning(Topic.id)
    ).first()
    if gone is None:
        raise NotFound
    audit.record(w, "topic.removed", "topic", gone.id)
    w.announce(f"room:{found.room}", "room.topic", {"room": found.room, "ref": ref, "title": "", "from_seq": 0})


def _shown(found: rooms.Place, row: Topic, title: str) -> Shown:
    if row.chapter:
        try:
            title = programme(found.programme, found.language).chapter(row.chapter).title
        except NotFound:
            title = ""  # the programme no longer has it
    return Shown(row.public_id, title, row.from_seq, row.opened_on, row.chapter)


def _checked(w: Work, found: rooms.Place, title: str) -> str:
    title = " ".join(plain(title, limit=LONGEST).split())
    verdict = screen(title, lang=found.language, aliases=rooms.aliases_in(w, found.room_id))
    if verdict.action != "allow":
        raise Invalid(
            N_("Dit onderwerp wijst naar iemand, of kan hard aankomen. Kies andere woorden; wat je typte staat er nog.")
        )
    return title
