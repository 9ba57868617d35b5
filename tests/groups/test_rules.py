"""Who may post: facts in, a refusal or nothing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Closed, Forbidden, Muted
from groups.rules import FACILITATOR, MEMBER, Standing, may_count, may_post

NOW = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)
MOMENTS = st.none() | st.integers(-120, 120).map(lambda minutes: NOW + timedelta(minutes=minutes))
STANDINGS = st.builds(Standing, st.sampled_from([MEMBER, FACILITATOR]), MOMENTS, st.booleans(), st.booleans())


@given(STANDINGS)
def test_the_first_reason_that_holds_is_the_one_that_is_told(standing: Standing) -> None:
    refusal = may_post(standing, NOW)
    muted = standing.muted_until is not None and standing.muted_until > NOW
    if standing.room_closed:
        assert isinstance(refusal, Closed)
    elif standing.role == FACILITATOR:
        assert refusal is None
    elif muted:
        assert isinstance(refusal, Muted)
    elif standing.only_staff_writes:
        assert isinstance(refusal, Forbidden)
    else:
        assert refusal is None


@given(STANDINGS)
def test_every_refusal_says_that_nothing_was_lost(standing: Standing) -> None:
    refusal = may_post(standing, NOW)
    assert refusal is None or "staat er nog" in refusal.message


@given(STANDINGS, st.integers(0, 240))
def test_a_mute_ends_by_itself_and_nothing_else_does(standing: Standing, minutes: int) -> None:
    later = may_post(standing, NOW + timedelta(minutes=minutes))
    if may_post(standing, NOW) is None:
        assert later is None
    if later is not None and not isinstance(later, Muted):
        assert isinstance(may_post(standing, NOW), (type(later), Muted))


def test_a_mute_is_over_at_its_very_minute() -> None:
    assert may_post(Standing(MEMBER, NOW, False, False), NOW) is None


@given(st.integers(0, 50))
def test_a_tally_is_shown_from_three_answers_on(answers: int) -> None:
    assert may_count(answers) is (answers > 2)
