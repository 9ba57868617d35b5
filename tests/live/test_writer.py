"""The writer stores for everybody: what goes wrong with one client stays with that client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from app.core.errors import Unavailable
from app.core.permissions import Permission
from app.core.ratelimit import Tempo
from app.core.work import Database, Work
from app.live import writer as writing
from app.live.fanout import Fanout
from app.live.gateway import Gateway
from app.live.writer import Writer
from app.part import LiveEvent, Reply, refused
from tests import builders


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


def test_a_full_writer_takes_nothing_more_and_says_when_to_come_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled = Writer(database, _stores)
    assert not handled.full
    monkeypatch.setattr(writing, "WAITING", 0)
    assert handled.full
    with pytest.raises(Unavailable) as refusal:
        handled.submit(1)
    assert refusal.value.retry_after


class _Line:
    """The way to one screen: what is held for it is heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hold(self, frame: str) -> None:
        self.heard.append(frame)

    write = hold

    def flush(self) -> None:
        """Nothing is held back."""


class _Events(dict[str, Any]):
    """A server that keeps the handlers it is given."""

    def on(self, name: str, handler: Any) -> None:
        self[name] = handler


@pytest.mark.parametrize(("waiting", "read"), [(0, []), (4_000, ["hallo"])])
def test_what_cannot_be_taken_is_refused_unread(
    database: Database, monkeypatch: pytest.MonkeyPatch, waiting: int, read: list[str]
) -> None:
    actor, line, looked_at = builders.circle(database).hanna.actor, _Line(), []

    def parse(_actor: Any, data: Any) -> int:
        looked_at.append(data["text"])
        return 1

    event = LiveEvent(
        "say", Permission.GROUP_MESSAGE_POST, parse, together=_stores, answer=lambda _result: Reply({"ok": True})
    )
    fanout = Fanout()
    fanout.attach(str, lambda _sid: None)
    writers = {"say": Writer(database, _stores)}
    gateway = Gateway(database, fanout, writers, lambda _s: actor, lambda _l, refusal: refused(refusal), Tempo())
    events = _Events()
    gateway.serve(events, {"say": event}, lambda _sid, _environ: line, str)  # type: ignore[arg-type]
    events["connect"]("a screen", {"samen.actor": actor})
    monkeypatch.setattr(writing, "WAITING", waiting)
    assert gateway.hear("a screen", '21["say",{"text":"hallo"}]')
    assert looked_at == read
    assert ('"ok":true' in line.heard[-1]) is bool(read)
    assert ('"unavailable"' in line.heard[-1]) is not bool(read)
