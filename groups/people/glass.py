"""Breaking glass: a facilitator looks into a group that is not theirs, with a reason, and its members are told.

It opens reading for an hour, nothing else. Every look is a line in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select

from app.core import audit, ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from app.notify import outbox
from groups.models import GlassBreak, Group, Membership, Room
from groups.rules import FACILITATOR, MEMBER
from groups.talk import conversation

REASONS = ("absence", "danger", "complaint")
LASTS = timedelta(hours=1)
SHORTEST_NOTE = 10  # characters


@dataclass(frozen=True, slots=True)
class Pane:
    """A group of the organisation that the actor does not lead; `until` is set while they have its glass broken."""

    group: str
    name: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Inside:
    """What is seen behind the glass: the members by alias, and the latest of the conversation."""

    name: str
    until: datetime
    aliases: tuple[str, ...]
    items: tuple[conversation.View, ...]


def panes(w: Work) -> list[Pane]:
    """The groups of one's organisation that one does not lead, by name. Two queries."""
    rows = w.db.execute(
        select(Group.id, Group.public_id, Group.name).where(_foreign(w)).order_by(Group.name, Group.id)
    ).all()
    broken = {
        row.group_id: row.until_at
        for row in w.db.execute(
            select(GlassBreak.group_id, GlassBreak.until_at)
            .where(GlassBreak.person_id == w.who.person_id, GlassBreak.until_at > w.now)
            .order_by(GlassBreak.until_at)
        )
    }
    return [Pane(row.public_id, row.name, broken.get(row.id)) for row in rows]


def break_glass(w: Work, group: str, reason: str, note: str) -> None:
    """Open a group that is not one's own for reading, for an hour. For staff who hold the permission, and who just
    proved again who they are.

    Writes the break with its sealed note and an audit line; queues a notice to every member and facilitator of the
    group. Raises `NotFound` for one's own group and for another organisation's, `Invalid` without a good reason.
    """
    found = _find(w, group)
    if reason not in REASONS:
        raise Invalid(N_("Kies een reden. Er is nog niets geopend."))
    written = plain(note, limit=500) if note.strip() else ""
    if len(written) < SHORTEST_NOTE:
        raise Invalid(N_("Schrijf kort op waarom dit nodig is. Er is nog niets geopend."))
    ref = ids.public_id()
    broken = GlassBreak(
        public_id=ref,
        group_id=found.id,
        person_id=w.who.person_id,
        reason=reason,
        note=w.ring.seal(w.who.person_id, GlassBreak.note, ref, written),
        opened_at=w.now,
        until_at=w.now + LASTS,
    )
    w.db.add(broken)
    w.db.flush()
    audit.record(w, "glass.broken", "group", found.id, reason)
    _tell(w, broken)


def look(w: Work, group: str) -> Inside:
    """Read along in a group whose glass one has broken. Writes an audit line; who came in since then is told too.

    Raises `NotFound`.
    """
    found = _find(w, group)
    broken = w.db.scalar(
        select(GlassBreak)
        .where(GlassBreak.group_id == found.id, GlassBreak.person_id == w.who.person_id, GlassBreak.until_at > w.now)
        .order_by(GlassBreak.until_at.desc())
        .limit(1)
    )
    if broken is None:
        raise NotFound
    audit.record(w, "glass.read", "group", found.id)
    _tell(w, broken)
    room_id = w.db.scalars(select(Room.id).where(Room.group_id == found.id, Room.kind == "group")).one()
    aliases = w.db.scalars(
        select(Membership.alias)
        .where(Membership.group_id == found.id, Membership.role == MEMBER, Membership.left_at.is_(None))
        .order_by(Membership.alias)
    ).all()
    return Inside(found.name, broken.until_at, tuple(aliases), tuple(conversation.latest_in(w, room_id)))


def _tell(w: Work, broken: GlassBreak) -> None:
    """A notice to everybody who is in the group now, once each."""
    for person_id, membership in w.db.execute(
        select(Membership.person_id, Membership.public_id).where(
            Membership.group_id == broken.group_id, Membership.left_at.is_(None)
        )
    ).all():
        outbox.queue(w, person_id, "glass", broken.reason, f"glass:{broken.public_id}:{membership}")


def _find(w: Work, group: str) -> Group:
    if not ids.is_ref(group):
        raise NotFound
    found = w.db.scalar(select(Group).where(Group.public_id == group, _foreign(w)))
    if found is None:
        raise NotFound
    return found


def _foreign(w: Work) -> ColumnElement[bool]:
    """Groups of one's own organisation that one has no lead in."""
    leads = exists().where(
        Membership.group_id == Group.id,
        Membership.person_id == w.who.person_id,
        Membership.role == FACILITATOR,
        Membership.left_at.is_(None),
    )
    return (Group.organisation_id == w.who.organisation_id) & ~leads
