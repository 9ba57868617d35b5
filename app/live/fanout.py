"""From committed announcements to open screens: one event per topic and tick, encoded once for everybody.

A topic names who listens (`room:…`, `lead:…`, `person:…`, `reviewers:…`, `session:…`). What is announced is only a
hint: the rows are the truth, and a client that sees a gap asks for it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from app.core.work import Announcement
from app.live.driver import Line

ITEMS = 32  # messages one event may carry
SOCKETS = 8  # open screens a session may have


Frame = Callable[[str], Any]


class Fanout:
    """Knows which socket belongs to which session, and brings announcements to the topics they follow."""

    def __init__(self) -> None:
        self._frame: Frame = lambda text: text
        self._cut: Any = None
        self._sockets: dict[str, dict[str, None]] = defaultdict(dict)  # in order of opening
        self._lines: dict[str, Line] = {}
        self._follows: dict[str, set[str]] = {}
        self._topics: dict[str, dict[str, Line]] = {}
        self._lock = threading.Lock()

    def attach(self, frame: Frame, cut: Any) -> None:
        """Frame events by `frame`, once for everybody; `cut(sid)` ends one socket for good."""
        self._frame, self._cut = frame, cut

    def opened(self, sid: str, session: str, line: Line) -> list[str]:
        """A socket of this session was opened. Returns the oldest ones where it now has too many."""
        with self._lock:
            held = self._sockets[session]
            held[sid] = None
            self._lines[sid] = line
            self._follows[sid] = set()
            return list(held)[: max(0, len(held) - SOCKETS)]

    def closed(self, sid: str, session: str) -> None:
        """A socket of this session is gone."""
        with self._lock:
            self._sockets[session].pop(sid, None)
            self._lines.pop(sid, None)
            for topic in self._follows.pop(sid, ()):
                self._drop(sid, topic)
            if not self._sockets[session]:
                del self._sockets[session]

    def follow(self, sid: str, topics: Iterable[str]) -> None:
        """Let a socket hear these topics from now on."""
        with self._lock:
            line = self._lines.get(sid)
            if line is None:
                return  # it was cut while its question was being answered
            for topic in topics:
                self._follows[sid].add(topic)
                self._topics.setdefault(topic, {})[sid] = line

    def unfollow(self, sid: str, topic: str) -> None:
        """Let a socket hear a topic no more."""
        with self._lock:
            self._follows.get(sid, set()).discard(topic)
            self._drop(sid, topic)

    def _drop(self, sid: str, topic: str) -> None:
        listeners = self._topics.get(topic, {})
        listeners.pop(sid, None)
        if not listeners:
            self._topics.pop(topic, None)

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
        """Bring committed announcements to whoever follows their topics: encoded once, written to each."""
        for announcement in announcements:
            if announcement.event == "revoked":
                self._revoke(announcement.topic)
                continue
            listeners = self._topics.get(announcement.topic)
            if not listeners:
                continue
            for payload in _portions(announcement):
                frame = self._frame("2" + orjson.dumps([announcement.event, payload]).decode())
                for line in tuple(listeners.values()):
                    line.write(frame)

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
