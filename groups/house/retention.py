"""How long what is written stays: forgotten by itself, and everybody can see when.

A change takes effect a week after it was made, whichever way it goes: members wrote under what stood there, and are
told first. What an open case is about stays until it is decided. Numbers of messages are never given again, so a screen
that was away for months still finds its place.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import delete, exists, func, select, update

from app.core import audit
from app.core.errors import Invalid
from app.core.i18n import N_
from app.core.work import Database, Work
from app.notify import outbox
from groups import rooms
from groups.models import (
    Group,
    GroupSession,
    Hiding,
    Membership,
    Message,
    MessageVersion,
    Reaction,
    Room,
    SessionNote,
    Topic,
)
from moderation.models import Case, Flag

SHORTEST, LONGEST = 30, 365  # days
NOTICE = timedelta(days=7)  # between a change and its taking effect
_TOGETHER = 500  # messages in one transaction: nobody who writes has to wait for long


@dataclass(frozen=True, slots=True)
class Kept:
    """How long messages stay. `oldest_in` is in how many days the oldest goes, None in an empty room; `next_days` from
    `next_on` where that changes.
    """

    days: int
    oldest_in: int | None
    next_days: int | None
    next_on: date | None


def of(w: Work, found: rooms.Place) -> Kept:
    """How long messages of this room stay, for whoever has a place in it. Two indexed queries."""
    row = w.db.execute(
        select(Group.retention_days, Group.retention_next, Group.retention_next_on).where(Group.id == found.group_id)
    ).one()
    oldest = w.db.scalar(
        select(Message.at)
        .where(Message.room_id == found.room_id, Message.seq.is_not(None))
        .order_by(Message.seq)
        .limit(1)
    )
    left = None
    if oldest is not None:
        goes = goes_at(oldest, row.retention_days, row.retention_next, row.retention_next_on)
        left = max(0, -((w.now - goes) // timedelta(days=1)))
    return Kept(row.retention_days, left, row.retention_next, row.retention_next_on)


def goes_at(written: datetime, days: int, next_days: int | None, next_on: date | None) -> datetime:
    """When a message goes that was written then, given a change that may be coming."""
    goes = written + timedelta(days=days)
    if next_days is None or next_on is None:
        return goes
    turn = datetime.combine(next_on, time(), tzinfo=UTC)
    return goes if goes < turn else max(turn, written + timedelta(days=next_days))


def keep_for(w: Work, group: str, days: int) -> None:
    """Change how long messages of a group stay, a week from now. The same number as now takes a change back.

    For facilitators of the group. Writes the group and an audit line; queues a line to everybody else in the group.
    Raises `Invalid` outside 30 to 365 days.
    """
    found = rooms.lead_place(w, group)
    if not SHORTEST <= days <= LONGEST:
        raise Invalid(N_("Kies een aantal dagen van 30 tot en met 365. Er is nog niets veranderd."))
    row = w.db.execute(
        select(Group.retention_days, Group.retention_next).where(Group.id == found.group_id).with_for_update()
    ).one()
    if days == (row.retention_next or row.retention_days):
        return
    upon = None if days == row.retention_days else (w.now + NOTICE).date()
    w.db.execute(
        update(Group)
        .where(Group.id == found.group_id)
        .values(retention_next=days if upon else None, retention_next_on=upon)
    )
    audit.record(w, "group.retention", "group", found.group_id, str(days))
    everybody = select(Membership.person_id, Membership.public_id).where(
        Membership.group_id == found.group_id,
        Membership.left_at.is_(None),
        Membership.person_id != w.who.person_id,
    )
    for person_id, ref in w.db.execute(everybody).all():
        outbox.queue(w, person_id, "retention", found.group, f"retention:{ref}:{days}:{w.now:%Y%m%d%H%M%S}")


def sweep(database: Database) -> int:
    """Forget what is older than its group keeps, with all that hangs on it. Returns how many messages went.

    Per room in transactions of at most 500 messages. Run again, or by two at once, it changes nothing more.
    """
    with database.work() as w:
        due = Group.retention_next_on <= w.now.date()
        values = {"retention_days": Group.retention_next, "retention_next": None, "retention_next_on": None}
        w.db.execute(update(Group).where(due, Group.retention_next.is_not(None)).values(**values))
        now = w.now
        places = w.db.execute(
            select(Room.id, Group.retention_days).join(Group, Group.id == Room.group_id).order_by(Room.id)
        ).all()
        groups = w.db.execute(select(Group.id, Group.retention_days)).all()
    gone = sum(_forget(database, row.id, now - timedelta(days=row.retention_days)) for row in places)
    for row in groups:
        _forget_notes(database, row.id, now - timedelta(days=row.retention_days))
    return gone


def _forget(database: Database, room_id: int, before: datetime) -> int:
    gone = 0
    while True:
        with database.read() as r:
            ids = _old(r, room_id, before)
        if not ids:
            return gone
        with database.work() as w:
            removed = _remove(w, ids)
            _tidy_topics(w, room_id, before.date())
        gone += removed
        if not removed:
            return gone  # a case was opened about all of them this very moment: the next sweep looks again


def _old(w: Work, room_id: int, before: datetime) -> list[int]:
    """The oldest messages of a room that may go now. Read in the order of their numbers, from the oldest: two indexed
    stretches, the numbered and the few that have none.
    """
    of_room = (Message.room_id == room_id) & Message.id.not_in(_looked_at(w))
    numbered = select(Message.id, Message.at).where(of_room, Message.seq.is_not(None))
    rows = list(w.db.execute(numbered.order_by(Message.seq).limit(_TOGETHER)))
    kept_back = select(Message.id, Message.at).where(of_room, Message.seq.is_(None), Message.at < before)
    rows += w.db.execute(kept_back.limit(_TOGETHER))
    return [row.id for row in rows if row.at < before]


def _looked_at(w: Work) -> set[int]:
    """The messages that somebody must still look at, or at a change of them. Two queries, of what is open only."""
    waiting = select(Case.subject_id).where(Case.decided_at.is_(None))
    of_changes = select(MessageVersion.message_id).where(
        MessageVersion.id.in_(waiting.where(Case.subject_kind == "edit"))
    )
    return {*w.db.scalars(waiting.where(Case.subject_kind == "message")), *w.db.scalars(of_changes)}


def _remove(w: Work, ids: Collection[int]) -> int:
    """Remove messages with what hangs on them, unless a case was opened about them meanwhile."""
    held = set(w.db.scalars(select(Message.id).where(Message.id.in_(ids)).with_for_update()))
    ids = held - _looked_at(w)
    if not ids:
        return 0
    for table in (MessageVersion, Reaction, Hiding):
        w.db.execute(delete(table).where(table.message_id.in_(ids)))
    w.db.execute(delete(Flag).where(Flag.subject_kind == "message", Flag.subject_id.in_(ids)))
    w.db.execute(delete(Message).where(Message.id.in_(ids)))
    return len(ids)


def _tidy_topics(w: Work, room_id: int, before: date) -> None:
    """Remove topics of which nothing is left to read, except the one that is talked about now."""
    oldest: Any = select(func.coalesce(func.min(Message.seq), 0)).where(Message.room_id == room_id).scalar_subquery()
    rows = w.db.execute(
        select(Topic.id, Topic.opened_on, Topic.from_seq, oldest.label("oldest"))
        .where(Topic.room_id == room_id)
        .order_by(Topic.from_seq, Topic.id)
    ).all()
    for row, later in pairwise(rows):
        if row.opened_on < before and (later.from_seq <= row.oldest or not row.oldest):
            w.db.execute(delete(Topic).where(Topic.id == row.id))


def _forget_notes(database: Database, group_id: int, before: datetime) -> None:
    """Notes to the facilitators go as messages do."""
    theirs = select(GroupSession.id).where(GroupSession.group_id == group_id)
    open_case = exists().where(
        Case.decided_at.is_(None), Case.subject_kind == "note", Case.subject_id == SessionNote.id
    )
    old = (SessionNote.session_id.in_(theirs)) & (SessionNote.at < before) & ~open_case.correlate(SessionNote)
    with database.read() as r:
        if r.db.scalar(select(SessionNote.id).where(old).limit(1)) is None:
            return
    with database.work() as w:
        w.db.execute(delete(SessionNote).where(old).execution_options(synchronize_session=False))
