"""The search ends within a grid of the highest rate that holds, and never takes the generator for the server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks import search
from benchmarks.load import Latency, Step

NOTHING = Latency(1.0, 1.0, 1.0)


def step(rate: float, *, why: str = "", generator: float = 0.2, waited: float = 0.0) -> Step:
    return Step(rate, 5, 0, 0, rate, rate * 10, NOTHING, NOTHING, 0.0, 0.1, 0.5, waited, generator, not why, why)


@given(st.floats(2, 30_000), st.floats(10, 2_000))
def test_it_ends_within_the_grid_below_what_the_server_can_take(capacity: float, first: float) -> None:
    found = search.highest(lambda rate: step(rate, why="" if rate <= capacity else "p99"), first=first)
    assert found.limited == ""
    assert found.rate <= capacity <= found.rate * search.GRID * 1.0001


def test_one_bad_moment_does_not_end_it() -> None:
    seen: list[float] = []

    def offer(rate: float) -> Step:
        seen.append(rate)
        bad = rate > 1_000 or (rate == 400 and seen.count(400) == 1)
        return step(rate, why="p99" if bad else "")

    found = search.highest(offer, first=200)
    assert found.rate > 1_000 / search.GRID
    assert seen.count(400) == 2


def test_a_rate_is_tried_again_while_others_had_the_core() -> None:
    tries = [0]

    def offer(rate: float) -> Step:
        if rate > 1_000:
            return step(rate, why="p99")
        tries[0] += rate == 800
        disturbed = rate == 800 and tries[0] <= 3
        return step(rate, why="p99" if disturbed else "", waited=0.4 if disturbed else 0.0)

    assert search.highest(offer, first=200).rate >= 800
    assert tries[0] == 4


def test_a_busy_generator_ends_it_in_plain_words() -> None:
    found = search.highest(lambda rate: step(rate, generator=rate / 1_000, why="x" if rate > 900 else ""), first=200)
    assert found.rate == 800
    assert "the generator was the limit" in found.limited


def test_a_server_that_takes_nothing_ends_it() -> None:
    found = search.highest(lambda rate: step(rate, why="not everything arrived"), first=200)
    assert (found.rate, found.best) == (0.0, None)
    assert found.limited == "no rate holds"
