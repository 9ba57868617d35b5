"""Who did what to whose data, when and why: rows that are only ever added, each sealed onto the one before.

A line holds ids and codes, never a person's text. `verify` finds every edit and removal inside the chain;
removal at its end shows against an exported head.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, Moment
from app.core.work import Work

_START = "0" * 64


class AuditLine(Base):
    __tablename__ = "audit_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor_id: Mapped[int | None]
    actor_role: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(60))
    object_kind: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(60), default="")
    seal: Mapped[str] = mapped_column(String(64))


def record(
    w: Work, action: str, object_kind: str, object_id: int, reason: str = "", *, by_itself: bool = False
) -> None:
    """Add one line in the caller's transaction. `action` and `reason` are codes, never free text.

    With `by_itself` the line names nobody: what several did together, and none of them may be known to have done.
    """
    actor = None if by_itself else w.actor
    line = AuditLine(
        at=w.now.replace(microsecond=0),
        actor_id=actor.person_id if actor else None,
        actor_role=actor.role.value if actor else "system",
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        reason=reason,
    )
    if w.db.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time already
        w.db.execute(select(func.pg_advisory_xact_lock(0x5A4D)))
    line.seal = _seal(w.seal_key, _head(w.db), line)
    w.db.add(line)
    w.db.flush()


def verify(db: Session, seal_key: bytes) -> int | None:
    """The id of the first line that does not fit the chain, or None if all do."""
    previous = _START
    for line in db.scalars(select(AuditLine).order_by(AuditLine.id)).yield_per(1000):
        if not hmac.compare_digest(line.seal, _seal(seal_key, previous, line)):
            return line.id
        previous = line.seal
    return None


def _head(db: Session) -> str:
    return db.scalar(select(AuditLine.seal).order_by(AuditLine.id.desc()).limit(1)) or _START


def _seal(key: bytes, previous: str, line: AuditLine) -> str:
    fields = [line.at.isoformat(), line.actor_id, line.actor_role, line.action]
    fields += [line.object_kind, line.object_id, line.reason]
    message = previous + json.dumps(fields, separators=(",", ":"))
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
