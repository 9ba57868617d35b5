"""The generator reads what the network made of the server's frames, however it was cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from benchmarks.frames import Malformed, Splitter, frame

MESSAGES = st.lists(
    st.binary(max_size=300) | st.binary(min_size=126, max_size=127) | st.just(b"x" * 70_000), max_size=8
)


def served(payload: bytes, first: int = 0x81) -> bytes:
    """A frame as servers write it: not masked."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The bytes in pieces, cut at these places."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(MESSAGES, st.lists(st.integers(0, 2**20), max_size=12))
def test_messages_come_out_whole_and_in_order_wherever_the_bytes_were_cut(
    messages: list[bytes], places: list[int]
) -> None:
    splitter = Splitter()
    pieces = cut(b"".join(served(message) for message in messages), places)
    assert [message for piece in pieces for message in splitter.feed(piece)] == messages


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.lists(st.integers(0, 400), max_size=6))
def test_fragments_and_pings_between_them_make_one_message(parts: list[bytes], places: list[int]) -> None:
    frames = []
    for number, part in enumerate(parts):
        final = 0x80 if number == len(parts) - 1 else 0
        frames.append(served(part, final | (0x1 if number == 0 else 0x0)))
        frames.append(served(b"are you there", 0x89))
    splitter = Splitter()
    pieces = cut(b"".join(frames), places)
    assert [message for piece in pieces for message in splitter.feed(piece)] == [b"".join(parts)]


def test_one_byte_at_a_time_is_enough() -> None:
    splitter = Splitter()
    stream = served(b"2") + served(b"y" * 126) + served(b"")
    assert [m for at in range(len(stream)) for m in splitter.feed(stream[at : at + 1])] == [b"2", b"y" * 126, b""]


def test_a_goodbye_is_noticed() -> None:
    splitter = Splitter()
    assert splitter.feed(served(b"\x03\xe8", 0x88)) == []
    assert splitter.closed


@pytest.mark.parametrize(
    "stream",
    [b"\x81\x81abcdx", served(b"", 0x83), served(b"x", 0xC1), served(b"x", 0x80), served(b"x", 0x01) + served(b"x")],
    ids=["masked", "unknown kind", "compressed", "continues nothing", "a message inside a message"],
)
def test_what_no_server_may_send_is_refused(stream: bytes) -> None:
    splitter = Splitter()
    with pytest.raises(Malformed):
        splitter.feed(stream)


@given(st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536]), st.binary(min_size=4, max_size=4))
@settings(max_examples=30)
def test_a_server_reads_what_the_client_wrote(size: int, mask: bytes) -> None:
    payload = ("é" * size).encode()[: size - size % 2]
    peer = FrameProtocol(client=False, extensions=[])
    peer.receive_bytes(frame(payload, mask))
    found = list(peer.received_frames())
    assert all(one.opcode is Opcode.TEXT for one in found)
    assert "".join(one.payload for one in found).encode() == payload
