"""A lean Socket.IO 5 client over one WebSocket, for load generators and tests; it does not know the product.

It speaks only what the live contract needs: Engine.IO 4 text packets, the namespace `/`, events with
acknowledgements, answers to pings. Decoding is in `_packet`; everything else is transport.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import orjson
from wsproto import ConnectionType, WSConnection
from wsproto.events import BytesMessage, CloseConnection, Ping, RejectConnection, Request, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

PATH = "/socket.io/?EIO=4&transport=websocket"

OnEvent = Callable[[str, Any], None]
OnAck = Callable[[Any], None]


class Refused(ConnectionError):
    """The server did not let this client in; `status` is the HTTP status, or 0 when Socket.IO refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client(asyncio.Protocol):
    """One connection. Make it with `Client.open`; it calls `on_event` for every event the server sends.

    Events and acknowledgements are delivered in the order in which they arrived, on the running loop.
    """

    def __init__(self, host: str, headers: list[tuple[bytes, bytes]], on_event: OnEvent) -> None:
        loop = asyncio.get_running_loop()
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._opening = self._ws.send(Request(host=host, target=PATH, extra_headers=headers))
        self._on_event = on_event
        self._transport: asyncio.Transport | None = None
        self._text = ""
        self._acks: dict[int, OnAck] = {}
        self._calls: set[asyncio.Future[Any]] = set()
        self._next_id = 0
        self.ready: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        cookie: str,
        on_event: OnEvent,
        *,
        origin: str | None = None,
        timeout: float = 20.0,
    ) -> Self:
        """Connect and wait until Socket.IO says so. `cookie` is a whole Cookie header, `timeout` in seconds.

        Raises `Refused` when the server says no, `OSError` or `TimeoutError` when it cannot be reached.
        """
        headers = [(b"Cookie", cookie.encode())]
        if origin is not None:
            headers.append((b"Origin", origin.encode()))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout):
            made = partial(cls, f"{host}:{port}", headers, on_event)
            _, client = await loop.create_connection(made, host, port)
            try:
                await client.ready
            except BaseException:
                client.abort()
                raise
        return client

    def send(self, event: str, data: Any, on_ack: OnAck | None = None) -> None:
        """Send an event; `on_ack` is called with the first value of its acknowledgement, if one ever comes.

        Raises `ConnectionError` when the connection is gone.
        """
        number = ""
        if on_ack is not None:
            self._next_id += 1
            self._acks[self._next_id] = on_ack
            number = str(self._next_id)
        self.write(f"42{number}" + json.dumps([event, data], ensure_ascii=False, separators=(",", ":")))

    async def call(self, event: str, data: Any, timeout: float = 20.0) -> Any:
        """Send an event, return its acknowledgement. Raises `ConnectionError` or `TimeoutError` (seconds)."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls.add(answer)
        try:
            self.send(event, data, lambda value: None if answer.done() else answer.set_result(value))
            async with asyncio.timeout(timeout):
                return await answer
        finally:
            self._calls.discard(answer)

    async def close(self) -> None:
        """Say goodbye and wait until the connection is gone."""
        if not self.closed.done():
            try:
                self.write("41")
                self._raw(self._ws.send(CloseConnection(code=1000)))
            except ConnectionError:
                pass  # it went first
            if self._transport is not None:
                self._transport.close()
        await self.closed

    def abort(self) -> None:
        """Drop the connection without a word, as a phone does that loses its network."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        transport.write(self._opening)

    def connection_lost(self, exc: Exception | None) -> None:
        self._acks.clear()
        lost = ConnectionResetError("the connection is gone")
        for waiting in [self.ready, *self._calls]:
            if not waiting.done():
                waiting.set_exception(lost)
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        try:
            self._ws.receive_data(data)
            for event in self._ws.events():
                self._frame(event)
        except (RemoteProtocolError, ConnectionError):
            self.abort()

    def _frame(self, event: Any) -> None:
        if isinstance(event, TextMessage):
            self._text += event.data
            if event.message_finished:
                whole, self._text = self._text, ""
                self._packet(whole)
        elif isinstance(event, Ping):
            self._raw(self._ws.send(event.response()))
        elif isinstance(event, RejectConnection):
            self._refuse(event.status_code, f"HTTP status {event.status_code}")
        elif isinstance(event, CloseConnection | BytesMessage):
            self.abort()

    def _packet(self, text: str) -> None:
        kind = text[:2]
        if kind == "42":
            name, *values = orjson.loads(text[text.index("[") :])
            self._on_event(name, values[0] if values else None)
        elif kind == "43":
            start = text.index("[")
            on_ack = self._acks.pop(int(text[2:start]), None)
            if on_ack is not None:
                values = orjson.loads(text[start:])
                on_ack(values[0] if values else None)
        elif text == "2":
            self.write("3")
        elif text[:1] == "0":
            self.write("40")
        elif kind == "40" and not self.ready.done():
            self.ready.set_result(None)
        elif kind == "44":
            self._refuse(0, "refused by Socket.IO")
        elif kind in ("41", "1"):
            self.abort()

    def _refuse(self, status: int, message: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(Refused(status, message))
        self.abort()

    def write(self, text: str) -> None:
        """Send one Engine.IO packet as it is. Raises `ConnectionError` when the connection is gone."""
        try:
            self._raw(self._ws.send(TextMessage(data=text)))
        except LocalProtocolError:
            raise ConnectionResetError("the connection is gone") from None

    def _raw(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is gone")
        self._transport.write(data)
