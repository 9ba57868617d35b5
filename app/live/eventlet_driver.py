"""The eventlet loop: the only module that knows eventlet, patched in one place and left with one setting.

What runs for every frame is ours, and as short as it can be (measured in `docs/decisions/0008-speed.md`): a client is
read by `app.live.frames`, written to without a queue while its socket takes what is written, and pinged together with
all others. One light thread a client, where the library has three; a malformed frame ends the connection cleanly, and a
client that does not read is cut instead of filling the memory.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Callable
from typing import Any

import structlog

from app.live import frames, limits, outlet

MAX_SOCKETS = 8_000
HANDSHAKE_SECONDS = limits.HANDSHAKE_SECONDS
PING_LOOK = 1.0  # seconds between two looks for whom to ping

log = structlog.get_logger()


def prepare() -> None:
    """Patch the standard library. Must run before anything else is imported; `app.wsgi` sees to that."""
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")  # psycopg's own waiting in C would stop the loop
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the loop's maintainers ask newcomers to look elsewhere; we did (decision 2)
        import eventlet
    eventlet.monkey_patch()
    from eventlet import tpool

    from app.core import native

    native.install(tpool.execute)


def harden(server: Any) -> None:
    """Read, write and ping clients in our way. `server` is a python-socketio server."""
    from engineio import socket as stock

    made = _outlet_class()
    server.eio.create_queue = lambda *args, **kwargs: made()
    stock.Socket._websocket_handler = _talk
    stock.Socket.schedule_ping = _wait_for_ping


def adopt(server: Any, sid: str, environ: Any) -> Any:
    """The line to a new client: its outlet."""
    return _outlet_of(server, sid)


def frame(text: str) -> bytes:
    """A Socket.IO packet as bytes that can be written to any number of clients."""
    return frames.text(b"4" + text.encode())


def cut(server: Any, sid: str) -> None:
    """End one client's connection now, whether or not it reads."""
    way_out = _outlet_of(server, sid)
    server.disconnect(sid, ignore_queue=True)
    if way_out is not None:
        way_out.shut()


def serve(app: Any, host: str, port: int) -> None:
    """Serve until stopped. No request line is logged: an address and a time are already somebody's secret."""
    import eventlet
    import eventlet.wsgi

    class Silent(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
        def log_message(self, *_line: Any) -> None:
            """Not even of a request that is malformed."""

    listener = eventlet.listen((host, port), backlog=limits.BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # both are inherited by what it accepts
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.SEND_BUFFER)
    eventlet.wsgi.server(
        listener,
        app,
        max_size=MAX_SOCKETS,
        socket_timeout=HANDSHAKE_SECONDS,
        keepalive=True,
        debug=False,
        log_output=False,
        protocol=Silent,
    )


def _outlet_of(server: Any, sid: str) -> Any:
    eio_sid = server.manager.eio_sid_from_sid(sid, "/")
    return getattr(server.eio.sockets.get(eio_sid), "queue", None)


def _talk(client: Any, websocket: Any) -> list[bytes]:
    """One client from its handshake to its end. Stands in for the library's own handler of a WebSocket."""
    raw, way_out = websocket.socket.fd, client.queue
    client.connected = client.upgraded = True
    way_out.open(raw)
    _ping_all(client.server)
    status = 1011
    try:
        status = _listen(client, raw, way_out)
    except Exception:
        log.exception("client_failed")
    way_out.bye(status)
    websocket.websocket_closed = True  # said already, and without waiting for somebody who does not listen
    client.close(wait=False, abort=True, reason=client.server.reason.TRANSPORT_CLOSE)
    return []


def _listen(client: Any, raw: socket.socket, way_out: outlet.Outlet) -> int:
    """Hand on what a client says until it leaves or breaks a rule; returns the code to say goodbye with."""
    import eventlet
    from eventlet import hubs

    inbox, budget = frames.Inbox(client.server.max_http_buffer_size), limits.Budget()
    while not client.closed:
        try:
            data = raw.recv(limits.READ_AT_ONCE)
        except BlockingIOError:
            hubs.trampoline(raw, read=True)
            continue
        except OSError:
            return 1006
        try:
            packets = inbox.feed(data) if data else []
        except frames.Broken as broken:
            return broken.status
        except frames.Goodbye:
            data = b""
        if not data:
            return 1000
        for pong in inbox.answers():
            if not budget.spend():
                return 1008
            way_out.write(pong)
        for number, packet in enumerate(packets):
            if not budget.spend() or not limits.may_send(packet):
                return 1008
            if number:
                eventlet.sleep(0)  # a client that never pauses must not keep the others waiting
            if packet == "3":
                client.schedule_ping()
            elif not client.closed:
                client.server._trigger_event("message", client.sid, packet[1:], run_async=False)
    return 1000


def _wait_for_ping(client: Any) -> None:
    """The client answered: the next ping is due after a while. Instead of a sleeping light thread for each."""
    client.last_ping = None
    client.ping_at = time.monotonic() + client.server.ping_interval


def _ping_all(server: Any) -> None:
    """Begin to ping all clients of this server, if that has not begun yet."""
    if getattr(server, "pinging", False):
        return
    server.pinging = True
    import eventlet
    from engineio import packet

    def ping() -> None:
        while True:
            eventlet.sleep(PING_LOOK)
            now = time.monotonic()
            for client in list(server.sockets.values()):
                if client.last_ping is None and client.ping_at <= now and not client.closed:
                    client.last_ping = time.time()
                    client.send(packet.Packet(packet.PING))

    eventlet.spawn_n(ping)


def _outlet_class() -> Any:
    import eventlet
    from eventlet import hubs

    class LightOutlet(outlet.Outlet):
        __slots__ = ()

        @staticmethod
        def spawn(call: Callable[..., None], *args: Any) -> None:
            eventlet.spawn_n(call, *args)

        @staticmethod
        def until_writable(raw: socket.socket) -> None:
            hubs.trampoline(raw, write=True)

    return LightOutlet
