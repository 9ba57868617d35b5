"""Which loop the live path runs on. A driver is a module with the same few functions; a setting chooses it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast


class Line(Protocol):
    """The way out to one client. Nothing here waits for the client: what it does not read piles up until it is cut."""

    def write(self, frame: Any) -> None:
        """Send a frame that `Driver.frame` made, after whatever is still held or waiting."""

    def hold(self, frame: Any) -> None:
        """Send a frame together with the next one, or with `flush`: two frames in one go cost one."""

    def flush(self) -> None:
        """Send what is held."""


class Driver(Protocol):
    """What a loop must be able to do (`app.live.eventlet_driver` explains each)."""

    def prepare(self) -> None: ...

    def harden(self, server: Any) -> None: ...

    def adopt(self, server: Any, sid: str, environ: Any) -> Line: ...

    def frame(self, text: str) -> Any: ...

    def cut(self, server: Any, sid: str) -> None: ...

    def serve(self, app: Any, host: str, port: int) -> None: ...


def choose(async_mode: str) -> Driver:
    """The driver for an async mode."""
    return cast(Driver, import_module(f"app.live.{async_mode}_driver"))
