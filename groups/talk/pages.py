"""What a page shows of a conversation, wherever it stands: a room, a session, a pair, the cockpit. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core import clock
from app.core.work import Work
from groups import rooms
from groups.house import climate, retention, topics
from groups.talk import conversation, editing, hiding, revisions
from groups.talk.conversation import SHOWN, View
from moderation.screening import screen

_HEAVY = timedelta(hours=12)  # for so long after words of danger the telephone numbers stay in sight
_LOOKED_AT = 12  # own messages, from the last one back


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, each by its number: the stretch before a message, an answer to one, a change of one,
    what can be done with one.
    """

    before: int | None = None
    reply: int | None = None
    change: int | None = None
    about: int | None = None


def talk(w: Work, found: rooms.Place, asked: Asked = Asked(), shown: int = SHOWN) -> dict[str, Any]:
    """What `templates/groups/conversation.html` and the composer need. A fixed number of statements."""
    if asked.before is None:
        items = conversation.latest(w, found, shown)
    else:
        items = conversation.before(w, found, asked.before, shown)
    held = conversation.waiting(w, found)
    wanted = {"reply": asked.reply, "change": asked.change, "about": asked.about}
    return {
        "items": items,
        "held": held,
        "changes": revisions.waiting(w, found),
        "unread": conversation.unread(w, found),
        "earlier": bool(items) and items[0].seq > 1,
        "later": bool(items) and asked.before is not None and items[-1].seq < found.last_seq,
        "editable_from": clock.iso_minute(clock.minute(w.now) - editing.WINDOW),
        "aliases": sorted(conversation.callable_in(w, found.room_id, found.role) - {found.alias}),
        "hidden_aliases": hiding.hidden_by(w, found).aliases,
        "climate": climate.of(w, found),
        "topics": topics.of(w, found),
        "kept": retention.of(w, found),
        "crisis_now": _heavy(w, found, items, held),
        **{name: _one(w, found, items, seq) for name, seq in wanted.items()},
    }


def _one(w: Work, found: rooms.Place, items: list[View], seq: int | None) -> View | None:
    """One message that stands there, from the page where it can be."""
    if seq is None:
        return None
    here = next((item for item in items if item.seq == seq and item.status == "posted"), None)
    return here or conversation.one(w, found, seq)


def _heavy(w: Work, found: rooms.Place, items: list[View], held: list[conversation.Held]) -> bool:
    """Did the actor write words of danger here, lately? Then help stands in sight, also after a reload."""
    since = clock.iso_minute(w.now - _HEAVY)
    said = [(item.at, item.text) for item in items if item.alias == found.alias] + [(h.at, h.text) for h in held]
    return any(
        reason.kind == "crisis_self"
        for at, text in said[-_LOOKED_AT:]
        if text and at >= since
        for reason in screen(text).reasons
    )
