"""The Node server to compare with (`benchmarks/node/server.js`): its packages are installed into a cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks import machine

SOURCE = machine.HERE / "node"


def install() -> Path:
    """The folder with the locked packages, made the first time. Raises `machine.Unavailable`.

    The database module is compiled on the spot when nothing ready-made can be had, which takes about a minute.
    """
    lock = (SOURCE / "package-lock.json").read_bytes()
    home = machine.CACHE / f"node-{_version()}-{hashlib.sha256(lock).hexdigest()[:12]}"
    if (home / "complete").exists():
        return home
    npm = shutil.which("npm")
    if npm is None:
        raise machine.Unavailable("npm is not here: install Node.js to compare with the Node server, or leave it out.")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCE / name, home / name)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund"], cwd=home, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode or not list(home.glob("node_modules/better-sqlite3/build/Release/better_sqlite3.node")):
        raise machine.Unavailable(f"The Node server's packages could not be installed:\n{done.stderr[-1500:]}")
    (home / "complete").touch()
    return home


def command() -> list[str]:
    """The start of its command line."""
    return [_node(), str(SOURCE / "server.js")]


def environment() -> dict[str, str]:
    """Where it finds its packages."""
    return {"NODE_PATH": str(install() / "node_modules"), "NODE_ENV": "production"}


def versions() -> dict[str, str]:
    """What it runs with."""
    return {"node": _version(), "socket.io": _locked("socket.io"), "better-sqlite3": _locked("better-sqlite3")}


def _node() -> str:
    found = os.environ.get("SAMEN_BENCH_NODE") or shutil.which("node")
    if found is None:
        raise machine.Unavailable("Node.js is not here: install it to compare with the Node server, or leave it out.")
    return found


def _version() -> str:
    return subprocess.run([_node(), "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _locked(name: str) -> str:
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    return str(lock["packages"][f"node_modules/{name}"]["version"])
