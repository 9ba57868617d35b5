"""Leading a session with two: whatever they click, whenever, everybody lands on one step and nothing runs twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.core.errors import Closed, Forbidden, Invalid
from app.core.work import Database
from groups import live, rooms
from groups.agenda import runsheet, steering
from groups.agenda.runsheet import Words
from groups.led import breakouts, presence, pulse, removal, rounds, sessions, stage
from groups.models import Attendance, GroupSession, SessionStep
from tests import builders
from tests.builders import Someone
from tests.conftest import FrozenClock, Heard
from tests.groups.led.evening import POLL, WHICH, Led, by, led

QUESTION = Words("theme", "poll", "counted", "Hoe nu?", "", ("goed", "gaat"), 3)
CLICKS: dict[str, Any] = {
    "next": lambda w, ref, v, n: sessions.move(w, ref, v, n % 9),
    "extend": lambda w, ref, v, n: sessions.extend(w, ref, v),
    "pause": lambda w, ref, v, n: sessions.pause(w, ref, v, True),
    "resume": lambda w, ref, v, n: sessions.pause(w, ref, v, False),
    "lock": lambda w, ref, v, n: sessions.lock(w, ref, v, n % 2 == 0),
    "ask": lambda w, ref, v, n: sessions.ask(w, ref, v, QUESTION),
    "round": lambda w, ref, v, n: rounds.start(w, ref, v),
    "turn": lambda w, ref, v, n: rounds.go_on(w, ref, v),
    "round done": lambda w, ref, v, n: rounds.finish(w, ref, v),
    "breath": lambda w, ref, v, n: pulse.start(w, ref, v, "breath", 2),
    "apart": lambda w, ref, v, n: breakouts.start(w, ref, v, 5),
    "back": lambda w, ref, v, n: breakouts.call_back(w, ref, v),
    "reveal": lambda w, ref, v, n: sessions.reveal(w, ref, v),
}
CLICK = st.tuples(
    st.sampled_from(sorted(CLICKS)), st.booleans(), st.integers(0, 3), st.integers(0, 9), st.integers(0, 90)
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(CLICK, max_size=10))
def test_any_clicks_of_two_facilitators_keep_one_step_and_rising_versions(
    database: Database, clock: FrozenClock, heard: Heard, clicks: list[tuple[str, bool, int, int, int]]
) -> None:
    it = led(database, 3)
    it.arrive()
    ilse, version = it.circle.second_lead(), it.version
    heard.clear()
    for name, first, stale, number, later in clicks:
        clock.forward(seconds=later)
        who = it.circle.hanna if first else ilse
        before = it.state()
        try:
            by(it.circle, who, CLICKS[name], it.ref, version - stale, number)
        except (Closed, Invalid):
            assert it.state() == before  # a refused click moves nothing
        after = it.state()
        if stale:
            assert after["version"] == before["version"]  # nor does one from a screen that is behind
        assert before["version"] <= after["version"] <= before["version"] + 2
        version = after["version"]
        _holds(it, after)
    told = [p["session"]["version"] for p in heard.payloads(f"room:{it.circle.room}", "session.state")]  # type: ignore[index]
    assert told == sorted(set(told))  # each told once, in order


def _holds(it: Led, state: dict[str, Any]) -> None:
    """What is always so: one current line that exists, the same for everybody, with a clock that is not negative."""
    with it.circle.database.read(it.circle.hanna.actor) as r:
        session, found = steering.lead(r, it.ref)
        lines = runsheet.lines(r, session, found)
        assert [line.position for line in lines] == list(range(len(lines)))
        assert lines[session.position].ref == state["step"]["ref"]
        assert state["count"] == len(lines)
    assert [it.state(who)["step"] for who in it.circle.members] == [state["step"]] * 3
    assert 0 <= state["seconds_left"] <= state["step"]["minutes"] * 60 + 14 * 120
    turn = state["round"]
    if turn:
        assert turn["speaking"] not in turn["next"]
        assert len(turn["next"]) + turn["spoken"] + turn["passed"] + bool(turn["speaking"]) <= 3


@pytest.mark.parametrize("name", [n for n in CLICKS if n not in ("turn", "round done", "back", "resume", "reveal")])
def test_the_same_click_of_two_at_once_works_once(database: Database, name: str) -> None:
    it = led(database, 4)
    it.arrive()
    ilse, version = it.circle.second_lead(), it.version
    clicks = [lambda who=who: by(it.circle, who, CLICKS[name], it.ref, version, 1) for who in (it.circle.hanna, ilse)]
    assert [type(a) for a in builders.refusals(builders.at_once(*clicks))] == [Closed]
    assert it.version == version + (2 if name == "ask" else 1)


def test_a_crash_in_the_middle_of_a_step_leaves_everything_as_it_was(
    database: Database, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = led(database, 4)
    it.arrive()
    before = it.state()
    heard.clear()

    def crash(*_args: object) -> None:
        raise RuntimeError("pulled plug")

    monkeypatch.setattr(stage, "tell", crash)  # the last thing every change does
    for name in sorted(set(CLICKS) - {"resume"}):
        with pytest.raises((RuntimeError, Closed, Invalid)):
            by(it.circle, it.circle.hanna, CLICKS[name], it.ref, before["version"], 1)
    with pytest.raises(RuntimeError):
        it.lead(removal.send_out, "Mees_duin")
    monkeypatch.undo()
    assert it.state() == before
    assert heard == []
    it.do(sessions.move, 1)
    assert it.state()["position"] == 1


def test_a_client_that_slept_wakes_up_on_the_same_step_as_everybody(database: Database, clock: FrozenClock) -> None:
    it = led(database, 4)
    it.arrive()
    mees, noor, *_rest = it.circle.members
    clock.forward(minutes=1)
    it.do(sessions.move, 1)
    it.do(sessions.ask, QUESTION)
    it.do(sessions.pause, True)
    clock.forward(minutes=9)
    it.arrive(noor)
    woken = by(it.circle, mees, live._join, live.Stretch(it.circle.room, 0, 50)).ack
    assert woken["session"] | {"present": 2} == it.state(noor)
    assert (woken["session"]["position"], woken["session"]["paused"], woken["session"]["seconds_left"]) == (
        2,
        True,
        180,
    )
    assert (woken["notes"], woken["breakout"]) == (0, None)
    assert "roster" not in woken
    here = by(it.circle, mees, live._here, live.Stretch(it.circle.room, None, 50)).ack
    assert here == {"ok": True, "version": it.version}  # a screen that missed something hears so


def test_who_went_away_without_a_word_is_seen_by_the_facilitator(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    it.arrive()
    clock.forward(seconds=80)
    told = by(it.circle, it.circle.hanna, live._here, live.Stretch(it.circle.room, None, 50)).ack
    assert [m["here"] for m in told["roster"]] == [False] * 3


def test_nothing_in_the_state_depends_on_what_time_a_client_thinks_it_is(
    database: Database, clock: FrozenClock
) -> None:
    it = led(database)
    clock.forward(seconds=10)
    by(it.circle, it.circle.members[0], presence.raise_hand, it.circle.room, True)
    it.do(pulse.start, "wave", 5)
    first = json.dumps([it.state(), [str(p) for p in it.roster().values()]])
    with database.work() as w:  # the whole session, moved by a day
        for row in (*w.db.scalars(select(GroupSession)), *w.db.scalars(select(Attendance))):
            for column in [c.key for c in row.__table__.columns]:
                value = getattr(row, column)
                if column.endswith("_at") and value is not None:
                    setattr(row, column, value.replace(day=value.day + 1))
    clock.forward(days=1)
    assert json.dumps([it.state(), [str(p) for p in it.roster().values()]]) == first


def test_what_the_screens_cost_does_not_grow_with_the_group(database: Database) -> None:
    costs = []
    for members in (3, 12):
        it = led(database, members)
        it.arrive()
        it.do(sessions.move, POLL)
        for who in it.circle.members:
            it.answer(who, WHICH, ["1"], few_ok=True)
            by(it.circle, who, presence.raise_hand, it.circle.room, True)
        it.do(rounds.start)
        it.do(breakouts.start, 5)
        it.do(sessions.reveal)
        database.vault._open.clear()  # as after a restart: the keys are asked for too
        with database.read(it.circle.members[0].actor) as r:
            session, found = steering.attend(r, it.ref)
            with builders.statements(database) as sent:
                seen = stage.state(r, session, found)
            state = len(sent)
            with builders.statements(database) as sent:
                stage.roster(r, session, found)
        assert sum(row["count"] for row in seen["answers"]["tally"]) == members
        costs.append((state, len(sent)))
    assert costs[0] == costs[1]
    assert costs[1] <= (6, 6)


def test_a_page_that_is_looked_at_again_writes_nothing(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    mees = it.circle.members[0]
    it.arrive(mees)
    with database.read(mees.actor) as r:
        assert not presence.due(r, rooms.place(r, it.circle.room))
    with database.work(mees.actor) as w, builders.statements(database) as sent:
        presence.arrive(w, rooms.place(w, it.circle.room))
    assert not [s for s in sent if not s.lstrip().upper().startswith("SELECT")]
    clock.forward(seconds=20)
    with database.read(mees.actor) as r:
        assert presence.due(r, rooms.place(r, it.circle.room))


def test_a_closing_puts_everything_away(database: Database, heard: Heard) -> None:
    it = led(database, 4)
    mees = it.circle.members[0]
    it.arrive()
    by(it.circle, mees, presence.raise_hand, it.circle.room, True)
    by(it.circle, mees, presence.ask_pause, it.circle.room, True)
    it.do(pulse.start, "breath", 10)
    it.do(breakouts.start, 5)
    it.do(sessions.lock, True)
    it.lead(removal.send_out, "Noor_eik")
    followed: list[str] = []
    sessions.on_close("test", lambda w, session, found: followed.append(f"{session.status} {found.room}"))
    try:
        it.do(sessions.close)
    finally:
        sessions._follow_ups.pop("test")
    assert followed == [f"closed {it.circle.room}"]
    state = heard.payloads(f"room:{it.circle.room}", "session.state")[-1]["session"]
    put_away = {"status": "closed", "hands": [], "paused": False, "pulse": None, "breakout": None}
    assert state | put_away | {"only_staff_writes": False, "closing": True} == state  # type: ignore[operator]
    assert not any(p.pause or p.hand or p.out for p in it.roster().values())


def test_a_follow_up_that_fails_leaves_the_session_open(database: Database) -> None:
    it = led(database)

    def fail(*_args: object) -> None:
        raise RuntimeError

    sessions.on_close("test", fail)
    try:
        with pytest.raises(RuntimeError):
            it.do(sessions.close)
    finally:
        sessions._follow_ups.pop("test")
    assert it.state()["status"] == "open"


def test_a_question_in_the_middle_is_the_next_line_and_everybody_is_there(database: Database) -> None:
    it = led(database)
    it.do(sessions.move, 1)
    step = it.ask("question", "pooled")
    state = it.state(it.circle.members[0])
    assert (state["position"], state["count"]) == (2, 9)
    assert (
        state["step"] | {"id": step, "kind": "question", "sharing": "pooled", "phase": "theme", "minutes": 4}
        == state["step"]
    )
    assert state["seconds_left"] == 240
    with database.read() as r:
        assert sorted(r.db.scalars(select(SessionStep.position))) == list(range(9))
    with pytest.raises(Invalid):
        it.ask("film")
    with pytest.raises(Forbidden):
        by(it.circle, it.circle.members[0], sessions.ask, it.ref, it.version, QUESTION)
    assert it.state()["count"] == 9


def test_hands_show_how_long_they_wait(database: Database, clock: FrozenClock) -> None:
    it = led(database)

    def up(who: Someone) -> None:
        by(it.circle, who, presence.raise_hand, it.circle.room, True)

    up(it.circle.members[1])
    clock.forward(seconds=45)
    up(it.circle.members[0])
    up(it.circle.members[1])
    clock.forward(seconds=25)
    waits = {p.alias: p.hand_seconds for p in it.roster().values()}
    assert waits == {"Noor_eik": 70, "Mees_duin": 25, "Jip_kiezel": None}
    assert it.state()["hands"] == ["Noor_eik", "Mees_duin"]
