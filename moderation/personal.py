"""What moderation keeps of a person: what they asked to be looked at, what they decided as a reviewer, and the notes
they wrote with it.

What was reviewed of somebody is found by the packages that keep it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from app.core.work import Work
from moderation.models import Case, Flag


def export(w: Work, person_id: int) -> dict[str, Any]:
    """What this person flagged and the cases they decided, without what they were about."""
    flagged = w.db.execute(
        select(Flag.at, Flag.reason).where(Flag.person_id == person_id).order_by(Flag.at, Flag.id)
    ).all()
    rows = w.db.scalars(select(Case).where(Case.decided_by == person_id).order_by(Case.decided_at)).all()
    notes = w.ring.open_all(Case.note, [(case.public_id, case.note) for case in rows])
    found = {
        "flagged": [{"on": row.at.date().isoformat(), "reason": row.reason} for row in flagged],
        "decisions": [
            {
                "on": case.decided_at.date().isoformat() if case.decided_at else "",
                "decision": case.decision,
                "reason": case.reason,
                "note": note,
            }
            for case, note in zip(rows, notes, strict=True)
        ],
    }
    return {name: kept for name, kept in found.items() if kept}


def check(w: Work, person_id: int) -> None:
    """Nobody is left without a reviewer by one who goes: the group's facilitators see its cases too."""


def erase(w: Work, person_id: int) -> None:
    """Decisions stay, without who took them and without their note. What they flagged is forgotten as theirs; the case
    it opened stays, and so does a case about what they wrote as staff, without their name.
    """
    w.db.execute(delete(Flag).where(Flag.person_id == person_id))
    w.db.execute(update(Case).where(Case.decided_by == person_id).values(decided_by=None, note=None))
    w.db.execute(update(Case).where(Case.staff_id == person_id).values(staff_id=None))
