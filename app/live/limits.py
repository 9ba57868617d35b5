"""What one client may cost. Every loop keeps these promises; the tests with hostile clients prove them on each."""

from __future__ import annotations

import time

PENDING = 200  # frames waiting for one client before it is cut
PENDING_BYTES = 4 * 1024 * 1024  # or so much: an answer may be large, and many of them fill the memory
FRAMES_A_SECOND = 100
FRAMES_AT_ONCE = 400
SEND_BUFFER = 131_072  # bytes the kernel may hold for one client: beyond it the bounded queue fills
READ_AT_ONCE = 16_384  # bytes
BACKLOG = 1_024  # connections waiting to be accepted
HANDSHAKE_SECONDS = 10.0  # for the head of a request, and between two of them
PAGE_SECONDS = 30.0  # for whatever follows the head


class Budget:
    """How many packets a client may still send: it gains `FRAMES_A_SECOND`, and may save up `FRAMES_AT_ONCE`."""

    __slots__ = ("_ahead",)

    def __init__(self) -> None:
        self._ahead = 0.0

    def spend(self, now: float | None = None) -> bool:
        """One more. False: this client sends faster than anybody types."""
        now = time.monotonic() if now is None else now
        self._ahead = max(self._ahead, now) + 1 / FRAMES_A_SECOND
        return self._ahead - now <= FRAMES_AT_ONCE / FRAMES_A_SECOND


def may_send(packet: str) -> bool:
    """Does a text client of ours send this: a pong, or a Socket.IO packet without attachments?"""
    return packet == "3" or (len(packet) > 1 and packet[0] == "4" and packet[1] in "0123")
