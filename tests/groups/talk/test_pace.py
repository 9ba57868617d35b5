"""How fast each author writes: a moving window per seat and room, nothing stored."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RateLimited
from groups.talk import pace as paces
from groups.talk.pace import Pace


class Ticks:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _key() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize("limit", [1, 3, 8, 20, 1_000])
def test_a_room_takes_as_many_in_twenty_seconds_as_it_says(limit: int) -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    for number in range(limit):
        pace.check(1, _key(), f"Zin {number}", limit)
    with pytest.raises(RateLimited):
        pace.check(1, _key(), "Nog een", limit)
    ticks.now += 20.01
    pace.check(1, _key(), "Nog een", limit)


@given(st.lists(st.floats(0, 15), max_size=60), st.integers(1, 9))
def test_never_more_than_the_limit_in_any_twenty_seconds(waits: list[float], limit: int) -> None:
    ticks = Ticks()
    pace, passed, refused = Pace(ticks), [], 0
    for number, wait in enumerate(waits):
        ticks.now += wait
        try:
            pace.check(1, str(number), f"Zin {number}", limit)
            passed.append(ticks.now)
        except RateLimited:
            refused += 1
            assert sum(at > ticks.now - 20 for at in passed) >= limit  # and never without need
    for at in passed:
        assert sum(at - 20 < other <= at for other in passed) <= limit
    assert len(passed) + refused == len(waits)


def test_saying_the_same_again_and_again_is_stopped() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    for _ in range(4):
        pace.check(1, _key(), "Hallo?", 8)
        ticks.now += 10
    with pytest.raises(RateLimited):
        pace.check(1, _key(), "Hallo?", 8)
    pace.check(1, _key(), "Is daar iemand?", 8)


def test_a_retry_and_a_preview_count_for_nothing() -> None:
    pace = Pace(Ticks())
    key = _key()
    for _ in range(50):
        pace.check(1, key, "Eén keer", 2)
        pace.check(1, "preview", "Bel me", 2)
        pace.forget(1, "preview")
    pace.check(1, _key(), "Nog een", 2)
    with pytest.raises(RateLimited):
        pace.check(1, _key(), "Te veel", 2)
    pace.forget(9, "never seen")


def test_seats_do_not_share_a_tempo() -> None:
    pace = Pace(Ticks())
    pace.check(1, _key(), "Hoi", 1)
    pace.check(2, _key(), "Hoi", 1)
    with pytest.raises(RateLimited):
        pace.check(1, _key(), "Hoi", 1)


def test_the_last_three_lines_of_the_last_minute_are_remembered() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    for text in ("een", "twee", "drie", "vier"):
        pace.check(1, text, text, 100)
    assert pace.check(1, "vijf", "vijf", 100) == ("twee", "drie", "vier")
    assert pace.check(2, "x", "x", 100) == ()
    ticks.now += 60.01
    assert pace.check(1, "zes", "zes", 100) == ()


def test_memory_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "_SEATS", 3)
    pace = Pace(Ticks())
    for seat in (1, 2, 3, 1, 4):
        pace.check(seat, _key(), f"Zin van {seat}", 8)
    assert set(pace._lines) == {1, 3, 4}  # the author who was silent longest is forgotten


def test_looking_again_and_again_what_would_be_masked_has_a_tempo_too() -> None:
    ticks = Ticks()
    pace = Pace(ticks)
    for number in range(100):
        pace.check(1, f"k{number}", "06 12 34 56 78", 8)
        pace.forget(1, f"k{number}")
        ticks.now += 0.1
    with pytest.raises(RateLimited):
        pace.check(1, "again", "06 12 34 56 78", 8)
    pace.check(2, "again", "Hoi", 8)  # nobody else waits for it
    ticks.now += 50.1
    pace.check(1, "again", "06 12 34 56 78", 8)
