"""Clients that misbehave are cut, quietly and at once; nobody else notices."""

from __future__ import annotations

import base64
import os
import socket
import struct
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import WAIT, Screen
from tests.server import Server
from tests.site import Browser


class Raw:
    """A WebSocket by hand, to send what no library would."""

    def __init__(self, server: Server, cookie: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
            f"Cookie: {cookie}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(1)
        self.head = head.decode()

    def frame(self, data: bytes, opcode: int = 1, *, final: bool = True, announce: int | None = None) -> None:
        """One masked frame; `announce` lies about its length."""
        size = len(data) if announce is None else announce
        first = (0x80 if final else 0) | opcode
        if size < 126:
            header = struct.pack("!BB", first, 0x80 | size)
        elif size < 65_536:
            header = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            header = struct.pack("!BBQ", first, 0x80 | 127, size)
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.socket.sendall(header + mask + masked)

    def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        received = b""
        while True:
            try:
                chunk = self.socket.recv(65_536)
            except ConnectionResetError:
                return received
            if not chunk:
                return received
            received += chunk


@pytest.fixture
def raw(server: Server, people: list[dict[str, Any]]) -> Iterator[Raw]:
    made = Raw(server, people[0]["cookie"])
    yield made
    made.socket.close()


def fragments(raw: Raw) -> None:
    raw.frame(b"42" + b"x" * 15_000, final=False)
    for _ in range(8):
        raw.frame(b"x" * 15_000, opcode=0, final=False)


def tiny_fragments(raw: Raw) -> None:
    raw.frame(b"4", final=False)
    for _ in range(1_100):
        raw.frame(b"x", opcode=0, final=False)


HOSTILE: dict[str, Callable[[Raw], None]] = {
    "one byte that means nothing": lambda raw: raw.frame(b"x"),
    "an empty text": lambda raw: raw.frame(b""),
    "a binary frame": lambda raw: raw.frame(b"\x04\x00", opcode=2),
    "a binary event with attachments to come": lambda raw: raw.frame(
        b'451-["message.send",{"_placeholder":true,"num":0}]'
    ),
    "an attachment without end": lambda raw: raw.frame(b"49999999999-[]"),
    "a frame of a hundred megabytes": lambda raw: raw.frame(b"", announce=100_000_000),
    "fragments that add up": fragments,
    "fragments of one byte": tiny_fragments,
    "an unmasked frame": lambda raw: raw.socket.sendall(b"\x81\x01x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_frame_ends_the_connection_without_a_trace(raw: Raw, name: str, server: Server) -> None:
    try:
        HOSTILE[name](raw)
    except (BrokenPipeError, ConnectionResetError):
        pass  # cut while still sending: that is the point
    told = raw.rest()
    assert b"Traceback" not in told
    assert b".py" not in told
    assert server.process is not None
    assert server.process.poll() is None


RESERVED = ['42["disconnect"]', '42["connect"]', '42["*","x"]', "42[7]", "42{}", "42not json", "42", '420["?"]']


def test_names_the_library_keeps_for_itself_do_nothing_and_too_much_nonsense_is_cut(
    raw: Raw, server: Server, people: list[dict[str, Any]]
) -> None:
    other = Screen(server, people[1])
    other.join()
    raw.frame(b"40")
    for line in RESERVED * 3:
        try:
            raw.frame(line.encode())
        except (BrokenPipeError, ConnectionResetError):
            break
    raw.rest()  # comes back only because the server ended the connection
    assert other.join()["ok"] is True
    other.close()


def test_a_socket_that_plays_dead_is_still_cut_when_its_session_ends(
    server: Server, people: list[dict[str, Any]]
) -> None:
    raw = Raw(server, people[0]["cookie"])
    raw.frame(b"40")
    raw.frame(f'421["room.join",{{"room":"{people[0]["room"]}"}}]'.encode())
    raw.frame(b'42["disconnect"]')
    Browser(server.url, people[0]["cookie"]).post("/weg", page="")
    raw.rest()
    raw.socket.close()


def test_a_flood_of_frames_ends_the_connection_and_the_others_are_served(
    raw: Raw, server: Server, people: list[dict[str, Any]]
) -> None:
    other = Screen(server, people[1])
    raw.frame(b"40")
    try:
        for _ in range(2_000):
            raw.frame(b"431[1]")
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert other.join()["ok"] is True
    raw.rest()
    other.close()


def test_a_session_has_a_handful_of_open_screens(server: Server, people: list[dict[str, Any]]) -> None:
    opened = [Screen(server, people[0]) for _ in range(9)]
    assert opened[0].gone.get(timeout=WAIT) is True
    assert opened[8].join()["ok"] is True
    for screen in opened:
        screen.close()


def test_compression_is_declined(raw: Raw) -> None:
    assert "101" in raw.head.splitlines()[0]
    assert "deflate" not in raw.head.lower()


def test_a_client_that_stops_reading_is_cut_and_the_others_hear_everything(
    server: Server, people: list[dict[str, Any]]
) -> None:
    reader, *writers = (Screen(server, person) for person in people[1:4])  # two write: each within its own tempo
    stuck = Raw(server, people[0]["cookie"])
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    stuck.frame(b"40")
    stuck.frame(f'421["room.join",{{"room":"{reader.room}"}}]'.encode())
    reader.join()
    before = memory(server)
    for n in range(900):
        message = {"room": reader.room, "key": str(uuid.uuid4()), "text": "lang " * 700}
        assert writers[n % 2].ask("message.send", message)["ok"]
    got = 0
    while got < 900:
        got += len(reader.hear("messages")["items"])
    stuck.rest()  # comes back only because the server ended the connection
    assert memory(server) - before < 40_000
    for open_ in (reader, *writers):
        open_.close()
    stuck.socket.close()


def pings(raw: Raw) -> None:
    for _ in range(2_000):
        raw.frame(b"", opcode=9)


def test_pings_are_answered_and_a_flood_of_them_ends_the_connection(raw: Raw) -> None:
    raw.frame(b"still here?", opcode=9)
    heard = b""
    while b"\x8a\x0bstill here?" not in heard:
        heard += raw.socket.recv(65_536)
    try:
        pings(raw)
    except (BrokenPipeError, ConnectionResetError):
        pass
    raw.rest()


def test_a_frame_that_arrives_byte_by_byte_is_one_frame(raw: Raw) -> None:
    sent: list[bytes] = []
    slow, raw.socket = raw.socket, Recorder(sent)  # type: ignore[assignment]
    raw.frame(b"40")
    raw.socket = slow
    for byte in b"".join(sent):
        raw.socket.sendall(bytes([byte]))
    heard = b""
    while b"40{" not in heard:
        heard += raw.socket.recv(65_536)


class Recorder:
    """Keeps what would have been sent."""

    def __init__(self, sent: list[bytes]) -> None:
        self.sendall = sent.append


def memory(server: Server) -> int:
    """Resident memory of the server, in KiB."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
