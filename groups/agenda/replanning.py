"""What was planned turns out otherwise: another moment, a week later with all that follows, not at all, or more of it.

Everybody in the group hears of it once, in neutral words, but for whoever changed it. Reminders of the old moment are
put away; the new moment has its own (`groups.agenda.reminders`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.core import audit, clock, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.agenda import planning, steering
from groups.agenda.series import Slot, later
from groups.models import Group, GroupSession, Series

OPEN_ALREADY = N_("Deze bijeenkomst is al open of voorbij. Er is niets veranderd.")


def move(w: Work, session_ref: str, version: int, starts_at: datetime, minutes: int) -> None:
    """Give one planned session another moment or length. For facilitators of the group.

    Writes the session and an audit line; queues a notice to everybody else in the group. Raises `Closed` when it
    moved meanwhile or is over, `Invalid`, `NotFound`, `Forbidden`.
    """
    session, found = _ahead(w, session_ref)
    planning.check_length(minutes)
    planning.check_moment(w, starts_at)
    steering.change(w, session, version, starts_at=clock.minute(starts_at), minutes=minutes)
    audit.record(w, "session.moved", "session", session.id)
    _put_away(w, session)
    _tell(w, found, "session_moved", session.public_id, f"moved:{session.id}:{version}")


def skip(w: Work, session_ref: str, version: int, *, shift: bool) -> None:
    """Skip this week: the session and all that follow in its series move on by one turn, or it falls out (`cancel`).

    For facilitators of the group. Writes the sessions and an audit line; queues one notice to everybody else. Raises
    as `move`, and `Invalid` when there is no series to shift.
    """
    if not shift:
        cancel(w, session_ref, version)
        return
    session, found = _ahead(w, session_ref)
    if session.series_id is None:
        raise Invalid(N_("Deze bijeenkomst hoort niet bij een reeks. Kies een ander moment."))
    rooms.lock_group(w, found.group_id)
    series = w.db.get_one(Series, session.series_id)
    steering.change(w, session, version)
    zone = ZoneInfo(found.timezone)
    for other in _rest(w, session):
        other.starts_at = later(other.starts_at, series.every_days, zone)
        if other.id != session.id:
            other.version += 1
        _put_away(w, other)
    w.db.flush()
    audit.record(w, "series.shifted", "series", series.id)
    _tell(w, found, "series_changed", series.public_id, f"shifted:{session.id}:{version}")


def cancel(w: Work, session_ref: str, version: int) -> None:
    """Let one planned session fall out. For facilitators of the group. It stays in the record as cancelled.

    Writes the session and an audit line; queues a notice to everybody else in the group. Raises as `move`.
    """
    session, found = _ahead(w, session_ref)
    steering.change(w, session, version, status="cancelled", closed_at=w.now)
    audit.record(w, "session.cancelled", "session", session.id)
    _put_away(w, session)
    _tell(w, found, "session_cancelled", session.public_id, f"cancelled:{session.id}")


def extend(w: Work, series_ref: str, count: int, more: int) -> None:
    """Add sessions at the end of a series that has `count` now; its booster moves on with the end.

    For facilitators of the group. Writes the sessions, the series and an audit line; queues one notice to everybody
    else. Raises `Closed` when the series is another length by now, `Invalid`, `NotFound`, `Forbidden`.
    """
    series, found = _series(w, series_ref)
    rooms.lock_group(w, found.group_id)
    w.db.refresh(series)
    if series.count != count:
        raise Closed(N_("De reeks is net veranderd. Je ziet nu hoe hij is; er is niets dubbel gepland."))
    if more < 1 or count + more > planning.MOST_SESSIONS:
        raise Invalid(N_("Een reeks heeft ten hoogste twintig bijeenkomsten. Er is niets veranderd."))
    mine = list(w.db.scalars(select(GroupSession).where(GroupSession.series_id == series.id)))
    last = max(s.starts_at for s in mine if not s.booster)
    zone = ZoneInfo(found.timezone)
    ends = later(last, series.every_days * more, zone)
    planning.check_moment(w, ends)
    for n in range(1, more + 1):
        at = later(last, series.every_days * n, zone)
        slot = Slot(count + n, at.astimezone(zone).date(), at, booster=False)
        planning.make(w, found, "", at, series.minutes, series, slot)
    for booster in (s for s in mine if s.booster and s.status == "planned"):
        booster.number += more
        booster.starts_at = later(ends, 7 * series.booster_weeks, zone)
        booster.version += 1
        _put_away(w, booster)
    series.count += more
    w.db.flush()
    audit.record(w, "series.extended", "series", series.id)
    _tell(w, found, "series_changed", series.public_id, f"longer:{series.id}:{series.count}")


def _ahead(w: Work, session_ref: str) -> tuple[GroupSession, rooms.Place]:
    """A session one leads, and that is still to come."""
    session, found = steering.lead(w, session_ref)
    if session.status != "planned":
        raise Closed(OPEN_ALREADY)
    return session, found


def _series(w: Work, series_ref: str) -> tuple[Series, rooms.Place]:
    if not ids.is_ref(series_ref):
        raise NotFound
    row = w.db.execute(
        select(Series, Group.public_id).join(Group, Group.id == Series.group_id).where(Series.public_id == series_ref)
    ).first()
    if row is None:
        raise NotFound
    return row[0], rooms.lead_place(w, row[1])


def _rest(w: Work, session: GroupSession) -> list[GroupSession]:
    """A session and the planned ones that come after it in its series, the last one first."""
    query = select(GroupSession).where(
        GroupSession.series_id == session.series_id,
        GroupSession.status == "planned",
        (GroupSession.id == session.id) | (GroupSession.starts_at > session.starts_at - timedelta(minutes=1)),
    )
    return list(w.db.scalars(query.order_by(GroupSession.starts_at.desc(), GroupSession.id.desc())))


def _put_away(w: Work, session: GroupSession) -> None:
    for kind in planning.ABOUT:
        outbox.settle(w, kind, [session.public_id])


def _tell(w: Work, found: rooms.Place, kind: str, ref: str, key: str) -> None:
    for member in rooms.members(w, found):
        if member.person_id != w.who.person_id:
            outbox.queue(w, member.person_id, kind, ref, f"{key}:{member.ref}")
