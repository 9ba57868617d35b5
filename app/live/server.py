"""Puts the live path together: Flask-SocketIO's server, the gate before it, the gateway behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import socketio
from flask_socketio import SocketIO

from app.core import logs
from app.core.settings import Settings, SettingsError
from app.live.driver import Driver
from app.live.fanout import Fanout
from app.live.gate import Gate
from app.live.gateway import Gateway, Identify
from app.part import LiveEvent

PACKET_LIMIT = 65_536  # bytes: the longest message in any spelling, and enough beyond it to refuse it in words


RESERVED = ("connect", "disconnect", "*")  # names the library keeps for itself; from a client they mean nothing


class TextPacket(socketio.packet.Packet):  # type: ignore[misc]
    """Socket.IO packets without binary attachments, whose events can only be called by an ordinary name.

    Whatever cannot be read becomes an event that does not exist: it is refused and counted like any other.
    """

    def decode(self, encoded_packet: Any) -> Any:
        try:
            if not isinstance(encoded_packet, str) or encoded_packet[:1] not in ("0", "1", "2", "3"):
                raise ValueError("not a packet that a client may send")
            attachments = super().decode(encoded_packet)
        except Exception:  # the library raises whatever its parser meets
            self._make_unknown()
            return 0
        named = isinstance(self.data, list) and self.data and isinstance(self.data[0], str)
        if self.packet_type == socketio.packet.EVENT and (not named or self.data[0] in RESERVED):
            self._make_unknown()
        return attachments

    def _make_unknown(self) -> None:
        self.packet_type, self.namespace, self.id = socketio.packet.EVENT, "/", None
        self.data = ["?"]


def _take_short_way(server: Any, gateway: Gateway) -> None:
    """Ask the gateway first about each packet: the library's own way of an event costs more than storing it."""
    library = server.eio.handlers["message"]
    sid_of = server.manager.sid_from_eio_sid

    def hear(eio_sid: str, packet: Any) -> None:
        if not (isinstance(packet, str) and gateway.hear(sid_of(eio_sid, "/"), packet)):
            library(eio_sid, packet)

    server.eio.on("message", hear)


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
    """Add the live endpoint to `app`: WebSocket only, own origins only, events one after the other per client.

    Raises `SettingsError` where the origins would let everybody in.
    """
    if not settings.origins or any("*" in origin or "://" not in origin for origin in settings.origins):
        raise SettingsError("Live connections need the full origins they may come from, never a wildcard.")
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
        logger=logs.of_library("live"),
        engineio_logger=logs.of_library("live"),
    )
    server = live.server
    driver.harden(server)
    fanout.attach(driver.frame, lambda sid: driver.cut(server, sid))
    gateway.serve(server, events, lambda sid, environ: driver.adopt(server, sid, environ), driver.frame)
    _take_short_way(server, gateway)
    app.wsgi_app = Gate(app.wsgi_app, cookie, settings.origins, identify)  # type: ignore[method-assign]
    return live
