"""The ladder: asked, answered, passed on, climbing by itself, never silently over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import audit
from app.core.audit import AuditLine
from app.core.errors import AppError, Closed, NotFound
from app.core.work import Database
from app.notify import outbox
from app.notify.models import OutboxItem
from matching import outreach, relapse
from matching.outreach import Ask
from tests import builders
from tests.builders import CLOCKS, CRISIS, Circle, Someone
from tests.conftest import SEAL_KEY, FrozenClock


def _due(circle: Circle, who: Someone) -> list[Ask]:
    with circle.database.read(who.actor) as r:
        return outreach.due(r)


def _act(circle: Circle, who: Someone, call: Callable[..., None], ask: Ask) -> None:
    with circle.database.work(who.actor) as w:
        call(w, ask.ref, ask.version)


def _ladder(circle: Circle, who: Someone, ref: str) -> list[tuple[str, str]]:
    with circle.database.read(who.actor) as r:
        return [(rung.who, rung.state) for rung in relapse.read(r, ref).ladder]


def _reminders(circle: Circle, who: Someone) -> int:
    with circle.database.read() as r:
        query = select(OutboxItem.id).where(OutboxItem.person_id == who.person_id, OutboxItem.kind == "outreach")
        return len(r.db.scalars(query).all())


def _told(circle: Circle, who: Someone) -> list[str]:
    with circle.database.read() as r:
        return list(r.db.scalars(select(OutboxItem.kind).where(OutboxItem.person_id == who.person_id)))


def _paired(database: Database) -> tuple[Circle, Someone, Someone]:
    """Mees, whose buddy is Noor, in Hanna's group."""
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    circle.pair(mees, noor)
    return circle, mees, noor


def test_who_is_asked_sees_who_and_until_when_and_nothing_more(database: Database, clock: FrozenClock) -> None:
    circle, mees, noor = _paired(database)
    circle.send(mees)
    [ask] = _due(circle, noor)
    assert (ask.alias, ask.group_name, ask.rung, ask.red) == (circle.known_as(mees), "Dinsdaggroep", "buddy", False)
    assert ask.deadline_at == clock() + timedelta(minutes=120)
    assert [(r.who, r.state, r.mine) for r in ask.ladder] == [
        (circle.known_as(noor), "asked", True),
        ("Hanna", "waiting", False),
    ]
    assert _due(circle, circle.hanna) == _due(circle, mees) == []


def test_the_first_answer_wins_and_everybody_else_is_let_off(database: Database) -> None:
    circle, mees, noor = _paired(database)
    ref = circle.send(mees)
    [ask] = _due(circle, noor)
    _act(circle, noor, outreach.acknowledge, ask)
    assert _ladder(circle, mees, ref) == [(circle.known_as(noor), "contact"), ("Hanna", "cancelled")]
    assert _due(circle, noor) == _due(circle, circle.hanna) == []
    with database.read(mees.actor) as r:
        assert relapse.read(r, ref).state == "contact"
        assert "outreach.acknowledged" in r.db.scalars(select(AuditLine.action)).all()
        assert audit.verify(r.db, SEAL_KEY) is None
    assert _told(circle, mees)[-1] == "contact"
    for call in (outreach.acknowledge, outreach.hand_on):
        with pytest.raises(Closed):
            _act(circle, noor, call, ask)


def test_one_answer_cannot_be_given_for_another(database: Database) -> None:
    circle, mees, noor = _paired(database)
    circle.send(mees)
    [ask] = _due(circle, noor)
    for stranger in (circle.members[2], circle.hanna, mees):
        for call in (outreach.acknowledge, outreach.hand_on):
            with pytest.raises(NotFound):
                _act(circle, stranger, call, ask)
    assert _due(circle, noor) == [ask]


@pytest.mark.parametrize("second", [outreach.acknowledge, outreach.hand_on])
def test_of_two_who_answer_at_the_same_moment_one_has_contact_and_the_other_is_told_kindly(
    database: Database, monkeypatch: pytest.MonkeyPatch, second: Callable[..., None]
) -> None:
    circle = builders.circle(database)
    ilse, mees = circle.second_lead(), circle.members[0]
    ref = circle.send(mees, safe="no")
    [of_hanna], [of_ilse] = _due(circle, circle.hanna), _due(circle, ilse)
    monkeypatch.setattr(outreach, "_answer", builders.Gap().after(outreach._answer))
    answers = builders.at_once(
        lambda: _act(circle, circle.hanna, outreach.acknowledge, of_hanna),
        lambda: _act(circle, ilse, second, of_ilse),
    )
    assert [a for a in builders.refusals(answers) if not isinstance(a, Closed)] == []
    assert [state for _, state in _ladder(circle, mees, ref)].count("contact") == 1


def test_not_able_now_moves_on_at_once_and_without_blame(database: Database, clock: FrozenClock) -> None:
    circle, mees, noor = _paired(database)
    ref = circle.send(mees)
    _act(circle, noor, outreach.hand_on, _due(circle, noor)[0])
    assert _ladder(circle, mees, ref) == [(circle.known_as(noor), "passed"), ("Hanna", "asked")]
    [ask] = _due(circle, circle.hanna)
    assert ask.deadline_at == clock() + timedelta(minutes=120)
    assert _reminders(circle, circle.hanna) == 1


def test_a_rung_waits_for_everybody_on_it_who_can_still_answer(database: Database) -> None:
    circle = builders.circle(database)
    ilse, mees = circle.second_lead(), circle.members[0]
    ref = circle.send(mees)
    _act(circle, circle.hanna, outreach.hand_on, _due(circle, circle.hanna)[0])
    assert _ladder(circle, mees, ref) == [("Hanna", "passed"), ("Ilse", "asked")]
    assert _reminders(circle, circle.hanna) == _reminders(circle, ilse) == 1


def test_the_sweep_climbs_when_the_deadline_has_passed_and_not_before(database: Database, clock: FrozenClock) -> None:
    circle, mees, noor = _paired(database)
    ref = circle.send(mees)
    [in_time] = _due(circle, noor)
    clock.forward(minutes=119)
    assert outreach.sweep(database) == 0
    assert _ladder(circle, mees, ref) == [(circle.known_as(noor), "asked"), ("Hanna", "waiting")]
    clock.forward(minutes=1)
    assert outreach.sweep(database) == 1
    assert _ladder(circle, mees, ref) == [(circle.known_as(noor), "expired"), ("Hanna", "asked")]
    assert outreach.sweep(database) == 0
    assert _due(circle, noor) == []
    for version in (in_time.version, in_time.version + 1):  # too late, from an old page or a new one
        with pytest.raises(Closed):
            _act(circle, noor, outreach.acknowledge, replace(in_time, version=version))
    _act(circle, circle.hanna, outreach.acknowledge, _due(circle, circle.hanna)[0])
    assert _ladder(circle, mees, ref) == [(circle.known_as(noor), "expired"), ("Hanna", "contact")]


def test_on_the_last_rung_an_alarm_stays_open_until_somebody_answers(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, hanna = circle.members[0], circle.hanna
    ref = circle.send(mees)
    clock.forward(minutes=120)
    for reminder in range(2, 12):  # nearly three hours: it asks again, and never closes by itself
        assert outreach.sweep(database) == 1
        assert outreach.sweep(database) == 0
        assert _ladder(circle, mees, ref) == [("Hanna", "open")]
        assert _reminders(circle, hanna) == reminder
        clock.forward(minutes=15)
    _act(circle, hanna, outreach.acknowledge, _due(circle, hanna)[0])
    assert outreach.sweep(database) == 0
    assert _ladder(circle, mees, ref) == [("Hanna", "contact")]


def test_when_everybody_on_the_last_rung_passed_everybody_is_asked_again(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    ilse, mees = circle.second_lead(), circle.members[0]
    ref = circle.send(mees)
    for lead in (circle.hanna, ilse):
        clock.forward(minutes=1)
        _act(circle, lead, outreach.hand_on, _due(circle, lead)[0])
    assert _ladder(circle, mees, ref) == [("Hanna", "open"), ("Ilse", "open")]
    assert _reminders(circle, circle.hanna) == _reminders(circle, ilse) == 2


def test_in_danger_the_alarm_sounds_after_a_quarter_of_an_hour_whoever_else_was_asked(
    database: Database, clock: FrozenClock
) -> None:
    circle, mees, _ = _paired(database)
    circle.send(mees, safe="no", buddy=True)
    clock.forward(minutes=15)
    outreach.sweep(database)
    [ask] = _due(circle, circle.hanna)
    assert ask.state == "open"
    assert _reminders(circle, circle.hanna) == 2


def test_an_earlier_contact_does_not_silence_a_later_danger(database: Database, clock: FrozenClock) -> None:
    circle, mees, noor = _paired(database)
    ref = circle.send(mees)
    _act(circle, noor, outreach.acknowledge, _due(circle, noor)[0])
    clock.forward(minutes=60)
    with database.work(mees.actor) as w:
        assert relapse.write_analysis(w, ref, "thought", CRISIS, CLOCKS)
    assert [ask.red for ask in _due(circle, circle.hanna)] == [True]
    clock.forward(minutes=15)
    outreach.sweep(database)
    assert [ask.state for ask in _due(circle, circle.hanna)] == ["open"]
    assert _reminders(circle, circle.hanna) == 2
    assert outreach.sweep(database) == 0  # and nothing goes round and round


def test_what_was_stopped_is_never_swept_up_again(database: Database, clock: FrozenClock) -> None:
    circle, mees, _ = _paired(database)
    ref = circle.send(mees)
    with database.work(mees.actor) as w:
        relapse.stop(w, ref)
    clock.forward(days=2)
    assert outreach.sweep(database) == 0
    assert {state for _, state in _ladder(circle, mees, ref)} == {"cancelled"}


def test_the_most_pressing_comes_first(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    circle.send(mees)
    clock.forward(minutes=1)
    circle.send(noor)
    circle.send(jip, safe="unsure")
    asks = _due(circle, circle.hanna)
    assert [(a.alias, a.red) for a in asks] == [
        ("Jip_kiezel", True),
        ("Mees_duin", False),
        ("Noor_eik", False),
    ]
    with database.read(circle.hanna.actor) as r, builders.statements(database) as sent:
        outreach.due(r)
    assert len(sent) == 2


def test_who_is_let_off_finds_no_ask_in_the_inbox(database: Database) -> None:
    circle = builders.circle(database)
    ilse, mees = circle.second_lead(), circle.members[0]
    circle.send(mees, safe="no")
    outbox.deliver(database)
    _act(circle, circle.hanna, outreach.acknowledge, _due(circle, circle.hanna)[0])
    for lead in (circle.hanna, ilse):
        with database.read(lead.actor) as r:
            assert [line.kind for line in outbox.inbox(r)] == []


def test_one_ladder_that_fails_does_not_stop_the_others(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    for member in circle.members[:2]:
        circle.send(member)
    clock.forward(minutes=120)
    climb, failed = outreach._climb_if_needed, []

    def fail_once(w: object, report_id: int) -> None:
        if not failed:
            failed.append(report_id)
            raise OSError("deadlock detected")
        climb(w, report_id)

    monkeypatch.setattr(outreach, "_climb_if_needed", fail_once)
    try:
        outreach.sweep(database)
    except OSError:
        pass  # it may say so, once it has looked after the others
    assert sorted(ask.state for ask in _due(circle, circle.hanna)) == ["asked", "open"]


def test_two_sweepers_move_a_ladder_once(database: Database, clock: FrozenClock) -> None:
    circle, mees, noor = _paired(database)
    ref = circle.send(mees)
    clock.forward(minutes=120)
    answers = builders.at_once(*[lambda: outreach.sweep(database)] * 4)
    assert [a for a in builders.refusals(answers) if not isinstance(a, AppError)] == []
    assert _ladder(circle, mees, ref) == [(circle.known_as(noor), "expired"), ("Hanna", "asked")]
    assert _reminders(circle, circle.hanna) == 1
