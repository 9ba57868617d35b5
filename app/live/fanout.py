"""From committed announcements to open screens: one event per topic and tick, encoded once for everybody.

A topic names who listens (`room:…`, `lead:…`, `person:…`, `reviewers:…`, `session:…`). What is announced is only a
hint: the rows are the truth, and a client that sees a gap asks for it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import structlog

from app.core.work import Announcement

log = structlog.get_logger()

ITEMS = 32  # messages one event may carry
SOCKETS = 8  # open screens a session may have


class Server(Protocol):
    """The part of a Socket.IO server that fan-out needs."""

    def emit(self, event: str, data: Any = None, *, room: str | None = None) -> None: ...

    def enter_room(self, sid: str, room: str) -> None: ...

    def leave_room(self, sid: str, room: str) -> None: ...


class Fanout:
    """Knows which socket belongs to which session, and brings announcements to the topics they follow."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._cut: Any = None
        self._sockets: dict[str, dict[str, None]] = defaultdict(dict)  # in order of opening
        self._follows: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def attach(self, server: Server, cut: Any) -> None:
        """Use this Socket.IO server; `cut(sid)` ends one socket for good."""
        self._server, self._cut = server, cut

    def opened(self, sid: str, session: str) -> list[str]:
        """A socket of this session was opened. Returns the oldest ones where it now has too many."""
        with self._lock:
            held = self._sockets[session]
            held[sid] = None
            return list(held)[: max(0, len(held) - SOCKETS)]

    def closed(self, sid: str, session: str) -> None:
        """A socket of this session is gone."""
        with self._lock:
            self._sockets[session].pop(sid, None)
            self._follows.pop(sid, None)
            if not self._sockets[session]:
                del self._sockets[session]

    def follow(self, sid: str, topics: Iterable[str]) -> None:
        """Let a socket hear these topics from now on."""
        if self._server is None:
            return
        for topic in topics:
            try:
                self._server.enter_room(sid, topic)
            except (KeyError, ValueError):
                return  # it was cut while its question was being answered
            with self._lock:
                self._follows.setdefault(sid, set()).add(topic)

    def unfollow(self, sid: str, topic: str) -> None:
        """Let a socket hear a topic no more."""
        if self._server is not None:
            self._server.leave_room(sid, topic)
        with self._lock:
            self._follows.get(sid, set()).discard(topic)

    def followed(self) -> list[tuple[str, str, str]]:
        """What every open socket follows now, as (session, socket, topic)."""
        with self._lock:
            return [
                (session, sid, topic)
                for session, sids in self._sockets.items()
                for sid in sids
                for topic in self._follows.get(sid, ())
            ]

    def sessions(self) -> list[str]:
        """The sessions that have a socket open now."""
        with self._lock:
            return list(self._sockets)

    def end(self, session: str) -> None:
        """Cut every socket of a session. It hears nothing more."""
        with self._lock:
            sids = list(self._sockets.get(session, ()))
        for sid in sids:
            self.cut(sid)

    def cut(self, sid: str) -> None:
        """End one socket for good."""
        if self._cut is not None:
            self._cut(sid)

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Bring committed announcements to whoever follows their topics."""
        if self._server is None:
            return
        for announcement in announcements:
            if announcement.event == "revoked":
                self._revoke(announcement.topic)
                continue
            for payload in _portions(announcement):
                self._server.emit(announcement.event, payload, room=announcement.topic)

    def _revoke(self, topic: str) -> None:
        """A session ended, or a person may no longer hear something: cut; who still may, comes back by itself."""
        kind, _, name = topic.partition(":")
        if kind == "session":
            self.end(name)
            return
        for _session, sid, followed in self.followed():
            if followed == topic:
                self.cut(sid)


def _portions(announcement: Announcement) -> Iterable[dict[str, Any]]:
    """An announcement, cut into events that carry at most `ITEMS` messages each."""
    items = announcement.payload.get("items")
    if not isinstance(items, list) or len(items) <= ITEMS:
        yield announcement.payload
        return
    for start in range(0, len(items), ITEMS):
        yield announcement.payload | {"items": items[start : start + ITEMS]}
