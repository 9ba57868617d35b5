"""The writer stores for everybody: what goes wrong with one client stays with that client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from app.core.work import Database, Work
from app.live.writer import Writer


def _stores(_w: Work, commands: Sequence[Any]) -> list[Any]:
    return [command * 2 for command in commands]


def _breaks(*_anything: Any) -> None:
    raise RuntimeError("a line that is not there any more")


@pytest.mark.parametrize("broken", ["done", "afterwards"])
def test_a_client_whose_line_fails_does_not_stop_the_writer(database: Database, broken: str) -> None:
    writer = Writer(database, _stores)
    writer.start()
    lines: dict[str, Any] = {"done": lambda _result: None, broken: _breaks}
    for _ in range(3):
        writer.offer(1, **lines)
    assert [writer.submit(n) for n in (1, 21)] == [2, 42]  # the first may have come along with those that broke


def test_a_client_whose_line_fails_is_told_nothing_and_nobody_else_waits(database: Database) -> None:
    told: list[int] = []
    writer = Writer(database, _stores)
    writer.offer(1, _breaks, _breaks)
    writer.offer(2, told.append, lambda: told.append(0))
    assert told == [4, 0]
