"""How a queued delivery reaches a person. In-app: a line in the inbox and, if a screen is open, a hint to it."""

from __future__ import annotations

from sqlalchemy import select

from app.core.work import Work
from app.notify.models import Notice, OutboxItem


def in_app(w: Work, item: OutboxItem) -> None:
    """Write the inbox line (once, whatever happens) and announce it. The hint holds a kind, never a text."""
    known = w.db.scalar(select(Notice.id).where(Notice.key == item.key))
    if known is None:
        w.db.add(Notice(key=item.key, person_id=item.person_id, kind=item.kind, ref=item.ref, at=w.now))
        w.announce(f"person:{item.person_id}", "notice", {"kind": item.kind, "ref": item.ref})
