"""A PostgreSQL of our own for one measurement: private, in memory, on the servers' core, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import machine

NOBODY_SPECIAL = ("postgres", "nobody")  # PostgreSQL refuses to run as root


class Cluster:
    """A running cluster with an empty database; use it in a `with`. `url` is its address for the product.

    Its settings are PostgreSQL's own (`synchronous_commit=on`, `fsync=on`) apart from how much it may hold in memory.
    """

    def __init__(self, core: int | None, *, realtime: bool = False, sync_ms: float = 0.0, parent: Path | None = None):
        self._core, self._realtime = core, realtime
        self._user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="samen-pg-", dir=parent or machine.TMPFS))
        self._env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"} | machine.slow_sync(sync_ms)
        if preload := self._env.get("LD_PRELOAD"):
            self._env["LD_PRELOAD"] = str(shutil.copy(preload, str(self._folder)))  # where its user can read it
        if self._user is not None:
            os.chown(self._folder, *self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://samen@/samen?host={self._folder}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def version(self) -> str:
        """Its own words for what it is."""
        done = subprocess.run([_program("postgres"), "--version"], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def cpu_seconds(self) -> float:
        """Processor time of the server and all its children."""
        assert self._process is not None
        family = [self._process.pid]
        with suppress(OSError):
            text = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
            family += [int(pid) for pid in text.split()]
        used = 0.0
        for pid in family:
            with suppress(OSError):
                used += machine.cpu_seconds(pid)
        return used

    def stop(self) -> None:
        """End it, and remove all of it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # end now, without waiting for who is connected
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        data, log = self._folder / "data", self._folder / "log"
        self._run("initdb", "-D", str(data), "-U", "samen", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "synchronous_commit": "on",
            "shared_buffers": "256MB",
            "max_wal_size": "4GB",
            "max_connections": "60",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with log.open("ab") as written:
            self._process = subprocess.Popen(
                [_program("postgres"), "-D", str(data), *options],
                env=self._env,
                cwd=self._folder,
                stdout=written,
                stderr=written,
                preexec_fn=machine.settled(self._core, self._realtime, self._user),
            )
        deadline = time.monotonic() + 30.0
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise machine.Unavailable(f"PostgreSQL did not start:\n{log.read_text()[-1500:]}")
            time.sleep(0.05)  # the pause between two looks
        self._run("createdb", "-h", str(self._folder), "-U", "samen", "samen")

    def _answers(self) -> bool:
        command = [_program("pg_isready"), "-h", str(self._folder), "-q"]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [_program(name), *arguments],
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            preexec_fn=machine.settled(None, False, self._user),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise machine.Unavailable(f"{name} failed:\n{done.stderr[-1500:]}")


def _user() -> tuple[int, int] | None:
    """Who runs it when we are root; None when we are somebody ordinary."""
    if os.getuid() != 0:
        return None
    for name in NOBODY_SPECIAL:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise machine.Unavailable("PostgreSQL does not run as root, and there is nobody else here to run it.")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(installed[-1]) if installed else None
    if found is None:
        raise machine.Unavailable(f"PostgreSQL ({name}) is not here: install it, or leave this part out.")
    return found
