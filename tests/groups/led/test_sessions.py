"""Group sessions: planned, opened, led step by step, closed; two clicks move them once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms
from groups.agenda import planning, runsheet, steering
from groups.led import presence, sessions, stage
from groups.models import Attendance, GroupSession
from groups.programme import exercises
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock, Heard

POLL, SHARED = 2, 3  # positions of the poll and of the shared question on chapter 1's run-sheet


def _as(circle: Circle, who: Someone, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with circle.database.work(who.actor) as w:
        return call(w, *args, **more)


def _lead(circle: Circle, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    return _as(circle, circle.hanna, call, *args, **more)


def _state(circle: Circle, who: Someone | None = None) -> dict[str, Any]:
    with circle.database.read((who or circle.hanna).actor) as r:
        found = rooms.place(r, circle.room)
        session = stage.running_in(r, found)
        assert session is not None
        return stage.state(r, session, found)


def _answer(circle: Circle, who: Someone, step: str, value: object, **more: Any) -> exercises.Kept:
    with circle.database.work(who.actor) as w:
        found = rooms.place(w, circle.room)
        session = stage.running_in(w, found)
        number = session.id if session else 0
        return exercises.answer(w, found, "understanding", step, value, session_id=number, **more)


def _arrive(circle: Circle, who: Someone) -> None:
    with circle.database.work(who.actor) as w:
        presence.arrive(w, rooms.place(w, circle.room))


def test_a_session_is_planned_with_the_chapters_run_sheet_and_members_hear_of_it(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    with database.read(circle.members[0].actor) as r:
        [planned] = planning.upcoming(r)
        assert (planned.public_id, planned.status, planned.minutes) == (ref, "planned", 90)
        assert planned.starts_at == r.now + timedelta(minutes=10)
        told = r.db.execute(select(OutboxItem.person_id, OutboxItem.kind, OutboxItem.ref)).all()
        assert "session.planned" in r.db.scalars(select(AuditLine.action)).all()
    assert sorted(told) == sorted((m.person_id, "planned", ref) for m in circle.members)
    with database.read(circle.hanna.actor) as r:
        session, found = steering.lead(r, ref)
        lines = runsheet.lines(r, session, found)
    assert [line.step.kind for line in lines] == [
        "round",
        "text",
        "poll",
        "question",
        "timer",
        "text",
        "reflection",
        "round",
    ]
    assert [line.position for line in lines] == list(range(8))


def test_what_cannot_be_planned_is_refused_and_nothing_is_written(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    now = database.clock()
    for who, chapter, at, minutes, refusal in (
        (circle.members[0], "understanding", now, 90, Forbidden),
        (other.hanna, "understanding", now, 90, NotFound),
        (circle.hanna, "no-such-chapter", now, 90, NotFound),
        (circle.hanna, "understanding", now, 10, Invalid),
        (circle.hanna, "understanding", now - timedelta(hours=2), 90, Invalid),
        (circle.hanna, "understanding", now + timedelta(days=401), 90, Invalid),
    ):
        with pytest.raises(refusal):
            _as(circle, who, planning.plan, circle.group, chapter, at, minutes)
    with database.read() as r:
        assert r.db.scalars(select(GroupSession)).all() == []
        assert r.db.scalars(select(OutboxItem)).all() == []


def test_only_its_own_facilitator_leads_a_session(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    ref = circle.open_session()
    moves: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (steering.lead, ()),
        (sessions.open_session, (2,)),
        (sessions.move, (2, 1)),
        (sessions.extend, (2,)),
        (sessions.reveal, (2,)),
        (sessions.lock, (2, True)),
        (sessions.close, (2,)),
        (presence.give_word, ("Mees_duin",)),
    ]
    for who, refusal in ((circle.members[0], Forbidden), (other.hanna, NotFound)):
        for call, args in moves:
            with pytest.raises(refusal):
                _as(circle, who, call, ref, *args)
    assert _state(circle)["version"] == 2


def test_the_first_of_two_clicks_moves_it_and_the_second_moves_nothing(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    _lead(circle, sessions.move, ref, 2, 1)
    before = _state(circle)
    heard.clear()
    for call, args in (
        (sessions.move, (2, 2)),
        (sessions.move, (4, 2)),
        (sessions.extend, (2,)),
        (sessions.lock, (2, True)),
        (sessions.close, (2,)),
    ):
        with pytest.raises(Closed):
            _lead(circle, call, ref, *args)
    assert _state(circle) == before
    assert heard == []


def test_two_facilitators_who_click_at_the_same_moment_move_it_once(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    answers = builders.at_once(*[lambda: _lead(circle, sessions.move, ref, 2, 1)] * 4)
    assert sorted(type(a).__name__ for a in answers) == ["Closed"] * 3 + ["NoneType"]
    assert (_state(circle)["position"], _state(circle)["version"]) == (1, 3)


def test_a_group_has_one_open_session_at_a_time(database: Database) -> None:
    circle = builders.circle(database)
    first, second = circle.open_session(), circle.plan()
    with pytest.raises(Closed):
        _lead(circle, sessions.open_session, second, 1)
    with pytest.raises(Closed):
        _lead(circle, sessions.open_session, first, 2)
    _lead(circle, sessions.close, first, 2)
    _lead(circle, sessions.open_session, second, 1)
    for call, args in ((sessions.open_session, (3,)), (sessions.move, (3, 1)), (sessions.close, (3,))):
        with pytest.raises(Closed):
            _lead(circle, call, first, *args)


def test_two_sessions_opened_at_the_same_moment_leave_one_open(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    planned = [circle.plan(), circle.plan()]
    monkeypatch.setattr(sessions, "_clocks", builders.Gap().after(sessions._clocks))
    answers = builders.at_once(*[lambda ref=ref: _lead(circle, sessions.open_session, ref, 1) for ref in planned])
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]
    with database.read() as r:
        assert sorted(r.db.scalars(select(GroupSession.status))) == ["open", "planned"]


def test_every_screen_follows_the_step_and_its_clock(database: Database, heard: Heard, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    state = _state(circle, circle.members[0])
    assert (state["id"], state["status"], state["position"], state["count"]) == (ref, "open", 0, 8)
    assert (state["step"]["id"], state["seconds_left"]) == ("welcome", 15 * 60)
    clock.forward(minutes=14)
    assert _state(circle)["seconds_left"] == 60
    _lead(circle, sessions.extend, ref, 2)
    assert _state(circle)["seconds_left"] == 3 * 60
    clock.forward(minutes=10)
    assert _state(circle)["seconds_left"] == 0
    _lead(circle, sessions.extend, ref, 3, 5)  # counts from now, not from when it ran out
    assert _state(circle)["seconds_left"] == 5 * 60
    _lead(circle, sessions.move, ref, 4, 7)
    assert _state(circle)["step"]["id"] == "closing"
    for nowhere in (8, -1):
        with pytest.raises(Invalid):
            _lead(circle, sessions.move, ref, 5, nowhere)
    told = [p["session"]["version"] for p in heard.payloads(f"room:{circle.room}", "session.state")]
    assert told == [2, 3, 4, 5]


def test_the_roster_is_for_facilitators_and_names_no_person(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    _lead(circle, sessions.move, ref, 2, POLL)
    _arrive(circle, circle.members[0])
    _answer(circle, circle.members[0], "which-feeling", [1])
    with database.read(circle.hanna.actor) as r:
        session, found = steering.lead(r, ref)
        roster = stage.roster_items(r, session, found)
    nobody: dict[str, object] = dict.fromkeys(
        ("here", "came", "hand", "answered", "muted", "out", "excused", "pause", "speaking"), False
    )
    nobody |= {"hand_seconds": None, "notes": 0}
    assert roster == [
        {"alias": "Jip_kiezel"} | nobody,
        {"alias": "Mees_duin"} | nobody | {"here": True, "came": True, "answered": True},
        {"alias": "Noor_eik"} | nobody,
    ]
    topics = {a.topic for a in heard if a.event == "session.roster"}
    assert topics == {f"lead:{circle.room}"}
    assert "members" not in str(heard.payloads(f"room:{circle.room}", "session.state"))


def test_hands_wait_in_the_order_they_went_up(database: Database, heard: Heard, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    ref = circle.open_session()
    for who in (noor, mees, noor, jip):  # a second press keeps one's turn
        _as(circle, who, presence.raise_hand, circle.room, True)
        clock.forward(seconds=1)
    assert _state(circle)["hands"] == ["Noor_eik", "Mees_duin", "Jip_kiezel"]
    with database.read(circle.hanna.actor) as r:
        roster = stage.roster(r, *steering.lead(r, ref))
    assert [p.alias for p in roster] == ["Jip_kiezel", "Mees_duin", "Noor_eik"]  # a row never moves under a pointer
    _lead(circle, presence.give_word, ref, "Noor_eik")
    assert {"kind": "word", "room": circle.room} in heard.payloads(f"person:{noor.person_id}", "notice")
    _as(circle, mees, presence.raise_hand, circle.room, False)
    assert _state(circle)["hands"] == ["Jip_kiezel"]
    with pytest.raises(NotFound):
        _lead(circle, presence.give_word, ref, "Niemand")
    _lead(circle, sessions.move, ref, 2, 1)
    assert _state(circle)["hands"] == ["Jip_kiezel"]  # another step does not take away that somebody wants to speak
    _lead(circle, sessions.close, ref, 3)
    with pytest.raises(Closed):
        _as(circle, jip, presence.raise_hand, circle.room, True)


def test_who_came_is_noted_once_with_the_last_sign_of_life(
    database: Database, heard: Heard, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _arrive(circle, mees)  # nothing runs yet
    ref = circle.open_session()
    came = clock()
    heard.clear()
    for _ in range(3):
        _arrive(circle, mees)
        assert _state(circle)["present"] == 1
        clock.forward(seconds=60)
    assert len(heard.events(f"room:{circle.room}")) == 1  # told when somebody new comes in
    clock.forward(seconds=60)
    assert _state(circle)["present"] == 0
    with database.read(circle.hanna.actor) as r:
        rows = stage.attendance(r, *steering.lead(r, ref))
    assert rows == [
        ("Jip_kiezel", None, None),
        ("Mees_duin", came, came + timedelta(minutes=2)),
        ("Noor_eik", None, None),
    ]


def test_two_screens_of_one_person_that_arrive_at_the_same_moment_are_one_arrival(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    circle.open_session()
    monkeypatch.setattr(presence, "_last_at", builders.Gap().after(presence._last_at))
    answers = builders.at_once(*[lambda: _arrive(circle, circle.members[0])] * 2)
    assert builders.refusals(answers) == []
    with database.read() as r:
        assert len(r.db.scalars(select(Attendance)).all()) == 1


def test_a_session_is_closed_for_good_and_the_room_stays(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    _lead(circle, sessions.lock, ref, 2, True)
    _lead(circle, sessions.close, ref, 3)
    assert heard.payloads(f"room:{circle.room}", "session.state")[-1]["session"]["status"] == "closed"
    with database.read(circle.hanna.actor) as r:
        assert planning.upcoming(r) == []
        assert stage.running_in(r, rooms.place(r, circle.room)) is None
        actions = r.db.scalars(select(AuditLine.action)).all()
    assert [a for a in actions if a.startswith("session.")] == [
        "session.planned",
        "session.opened",
        "session.closed",
    ]
    assert circle.post(circle.members[0], "Dank jullie wel").seq == 1


def test_upcoming_shows_ones_own_groups_the_open_one_first(database: Database, clock: FrozenClock) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    soon, running = circle.plan(), circle.plan()
    other.plan()
    _lead(circle, sessions.open_session, running, 1)
    with database.read(circle.members[0].actor) as r, builders.statements(database) as sent:
        assert [s.public_id for s in planning.upcoming(r)] == [running, soon]
    assert len(sent) == 1
    clock.forward(hours=3, minutes=11)
    with database.read(circle.members[0].actor) as r:
        assert [s.public_id for s in planning.upcoming(r)] == [running]


def test_a_refused_move_says_why(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    with pytest.raises(Closed) as refusal:
        _lead(circle, sessions.move, ref, 1, 3)
    assert "sneller" in refusal.value.message


def test_who_went_quiet_is_counted_no_more_at_a_facilitators_next_sign_of_life(
    database: Database, heard: Heard, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    circle.open_session()
    for who in (circle.hanna, *circle.members[:2]):
        with database.work(who.actor) as w:
            presence.arrive(w, rooms.place(w, circle.room))
    told = []
    for _forty_seconds in range(3):  # Noor stays, Mees does not
        clock.forward(seconds=40)
        heard.clear()
        for who in (circle.members[1], circle.hanna):
            with database.work(who.actor) as w:
                presence.arrive(w, rooms.place(w, circle.room))
        told.append([seen["session"]["present"] for seen in heard.payloads(f"room:{circle.room}", "session.state")])
    assert told == [[], [2], []]  # told once, when it is so
