"""A real server process for tests: its own data, its own port, stopped (or killed) at the end."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0  # seconds a server may take to answer
KEEPS = 300  # seconds before a copied demo is made anew: what it plans begins soon
MODES = tuple((os.environ.get("SAMEN_TEST_ASYNC_MODES") or "eventlet,gevent,threading").split(","))
assert {*MODES} <= {"eventlet", "gevent", "threading"}, "SAMEN_TEST_ASYNC_MODES names a loop that does not exist"


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _made(demo: bool, _since: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="samen-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Server(folder).make(demo=demo)
    return folder


@dataclass
class Server:
    """`samen run` on its own folder. `extra` are further environment variables; `runs` is what is started instead."""

    folder: Path
    port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    runs: tuple[str, ...] = ("app.cli", "run")
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SAMEN_")}
        return kept | {"SAMEN_DATA_DIR": str(self.folder), "PORT": str(self.port)} | self.extra

    def command(self, *arguments: str, standard_input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run one `samen` command on this server's data."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=ROOT,
            env=self.environment(),
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def prepare(self, *, demo: bool = False) -> Server:
        """The keys and the tables, and if asked the demo's people: made once by the commands, then copied."""
        if "SAMEN_DATABASE_URL" in self.extra:
            return self.make(demo=demo)
        shutil.copytree(_made(demo, int(time.monotonic() // KEEPS)), self.folder, dirs_exist_ok=True)
        return self

    def make(self, *, demo: bool = False) -> Server:
        """What `prepare` copies, made here by the commands themselves."""
        for arguments in (("setup-keys",), ("db", "upgrade"), ("demo",))[: 3 if demo else 2]:
            done = self.command(*arguments)
            assert done.returncode == 0, done.stderr
        return self

    def people(self, groups: int, members: int) -> list[dict[str, Any]]:
        """Signed-in people for load and live tests."""
        done = self.command("loadtest-people", "--groups", str(groups), "--members", str(members))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def on(self, mode: str) -> Server:
        """This server, on one of the loops."""
        self.extra["SAMEN_ASYNC_MODE"] = mode
        return self

    def start(self) -> Server:
        """Start serving and wait until a page comes back."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.runs],
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise AssertionError(self.log())
            try:
                with urllib.request.urlopen(f"{self.url}/elders", timeout=1):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)  # looking again is the only way to hear that a port opened
        raise AssertionError("the server did not answer in time\n" + self.log())

    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Stop it, politely first."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Pull the plug."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
