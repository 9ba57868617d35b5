"""When a series meets: the same hour on the wall clock, no week left out, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.agenda.series import Pattern, later, moment, slots, wall

ZONES = (
    "Europe/Amsterdam",
    "Europe/London",
    "America/New_York",
    "America/Santiago",
    "America/Paramaribo",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
)
TUESDAY = date(2026, 9, 8)

zones = st.sampled_from(ZONES).map(ZoneInfo)
patterns = st.builds(
    Pattern,
    starts_on=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    at_minute=st.integers(0, 24 * 60 - 1),
    count=st.integers(1, 30),
    every_days=st.sampled_from((7, 14)),
    booster_weeks=st.integers(0, 12),
)


def _exists(on: date, at_minute: int, zone: ZoneInfo) -> bool:
    """Does the wall clock of a place show this minute on this day at all?"""
    local = datetime(on.year, on.month, on.day, at_minute // 60, at_minute % 60, tzinfo=zone)
    back = local.astimezone(UTC).astimezone(zone)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


@given(patterns, zones)
def test_every_session_is_at_the_same_local_hour_and_no_week_is_left_out(pattern: Pattern, zone: ZoneInfo) -> None:
    found = slots(pattern, zone)
    weekly = [slot for slot in found if not slot.booster]
    assert [slot.number for slot in found] == list(range(1, len(found) + 1))
    assert len(weekly) == pattern.count
    for n, slot in enumerate(weekly):
        assert slot.on == pattern.starts_on + timedelta(days=n * pattern.every_days)
    for slot in found:
        if _exists(slot.on, pattern.at_minute, zone):
            assert wall(slot.starts_at, zone) == (slot.on, pattern.at_minute)
        else:  # the clocks jump over it: as soon as there is an hour again, at most an hour later
            hours_late = (slot.starts_at.astimezone(zone).replace(tzinfo=None)) - datetime.combine(
                slot.on, datetime.min.time()
            )
            assert timedelta(0) < hours_late - timedelta(minutes=pattern.at_minute) <= timedelta(hours=1)
    boosters = [slot for slot in found if slot.booster]
    assert len(boosters) == bool(pattern.booster_weeks)
    for slot in boosters:
        assert slot.on == weekly[-1].on + timedelta(weeks=pattern.booster_weeks)


@given(patterns, zones, st.sets(st.integers(0, 40), max_size=6))
def test_a_skipped_week_has_no_session_and_the_rest_moves_on_or_stays(
    pattern: Pattern, zone: ZoneInfo, weeks: set[int]
) -> None:
    skipped = {pattern.starts_on + timedelta(days=n * pattern.every_days) for n in weeks}
    moved, stayed = slots(pattern, zone, skipped), slots(pattern, zone, skipped, shift=False)
    assert not skipped & {slot.on for slot in (*moved, *stayed)}
    assert sum(not slot.booster for slot in moved) == pattern.count
    left = [n for n in range(pattern.count) if n not in weeks]
    days = [pattern.starts_on + timedelta(days=n * pattern.every_days) for n in left]
    assert [slot.on for slot in stayed if not slot.booster] == days
    for found in (moved, stayed):
        assert [slot.starts_at for slot in found] == sorted({slot.starts_at for slot in found})


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.integers(-60, 60), zones)
def test_so_many_days_later_is_the_same_hour_on_the_wall(at: datetime, days: int, zone: ZoneInfo) -> None:
    on, minute = wall(at.replace(tzinfo=UTC), zone)
    found = later(at.replace(tzinfo=UTC), days, zone)
    if _exists(on + timedelta(days=days), minute, zone):
        assert wall(found, zone) == (on + timedelta(days=days), minute)


def test_eight_tuesdays_at_eight_over_the_end_of_summer_time() -> None:
    found = slots(Pattern(TUESDAY, 20 * 60, 8, booster_weeks=6), ZoneInfo("Europe/Amsterdam"))
    assert [slot.starts_at.hour for slot in found] == [18] * 7 + [19] * 2
    assert found[-1].on == date(2026, 12, 8)
    assert [slot.booster for slot in found] == [False] * 8 + [True]


@pytest.mark.parametrize(
    ("on", "at_minute", "expected"),
    [
        (date(2026, 3, 29), 150, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 02.30 is not there; 03.30 is
        (date(2026, 10, 25), 150, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # 02.30 comes twice; the first
        (date(2026, 3, 29), 240, datetime(2026, 3, 29, 2, 0, tzinfo=UTC)),
    ],
)
def test_hours_that_are_not_there_or_come_twice(on: date, at_minute: int, expected: datetime) -> None:
    assert moment(on, at_minute, ZoneInfo("Europe/Amsterdam")) == expected
