"""Group commit: commands that wait together are stored in one transaction, and acknowledged after its commit.

One writer runs per process. While a commit waits for the disk, new commands pile up and become the next
batch: nothing waits for a clock, and a busy room costs hardly more commits than a quiet one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from app.core.errors import AppError, Unavailable
from app.core.work import Database, Work

log = structlog.get_logger()

BATCH = 256  # commands a transaction
WAITING = 4_000  # commands queued before new ones are refused
PATIENCE = 30.0  # seconds a caller waits for its answer

Done = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class _Ticket:
    command: Any
    done: Done
    afterwards: Callable[[], None] | None = None


class Writer:
    """Hands commands to `handle` in batches. `handle` answers each command with a result or an `AppError`."""

    def __init__(self, database: Database, handle: Callable[[Work, Sequence[Any]], list[Any]]) -> None:
        self._database = database
        self._handle = handle
        self._waiting: deque[_Ticket] = deque()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to batch. Before this, each command is stored by its caller."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Does too much wait already? Then nothing more is taken, and there is no need to look at it first."""
        return len(self._waiting) >= WAITING

    def offer(self, command: Any, done: Done, afterwards: Callable[[], None] | None = None) -> None:
        """Store one command, and call `done` with its result or an `AppError`, after the commit.

        What the commit announced is told to others after that, and then `afterwards` is called. Neither may wait.
        Raises `Unavailable` when too much waits already.
        """
        if self.full:
            raise Unavailable(retry_after=5)
        ticket = _Ticket(command, done, afterwards)
        if self._thread is None:
            self._store([ticket])
            return
        self._waiting.append(ticket)
        if not self._wake.is_set():
            self._wake.set()

    def submit(self, command: Any) -> Any:
        """Store one command and return its result, after the commit. Raises `AppError`; then nothing is stored."""
        answered, results = threading.Event(), []

        def done(result: Any) -> None:
            results.append(result)
            answered.set()

        self.offer(command, done)
        if not answered.wait(PATIENCE):
            raise Unavailable(retry_after=5)
        if isinstance(results[0], AppError):
            raise results[0]
        return results[0]

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._waiting:
                self._store([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])

    def _store(self, tickets: Sequence[_Ticket]) -> None:
        """One transaction for all. If it fails, one each, so that a single bad command hurts nobody else."""
        try:
            with self._database.work() as w:
                results = self._handle(w, [ticket.command for ticket in tickets])
                w.after_commit(lambda: _tell(tickets, results))
        except Exception:
            log.exception("batch_failed", commands=len(tickets))
            if len(tickets) == 1:
                _tell(tickets, [Unavailable(retry_after=5)])
                _let_go(tickets)
                return
            for ticket in tickets:
                self._store([ticket])
            return
        _let_go(tickets)


def _tell(tickets: Sequence[_Ticket], results: Sequence[Any]) -> None:
    for ticket, result in zip(tickets, results, strict=True):
        try:
            ticket.done(result)
        except Exception:
            log.exception("answer_failed")  # its client has gone meanwhile


def _let_go(tickets: Sequence[_Ticket]) -> None:
    """One client whose line fails must not stop the writer: everybody's messages go by way of it."""
    for ticket in tickets:
        try:
            if ticket.afterwards is not None:
                ticket.afterwards()
        except Exception:
            log.exception("answer_failed")
