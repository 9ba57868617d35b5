"""Starts and stops the servers under load as processes of their own, and reads what they cost from /proc."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from app.core import keys
from app.core.crypto import Vault
from app.core.db import open_engine
from app.core.settings import load
from app.core.work import Database
from benchmarks import machine, peer
from benchmarks.checker import Row
from benchmarks.cluster import Cluster
from groups.models import Message, Room
from groups.talk import conversation

HERE = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"

Kind = Literal["ours", "plain", "node"]

_ROWS = """
    SELECT rooms.public_id, messages.seq, messages.key, messages.text
    FROM messages JOIN rooms ON rooms.id = messages.room_id
    WHERE messages.seq IS NOT NULL ORDER BY rooms.id, messages.seq
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in and has a seat in one room."""

    room: str
    alias: str
    cookie: str


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Server:
    """One server on a data directory and a port, both of which stay the same over restarts.

    `core` is the processor it is pinned to, or None to let it float; with `realtime` it runs ahead of others who use
    the machine. `sync_ms` is added to the price of every sync of the disk (`benchmarks.machine.slow_sync`). With a
    `cluster` ours keeps its rows there instead of in SQLite, and pays for its processor time. `environment` is added.
    With `samples` it can be asked where its time goes (`benchmarks.layers.Sampling`), and writes it there.
    """

    def __init__(
        self,
        kind: Kind,
        data_dir: Path,
        core: int | None = None,
        *,
        realtime: bool = False,
        sync_ms: float = 0.0,
        cluster: Cluster | None = None,
        environment: Mapping[str, str] | None = None,
        samples: Path | None = None,
    ) -> None:
        self.kind, self.data_dir, self.core, self.realtime, self.cluster = kind, data_dir, core, realtime, cluster
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        own = {name: value for name, value in os.environ.items() if not name.startswith("SAMEN_")}
        self._env = own | {"SAMEN_DATA_DIR": str(data_dir), "PORT": str(self.port), **(environment or {})}
        self._url = {"SAMEN_DATABASE_URL": cluster.url} if cluster is not None and kind == "ours" else {}
        self._env |= self._url
        self._samples = samples
        self._priced = machine.slow_sync(sync_ms)

    def prepare(self, rooms: int, members: int) -> list[Person]:
        """Make the database and its people. Raises `CalledProcessError`."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self.kind == "ours":
            self._command("app.cli", "setup-keys")
            self._command("app.cli", "db", "upgrade")
            amounts = ["--groups", str(rooms), "--members", str(members), "--facilitators", "0"]
            lines = self._command("app.cli", "loadtest-people", *amounts)
        elif self.kind == "plain":
            lines = self._command("benchmarks.plain_server", "people", str(rooms), str(members))
        else:
            lines = self._run([*peer.command(), "people", str(rooms), str(members)], peer.environment())
        people = [json.loads(line) for line in lines.splitlines()]
        return [Person(p["room"], p["alias"], p["cookie"]) for p in people]

    def start(self, timeout: float = 30.0) -> None:
        """Start it and wait until its port answers. Raises `RuntimeError` after `timeout` seconds."""
        command, more = self._serving()
        special = self.core is not None or self.realtime
        with (self.data_dir / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=HERE,
                env=self._env | self._priced | more,
                stdout=log,
                stderr=log,
                preexec_fn=machine.settled(self.core, self.realtime) if special else None,
            )
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the {self.kind} server did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)  # the pause between two looks at the port, not a guess at how long it takes

    def _serving(self) -> tuple[list[str], dict[str, str]]:
        """The command line that serves, and what it wants to find in its environment."""
        if self.kind == "node":
            return [*peer.command(), "run"], peer.environment()
        module = "app.cli" if self.kind == "ours" else "benchmarks.plain_server"
        if self._samples is not None:
            return machine.run_python("benchmarks.sampled", str(self._samples), module, "run"), {}
        return machine.run_python(module, "run"), {}

    @property
    def pid(self) -> int:
        """The process that serves now."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as a power cut ends a process."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, insist after five seconds."""
        try:
            self._end(signal.SIGTERM, patience=5.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def log(self) -> str:
        """What it has printed so far, over all its lives."""
        path = self.data_dir / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def rows(self) -> list[Row]:
        """The posted messages in its database, read from the file; ours are sealed, and opened with its keys."""
        if self.kind == "ours":
            return self._opened_rows()
        with closing(sqlite3.connect(self.data_dir / "samen.db")) as connection:
            return [Row(*row) for row in connection.execute(_ROWS)]

    def _opened_rows(self) -> list[Row]:
        settings = load({"SAMEN_DATA_DIR": str(self.data_dir), **self._url})
        database = Database(open_engine(settings.database_url), Vault(keys.masters(settings)))
        query = (
            select(Room.public_id, Message.seq, Message.seat_id, Message.key, Message.text)
            .join(Room, Room.id == Message.room_id)
            .where(Message.seq.is_not(None))
            .order_by(Room.id, Message.seq)
        )
        with database.read() as r:
            rows = r.db.execute(query).all()
            texts = conversation.texts_of(r, rows)
        database.engine.dispose()
        return [Row(row.public_id, row.seq, row.key, text) for row, text in zip(rows, texts, strict=True)]

    def cpu_seconds(self) -> float:
        """Processor time it has used, all threads, user and system; with a cluster the cluster's processes too."""
        own = machine.cpu_seconds(self.pid)
        return own + self.cluster.cpu_seconds() if self.cluster is not None else own

    def waited_seconds(self) -> float:
        """How long it was ready to run while somebody else had its core; its own cluster is nobody else."""
        own = self.cluster.cpu_seconds() if self.cluster is not None else 0.0
        return machine.waited_seconds(self.pid) - own

    def memory_kib(self) -> int:
        """Its resident memory in KiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    def _command(self, module: str, *arguments: str) -> str:
        return self._run(machine.run_python(module, *arguments))

    def _run(self, command: list[str], environment: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=HERE,
            env=self._env | dict(environment or {}),
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=300,
        )
        return done.stdout

    def _answers(self) -> bool:
        try:
            with closing(socket.create_connection((HOST, self.port), timeout=1.0)):
                return True
        except OSError:
            return False

    def _end(self, number: signal.Signals, patience: float | None = None) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(patience)
