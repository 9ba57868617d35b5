"""What people wrote: sealed by their own key, bound to its place, gone with the key."""

from __future__ import annotations

import os

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Text, select, update
from sqlalchemy.exc import StatementError

from app.accounts import accounts
from app.core import crypto, rotation
from app.core.crypto import CannotOpen, DataKey, DestroyedKey, Vault, place_of
from app.core.db import Base
from app.core.permissions import Role
from app.core.work import Database
from groups.models import Answer, Message
from tests import builders
from tests.conftest import MASTERS

KEY = Vault(MASTERS).new_key(1)[1]
OTHER = Vault(MASTERS).new_key(2)[1]
HERE = place_of(Message.text, "1:abc")


def _open(key: crypto.Key, place: bytes, sealed: bytes) -> str:
    return key.cipher.decrypt(sealed[9:21], sealed[21:], place).decode()


@given(st.text(max_size=300))
def test_what_was_sealed_reads_back_the_same_and_never_looks_the_same_twice(text: str) -> None:
    sealed = KEY.seal(HERE, text)
    assert _open(KEY, HERE, sealed) == text
    assert sealed != KEY.seal(HERE, text)
    assert len(sealed) == 37 + len(text.encode())
    assert not text.encode() or len(text) < 4 or text.encode() not in sealed


@pytest.mark.parametrize("place", [place_of(Message.text, "1:abd"), place_of(Answer.value, "1:abc"), b""])
def test_a_sealed_value_opens_in_its_own_place_only(place: bytes) -> None:
    sealed = KEY.seal(HERE, "Niet voor daar")
    with pytest.raises(InvalidTag):
        _open(KEY, place, sealed)
    with pytest.raises(InvalidTag):
        _open(OTHER, HERE, sealed)


def test_a_row_that_was_moved_to_another_author_or_place_cannot_be_read(database: Database) -> None:
    circle = builders.circle(database)
    for member in circle.members[:2]:
        circle.post(member, f"Van {member.ref}")
    with database.work() as w:
        first, second = w.db.scalars(select(Message).order_by(Message.id)).all()
        w.db.execute(update(Message).where(Message.id == second.id).values(text=first.text))
    with database.read() as r:
        row = r.db.get_one(Message, second.id)
        with pytest.raises(CannotOpen):
            r.ring.open(Message.text, f"{row.seat_id}:{row.key}", row.text)


@pytest.mark.parametrize("plain", ["open tekst", b"open tekst", b"\x01short", ""])
def test_plain_text_never_reaches_a_sealed_column(database: Database, plain: object) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], builders.ORDINARY)
    with pytest.raises(StatementError, match="sealed column"), database.work() as w:
        w.db.execute(update(Message).values(text=plain))


def test_every_column_of_words_is_sealed(database: Database) -> None:
    """A text column without a length is where people write; none is left that is not sealed, but for what the
    programme's own files say (`step_questions.words`)."""
    unsealed = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Text)
    ]
    assert unsealed == ["step_questions.words"]
    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, crypto.Sealed)
    }
    assert sealed == {
        "answer_shares.value",
        "answers.value",
        "authenticators.secret",
        "cases.note",
        "check_ins.content",
        "check_ups.content",
        "glass_breaks.note",
        "goals.content",
        "message_versions.text",
        "messages.text",
        "plan_cards.content",
        "relapse_reports.analysis",
        "session_notes.text",
        "session_steps.words",
        "topics.title",
        "urge_rides.content",
    }


def test_everybody_has_a_key_of_their_own_and_the_database_holds_it_wrapped_only(database: Database) -> None:
    circle = builders.circle(database)
    with database.read() as r:
        rows = r.db.scalars(select(DataKey)).all()
        assert {row.person_id for row in rows} == {m.person_id for m in (circle.hanna, *circle.members)}
        assert len({row.wrapped for row in rows}) == len(rows)
        assert [len(row.wrapped) for row in rows] == [60] * len(rows)
    with pytest.raises(CannotOpen, match="does not fit"):
        Vault({"testkey1": os.urandom(32)}).unwrap(rows[0].id, rows[0].master, rows[0].wrapped)
    with pytest.raises(CannotOpen, match="not in the key file"):
        Vault({"another1": os.urandom(32)}).unwrap(rows[0].id, rows[0].master, rows[0].wrapped)


def test_destroying_a_key_makes_every_copy_unreadable(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    for member in (mees, noor):
        circle.post(member, builders.ORDINARY)
    with database.work() as w:
        copies = w.db.execute(select(Message.seat_id, Message.key, Message.text).order_by(Message.id)).all()
        key_id = w.ring.destroy(mees.person_id, w.now.date())
        assert key_id is not None
        database.vault.forget(key_id)
    with database.read() as r:
        mine, hers = [(f"{c.seat_id}:{c.key}", c.text) for c in copies]
        with pytest.raises(CannotOpen, match="destroyed"):
            r.ring.open(Message.text, *mine)
        assert r.ring.open(Message.text, *hers) == builders.ORDINARY
        assert r.db.scalars(select(DestroyedKey.id)).all() == [key_id]
        with pytest.raises(CannotOpen):
            r.ring.seal(mees.person_id, Message.text, "1:a", "Nog iets")
    with database.work() as w:
        assert w.ring.destroy(mees.person_id, w.now.date()) is None


def test_a_new_master_key_rewraps_every_key_and_nothing_written_changes(database: Database) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], builders.ORDINARY)
    database.vault = Vault({"newest01": os.urandom(32), **MASTERS})
    assert rotation.rewrap(database, batch=2) == 4
    assert rotation.rewrap(database) == 0
    another = Vault({"newest01": os.urandom(32)})
    with database.read() as r:
        assert set(r.db.scalars(select(DataKey.master))) == {"newest01"}
        row = r.db.scalars(select(Message)).one()
        assert r.ring.open(Message.text, f"{row.seat_id}:{row.key}", row.text) == builders.ORDINARY
    with pytest.raises(CannotOpen):
        another.unwrap(*_stored(database))


def _stored(database: Database) -> tuple[str, str, bytes]:
    with database.read() as r:
        row = r.db.scalars(select(DataKey)).first()
        assert row is not None
        return row.id, row.master, row.wrapped


def test_a_rolled_back_person_leaves_no_key_behind_that_another_would_use(database: Database) -> None:
    organisation = builders.organisation(database)

    def interrupted() -> None:
        with database.work() as w:
            accounts.create_person(w, organisation, Role.CLIENT, "nobody-1", "!")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    actor, _token = builders.someone(database, organisation)
    with database.work() as w:
        sealed = w.ring.seal(actor.person_id, Message.text, "1:a", "Hoi")
    with database.read() as r:
        database.vault._open.clear()  # as another process would find it
        assert r.ring.open(Message.text, "1:a", sealed) == "Hoi"


def test_opening_many_costs_one_query_and_none_once_the_keys_are_known(database: Database) -> None:
    circle = builders.circle(database)
    for member in circle.members:
        circle.post(member, builders.ORDINARY)
    database.vault._open.clear()
    with database.read() as r:
        rows = r.db.execute(select(Message.seat_id, Message.key, Message.text)).all()
        values = [(f"{m.seat_id}:{m.key}", m.text) for m in rows]
        with builders.statements(database) as cold:
            assert r.ring.open_all(Message.text, values) == [builders.ORDINARY] * 3
        with builders.statements(database) as warm:
            r.ring.open_all(Message.text, values)
    assert (len(cold), len(warm)) == (1, 0)
