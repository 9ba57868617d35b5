"""What a message said before, and a change that waits for a moderator. Kept for reviewers while the message stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import aliased

from app.core import clock
from app.core.errors import NotFound
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Group, Message, MessageVersion, Room, Seat, message_row, version_row
from groups.talk import conversation, mentions
from moderation import queue
from moderation.models import Case
from moderation.screening import mask
from moderation.subjects import Version

EDIT = "edit"  # the kind of subject that a change which waits is


def find(w: Work, condition: ColumnElement[bool]) -> Any:
    """A message with its author's seat, room and group, held until the end of the work. Raises `NotFound`."""
    row = w.db.execute(
        select(
            Message,
            Seat.alias,
            Seat.role,
            Seat.person_id,
            Room.public_id.label("room"),
            Room.kind,
            Group.id.label("group_id"),
            Group.organisation_id,
            Group.language,
        )
        .join(Seat, Seat.id == Message.seat_id)
        .join(Room, Room.id == Message.room_id)
        .join(Group, Group.id == Room.group_id)
        .where(condition)
        .with_for_update(of=Message)
    ).first()
    if row is None:
        raise NotFound
    return row


def write(w: Work, row: Any, text: str, *, masked: bool) -> None:
    """Let a message say `text` from now on, and keep what it said. The caller has screened it.

    A change that waited is overtaken. Writes the message, a version, cases; announces `message.changed` to the room,
    and tells who is called by name now and was not before.
    """
    message = row.Message
    said = conversation.text_of(w, message)
    drop_waiting(w, message.id)
    keep(w, row, said, held=False)
    message.text = w.ring.seal(row.person_id, Message.text, message_row(message.seat_id, message.key), text)
    message.masked = message.masked or masked
    message.edited_at = clock.minute(w.now)
    w.db.flush()
    names = conversation.callable_in(w, message.room_id, row.role) if "@" in text else frozenset()
    called = mentions.found(text, names)
    changed: dict[str, Any] = {"room": row.room, "seq": message.seq, "status": "edited", "text": text, "edited": True}
    w.announce(f"room:{row.room}", "message.changed", changed | ({"mentions": list(called)} if called else {}))
    new = set(called) - set(mentions.found(said, names))
    conversation.tell_called(w, message.room_id, row.room, message.seq, message.seat_id, new)


def keep(w: Work, row: Any, text: str, *, held: bool) -> int:
    """Keep a version of a message; the id of its row."""
    message = row.Message
    last = w.db.scalar(select(func.max(MessageVersion.version)).where(MessageVersion.message_id == message.id)) or 0
    name = version_row(message.seat_id, message.key, last + 1)
    sealed = w.ring.seal(row.person_id, MessageVersion.text, name, text)
    version = MessageVersion(message_id=message.id, version=last + 1, text=sealed, held=held, at=clock.minute(w.now))
    w.db.add(version)
    w.db.flush()
    return version.id


def earlier(w: Work, message: Message) -> tuple[Version, ...]:
    """What a message said before, oldest first. For reviewers; the caller has checked that. One statement."""
    rows = w.db.scalars(
        select(MessageVersion)
        .where(MessageVersion.message_id == message.id, MessageVersion.held.is_(False))
        .order_by(MessageVersion.version)
    ).all()
    return tuple(Version(text, v.at) for v, text in zip(rows, _texts(w, message, rows), strict=True))


def waiting(w: Work, found: rooms.Place) -> dict[int, str]:
    """The actor's own changes in this room that wait for a moderator, by message number. At most two statements."""
    later = aliased(MessageVersion)
    overtaken = exists().where(later.message_id == Message.id, later.version > MessageVersion.version)
    rows = w.db.execute(
        select(Message, MessageVersion)
        .join(MessageVersion, MessageVersion.message_id == Message.id)
        .where(
            Message.room_id == found.room_id,
            Message.seat_id == found.seat_id,
            Message.status == "posted",
            MessageVersion.held.is_(True),
            ~overtaken,
        )
    ).all()
    return {r.Message.seq or 0: _texts(w, r.Message, [r.MessageVersion])[0] for r in rows}


def drop_waiting(w: Work, message_id: int) -> None:
    """A change that waits is overtaken by another, or no longer wanted. What is urgent about it stays to be seen."""
    held = (MessageVersion.message_id == message_id) & MessageVersion.held.is_(True)
    for version_id in w.db.scalars(select(MessageVersion.id).where(held)).all():
        if _open(w, EDIT, [version_id]):
            queue.withdraw(w, EDIT, version_id)
        if not _open(w, EDIT, [version_id], red=True):
            w.db.execute(delete(MessageVersion).where(MessageVersion.id == version_id))


def release(w: Work, version_id: int) -> None:
    """Let a change through that waited, without what identifies; its author hears it. For the review queue."""
    version, row = _held(w, version_id)
    if version is None or row.Message.status != "posted":
        return
    written = _texts(w, row.Message, [version])[0]
    text = mask(written, lang=row.language, aliases=conversation.callable_in(w, row.Message.room_id, row.role))
    w.db.delete(version)
    w.db.flush()
    write(w, row, text, masked=text != written)
    w.announce(f"person:{row.person_id}", "notice", _about(row, "released"))


def refuse(w: Work, version_id: int, reason: str) -> None:
    """Leave the message as it stands; the author hears why. For the review queue."""
    version, row = _held(w, version_id)
    if version is None:
        return
    w.db.delete(version)
    w.announce(f"person:{row.person_id}", "notice", _about(row, "rejected") | {"reason": reason})
    outbox.queue(w, row.person_id, "rejected", reason, f"rejected:edit:{version_id}")


def about(w: Work, version_id: int) -> tuple[int, str]:
    """For reviewers: the message a waiting change is of, and what it would say. Raises `NotFound`."""
    version, row = _held(w, version_id)
    if version is None:
        raise NotFound
    return row.Message.id, _texts(w, row.Message, [version])[0]


def author(w: Work, version_id: int) -> int | None:
    """Who wrote a waiting change."""
    version, row = _held(w, version_id)
    return row.person_id if version else None


def settle(w: Work, message_id: int) -> None:
    """Remove what a message said that its author took back, once no open case needs it. Idempotent."""
    message = w.db.get(Message, message_id)
    if message is None or message.status != "withdrawn" or urgent(w, message_id):
        return
    message.text = None
    forget(w, MessageVersion.message_id == message_id)


def settle_version(w: Work, version_id: int) -> None:
    """After a decision about a waiting change: it waits no more, and its message may be settled."""
    message_id = w.db.scalar(select(MessageVersion.message_id).where(MessageVersion.id == version_id))
    if message_id is None:
        return
    held = (MessageVersion.id == version_id) & MessageVersion.held.is_(True)
    w.db.execute(delete(MessageVersion).where(held))
    settle(w, message_id)


def withdraw_cases(w: Work, message_id: int) -> None:
    """Its author took a message back: close what can be closed of the cases about it and its changes."""
    if _open(w, "message", [message_id]):
        queue.withdraw(w, "message", message_id)
    for version_id in _changes(w, message_id):
        if _open(w, EDIT, [version_id]):
            queue.withdraw(w, EDIT, version_id)


def urgent(w: Work, message_id: int) -> bool:
    """Is somebody still to look at what this message or a change of it said, because there may be danger?"""
    return _open(w, "message", [message_id], red=True) or _open(w, EDIT, _changes(w, message_id), red=True)


def forget(w: Work, which: ColumnElement[bool]) -> None:
    """Remove versions, with their messages or with who wrote them: `which` is a condition."""
    w.db.execute(delete(MessageVersion).where(which))


def _changes(w: Work, message_id: int) -> Sequence[int]:
    held = (MessageVersion.message_id == message_id) & MessageVersion.held.is_(True)
    return w.db.scalars(select(MessageVersion.id).where(held)).all()


def _open(w: Work, kind: str, subject_ids: Sequence[int], *, red: bool = False) -> bool:
    """Is there an open case about one of these?"""
    if not subject_ids:
        return False
    about_it = (Case.subject_kind == kind) & Case.subject_id.in_(subject_ids) & Case.decided_at.is_(None)
    return bool(w.db.scalar(select(exists().where(about_it & (Case.level == queue.RED) if red else about_it))))


def _held(w: Work, version_id: int) -> tuple[MessageVersion | None, Any]:
    version = w.db.scalar(select(MessageVersion).where(MessageVersion.id == version_id, MessageVersion.held.is_(True)))
    return (version, find(w, Message.id == version.message_id)) if version else (None, None)


def _texts(w: Work, message: Message, versions: Sequence[MessageVersion]) -> list[str]:
    names = [version_row(message.seat_id, message.key, v.version) for v in versions]
    return w.ring.open_all(MessageVersion.text, [(n, v.text) for n, v in zip(names, versions, strict=True)])


def _about(row: Any, kind: str) -> dict[str, Any]:
    return {"kind": kind, "room": row.room, "seq": row.Message.seq, "edit": True}
