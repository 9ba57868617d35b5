"""Who may post: facts in, a refusal or nothing out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import AppError, Closed, Forbidden, Muted, RateLimited
from groups.rules import FACILITATOR, MEMBER, Standing, may_count, may_post

NOW = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)
MOMENTS = st.none() | st.integers(-120, 120).map(lambda minutes: NOW + timedelta(minutes=minutes))
HOURS = st.sampled_from(["", "2 19:00-21:00", "2 21:00-23:00", "3 09:00-17:00"])  # it is Tuesday, 20.00 in Amsterdam
STANDINGS = st.builds(
    Standing,
    st.sampled_from([MEMBER, FACILITATOR]),
    MOMENTS,
    st.booleans(),
    st.booleans(),
    out=st.booleans(),
    paused=st.booleans(),
    open_hours=HOURS,
    slow_seconds=st.sampled_from([0, 10, 60]),
    calm_until=MOMENTS,
    seconds_since_last=st.none() | st.floats(0, 90),
    closed_at=MOMENTS,
    kind=st.sampled_from(["group", "pair", "breakout"]),
    session=st.booleans(),
)


def expected(standing: Standing) -> type[AppError] | None:
    """What is told, read from the rules as they are agreed: the first reason that holds."""
    if standing.room_closed or (standing.closed_at and standing.closed_at <= NOW):
        return Closed
    if standing.role == FACILITATOR:
        return None
    if standing.out:
        return Forbidden
    if standing.muted_until and standing.muted_until > NOW:
        return Muted
    if standing.paused or standing.only_staff_writes:
        return Forbidden
    shut = standing.open_hours not in ("", "2 19:00-21:00")
    if shut and standing.kind == "group" and not standing.session:
        return Closed
    calm = standing.calm_until is not None and standing.calm_until > NOW
    between = max(standing.slow_seconds, 20 if calm else 0)
    if standing.seconds_since_last is not None and standing.seconds_since_last < between:
        return RateLimited
    return None


@settings(max_examples=500)
@given(STANDINGS)
def test_the_first_reason_that_holds_is_the_one_that_is_told(standing: Standing) -> None:
    refusal = may_post(standing, NOW)
    assert (type(refusal) if refusal else None) is expected(standing)


@given(STANDINGS)
def test_how_long_to_wait_is_enough_and_not_a_second_more(standing: Standing) -> None:
    refusal = may_post(standing, NOW)
    if not isinstance(refusal, RateLimited):
        return
    assert refusal.retry_after is not None
    assert standing.seconds_since_last is not None
    for seconds, free in ((refusal.retry_after, True), (refusal.retry_after - 1, False)):
        later = replace(standing, seconds_since_last=standing.seconds_since_last + seconds)
        assert (may_post(later, NOW) is None) is free


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("2 21:30-23:00", "vandaag om 21.30 uur"),
        ("3 00:15-01:00", "woensdag om 00.15 uur"),
        ("2 09:00-10:00", "dinsdag om 09.00 uur"),
        ("7 09:00-10:00", "zondag om 09.00 uur"),
    ],
)
def test_outside_opening_hours_one_is_told_when_it_opens(hours: str, told: str) -> None:
    refusal = may_post(Standing(MEMBER, None, False, False, open_hours=hours), NOW)
    assert refusal is not None
    assert told in refusal.message.format(**refusal.params)


@given(STANDINGS)
def test_every_refusal_says_that_nothing_was_lost(standing: Standing) -> None:
    refusal = may_post(standing, NOW)
    assert refusal is None or "staat er nog" in refusal.message


@given(STANDINGS, st.integers(0, 240))
def test_a_mute_and_a_calm_end_by_themselves(standing: Standing, minutes: int) -> None:
    """What else may turn with time is left out here: the hours, and the moment at which a room closes."""
    standing = replace(standing, open_hours="", closed_at=None)
    later = may_post(standing, NOW + timedelta(minutes=minutes))
    if may_post(standing, NOW) is None:
        assert later is None
    if later is not None and not isinstance(later, Muted | RateLimited):
        assert isinstance(may_post(standing, NOW), (type(later), Muted))


def test_a_mute_is_over_at_its_very_minute() -> None:
    assert may_post(Standing(MEMBER, NOW, False, False), NOW) is None


@given(st.integers(0, 50), st.booleans())
def test_numbers_are_shown_from_five_answers_on_or_from_three_who_all_agree(answers: int, few_ok: bool) -> None:
    assert may_count(answers, few_ok) is (answers > 4 or (answers > 2 and few_ok))
