"""A goal: asked for by a member, begun with a facilitator, and from then on the member's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts import erasure
from app.core.errors import AppError, Closed, Forbidden, Invalid, NotFound, TooLarge
from app.core.work import Database, Work
from app.main import PARTS
from app.notify import outbox
from app.notify.models import Notice, OutboxItem
from groups import personal, readers, rooms
from groups.models import Goal, Group
from groups.own import goals
from groups.own.aims import Aim
from groups.people import leaving
from groups.subjects import GoalSubject
from matching import relapse
from moderation import queue, subjects
from tests import builders
from tests.builders import CRISIS, PHONE, Circle, Someone
from tests.conftest import FrozenClock

TODAY = date(2026, 11, 17)


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"goal": GoalSubject()})


@pytest.fixture
def circle(database: Database) -> Circle:
    return builders.circle(database)


def _as(circle: Circle, who: Someone, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with circle.database.work(who.actor) as w:
        return call(w, *args, **more)


def _ask(circle: Circle, who: Someone | None = None, kind: str = "pause", weeks: int = 12, **more: Any) -> goals.Asked:
    who = who or circle.members[0]

    def ask(w: Work) -> goals.Asked:
        return goals.ask(w, rooms.group_place(w, circle.group), kind, weeks, **more)

    found: goals.Asked = _as(circle, who, ask)
    return found


def _begun(circle: Circle, who: Someone | None = None, kind: str = "pause", weeks: int = 12, **more: Any) -> str:
    ref = _ask(circle, who, kind, weeks, **more).ref
    _as(circle, circle.hanna, goals.start, ref, 1)
    return ref


def _mine(circle: Circle, who: Someone | None = None) -> goals.Mine:
    with circle.database.read((who or circle.members[0]).actor) as r:
        return goals.mine(r)


def _now(circle: Circle, who: Someone | None = None) -> Aim:
    found = _mine(circle, who).now
    assert found is not None
    return found


def _led(circle: Circle, who: Someone | None = None) -> list[Aim]:
    with circle.database.read((who or circle.hanna).actor) as r:
        return goals.of_group(r, rooms.group_place(r, circle.group))


def _told(database: Database, kind: str) -> list[int]:
    with database.read() as r:
        waits = select(OutboxItem.person_id).where(OutboxItem.kind == kind, OutboxItem.sent_at.is_(None))
        return sorted(r.db.scalars(waits))


def _count(database: Database) -> int:
    with database.read() as r:
        return r.db.scalar(select(func.count(Goal.id))) or 0


def test_a_member_asks_and_a_facilitator_begins_it_with_them(circle: Circle) -> None:
    mees = circle.members[0]
    ref = _ask(circle, kind="less", weeks=4, words="Niet meer na tienen", days=2).ref
    assert _told(circle.database, "goal") == [circle.hanna.person_id]
    asked = _now(circle)
    assert (asked.state, asked.started_on, asked.week) == ("asked", None, 0)
    _as(circle, circle.hanna, goals.start, ref, asked.version)
    assert _told(circle.database, "goal") == []
    assert _told(circle.database, "goal_started") == [mees.person_id]
    found = _now(circle)
    assert (found.kind, found.state, found.weeks, found.words, found.days) == (
        "less",
        "running",
        4,
        "Niet meer na tienen",
        2,
    )
    assert (found.started_on, found.week, found.paused, found.ends_on) == (TODAY, 1, 0, TODAY + timedelta(days=28))


def test_its_facilitators_see_it_and_nobody_else_does(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    _begun(circle, words="Rust in mijn hoofd")
    ilse = circle.second_lead()
    for lead in (circle.hanna, ilse):
        [seen] = _led(circle, lead)
        assert (seen.alias, seen.kind, seen.state, seen.words) == (
            "Mees_duin",
            "pause",
            "running",
            "Rust in mijn hoofd",
        )
    assert _mine(circle, noor) == goals.Mine(None, ())
    with pytest.raises(Forbidden):
        _led(circle, noor)
    with pytest.raises(Forbidden):
        _led(circle, mees)
    other = builders.circle(circle.database, organisation_id=circle.organisation_id)
    assert _led(other) == []


def test_somebody_elses_goal_and_nobodys_look_the_same(circle: Circle) -> None:
    _mees, noor = circle.members[:2]
    other = builders.circle(circle.database, organisation_id=circle.organisation_id)
    ref = _begun(circle)
    for who, call, args in (
        (noor, goals.pause, ()),
        (noor, goals.resume, ()),
        (noor, goals.stop, ()),
        (noor, goals.change, (3,)),
        (circle.hanna, goals.stop, ()),
        (other.hanna, goals.start, (2,)),
    ):
        for asked in (ref, "zzzzzzzzzzzz", "../etc"):
            with pytest.raises(NotFound):
                _as(circle, who, call, asked, *args)
    with pytest.raises(Forbidden):
        _as(circle, noor, goals.start, ref, 2)  # a door that is not a member's
    assert _now(circle).state == "running"


@pytest.mark.parametrize(
    ("kind", "weeks", "more"),
    [
        ("pause", 1, {}),
        ("pause", 27, {}),
        ("never", 12, {}),
        ("less", 4, {"days": 0}),
        ("less", 4, {"days": 7}),
        ("less", 4, {"words": "a" * 401}),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    circle: Circle, kind: str, weeks: int, more: dict[str, Any]
) -> None:
    with pytest.raises((Invalid, TooLarge)):
        _ask(circle, kind=kind, weeks=weeks, **more)
    assert _count(circle.database) == 0
    assert _told(circle.database, "goal") == []


def test_both_kinds_may_be_left_without_words_and_a_pause_has_no_number_of_days(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    _ask(circle, mees, "pause", 12, days=3)
    _ask(circle, noor, "less", 4)
    assert [(aim.kind, aim.words, aim.days) for aim in _led(circle)] == [("pause", "", None), ("less", "", None)]


def test_there_is_one_at_a_time_whatever_group_somebody_is_in(circle: Circle) -> None:
    mees = circle.members[0]
    other = builders.circle(circle.database, organisation_id=circle.organisation_id)
    builders.seat(circle.database, other.group_id, mees.actor, mees.token, "Wilg_stil")
    ref = _ask(circle).ref
    for place in (circle, other):
        with pytest.raises(Closed):
            _ask(place, mees, "less", 4)
    assert _led(other) == []
    _as(circle, mees, goals.stop, ref)
    assert _ask(other, mees, "less", 4).ref == _now(circle).ref


def test_of_two_that_are_asked_for_at_once_there_is_one(circle: Circle) -> None:
    answers = builders.at_once(lambda: _ask(circle), lambda: _ask(circle, kind="less", weeks=4))
    assert [type(refusal) for refusal in builders.refusals(answers)] == [Closed]
    assert _count(circle.database) == 1


def test_a_facilitator_cannot_ask_for_one(circle: Circle) -> None:
    with pytest.raises(Forbidden):
        _ask(circle, circle.hanna)


def test_the_first_of_two_facilitators_begins_it(circle: Circle) -> None:
    ilse = circle.second_lead()
    ref = _ask(circle).ref
    answers = builders.at_once(
        lambda: _as(circle, circle.hanna, goals.start, ref, 1), lambda: _as(circle, ilse, goals.start, ref, 1)
    )
    assert [type(refusal) for refusal in builders.refusals(answers)] == [Closed]
    assert _told(circle.database, "goal_started") == [circle.members[0].person_id]


def test_what_runs_rests_or_is_over_cannot_be_begun_again(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    ref = _begun(circle)
    clock.forward(days=10)
    for version, change in ((2, None), (3, goals.pause), (4, goals.stop)):
        if change:
            _as(circle, mees, change, ref)
        with pytest.raises(Closed):
            _as(circle, circle.hanna, goals.start, ref, version)
    assert _mine(circle).before[0].started_on == TODAY


def test_what_was_taken_back_cannot_be_begun_and_leaves_nothing(circle: Circle) -> None:
    mees = circle.members[0]
    ref = _ask(circle, words="Dit schreef ik te snel").ref
    _as(circle, mees, goals.stop, ref)
    assert _mine(circle) == goals.Mine(None, ())
    assert _led(circle) == []
    assert _told(circle.database, "goal") == []
    assert _count(circle.database) == 0
    with pytest.raises(NotFound):
        _as(circle, circle.hanna, goals.start, ref, 1)


def test_a_notice_to_facilitators_stays_as_long_as_somebody_asks(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    first, second = _ask(circle, mees).ref, _ask(circle, noor).ref
    outbox.deliver(circle.database)

    def lines() -> list[str]:
        with circle.database.read(circle.hanna.actor) as r:
            return [line.kind for line in outbox.inbox(r)]

    assert lines() == ["goal"]  # one about both
    _as(circle, circle.hanna, goals.start, first, 1)
    assert lines() == ["goal"]
    _as(circle, noor, goals.stop, second)
    assert lines() == []


def test_it_rests_and_goes_on_at_any_time_and_loses_nothing(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    ref = _begun(circle)
    clock.forward(days=25)
    assert (_now(circle).week, _now(circle).paused) == (4, 0)
    _as(circle, mees, goals.pause, ref)
    clock.forward(days=14)
    _as(circle, mees, goals.pause, ref)  # again changes nothing
    resting = _now(circle)
    assert (resting.state, resting.week, resting.paused) == ("paused", 4, 14)
    _as(circle, mees, goals.resume, ref)
    _as(circle, mees, goals.resume, ref)
    on = _now(circle)
    assert (on.state, on.week, on.paused, on.ends_on) == ("running", 4, 14, TODAY + timedelta(days=84 + 14))
    assert _led(circle)[0].paused == 14


def test_no_pause_is_too_long_and_it_does_not_end_by_itself_meanwhile(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    ref = _begun(circle, kind="less", weeks=2)
    _as(circle, mees, goals.pause, ref)
    clock.forward(days=400)
    assert goals.sweep(circle.database) == 0
    assert (_now(circle).state, _now(circle).week) == ("paused", 1)


def test_stopping_needs_no_reason_and_another_may_follow(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    ref = _begun(circle, words="Voor mijn rust")
    clock.forward(days=10)
    _as(circle, mees, goals.pause, ref)
    clock.forward(days=3)
    for _again in range(2):
        _as(circle, mees, goals.stop, ref)
    mine = _mine(circle)
    assert mine.now is None
    [before] = mine.before
    assert (before.state, before.started_on, before.ended_on, before.paused) == (
        "stopped",
        TODAY,
        TODAY + timedelta(days=13),
        3,
    )
    assert before.words == "Voor mijn rust"
    clock.forward(days=100)
    assert _mine(circle).before == (before,)  # a clock that goes on moves nothing that is over
    _ask(circle, kind="less", weeks=4)
    assert _now(circle).kind == "less"


def test_facilitators_see_for_thirty_days_that_one_is_over_and_its_words_no_more(
    circle: Circle, clock: FrozenClock
) -> None:
    ref = _begun(circle, words="Voor mijn rust")
    _as(circle, circle.members[0], goals.stop, ref)
    clock.forward(days=30)
    assert [(aim.state, aim.words, aim.days) for aim in _led(circle)] == [("stopped", "", None)]
    clock.forward(days=1)
    assert _led(circle) == []
    assert len(_mine(circle).before) == 1


def test_it_ends_by_itself_when_its_weeks_have_passed(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    _begun(circle, weeks=2)
    clock.forward(days=13)
    assert goals.sweep(circle.database) == 0
    clock.forward(days=4)  # the sweep was away: it shows at once
    [done] = _mine(circle).before
    assert (done.state, done.ended_on, done.week) == ("done", TODAY + timedelta(days=14), 2)
    assert [aim.state for aim in _led(circle)] == ["done"]
    assert goals.sweep(circle.database) == 1
    assert goals.sweep(circle.database) == 0
    assert _mine(circle).before == (replace(done, version=3),)
    assert _ask(circle, mees).ref == _now(circle).ref


def test_who_is_faster_than_the_sweep_can_ask_anew_but_not_go_on(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    ref = _begun(circle, weeks=2)
    clock.forward(days=14)
    for call, args in ((goals.pause, ()), (goals.resume, ()), (goals.change, (20,))):
        with pytest.raises(Closed):
            _as(circle, mees, call, ref, *args)
    _ask(circle, kind="less", weeks=4)
    assert [aim.state for aim in _mine(circle).before] == ["done"]


def test_what_has_not_begun_cannot_rest(circle: Circle) -> None:
    ref = _ask(circle).ref
    for call in (goals.pause, goals.resume):
        with pytest.raises(Closed):
            _as(circle, circle.members[0], call, ref)


def test_its_member_changes_it_as_they_like(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    ref = _ask(circle, kind="less", weeks=4, words="Niet in bed").ref
    _as(circle, mees, goals.change, ref, 6, "Niet in bed en niet op het werk", 3)
    found = _now(circle)
    assert (found.weeks, found.words, found.days, found.state) == (6, "Niet in bed en niet op het werk", 3, "asked")
    _as(circle, circle.hanna, goals.start, ref, found.version)
    clock.forward(days=22)
    assert _now(circle).fewest == 4
    with pytest.raises(Invalid) as refused:
        _as(circle, mees, goals.change, ref, 3)
    assert refused.value.params == {"weeks": 4}
    assert _now(circle).weeks == 6
    _as(circle, mees, goals.change, ref, 4)
    assert (_now(circle).weeks, _now(circle).words, _now(circle).days, _now(circle).week) == (4, "", None, 4)


def test_a_day_is_a_day_of_the_group(circle: Circle, clock: FrozenClock) -> None:
    clock.at = clock.at.replace(hour=23, minute=30)  # half past midnight in Amsterdam
    _begun(circle)
    assert _now(circle).started_on == TODAY + timedelta(days=1)
    with circle.database.work() as w:
        w.db.execute(update(Group).values(timezone="America/New_York"))
    assert _now(circle).week == 1  # and nobody is in week nought because a clock stands elsewhere


def test_a_report_of_what_happened_changes_no_number_of_it(circle: Circle, clock: FrozenClock) -> None:
    mees = circle.members[0]
    _begun(circle)
    clock.forward(days=20)
    before = _now(circle)
    circle.send(mees)
    with circle.database.read(mees.actor) as r:
        assert len(relapse.recent(r)) == 1
    assert _now(circle) == before


def test_words_of_danger_bring_help_and_alert_who_reads_them(circle: Circle) -> None:
    mees = circle.members[0]
    asked = _ask(circle, kind="less", weeks=4, words=CRISIS)
    assert asked.crisis
    assert _told(circle.database, "alert") == [circle.hanna.person_id]
    with circle.database.work(circle.hanna.actor) as w:
        [card] = queue.waiting(w)
        assert (card.level, card.held) == (queue.RED, False)
        seen = queue.look(w, card.public_id).subject
    assert (seen.alias, seen.text, seen.place, seen.taken_back) == ("Mees_duin", CRISIS, "Dinsdaggroep", False)
    _as(circle, mees, goals.change, asked.ref, 4, CRISIS)  # the same words are told once
    _as(circle, mees, goals.change, asked.ref, 4, f"{CRISIS}, echt")
    assert len(_as(circle, circle.hanna, queue.waiting)) == 1
    assert not _ask(circle, circle.members[1], words="Het gaat wel").crisis
    with circle.database.work(circle.hanna.actor) as w:
        [card] = queue.waiting(w)
        queue.decide(w, card.public_id, queue.look(w, card.public_id).version, "seen", "")
    assert not _as(circle, mees, goals.change, asked.ref, 6, f"{CRISIS}, echt").crisis
    assert _as(circle, circle.hanna, queue.waiting) == []


def test_who_spoke_of_danger_and_took_it_back_is_still_somebody_to_look_after(circle: Circle) -> None:
    mees = circle.members[0]
    ref = _ask(circle, words=CRISIS).ref
    _as(circle, mees, goals.stop, ref)
    assert _mine(circle) == goals.Mine(None, ())
    assert _led(circle) == []
    with circle.database.work(circle.hanna.actor) as w:
        [card] = queue.waiting(w)
        detail = queue.look(w, card.public_id)
        assert (detail.subject.alias, detail.subject.taken_back) == ("Mees_duin", True)
        queue.decide(w, card.public_id, detail.version, "seen", "")
    assert _count(circle.database) == 0


def test_a_telephone_number_does_not_reach_the_facilitator(circle: Circle) -> None:
    _ask(circle, words=PHONE)
    assert "12345678" not in _led(circle)[0].words
    assert _led(circle)[0].words != ""


def test_who_leaves_the_group_has_no_goal_in_it_any_more(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    _begun(circle, mees)
    _ask(circle, noor)
    for who in (mees, noor):
        _as(circle, who, leaving.leave, circle.group)
    assert _led(circle) == []
    assert _told(circle.database, "goal") == []
    assert (_mine(circle, mees).now, len(_mine(circle, mees).before)) == (None, 1)
    assert _mine(circle, noor) == goals.Mine(None, ())


def test_what_is_said_about_its_readers_is_who_leads_the_group(circle: Circle) -> None:
    circle.second_lead()
    with circle.database.read(circle.members[0].actor) as r:
        told = readers.of_goal(r, rooms.group_place(r, circle.group))
    assert (told.members, told.names) == (0, ("Hanna", "Ilse"))
    assert told.reviewers
    assert not told.outsiders


def test_ones_own_goals_are_taken_along(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    _begun(circle, mees, "less", 4, words="Niet na tienen", days=2)
    _ask(circle, noor, words="Van Noor")
    with circle.database.read() as r:
        [group] = personal.export(r, mees.person_id)["groups"]
        lead = personal.export(r, circle.hanna.person_id)
    assert group["goals"] == [
        {
            "kind": "less",
            "state": "running",
            "weeks": 4,
            "asked_on": "2026-11-17",
            "started_on": "2026-11-17",
            "paused_on": None,
            "paused_days": 0,
            "ended_on": None,
            "words": "Niet na tienen",
            "days": 2,
        }
    ]
    assert lead["goals_begun"] == ["2026-11-17"]
    assert "Niet na tienen" not in str(lead)


def test_who_is_erased_leaves_no_goal_and_nobody_to_begin_one_with(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    _begun(circle, noor)
    _ask(circle, mees, words=CRISIS)
    outbox.deliver(circle.database)
    with circle.database.work() as w:
        erasure.erase(w, PARTS, mees.person_id)
    assert [aim.alias for aim in _led(circle)] == ["Noor_eik"]
    with circle.database.work(circle.hanna.actor) as w:
        assert w.db.scalar(select(func.count(Notice.id)).where(Notice.kind == "goal", Notice.read_at.is_(None))) == 0
        [card] = queue.waiting(w)  # that there was danger is still to be seen
        assert queue.look(w, card.public_id).subject.text == ""


def test_a_facilitator_who_is_erased_leaves_the_goals_they_began(circle: Circle) -> None:
    ilse = circle.second_lead()
    ref = _ask(circle).ref
    _as(circle, ilse, goals.start, ref, 1)
    with circle.database.work() as w:
        erasure.erase(w, PARTS, ilse.person_id)
    with circle.database.read() as r:
        assert r.db.scalars(select(Goal.started_by)).one() is None
    assert _now(circle).state == "running"


def test_reading_asks_the_database_the_same_few_questions_however_many_there_are(circle: Circle) -> None:
    _begun(circle, circle.members[0])
    with builders.statements(circle.database) as few:
        _led(circle)
        _mine(circle)
    for who in circle.members[1:]:
        _begun(circle, who)
    with builders.statements(circle.database) as many:
        _led(circle)
        _mine(circle)
    assert len(many) == len(few) <= 5


def test_no_refusal_says_more_than_it_should(circle: Circle) -> None:
    """A goal that is there and one that is not are told apart by nobody but its member."""
    ref = _begun(circle)
    said = set()
    for asked in (ref, "zzzzzzzzzzzz"):
        with pytest.raises(AppError) as refused:
            _as(circle, circle.members[1], goals.pause, asked)
        said.add((type(refused.value), refused.value.message))
    assert len(said) == 1
