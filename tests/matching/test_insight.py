"""Insight: drawn from what somebody kept here themselves, for their own eyes, at a fixed cost."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import flask
import pytest
from markupsafe import Markup

from app.core import ids
from app.core.actor import Actor
from app.core.errors import Invalid
from app.core.permissions import BUNDLES, Permission, Role
from app.core.work import Database
from groups import rooms
from groups.led import presence
from groups.models import Answer, StepDone, UrgeRide
from groups.programme import exercises, questions
from groups.programme.steps import PARTS, Step
from matching import checkins, insight, practice, relapse
from matching.insight import Day, Insight
from matching.practice import Numbers
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock

TODAY = date(2026, 11, 17)  # a Tuesday; the clock says 19.30 in Amsterdam
PROGRAMME = "lust-leren-loslaten"


def _see(circle: Circle, who: Someone, span: int = 30) -> Insight:
    with circle.database.read(who.actor) as r:
        return insight.read(r, span)


def _check_in(circle: Circle, who: Someone, mood: int = 4, urge: int = 1, line: str = "") -> None:
    answers = {"mood": str(mood), "urge": str(urge), "line": line, "share": "done"}
    for question, value in answers.items():
        with circle.database.work(who.actor) as w:
            checkins.save(w, rooms.place(w, circle.room), question, value)


def _ride(
    circle: Circle,
    who: Someone,
    outcome: str = "rode",
    before: int | None = 8,
    after: int | None = 3,
    ended: bool = True,
) -> None:
    with circle.database.work(who.actor) as w:
        ref = ids.public_id()
        said = json.dumps({"before": before, "after": after, "helped": "", "outcome": outcome})
        w.db.add(
            UrgeRide(
                public_id=ref,
                person_id=who.person_id,
                key=str(uuid.uuid4()),
                started_at=w.now,
                ended_at=w.now if ended else None,
                minutes=15,
                content=w.ring.seal(who.person_id, UrgeRide.content, ref, said),
            )
        )


def _step(circle: Circle, who: Someone, step: str = "the-word") -> None:
    with circle.database.work(who.actor) as w:
        day = checkins.today(w)
        w.db.add(
            StepDone(
                membership_id=who.membership_id, programme=PROGRAMME, chapter="understanding", step=step, done_on=day
            )
        )


def _mark_hours(
    circle: Circle, who: Someone, hours: Sequence[int], step_id: str = "hard-hours", kind: str = "week"
) -> None:
    step = Step(step_id, "Uren", kind, 5, False, "private", "Welke uren?", (), Markup())
    with circle.database.work(who.actor) as w:
        row = Answer(
            membership_id=who.membership_id,
            session_id=0,
            programme=PROGRAMME,
            chapter="triggers",
            step=step.id,
            step_version=1,
            question_id=questions.keep(w, PROGRAMME, "triggers", "nl", step),
            sharing="private",
            updated_at=w.now,
        )
        row.value = exercises.sealed(w, who.person_id, row, json.dumps(sorted(hours)))
        w.db.add(row)


def _tell(circle: Circle, who: Someone, kind: str = "lapse") -> None:
    ref = circle.report(who, kind=kind)
    with circle.database.work(who.actor) as w:
        relapse.keep(w, ref)


def _full(circle: Circle, who: Someone, clock: FrozenClock, days: int = 6) -> None:
    """So many days, the last one yesterday, on each of which somebody did everything there is."""
    now = clock.at
    clock.at = now - timedelta(days=days)
    for number in range(days):
        _check_in(circle, who, mood=1 + number % 5, urge=number % 5, line=f"Dag {number}")
        _ride(circle, who)
        _step(circle, who, f"step-{number}")
        _tell(circle, who, ("urge", "lapse", "relapse")[number % 3])
        clock.forward(days=1)
    clock.at = now


def test_whoever_just_came_sees_nothing_and_is_told_so(database: Database) -> None:
    circle = builders.circle(database)
    seen = _see(circle, circle.members[0])
    assert seen.empty
    assert seen.numbers == Numbers(0, 0, 0, 0)
    assert (seen.days, seen.hardest, seen.waves, seen.back) == ((), None, None, None)


def test_the_days_carry_mood_urge_and_ones_own_line(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _check_in(circle, mees, mood=2, urge=4, line="Moe, maar het ging")
    clock.forward(days=2)
    _check_in(circle, mees, mood=5, urge=0)
    assert _see(circle, mees).days == (
        Day(TODAY, 2, 4, ("Moe, maar het ging",)),
        Day(TODAY + timedelta(days=2), 5, 0),
    )


def test_a_check_in_that_is_not_finished_is_not_there(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    with database.work(mees.actor) as w:
        checkins.save(w, rooms.place(w, circle.room), "mood", "1")
    assert _see(circle, mees).empty


def test_what_was_told_on_the_same_day_in_two_groups_is_one_day(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    other = builders.circle(database, organisation_id=circle.organisation_id)
    again = builders.seat(database, other.group_id, mees.actor, mees.token, "Lot_berk")
    _check_in(circle, mees, mood=2, urge=1, line="Hier dit")
    _check_in(other, again, mood=4, urge=3, line="Daar dat")
    seen = _see(circle, mees)
    assert seen.days == (Day(TODAY, 3, 3, ("Hier dit", "Daar dat")),)
    assert seen.numbers.days == 1


@pytest.mark.parametrize("span", insight.SPANS)
def test_a_span_ends_today_and_reaches_back_so_many_days(database: Database, clock: FrozenClock, span: int) -> None:
    circle = builders.circle(database)
    mees, now = circle.members[0], clock.at
    for back in (span, span - 1):
        clock.at = now - timedelta(days=back)
        _check_in(circle, mees)
    clock.at = now
    seen = _see(circle, mees, span)
    assert [day.day for day in seen.days] == [TODAY - timedelta(days=span - 1)]
    assert (seen.first, seen.last) == (TODAY - timedelta(days=span - 1), TODAY)
    assert seen.numbers.days == 2


def test_another_span_is_not_offered(database: Database) -> None:
    circle = builders.circle(database)
    with pytest.raises(Invalid):
        _see(circle, circle.members[0], 31)


def test_a_day_is_practised_by_a_check_in_a_step_a_wave_or_a_session(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]

    def attend() -> None:
        circle.open_session()
        with database.work(mees.actor) as w:
            presence.arrive(w, rooms.place(w, circle.room))

    for number, do in enumerate(
        (
            lambda: _check_in(circle, mees),
            lambda: _step(circle, mees),
            lambda: _ride(circle, mees, "lapsed"),
            attend,
        ),
        1,
    ):
        do()
        assert _see(circle, mees).numbers == Numbers(number, number, number, 0)
        clock.forward(days=1)
    _tell(circle, mees)
    _ride(circle, mees, ended=False)
    assert _see(circle, mees).numbers.days == 4  # telling is not counted, nor a wave that was left open


def test_waves_are_counted_when_they_were_ridden_out(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    for outcome, before, after in (("rode", 9, 4), ("rode", 8, 3), ("lapsed", 7, 5), ("", None, None)):
        _ride(circle, mees, outcome, before, after)
    _ride(circle, mees, ended=False)
    seen = _see(circle, mees)
    assert seen.numbers.ridden == 2
    assert seen.waves == (8, 4)


def test_how_strong_it_was_is_said_from_three_waves_on(database: Database) -> None:
    circle = builders.circle(database)
    for _ in range(2):
        _ride(circle, circle.members[0])
    assert _see(circle, circle.members[0]).waves is None


def test_a_lapse_is_a_mark_on_its_day_and_takes_no_number_down(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _full(circle, mees, clock)
    before = _see(circle, mees)
    for kind in practice.LAPSES:
        _tell(circle, mees, kind)
    after = _see(circle, mees)
    assert after.days == (*before.days, Day(TODAY, lapses=practice.LAPSES))
    assert (after.numbers, after.waves, after.back) == (before.numbers, before.waves, before.back)
    assert after.lapses == before.lapses + 2


def test_a_report_that_was_opened_and_left_is_nothing(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    with database.work(mees.actor) as w:
        ref = relapse.begin(w, rooms.place(w, circle.room), "relapse", str(uuid.uuid4()))
    assert _see(circle, mees).empty
    with database.work(mees.actor) as w:
        relapse.write_analysis(w, ref, "thought", "Het was laat", builders.CLOCKS)
    assert _see(circle, mees).days == (Day(TODAY, lapses=("relapse",)),)


def test_coming_back_is_told_once_one_came_back(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _check_in(circle, mees)
    _tell(circle, mees)
    assert _see(circle, mees).back is None
    clock.forward(hours=1)
    _ride(circle, mees)
    assert _see(circle, mees).back == 0


def test_hard_hours_are_those_of_ones_own_clock(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _ride(circle, mees)  # 18:30 UTC
    here = _see(circle, mees)
    assert [(part, day) for part in range(6) for day in range(7) if here.hours[part][day].count] == [(4, 1)]
    moved = Actor(mees.person_id, mees.actor.organisation_id, Role.CLIENT, mees.actor.session, timezone="Asia/Tokyo")
    with database.read(moved) as r:
        there = insight.read(r)
    assert [(part, day) for part in range(6) for day in range(7) if there.hours[part][day].count] == [(0, 2)]


def test_an_hour_stands_out_by_waves_and_by_what_was_told(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, now = circle.members[0], clock.at
    for week, do in enumerate(
        (lambda: _ride(circle, mees), lambda: _tell(circle, mees, "urge"), lambda: _tell(circle, mees))
    ):
        clock.at = now - timedelta(days=7 * week)
        do()
        _ride(circle, mees, ended=False)  # left open: nothing
    clock.at = now
    seen = _see(circle, mees)
    assert seen.hours[4][1].count == 3
    assert seen.hardest == (1, 4)
    clock.forward(days=120)
    assert _see(circle, mees).hardest is None


def test_hours_one_marked_oneself_are_there(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _mark_hours(circle, mees, [0, 6 * PARTS + 5])
    _mark_hours(circle, mees, [7], "more-hours")
    _mark_hours(circle, mees, [2], "self-check", "choice")  # what was chosen there are no hours
    seen = _see(circle, mees)
    assert not seen.empty
    assert [(part, day) for part in range(6) for day in range(7) if seen.hours[part][day].marked] == [
        (0, 0),
        (1, 1),
        (5, 6),
    ]


def test_nothing_of_anybody_else_is_in_it(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    _full(circle, noor, clock)
    _mark_hours(circle, noor, [3])
    assert _see(circle, mees).empty


def test_only_clients_have_an_insight() -> None:
    assert [role for role in Role if Permission.OWN_INSIGHT_READ in BUNDLES[role]] == [Role.CLIENT]


def test_it_costs_the_same_however_much_there_is(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    _full(circle, mees, clock, days=1)
    _full(circle, noor, clock, days=20)
    _mark_hours(circle, noor, [3])
    for who in (mees, noor):
        with database.read(who.actor) as r, builders.statements(database) as sent:
            insight.read(r, 90)
        assert len(sent) == 7, sent


# ---------- the page ----------


def _page(site: flask.Flask, clock_at: datetime, filled: bool, path: str = "/inzicht") -> str:
    house = site.extensions["samen"]
    clock = FrozenClock(clock_at)
    house.database.clock = clock
    circle = builders.circle(house.database)
    mees = circle.members[0]
    if filled:
        _full(circle, mees, clock, 12)
        _mark_hours(circle, mees, [3])
    client = site.test_client()
    client.set_cookie(house.cookie, mees.token)
    answer = client.get(path, base_url="http://localhost:5000")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


NOW = datetime(2026, 11, 17, 18, 30, tzinfo=UTC)


def test_the_page_shows_lines_hours_and_what_was_built_up_each_in_words_too(site: flask.Flask) -> None:
    page = _page(site, NOW, filled=True)
    assert page.count('<svg class="chart"') == 1
    assert page.count("slipmark") == 8  # of twelve days every third told of an urge
    assert page.count("<table") == 2
    assert page.count('<td class="heat-') == 42
    assert "Bekijk als tabel" in page
    assert "Dag 11" in page
    for words in ("dagen geoefend", "je langste reeks", "golven uitgezeten", "Dit zie alleen jij"):
        assert words in page
    assert "&lt;" not in page  # the picture is a picture


def test_the_page_says_what_will_be_there(site: flask.Flask) -> None:
    page = _page(site, NOW, filled=False)
    assert "Hier komt jouw verloop" in page
    assert "/check-in" in page
    assert 'class="chart"' not in page


def test_a_period_that_is_not_offered_is_the_usual_one(site: flask.Flask) -> None:
    assert 'aria-current="true">30 dagen' in _page(site, NOW, filled=True, path="/inzicht?dagen=12")


def test_ninety_days_can_be_asked_for(site: flask.Flask) -> None:
    page = _page(site, NOW, filled=True, path="/inzicht?dagen=90")
    assert 'aria-current="true">90 dagen' in page
    assert "gemiddelde van de week" in page  # and drawn so: twelve days that flicker are a calm line
    heights = [spot.split()[1] for spot in page.split('class="l-mood" d="M')[1].split('"')[0].split("L")]
    assert len(set(heights)) < 12 == len(heights)
    assert not {"28", "152"} & set(heights)
