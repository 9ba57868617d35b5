"""Group commit: commands that wait together are stored in one transaction, and acknowledged after its commit.

One writer runs per process. While a commit waits for the disk, new commands pile up and become the next
batch: nothing waits for a clock, and a busy room costs hardly more commits than a quiet one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from app.core.errors import AppError, Unavailable
from app.core.work import Database, Work

log = structlog.get_logger()

BATCH = 64  # commands a transaction: screening them takes its time inside it
WAITING = 4_000  # commands queued before new ones are refused
PATIENCE = 30.0  # seconds a caller waits for its answer


@dataclass(slots=True)
class _Ticket:
    command: Any
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None


class Writer:
    """Hands commands to `handle` in batches. `handle` answers each command with a result or an `AppError`."""

    def __init__(self, database: Database, handle: Callable[[Work, Sequence[Any]], list[Any]]) -> None:
        self._database = database
        self._handle = handle
        self._waiting: queue.Queue[_Ticket] = queue.Queue(maxsize=WAITING)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to batch. Before this, each command is stored by its caller."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, command: Any) -> Any:
        """Store one command and return its result, after the commit. Raises `AppError`; then nothing is stored."""
        if self._thread is None:
            return _unwrap(self._store([command])[0])
        ticket = _Ticket(command)
        try:
            self._waiting.put_nowait(ticket)
        except queue.Full:
            raise Unavailable(retry_after=5) from None
        if not ticket.done.wait(PATIENCE):
            raise Unavailable(retry_after=5)
        return _unwrap(ticket.result)

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < BATCH:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            results = self._store([ticket.command for ticket in batch])
            for ticket, result in zip(batch, results, strict=True):
                ticket.result = result
                ticket.done.set()

    def _store(self, commands: Sequence[Any]) -> list[Any]:
        """One transaction for all. If it fails, one each, so that a single bad command hurts nobody else."""
        try:
            with self._database.work() as w:
                results = self._handle(w, commands)
            return results
        except Exception:
            log.exception("batch_failed", commands=len(commands))
            if len(commands) == 1:
                return [Unavailable(retry_after=5)]
        return [self._store([command])[0] for command in commands]


def _unwrap(result: Any) -> Any:
    if isinstance(result, AppError):
        raise result
    return result
