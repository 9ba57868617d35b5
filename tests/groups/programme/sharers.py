"""Three members, of whom two are buddies, who share what they wrote at home: for tests about sharing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from groups import rooms
from groups.models import Room, Share
from groups.programme import exercises, shared, sharing
from groups.programme.sharing import GROUP, Look, Panel, Shared
from moderation import queue
from tests.builders import Circle, Someone
from tests.groups.programme.small import CHAPTER

WORDS, BOXES, SCALE, TICKS, LIST, WEEK = "schrijven", "vakken", "getal", "kruisen", "lijst", "uren"
ORDINARY = "Een wandeling langs het water hielp"


def as_member(circle: Circle, who: Someone, do: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """Do something as somebody with a place in the group."""
    with circle.database.work(who.actor) as w:
        return do(w, rooms.place(w, circle.room), *args, **more)


def write(circle: Circle, who: Someone, value: Any = ORDINARY, step: str = WORDS) -> None:
    as_member(circle, who, exercises.answer, CHAPTER, step, value)


def share(circle: Circle, who: Someone, audience: str = GROUP, step: str = WORDS, *, seen: str = "") -> Shared:
    found: Shared = as_member(circle, who, sharing.share, CHAPTER, step, audience, seen=seen)
    return found


def tell(circle: Circle, who: Someone, value: Any, audience: str = GROUP, step: str = WORDS) -> Shared:
    """Write something, look at how it would stand there, and share it."""
    write(circle, who, value, step)
    return share(circle, who, audience, step, seen=look_at(circle, who, audience, step).seen)


def look_at(circle: Circle, who: Someone, audience: str = GROUP, step: str = WORDS) -> Look:
    found: Look = as_member(circle, who, sharing.look, CHAPTER, step, audience)
    return found


def panel_of(circle: Circle, who: Someone, step: str = WORDS) -> Panel | None:
    with circle.database.read(who.actor) as r:
        return sharing.panel(r, rooms.place(r, circle.room), CHAPTER, step)


def states(circle: Circle, who: Someone, step: str = WORDS) -> dict[str, tuple[str, bool]]:
    with circle.database.read(who.actor) as r:
        return {
            one.audience: (one.state, one.older) for one in sharing.own(r, rooms.place(r, circle.room), CHAPTER, step)
        }


def ref_of(circle: Circle, who: Someone, audience: str = GROUP) -> str:
    with circle.database.read(who.actor) as r:
        own = sharing.own(r, rooms.place(r, circle.room), CHAPTER, WORDS)
    return next(one.ref for one in own if one.audience == audience)


def take_back(circle: Circle, who: Someone, ref: str) -> None:
    with circle.database.work(who.actor) as w:
        sharing.take_back(w, ref)


def pair_room(circle: Circle) -> str:
    with circle.database.read() as r:
        return r.db.scalars(select(Room.public_id).where(Room.kind == "pair").order_by(Room.id.desc())).first() or ""


def read_by(circle: Circle, who: Someone, room: str = "") -> list[tuple[str, str]]:
    """What somebody reads of others in a room, newest first."""
    with circle.database.read(who.actor) as r:
        return [(one.alias, one.said.text) for one in shared.in_room(r, rooms.place(r, room or circle.room))]


def with_staff(circle: Circle, who: Someone) -> dict[str, list[str]]:
    with circle.database.read(who.actor) as r:
        told = shared.with_staff(r, rooms.place(r, circle.room))
    return {alias: [one.said.text for one in items] for alias, items in told.items()}


def count(circle: Circle, table: Any = Share) -> int:
    with circle.database.read() as r:
        return r.db.scalar(select(func.count()).select_from(table)) or 0


def cases(circle: Circle) -> list[queue.Card]:
    with circle.database.read(circle.hanna.actor) as r:
        return queue.waiting(r)


def look_into(circle: Circle, ref: str) -> queue.Detail:
    with circle.database.work(circle.hanna.actor) as w:
        return queue.look(w, ref)


def decide(circle: Circle, decision: str) -> None:
    [card] = cases(circle)
    with circle.database.work(circle.hanna.actor) as w:
        queue.decide(w, card.public_id, queue.look(w, card.public_id).version, decision, "tone")
