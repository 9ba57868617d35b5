"""The load generator finds what a server does wrong, answers pings, and says when it was itself the limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import load
from benchmarks.load import Crowd
from benchmarks.servers import Kind, Server
from tests.benchmarks.liar import Liar


def crowd_of(server: Any) -> Crowd:
    crowd = Crowd(server, server.people, seed=1)
    crowd.enter()
    return crowd


@pytest.fixture
def honest() -> Iterator[Liar]:
    server = Liar()
    yield server
    server.close()


def test_nothing_is_wrong_with_an_honest_server(honest: Liar) -> None:
    crowd = crowd_of(honest)
    step = crowd.step(100, 0.5)
    problems, fetched = crowd.verdict(honest.rows())
    crowd.leave()
    assert step.why == ""
    assert step.sent > 20
    assert len(crowd.acked) == step.acked == step.sent == len(honest.rows())
    assert step.deliveries_per_second == pytest.approx(3 * step.messages_per_second, rel=0.01)
    assert (problems, fetched) == ([], 0)
    assert 0 < step.delivery_ms.p50 <= step.delivery_ms.p99 < 200


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        ("loses for good", "lost: Lid 0 in room0 misses 5"),
        ("doubles", "doubled: Lid 0 in room0 has 5"),
        ("swaps", "Lid 0 in room0 was not served in order"),
        ("forgets", "is not stored"),
        ("refuses", "refused: {'ok': False, 'code': 'forbidden'}"),
    ],
)
def test_every_lie_is_found(lie: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "QUIET", 0.3)
    server = Liar(lie)
    crowd = crowd_of(server)
    crowd.step(100, 0.4)
    problems, _fetched = crowd.verdict(server.rows())
    crowd.leave()
    server.close()
    assert any(expected in problem for problem in problems), problems


def test_what_did_not_arrive_fails_the_step_and_is_fetched_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "QUIET", 0.3)
    server = Liar("loses")
    crowd = crowd_of(server)
    step = crowd.step(100, 0.4)
    problems, fetched = crowd.verdict(server.rows())
    crowd.leave()
    server.close()
    assert not step.complete
    assert "not everything arrived" in step.why
    assert fetched > 0
    assert problems == []


def test_a_ping_that_comes_in_two_pieces_is_answered(honest: Liar) -> None:
    crowd = crowd_of(honest)
    for cut in (0, 1, 2):
        honest.ping(cut, lambda: crowd.hub.listen(0.1))
        crowd.hub.listen(0.1)
    deadline = time.monotonic() + 5
    while honest.pongs < 3 * len(honest.people) and time.monotonic() < deadline:
        time.sleep(0.01)
    crowd.leave()
    assert honest.pongs == 3 * len(honest.people)


def test_a_lost_connection_fails_the_step_and_comes_back(honest: Liar) -> None:
    crowd = crowd_of(honest)
    honest._present.pop(0)[1].close()
    step = crowd.step(50, 0.2)
    assert "1 connections lost" in step.why
    crowd.enter()
    assert crowd.step(50, 0.2).why == ""
    assert crowd.verdict(honest.rows())[0] == []
    crowd.leave()


def test_a_generator_that_is_the_limit_says_so(honest: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "BUSY", 0.0)
    crowd = crowd_of(honest)
    step = crowd.step(100, 0.2)
    crowd.leave()
    assert step.why.startswith("the generator was the limit")


@pytest.mark.parametrize("kind", ["ours", "plain"])
def test_a_small_crowd_on_a_real_server_loses_nothing(kind: Kind, tmp_path: Path) -> None:
    server = Server(kind, tmp_path / "data")
    people = server.prepare(2, 3)
    server.start()
    try:
        crowd = Crowd(server, people, seed=1)
        crowd.enter()
        step = crowd.step(60, 1.0)
        problems, _fetched = crowd.verdict(server.rows())
        crowd.leave()
    finally:
        server.stop()
    assert problems == []
    assert step.complete
    assert step.acked == step.sent > 30
    assert step.server_busy > 0
