"""The live door of rooms: entering one, posting, catching up, staying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.core.actor import Actor
from app.core.errors import AppError, Invalid
from app.core.ids import client_key, is_ref
from app.core.permissions import Permission
from app.core.text import plain
from app.core.work import Work
from app.part import LiveEvent, Reply
from groups import rooms
from groups.house import climate
from groups.led import breakouts, notes, presence, stage
from groups.talk import conversation, editing, messages
from groups.talk.pace import Pace
from moderation.screening import is_clean

_pace = Pace()
QUICK = 1_000  # characters: a longer text is screened once the room's pace has let it through


@dataclass(frozen=True, slots=True)
class Stretch:
    """A room, and the stretch of its messages that is asked for."""

    room: str
    after: int | None
    limit: int


def parse_post(actor: Actor, data: Mapping[str, Any]) -> messages.Post:
    """Read a message, from the socket or from the form. Raises `Invalid` or `TooLarge`."""
    reply_to = data.get("reply_to")
    mask_ok = data.get("mask_ok", False)
    if not isinstance(mask_ok, bool) or (reply_to is not None and not _number(reply_to)):
        raise Invalid
    room, key, text = _room(data), client_key(data.get("key")), plain(data.get("text"))
    clean = len(text) <= QUICK and is_clean(text)  # here nobody waits for it: in the batch everybody would
    return messages.Post(actor.person_id, actor.session, room, key, text, reply_to, mask_ok, clean)


def post_together(w: Work, commands: Sequence[messages.Post]) -> list[messages.Posted | AppError]:
    """Store a batch of messages."""
    return messages.post(w, commands, _pace)


def changed(message: editing.Changed) -> None:
    """Somebody changed a message: a number may not be put together of what it says now and what they say next."""
    if message.status == "edited" and message.line is not None:
        _pace.instead(*message.line, message.text)


def _parse_stretch(actor: Actor, data: Mapping[str, Any]) -> Stretch:
    after, limit = data.get("after"), data.get("limit", conversation.PAGE)
    if (after is not None and not _number(after)) or not _number(limit):
        raise Invalid
    return Stretch(_room(data), after, limit)


def _parse_read(actor: Actor, data: Mapping[str, Any]) -> Stretch:
    seq = data.get("seq")
    if not _number(seq):
        raise Invalid
    return Stretch(_room(data), seq, 1)


def _join(w: Work, command: Stretch) -> Reply:
    """Enter a room: what was missed, where its session stands, and everything new from now on.

    Whoever slept for ten minutes needs nothing else to be where everybody is: in their breakout too, or back from it.
    """
    found = rooms.place(w, command.room)
    presence.arrive(w, found)
    if command.after is None:
        items = conversation.latest(w, found)
    else:
        items = conversation.history(w, found, command.after)
    running = stage.running_in(w, found)
    seen = stage.scene(w, running, found) if running else None
    ack = {
        "ok": True,
        "room": found.room,
        "alias": found.alias,
        "role": found.role,
        "head": found.last_seq,
        "items": [item.as_dict() for item in items],
        "session": stage.state_of(w, seen) if seen else None,
        "held": [{"key": h.key, "text": h.text, "at": h.at} for h in conversation.waiting(w, found)],
        "breakout": breakouts.awaited(w, found),
        "climate": climate.of(w, found).as_dict(),
    }
    topics = [f"room:{found.room}"]
    if found.leads:
        topics.append(f"lead:{found.room}")
        ack["roster"] = [asdict(present) for present in stage.roster_of(w, seen)] if seen else []
    elif running:
        ack["notes"] = notes.unread(w, running, found)
    return Reply(ack, tuple(topics))


def _sync(w: Work, command: Stretch) -> Reply:
    """The messages after a sequence number: how a client fills a gap."""
    found = rooms.place(w, command.room)
    items = conversation.history(w, found, command.after or 0, command.limit)
    return Reply({"ok": True, "head": found.last_seq, "items": [item.as_dict() for item in items]})


def _read(w: Work, command: Stretch) -> Reply:
    """Remember how far one has read."""
    conversation.mark_read(w, command.room, command.after or 0)
    return Reply({"ok": True})


def _here(w: Work, command: Stretch) -> Reply:
    """A sign of life in a running session. The version tells a screen that missed something to enter anew; somebody who
    went away tells nobody, so facilitators hear who is here.
    """
    found = rooms.place(w, command.room)
    presence.arrive(w, found)
    running = stage.running_in(w, found)
    ack: dict[str, Any] = {"ok": True, "version": running.version if running else None}
    if found.leads and running:
        ack["roster"] = stage.roster_items(w, running, found)
    return Reply(ack)


def _posted(posted: messages.Posted) -> Reply:
    """The acknowledgement of a message, as the protocol has it."""
    ack: dict[str, Any] = {"ok": True, "seq": posted.seq, "status": posted.status, "masked": posted.masked}
    if posted.text is not None:
        ack["text"] = posted.text
    if posted.kinds:
        ack["reasons"] = list(posted.kinds)
    return Reply(ack)


def _room(data: Mapping[str, Any]) -> str:
    room = data.get("room")
    if not isinstance(room, str) or not is_ref(room):
        raise Invalid
    return room


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


EVENTS = (
    LiveEvent(
        "message.send",
        Permission.GROUP_MESSAGE_POST,
        parse_post,
        together=post_together,
        answer=_posted,
        per_minute=3_000,  # no hand types this fast; the room's own pace decides long before
    ),
    LiveEvent("room.join", Permission.GROUP_MESSAGE_READ, _parse_stretch, _join, writes=True, per_minute=120),
    LiveEvent("room.sync", Permission.GROUP_MESSAGE_READ, _parse_stretch, _sync, per_minute=600),
    LiveEvent("room.read", Permission.GROUP_MESSAGE_READ, _parse_read, _read, writes=True),
    LiveEvent("session.here", Permission.GROUP_SESSION_ATTEND, _parse_stretch, _here, writes=True, per_minute=30),
)
