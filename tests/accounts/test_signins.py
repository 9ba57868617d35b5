"""Sessions: started, listed, ended for good, and kept to the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.accounts import signins
from app.accounts.models import SignIn
from app.core import ids
from app.core.actor import Actor
from app.core.errors import NotFound
from app.core.permissions import Role
from app.core.work import Database
from tests import builders
from tests.conftest import FrozenClock, Heard

MONTH = timedelta(days=30)


@pytest.fixture
def mees(database: Database) -> Actor:
    return builders.someone(database, builders.organisation(database))[0]


def _start(database: Database, who: Actor, lasts: timedelta = MONTH) -> str:
    with database.work() as w:
        return ids.digest(signins.start(w, who.person_id, lasts))


def _holder(database: Database, token_hash: str) -> Actor | None:
    with database.read() as r:
        return signins.who(r.db, token_hash, r.now)


def test_a_session_says_who_and_what_day_and_nothing_finer(database: Database, mees: Actor, clock: FrozenClock) -> None:
    token_hash = _start(database, mees)
    _start(database, mees, timedelta(hours=12))
    with database.read() as r:
        rows = r.db.scalars(select(SignIn)).all()
    for row in rows:
        assert (row.started_on, row.last_on) == (date(2026, 11, 17), date(2026, 11, 17))
        assert (row.expires_at.minute, row.expires_at.second, row.expires_at.microsecond) == (0, 0, 0)
    columns = set(SignIn.__table__.columns.keys())
    assert columns == {
        "token_hash", "public_id", "person_id", "started_on", "last_on", "expires_at", "confirmed_at", "revoked_at",
    }  # fmt: skip
    found = _holder(database, token_hash)
    assert found is not None
    assert (found.person_id, found.role, found.confirmed) == (mees.person_id, Role.CLIENT, False)


@pytest.mark.parametrize(("lasts", "still", "over"), [(MONTH, 13, 14), (timedelta(hours=12), 0.45, 0.55)])
def test_a_session_ends_when_it_lies_idle_or_runs_out(
    database: Database, mees: Actor, clock: FrozenClock, lasts: timedelta, still: float, over: float
) -> None:
    token_hash = _start(database, mees, lasts)
    clock.forward(days=still)
    assert _holder(database, token_hash) is not None
    clock.forward(days=over - still + 1)
    assert _holder(database, token_hash) is None


def test_using_it_keeps_it_alive_but_never_longer_than_it_may_last(
    database: Database, mees: Actor, clock: FrozenClock
) -> None:
    token_hash = _start(database, mees)
    for _ in range(4):
        clock.forward(days=7)
        assert _holder(database, token_hash) is not None
        with database.work() as w:
            signins.touch(w, token_hash)
    clock.forward(days=2)
    assert _holder(database, token_hash) is None


def test_ones_own_sessions_are_listed_without_a_word_about_the_device(
    database: Database, mees: Actor, clock: FrozenClock
) -> None:
    other = _start(database, mees)
    ended = _start(database, mees)
    with database.work() as w:
        signins.end(w, ended)
    with database.read(mees) as r:
        first, second = signins.mine(r)
    assert (first.this_one, second.this_one) == (True, False)
    with database.work(mees) as w:
        signins.end_own(w, second.ref)
    assert _holder(database, other) is None
    stranger = builders.someone(database, mees.organisation_id)[0]
    with database.work(stranger) as w, pytest.raises(NotFound):
        signins.end_own(w, first.ref)
    assert _holder(database, mees.session) is not None


def test_ending_them_all_tells_every_open_screen(database: Database, mees: Actor, heard: Heard) -> None:
    others = {_start(database, mees) for _ in range(3)}
    with database.work(mees) as w:
        assert signins.end_all(w, mees.person_id, spare=mees.session) == 3
    assert {a.topic for a in heard if a.event == "revoked"} == {f"session:{token_hash}" for token_hash in others}
    assert [_holder(database, token_hash) for token_hash in others] == [None] * 3
    assert _holder(database, mees.session) is not None


def test_a_proof_of_who_one_is_counts_for_ten_minutes(database: Database, mees: Actor, clock: FrozenClock) -> None:
    with database.work(mees) as w:
        signins.confirm(w)
    for minutes, confirmed in ((0, True), (9, True), (1, False)):
        clock.forward(minutes=minutes)
        found = _holder(database, mees.session)
        assert found is not None
        assert found.confirmed is confirmed


def test_sessions_that_are_over_are_forgotten_the_next_day(database: Database, mees: Actor, clock: FrozenClock) -> None:
    ended = _start(database, mees)
    with database.work() as w:
        signins.end(w, ended)
    assert signins.sweep(database) == 0
    clock.forward(days=1)
    assert signins.sweep(database) == 1
    assert _holder(database, mees.session) is not None
    clock.forward(days=40)
    assert signins.sweep(database) == 1


def test_when_somebody_proved_who_they_are_is_forgotten_once_it_counts_no_more(
    database: Database, clock: FrozenClock
) -> None:
    who = builders.someone(database, builders.organisation(database))[0]
    with database.work() as w:
        signins.start(w, who.person_id, timedelta(days=30), confirmed=True)
    clock.forward(minutes=9)
    signins.sweep(database)
    with database.read() as r:
        assert r.db.scalars(select(SignIn.confirmed_at).where(SignIn.confirmed_at.is_not(None))).all() != []
    clock.forward(minutes=1)
    signins.sweep(database)
    with database.read() as r:
        assert r.db.scalars(select(SignIn.confirmed_at).where(SignIn.confirmed_at.is_not(None))).all() == []
