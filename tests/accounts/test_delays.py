"""Guessing: it slows down whoever does it, and nobody else."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts import delays, names
from app.accounts.delays import AT_ONE_NAME, FROM_ONE_SOURCE, PAUSE
from app.accounts.models import Attempt
from app.core.errors import RateLimited
from app.core.keys import Keys
from app.core.work import Database
from tests import builders
from tests.conftest import FrozenClock

KEYS = Keys(bytes(range(32)))
DAY = date(2026, 11, 17)
NOOR, MEES = (delays.key_of(KEYS, DAY, "sign in", name) for name in ("stille-otter-41", "wilde-merel-20"))
HOME, STRANGER = "home", "stranger"
NOW = timedelta(0)


def _check(database: Database, name_key: str = NOOR, source: str = HOME) -> float:
    with database.work() as w:
        return delays.check(w, name_key, source)


def _wait(database: Database, name_key: str = NOOR, source: str = HOME) -> int:
    """How long would a try have to wait now? Nothing is counted."""
    with database.work() as w:
        try:
            delays.check(w, name_key, source)
        except RateLimited as refusal:
            return refusal.retry_after or 0
        delays.withdrawn(w, name_key, source)
    return 0


def _exhaust(database: Database, name_key: str = NOOR, source: str = HOME) -> None:
    for _ in range(AT_ONE_NAME.free):
        _check(database, name_key, source)


def test_five_tries_are_free_and_then_each_waits_twice_as_long_up_to_a_minute() -> None:
    waits = [AT_ONE_NAME.wait(tries, NOW) for tries in range(14)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert AT_ONE_NAME.wait(10**9, NOW) == 60


def test_twenty_tries_are_free_from_one_source_whatever_the_names() -> None:
    assert [FROM_ONE_SOURCE.wait(tries, NOW) for tries in (0, 19, 20, 21, 24, 25, 10**9)] == [0, 0, 1, 2, 16, 30, 30]


@given(st.integers(0, 10**6), st.floats(-100, 4000))
def test_a_wait_only_gets_shorter_as_time_goes_by_and_ends(tries: int, seconds: float) -> None:
    since, later = timedelta(seconds=seconds), timedelta(seconds=seconds + 1)
    for rule in (AT_ONE_NAME, FROM_ONE_SOURCE):
        assert 0 <= rule.wait(tries, later) <= rule.wait(tries, since) <= rule.longest
        assert rule.wait(tries, timedelta(seconds=rule.longest)) == 0


@given(st.integers(0, 10**6), st.floats(-100, 4000))
def test_others_guessing_at_a_name_never_holds_its_owner_up_for_more_than_two_seconds(
    tries: int, seconds: float
) -> None:
    assert 0 <= delays.pause(tries, timedelta(seconds=seconds)) <= PAUSE == 2.0


def test_the_sixth_try_is_refused_until_the_wait_is_over(database: Database, clock: FrozenClock) -> None:
    _exhaust(database)
    for wait in (1, 2, 4, 8):
        with pytest.raises(RateLimited) as refusal:
            _check(database)
        assert refusal.value.retry_after == wait
        assert refusal.value.params == {"seconds": max(wait, 2)}
        clock.forward(seconds=wait - 0.01)
        assert _wait(database) == 1
        clock.forward(seconds=0.01)
        _check(database)


def test_a_refused_try_does_not_make_the_wait_longer(database: Database, clock: FrozenClock) -> None:
    _exhaust(database)
    for _ in range(50):
        assert _wait(database) == 1
    clock.forward(seconds=1)
    _check(database)


def test_a_stranger_who_guesses_at_a_name_does_not_lock_its_owner_out(database: Database, clock: FrozenClock) -> None:
    for number in range(40):
        _check(database, NOOR, f"stranger {number}")
    assert _check(database, NOOR, HOME) == PAUSE
    assert _check(database, MEES, "elsewhere") == 0.0


def test_a_source_that_tries_many_names_waits_for_every_name(database: Database) -> None:
    for number in range(FROM_ONE_SOURCE.free):
        _check(database, delays.key_of(KEYS, DAY, "sign in", f"name-{number}"), STRANGER)
    assert _wait(database, MEES, STRANGER) == 1
    assert _wait(database, MEES, HOME) == 0


def test_coming_in_clears_ones_own_mistakes_and_not_what_else_the_source_tried(database: Database) -> None:
    for number in range(FROM_ONE_SOURCE.free - AT_ONE_NAME.free):
        _check(database, delays.key_of(KEYS, DAY, "sign in", f"name-{number}"))
    for _ in range(AT_ONE_NAME.free):
        _check(database)
    with database.work() as w:
        delays.succeeded(w, NOOR, HOME)
        assert w.db.get(Attempt, delays._pair(NOOR, HOME)) is None
        assert w.db.get_one(Attempt, HOME).failures == FROM_ONE_SOURCE.free - 1
        assert w.db.get_one(Attempt, NOOR).failures == AT_ONE_NAME.free - 1
    _check(database)
    assert _wait(database) == 1


def test_coming_in_again_and_again_costs_nothing(database: Database) -> None:
    for _ in range(100):
        assert _check(database) == 0.0
        with database.work() as w:
            delays.succeeded(w, NOOR, HOME)


def test_a_try_that_was_never_looked_at_does_not_count(database: Database) -> None:
    for _ in range(100):
        _check(database)
        with database.work() as w:
            delays.withdrawn(w, NOOR, HOME)
    assert _wait(database) == 0


def test_tries_at_the_same_instant_do_not_slip_through(database: Database) -> None:
    answers = builders.at_once(*[lambda: _check(database)] * 12)
    assert len(builders.refusals(answers)) == 12 - AT_ONE_NAME.free
    assert all(isinstance(refusal, RateLimited) for refusal in builders.refusals(answers))


def test_counts_fade_after_an_hour_and_are_gone_after_a_day(database: Database, clock: FrozenClock) -> None:
    _exhaust(database)
    clock.forward(hours=1)
    assert _wait(database) == 0
    _check(database)
    with database.read() as r:
        assert set(r.db.scalars(select(Attempt.failures))) == {1}
    clock.forward(hours=23, minutes=59)
    assert delays.sweep(database) == 0
    clock.forward(minutes=1)
    assert delays.sweep(database) == 3
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Attempt)) == 0


def test_a_known_and_an_unknown_name_cost_the_same_statements(database: Database) -> None:
    sent = []
    for name_key in (NOOR, MEES):
        with builders.statements(database) as statements:
            _check(database, name_key, name_key[:8])
        sent.append(statements)
    assert sent[0] == sent[1]


def test_neither_the_name_nor_the_source_can_be_read_from_what_is_kept(database: Database) -> None:
    _check(database)
    with database.read() as r:
        kept = r.db.scalars(select(Attempt.key)).all()
    assert not any("otter" in key for key in kept)
    assert delays.key_of(KEYS, DAY + timedelta(days=1), "sign in", "stille-otter-41") != NOOR
    assert delays.key_of(KEYS, DAY, "recovery", "stille-otter-41") != NOOR
    assert delays.key_of(Keys(bytes(range(1, 33))), DAY, "sign in", "stille-otter-41") != NOOR


def test_ten_thousand_guesses_from_a_hundred_sources_let_nobody_in_and_hold_the_owner_up_two_seconds() -> None:
    """On the rules alone, by a clock of its own; every source guesses as soon as it may."""
    chance = random.Random(7)
    words = names.words("passphrase-nl")
    passphrase = names.passphrase("nl")
    start = datetime(2026, 11, 17, tzinfo=UTC)
    tries = [0] * 100
    free_at = [start] * 100
    last = [start - timedelta(days=1)] * 100
    at_name, at_name_last = 0, start - timedelta(days=1)
    came_in, longest_pause, now = 0, 0.0, start
    for _ in range(10_000):
        source = min(range(100), key=free_at.__getitem__)
        now = free_at[source]
        since = now - last[source]
        assert max(AT_ONE_NAME.wait(tries[source], since), FROM_ONE_SOURCE.wait(tries[source], since)) == 0
        longest_pause = max(longest_pause, delays.pause(at_name, now - at_name_last))
        came_in += " ".join(chance.choice(words) for _ in range(6)) == passphrase
        tries[source], last[source] = tries[source] + 1, now
        at_name, at_name_last = at_name + 1, now
        wait = max(AT_ONE_NAME.wait(tries[source], NOW), FROM_ONE_SOURCE.wait(tries[source], NOW))
        free_at[source] = now + timedelta(seconds=wait)
    hours = (now - start) / timedelta(hours=1)
    print(f"10,000 guesses took {hours:.2f} hours, {10_000 / hours / 100:.0f} an hour from each source")
    assert came_in == 0
    assert longest_pause <= 2.0
    assert 1.4 < hours < 1.6
    tried_in_a_year = 10_000 / hours * 24 * 365
    assert tried_in_a_year / len(words) ** 6 < 1e-11
