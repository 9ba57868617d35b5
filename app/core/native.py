"""Work that waits on the disk or burns the processor leaves the loop through this one opening.

Under a cooperative loop (eventlet, gevent) a blocking call would stop everybody, so it runs in a native
thread; `app.live.driver` installs the loop's way of doing that. Without a loop it is a plain call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Runner(Protocol):
    """How the chosen loop runs one call in a native thread and waits for it."""

    def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


def _direct(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return call(*args, **kwargs)


_runner: Runner = _direct


def install(runner: Runner) -> None:
    """Use `runner` from now on. Called once, by the driver of the async mode."""
    global _runner
    _runner = runner


def run(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `call` outside the loop and return what it returns, or raise what it raises."""
    return _runner(call, *args, **kwargs)
