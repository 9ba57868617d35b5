"""What groups offer to the house."""

from __future__ import annotations

from app.part import Part
from groups import live, personal, rooms, subjects
from groups.web import code, glass, joining, leading, leaving, programme, room, sessions

PART = Part(
    name="groups",
    blueprints=(
        joining.blueprint,
        code.blueprint,
        room.blueprint,
        sessions.blueprint,
        programme.blueprint,
        leading.blueprint,
        leaving.blueprint,
        glass.blueprint,
    ),
    live_events=live.EVENTS,
    topic_kinds=("room", "lead"),
    may_follow=rooms.may_follow,
    personal=personal,
    subjects={"message": subjects.MessageSubject(), "answer": subjects.AnswerSubject()},
)
