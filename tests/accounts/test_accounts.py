"""People and their sessions: who somebody is, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.accounts import accounts, signins
from app.accounts.models import Person, SignIn
from app.core import ids
from app.core.actor import Actor
from app.core.errors import AppError, Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from tests import builders
from tests.conftest import FrozenClock, Heard


def _who(database: Database, token: str) -> Actor | None:
    """Who somebody is, but for the day they were last here."""
    with database.read() as r:
        found = signins.who(r.db, ids.digest(token), r.now)
    return replace(found, last_on=None) if found else None


def test_a_session_says_who_somebody_is_until_it_expires(database: Database, clock: FrozenClock) -> None:
    actor, token = builders.someone(database, builders.organisation(database), Role.FACILITATOR, name="Hanna")
    assert _who(database, token) == actor
    assert _who(database, token + "x") is None
    for _ in range(3):  # used again and again, it lasts as long as it may and no longer
        clock.forward(days=9)
        assert _who(database, token) == actor
        with database.work() as w:
            signins.touch(w, ids.digest(token))
    clock.forward(days=2)  # the last whole day of thirty: the end says nothing about the hour it began
    assert _who(database, token) == actor
    clock.forward(days=1)
    assert _who(database, token) is None


def test_a_session_that_nobody_uses_is_over_after_two_weeks(database: Database, clock: FrozenClock) -> None:
    actor, token = builders.someone(database, builders.organisation(database))
    clock.forward(days=14)
    assert _who(database, token) == actor
    clock.forward(days=1)
    assert _who(database, token) is None
    with database.read() as r:
        assert signins.live_sessions(r.db, [ids.digest(token)], r.now) == set()


def test_somebody_sees_their_own_sessions_and_ends_them(database: Database, clock: FrozenClock) -> None:
    organisation = builders.organisation(database)
    (actor, token), (stranger, others) = (builders.someone(database, organisation) for _ in range(2))
    with database.work() as w:
        second, third = (signins.start(w, actor.person_id, timedelta(days=30)) for _ in range(2))
    with database.read(actor) as r:
        mine = signins.mine(r)
    assert [s.this_one for s in mine] == [True, False, False]
    with database.work(actor) as w:
        signins.end_own(w, mine[1].ref)
    with pytest.raises(NotFound), database.work(stranger) as w:
        signins.end_own(w, mine[2].ref)  # somebody else's and nobody's answer the same
    assert [_who(database, t) is None for t in (second, third)].count(True) == 1
    with database.work(actor) as w:
        assert signins.end_all(w, actor.person_id, spare=w.who.session) == 1
    assert _who(database, token) == actor
    with database.work(actor) as w:
        signins.end_all(w, actor.person_id)
    assert _who(database, token) is None
    assert _who(database, others) == stranger


def test_only_the_hash_of_a_session_token_is_kept(database: Database) -> None:
    _, token = builders.someone(database, builders.organisation(database))
    with database.read() as r:
        assert r.db.scalars(select(SignIn.token_hash)).all() == [ids.digest(token)]


def test_ending_a_session_is_for_good_and_is_told_to_its_open_screens(database: Database, heard: Heard) -> None:
    organisation = builders.organisation(database)
    (actor, token), (_, other) = (builders.someone(database, organisation) for _ in range(2))
    for _ in range(2):  # a second click changes nothing
        with database.work(actor) as w:
            signins.end(w, ids.digest(token))
    assert _who(database, token) is None
    assert _who(database, other) is not None
    assert set(heard.events(f"session:{ids.digest(token)}")) == {"revoked"}


def test_a_suspended_person_is_nobody_until_it_is_lifted(database: Database) -> None:
    actor, token = builders.someone(database, builders.organisation(database))
    with database.work() as w:
        w.db.get_one(Person, actor.person_id).suspended_at = w.now
        login = w.db.get_one(Person, actor.person_id).login
    assert _who(database, token) is None
    with database.read() as r:
        assert accounts.credentials(r, login) is None
        assert signins.live_sessions(r.db, [ids.digest(token)], r.now) == set()
    with database.work() as w:
        w.db.get_one(Person, actor.person_id).suspended_at = None
    assert _who(database, token) == actor


def test_open_screens_are_rechecked_all_at_once(database: Database, clock: FrozenClock) -> None:
    organisation = builders.organisation(database)
    people = [builders.someone(database, organisation) for _ in range(4)]
    hashes = [ids.digest(token) for _, token in people]
    with database.work() as w:
        signins.end(w, hashes[0])
        w.db.get_one(Person, people[1][0].person_id).suspended_at = w.now
        w.db.execute(update(SignIn).where(SignIn.token_hash == hashes[2]).values(expires_at=w.now))
    with database.read() as r, builders.statements(database) as sent:
        assert signins.live_sessions(r.db, [*hashes, "unknown"], r.now) == {hashes[3]}
        assert signins.live_sessions(r.db, [], r.now) == set()
    assert len(sent) == 2


def test_asking_who_somebody_is_costs_one_query(database: Database) -> None:
    _, token = builders.someone(database, builders.organisation(database))
    with builders.statements(database) as sent:
        _who(database, token)
    assert len(sent) == 1


def test_a_login_name_is_found_however_it_is_typed(database: Database) -> None:
    with database.work() as w:
        organisation = accounts.create_organisation(w, "Proef")
        person = accounts.create_person(w, organisation, Role.CLIENT, "stille-otter-41", "hash")
    with database.read() as r:
        for typed in ("stille-otter-41", " Stille OTTER 41 ", "stille--otter - 41\n"):
            found = accounts.credentials(r, typed)
            assert found == accounts.Credentials(person, "hash", Role.CLIENT)
        for typed in ("stille-otter-42", "", "-", "stille\x00otter", "x" * 10_000):
            assert accounts.credentials(r, typed) is None


@given(st.text(max_size=100))
def test_folding_a_login_name_leaves_no_case_and_no_space(typed: str) -> None:
    folded = accounts.fold_login(typed)
    assert len(folded) <= 60
    assert folded == folded.casefold()
    assert not any(c.isspace() for c in folded)


def test_a_login_name_belongs_to_one_person(database: Database) -> None:
    organisation = builders.organisation(database)
    with database.work() as w:
        accounts.create_person(w, organisation, Role.CLIENT, "stille-otter-41", "!")
    with pytest.raises(Invalid), database.work() as w:
        accounts.create_person(w, organisation, Role.CLIENT, "Stille Otter 41", "!")
    with database.read() as r:
        assert len(r.db.scalars(select(Person)).all()) == 1


def test_people_choose_among_what_is_offered(database: Database) -> None:
    actor, token = builders.someone(database, builders.organisation(database))
    with database.work(actor) as w:
        accounts.change_preferences(w, language="en", theme="dark")
    assert _who(database, token) == replace(actor, language="en", theme="dark")
    for language, theme in (("de", "dark"), ("en", "pink"), ("", "")):
        with pytest.raises(Invalid), database.work(actor) as w:
            accounts.change_preferences(w, language=language, theme=theme)
    with pytest.raises(AppError), database.work() as w:
        accounts.change_preferences(w, language="en", theme="dark")


def test_nothing_about_a_person_in_life_has_a_column() -> None:
    known = {"id", "organisation_id", "role", "login", "secret_hash", "recovery_hash", "institution_hash"}
    shown = {"name", "language", "timezone", "theme"}
    assert set(Person.__table__.columns.keys()) == known | shown | {"created_on", "suspended_at"}
