"""What groups offer to the house."""

from __future__ import annotations

from app.part import Part
from groups import followups, live, personal, rooms, subjects, sweeps, waiting
from groups.leaving import on_leave
from groups.sessions import on_close
from groups.web import (
    afterwards,
    attending,
    calendar,
    code,
    conducting,
    glass,
    holding,
    joining,
    leading,
    leaving,
    messages,
    planning,
    programme,
    room,
    running,
    sessions,
    sheets,
    view,
)

PART = Part(
    name="groups",
    blueprints=(
        joining.blueprint,
        code.blueprint,
        room.blueprint,
        messages.blueprint,
        sessions.blueprint,
        programme.blueprint,
        leading.blueprint,
        leaving.blueprint,
        glass.blueprint,
        conducting.blueprint,
        holding.blueprint,
        attending.blueprint,
        afterwards.blueprint,
        planning.blueprint,
        sheets.blueprint,
        calendar.blueprint,
        running.blueprint,
        view.blueprint,
    ),
    sweeps=sweeps.SWEEPS,
    live_events=live.EVENTS,
    topic_kinds=("room", "lead"),
    may_follow=rooms.may_follow,
    personal=personal,
    subjects={
        "message": subjects.MessageSubject(),
        "edit": subjects.EditSubject(),
        "answer": subjects.AnswerSubject(),
        "note": subjects.NoteSubject(),
    },
)

on_close("follow_ups", followups.follow)
on_leave("waiting", waiting.place_came_free)
