"""Hours of the week: how they are spelled, and when they begin and end on the clocks of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from groups import hours
from groups.hours import DAY, Window

AMSTERDAM = "Europe/Amsterdam"
ZONES = st.sampled_from([AMSTERDAM, "UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC)
)


@st.composite
def weeks(draw: st.DrawFn) -> tuple[Window, ...]:
    """Hours that do not overlap: at most one stretch a day, not longer than until the next day's begins."""
    found = []
    for weekday in draw(st.sets(st.integers(1, 7), min_size=1)):
        start = draw(st.integers(6 * 60, DAY - 1))
        found.append(Window(weekday, start, draw(st.integers(start + 1, DAY + 6 * 60 - 1))))
    return tuple(sorted(found))


def at(text: str, zone: str = AMSTERDAM) -> datetime:
    """A moment as the clock in a zone shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(weeks())
def test_what_is_spelled_is_read_back(week: tuple[Window, ...]) -> None:
    assert hours.parse(hours.spell(week)) == week


@given(weeks(), ZONES, MOMENTS)
def test_what_is_shut_opens_within_a_week_and_not_a_minute_earlier(
    week: tuple[Window, ...], zone: str, moment: datetime
) -> None:
    spelling = hours.spell(week)
    back = hours.back_at(spelling, zone, moment)
    if hours.is_open(spelling, zone, moment):
        assert back is None
        return
    assert back is not None
    assert moment < back <= moment + timedelta(days=7, hours=1)
    assert hours.is_open(spelling, zone, back)
    assert not hours.is_open(spelling, zone, back - timedelta(minutes=1))


@given(weeks(), ZONES, MOMENTS)
def test_what_is_open_ends_at_its_very_minute(week: tuple[Window, ...], zone: str, moment: datetime) -> None:
    spelling = hours.spell(week)
    end = hours.until(spelling, zone, moment)
    if not hours.is_open(spelling, zone, moment):
        assert end is None
    elif end is not None:
        assert moment < end
        assert hours.is_open(spelling, zone, end - timedelta(minutes=1))
        assert not hours.is_open(spelling, zone, end)


@given(weeks(), MOMENTS)
def test_where_no_clock_is_ever_set_the_week_decides_by_its_minutes(week: tuple[Window, ...], moment: datetime) -> None:
    minute = (moment.isoweekday() - 1) * DAY + moment.hour * 60 + moment.minute
    spans = [((w.weekday - 1) * DAY + w.start, (w.weekday - 1) * DAY + w.until) for w in week]
    expected = any(start <= m < until for start, until in spans for m in (minute, minute + 7 * DAY))
    assert hours.is_open(hours.spell(week), "UTC", moment) is expected


@given(ZONES, MOMENTS)
def test_without_hours_it_is_always(zone: str, moment: datetime) -> None:
    assert hours.is_open("", zone, moment)
    assert hours.back_at("", zone, moment) is None
    assert hours.until("", zone, moment) is None


def test_hours_stand_by_the_clock_in_winter_and_in_summer() -> None:
    assert hours.back_at("2 19:00-21:30", AMSTERDAM, at("2026-11-23T10:00")) == datetime(
        2026, 11, 24, 18, 0, tzinfo=UTC
    )
    assert hours.back_at("2 19:00-21:30", AMSTERDAM, at("2026-07-06T10:00")) == datetime(2026, 7, 7, 17, 0, tzinfo=UTC)


def test_what_begins_in_the_hour_that_is_skipped_begins_when_the_clock_jumps() -> None:
    spelling = "7 02:30-04:00"  # on 29 March 2026 the clock goes from 02:00 to 03:00
    assert hours.back_at(spelling, AMSTERDAM, at("2026-03-29T01:00")) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert hours.until(spelling, AMSTERDAM, at("2026-03-29T03:10")) == at("2026-03-29T04:00")


def test_hours_inside_the_skipped_hour_are_skipped_with_it() -> None:
    assert hours.back_at("7 02:10-02:50", AMSTERDAM, at("2026-03-29T01:00")) == at("2026-04-05T02:10")


def test_what_begins_in_the_hour_that_comes_twice_begins_once() -> None:
    spelling = "7 02:00-02:30"  # on 25 October 2026 the clock goes from 03:00 back to 02:00
    assert hours.back_at(spelling, AMSTERDAM, at("2026-10-25T01:00")) == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10, the second time
    assert not hours.is_open(spelling, AMSTERDAM, again)


def test_an_evening_goes_on_past_midnight_into_monday() -> None:
    spelling = "7 22:00-01:00"
    assert hours.is_open(spelling, AMSTERDAM, at("2026-11-23T00:59"))
    assert not hours.is_open(spelling, AMSTERDAM, at("2026-11-23T01:00"))
    assert not hours.is_open(spelling, AMSTERDAM, at("2026-11-24T00:30"))


def test_stretches_that_touch_are_one() -> None:
    assert hours.until("1 22:00-24:00; 2 00:00-02:00", AMSTERDAM, at("2026-11-23T23:00")) == at("2026-11-24T02:00")


def test_a_whole_week_never_ends() -> None:
    always = hours.spell(Window(day, 0, DAY) for day in range(1, 8))
    assert hours.until(always, AMSTERDAM, at("2026-11-23T23:00")) is None
    assert hours.is_open(always, AMSTERDAM, at("2026-11-23T23:59"))


@pytest.mark.parametrize(
    "spelling",
    ["8 09:00-17:00", "1 9:00-17:00", "1 09:00-09:00", "1 25:00-26:00", "1 09:60-10:00", "1 24:00-03:00", "nooit",
     "1 09:00-17:00;", "1 09:00-12:00; 1 11:00-13:00", "7 22:00-03:00; 1 02:00-04:00"],
)  # fmt: skip
def test_what_is_no_hours_is_refused(spelling: str) -> None:
    with pytest.raises(Invalid):
        hours.parse(spelling)


def test_more_than_the_group_can_keep_is_refused() -> None:
    with pytest.raises(Invalid):
        hours.spell(Window(day, start, start + 30) for day in range(1, 8) for start in (60, 120, 180))


def test_a_form_is_read_as_people_write_times() -> None:
    assert hours.window(2, " 9.30", "17:00 ") == Window(2, 9 * 60 + 30, 17 * 60)
    for typed in ("negen", "9", "", "9:5", "12:00:00", "-1:00"):
        with pytest.raises(Invalid):
            hours.window(2, typed, "17:00")


def test_a_form_gives_midnight_as_zero_or_twenty_four() -> None:
    assert hours.window(1, "19:00", "00:00") == hours.window(1, "19:00", "24:00") == Window(1, 19 * 60, DAY)
