"""The live door: who is this now, may they, is it well-formed, not too often; then one use-case, then the answer.

The identity is asked anew at every event: a session that ended a moment ago is refused, whatever the socket
remembers from when it was opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import socketio
import structlog

from app.core.actor import Actor
from app.core.errors import AppError, Forbidden, Invalid, RateLimited, Unauthenticated, Unavailable
from app.core.permissions import Role
from app.core.ratelimit import Tempo
from app.core.work import Database
from app.live.driver import Line
from app.live.fanout import Fanout, Frame
from app.live.writer import Writer
from app.part import LiveEvent, Reply

log = structlog.get_logger()

BAD_EVENTS = 20  # malformed events before a socket is cut
LAST_WORD = 0.2  # seconds between the refusal and the cut

AHEAD = 16  # messages of one client on their way into the database, before it has to wait for them
ID_DIGITS = 12  # where an event's data begins, at the latest
NAME_LENGTH = 40

Identify = Callable[[str], Actor | None]
Translate = Callable[[str, AppError], dict[str, Any]]
Adopt = Callable[[str, Any], Line]


def _nobody_adopts(_sid: str, _environ: Any) -> Line:
    """No socket opens before `Gateway.serve` was called."""
    raise RuntimeError("a socket opened before the server serves")


@dataclass(slots=True)
class _Client:
    """One open socket. `actor` is who it was when it opened: what it may do now is asked at every event.

    `bad` counts malformed events. `taken` and `answered` count messages on the short way: each by one thread.
    """

    session: str
    actor: Actor
    line: Line
    bad: int = 0
    taken: int = 0
    answered: int = 0


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
        self._clients: dict[str, _Client] = {}
        self._hot: dict[str, LiveEvent] = {}
        self._adopt: Adopt = _nobody_adopts
        self._frame: Frame = lambda text: text

    def serve(self, server: socketio.Server, events: Mapping[str, LiveEvent], adopt: Adopt, frame: Frame) -> None:
        """Register every event, and an answer for those that do not exist. `adopt` gives the line to a new socket."""
        self._adopt, self._frame = adopt, frame
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        for event in events.values():
            server.on(event.name, self._handler(event))
            if event.answer is not None:
                self._hot[f'["{event.name}",'] = event
        server.on("*", self._unknown)

    def hear(self, sid: str, packet: str) -> bool:
        """Take the short way with an event that is stored together with others: nothing waits here, and its answer
        goes out after the commit. Returns False for everything else, which the library hands to `_handler`.
        """
        at = packet.find("[", 1, ID_DIGITS)
        if at < 2 or packet[0] != "2" or not packet[1:at].isdigit():
            return False
        event = self._hot.get(packet[at : packet.find(",", at, at + NAME_LENGTH) + 1])
        client = self._clients.get(sid)
        if event is None or client is None or client.taken - client.answered >= AHEAD:
            return False
        try:
            values = orjson.loads(packet[at:])
        except ValueError:
            return False
        self._take(event, client, sid, packet[1:at], values[1])
        return True

    def _take(self, event: LiveEvent, client: _Client, sid: str, number: str, data: Any) -> None:
        def answer(result: Any) -> None:
            refused = isinstance(result, AppError)
            if refused:
                self._count(sid, result, typed=True)
            assert event.answer is not None
            reply = self._translate(client.actor.language, result) if refused else event.answer(result).ack
            client.line.hold(self._frame(f"3{number}[{orjson.dumps(reply).decode()}]"))

        def stored(result: Any) -> None:
            client.answered += 1
            answer(result)

        try:
            self._tempo.per_minute(event.per_minute, event.name, client.session)
            writer = self._writers[event.name]
            if writer.full:  # what cannot be taken must cost next to nothing, or there is no end to it
                raise Unavailable(retry_after=5)
            writer.offer(self._read(event, client.actor, data), stored, client.line.flush)
            client.taken += 1
        except AppError as refusal:
            answer(refusal)
            client.line.flush()
        except Exception:
            log.exception("event_failed", name=event.name)
            answer(Unavailable(retry_after=5))
            client.line.flush()

    def _connect(self, sid: str, environ: Mapping[str, Any], _auth: Any = None) -> None:
        passed: Actor | None = environ.get("samen.actor")  # set by the gate, before the upgrade
        actor = self._identify(passed.session) if passed else None  # which may have been a while ago
        if actor is None:
            raise socketio.exceptions.ConnectionRefusedError("unauthenticated")
        client = self._clients[sid] = _Client(actor.session, actor, self._adopt(sid, environ))
        for oldest in self._fanout.opened(sid, actor.session, client.line):
            self._fanout.cut(oldest)
        topics = [f"person:{actor.person_id}"]
        if actor.role is Role.MODERATOR:
            topics.append(f"reviewers:{actor.organisation_id}")
        self._fanout.follow(sid, topics)

    def _disconnect(self, sid: str, _reason: Any = None) -> None:
        client = self._clients.pop(sid, None)
        if client is not None:
            self._fanout.closed(sid, client.session)

    def _handler(self, event: LiveEvent) -> Callable[..., dict[str, Any]]:
        def handle(sid: str, data: Any = None, *_more: Any) -> dict[str, Any]:
            language = "nl"
            client = self._clients.get(sid)
            try:
                if client is None:
                    raise Unauthenticated
                self._tempo.per_minute(event.per_minute, event.name, client.session)
                actor = self._who(event, client)
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

    def _who(self, event: LiveEvent, client: _Client) -> Actor:
        """Who sent this, asked anew. Events stored together ask in their own query, for the whole batch at once:
        there the socket only says which session to ask about.
        """
        if event.together is not None:
            return client.actor
        actor = self._identify(client.session)
        if actor is None:
            raise Unauthenticated
        return actor

    def _answer(self, event: LiveEvent, actor: Actor, data: Any) -> Reply:
        command = self._read(event, actor, data)
        if event.answer is not None:
            return event.answer(self._writers[event.name].submit(command))
        assert event.handle is not None
        with (self._database.work if event.writes else self._database.read)(actor) as w:
            return event.handle(w, command)

    def _read(self, event: LiveEvent, actor: Actor, data: Any) -> Any:
        """The command in an event, if this person may send it at all."""
        if not actor.may(event.permission):
            raise Forbidden
        if not isinstance(data, dict):
            raise Invalid
        return event.parse(actor, data)

    def _unknown(self, _event: str, sid: str, *_data: Any) -> dict[str, Any]:
        refusal = Invalid()
        self._count(sid, refusal)
        return self._translate("nl", refusal)

    def _count(self, sid: str, refusal: AppError, *, typed: bool = False) -> None:
        """A socket that keeps sending nonsense, or speaks for an ended session, is cut; it hears why first.

        What a person typed may be refused as often as it likes: only programs get the other events wrong.
        """
        client = self._clients.get(sid)
        if client is None:
            return
        if isinstance(refusal, Invalid | RateLimited) and not typed:
            client.bad += 1
        if isinstance(refusal, Unauthenticated):
            last_word = threading.Timer(LAST_WORD, self._fanout.end, (client.session,))
        elif client.bad == BAD_EVENTS:
            last_word = threading.Timer(LAST_WORD, self._fanout.cut, (sid,))
        else:
            return
        last_word.daemon = True
        last_word.start()
