"""The live door: who is this now, may they, is it well-formed, not too often; then one use-case, then the answer.

The identity is asked anew at every event: a session that ended a moment ago is refused, whatever the socket
remembers from when it was opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import socketio
import structlog

from app.core.actor import Actor
from app.core.errors import AppError, Forbidden, Invalid, RateLimited, Unauthenticated, Unavailable
from app.core.permissions import Role
from app.core.ratelimit import Tempo
from app.core.work import Database
from app.live.fanout import Fanout
from app.live.writer import Writer
from app.part import LiveEvent, Reply

log = structlog.get_logger()

BAD_EVENTS = 20  # malformed events before a socket is cut
LAST_WORD = 0.2  # seconds between the refusal and the cut

Identify = Callable[[str], Actor | None]
Translate = Callable[[str, AppError], dict[str, Any]]


class Gateway:
    """Connects a Socket.IO server's events to use-cases."""

    def __init__(
        self,
        database: Database,
        fanout: Fanout,
        writers: Mapping[str, Writer],
        identify: Identify,
        translate: Translate,
        tempo: Tempo,
    ) -> None:
        self._database = database
        self._fanout = fanout
        self._writers = writers
        self._identify = identify
        self._translate = translate
        self._tempo = tempo
        self._sessions: dict[str, str] = {}
        self._actors: dict[str, Actor] = {}
        self._bad: dict[str, int] = {}
        self._adopt: Callable[[str, Any], None] = lambda sid, environ: None

    def serve(
        self, server: socketio.Server, events: Mapping[str, LiveEvent], adopt: Callable[[str, Any], None]
    ) -> None:
        """Register every event, and an answer for those that do not exist. `adopt` learns of each new socket."""
        self._adopt = adopt
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        for event in events.values():
            server.on(event.name, self._handler(event))
        server.on("*", self._unknown)

    def _connect(self, sid: str, environ: Mapping[str, Any], _auth: Any = None) -> None:
        passed: Actor | None = environ.get("samen.actor")  # set by the gate, before the upgrade
        actor = self._identify(passed.session) if passed else None  # which may have been a while ago
        if actor is None:
            raise socketio.exceptions.ConnectionRefusedError("unauthenticated")
        self._adopt(sid, environ)
        self._sessions[sid] = actor.session
        self._actors[sid] = actor
        for oldest in self._fanout.opened(sid, actor.session):
            self._fanout.cut(oldest)
        topics = [f"person:{actor.person_id}"]
        if actor.role is Role.MODERATOR:
            topics.append(f"reviewers:{actor.organisation_id}")
        self._fanout.follow(sid, topics)

    def _disconnect(self, sid: str, _reason: Any = None) -> None:
        session = self._sessions.pop(sid, None)
        self._actors.pop(sid, None)
        self._bad.pop(sid, None)
        if session is not None:
            self._fanout.closed(sid, session)

    def _handler(self, event: LiveEvent) -> Callable[..., dict[str, Any]]:
        def handle(sid: str, data: Any = None, *_more: Any) -> dict[str, Any]:
            language = "nl"
            try:
                self._tempo.per_minute(event.per_minute, event.name, self._sessions.get(sid, ""))
                actor = self._who(event, sid)
                language = actor.language
                reply = self._answer(event, actor, data)
            except AppError as refusal:
                self._count(sid, refusal, typed=event.together is not None)
                return self._translate(language, refusal)
            except Exception:
                log.exception("event_failed", name=event.name)
                return self._translate(language, Unavailable(retry_after=5))
            self._fanout.follow(sid, reply.follow)
            return reply.ack

        return handle

    def _who(self, event: LiveEvent, sid: str) -> Actor:
        """Who sent this, asked anew. Events stored together ask in their own query, for the whole batch at once:
        there the socket only says which session to ask about.
        """
        remembered = self._actors.get(sid)
        if remembered is None:
            raise Unauthenticated
        if event.together is not None:
            return remembered
        actor = self._identify(remembered.session)
        if actor is None:
            raise Unauthenticated
        return actor

    def _answer(self, event: LiveEvent, actor: Actor, data: Any) -> Reply:
        if not actor.may(event.permission):
            raise Forbidden
        if not isinstance(data, dict):
            raise Invalid
        command = event.parse(actor, data)
        if event.answer is not None:
            return event.answer(self._writers[event.name].submit(command))
        assert event.handle is not None
        with (self._database.work if event.writes else self._database.read)(actor) as w:
            return event.handle(w, command)

    def _unknown(self, _event: str, sid: str, *_data: Any) -> dict[str, Any]:
        refusal = Invalid()
        self._count(sid, refusal)
        return self._translate("nl", refusal)

    def _count(self, sid: str, refusal: AppError, *, typed: bool = False) -> None:
        """A socket that keeps sending nonsense, or speaks for an ended session, is cut; it hears why first.

        What a person typed may be refused as often as it likes: only programs get the other events wrong.
        """
        if isinstance(refusal, Invalid | RateLimited) and not typed:
            self._bad[sid] = self._bad.get(sid, 0) + 1
        bad = self._bad.get(sid, 0)
        if isinstance(refusal, Unauthenticated):
            last_word = threading.Timer(LAST_WORD, self._fanout.end, (self._sessions.get(sid, ""),))
        elif bad == BAD_EVENTS:
            last_word = threading.Timer(LAST_WORD, self._fanout.cut, (sid,))
        else:
            return
        last_word.daemon = True
        last_word.start()
