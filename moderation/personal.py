"""What moderation keeps of a person: what they decided as a reviewer, and the notes they wrote with it.

What was reviewed of somebody is found by the packages that keep it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.core.work import Work
from moderation.models import Case


def export(w: Work, person_id: int) -> dict[str, Any]:
    """The cases this person decided, without what they were about."""
    rows = w.db.scalars(select(Case).where(Case.decided_by == person_id).order_by(Case.decided_at)).all()
    if not rows:
        return {}
    notes = w.ring.open_all(Case.note, [(case.public_id, case.note) for case in rows])
    return {
        "decisions": [
            {
                "on": case.decided_at.date().isoformat() if case.decided_at else "",
                "decision": case.decision,
                "reason": case.reason,
                "note": note,
            }
            for case, note in zip(rows, notes, strict=True)
        ]
    }


def check(w: Work, person_id: int) -> None:
    """Nobody is left without a reviewer by one who goes: the group's facilitators see its cases too."""


def erase(w: Work, person_id: int) -> None:
    """Decisions stay, without who took them and without their note."""
    w.db.execute(update(Case).where(Case.decided_by == person_id).values(decided_by=None, note=None))
