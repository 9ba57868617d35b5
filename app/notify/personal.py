"""What the inbox keeps of a person: lines and deliveries, kinds and references, never a text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from app.core.work import Work
from app.notify.models import Notice, OutboxItem


def export(w: Work, person_id: int) -> dict[str, Any]:
    """The person's inbox. One query."""
    rows = w.db.scalars(select(Notice).where(Notice.person_id == person_id).order_by(Notice.id))
    return {"notices": [{"kind": n.kind, "on": n.at.date().isoformat(), "read": n.read_at is not None} for n in rows]}


def erase(w: Work, person_id: int) -> None:
    """Remove the person's lines, and what was still to be delivered."""
    w.db.execute(delete(OutboxItem).where(OutboxItem.person_id == person_id))
    w.db.execute(delete(Notice).where(Notice.person_id == person_id))
