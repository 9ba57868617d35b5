"""How a room is run: locked or not, slow or not, its hours, and whether somebody of the staff reads along now.

Everybody in the room is told how it stands (`room.climate`), so that no refusal comes as a surprise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update

from app.core import audit, clock
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import hours, rooms, rules
from groups.models import Group, GroupSession, Room

SLOW = (0, 10, 30, 60)  # seconds between two messages of one member, to choose from
CALM = timedelta(minutes=5)  # how long a room stays slow by itself after a burst

_STANDS = select(
    Room.id,
    Room.public_id.label("room"),
    Room.kind,
    Room.only_staff_writes,
    Room.slow_seconds,
    Room.calm_until,
    Group.open_hours,
    Group.staffed_hours,
    Group.timezone,
    exists()
    .where(GroupSession.group_id == Group.id, GroupSession.status == "open", Room.kind == "group")
    .label("session"),
).join(Group, Group.id == Room.group_id)


@dataclass(frozen=True, slots=True)
class Climate:
    """How a room stands now, for everybody in it. `open` says whether members may write at this hour.

    `opens_at` is set while it is shut, `staff_back_at` while no staff reads along; `changes_in` is the seconds until
    one of these turns by the clock.
    """

    room: str
    locked: bool
    slow_seconds: int
    seconds_calm: int
    open: bool
    opens_at: datetime | None
    staff_back_at: datetime | None
    changes_in: int | None

    @property
    def seconds_between(self) -> int:
        """How long a member waits between two messages now."""
        return max(self.slow_seconds, rules.CALM_SECONDS if self.seconds_calm else 0)

    def as_dict(self) -> dict[str, Any]:
        """As the event `room.climate` and the acknowledgement of `room.join` carry it."""
        return {
            "room": self.room,
            "locked": self.locked,
            "slow_seconds": self.slow_seconds,
            "seconds_calm": self.seconds_calm,
            "seconds_between": self.seconds_between,
            "open": self.open,
            "opens_at": clock.iso_minute(self.opens_at) if self.opens_at else None,
            "staff_back_at": clock.iso_minute(self.staff_back_at) if self.staff_back_at else None,
            "changes_in": self.changes_in,
        }


def of(w: Work, found: rooms.Place) -> Climate:
    """How the room stands, for whoever has a place in it. One query."""
    return _now(w, w.db.execute(_STANDS.where(Room.id == found.room_id)).one())


def hours_of(w: Work, found: rooms.Place) -> dict[str, str]:
    """The hours of a group as they are spelled, for its facilitators: `open` and `staffed`. One query."""
    row = w.db.execute(select(Group.open_hours, Group.staffed_hours).where(Group.id == found.group_id)).one()
    return {"open": row.open_hours, "staffed": row.staffed_hours}


def slow(w: Work, group: str, seconds: int) -> None:
    """Let members of a group's room wait between two messages; 0 ends it, also where the room slowed by itself.

    For facilitators of the group. Writes the room and an audit line; announces the climate. Raises `Invalid`.
    """
    found = rooms.lead_place(w, group)
    if seconds not in SLOW:
        raise Invalid
    values: dict[str, Any] = {"slow_seconds": seconds}
    if not seconds:
        values["calm_until"] = None
    w.db.execute(update(Room).where(Room.id == found.room_id).values(**values))
    audit.record(w, "room.slowed" if seconds else "room.unslowed", "room", found.room_id)
    tell(w, [found.room_id])


def lock(w: Work, group: str, locked: bool) -> None:
    """Let only staff write in a group's room, outside sessions too, or everybody again.

    For facilitators of the group. Writes the room and an audit line; announces the climate.
    """
    found = rooms.lead_place(w, group)
    w.db.execute(update(Room).where(Room.id == found.room_id).values(only_staff_writes=locked))
    audit.record(w, "room.locked" if locked else "room.unlocked", "room", found.room_id)
    tell(w, [found.room_id])


def keep_hours(w: Work, group: str, opening: Iterable[hours.Window], staffed: Iterable[hours.Window]) -> None:
    """Set when a group's room may be written in, and when staff reads along; none at all means always.

    For facilitators of the group. Writes the group and an audit line; announces the climate of all its rooms. Raises
    `Invalid` for hours that overlap.
    """
    found = rooms.lead_place(w, group)
    values = {"open_hours": hours.spell(opening), "staffed_hours": hours.spell(staffed)}
    w.db.execute(update(Group).where(Group.id == found.group_id).values(**values))
    audit.record(w, "group.hours", "group", found.group_id)
    tell(w, w.db.scalars(select(Room.id).where(Room.group_id == found.group_id, Room.closed_at.is_(None))))


def notice_flood(w: Work, room_id: int) -> bool:
    """Slow a room by itself for five minutes: so much came at once that nobody could follow (`groups.talk.tempo`).

    Called by who stores messages. Writes the room and announces its climate, unless it was slowed this very minute;
    returns whether it did. Nobody is named: the room slows for all members alike.
    """
    until = w.now + CALM
    changed = w.db.execute(
        update(Room)
        .where(
            Room.id == room_id,
            Room.calm_until.is_(None) | (Room.calm_until < until - timedelta(minutes=1)),
        )
        .values(calm_until=until)
        .returning(Room.id)
    ).first()
    if changed is None:
        return False
    tell(w, [room_id])
    return True


def staff_back_at(w: Work, group_id: int) -> datetime | None:
    """When somebody of the staff reads along again; None while they do. One query. Raises `NotFound`."""
    row = w.db.execute(select(Group.staffed_hours, Group.timezone).where(Group.id == group_id)).first()
    if row is None:
        raise NotFound(N_("Deze groep is er niet meer."))
    return hours.back_at(row.staffed_hours, row.timezone, w.now)


def tell(w: Work, room_ids: Iterable[int]) -> None:
    """Announce to everybody in these rooms how they stand. One query."""
    for row in w.db.execute(_STANDS.where(Room.id.in_(list(room_ids)))).all():
        w.announce(f"room:{row.room}", "room.climate", _now(w, row).as_dict())


def _now(w: Work, row: Any) -> Climate:
    """What holds at this moment. Opening hours count in a group's room; during a session staff is there anyway."""
    opening = row.open_hours if row.kind == "group" and not row.session else ""
    staffed = "" if row.session or row.kind == "breakout" else row.staffed_hours
    calm = max(0, round((row.calm_until - w.now).total_seconds())) if row.calm_until else 0
    opens = hours.back_at(opening, row.timezone, w.now)
    back = hours.back_at(staffed, row.timezone, w.now)
    turns = [opens, back, hours.until(opening, row.timezone, w.now), hours.until(staffed, row.timezone, w.now)]
    ahead = [round((turn - w.now).total_seconds()) for turn in turns if turn is not None]
    if calm:
        ahead.append(calm)
    return Climate(
        room=row.room,
        locked=row.only_staff_writes,
        slow_seconds=row.slow_seconds,
        seconds_calm=calm,
        open=opens is None,
        opens_at=opens,
        staff_back_at=back,
        changes_in=min(ahead) if ahead else None,
    )
