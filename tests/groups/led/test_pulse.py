"""Timers that run in step, pauses that hold them, and the quiet sign that only facilitators see."""

from __future__ import annotations

import json

import pytest

from app.core.errors import Closed, Forbidden, Invalid
from app.core.work import Database
from groups import rooms
from groups.led import breakouts, presence, pulse, sessions
from groups.programme.curriculum import DEFAULT, programme
from tests import builders
from tests.builders import Someone
from tests.conftest import FrozenClock, Heard
from tests.groups.led.evening import Led, by, led


def _sign(it: Led, who: Someone, on: bool = True) -> None:
    by(it.circle, who, presence.ask_pause, it.circle.room, on)


def test_everybody_breathes_in_step_whenever_they_come_in(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    it.do(pulse.start, "breath", 2)
    assert it.state(it.circle.members[0])["pulse"] == {"kind": "breath", "seconds_in": 0, "seconds": 120}
    clock.forward(seconds=47)
    for who in it.circle.members:
        assert it.state(who)["pulse"] == {"kind": "breath", "seconds_in": 47, "seconds": 120}
    clock.forward(seconds=73)
    assert it.state()["pulse"] is None  # over by the clock, without a click


def test_a_timer_is_stopped_replaced_and_ends_with_the_step(database: Database) -> None:
    it = led(database)
    it.do(pulse.start, "breath", 2)
    it.do(pulse.start, "wave", 15)
    assert it.state()["pulse"] == {"kind": "wave", "seconds_in": 0, "seconds": 900}
    it.do(pulse.start, "", 0)
    assert it.state()["pulse"] is None
    it.do(pulse.start, "wave", 15)
    it.do(sessions.move, 1)
    assert it.state()["pulse"] is None
    for kind, minutes in (("breath", 0), ("breath", 21), ("dance", 2)):
        with pytest.raises(Invalid):
            it.do(pulse.start, kind, minutes)
    assert it.state()["pulse"] is None


def test_a_step_for_breathing_or_a_wave_starts_its_timer_on_every_screen(database: Database) -> None:
    circle = builders.circle(database)
    it = Led(circle, circle.open_session("craving"))
    sheet = programme(DEFAULT, "nl").chapter("craving").run_sheet
    at = next(n for n, step in enumerate(sheet) if step.timer == "wave")
    it.do(sessions.move, at)
    length = sheet[at].minutes * 60
    assert it.state(circle.members[0])["pulse"] == {"kind": "wave", "seconds_in": 0, "seconds": length}
    it.do(sessions.move, at + 1)
    assert it.state()["pulse"] is None


def test_a_pause_holds_the_step_and_the_timer_and_they_go_on_where_they_were(
    database: Database, clock: FrozenClock
) -> None:
    it = led(database)
    it.do(pulse.start, "breath", 10)
    clock.forward(minutes=3)
    it.do(sessions.pause, True)
    held = it.state()
    assert (held["paused"], held["seconds_left"], held["pulse"]["seconds_in"]) == (True, 12 * 60, 180)
    clock.forward(minutes=40)
    still = it.state()
    assert (still["seconds_left"], still["pulse"]) == (held["seconds_left"], held["pulse"])
    it.do(sessions.pause, False)
    clock.forward(minutes=1)
    on = it.state()
    assert (on["paused"], on["seconds_left"], on["pulse"]["seconds_in"]) == (False, 11 * 60, 240)


def test_what_is_done_in_a_pause_counts_from_its_end(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    clock.forward(minutes=5)
    it.do(sessions.pause, True)
    clock.forward(minutes=7)
    it.do(sessions.extend)
    assert it.state()["seconds_left"] == 12 * 60
    it.do(sessions.move, 1)
    assert (it.state()["paused"], it.state()["seconds_left"]) == (True, 10 * 60)
    clock.forward(minutes=9)
    it.do(pulse.start, "breath", 2)
    clock.forward(minutes=9)
    assert it.state()["pulse"]["seconds_in"] == 0
    it.do(sessions.pause, False)
    assert (it.state()["seconds_left"], it.state()["pulse"]["seconds_in"]) == (10 * 60, 0)
    clock.forward(seconds=30)
    assert (it.state()["seconds_left"], it.state()["pulse"]["seconds_in"]) == (10 * 60 - 30, 30)


def test_a_step_whose_time_was_over_stays_so_after_a_pause(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    clock.forward(minutes=30)
    it.do(sessions.pause, True)
    clock.forward(minutes=30)
    it.do(sessions.pause, False)
    assert it.state()["seconds_left"] == 0


def test_two_facilitators_who_pause_at_once_pause_once(database: Database, heard: Heard) -> None:
    it = led(database)
    ilse, version = it.circle.second_lead(), it.version
    heard.clear()
    answers = builders.at_once(
        *[lambda who=who: by(it.circle, who, sessions.pause, it.ref, version, True) for who in (it.circle.hanna, ilse)]
    )
    assert [type(a) for a in builders.refusals(answers)] == [Closed]
    assert (it.version, it.state()["paused"]) == (version + 1, True)
    it.do(sessions.pause, True)  # a reload sends it again
    assert it.version == version + 1
    with pytest.raises(Closed):
        by(it.circle, ilse, sessions.pause, it.ref, version, True)
    with pytest.raises(Forbidden):
        by(it.circle, it.circle.members[0], sessions.pause, it.ref, version + 1, False)
    assert len(heard.payloads(f"room:{it.circle.room}", "session.state")) == 1


def test_in_a_pause_only_facilitators_write(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    it.circle.pair(mees, noor)
    with database.read(mees.actor) as r:
        pair = next(p.room for p in rooms.places(r) if p.kind == "pair")
    it.do(sessions.pause, True)
    with pytest.raises(Forbidden) as refusal:
        it.circle.post(mees, "Mag ik nog iets zeggen?")
    assert "staat er nog" in refusal.value.message
    assert it.circle.post(it.circle.hanna, "We nemen even rust").status == "posted"
    assert it.circle.post(mees, "Gaat het?", room=pair).status == "posted"
    it.do(sessions.pause, False)
    assert it.circle.post(mees, "Daar ben ik weer").status == "posted"


def test_a_pause_calls_everybody_back_and_none_can_be_sent_apart(database: Database, heard: Heard) -> None:
    it = led(database, 4)
    it.arrive()
    it.do(breakouts.start, 10)
    it.do(sessions.pause, True)
    assert it.state()["breakout"] is None
    for who in it.circle.members:
        assert {"kind": "back", "room": it.circle.room} in heard.payloads(f"person:{who.person_id}", "notice")
    with pytest.raises(Closed):
        it.do(breakouts.start, 10)
    assert it.state()["breakout"] is None


def test_the_quiet_sign_is_seen_by_facilitators_only_and_once(database: Database, heard: Heard) -> None:
    it = led(database)
    mees = it.circle.members[0]
    it.arrive(mees)
    heard.clear()
    for _ in range(3):
        _sign(it, mees)
    assert {a.topic for a in heard} == {f"lead:{it.circle.room}"}
    assert len(heard) == 1
    assert [p.alias for p in it.roster().values() if p.pause] == ["Mees_duin"]
    for who in it.circle.members:
        assert "pause" not in json.dumps(it.state(who)).replace("paused", "")
    it.lead(presence.clear_pause, "Mees_duin")
    assert not it.roster()["Mees_duin"].pause
    _sign(it, mees)
    assert it.roster()["Mees_duin"].pause
    _sign(it, mees, False)
    assert not it.roster()["Mees_duin"].pause


def test_a_pause_answers_every_quiet_sign(database: Database) -> None:
    it = led(database)
    for who in it.circle.members[:2]:
        _sign(it, who)
    it.do(sessions.pause, True)
    assert not any(p.pause for p in it.roster().values())
    with pytest.raises(Forbidden):
        by(it.circle, it.circle.members[0], presence.clear_pause, it.ref, "Noor_eik")
    it.do(sessions.close)
    with pytest.raises(Closed):
        _sign(it, it.circle.members[0])
