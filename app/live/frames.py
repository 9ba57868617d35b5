"""WebSocket frames as bytes, without a socket: what came in taken apart, what goes out put together once for many.

Only what text clients send gets through (RFC 6455): whole text messages, pings, and a goodbye. Sizes are limited before
anything is kept, over all fragments of a message together. Unmasking is one operation on one large number: byte by byte
a large frame would stop everybody else.
"""

from __future__ import annotations

FRAGMENTS = 1_024

_TEXT, _CONTINUATION, _CLOSE, _PING, _PONG = 0x1, 0x0, 0x8, 0x9, 0xA
_FINAL, _MASKED, _RESERVED = 0x80, 0x80, 0x70
_CONTROL_LIMIT = 125


class Broken(Exception):
    """What came in is no WebSocket that we speak; `status` is the code that says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Goodbye(Exception):
    """The client closes the connection in the proper way."""


def text(message: bytes) -> bytes:
    """A whole text message as one frame from the server."""
    size = len(message)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + message
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + message
    return b"\x81\x7f" + size.to_bytes(8, "big") + message


def pong(payload: bytes) -> bytes:
    """The answer to a ping."""
    return b"\x8a" + len(payload).to_bytes(1, "big") + payload


def close(status: int) -> bytes:
    """The server's goodbye."""
    return b"\x88\x02" + status.to_bytes(2, "big")


def unmask(data: bytes, mask: bytes) -> bytes:
    """Undo a client's masking."""
    size = len(data)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")


class Inbox:
    """Takes the bytes of one client in whatever pieces they come, and gives whole messages.

    `limit` is how many bytes a message may have. `pongs` are the answers that the pings among them ask for.
    """

    __slots__ = ("_limit", "_parts", "_rest", "_size", "pongs")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._parts: list[bytes] | None = None  # of a message that is still coming in
        self._size = 0
        self.pongs: list[bytes] = []

    def feed(self, data: bytes) -> list[str]:
        """The messages that are whole now, in order. Raises `Broken`, or `Goodbye` when the client leaves."""
        buffer = self._rest + data if self._rest else data
        messages: list[str] = []
        at, end = 0, len(buffer)
        while end - at >= 2:
            first, second = buffer[at], buffer[at + 1]
            if not second & _MASKED:
                raise Broken(1002)
            if end - at < 6:
                break
            size, body = second & 0x7F, at + 6
            if size == 126:
                size, body = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 8
            elif size == 127:
                if end - at < 10:
                    break
                size, body = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 14
            self._admit(first, size)
            if end - body < size:
                break
            payload = unmask(buffer[body : body + size], buffer[body - 4 : body]) if size else b""
            at = body + size
            if first == _FINAL | _TEXT and self._parts is None:
                messages.append(_decoded(payload))
            else:
                self._take(first, payload, messages)
        self._rest = buffer[at:] if at < end else b""
        return messages

    def answers(self) -> list[bytes]:
        """The answers to pings that came since this was asked."""
        pongs, self.pongs = self.pongs, []
        return pongs

    def _admit(self, first: int, size: int) -> None:
        """Everything that can be wrong with a frame, from its first bytes."""
        opcode = first & 0x0F
        if first & _RESERVED:
            raise Broken(1002)
        if opcode in (_CLOSE, _PING, _PONG):
            if size > _CONTROL_LIMIT or not first & _FINAL:
                raise Broken(1002)
            return
        if opcode not in (_TEXT, _CONTINUATION):
            raise Broken(1003)
        if (opcode == _CONTINUATION) is (self._parts is None):
            raise Broken(1002)
        if self._size + size > self._limit:
            raise Broken(1009)

    def _take(self, first: int, payload: bytes, messages: list[str]) -> None:
        opcode = first & 0x0F
        if opcode == _CLOSE:
            raise Goodbye
        if opcode == _PING:
            self.pongs.append(pong(payload))
        if opcode > _TEXT:
            return
        if self._parts is None:
            self._parts = []
        self._parts.append(payload)
        self._size += len(payload)
        if len(self._parts) > FRAGMENTS:
            raise Broken(1009)
        if first & _FINAL:
            whole, self._parts, self._size = b"".join(self._parts), None, 0
            messages.append(_decoded(whole))


def _decoded(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Broken(1007) from None
