"""The tables of groups: places (who is where), messages (what is said), sessions (what is led), programme (what is
learned at home), own (a client's own tools)."""

from groups.models.messages import Hiding, Message, MessageVersion, Reaction, Topic, message_row, version_row
from groups.models.own import CheckUp, Goal, PlanCard, UrgeRide
from groups.models.places import CalendarFeed, GlassBreak, Group, Membership, Room, Seat, WaitingPlace
from groups.models.programme import Share, StepDone, StepQuestion
from groups.models.sessions import (
    Absence,
    Answer,
    Attendance,
    Breakout,
    FollowUp,
    GroupSession,
    Series,
    SessionNote,
    SessionStep,
    Turn,
    answer_row,
)

__all__ = [
    "Absence",
    "Answer",
    "Attendance",
    "Breakout",
    "CalendarFeed",
    "CheckUp",
    "FollowUp",
    "GlassBreak",
    "Goal",
    "Group",
    "GroupSession",
    "Hiding",
    "Membership",
    "Message",
    "MessageVersion",
    "PlanCard",
    "Reaction",
    "Room",
    "Seat",
    "Series",
    "SessionNote",
    "SessionStep",
    "Share",
    "StepDone",
    "StepQuestion",
    "Topic",
    "Turn",
    "UrgeRide",
    "WaitingPlace",
    "answer_row",
    "message_row",
    "version_row",
]
