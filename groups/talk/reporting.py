"""Flagging a message of one's room, and what several flags do while no staff reads along.

Outside staffed hours three different members (two in a group of five or fewer) take a message away until somebody has
looked, and five flags on several messages of one author let that author only read until staff is back. One person alone
does neither; what staff wrote is never taken away by it. All of it in one transaction with the flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from app.accounts.models import Person
from app.core import audit
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Permission
from app.core.readers import holders
from app.core.work import Work
from app.notify import outbox
from groups import rooms, rules
from groups.house import climate
from groups.models import Group, Message, Room, Seat
from groups.rules import FACILITATOR, MEMBER
from moderation import flags, queue
from moderation.models import Flag

KIND = "message"
_LATELY = timedelta(days=1)  # flags before that say nothing about now


@dataclass(frozen=True, slots=True)
class Asked:
    """A message somebody is about to flag, as the page shows it."""

    seq: int
    alias: str
    by_staff: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What becomes of one's own flag. `by` is when somebody has looked at the latest; it says nothing about others."""

    reason: str
    urgent: bool
    by: datetime
    staff_here: bool
    by_staff: bool


def ask(w: Work, room: str, seq: int) -> Asked:
    """The message that is to be flagged. Raises `NotFound`, and `Invalid` for one's own."""
    row = _message(w, rooms.place(w, room), seq)
    return Asked(seq, row.alias, row.role == FACILITATOR)


def report(w: Work, room: str, seq: int, reason: str) -> None:
    """Flag a message of a room one is in. For members and facilitators; each person counts once.

    Opens one case, or joins it; alerts staff where it is urgent. While no staff reads along, enough flags hide the
    message and quiet its author. Writes the flag, the case, and what follows; announces a message that is hidden to the
    room, and to nobody who flagged. Raises `NotFound`, `Invalid` for one's own message, `Closed` where nobody but its
    author could look at it, `RateLimited`.
    """
    found = rooms.place(w, room)
    row = _message(w, found, seq, lock=True)
    by_staff = row.role == FACILITATOR
    reviewers = _reviewers(w, row) if by_staff else []
    if by_staff and not reviewers:
        raise Closed(
            N_("Er is hier niemand anders die dit kan bekijken, dus je melding is niet verstuurd. Kijk bij ‘Hulp nu’.")
        )
    about = flags.About(KIND, row.id, row.organisation_id, row.group_id, row.person_id if by_staff else None)
    case = flags.flag(w, about, reason)
    if case is None:
        return
    if flags.level_of(reason) == queue.RED:
        _alert(w, row, case, reviewers)
    if not by_staff:
        _suspend(w, found, row)


def receipt(w: Work, room: str, seq: int) -> Receipt:
    """What becomes of one's own flag. Raises `NotFound` where the actor flagged nothing there."""
    found = rooms.place(w, room)
    row = w.db.execute(
        select(Message.id, Seat.role)
        .join(Seat, Seat.id == Message.seat_id)
        .where(Message.room_id == found.room_id, Message.seq == seq)
    ).first()
    own = flags.own(w, KIND, row.id) if row else None
    if row is None or own is None:
        raise NotFound
    reason, at = own
    back = climate.of(w, found).staff_back_at
    by = (back or at) + queue.CLOCKS[flags.level_of(reason)]
    return Receipt(reason, reason in flags.URGENT, by, back is None, row.role == FACILITATOR)


def _message(w: Work, found: rooms.Place, seq: int, *, lock: bool = False) -> Any:
    """Somebody else's message that stands in the room, or was hidden just now; its row held where it is flagged."""
    query = (
        select(
            Message.id,
            Message.seat_id,
            Message.key,
            Message.seq,
            Message.status,
            Seat.alias,
            Seat.role,
            Seat.person_id,
            Room.public_id.label("room"),
            Group.id.label("group_id"),
            Group.organisation_id,
        )
        .join(Seat, Seat.id == Message.seat_id)
        .join(Room, Room.id == Message.room_id)
        .join(Group, Group.id == Room.group_id)
        .where(Message.room_id == found.room_id, Message.seq == seq, Message.status.in_(("posted", "hidden")))
    )
    row = w.db.execute(query.with_for_update(of=Message) if lock else query).first()
    if row is None:
        raise NotFound(N_("Dit bericht is er niet meer. Er is niets gemeld."))
    if row.seat_id == found.seat_id:
        raise Invalid(N_("Dit schreef je zelf. Je kunt het wel weghalen."))
    return row


def _reviewers(w: Work, row: Any) -> list[int]:
    """Who can look at what a member of staff wrote: everybody else in the organisation who reviews."""
    roles = [role.value for role in holders(Permission.ORGANISATION_CASE_DECIDE)]
    return list(
        w.db.scalars(
            select(Person.id)
            .where(
                Person.organisation_id == row.organisation_id,
                Person.role.in_(roles),
                Person.suspended_at.is_(None),
                Person.id != (row.person_id or 0),
            )
            .order_by(Person.id)
        )
    )


def _alert(w: Work, row: Any, case: str, reviewers: list[int]) -> None:
    if not reviewers:
        rooms.alert_staff(w, row.group_id, case)
    for person_id in reviewers:
        outbox.queue(w, person_id, "alert", case, f"alert:{case}:{person_id}")


def _suspend(w: Work, found: rooms.Place, row: Any) -> None:
    """While no staff reads along: hide what enough members flagged, and quiet an author whose messages they flag."""
    back = climate.of(w, found).staff_back_at
    if back is None:
        return
    seated = select(func.count()).where(Seat.room_id == found.room_id, Seat.role == MEMBER, Seat.left_at.is_(None))
    members = w.db.scalar(seated) or 0
    raised = w.db.execute(
        select(Flag.subject_id, Flag.person_id)
        .join(Message, Message.id == Flag.subject_id)
        .join(Seat, (Seat.room_id == Message.room_id) & (Seat.person_id == Flag.person_id))
        .where(
            Flag.subject_kind == KIND,
            Message.seat_id == row.seat_id,
            Seat.role == MEMBER,
            Seat.left_at.is_(None),
            Flag.at > w.now - _LATELY,
            flags.unseen(KIND),
        )
    ).all()
    if rules.hides(len({r.person_id for r in raised if r.subject_id == row.id}), members):
        _hide(w, row)
    messages, flaggers = {r.subject_id for r in raised}, {r.person_id for r in raised}
    if rules.quiets(len(raised), len(messages), len(flaggers), members):
        _quiet(w, row, back)


def _hide(w: Work, row: Any) -> None:
    """Take a message away until somebody decided. Its author is told, and not that it was flagged."""
    hidden = w.db.execute(
        update(Message)
        .where(Message.id == row.id, Message.status == "posted")
        .values(status="hidden")
        .returning(Message.id)
    ).first()
    case = queue.raise_case(w, KIND, row.id, (), queue.AMBER, held=True)
    if hidden is None:
        return
    w.announce(f"room:{row.room}", "message.changed", {"room": row.room, "seq": row.seq, "status": "hidden"})
    if row.person_id is not None:
        outbox.queue(w, row.person_id, "set_aside", row.room, f"set_aside:{case}")
    audit.record(w, "message.hidden", KIND, row.id, "flags", by_itself=True)


def _quiet(w: Work, row: Any, until: datetime) -> None:
    """Let the author only read until staff is back, and tell them kindly."""
    changed = w.db.execute(
        update(Seat)
        .where(Seat.id == row.seat_id, Seat.muted_until.is_(None) | (Seat.muted_until < until))
        .values(muted_until=until)
        .returning(Seat.id)
    ).first()
    if changed is None or row.person_id is None:
        return
    w.announce(f"person:{row.person_id}", "notice", {"kind": "quieted", "room": row.room})
    outbox.queue(w, row.person_id, "quieted", row.room, f"quieted:{row.seat_id}:{until:%Y%m%d%H%M}")
    audit.record(w, "member.muted", "seat", row.seat_id, "flags", by_itself=True)
