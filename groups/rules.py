"""Who may do what in which room, and when. Pure: facts in, a refusal or nothing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core.errors import AppError, Closed, Forbidden, Muted
from app.core.i18n import N_

MEMBER, FACILITATOR = "member", "facilitator"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether somebody may post: their role and mute in the room, and the state of the room."""

    role: str
    muted_until: datetime | None
    room_closed: bool
    only_staff_writes: bool


def may_post(standing: Standing, now: datetime) -> AppError | None:
    """Why this person may not post here now, or None if they may."""
    if standing.room_closed:
        return Closed(N_("Deze ruimte is dicht. Wat je typte is niet verstuurd en staat er nog."))
    if standing.role == FACILITATOR:
        return None
    if standing.muted_until is not None and standing.muted_until > now:
        return Muted(N_("De begeleider vroeg je om even mee te lezen. Wat je typte staat er nog."))
    if standing.only_staff_writes:
        return Forbidden(N_("Nu schrijft alleen de begeleider. Wat je typte staat er nog."))
    return None


def may_count(answers: int) -> bool:
    """May a tally be shown? From three answers on: with fewer, a number points at a person."""
    return answers >= 3
