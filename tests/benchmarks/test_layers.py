"""Where time goes: stacks are given to the right layer, and only time that was really used is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import layers
from tests.server import ROOT

SITE = "/v/lib/python3.11/site-packages"
FRAMES = f"{SITE}/eventlet/websocket.py"


@pytest.mark.parametrize(
    ("stack", "layer"),
    [
        (f"run ({SITE}/eventlet/hubs/hub.py:362);screen (/w/moderation/screening.py:7)", "screening"),
        ("screen (/w/moderation/screening.py:7);compile (/usr/lib/python3.11/re/__init__.py:3)", "screening"),
        ("post (/w/groups/talk/messages.py:9);open_case (/w/moderation/queue.py:7)", "application"),
        (f"post (/w/groups/talk/messages.py:9);execute ({SITE}/sqlalchemy/engine/base.py:7)", "SQL"),
        ("post (/w/groups/talk/messages.py:9);Key.seal (/w/app/core/crypto.py:80)", "sealing"),
        (f"emit ({SITE}/socketio/packet.py:9);dumps (/usr/lib/python3.11/json/__init__.py:2)", "JSON"),
        (f"writer ({SITE}/engineio/socket.py:2);RFC6455WebSocket.send ({FRAMES}:3)", "websocket out"),
        (f"wait ({SITE}/engineio/x.py:2);RFC6455WebSocket._recv_frame ({FRAMES}:3)", "websocket in"),
        (f"Socket.send ({SITE}/engineio/socket.py:72)", "engineio, socketio"),
        (f"BaseHub.run ({SITE}/eventlet/hubs/hub.py:362)", "loop"),
        ("other threads (threads:0)", "other threads"),
        ("f (/elsewhere/thing.py:1)", layers.OTHER),
    ],
)  # fmt: skip
def test_a_stack_belongs_to_the_innermost_frame_that_is_known(stack: str, layer: str) -> None:
    assert layers.layer_of(stack) == layer


def test_a_call_into_c_is_known_by_its_line(tmp_path: Path) -> None:
    source = tmp_path / "app" / "thing.py"
    source.parent.mkdir()
    source.write_text("import orjson\norjson.dumps(1)\nsock.send(b'')\nx = 1\n")
    assert [layers.layer_of(f"f ({source}:{line})") for line in (2, 3, 4)] == ["JSON", "websocket out", "application"]
    assert layers.layer_of(f"f ({source}:3);g (/w/moderation/x.py:1)") == "screening"


def test_shares_add_up_and_become_microseconds() -> None:
    found = layers.shares(["f (/w/moderation/a.py:1) 300", "f (/w/app/core/crypto.py:1) 100", "", "no figure"])
    assert found == {"screening": 0.75, "sealing": 0.25}
    rows = layers.table(found, per_message=200.0, deliveries=10)
    assert rows[0] == {"layer": "screening", "share": 0.75, "us_per_message": 150.0, "us_per_delivery": 15.0}


PROGRAM = """
import hashlib, threading, time, sys

def works():
    end = time.thread_time() + 0.4
    while time.thread_time() < end:
        sum(range(200))

def elsewhere():
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        hashlib.sha256(bytes(200_000)).digest()

def waits():
    time.sleep(0.5)

print("ready", flush=True)
sys.stdin.readline()
thread = threading.Thread(target=elsewhere)
thread.start()
works()
waits()
thread.join()
print("done", flush=True)
sys.stdin.readline()
"""


def test_only_time_that_was_used_is_counted_and_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    out = tmp_path / "samples"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sampled", str(out), "program"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        sampling = layers.Sampling(process.pid, out)
        sampling.start()
        time.sleep(0.1)  # the signal is handled before the program goes on
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        samples = sampling.stop()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def used(name: str) -> float:
        return sum(int(line.rpartition(" ")[2]) for line in samples if name in line) / 1e6

    assert used("works (") == pytest.approx(0.4, abs=0.08)
    assert used("other threads") == pytest.approx(0.2, abs=0.08)
    assert used("waits (") < 0.05
