"""Puts the live path together: Flask-SocketIO's server, the gate before it, the gateway behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import socketio
from flask_socketio import SocketIO

from app.core.settings import Settings
from app.live.driver import Driver
from app.live.fanout import Fanout
from app.live.gate import Gate
from app.live.gateway import Gateway, Identify
from app.part import LiveEvent

PACKET_LIMIT = 65_536  # bytes: the longest message in any spelling, and enough beyond it to refuse it in words


class TextPacket(socketio.packet.Packet):  # type: ignore[misc]
    """Socket.IO packets without binary attachments: nobody needs them, and they can be announced without end."""

    def decode(self, encoded_packet: Any) -> Any:
        if not isinstance(encoded_packet, str) or encoded_packet[:1] in ("5", "6"):
            raise ValueError("binary packets are not accepted")
        return super().decode(encoded_packet)


def open_live(
    app: flask.Flask,
    settings: Settings,
    driver: Driver,
    gateway: Gateway,
    fanout: Fanout,
    events: Mapping[str, LiveEvent],
    identify: Identify,
    cookie: str,
) -> SocketIO:
    """Add the live endpoint to `app`: WebSocket only, own origins only, events one after the other per client."""
    live = SocketIO(
        app,
        async_mode=settings.async_mode,
        transports=["websocket"],
        allow_upgrades=False,
        async_handlers=False,  # a client's events are handled in its order, and it waits for its own commit
        max_http_buffer_size=PACKET_LIMIT,
        cors_allowed_origins=list(settings.origins),
        http_compression=False,
        manage_session=False,
        serializer=TextPacket,
        logger=False,
        engineio_logger=False,
    )
    server = live.server
    driver.harden(server)
    fanout.attach(server, lambda sid: driver.cut(server, sid))
    gateway.serve(server, events, lambda sid, environ: driver.adopt(server, sid, environ))
    app.wsgi_app = Gate(app.wsgi_app, cookie, settings.origins, identify)  # type: ignore[method-assign]
    return live
