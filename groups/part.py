"""What groups offer to the house."""

from __future__ import annotations

from app.part import Part
from groups import live, personal, rooms, subjects, sweeps
from groups.after import followups
from groups.led.sessions import on_close
from groups.own.goals import left
from groups.people import waiting
from groups.people.leaving import on_leave
from groups.programme.sharing import leave
from groups.web import (
    afterwards,
    attending,
    calendar,
    checkups,
    code,
    conducting,
    glass,
    goals,
    holding,
    joining,
    leading,
    leaving,
    messages,
    plan,
    planning,
    programme,
    room,
    running,
    sessions,
    sharing,
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
        sharing.blueprint,
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
        goals.blueprint,
        checkups.blueprint,
        plan.blueprint,
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
        "goal": subjects.GoalSubject(),
        "share": subjects.ShareSubject(),
    },
)

on_close("follow_ups", followups.follow)
on_leave("waiting", waiting.place_came_free)
on_leave("goals", left)
on_leave("shares", leave)
