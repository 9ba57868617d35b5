"""Who comes in slowly, and who comes when it is full: nobody else is kept waiting for ever."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.live.small_server import PLACES, SECONDS
from tests.server import MODES, Server

UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
WHOLE_HEAD = [mode for mode in MODES if mode != "eventlet"]  # eventlet's time is for each piece of a head


@pytest.fixture(scope="module", params=MODES)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("small"), runs=("tests.live.small_server",)).on(request.param).prepare()
    made.start()
    yield made
    made.stop()
    assert not any(word in made.log() for word in ("failed", "Traceback", "GET ", "127.0.0.1")), made.log()


def call(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10 * SECONDS)


def hung_up(connection: socket.socket) -> bool:
    """Does the server end this connection? It may say why first."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


def answers(server: Server) -> bool:
    with urllib.request.urlopen(f"{server.url}/elders", timeout=10 * SECONDS) as page:
        return bool(page.status == 200)


@pytest.mark.parametrize("said", ["", "GET / HT", f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n{UPGRADE}"])
def test_whoever_does_not_finish_the_head_of_a_request_is_shown_out(small: Server, said: str) -> None:
    with call(small) as silent:
        silent.sendall(said.encode())
        began = time.monotonic()
        assert hung_up(silent)
        assert time.monotonic() - began < 5 * SECONDS


@pytest.mark.parametrize("small", WHOLE_HEAD, indirect=True)
def test_a_head_in_drops_has_no_more_time_than_another(small: Server) -> None:
    with call(small) as slow:
        slow.settimeout(SECONDS / 5)
        began = time.monotonic()
        while time.monotonic() - began < 5 * SECONDS:
            try:
                slow.sendall(b"G")
                if not slow.recv(1):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    raise AssertionError("it was still waiting for the rest")


def test_when_it_is_full_the_next_one_waits_until_somebody_leaves(small: Server) -> None:
    assert answers(small)
    with ExitStack() as here:
        for _ in range(2 * PLACES):
            here.enter_context(call(small)).sendall(b"GET / HT")
        began = time.monotonic()
        assert answers(small)  # in its turn, once the slow ones were shown out
        assert time.monotonic() - began > SECONDS / 2, "there were more places than it was told"


@pytest.mark.parametrize(
    "malformed",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=["not HTTP", "no such version", "a line without a colon", "a negative length", "a long address", "many lines"],
)
def test_what_is_no_request_is_turned_away_without_a_trace(small: Server, malformed: bytes) -> None:
    with call(small) as other:
        try:
            other.sendall(malformed)
            other.shutdown(socket.SHUT_WR)
            told = b""
            while chunk := other.recv(65_536):
                told += chunk
        except OSError:  # it hung up before it had heard all
            told = b""
        assert b"Traceback" not in told
        assert b".py" not in told
    assert answers(small)
