"""Which loop the live path runs on. A driver is a module with the same five functions; a setting chooses it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast


class Driver(Protocol):
    """What a loop must be able to do (`app.live.eventlet_driver` explains each)."""

    def prepare(self) -> None: ...

    def harden(self, server: Any) -> None: ...

    def adopt(self, server: Any, sid: str, environ: Any) -> None: ...

    def cut(self, server: Any, sid: str) -> None: ...

    def serve(self, app: Any, host: str, port: int) -> None: ...


def choose(async_mode: str) -> Driver:
    """The driver for an async mode."""
    return cast(Driver, import_module(f"app.live.{async_mode}_driver"))
