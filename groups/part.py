"""What groups offer to the house."""

from __future__ import annotations

from app.part import Part
from groups import live, subjects
from groups.web import joining, leading, programme, room, sessions

PART = Part(
    name="groups",
    blueprints=(
        joining.blueprint,
        room.blueprint,
        sessions.blueprint,
        programme.blueprint,
        leading.blueprint,
    ),
    live_events=live.EVENTS,
    subjects={"message": subjects.MessageSubject(), "answer": subjects.AnswerSubject()},
)
