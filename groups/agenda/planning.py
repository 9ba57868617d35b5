"""Planning sessions: when a group meets and on which chapter, one at a time or as a series.

What changes afterwards (moved, skipped, cancelled, more of them) is in `groups.agenda.replanning`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select
from sqlalchemy.orm import aliased

from app.core import audit, clock, ids
from app.core.errors import Closed, Invalid
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.agenda import runsheet
from groups.agenda.series import Pattern, Slot, slots
from groups.models import Absence, Group, GroupSession, Membership, Room, Series
from groups.programme.curriculum import programme
from groups.rules import MEMBER

LENGTHS = (60, 75, 90, 120)
LENGTH = 90
SESSIONS, BOOSTER_WEEKS = 8, 6  # of a series, unless chosen otherwise
MOST_SESSIONS, MOST_WEEKS, MOST_SKIPPED = 20, 26, 12
AHEAD = timedelta(days=400)

ABOUT = ("planned", "session_moved", "reminder_day", "reminder_hour")  # lines of an inbox about one session's moment

NOT_TO_COME = N_("Kies een dag en tijd die nog komen. Er is nog niets gepland.")


@dataclass(frozen=True, slots=True)
class Planned:
    """A session as lists show it.

    `number` of `count` is its place in its series. `absent` is whether the reader said they cannot come; how many
    `members` there are and how many said so (`excused`) is for whoever leads.
    """

    public_id: str
    group: str
    group_name: str
    room: str
    title: str
    starts_at: datetime
    minutes: int
    status: str
    role: str
    alias: str
    timezone: str
    version: int = 1
    number: int = 0
    count: int = 0
    booster: bool = False
    series: str = ""
    absent: bool = False
    members: int = 0
    excused: int = 0
    minimum: int = 0

    @property
    def leads(self) -> bool:
        return self.role != MEMBER

    @property
    def expected(self) -> int:
        """How many did not say they cannot come."""
        return max(0, self.members - self.excused)

    @property
    def few(self) -> bool:
        """Do fewer come than a session needs to start?"""
        return self.expected < self.minimum


@dataclass(frozen=True, slots=True)
class Draft:
    """One session of a series before it is saved. `clash`: the group meets at that moment already."""

    slot: Slot
    chapter: str
    title: str
    clash: bool


def plan(w: Work, group: str, chapter: str, starts_at: datetime, minutes: int) -> str:
    """Plan a session on a chapter, or on none, with its run-sheet. For facilitators of the group.

    Writes the session, its run-sheet and an audit line; queues a neutral notice to every member. Returns the
    public id. Raises `Forbidden`, `NotFound`, `Invalid`.
    """
    found = rooms.lead_place(w, group)
    programme(found.programme, found.language).chapter(chapter)
    check_length(minutes)
    check_moment(w, starts_at)
    session = make(w, found, chapter, starts_at, minutes)
    for member in rooms.members(w, found):
        if member.role == MEMBER:
            outbox.queue(w, member.person_id, "planned", session.public_id, f"planned:{session.id}:{member.ref}")
    audit.record(w, "session.planned", "session", session.id)
    return session.public_id


def preview(
    w: Work,
    group: str,
    pattern: Pattern,
    minutes: int,
    chapters: Sequence[str | None] = (),
    skipped: Collection[date] = (),
) -> list[Draft]:
    """The sessions a series would have: chapters in their order unless `chapters` names others. Writes nothing.

    For facilitators of the group. A place in `chapters` that is None, or missing, gets the chapter whose turn it is;
    an empty one follows no chapter. Raises `Forbidden`, `NotFound`, `Invalid`.
    """
    found = rooms.lead_place(w, group)
    check_length(minutes)
    if (
        not 2 <= pattern.count <= MOST_SESSIONS
        or not 0 <= pattern.booster_weeks <= MOST_WEEKS
        or pattern.every_days not in (7, 14)
        or not 0 <= pattern.at_minute < 24 * 60
        or len(skipped) > MOST_SKIPPED
    ):
        raise Invalid(N_("Kies twee tot twintig bijeenkomsten, elke week of om de week. Er is niets gepland."))
    met = slots(pattern, ZoneInfo(found.timezone), skipped)
    for slot in met[:1] + met[-1:]:
        check_moment(w, slot.starts_at)
    course = programme(found.programme, found.language)
    turn = [chapter.key for chapter in course.chapters]
    taken = _taken(w, found.group_id, [slot.starts_at for slot in met])
    drafts = []
    for n, slot in enumerate(met):
        chosen = chapters[n] if n < len(chapters) else None
        if chosen is None:
            chosen = turn[n] if n < len(turn) and not slot.booster else ""
        drafts.append(Draft(slot, chosen, course.chapter(chosen).title, slot.starts_at in taken))
    return drafts


def plan_series(
    w: Work,
    group: str,
    pattern: Pattern,
    minutes: int,
    chapters: Sequence[str | None] = (),
    skipped: Collection[date] = (),
) -> str:
    """Plan a whole series at once, or nothing of it. For facilitators of the group; returns the series' public id.

    Writes the series, its sessions with their run-sheets and an audit line; queues one neutral notice to every
    member. Raises what `preview` raises, and `Closed` where the group meets at one of the moments already, so that
    who taps twice plans once.
    """
    found = rooms.lead_place(w, group)
    rooms.lock_group(w, found.group_id)
    drafts = preview(w, group, pattern, minutes, chapters, skipped)
    if any(draft.clash for draft in drafts):
        raise Closed(N_("Op een van deze momenten komt de groep al samen. Er is niets dubbel gepland."))
    series = Series(
        public_id=ids.public_id(),
        group_id=found.group_id,
        starts_on=pattern.starts_on,
        at_minute=pattern.at_minute,
        minutes=minutes,
        count=pattern.count,
        every_days=pattern.every_days,
        booster_weeks=pattern.booster_weeks,
    )
    w.db.add(series)
    w.db.flush()
    for draft in drafts:
        make(w, found, draft.chapter, draft.slot.starts_at, minutes, series, draft.slot)
    for member in rooms.members(w, found):
        if member.role == MEMBER:
            outbox.queue(w, member.person_id, "planned_series", series.public_id, f"series:{series.id}:{member.ref}")
    audit.record(w, "series.planned", "series", series.id)
    return series.public_id


def make(
    w: Work,
    found: rooms.Place,
    chapter: str,
    starts_at: datetime,
    minutes: int,
    series: Series | None = None,
    slot: Slot | None = None,
) -> GroupSession:
    """Write a session with its run-sheet. For use-cases that checked who asks and what for."""
    session = GroupSession(
        public_id=ids.public_id(),
        group_id=found.group_id,
        series_id=series.id if series else None,
        number=slot.number if slot else 0,
        booster=bool(slot and slot.booster),
        chapter=chapter,
        starts_at=clock.minute(starts_at),
        minutes=minutes,
    )
    w.db.add(session)
    w.db.flush()
    runsheet.start(w, session, found, chapter)
    return session


def upcoming(w: Work, *, limit: int = 5) -> list[Planned]:
    """The sessions of one's own groups that are open or still to come, soonest first. One query."""
    rows = w.db.execute(_listed(w).limit(limit))
    return [_planned(row, w.who.language) for row in rows]


def planned(w: Work, public_id: str) -> Planned | None:
    """One session of one's own groups as lists show it, if it is open or still to come. One query."""
    row = w.db.execute(_listed(w).where(GroupSession.public_id == public_id)).first()
    return _planned(row, w.who.language) if row else None


def check_length(minutes: int) -> None:
    """Raise `Invalid` for a length that is not on the list."""
    if minutes not in LENGTHS:
        raise Invalid(N_("Kies een lengte uit de lijst. Er is nog niets gepland."))


def check_moment(w: Work, starts_at: datetime) -> None:
    """Raise `Invalid` for a moment that is over, or too far away."""
    if not w.now - timedelta(hours=1) <= starts_at <= w.now + AHEAD:
        raise Invalid(NOT_TO_COME)


def _taken(w: Work, group_id: int, moments: Sequence[datetime]) -> set[datetime]:
    query = select(GroupSession.starts_at).where(
        GroupSession.group_id == group_id,
        GroupSession.status.in_(("planned", "open")),
        GroupSession.starts_at.in_(moments),
    )
    return set(w.db.scalars(query))


def _listed(w: Work) -> Any:
    """The query behind lists of sessions."""
    other = aliased(Membership)
    excused = (
        select(func.count())
        .select_from(Absence)
        .join(other, other.id == Absence.membership_id)
        .where(Absence.session_id == GroupSession.id, other.left_at.is_(None))
        .scalar_subquery()
    )
    inside = (
        select(func.count())
        .select_from(other)
        .where(other.group_id == Group.id, other.role == MEMBER, other.left_at.is_(None))
        .scalar_subquery()
    )
    own = select(Absence.id).where(Absence.session_id == GroupSession.id, Absence.membership_id == Membership.id)
    return (
        select(
            GroupSession,
            Group,
            Room.public_id.label("room"),
            Membership.role,
            Membership.alias,
            Series.public_id.label("series"),
            Series.count.label("of"),
            own.exists().label("absent"),
            excused.label("excused"),
            inside.label("inside"),
        )
        .join(Group, Group.id == GroupSession.group_id)
        .join(Room, (Room.group_id == Group.id) & (Room.kind == "group"))
        .join(Membership, (Membership.group_id == Group.id) & (Membership.person_id == w.who.person_id))
        .outerjoin(Series, Series.id == GroupSession.series_id)
        .where(
            Membership.left_at.is_(None),
            (GroupSession.status == "open")
            | ((GroupSession.status == "planned") & (GroupSession.starts_at > w.now - timedelta(hours=3))),
        )
        .order_by(GroupSession.status, GroupSession.starts_at, GroupSession.id)
    )


def _planned(row: Row[Any], language: str) -> Planned:
    s, g = row.GroupSession, row.Group
    shown = Planned(
        public_id=s.public_id,
        group=g.public_id,
        group_name=g.name,
        room=row.room,
        title=programme(g.programme, language).chapter(s.chapter).title,
        starts_at=s.starts_at,
        minutes=s.minutes,
        status=s.status,
        role=row.role,
        alias=row.alias,
        timezone=g.timezone,
        version=s.version,
        number=s.number,
        count=row.of or 0,
        booster=s.booster,
        series=row.series or "",
        absent=row.absent,
    )
    if shown.leads:
        shown = replace(shown, members=row.inside, excused=row.excused, minimum=g.minimum)
    return shown
