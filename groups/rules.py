"""Who may do what in which room, and when. Pure: facts in, a refusal or nothing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from zoneinfo import ZoneInfo

from app.core.errors import AppError, Closed, Forbidden, Muted, RateLimited
from app.core.i18n import N_
from groups import hours

MEMBER, FACILITATOR = "member", "facilitator"
ENOUGH, FEW = 5, 3  # answers before numbers may be shown; before they may if all who answered agree
SMALL = 5  # members; in a group so small, two are already many
CALM_SECONDS = 20  # between two messages of one member while the room is slow by itself

_OPENS = (
    N_("De ruimte gaat maandag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
    N_("De ruimte gaat dinsdag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
    N_("De ruimte gaat woensdag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
    N_("De ruimte gaat donderdag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
    N_("De ruimte gaat vrijdag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
    N_("De ruimte gaat zaterdag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
    N_("De ruimte gaat zondag om {time} uur weer open. Meelezen kan; wat je typte staat er nog."),
)
_IN_SOME = N_("We doen het nu rustig aan. Over {seconds} tellen kun je weer iets plaatsen; wat je typte staat er nog.")
_IN_ONE = N_("We doen het nu rustig aan. Over één tel kun je weer iets plaatsen; wat je typte staat er nog.")
_OPENS_TODAY = N_("De ruimte gaat vandaag om {time} uur weer open. Meelezen kan; wat je typte staat er nog.")


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether somebody may post: who they are in the room, and how the room stands.

    `out` asks somebody to stay out of the running session, `paused` is a session whose clock stands still. `open_hours`
    (as `groups.hours` spells them, in `timezone`) count in a group's room outside sessions: `kind` and `session` say
    which. `seconds_since_last` is how long ago they posted here, None where that does not matter.
    """

    role: str
    muted_until: datetime | None
    room_closed: bool
    only_staff_writes: bool
    out: bool = False
    paused: bool = False
    open_hours: str = ""
    timezone: str = "Europe/Amsterdam"
    slow_seconds: int = 0
    calm_until: datetime | None = None
    seconds_since_last: float | None = None
    closed_at: datetime | None = None
    kind: str = "group"
    session: bool = False


def may_post(standing: Standing, now: datetime) -> AppError | None:
    """Why this person may not post here now, or None if they may."""
    if standing.room_closed or (standing.closed_at is not None and standing.closed_at <= now):
        return Closed(N_("Deze ruimte is dicht. Wat je typte is niet verstuurd en staat er nog."))
    if standing.role == FACILITATOR:
        return None
    return _kept_from_writing(standing, now) or _too_soon(standing, now)


def seconds_between(slow_seconds: int, calm_until: datetime | None, now: datetime) -> int:
    """How long a member waits between two messages now: as set by hand, or longer while the room is slow by itself."""
    return max(slow_seconds, CALM_SECONDS if calm_until is not None and calm_until > now else 0)


def may_count(answers: int, few_ok: bool = False) -> bool:
    """May numbers, or texts without names, be shown? From five answers on: with fewer, they point at a person.

    From three on, if everybody who answered said that few is fine (`few_ok`).
    """
    return answers >= ENOUGH or (few_ok and answers >= FEW)


def hides(flaggers: int, members: int) -> bool:
    """Do so many different members who flagged one message take it away until staff looks? Never one by themselves."""
    return flaggers >= (2 if members <= SMALL else 3)


def quiets(flags: int, messages: int, flaggers: int, members: int) -> bool:
    """Do so many flags, on so many messages of one author, by so many members, let the author only read for now?"""
    return flags >= 5 and messages >= 2 and hides(flaggers, members)


def _kept_from_writing(standing: Standing, now: datetime) -> AppError | None:
    """What waiting a few seconds does not help against. The first reason that holds is told."""
    if standing.out:
        return Forbidden(N_("De begeleider vroeg je om nu even niet mee te doen. Wat je typte staat er nog."))
    if standing.muted_until is not None and standing.muted_until > now:
        return Muted(N_("Je kunt nu even alleen meelezen. Wat je typte staat er nog."))
    if standing.paused:
        return Forbidden(N_("We pauzeren even. Straks kun je weer schrijven; wat je typte staat er nog."))
    if standing.only_staff_writes:
        return Forbidden(N_("Nu schrijft alleen de begeleider. Wat je typte staat er nog."))
    if standing.kind == "group" and not standing.session:
        return _outside_hours(standing, now)
    return None


def _outside_hours(standing: Standing, now: datetime) -> AppError | None:
    opens = hours.back_at(standing.open_hours, standing.timezone, now)
    if opens is None:
        return None
    zone = ZoneInfo(standing.timezone)
    there, here = opens.astimezone(zone), now.astimezone(zone)
    words = _OPENS_TODAY if there.date() == here.date() else _OPENS[there.isoweekday() - 1]
    return Closed(words, time=there.strftime("%H.%M"))


def _too_soon(standing: Standing, now: datetime) -> AppError | None:
    between = seconds_between(standing.slow_seconds, standing.calm_until, now)
    if standing.seconds_since_last is None or standing.seconds_since_last >= between:
        return None
    wait = max(1, ceil(between - max(0.0, standing.seconds_since_last)))
    return RateLimited(_IN_ONE if wait == 1 else _IN_SOME, retry_after=wait, seconds=wait)
