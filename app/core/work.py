"""One unit of work: what a person does is stored whole or not at all, and told to others only afterwards.

A door opens it, calls one use-case, and leaves. Leaving normally commits, then announces; raising rolls back
and announces nothing. What must survive a crash is a row in the same transaction: an announcement is a hint
to screens that are open right now, and may get lost.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from app.core import clock as clocks
from app.core.actor import Actor
from app.core.crypto import Ring, Vault
from app.core.db import WRITES
from app.core.errors import Unauthenticated

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that open screens should hear: `topic` names who listens, as `kind:id`."""

    topic: str
    event: str
    payload: dict[str, Any]


@dataclass(slots=True)
class Work:
    """What a use-case works with: `db` to read and write rows, who acts, what time it is (UTC).

    `ring` seals and opens what people wrote (`app.core.crypto`); `seal_key` seals the audit lines written in this
    unit (`app.core.audit`); `code_key` hashes codes that stand on paper.
    """

    session: Callable[[], Session]
    actor: Actor | None
    now: datetime
    vault: InitVar[Vault]
    seal_key: bytes = b""
    code_key: bytes = b""
    announcements: list[Announcement] = field(default_factory=list)
    effects: list[Callable[[], None]] = field(default_factory=list)
    writes_to: Connection | None = None
    ring: Ring = field(init=False)

    def __post_init__(self, vault: Vault) -> None:
        self.ring = Ring(self.session, vault)

    @property
    def connection(self) -> Connection:
        """What statements that need no objects go to: the busiest path makes no session at all."""
        return self.writes_to if self.writes_to is not None else self.db.connection()

    @property
    def db(self) -> Session:
        """The session of this unit, made when somebody asks for it: the busiest path does without."""
        return self.session()

    @property
    def who(self) -> Actor:
        """The person acting. Raises `Unauthenticated` where there is none."""
        if self.actor is None:
            raise Unauthenticated
        return self.actor

    def digest(self, code: str) -> str:
        """What is stored of a code that stands on paper. Keyed: short codes could be guessed from a stolen database."""
        return hmac.new(self.code_key, code.encode(), hashlib.sha256).hexdigest()

    def announce(self, topic: str, event: str, payload: dict[str, Any]) -> None:
        """Tell open screens after the commit."""
        self.announcements.append(Announcement(topic, event, payload))

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Run `effect` after the commit. It may fail without harm: whatever matters is a row."""
        self.effects.append(effect)


Announcer = Callable[[Sequence[Announcement]], None]


def _nobody_listens(_announcements: Sequence[Announcement]) -> None:
    """The announcer of a process without open screens (commands, tests)."""


class Database:
    """Opens units of work on one engine. Writes of this process queue up here instead of at the file lock."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: clocks.Clock = clocks.system,
        seal_key: bytes = b"",
        code_key: bytes = b"",
    ) -> None:
        self.engine = engine
        self.vault = vault
        self.clock = clock
        self.seal_key = seal_key
        self.code_key = code_key
        self.announcer: Announcer = _nobody_listens
        self._reader = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._holder: int | None = None
        self._queue: threading.Lock | None = threading.Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def work(self, actor: Actor | None = None) -> Iterator[Work]:
        """A unit of work that may write. Never hold it open over a network call or a page being drawn."""
        if self._queue is None:
            work = yield from self._transaction(actor)
        else:
            if self._holder == threading.get_ident():
                raise RuntimeError("a unit of work inside a unit of work would wait for itself")
            with self._queue:
                self._holder = threading.get_ident()
                try:
                    work = yield from self._transaction(actor)
                finally:
                    self._holder = None
        self._tell(work)

    @contextmanager
    def read(self, actor: Actor | None = None) -> Iterator[Work]:
        """A unit of work that only reads: it never waits for writers, and nothing it changes is kept."""
        with Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield Work(lambda: session, actor, self.clock(), self.vault, code_key=self.code_key)

    def _transaction(self, actor: Actor | None) -> Generator[Work, None, Work]:
        # The write lock is taken now: what is checked must still hold when it is written.
        with self._writer.begin() as connection:
            sessions: list[Session] = []

            def session() -> Session:
                if not sessions:
                    sessions.append(Session(connection, expire_on_commit=False))
                return sessions[0]

            work = Work(
                session,
                actor,
                self.clock(),
                self.vault,
                self.seal_key,
                self.code_key,
                writes_to=connection,
            )
            try:
                yield work
                for opened in sessions:
                    opened.commit()  # its part: the transaction is the connection's
            finally:
                for opened in sessions:
                    opened.close()
        return work

    def _tell(self, work: Work) -> None:
        if work.announcements:
            work.after_commit(lambda: self.announcer(work.announcements))
        for effect in work.effects:
            try:
                effect()
            except Exception:
                log.exception("effect_failed")
