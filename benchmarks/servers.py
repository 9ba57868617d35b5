"""Starts and stops the servers under load as processes of their own, and reads what they cost from /proc."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
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
from benchmarks.checker import Row
from groups import conversation
from groups.models import Message, Room

HERE = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")

Kind = Literal["ours", "plain"]

_RUN: dict[Kind, list[str]] = {"ours": ["app.cli", "run"], "plain": ["benchmarks.plain_server", "run"]}

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

    `core` is the processor it is pinned to, or None to let it float.
    """

    def __init__(self, kind: Kind, data_dir: Path, core: int | None = None) -> None:
        self.kind, self.data_dir, self.core = kind, data_dir, core
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        own = {name: value for name, value in os.environ.items() if not name.startswith("SAMEN_")}
        self._env = own | {"SAMEN_DATA_DIR": str(data_dir), "PORT": str(self.port)}

    def prepare(self, rooms: int, members: int) -> list[Person]:
        """Make the database and its people. Raises `CalledProcessError`."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self.kind == "ours":
            self._command("app.cli", "setup-keys")
            self._command("app.cli", "db", "upgrade")
            amounts = ["--groups", str(rooms), "--members", str(members), "--facilitators", "0"]
            lines = self._command("app.cli", "loadtest-people", *amounts)
        else:
            lines = self._command("benchmarks.plain_server", "people", str(rooms), str(members))
        people = [json.loads(line) for line in lines.splitlines()]
        return [Person(p["room"], p["alias"], p["cookie"]) for p in people]

    def start(self, timeout: float = 30.0) -> None:
        """Start it and wait until its port answers. Raises `RuntimeError` after `timeout` seconds."""
        with (self.data_dir / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *_RUN[self.kind]], cwd=HERE, env=self._env, stdout=log, stderr=log
            )
        if self.core is not None:
            os.sched_setaffinity(self._process.pid, {self.core})
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the {self.kind} server did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)  # the pause between two looks at the port, not a guess at how long it takes

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
        settings = load({"SAMEN_DATA_DIR": str(self.data_dir)})
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
        """Processor time it has used, all threads, user and system."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_kib(self) -> int:
        """Its resident memory in KiB."""
        return int(self._proc("statm").split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text()

    def _command(self, module: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=HERE,
            env=self._env,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=120,
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
