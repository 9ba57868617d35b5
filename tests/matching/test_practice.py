"""What was practised is counted so that nothing is ever taken back; lines and hours take a lapse as information."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.programme.steps import DAYS, PARTS
from matching import picture, practice
from matching.picture import Mark, Point
from matching.practice import LAPSES, History, Lapse, Numbers, Practised

TODAY = date(2026, 11, 17)  # a Tuesday
FIRST = TODAY - timedelta(days=89)
WORDS = {"mood": "stemming", "urge": "drang", "high": "hoog", "low": "laag", "first": "a", "last": "b"}
WORDS |= {"lapse": "uitglijder", "relapse": "terugval", "named": "x y"}

days = st.dates(TODAY - timedelta(days=200), TODAY)
moments = st.datetimes(datetime(2026, 5, 1), datetime(2026, 11, 17, 23, 59))
practised = st.builds(Practised, days) | moments.map(lambda at: Practised(at.date(), at))
lapses = st.builds(Lapse, st.sampled_from(LAPSES), moments)
histories = st.builds(
    History,
    st.lists(practised, max_size=40).map(tuple),
    st.lists(lapses, max_size=6).map(tuple),
    st.integers(0, 300),
)
points = st.lists(st.builds(Point, days, st.integers(0, 4), st.integers(0, 4)), max_size=40, unique_by=lambda p: p.day)


def _day(number: int) -> date:
    return TODAY + timedelta(days=number)


def _falls(before: Numbers, after: Numbers) -> bool:
    return any(now < then for then, now in zip(astuple(before), astuple(after), strict=True))


def _with(history: History, *more: Lapse) -> History:
    return replace(history, lapses=(*history.lapses, *more))


# ---------- no number falls ----------


@given(histories, st.lists(lapses, min_size=1, max_size=5))
def test_no_number_falls_when_lapses_are_added_to_any_history(history: History, more: list[Lapse]) -> None:
    before, after = practice.numbers(history, TODAY), practice.numbers(_with(history, *more), TODAY)
    assert not _falls(before, after)
    assert not _falls(after, before)  # and none is given for it either


@given(histories, practised)
def test_no_number_falls_when_a_day_is_practised(history: History, one: Practised) -> None:
    more = replace(history, practised=(*history.practised, one))
    assert not _falls(practice.numbers(history, TODAY), practice.numbers(more, TODAY))


@given(histories, st.integers(0, 400))
def test_what_was_built_up_stays_however_long_nothing_is_done(history: History, later: int) -> None:
    now, then = practice.numbers(history, TODAY), practice.numbers(history, _day(later))
    assert (then.days, then.longest, then.ridden) == (now.days, now.longest, now.ridden)


def _broken_by_lapses(history: History, today: date) -> Numbers:
    """What this product does not do: count the days since the last lapse."""
    last = max((lapse.day for lapse in history.lapses), default=date.min)
    kept = tuple(one for one in history.practised if one.day > last)
    return practice.numbers(replace(history, practised=kept), today)


def test_a_count_that_starts_over_after_a_lapse_would_be_found() -> None:
    found = hypothesis.find(
        st.tuples(histories, lapses),
        lambda case: _falls(_broken_by_lapses(case[0], TODAY), _broken_by_lapses(_with(*case), TODAY)),
    )
    assert found[0].practised


# ---------- days and runs ----------


def test_a_day_counts_once_however_much_was_done() -> None:
    twice = (Practised(TODAY), Practised(TODAY, datetime(2026, 11, 17, 9)))
    assert practice.numbers(History(twice), TODAY) == Numbers(1, 1, 1, 0)


def test_recent_is_today_and_the_89_days_before() -> None:
    seen = History(tuple(Practised(_day(n)) for n in (-90, -89, 0)))
    assert practice.numbers(seen, TODAY).recent == 2
    assert practice.numbers(seen, TODAY).days == 3


@pytest.mark.parametrize(
    ("numbers", "longest"),
    [((), 0), ((0,), 1), ((0, -2), 1), ((-9, -8, -7, -3, -2, 0), 3), ((-1, 0), 2), (tuple(range(-40, 1)), 41)],
)
def test_the_longest_run_is_of_days_in_a_row(numbers: tuple[int, ...], longest: int) -> None:
    assert practice.longest_run([_day(n) for n in numbers]) == longest


@given(st.sets(days, max_size=60), st.sets(days, max_size=5))
def test_more_days_never_make_the_longest_run_shorter(some: set[date], more: set[date]) -> None:
    assert practice.longest_run(some | more) >= practice.longest_run(some)


@given(st.sets(days, min_size=1, max_size=60))
def test_the_longest_run_is_there_and_none_is_longer(some: set[date]) -> None:
    longest = practice.longest_run(some)

    def ran(length: int) -> bool:
        return any(all(first + timedelta(days=n) in some for n in range(length)) for first in some)

    assert ran(longest)
    assert not ran(longest + 1)


# ---------- coming back ----------


def _lapse(number: int, hour: int = 20) -> Lapse:
    return Lapse("lapse", datetime.combine(_day(number), datetime.min.time()).replace(hour=hour))


def test_coming_back_is_said_once_there_is_something_to_say() -> None:
    assert practice.days_until_back(History()) is None
    assert practice.days_until_back(History((Practised(_day(-9)),), (_lapse(-3),))) is None
    assert practice.days_until_back(History((Practised(_day(-1)),), (_lapse(-3),))) == 2


def test_the_day_itself_counts_only_where_the_hour_is_known() -> None:
    check_in, later = Practised(_day(-3)), Practised(_day(-3), datetime(2026, 11, 14, 22))
    earlier = Practised(_day(-3), datetime(2026, 11, 14, 8))
    next_day = Practised(_day(-2))
    assert practice.days_until_back(History((check_in, earlier, next_day), (_lapse(-3),))) == 1
    assert practice.days_until_back(History((later, next_day), (_lapse(-3),))) == 0


def test_of_several_lapses_it_is_how_it_usually_went() -> None:
    seen = History(tuple(Practised(_day(n)) for n in (-49, -38, -10)), (_lapse(-50), _lapse(-40), _lapse(-30)))
    assert practice.days_until_back(seen) == 2  # 1, 2 and 20


@given(histories, st.sampled_from(LAPSES))
def test_a_lapse_of_this_moment_says_nothing_yet_about_coming_back(history: History, kind: str) -> None:
    now = Lapse(kind, datetime(2026, 11, 18, 0, 1))
    assert practice.days_until_back(_with(history, now)) == practice.days_until_back(history)


# ---------- the hours of the week ----------


def test_a_moment_falls_in_its_part_of_its_day() -> None:
    counts = practice.hours(
        [datetime(2026, 11, 16, 0, 0), datetime(2026, 11, 22, 23, 59), datetime(2026, 11, 15, 20, 0)]
    )
    assert len(counts) == DAYS * PARTS
    assert {cell: n for cell, n in enumerate(counts) if n} == {0: 1, 41: 2}


def test_a_wave_and_telling_of_it_are_one_hard_hour() -> None:
    assert sum(practice.hours([datetime(2026, 11, 16, 20, 5), datetime(2026, 11, 16, 21, 40)])) == 1


@given(st.lists(moments, max_size=40), moments)
def test_one_more_moment_makes_no_hour_lighter_in_number(some: list[datetime], one: datetime) -> None:
    before, after = practice.hours(some), practice.hours([*some, one])
    assert all(now >= then for then, now in zip(before, after, strict=True))


@given(st.lists(st.integers(0, 60), min_size=42, max_size=42), st.sets(st.integers(0, 41)))
def test_shades_follow_the_numbers_and_a_marked_hour_is_never_light(counts: list[int], marked: set[int]) -> None:
    shades = practice.shades(counts, marked)
    assert all(0 <= shade <= practice.STEPS for shade in shades)
    for cell, count in enumerate(counts):
        assert (shades[cell] > 0) == (count > 0 or cell in marked)
        assert all(shades[cell] <= shades[other] for other in range(42) if count < counts[other] and cell not in marked)


def test_an_hour_is_named_only_where_one_stands_out() -> None:
    quiet = [0] * 42
    assert practice.hardest(quiet) is None
    assert practice.hardest([*quiet[:41], 2]) is None
    assert practice.hardest([*quiet[:41], 3]) == 41
    assert practice.hardest([3, *quiet[1:41], 3]) is None


@pytest.mark.parametrize(
    ("values", "course"),
    [([], None), ([3, 4], None), ([1, 2, 5], (1, 5)), ([1, 1, 2, 3, 4, 4], (1, 4)), ([2] * 30, (2, 2))],
)
def test_a_course_goes_from_the_first_third_to_the_last(values: list[int], course: tuple[int, int] | None) -> None:
    assert practice.course(values) == course


# ---------- the picture ----------


def _drawn(some: list[Point], marks: list[Mark]) -> str:
    return str(picture.lines(FIRST, TODAY, some, marks, WORDS))


def _spots(drawn: str) -> list[tuple[float, float]]:
    """Where the lines go through."""
    paths = [line.split('d="')[1].split('"')[0].removesuffix("h0") for line in drawn.split('class="l-')[1:]]
    spots = [spot.split() for path in paths for spot in path.replace("M", " L").split("L") if spot.strip()]
    return [(float(x), float(y)) for x, y in spots]


def _without_marks(drawn: str) -> str:
    for kind in ("uitglijder", "terugval"):
        drawn = drawn.replace(kind, "")
    parts = drawn.replace("<", "\n<").split("\n")
    below = f'y="{picture._MARKS}"'
    return "".join(
        p for p in parts if "slip" not in p and below not in p and p not in ("</text>", "</path>", "</circle>")
    )


@given(points, st.lists(st.builds(Mark, days, st.sampled_from(LAPSES)), max_size=8))
def test_a_lapse_is_a_mark_and_leaves_every_line_as_it_was(some: list[Point], marks: list[Mark]) -> None:
    assert _without_marks(_drawn(some, marks)) == _without_marks(_drawn(some, []))
    shown = {mark.day for mark in marks if FIRST <= mark.day <= TODAY}
    assert _drawn(some, marks).count("slipmark") == len(shown)


@given(points)
def test_the_lines_stay_inside_and_carry_no_style(some: list[Point]) -> None:
    drawn = _drawn(some, [])
    assert "style" not in drawn
    assert "nan" not in drawn
    for x, y in _spots(drawn):
        assert picture.LEFT <= x <= picture.RIGHT
        assert picture.TOP <= y <= picture.BOTTOM


def test_a_long_silence_is_not_drawn_through_and_a_lapse_is() -> None:
    apart = [Point(_day(-40), 2, 2), Point(_day(-30), 3, 1), Point(_day(-29), 3, 1)]
    path = _drawn(apart, []).split('class="l-mood" d="')[1].split('"')[0]
    assert path.count("M") == 2
    together = [Point(_day(-3), 2, 2), Point(_day(-1), 3, 1)]
    path = _drawn(together, [Mark(_day(-2), "relapse")]).split('class="l-mood" d="')[1].split('"')[0]
    assert path.count("M") == 1


def test_words_in_the_picture_are_words_and_never_markup() -> None:
    drawn = str(picture.lines(FIRST, TODAY, [Point(TODAY, 1, 1)], [], WORDS | {"mood": "<b>&"}))
    assert "<b>" not in drawn
    assert "&lt;b&gt;&amp;" in drawn


@given(st.lists(st.builds(Point, days, st.integers(0, 4), st.integers(0, 4)), min_size=1, unique_by=lambda p: p.day))
def test_the_names_of_the_lines_stand_free_of_each_other_and_of_the_lines(some: list[Point]) -> None:
    drawn = _drawn([*some, Point(TODAY, 2, 2)], [])
    heights = [float(part.split(' y="')[1].split('"')[0]) for part in drawn.split('class="lab')[1:]]
    assert len(heights) == 2
    assert abs(heights[0] - heights[1]) >= 16
    near = [spot for spot in _spots(drawn) if spot[0] >= picture.RIGHT - 70]
    for height in heights:
        assert 10 <= height < picture._DATES - 12
        assert not any(height - 8 < y < height + 1 for _x, y in near)


@given(points, st.lists(st.builds(Mark, days, st.sampled_from(LAPSES)), max_size=8))
def test_words_below_the_axis_never_cover_each_other(some: list[Point], marks: list[Mark]) -> None:
    spans = []
    for part in _drawn(some, marks).split("<text")[1:]:
        x, y = float(part.split(' x="')[1].split('"')[0]), part.split(' y="')[1].split('"')[0]
        if y == str(picture._MARKS):
            spans.append((x - 37, x + 37) if "middle" in part else (x - 66, x))
    for first in spans:
        assert 0 <= first[0] < first[1] <= 354
        assert all(first is other or first[1] <= other[0] or other[1] <= first[0] for other in spans)


@given(st.dictionaries(days, st.integers(0, 4).map(float), max_size=40))
def test_an_average_of_the_week_around_stays_within_what_was_said(said: dict[date, float]) -> None:
    values = sorted(said.items())
    seen = practice.averaged(values)
    assert [day for day, _value in seen] == [day for day, _value in values]
    for day, value in seen:
        near = [other for at, other in values if abs((at - day).days) <= 3]
        assert min(near) <= value <= max(near)
