"""The shortest way out to one client, for a loop in which nobody interrupts: no queue while its socket takes all."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from app.live import frames, limits


class Outlet:
    """What goes out to one client: straight to its socket while that takes it; what it does not take waits.

    A client that lets too much wait is cut; it catches up by sequence number. Nothing is written past what waits.
    """

    __slots__ = ("_ended", "_held", "_raw", "_size", "_waiting", "_writing")

    @staticmethod
    def spawn(call: Callable[..., None], *args: Any) -> None:
        """Run a call beside the others, as the loop does that."""
        raise NotImplementedError

    @staticmethod
    def until_writable(raw: socket.socket) -> None:
        """Wait, and let the others go on meanwhile."""
        raise NotImplementedError

    def __init__(self) -> None:
        self._raw: socket.socket | None = None
        self._waiting: deque[bytes] = deque()
        self._held = b""
        self._size = 0  # bytes that wait
        self._writing = self._ended = False

    def open(self, raw: socket.socket) -> None:
        """The handshake is done: what was put here before goes out now."""
        self._raw = raw
        self._write_on()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """As the library's queue: a packet, or None for the end."""
        if item is None:
            self.bye()
        else:
            self.write(frames.text(item.encode().encode()))

    def join(self) -> None:
        """Nobody waits for a client to read."""

    def hold(self, frame: bytes) -> None:
        self._held += frame

    def flush(self) -> None:
        if self._held:
            self.write(b"")

    def write(self, frame: bytes) -> None:
        if self._held:
            frame, self._held = self._held + frame, b""
        if self._raw is not None and not self._waiting:
            frame = frame[self._sent(self._raw, frame) :]
        if not frame or self._ended:
            return
        if len(self._waiting) >= limits.PENDING or self._size >= limits.PENDING_BYTES:
            self.shut()
            return
        self._waiting.append(frame)
        self._size += len(frame)
        self._write_on()

    def bye(self, status: int = 1000) -> None:
        """End the connection once what waits is written."""
        if self._ended:
            return
        if status != 1006:
            self.write(frames.close(status))
        self._ended = True
        if not self._waiting:
            self.shut()

    def shut(self) -> None:
        """End the connection now."""
        self._ended = True
        self._waiting.clear()
        self._size = 0
        if self._raw is not None:
            try:
                self._raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is gone already

    def _write_on(self) -> None:
        if self._waiting and self._raw is not None and not self._writing:
            self._writing = True
            self.spawn(self._drain, self._raw)

    def _drain(self, raw: socket.socket) -> None:
        while self._waiting:
            frame = self._waiting[0]
            sent = self._sent(raw, frame)
            if not self._waiting:
                break  # it was cut meanwhile
            self._size -= sent
            if sent == len(frame):
                self._waiting.popleft()
                continue
            self._waiting[0] = frame[sent:]
            self.until_writable(raw)
        self._writing = False
        if self._ended:
            self.shut()

    def _sent(self, raw: socket.socket, frame: bytes) -> int:
        """How much of a frame the socket took; all of it where nobody is there to take it."""
        try:
            return raw.send(frame)
        except BlockingIOError:
            return 0
        except OSError:
            return len(frame)  # its reader sees that it is gone
