"""Where each microsecond of the server goes: its stacks, sampled under load, summed by layer.

The server is started by `benchmarks.sampled`, which needs no package and no right to trace. A stack counts for the
innermost frame that a rule knows; frames no rule knows (a regular expression, a lock) count for whoever called them.
"""

from __future__ import annotations

import linecache
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from benchmarks import machine

OTHER = "other"
_FRAME = re.compile(r"(?P<name>.+) \((?P<path>[^()]*):(?P<line>\d+)\)$")


@dataclass(frozen=True, slots=True)
class Rule:
    """A layer, and the frames that are it: by file, by function in it, or by what stands on the innermost line."""

    layer: str
    path: str = ""
    name: str = ""
    line: str = ""


# In this order; the first that fits counts. `line` looks only at the innermost frame: what it calls there is C and has
# no frame of its own.
RULES = (
    Rule("other threads", path=r"^threads$"),
    Rule("JSON", line=r"\b(orjson|json)\.(loads|dumps)\("),
    Rule("JSON", path=r"/json/(encoder|decoder|scanner|__init__)\.py$"),
    Rule("websocket out", line=r"\.(send|sendall|sendmsg)\(|\bos\.writev?\("),
    Rule("websocket in", line=r"\.(recv|recv_into)\(|\bos\.read\("),
    Rule("sealing", path=r"/app/core/crypto\.py$|/cryptography/"),
    Rule("screening", path=r"/moderation/(?!queue)"),
    Rule("SQL", path=r"/sqlalchemy/|/sqlite3/|/psycopg|/app/core/(db|native)\.py$|/eventlet/tpool\.py$"),
    Rule("websocket out", path=r"/(eventlet/(websocket|greenio/base)|geventwebsocket/.*|gevent/_socket\w*)\.py$",
         name=r"send|pack|encode|header|write"),
    Rule("websocket in", path=r"/(eventlet/(websocket|greenio/base)|geventwebsocket/.*|gevent/_socket\w*)\.py$",
         name=r"recv|wait$|mask|decode|frame|read|Message|push|getvalue"),
    Rule("websocket out", path=r"/app/live/",
         name=r"send|write|flush|encode|frame|deliver|emit|announce|put$|_portions"),
    Rule("websocket in", path=r"/app/live/", name=r"recv|read|mask|split|decode|wait$|_within_budget|push|packet"),
    Rule("engineio, socketio", path=r"/(engineio|socketio|flask_socketio)/"),
    Rule("loop", path=r"/(eventlet|gevent|greenlet)/"),
    Rule("loop", path=r"/python3[^/]*/(threading|queue|selectors|asyncio/\w+)\.py$"),
    Rule("application", path=r"/(app|groups|matching|moderation|benchmarks)/"),
    Rule("application", path=r"/(flask|werkzeug|structlog|limits)/"),
)  # fmt: skip


def layer_of(stack: str) -> str:
    """The layer of one sampled stack: frames from the outermost to the innermost, separated by semicolons."""
    frames = [found for part in stack.split(";") if (found := _FRAME.match(part))]
    for depth, found in enumerate(reversed(frames)):
        name, path, number = found["name"], found["path"], int(found["line"])
        for rule in RULES:
            if rule.line and not (depth == 0 and re.search(rule.line, _source(path, number))):
                continue
            if re.search(rule.path, path) and re.search(rule.name, name):
                return rule.layer
    return OTHER


def shares(samples: Iterable[str]) -> dict[str, float]:
    """What part of the time each layer has, the largest first. A line is a stack, a space, and its microseconds."""
    counts: Counter[str] = Counter()
    for line in samples:
        stack, _, count = line.rpartition(" ")
        if stack and count.strip().isdigit():
            counts[layer_of(stack)] += int(count)
    total = sum(counts.values()) or 1
    return {layer: round(count / total, 4) for layer, count in counts.most_common()}


def table(found: Mapping[str, float], per_message: float, deliveries: float) -> list[dict[str, float | str]]:
    """Shares as microseconds per message and per delivery. `per_message` are the processor's microseconds for one."""
    return [
        {
            "layer": layer,
            "share": share,
            "us_per_message": round(share * per_message, 1),
            "us_per_delivery": round(share * per_message / deliveries, 2),
        }
        for layer, share in found.items()
    ]


class Sampling:
    """Asks a server started by `benchmarks.sampled` where its time goes: `start`, then the load, then `stop`."""

    def __init__(self, pid: int, out: Path) -> None:
        self._pid, self._out = pid, out

    def start(self) -> None:
        """Begin to count."""
        self._out.unlink(missing_ok=True)
        os.kill(self._pid, signal.SIGUSR1)

    def stop(self, patience: float = 10.0) -> list[str]:
        """The stacks and their microseconds. Raises `machine.Unavailable` when the server does not answer."""
        os.kill(self._pid, signal.SIGUSR2)
        deadline = time.monotonic() + patience
        while not self._out.exists():
            if time.monotonic() > deadline:
                raise machine.Unavailable("The server did not say where its time goes.")
            time.sleep(0.02)  # the pause between two looks
        return self._out.read_text(encoding="utf-8").splitlines()


@lru_cache(maxsize=4_096)
def _source(path: str, number: int) -> str:
    return linecache.getline(path, number)
