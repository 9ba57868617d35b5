"""WebSocket frames as a client writes and reads them: pure functions over bytes, no socket in sight."""

from __future__ import annotations

TEXT, CLOSE = 0x1, 0x8
PING_FRAME = b"\x81\x012"  # Engine.IO's "are you there", as the server frames it
PONG = b"3"


class Malformed(ConnectionError):
    """The server sent something that no server may send."""


def frame(payload: bytes, mask: bytes) -> bytes:
    """One masked text frame. `mask` is four bytes; a mask of zeros would spare the server its unmasking."""
    size = len(payload)
    if size < 126:
        head = bytes((0x81, 0x80 | size))
    elif size < 65_536:
        head = b"\x81\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + size.to_bytes(8, "big")
    whole = (mask * (size // 4 + 1))[:size]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")
    return head + mask + hidden.to_bytes(size, "big")


class Splitter:
    """Cuts the bytes of one connection back into text messages, however the network cut them.

    Control frames other than the closing one are left out. `closed` is set once the server said goodbye.
    """

    __slots__ = ("_part", "_rest", "closed")

    def __init__(self) -> None:
        self._rest = b""
        self._part: bytes | None = None
        self.closed = False

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now. Raises `Malformed`."""
        if self._rest:
            data = self._rest + data
        found: list[bytes] = []
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= 126:
                if size > 127:
                    raise Malformed("a masked frame from the server")
                wide = 2 if size == 126 else 8
                start += wide
                if end < start:
                    break
                size = int.from_bytes(data[start - wide : start], "big")
            if end - start < size:
                break
            if data[at] == 0x81 and self._part is None:
                found.append(data[start : start + size])
            else:
                self._odd(data[at], data[start : start + size], found)
            at = start + size
        self._rest = data[at:]
        return found

    def _odd(self, first: int, payload: bytes, found: list[bytes]) -> None:
        """Anything but a whole text message in one frame."""
        kind, final = first & 0x0F, bool(first & 0x80)
        if first & 0x70 or kind not in (0, TEXT, CLOSE, 9, 10) or (kind >= CLOSE and not final):
            raise Malformed(f"a frame that begins with {first:#04x}")
        if kind == CLOSE:
            self.closed = True
        elif kind in (0, TEXT):
            if (kind == TEXT) != (self._part is None):
                raise Malformed("fragments out of order")
            whole = (self._part or b"") + payload
            if final:
                found.append(whole)
            self._part = None if final else whole
