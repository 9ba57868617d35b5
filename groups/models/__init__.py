"""The tables of groups: places (who is where), messages (what is said), sessions (what is led)."""

from groups.models.messages import Hiding, Message, MessageVersion, Reaction, Topic, message_row, version_row
from groups.models.places import CalendarFeed, GlassBreak, Group, Membership, Room, Seat, WaitingPlace
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
    "FollowUp",
    "GlassBreak",
    "Group",
    "GroupSession",
    "Hiding",
    "Membership",
    "Message",
    "MessageVersion",
    "Reaction",
    "Room",
    "Seat",
    "Series",
    "SessionNote",
    "SessionStep",
    "Topic",
    "Turn",
    "WaitingPlace",
    "answer_row",
    "message_row",
    "version_row",
]
