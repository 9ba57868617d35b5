"""Queue a delivery inside the transaction that made it necessary; deliver it, at least once, afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from app.core.work import Database, Work
from app.notify import senders
from app.notify.models import Notice, OutboxItem

log = structlog.get_logger()

BATCH = 100
KEPT = timedelta(days=30)  # after which what was delivered and read is forgotten
LONGEST_WAIT = timedelta(minutes=5)  # between two tries of one delivery


@dataclass(frozen=True, slots=True)
class InboxLine:
    """One line of a person's inbox: a kind and a reference, the page makes the sentence."""

    id: int
    kind: str
    ref: str
    at: datetime


def queue(w: Work, person_id: int, kind: str, ref: str, key: str, *, due_at: datetime | None = None) -> None:
    """Queue one delivery, due now unless said otherwise. `key` names it: queueing it again changes nothing."""
    known = w.db.scalar(select(OutboxItem.id).where(OutboxItem.key == key))
    if known is None:
        w.db.add(OutboxItem(key=key, person_id=person_id, kind=kind, ref=ref, due_at=due_at or w.now, queued_at=w.now))
        w.db.flush()


def deliver(database: Database) -> int:
    """Deliver what is due, and return how many. Each delivery is marked in the transaction that makes it.

    Several workers may run this at once: on PostgreSQL each claims its own rows; SQLite has one writer anyway.
    """
    with database.read() as r:
        waits = select(OutboxItem.id).where(OutboxItem.sent_at.is_(None), OutboxItem.due_at <= r.now).limit(1)
        if r.db.scalar(waits) is None:
            return 0  # most looks find nothing, and then nobody who writes has to wait
    with database.work() as w:
        due = w.db.scalars(
            select(OutboxItem)
            .where(OutboxItem.sent_at.is_(None), OutboxItem.due_at <= w.now)
            .order_by(OutboxItem.due_at, OutboxItem.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        return sum(_deliver(w, item) for item in due)


def _deliver(w: Work, item: OutboxItem) -> bool:
    """One delivery. If it fails, it is tried again later, and nothing else waits for it."""
    item.attempts += 1
    try:
        with w.db.begin_nested():
            senders.in_app(w, item)
    except Exception:
        log.exception("delivery_failed", outbox=item.id, attempts=item.attempts)
        item.due_at = w.now + min(timedelta(seconds=2**item.attempts), LONGEST_WAIT)
        return False
    item.sent_at = w.now
    return True


def tidy(database: Database) -> int:
    """Forget deliveries made, and lines put away, a month ago. Returns how many."""
    with database.work() as w:
        before = w.now - KEPT
        sent = w.db.execute(delete(OutboxItem).where(OutboxItem.sent_at < before).returning(OutboxItem.id)).all()
        read = w.db.execute(delete(Notice).where(Notice.read_at < before).returning(Notice.id)).all()
    return len(sent) + len(read)


def settle(w: Work, kind: str, refs: Sequence[str]) -> None:
    """Put away everybody's lines about things that need nobody any more, and what was still to be delivered."""
    w.db.execute(
        update(Notice).where(Notice.kind == kind, Notice.ref.in_(refs), Notice.read_at.is_(None)).values(read_at=w.now)
    )
    w.db.execute(
        update(OutboxItem)
        .where(OutboxItem.kind == kind, OutboxItem.ref.in_(refs), OutboxItem.sent_at.is_(None))
        .values(sent_at=w.now)
    )


def inbox(w: Work, limit: int = 20) -> list[InboxLine]:
    """The unread lines of one's own inbox, newest first. One query."""
    rows = w.db.scalars(
        select(Notice)
        .where(Notice.person_id == w.who.person_id, Notice.read_at.is_(None))
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return [InboxLine(n.id, n.kind, n.ref, n.at) for n in rows]


def mark_read(w: Work, kind: str, ref: str) -> None:
    """Put away the lines about one thing."""
    w.db.execute(
        update(Notice)
        .where(
            Notice.person_id == w.who.person_id,
            Notice.kind == kind,
            Notice.ref == ref,
            Notice.read_at.is_(None),
        )
        .values(read_at=w.now)
    )
