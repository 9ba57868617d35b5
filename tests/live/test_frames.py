"""WebSocket frames as bytes: whole messages from whatever pieces they come in, and nothing that was not allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live import frames
from app.live.frames import Broken, Goodbye, Inbox

LIMIT = 70_000
TEXT, CONTINUATION, BINARY, CLOSE, PING, PONG = 0x1, 0x0, 0x2, 0x8, 0x9, 0xA
MASKS = st.binary(min_size=4, max_size=4)


def client(payload: bytes, *, opcode: int = TEXT, final: bool = True, mask: bytes = b"\x01\x02\x03\x04") -> bytes:
    """A frame as a client sends it, written by the letter of RFC 6455."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + masked


def fed(pieces: list[bytes], limit: int = LIMIT) -> list[str]:
    """All messages that come out of these pieces."""
    inbox = Inbox(limit)
    return [message for piece in pieces for message in inbox.feed(piece)]


@given(st.lists(st.tuples(st.text(max_size=300), MASKS), max_size=8), st.lists(st.integers(1, 400), max_size=40))
def test_messages_come_out_whole_and_in_order_however_the_bytes_are_cut(
    said: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(client(text.encode(), mask=mask) for text, mask in said)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    assert fed([*pieces, stream[at:]]) == [text for text, _ in said]


@given(st.text(min_size=1, max_size=200), st.lists(st.integers(1, 30), min_size=1, max_size=10), st.booleans())
def test_a_message_in_fragments_is_one_message_also_with_a_ping_in_between(
    text: str, sizes: list[int], ping: bool
) -> None:
    data, parts, at = text.encode(), [], 0
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    parts.append(data[at:])
    stream = b""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        stream += client(part, opcode=CONTINUATION if number else TEXT, final=last)
        if ping and not last:
            stream += client(b"hoi", opcode=PING)
    inbox = Inbox(LIMIT)
    assert inbox.feed(stream) == [text]
    assert inbox.answers() == [frames.pong(b"hoi")] * (len(parts) - 1 if ping else 0)
    assert inbox.answers() == []


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_every_length_is_read_as_it_was_written(size: int) -> None:
    assert fed([client(b"a" * size)]) == ["a" * size]
    written = frames.text(b"a" * size)
    head = 2 if size < 126 else 4 if size < 65_536 else 10
    assert (len(written), written[head:], written[0]) == (head + size, b"a" * size, 0x81)


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (client(b"x", opcode=BINARY), 1003),
        (client(b"x", opcode=0x3), 1003),
        (bytes([0xC1]) + client(b"x")[1:], 1002),  # a reserved bit
        (client(b"x", opcode=CONTINUATION), 1002),  # of nothing
        (client(b"a", final=False) + client(b"b"), 1002),  # a new message inside one
        (client(b"x" * 126, opcode=PING), 1002),
        (client(b"x", opcode=PING, final=False), 1002),
        (client(b"\xff\xfe"), 1007),
        (client(b"x" * (LIMIT + 1))[:14], 1009),  # from its head alone
        (client(b"x" * LIMIT, final=False) + client(b"x", opcode=CONTINUATION)[:6], 1009),
        (client(b"", final=False) + client(b"", opcode=CONTINUATION, final=False) * frames.FRAGMENTS, 1009),
    ],
)
def test_what_is_not_allowed_ends_the_connection_with_the_code_that_says_why(frame: bytes, status: int) -> None:
    with pytest.raises(Broken) as broken:
        fed([frame])
    assert broken.value.status == status


def test_a_goodbye_is_a_goodbye() -> None:
    with pytest.raises(Goodbye):
        fed([client(b"\x03\xe8", opcode=CLOSE)])


def test_a_pong_says_nothing() -> None:
    assert fed([client(b"", opcode=PONG), client(b"hoi")]) == ["hoi"]


@given(st.binary(max_size=400))
def test_no_bytes_at_all_do_anything_else(noise: bytes) -> None:
    inbox = Inbox(200)
    try:
        inbox.feed(noise)
    except (Broken, Goodbye):
        return
    assert len(inbox.answers()) <= len(noise)


@given(st.binary(max_size=200), MASKS)
def test_unmasking_undoes_masking(payload: bytes, mask: bytes) -> None:
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
    assert frames.unmask(masked, mask) == payload
