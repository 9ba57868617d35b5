"""The WebSocket and the way out of gevent and threads, without a server: handshake, order, limits."""

from __future__ import annotations

import io
import queue
import select
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live import frames, limits
from app.live import outlet as outlets
from app.live.threading_driver import Outlet
from app.live.websocket import LINK, Arriving, Link, WebSocket

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, and what it is answered with
ACCEPTED = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
SERVER = SimpleNamespace(max_http_buffer_size=1_000)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end of a connection, and the client's."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def shake(ours: socket.socket, handler: Any, **headers: str) -> tuple[list[str], list[bytes]]:
    said: list[str] = []
    link = Link(ours, io.BufferedReader(Arriving(ours)))
    environ = {LINK: link, "HTTP_SEC_WEBSOCKET_VERSION": "13", "HTTP_SEC_WEBSOCKET_KEY": KEY} | headers
    answer = WebSocket(handler, SERVER)(environ, lambda status, _headers: said.append(status))
    return said, list(answer)


def masked(text: bytes, first: int = 0x81) -> bytes:
    return bytes([first, 0x80 | len(text), 0, 0, 0, 0]) + text


def test_the_handshake_is_answered_as_the_rfc_says(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    said, answer = shake(ours, lambda ws: ws.send("0"))
    assert (said, answer) == ([], [])
    told = b"".join(iter(lambda: theirs.recv(1_000), b""))
    assert told.startswith(b"HTTP/1.1 101 ")
    assert ACCEPTED in told
    assert told.endswith(b"\r\n\r\n\x81\x010")


@pytest.mark.parametrize("key", ["", "eA==", "not base64 at all", "dGhlIHNhbXBsZSBub25jZQ==\r\nX: y"])
def test_without_a_proper_key_there_is_no_handshake(ends: tuple[socket.socket, socket.socket], key: str) -> None:
    said, answer = shake(ends[0], pytest.fail, HTTP_SEC_WEBSOCKET_KEY=key)
    assert (said, answer) == (["400 Bad Request"], [b""])


def test_an_older_version_of_the_protocol_is_refused(ends: tuple[socket.socket, socket.socket]) -> None:
    assert shake(ends[0], pytest.fail, HTTP_SEC_WEBSOCKET_VERSION="8")[0] == ["400 Bad Request"]


def test_packets_come_out_in_order_and_anything_else_ends_it(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(masked(b"40") + masked(b"3") + masked(b'42["x"]') + masked(b"5") + masked(b"3"))
    got: list[str | None] = []
    shake(ours, lambda ws: got.extend(ws.wait() for _ in range(4)))
    assert got == ["40", "3", '42["x"]', None]


def test_a_broken_frame_is_answered_with_the_code_that_says_why(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(masked(b"\xff\xfe"))
    got: list[str | None] = []
    shake(ours, lambda ws: got.append(ws.wait()))
    assert got == [None]
    assert b"".join(iter(lambda: theirs.recv(1_000), b"")).endswith(frames.close(1007))


def test_whoever_sends_too_fast_is_ended(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(masked(b"3") * (limits.FRAMES_AT_ONCE + 200))
    got: list[str | None] = []
    shake(ours, lambda ws: got.extend(iter(ws.wait, None)))
    assert limits.FRAMES_AT_ONCE <= len(got) < limits.FRAMES_AT_ONCE + 200


@given(st.lists(st.floats(0, 0.05), max_size=1_500))
def test_nobody_gets_more_than_their_tempo_and_what_they_saved_up(pauses: list[float]) -> None:
    budget, now = limits.Budget(), 1_000.0
    for passed, pause in enumerate(pauses, 1):
        now += pause
        if not budget.spend(now):
            break
        assert passed <= limits.FRAMES_AT_ONCE + limits.FRAMES_A_SECOND * (now - 1_000.0) + 1


def test_a_head_in_drops_has_until_then_and_no_longer(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.settimeout(30)
    arriving = Arriving(ours)
    arriving.until = time.monotonic() + 0.2
    theirs.sendall(b"G")
    assert arriving.read(1) == b"G"
    with pytest.raises(TimeoutError):
        arriving.read(1)
    assert ours.gettimeout() == 30  # what follows the head has its own time
    arriving.until = None
    theirs.sendall(b"E")
    assert arriving.read(1) == b"E"


class Wire:
    """A socket that takes so many bytes at a time, and then none."""

    def __init__(self, takes: list[int]) -> None:
        self.takes, self.sent = takes, b""

    def __call__(self, data: bytes) -> int:
        if not self.takes:
            raise BlockingIOError
        taken = min(self.takes.pop(0), len(data))
        self.sent += data[:taken]
        return taken


@given(
    st.lists(st.integers(0, 12), max_size=12),
    st.lists(st.tuples(st.sampled_from(["write", "hold", "flush"]), st.binary(max_size=9)), max_size=40),
)
def test_everything_goes_out_once_and_in_order_however_little_the_socket_takes(
    takes: list[int], done: list[tuple[str, bytes]]
) -> None:
    outlet, wire, expected = Outlet(), Wire(takes), b""
    outlet.straight, outlet.websocket = wire, SimpleNamespace(writing=False)  # type: ignore[assignment]
    for what, frame in [*done, ("flush", b"")]:
        if what == "flush":
            outlet.flush()
        else:
            getattr(outlet, what)(frame)
            expected += frame
    assert wire.sent + waiting(outlet) == expected


def test_nothing_is_written_into_the_middle_of_anothers_frame() -> None:
    outlet, wire = Outlet(), Wire([100])
    outlet.straight, outlet.websocket = wire, SimpleNamespace(writing=True)  # type: ignore[assignment]
    outlet.write(b"frame")
    assert (wire.sent, waiting(outlet)) == (b"", b"frame")


def test_a_client_that_lets_it_fill_up_is_ended_and_nothing_more_is_kept(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    outlet = Outlet()
    outlet.raw = ends[0]
    for _ in range(limits.PENDING):
        outlet.write(b"x")
    assert outlet.qsize() == limits.PENDING
    outlet.write(b"one too many")
    assert outlet.get(block=False) is None  # the writer stops
    assert outlet.qsize() == 0
    assert ends[1].recv(1) == b""  # and the client is gone


def test_a_client_that_lets_large_answers_wait_is_ended_long_before_there_are_many(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    answer, outlet = b"x" * (limits.PENDING_BYTES // 4), Outlet()
    outlet.raw = ends[0]
    for _ in range(40):  # who reads may ask for as much as they like
        outlet.write(answer)
        assert outlet.get(block=False) == answer
    for _ in range(5):
        outlet.write(answer)
    assert (outlet.get(block=False), ends[1].recv(1)) == (None, b"")


class Still(outlets.Outlet):
    """As on eventlet, for a loop in which nothing ever becomes writable."""

    __slots__ = ()
    spawn = staticmethod(lambda _call, *_args: None)
    until_writable = staticmethod(lambda raw: select.select([], [raw], [], 5))  # type: ignore[assignment]


def test_so_is_one_on_the_shortest_way_out(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.setblocking(False)
    answer, outlet = b"x" * (limits.PENDING_BYTES // 4), Still()
    outlet.open(ours)
    for _ in range(4):
        outlet.write(answer)
    theirs.recv(1, socket.MSG_PEEK)
    with pytest.raises(BlockingIOError):
        ours.recv(1)  # it is open still
    outlet.write(answer)
    outlet.write(answer)
    assert ours.recv(1) == b""


def test_what_the_shortest_way_out_has_written_does_not_count(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.setblocking(False)
    answer, outlet = b"x" * (limits.PENDING_BYTES // 2), Still()
    outlet.open(ours)
    reader = threading.Thread(target=lambda: all(iter(lambda: theirs.recv(1_000_000), b"")))
    reader.start()
    for _ in range(10):
        outlet.write(answer)
        outlet._drain(ours)
    assert outlet._size == 0
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    outlet.shut()
    reader.join(5)


def waiting(outlet: Outlet) -> bytes:
    found = b""
    try:
        while True:
            found += outlet.get(block=False)
    except queue.Empty:
        return found
