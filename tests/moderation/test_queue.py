"""The review queue: danger first, decided once, each step on record."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import audit
from app.core.audit import AuditLine
from app.core.errors import Closed, Invalid, NotFound, TooLarge
from app.core.permissions import Role
from app.core.work import Database
from groups import rooms
from groups.subjects import AnswerSubject, MessageSubject
from groups.talk import conversation, decisions
from moderation import queue, subjects
from moderation.models import Case
from moderation.screening import Reason
from tests import builders
from tests.builders import CRISIS, RUDE, Circle, Someone
from tests.conftest import SEAL_KEY, FrozenClock, Heard


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"message": MessageSubject(), "answer": AnswerSubject()})


def _waiting(circle: Circle, who: Someone | None = None) -> list[queue.Card]:
    with circle.database.read((who or circle.hanna).actor) as r:
        return queue.waiting(r)


def _look(circle: Circle, ref: str) -> queue.Detail:
    with circle.database.work(circle.hanna.actor) as w:
        return queue.look(w, ref)


def _decide(circle: Circle, ref: str, decision: str, reason: str = "", version: int = 1, note: str = "") -> None:
    with circle.database.work(circle.hanna.actor) as w:
        queue.decide(w, ref, version, decision, reason, note)


def _read(circle: Circle) -> list[str]:
    with circle.database.read(circle.members[0].actor) as r:
        return [v.text for v in conversation.history(r, rooms.place(r, circle.room), 0)]


def _held(circle: Circle) -> str:
    circle.post(circle.members[0], RUDE)
    return _waiting(circle)[-1].public_id


KINDS = st.sampled_from(["contact", "identity", "crisis_self", "crisis_other", "child_safety", "explicit"])


@given(st.lists(KINDS), st.booleans())
def test_an_alert_is_red_danger_is_amber_and_the_rest_can_wait(kinds: list, alert: bool) -> None:
    level = queue.level_of([Reason(kind, "rule") for kind in kinds], alert)
    danger = bool({"crisis_self", "crisis_other", "child_safety"} & set(kinds))
    assert level == (queue.RED if alert else queue.AMBER if danger else queue.OTHER)
    assert queue.CLOCKS[queue.RED] < queue.CLOCKS[queue.AMBER] < queue.CLOCKS[queue.OTHER]


def test_danger_comes_first_and_then_what_is_due_first(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    for who, text in ((mees, RUDE), (noor, RUDE + " ja"), (mees, CRISIS)):
        circle.post(who, text)
        clock.forward(minutes=1)
    cards = _waiting(circle)
    assert [(c.level, c.held) for c in cards] == [
        (queue.RED, False),
        (queue.OTHER, True),
        (queue.OTHER, True),
    ]
    assert cards[1].due_at < cards[2].due_at
    assert [c.due_at - c.opened_at for c in cards[:2]] == [timedelta(minutes=15), timedelta(hours=24)]
    assert RUDE not in str(cards)
    with database.read(circle.hanna.actor) as r, builders.statements(database) as sent:
        assert queue.count(r) == len(queue.waiting(r)) == 3
    assert len(sent) == 2


def test_another_organisation_sees_and_decides_nothing(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    ref = _held(circle)
    assert _waiting(other) == []
    for call in (lambda w: queue.look(w, ref), lambda w: queue.decide(w, ref, 1, "release", "")):
        with pytest.raises(NotFound), database.work(other.hanna.actor) as w:
            call(w)
    with database.read(other.hanna.actor) as r:
        assert queue.count(r) == 0
    assert len(_waiting(circle)) == 1


def test_a_case_is_read_with_what_came_before_and_the_reading_is_on_record(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor, _ = circle.members
    for number in range(5):
        circle.post(noor, f"Zin {number}")
    circle.post(mees, RUDE)
    circle.post(noor, "Daarna")
    detail = _look(circle, _waiting(circle)[0].public_id)
    subject = detail.subject
    assert (subject.alias, subject.place, subject.text, subject.held) == (
        "Mees_duin",
        "Dinsdaggroep",
        RUDE,
        True,
    )
    assert [line.text for line in subject.context] == ["Zin 1", "Zin 2", "Zin 3", "Zin 4"]
    with database.read() as r:
        line = r.db.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
        assert line is not None
        assert (line.action, line.actor_id) == ("case.read", circle.hanna.person_id)
        assert audit.verify(r.db, SEAL_KEY) is None


def test_a_release_places_it_and_a_rejection_keeps_it_back(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    released, rejected = _held(circle), None
    circle.post(circle.members[1], RUDE + " ja")
    rejected = _waiting(circle)[-1].public_id
    _decide(circle, released, "release", note="  Viel mee ")
    _decide(circle, rejected, "reject", "tone")
    assert _read(circle) == [RUDE]
    assert _waiting(circle) == []
    with database.read() as r:
        rows = r.db.execute(select(Case.decision, Case.reason, Case.decided_by, Case.version).order_by(Case.id)).all()
        notes = [
            r.ring.open(Case.note, case.public_id, case.note) for case in r.db.scalars(select(Case).order_by(Case.id))
        ]
        actions = r.db.scalars(select(AuditLine.action).where(AuditLine.object_kind == "case")).all()
    hanna = circle.hanna.person_id
    assert rows == [("release", None, hanna, 2), ("reject", "tone", hanna, 2)]
    assert notes == ["Viel mee", ""]
    assert actions == ["case.release", "case.reject"]
    assert "Viel mee" not in str(heard)


def test_a_case_is_decided_once(database: Database) -> None:
    circle = builders.circle(database)
    ref = _held(circle)
    with pytest.raises(Closed):
        _decide(circle, ref, "release", version=7)
    answers = builders.at_once(lambda: _decide(circle, ref, "release"), lambda: _decide(circle, ref, "reject", "tone"))
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]
    for version in (1, 2):
        with pytest.raises(Closed):
            _decide(circle, ref, "reject", "tone", version)
    with database.read() as r:
        decision = r.db.scalars(select(Case.decision)).one()
    assert (len(_read(circle)) == 1) is (decision == "release")


def test_a_decision_that_does_not_fit_changes_nothing(database: Database) -> None:
    circle = builders.circle(database)
    held = _held(circle)
    circle.post(circle.members[1], CRISIS)
    alert = _waiting(circle)[0].public_id
    for ref, decision, reason in (
        (held, "seen", ""),
        (held, "", ""),
        (held, "delete", ""),
        (held, "reject", ""),
        (held, "reject", "because"),
        (alert, "release", ""),
    ):
        with pytest.raises(Invalid):
            _decide(circle, ref, decision, reason)
    with pytest.raises(TooLarge):
        _decide(circle, held, "release", note="x" * 501)
    with pytest.raises(NotFound):
        _decide(circle, "nosuchcase12", "release")
    assert len(_waiting(circle)) == 2
    _decide(circle, alert, "seen")
    assert [c.public_id for c in _waiting(circle)] == [held]


@pytest.mark.parametrize("decision", ["release", "seen"])
def test_a_reason_is_a_code_whatever_is_decided(database: Database, decision: str) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], RUDE if decision == "release" else CRISIS)
    ref = _waiting(circle)[0].public_id
    with pytest.raises(Invalid):
        _decide(circle, ref, decision, "Mees woont in Ede")  # would stand in the audit log for ever
    assert len(_waiting(circle)) == 1


def test_when_the_subject_cannot_be_changed_nothing_is_decided(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    ref = _held(circle)

    def fail(*_args: object) -> None:
        raise OSError("no room on the disk")

    monkeypatch.setattr(decisions, "release", fail)
    with pytest.raises(OSError, match="disk"):
        _decide(circle, ref, "release")
    monkeypatch.undo()
    assert [c.public_id for c in _waiting(circle)] == [ref]
    _decide(circle, ref, "release")
    assert _read(circle) == [RUDE]


def test_staff_hear_that_there_is_a_case_and_that_it_was_decided(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    ref = _held(circle)
    _decide(circle, ref, "release")
    told = heard.payloads(f"reviewers:{circle.organisation_id}", "notice")
    assert told == [{"kind": "case", "level": queue.OTHER, "ref": ref}] * 2


def test_a_moderator_without_a_place_in_the_group_decides_too(database: Database) -> None:
    circle = builders.circle(database)
    ref = _held(circle)
    moderator, _ = builders.someone(database, circle.organisation_id, Role.MODERATOR, name="Aart")
    with database.work(moderator) as w:
        assert queue.look(w, ref).subject.text == RUDE
        queue.decide(w, ref, 1, "release", "")
    assert _read(circle) == [RUDE]


def test_a_kind_nobody_introduced_is_not_found() -> None:
    with pytest.raises(NotFound):
        subjects.of_kind(str(uuid.uuid4()))
    assert subjects.of_kind("message")
