"""Reminders of planned sessions: a day before and an hour before, in words that say nothing to who looks along.

Each is queued once a person, session and moment, whatever restarts: its key names all three. A session that moved has
another moment, and reminds anew. Who said they cannot come is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select

from app.core.work import Database, Work
from app.notify import outbox
from app.notify.models import Notice, OutboxItem
from groups.agenda.planning import ABOUT
from groups.models import Absence, GroupSession, Membership
from groups.rules import MEMBER

OVER = timedelta(hours=3)  # after its beginning nobody needs a line about when a session begins


@dataclass(slots=True)
class _Ahead:
    """How long before a session its reminders come; nothing for none."""

    day: timedelta = timedelta(hours=24)
    hour: timedelta = timedelta(minutes=60)


_ahead = _Ahead()


@dataclass(frozen=True, slots=True)
class _Due:
    person_id: int
    kind: str
    ref: str
    key: str


def send_before(hours: int, minutes: int) -> None:
    """Set how long before a session the two reminders come (`docs/settings.md`); 0 for none. Called at the start."""
    _ahead.day, _ahead.hour = timedelta(hours=hours), timedelta(minutes=minutes)


def sweep(database: Database) -> int:
    """Queue the reminders that are due now, and return how many. Writes only when there are any."""
    with database.read() as r:
        if not _due(r):
            return 0
    with database.work() as w:
        due = _due(w)
        for kind, ref in {(item.kind, item.ref) for item in due}:
            for older in ABOUT[: ABOUT.index(kind)]:
                outbox.settle(w, older, [ref])  # one line at a time about one session
        for item in due:
            outbox.queue(w, item.person_id, item.kind, item.ref, item.key)
    return len(due)


def put_away(database: Database) -> int:
    """Put away the lines about sessions that have begun or are off; returns about how many sessions."""
    with database.read() as r:
        if not _stale(r):
            return 0
    with database.work() as w:
        refs = _stale(w)
        for kind in ABOUT:
            outbox.settle(w, kind, refs)
    return len(refs)


def _due(w: Work) -> list[_Due]:
    """What is due and not queued yet. Two queries."""
    longest = max(_ahead.day, _ahead.hour)
    rows = w.db.execute(
        select(
            GroupSession.id, GroupSession.public_id, GroupSession.starts_at, Membership.person_id, Membership.public_id
        )
        .join(Membership, Membership.group_id == GroupSession.group_id)
        .where(
            GroupSession.status == "planned",
            GroupSession.starts_at > w.now,
            GroupSession.starts_at <= w.now + longest,
            Membership.role == MEMBER,
            Membership.left_at.is_(None),
            ~exists().where(Absence.session_id == GroupSession.id, Absence.membership_id == Membership.id),
        )
        .order_by(GroupSession.starts_at, Membership.id)
    )
    due = []
    for session_id, ref, starts_at, person_id, member in rows:
        kind = _kind(starts_at - w.now)
        if kind:
            key = f"{kind}:{session_id}:{_stamp(starts_at)}:{member}"
            due.append(_Due(person_id, kind, ref, key))
    known = set(w.db.scalars(select(OutboxItem.key).where(OutboxItem.key.in_([item.key for item in due]))))
    return [item for item in due if item.key not in known]


def _kind(left: timedelta) -> str:
    """Which reminder fits the time that is left. A day's notice that comes half a day late helps nobody."""
    if left <= _ahead.hour:
        return "reminder_hour"
    return "reminder_day" if _ahead.day / 2 < left <= _ahead.day else ""


def _stamp(starts_at: datetime) -> int:
    return int(starts_at.timestamp()) // 60


def _stale(w: Work) -> list[str]:
    """Sessions about whose beginning somebody still has a line, and that have begun or are off."""
    query = (
        select(GroupSession.public_id)
        .join(Notice, Notice.ref == GroupSession.public_id)
        .where(
            Notice.kind.in_(ABOUT),
            Notice.read_at.is_(None),
            (GroupSession.status != "planned") | (GroupSession.starts_at < w.now - OVER),
        )
        .distinct()
    )
    return list(w.db.scalars(query))
