"""The machine under a measurement: which core is whose, with what priority, and what a sync of the disk costs."""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHIM = HERE / "native" / "slow_sync.c"
TMPFS = Path("/dev/shm")  # noqa: S108 - a memory file system is the point: only the price we set is paid
TICKS = os.sysconf("SC_CLK_TCK")
PRIORITY = 10  # SCHED_RR, the same for both sides
PACKAGES = (
    "eventlet", "gevent", "flask-socketio", "python-socketio", "python-engineio", "sqlalchemy", "orjson", "psycopg",
    "cryptography",
)  # fmt: skip
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samen-loslaten-benchmarks"


class Unavailable(RuntimeError):
    """A measurement needs something that this machine does not have; the message says what, and what to do."""


def cores() -> tuple[int | None, int | None]:
    """The core of the servers and the core of the generator; None twice where there is only one."""
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[1]) if len(found) > 1 else (None, None)


def may_be_realtime() -> bool:
    """May we run ahead of whoever else uses this machine?"""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    os.sched_setscheduler(0, *before)
    return True


def settle(core: int | None, realtime: bool) -> None:
    """Bring this process to its core and priority; what it starts afterwards inherits both."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    if realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))


def settled(core: int | None, realtime: bool, user: tuple[int, int] | None = None) -> Callable[[], None]:
    """What a child does between fork and exec: its core, its priority, and then (as nobody special) its user."""

    def prepare() -> None:
        settle(core, realtime)
        if user is not None:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])

    return prepare


def unhurried() -> None:
    """Back to an ordinary priority: installing and checking is not measuring."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def many_files(wanted: int = 20_000) -> int:
    """Allow as many open files as we may, for us and what we start. Returns how many."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, _soft), hard))
    return max(limit, _soft)


def slow_sync(milliseconds: float) -> dict[str, str]:
    """The environment in which every sync costs this much. Raises `Unavailable` without a C compiler."""
    if not milliseconds:
        return {}
    built = CACHE / f"slow_sync-{hashlib.sha256(SHIM.read_bytes()).hexdigest()[:12]}.so"
    if not built.exists():
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            raise Unavailable("There is no C compiler for the disk's price: run with --sync-ms 0, or with --dir.")
        CACHE.mkdir(parents=True, exist_ok=True)
        made = built.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(SHIM), "-ldl"], check=True)
        made.rename(built)
    return {"LD_PRELOAD": str(built), "SAMEN_SYNC_US": str(round(milliseconds * 1000))}


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def waited_seconds(pid: int) -> float:
    """How long a process's main thread was ready to run and something else ran instead; 0 where nobody counts it."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def about() -> dict[str, Any]:
    """What the figures were measured with."""
    server, generator = cores()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "server_core": server,
        "generator_core": generator,
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: found for name in PACKAGES if (found := _version(name))}
        | {"sqlite": sqlite3.sqlite_version},
        "commit": _commit(),
    }


def run_python(module: str, *arguments: str) -> list[str]:
    """The command line of one of our own modules."""
    return [sys.executable, "-m", module, *arguments]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
