"""Joining, signing in and out: what lets somebody in, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.accounts import accounts
from app.accounts.models import Invitation, Person, SignIn
from app.core import audit, ids
from app.core.audit import AuditLine
from app.core.errors import AppError, Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from tests import builders
from tests.conftest import SEAL_KEY, FrozenClock, Heard


def _invite(database: Database, **how: int) -> str:
    circle = builders.circle(database, members=0)
    with database.work(circle.hanna.actor) as w:
        return accounts.invite(w, circle.group_id, **how)


def _use(database: Database, code: str) -> accounts.Welcome:
    with database.work() as w:
        return accounts.use_invitation(w, code)


def _who(database: Database, token: str) -> object:
    with database.read() as r:
        return accounts.who(r.db, ids.digest(token), r.now)


def test_an_invitation_lets_one_person_in_however_it_is_typed(database: Database) -> None:
    code = _invite(database)
    with database.read() as r:
        welcome = accounts.look_up_invitation(r, code)  # looking does not use it
    assert _use(database, code.lower().replace("-", " ")) == welcome
    with pytest.raises(NotFound):
        _use(database, code)


def test_an_invitation_is_kept_as_a_hash_and_its_making_is_on_record(database: Database) -> None:
    code = _invite(database)
    with database.read() as r:
        row = r.db.scalars(select(Invitation)).one()
        assert code not in str(row.__dict__)
        assert row.code_hash == ids.digest(code)
        assert "invitation.made" in r.db.scalars(select(AuditLine.action)).all()
        assert audit.verify(r.db, SEAL_KEY) is None


def test_two_people_with_the_last_use_at_the_same_moment_only_one_comes_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _invite(database, uses=3)
    _use(database, code)
    _use(database, code)
    gap = builders.Gap()
    monkeypatch.setattr(accounts, "look_up_invitation", gap.after(accounts.look_up_invitation))
    answers = builders.at_once(lambda: _use(database, code), lambda: _use(database, code))
    assert sorted(type(a).__name__ for a in answers) == ["NotFound", "Welcome"]
    with database.read() as r:
        assert r.db.scalars(select(Invitation.uses_left)).one() == 0


def test_every_code_that_does_not_work_is_refused_alike(database: Database, clock: FrozenClock) -> None:
    used, revoked, expired = (_invite(database) for _ in range(3))
    _use(database, used)
    with database.work() as w:
        w.db.execute(update(Invitation).where(Invitation.code_hash == ids.digest(revoked)).values(revoked_at=w.now))
        w.db.execute(update(Invitation).where(Invitation.code_hash == ids.digest(expired)).values(expires_at=w.now))
    told = set()
    for code in (used, revoked, expired, "KLEW-47RD", "", "\x00", "é" * 40):
        for ask in (accounts.look_up_invitation, accounts.use_invitation):
            with pytest.raises(NotFound) as refusal, database.work() as w:
                ask(w, code)
            told.add((refusal.value.message, refusal.value.status))
    assert len(told) == 1


def test_an_invitation_lasts_a_week(database: Database, clock: FrozenClock) -> None:
    code = _invite(database)
    clock.forward(days=7, seconds=-1)
    with database.read() as r:
        accounts.look_up_invitation(r, code)
    clock.forward(seconds=1)
    with pytest.raises(NotFound):
        _use(database, code)


def test_a_session_says_who_somebody_is_until_it_expires(database: Database, clock: FrozenClock) -> None:
    actor, token = builders.someone(database, builders.organisation(database), Role.FACILITATOR, name="Hanna")
    assert _who(database, token) == actor
    assert _who(database, token + "x") is None
    clock.forward(days=30, seconds=-1)
    assert _who(database, token) == actor
    clock.forward(seconds=1)
    assert _who(database, token) is None


def test_only_the_hash_of_a_session_token_is_kept(database: Database) -> None:
    _, token = builders.someone(database, builders.organisation(database))
    with database.read() as r:
        assert r.db.scalars(select(SignIn.token_hash)).all() == [ids.digest(token)]


def test_ending_a_session_is_for_good_and_is_told_to_its_open_screens(database: Database, heard: Heard) -> None:
    organisation = builders.organisation(database)
    (actor, token), (_, other) = (builders.someone(database, organisation) for _ in range(2))
    for _ in range(2):  # a second click changes nothing
        with database.work(actor) as w:
            accounts.end_session(w, ids.digest(token))
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
        assert accounts.live_sessions(r.db, [ids.digest(token)], r.now) == set()
    with database.work() as w:
        w.db.get_one(Person, actor.person_id).suspended_at = None
    assert _who(database, token) == actor


def test_open_screens_are_rechecked_all_at_once(database: Database, clock: FrozenClock) -> None:
    organisation = builders.organisation(database)
    people = [builders.someone(database, organisation) for _ in range(4)]
    hashes = [ids.digest(token) for _, token in people]
    with database.work() as w:
        accounts.end_session(w, hashes[0])
        w.db.get_one(Person, people[1][0].person_id).suspended_at = w.now
        w.db.execute(update(SignIn).where(SignIn.token_hash == hashes[2]).values(expires_at=w.now))
    with database.read() as r, builders.statements(database) as sent:
        assert accounts.live_sessions(r.db, [*hashes, "unknown"], r.now) == {hashes[3]}
        assert accounts.live_sessions(r.db, [], r.now) == set()
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
            assert found == accounts.Credentials(person, "hash")
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
    known = {"id", "organisation_id", "role", "login", "secret_hash", "name", "language", "timezone"}
    assert set(Person.__table__.columns.keys()) == known | {"theme", "created_on", "suspended_at"}
    assert timedelta(days=accounts.INVITATION_DAYS) == timedelta(days=7)
