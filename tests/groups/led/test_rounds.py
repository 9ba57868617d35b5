"""A speaking round: everybody who is here, one after the other; nobody has to, and nothing happens twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.work import Database
from groups import rooms
from groups.led import presence, removal, rounds, sessions, turns
from groups.led.turns import DONE, PASSED, SPEAKING, WAITING, Place
from groups.models import Turn
from groups.people import leaving
from tests import builders
from tests.builders import Someone
from tests.conftest import FrozenClock, Heard
from tests.groups.led.evening import Led, by, led


def _started(database: Database, members: int = 3) -> Led:
    it = led(database, members)
    it.arrive()
    it.do(rounds.start)
    return it


def _take(it: Led, who: Someone, what: str) -> None:
    by(it.circle, who, rounds.take, it.circle.room, what)


def _round(it: Led) -> dict[str, object]:
    found: dict[str, object] = it.state()["round"]
    return found


def _is(it: Led, speaking: str | None, *coming: str, spoken: int = 0, passed: int = 0) -> bool:
    told = {"speaking": speaking, "next": list(coming), "spoken": spoken, "passed": passed}
    assert _round(it) == told
    return True


def test_a_round_goes_by_who_is_here_in_the_order_they_came(database: Database, heard: Heard) -> None:
    it = led(database)
    mees, noor, jip = it.circle.members
    assert it.state()["round"] is None
    with pytest.raises(Invalid):
        it.do(rounds.start)
    it.arrive(jip)
    it.arrive(mees)
    it.do(rounds.start)
    assert _is(it, "Jip_kiezel", "Mees_duin")
    assert [p.alias for p in it.roster().values() if p.speaking] == ["Jip_kiezel"]
    assert {"kind": "turn", "room": it.circle.room} in heard.payloads(f"person:{jip.person_id}", "notice")
    _take(it, jip, "done")
    assert _is(it, "Mees_duin", spoken=1)
    _take(it, mees, "done")
    assert _is(it, None, spoken=2)
    assert heard.payloads(f"person:{noor.person_id}", "notice") == []
    it.do(rounds.finish)
    assert it.state()["round"] is None
    with pytest.raises(Closed):
        _take(it, mees, "done")


def test_passing_needs_no_reason_and_can_be_taken_back_at_the_end(database: Database) -> None:
    it = _started(database)
    mees, noor, jip = it.circle.members
    _take(it, mees, "pass")
    assert _is(it, "Noor_eik", "Jip_kiezel", passed=1)
    _take(it, jip, "pass")  # beforehand
    _take(it, noor, "done")
    assert _is(it, None, spoken=1, passed=2)  # who passed is left in peace
    _take(it, mees, "again")
    assert _is(it, "Mees_duin", spoken=1, passed=1)
    _take(it, jip, "again")
    assert _is(it, "Mees_duin", "Jip_kiezel", spoken=1)
    _take(it, mees, "done")
    assert _is(it, "Jip_kiezel", spoken=2)


def test_who_comes_back_to_it_while_others_wait_is_last(database: Database) -> None:
    it = _started(database, 4)
    mees = it.circle.members[0]
    _take(it, mees, "pass")
    _take(it, mees, "again")
    assert _is(it, "Noor_eik", "Jip_kiezel", "Bo_wilg", "Mees_duin")


def test_a_facilitator_names_the_next_also_who_passed(database: Database) -> None:
    it = _started(database)
    mees, noor, _jip = it.circle.members
    it.do(rounds.go_on, "Jip_kiezel")
    assert _is(it, "Jip_kiezel", "Noor_eik", spoken=1)
    _take(it, noor, "pass")
    it.do(rounds.go_on, "Noor_eik")
    assert _is(it, "Noor_eik", spoken=2)
    with pytest.raises(NotFound):
        it.do(rounds.go_on, "Niemand")
    with pytest.raises(NotFound):
        it.do(rounds.go_on, "Hanna")
    assert _is(it, "Noor_eik", spoken=2)
    assert mees


def test_who_comes_in_late_goes_last(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    mees, noor, jip = it.circle.members
    it.arrive(mees, noor)
    it.do(rounds.start)
    clock.forward(seconds=10)
    it.arrive(jip)
    assert _is(it, "Mees_duin", "Noor_eik", "Jip_kiezel")
    _take(it, mees, "done")
    _take(it, noor, "done")
    assert _is(it, "Jip_kiezel", spoken=2)


def test_who_went_away_is_passed_over_and_keeps_their_place(database: Database, clock: FrozenClock) -> None:
    it = _started(database)
    mees, noor, jip = it.circle.members
    clock.forward(seconds=80)
    it.arrive(mees, jip)
    assert _is(it, "Mees_duin", "Jip_kiezel")
    _take(it, mees, "done")
    assert _is(it, "Jip_kiezel", spoken=1)
    it.arrive(noor)
    assert _is(it, "Jip_kiezel", "Noor_eik", spoken=1)
    clock.forward(seconds=80)
    it.arrive(jip)
    with pytest.raises(Invalid):
        it.do(rounds.go_on, "Noor_eik")  # away again


def test_who_goes_away_with_the_turn_keeps_it_until_a_facilitator_goes_on(
    database: Database, clock: FrozenClock
) -> None:
    it = _started(database)
    mees, noor, jip = it.circle.members
    clock.forward(seconds=80)
    it.arrive(noor, jip)
    assert _is(it, "Mees_duin", "Noor_eik", "Jip_kiezel")
    it.do(rounds.go_on)
    assert _is(it, "Noor_eik", "Jip_kiezel", passed=1)
    _take(it, mees, "again")
    it.arrive(mees)
    assert _is(it, "Noor_eik", "Jip_kiezel", "Mees_duin")


def test_who_is_sent_out_or_leaves_loses_the_turn_and_the_round_goes_on(database: Database, heard: Heard) -> None:
    it = _started(database, 4)
    mees, noor, jip, _bo = it.circle.members
    it.lead(removal.send_out, "Mees_duin")
    assert _is(it, "Noor_eik", "Jip_kiezel", "Bo_wilg")
    it.lead(removal.send_out, "Jip_kiezel")
    assert _is(it, "Noor_eik", "Bo_wilg")
    by(it.circle, noor, leaving.leave, it.circle.group)
    assert _round(it)["speaking"] == "Bo_wilg"
    assert heard.payloads(f"room:{it.circle.room}", "session.state")[-1]["session"]["round"]["speaking"] == "Bo_wilg"  # type: ignore[index]
    it.lead(removal.let_in, "Jip_kiezel")
    it.arrive(jip)
    assert _round(it)["next"] == ["Jip_kiezel"]
    assert mees


def test_a_round_survives_a_restart_and_a_step_aside(database: Database) -> None:
    it = _started(database)
    _take(it, it.circle.members[0], "done")
    before = _round(it)
    it.do(sessions.move, 1)
    assert it.state()["round"] is None
    it.do(sessions.move, 0)
    assert _round(it) == before  # nothing but rows holds it


def test_two_who_say_done_at_once_move_it_once(database: Database) -> None:
    it = _started(database)
    mees = it.circle.members[0]
    answers = builders.at_once(*[lambda: _take(it, mees, "done")] * 3)
    assert builders.refusals(answers) == []
    assert _is(it, "Noor_eik", "Jip_kiezel", spoken=1)


def test_done_and_a_facilitators_click_at_once_move_it_once(database: Database) -> None:
    it = _started(database)
    ilse, mees, version = it.circle.second_lead(), it.circle.members[0], it.version
    answers = builders.at_once(
        lambda: _take(it, mees, "done"),
        lambda: by(it.circle, it.circle.hanna, rounds.go_on, it.ref, version),
        lambda: by(it.circle, ilse, rounds.go_on, it.ref, version),
    )
    assert {type(a) for a in builders.refusals(answers)} == {Closed}
    assert _is(it, "Noor_eik", "Jip_kiezel", spoken=1)


def test_a_click_made_before_somebody_was_done_moves_nothing(database: Database) -> None:
    it = _started(database)
    version = it.version
    _take(it, it.circle.members[0], "done")
    with pytest.raises(Closed):
        by(it.circle, it.circle.hanna, rounds.go_on, it.ref, version)
    assert _is(it, "Noor_eik", "Jip_kiezel", spoken=1)


def test_two_facilitators_start_a_round_once(database: Database) -> None:
    it = led(database)
    it.arrive()
    ilse, version = it.circle.second_lead(), it.version
    starts = [lambda who=who: by(it.circle, who, rounds.start, it.ref, version) for who in (it.circle.hanna, ilse)]
    answers = builders.at_once(*starts)
    assert [type(a) for a in builders.refusals(answers)] == [Closed]
    with database.read() as r:
        assert sorted(r.db.scalars(select(Turn.state))) == [SPEAKING, WAITING, WAITING]
    with pytest.raises(Closed):
        it.do(rounds.start)


def test_only_ones_own_turn_and_only_members_take_turns(database: Database) -> None:
    it = _started(database)
    _mees, noor, _jip = it.circle.members
    for what in ("done", "again"):
        version = it.version
        _take(it, noor, what)
        assert it.version == version
    assert _is(it, "Mees_duin", "Noor_eik", "Jip_kiezel")
    with pytest.raises(Invalid):
        _take(it, noor, "kill")
    with pytest.raises(NotFound):
        _take(it, it.circle.hanna, "done")
    for call in (rounds.start, rounds.go_on, rounds.finish):
        with pytest.raises(Forbidden):
            by(it.circle, noor, call, it.ref, it.version)


def test_a_sign_of_life_adds_nobody_twice(database: Database, clock: FrozenClock) -> None:
    it = _started(database)
    for _ in range(3):
        clock.forward(seconds=30)
        it.arrive()
    with database.work(it.circle.members[0].actor) as w:
        presence.arrive(w, rooms.place(w, it.circle.room))
    assert _is(it, "Mees_duin", "Noor_eik", "Jip_kiezel")


STATES = st.sampled_from([WAITING, DONE, PASSED])
CROWDS = st.lists(st.integers(0, 9), unique=True, max_size=10)


@given(st.dictionaries(st.integers(0, 9), STATES), st.none() | st.integers(0, 9), CROWDS)
def test_the_order_rule(states: dict[int, str], speaking: int | None, here: list[int]) -> None:
    places = [Place(member, n, state) for n, (member, state) in enumerate(states.items())]
    if speaking in states:
        places = [Place(p.member, p.position, SPEAKING if p.member == speaking else p.state) for p in places]
    seen = turns.order(places, here)
    assert seen.speaking == (speaking if speaking in states else None)
    assert len(set(seen.next)) == len(seen.next)  # nobody twice
    assert set(seen.next) <= set(here)  # nobody who is away
    assert seen.speaking not in seen.next
    waiting = {p.member for p in places if p.state == WAITING}
    assert set(seen.next) == {m for m in here if m in waiting or m not in states}
    known = [m for m in seen.next if m in states]
    assert list(seen.next) == known + [m for m in here if m not in states]  # who came late is last
    assert known == [p.member for p in places if p.member in known]
