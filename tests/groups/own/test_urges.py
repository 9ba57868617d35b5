"""Waves: an urge somebody stays with at the timer, here or on a phone without a network."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.core.errors import Closed, Invalid, NotFound
from app.core.work import Database
from groups import personal
from groups.models import UrgeRide
from groups.own import urges
from tests import builders
from tests.builders import CRISIS, Circle
from tests.conftest import FrozenClock

KEY = "0b0e9a3c-5a35-4c7e-9b5e-1f5a0c6f1a11"


@pytest.fixture
def circle(database: Database) -> Circle:
    return builders.circle(database)


def _begin(circle: Circle, key: str = "", minutes: int = 15, before: int | None = None, who: int = 0) -> urges.Ride:
    with circle.database.work(circle.members[who].actor) as w:
        return urges.begin(w, key or str(uuid.uuid4()), minutes, before)


def _finish(circle: Circle, ref: str, outcome: str = "rode", after: int | None = 2, helped: str = "") -> bool:
    with circle.database.work(circle.members[0].actor) as w:
        return urges.finish(w, ref, after, helped, outcome)


def _bring(circle: Circle, key: str = KEY, **more: object) -> None:
    told = {"minutes": 15, "ago": 7_200, "lasted": 900, "before": None, "after": 3, "outcome": "rode"} | more
    with circle.database.work(circle.members[0].actor) as w:
        urges.bring(w, urges.Brought(key=key, **told))  # type: ignore[arg-type]


def _rides(circle: Circle, who: int = 0) -> list[urges.Ride]:
    with circle.database.read(circle.members[who].actor) as r:
        return urges.rides(r, r.now - timedelta(days=90))


def _open(circle: Circle) -> urges.Ride | None:
    with circle.database.read(circle.members[0].actor) as r:
        return urges.open_one(r)


def _kept(circle: Circle) -> int:
    with circle.database.read() as r:
        return r.db.scalar(select(func.count()).select_from(UrgeRide)) or 0


def test_a_wave_begins_lasts_and_comes_to_an_end(circle: Circle, clock: FrozenClock) -> None:
    ride = _begin(circle, before=8)
    assert ride.until == clock() + timedelta(minutes=15)
    assert _open(circle) == ride
    clock.forward(minutes=15)
    assert not _finish(circle, ride.ref, after=3, helped="Koud water")
    assert _open(circle) is None
    [done] = _rides(circle)
    assert (done.before, done.after, done.helped, done.outcome, done.minutes) == (8, 3, "Koud water", "rode", 15)
    assert _rides(circle, who=1) == []


def test_numbers_may_stay_empty(circle: Circle) -> None:
    _finish(circle, _begin(circle).ref, after=None)
    [done] = _rides(circle)
    assert (done.before, done.after) == (None, None)


def test_two_taps_are_one_wave_and_an_open_one_goes_on(circle: Circle, clock: FrozenClock) -> None:
    ride = _begin(circle, KEY)
    assert _begin(circle, KEY) == ride
    clock.forward(minutes=10)
    assert _begin(circle, minutes=5) == ride  # another screen
    assert _kept(circle) == 1


def test_a_wave_left_open_for_two_hours_counts_as_nothing(circle: Circle, clock: FrozenClock) -> None:
    left = _begin(circle)
    clock.forward(hours=2)
    assert _open(circle) is None
    assert _rides(circle) == []
    with pytest.raises(Closed):
        _finish(circle, left.ref)
    fresh = _begin(circle)
    assert fresh.ref != left.ref
    assert _kept(circle) == 1  # of the other one nothing is kept


def test_who_skips_the_question_is_not_counted(circle: Circle) -> None:
    ride = _begin(circle)
    _finish(circle, ride.ref, outcome="", after=None)
    assert _open(circle) is None
    assert _rides(circle) == []


def test_the_same_answer_twice_is_one_and_another_one_is_too_late(circle: Circle) -> None:
    ride = _begin(circle)
    _finish(circle, ride.ref, helped="Muziek")
    _finish(circle, ride.ref, helped="Muziek")
    with pytest.raises(Closed):
        _finish(circle, ride.ref, "lapsed", helped="Muziek")
    assert [done.outcome for done in _rides(circle)] == ["rode"]


def test_that_it_went_otherwise_is_kept_as_such(circle: Circle) -> None:
    _finish(circle, _begin(circle).ref, "lapsed")
    assert [done.outcome for done in _rides(circle)] == ["lapsed"]


def test_words_of_danger_are_noticed(circle: Circle) -> None:
    assert _finish(circle, _begin(circle).ref, helped=CRISIS)


def test_a_wave_is_its_owners_alone(circle: Circle) -> None:
    ride = _begin(circle, who=1)
    assert _open(circle) is None
    with pytest.raises(NotFound):
        _finish(circle, ride.ref)
    assert _begin(circle, ride.key).ref != ride.ref  # somebody else's key is not in the way


@pytest.mark.parametrize(("minutes", "before"), [(0, None), (16, None), (15, 11), (15, -1)])
def test_what_was_not_offered_is_refused(circle: Circle, minutes: int, before: int | None) -> None:
    with pytest.raises(Invalid):
        _begin(circle, minutes=minutes, before=before)
    assert _kept(circle) == 0


def test_an_answer_that_was_not_offered_is_refused(circle: Circle) -> None:
    ride = _begin(circle)
    for outcome, after in (("won", 2), ("rode", 11)):
        with pytest.raises(Invalid):
            _finish(circle, ride.ref, outcome, after)
    assert _open(circle) is not None


def test_nobody_keeps_the_seconds(circle: Circle, clock: FrozenClock) -> None:
    clock.forward(seconds=37)
    ride = _begin(circle)
    clock.forward(minutes=5, seconds=3)
    _finish(circle, ride.ref)
    [done] = _rides(circle)
    assert done.ended_at is not None
    assert (done.started_at.second, done.ended_at.second) == (0, 0)


def test_a_wave_from_a_phone_without_a_network_comes_in_once(circle: Circle, clock: FrozenClock) -> None:
    for _ in range(2):
        _bring(circle)
    [done] = _rides(circle)
    assert done.started_at == clock() - timedelta(hours=2)
    assert done.ended_at == done.started_at + timedelta(minutes=15)
    assert (done.after, done.outcome) == (3, "rode")


def test_a_wave_that_began_with_a_network_may_end_without_one(circle: Circle, clock: FrozenClock) -> None:
    _begin(circle, KEY, before=9)
    clock.forward(hours=5)  # the phone found no network for so long; on it, the wave ended in time
    _bring(circle, ago=18_000)
    [done] = _rides(circle)
    assert (done.before, done.after, done.outcome) == (9, 3, "rode")
    assert done.ended_at == done.started_at + timedelta(minutes=15)


def test_what_was_told_here_is_not_told_otherwise_by_a_device(circle: Circle) -> None:
    _finish(circle, _begin(circle, KEY).ref, after=1)
    _bring(circle, outcome="lapsed")
    assert [(done.after, done.outcome) for done in _rides(circle)] == [(1, "rode")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ago": 8 * 86_400},
        {"ago": 60, "lasted": 900},
        {"lasted": 7_201, "ago": 9_000},
        {"outcome": ""},
        {"minutes": 7},
        {"after": 11},
    ],
)
def test_a_device_cannot_bring_what_cannot_be(circle: Circle, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        _bring(circle, **wrong)
    assert _kept(circle) == 0


def test_waves_go_along_and_go_away_with_their_owner(circle: Circle) -> None:
    _finish(circle, _begin(circle).ref, helped="Muziek")
    _begin(circle, who=1)
    mees = circle.members[0].actor
    with circle.database.work(mees) as w:
        [told] = personal.export(w, mees.person_id)["waves"]
        assert (told["helped"], told["outcome"]) == ("Muziek", "rode")
        personal.erase(w, mees.person_id)
    assert _kept(circle) == 1


def test_looking_back_costs_the_same_however_many_there_were(circle: Circle) -> None:
    def cost() -> int:
        circle.database.vault._open.clear()
        with circle.database.read(circle.members[0].actor) as r, builders.statements(circle.database) as sent:
            urges.rides(r, r.now - timedelta(days=90))
        return len(sent)

    _bring(circle)
    first = cost()
    for _ in range(9):
        _bring(circle, str(uuid.uuid4()))
    assert cost() == first == 2
