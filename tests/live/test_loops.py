"""What the product asks of a loop beneath it, on each of them: others go on while somebody waits."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.live import driver
from tests import conftest
from tests.server import MODES, ROOT

PREPARED = """
import sys
from app.live import driver
driver.choose(sys.argv[1]).prepare()
from app.core import native
"""

ALL_AT_ONCE = """
import threading, time

def all_at_once(wait):
    began = time.monotonic()
    waiting = [threading.Thread(target=wait) for _ in range(8)]
    for one in waiting: one.start()
    beats = 0
    while any(one.is_alive() for one in waiting):
        time.sleep(0.01)
        beats += 1
    return time.monotonic() - began, beats

print(*all_at_once(wait))
"""

DISK = """
import ctypes
block = ctypes.CDLL(None).usleep  # waits in C, as a disk does
wait = lambda: native.run(block, 200_000)
"""

DATABASE = """
import sqlalchemy
engine = sqlalchemy.create_engine(sys.argv[2], pool_size=8)
def wait():
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(0.2)")
"""

FAILS = """
class Refused(Exception): pass
def refuse(): raise Refused("a line that must not be printed")
try:
    native.run(refuse)
except Refused:
    print("refused", native.run(sum, [1, 2, 3]))
"""


def run(mode: str, what: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", what, mode, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("mode", MODES)
def test_eight_who_wait_for_the_disk_wait_together_and_the_loop_goes_on(mode: str) -> None:
    seconds, beats = map(float, run(mode, PREPARED + DISK + ALL_AT_ONCE).split())
    assert seconds < 1.2  # one after the other would take 1.6
    assert beats >= 5


@pytest.mark.skipif("postgresql" not in conftest.KINDS, reason="asked to run without PostgreSQL")
@pytest.mark.parametrize("mode", MODES)
def test_eight_who_wait_for_postgresql_wait_together_and_the_loop_goes_on(mode: str) -> None:
    seconds, beats = map(float, run(mode, PREPARED + DATABASE + ALL_AT_ONCE, conftest.POSTGRESQL).split())
    assert seconds < 1.2
    assert beats >= 5


@pytest.mark.parametrize("mode", MODES)
def test_what_fails_outside_the_loop_fails_where_it_was_asked_for_and_nothing_is_printed(mode: str) -> None:
    start = (
        "import sys\nfrom app.live import driver\ndriver.choose(sys.argv[1]).prepare()\nfrom app.core import native\n"
    )
    assert run(mode, start + FAILS) == "refused 6\n"


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_every_driver_has_all_of_what_a_driver_is(mode: str) -> None:
    asked = {name for name in vars(driver.Driver) if not name.startswith("_")}
    chosen = driver.choose(mode)
    assert asked <= {name for name in vars(chosen) if callable(getattr(chosen, name))}
