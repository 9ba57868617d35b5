"""The two questions at the end: answered once, added up, and shown only where nobody can be picked out."""

from __future__ import annotations

from datetime import time

import pytest
from sqlalchemy import select

from app.accounts import erasure
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.work import Database
from app.main import PARTS
from groups import rooms
from groups.after import afterwards
from groups.agenda import steering
from groups.led import closing, sessions
from groups.led.closing import Felt
from groups.models import Answer
from tests import builders
from tests.builders import Someone
from tests.conftest import FrozenClock
from tests.groups.led.evening import Led, by, led


def _closed(database: Database, members: int = 5, clock: FrozenClock | None = None) -> Led:
    it = led(database, members)
    it.arrive()
    if clock:
        clock.forward(minutes=30)
    it.do(sessions.close)
    return it


def _say(it: Led, who: Someone, together: int = 4, safe: int = 5, **more: bool) -> None:
    by(it.circle, who, closing.answer, it.circle.room, it.ref, together, safe, **more)


def _felt(it: Led) -> Felt | None:
    with it.circle.database.read(it.circle.hanna.actor) as r:
        return closing.felt(r, *steering.lead(r, it.ref))


def _asked(it: Led, who: Someone) -> closing.Asked | None:
    with it.circle.database.read(who.actor) as r:
        return closing.asked(r, rooms.place(r, it.circle.room))


def test_they_are_asked_from_the_closing_step_until_a_day_after(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    mees = it.circle.members[0]
    it.arrive(mees)
    assert (_asked(it, mees), it.state()["closing"]) == (None, False)
    with pytest.raises(Closed):
        _say(it, mees)
    it.do(sessions.move, 7)
    assert it.state()["closing"]
    assert _asked(it, mees) == closing.Asked(it.ref, False)
    it.do(sessions.close)
    assert it.state()["closing"]
    clock.forward(hours=23, minutes=59)
    assert _asked(it, mees) == closing.Asked(it.ref, False)
    _say(it, mees)
    assert _asked(it, mees) == closing.Asked(it.ref, True)
    clock.forward(minutes=1)
    assert _asked(it, mees) is None
    with pytest.raises(Closed):
        _say(it, it.circle.members[0])


def test_everybody_answers_once_and_for_good(database: Database) -> None:
    it = _closed(database)
    mees = it.circle.members[0]
    answers = builders.at_once(*[lambda: _say(it, mees, 1, 2)] * 2)
    assert builders.refusals(answers) == []
    _say(it, mees, 5, 5)
    for who in it.circle.members[1:]:
        _say(it, who, 3, 3)
    assert _felt(it) == Felt(5, (1, 0, 4, 0, 0), (0, 1, 4, 0, 0))


def test_facilitators_see_nothing_while_an_answer_could_still_be_added(database: Database, clock: FrozenClock) -> None:
    it = _closed(database, 6)
    for who in it.circle.members[:5]:
        _say(it, who)
    assert _felt(it) is None
    clock.forward(hours=24)
    assert _felt(it) == Felt(5, (0, 0, 0, 5, 0), (0, 0, 0, 0, 5))


def test_noting_somebody_as_away_and_there_again_does_not_single_out_their_answer(
    database: Database, clock: FrozenClock
) -> None:
    it = _closed(database, 6, clock)
    *early, late = it.circle.members
    for who in early:
        _say(it, who)
    it.lead(afterwards.correct, late.ref, "missed")
    shown = _felt(it)
    assert shown == Felt(5, (0, 0, 0, 5, 0), (0, 0, 0, 0, 5))
    it.lead(afterwards.correct, late.ref, "came", time(19, 30), time(23, 59))
    assert _asked(it, late) is None
    with pytest.raises(NotFound):
        _say(it, late, 1, 1)
    clock.forward(hours=24)
    assert _felt(it) == shown


def test_what_was_shown_does_not_tell_how_somebody_felt_who_is_erased(database: Database) -> None:
    it = _closed(database, 6)
    for who in it.circle.members:
        _say(it, who)
    assert _felt(it) is not None
    with database.work() as w:
        erasure.erase(w, PARTS, it.circle.members[0].person_id)
    assert _felt(it) is None


def test_correcting_the_times_of_who_answered_does_not_show_it_before_the_last_answer(
    database: Database, clock: FrozenClock
) -> None:
    it = _closed(database, 6, clock)
    for who in it.circle.members[:5]:
        _say(it, who)
    it.lead(afterwards.correct, it.circle.members[0].ref, "came", time(19, 30), time(23, 59))
    assert _felt(it) is None


@pytest.mark.parametrize(
    ("amount", "agree", "shown"), [(2, 2, False), (3, 2, False), (3, 3, True), (4, 3, False), (5, 0, True)]
)
def test_few_answers_are_shown_only_if_everybody_said_so(
    database: Database, clock: FrozenClock, amount: int, agree: int, shown: bool
) -> None:
    it = _closed(database)
    for number, who in enumerate(it.circle.members[:amount]):
        _say(it, who, few_ok=number < agree)
    clock.forward(days=2)
    assert (_felt(it) is not None) is shown


def test_only_who_was_there_and_only_from_one_to_five(database: Database) -> None:
    it, other = led(database), builders.circle(database)
    mees, noor, _jip = it.circle.members
    it.arrive(mees)
    it.do(sessions.close)
    for together, safe in ((0, 3), (3, 6)):
        with pytest.raises(Invalid):
            _say(it, mees, together, safe)
    for who in (noor, it.circle.hanna, other.members[0]):
        with pytest.raises(NotFound):
            _say(it, who)
    assert _asked(it, noor) is None
    with database.read(mees.actor) as r, pytest.raises(Forbidden):
        closing.felt(r, *steering.attend(r, it.ref))
    with database.read() as r:
        assert r.db.scalars(select(Answer.id)).all() == []
