"""Answers: private, shared under the alias, or counted without one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.core.errors import AppError, Invalid, NotFound, TooLarge
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms
from groups.models import Answer
from groups.programme import exercises, values
from groups.programme.curriculum import programme
from groups.programme.exercises import Kept, Own
from groups.subjects import AnswerSubject, MessageSubject
from moderation import queue, subjects
from tests import builders
from tests.builders import CRISIS, PHONE, RUDE, Circle, Someone
from tests.conftest import FrozenClock, Heard

CHAPTER, SESSION = "understanding", 1
POLL, QUESTION, REFLECTION, CHECKLIST = "which-feeling", "in-the-moment", "a-moment", "self-check"


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"message": MessageSubject(), "answer": AnswerSubject()})


def _answer(circle: Circle, who: Someone, step: str, value: Any, *, share: bool = False) -> Kept:
    with circle.database.work(who.actor) as w:
        found = rooms.place(w, circle.room)
        return exercises.answer(w, found, CHAPTER, step, value, share=share, session_id=SESSION)


def _own(circle: Circle, who: Someone) -> dict[str, Own]:
    with circle.database.read(who.actor) as r:
        return exercises.own(r, rooms.place(r, circle.room), CHAPTER, SESSION)


def _shared(circle: Circle) -> list[tuple[str, str]]:
    with circle.database.read() as r:
        return exercises.shared(r, SESSION, QUESTION)


def _cases(circle: Circle) -> list[queue.Card]:
    with circle.database.read(circle.hanna.actor) as r:
        return queue.waiting(r)


def _look(circle: Circle, ref: str) -> queue.Detail:
    with circle.database.work(circle.hanna.actor) as w:
        return queue.look(w, ref)


def _decide(circle: Circle, detail: queue.Detail, decision: str) -> None:
    with circle.database.work(circle.hanna.actor) as w:
        queue.decide(w, detail.card.public_id, detail.version, decision, "tone")


def test_a_private_answer_is_its_authors_alone(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    for text in ("Ik was alleen thuis", RUDE, PHONE):
        assert _answer(circle, mees, REFLECTION, text, share=True).status == "posted"
        assert _own(circle, mees)[REFLECTION] == Own(REFLECTION, text, (), "private", False, {}, [], [text])
    assert _own(circle, noor) == {}
    assert _shared(circle) == []
    assert _cases(circle) == []
    assert heard == []


def test_a_private_cry_for_help_shows_help_to_its_author_and_tells_nobody(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    assert _answer(circle, circle.members[0], REFLECTION, CRISIS) == Kept("posted", False, True)
    assert _cases(circle) == []
    assert heard == []


def test_sharing_is_a_choice_and_happens_under_the_alias(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    _answer(circle, noor, QUESTION, "Even geen gedachten", share=True)
    clock.forward(seconds=1)
    _answer(circle, mees, QUESTION, "Rust in mijn hoofd")
    assert _shared(circle) == [("Noor_eik", "Even geen gedachten")]
    _answer(circle, mees, QUESTION, "Rust in mijn hoofd", share=True)
    assert _shared(circle) == [("Noor_eik", "Even geen gedachten"), ("Mees_duin", "Rust in mijn hoofd")]
    _answer(circle, noor, QUESTION, "Toch liever niet")  # taken back
    assert _shared(circle) == [("Mees_duin", "Rust in mijn hoofd")]


def test_what_is_shared_is_masked_first(database: Database) -> None:
    circle = builders.circle(database)
    assert _answer(circle, circle.members[0], QUESTION, PHONE, share=True) == Kept("posted", True, False)
    [(_, text)] = _shared(circle)
    assert "06 12345678" not in text
    with database.read() as r:
        assert "06 12345678" not in str(r.db.scalars(select(Answer.value)).all())


def test_what_must_be_looked_at_is_shown_only_after_it_was_released(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    assert _answer(circle, mees, QUESTION, RUDE, share=True).status == "held"
    assert _shared(circle) == []
    assert _own(circle, mees)[QUESTION].text == RUDE
    [card] = _cases(circle)
    detail = _look(circle, card.public_id)
    assert (detail.subject.alias, detail.subject.text, detail.subject.held) == ("Mees_duin", RUDE, True)
    _decide(circle, detail, "release")
    assert _shared(circle) == [("Mees_duin", RUDE)]
    assert {"kind": "released", "room": circle.room} in heard.payloads(f"person:{mees.person_id}", "notice")


def test_what_was_rejected_is_never_shown(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _answer(circle, mees, QUESTION, RUDE, share=True)
    _decide(circle, _look(circle, _cases(circle)[0].public_id), "reject")
    assert _shared(circle) == []
    told = heard.payloads(f"person:{mees.person_id}", "notice")
    assert {"kind": "rejected", "room": circle.room, "reason": "tone"} in told


def test_a_release_is_for_the_words_that_were_looked_at(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _answer(circle, mees, QUESTION, RUDE, share=True)
    seen = _look(circle, _cases(circle)[0].public_id)
    _answer(circle, mees, QUESTION, "stuur me een naaktfoto", share=True)  # other words, held as well
    try:
        _decide(circle, seen, "release")
    except AppError:
        pass  # it may be refused, or done for the first words only
    assert "naaktfoto" not in str(_shared(circle))


def test_an_answer_that_became_private_is_closed_to_moderators_too(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _answer(circle, mees, QUESTION, RUDE, share=True)
    _answer(circle, mees, QUESTION, "Dit is alleen voor mij")
    for card in _cases(circle):
        try:
            assert "alleen voor mij" not in _look(circle, card.public_id).subject.text
        except NotFound:
            pass


def test_one_answer_waits_in_the_queue_once(database: Database) -> None:
    circle = builders.circle(database)
    for _ in range(3):
        _answer(circle, circle.members[0], QUESTION, RUDE, share=True)
    assert len(_cases(circle)) == 1


def test_a_shared_cry_for_help_alerts_facilitators_in_the_same_transaction(database: Database) -> None:
    circle = builders.circle(database)
    assert _answer(circle, circle.members[0], QUESTION, CRISIS, share=True).crisis
    [card] = _cases(circle)
    assert (card.level, card.held) == (queue.RED, False)
    with database.read() as r:
        alerts = r.db.execute(select(OutboxItem.person_id, OutboxItem.kind)).all()
    assert alerts == [(circle.hanna.person_id, "alert")]


def test_a_shared_cry_for_help_that_is_sent_again_brings_help_again_but_one_alert(database: Database) -> None:
    circle = builders.circle(database)
    first, again = (_answer(circle, circle.members[0], QUESTION, CRISIS, share=True) for _ in range(2))
    assert first == again == Kept("posted", False, True)
    assert len(_cases(circle)) == 1
    with database.read() as r:
        assert len(r.db.scalars(select(OutboxItem.id)).all()) == 1


def test_a_poll_takes_exactly_one_of_its_options(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    wrong: list[Any] = [[], [0, 1], [7], [-1], ["x"], "", None, [None], [[0]], {"0": 0}, [0.5]]
    for value in (*wrong, ["²"], ["1" * 5_000]):
        with pytest.raises(Invalid):
            _answer(circle, mees, POLL, value)
    for value, chosen in (([3], 3), (["4"], 4), ("5", 5), (0, 0)):
        _answer(circle, mees, POLL, value)
        own = _own(circle, mees)[POLL]
        assert (own.text, own.chosen, own.sharing) == ("", (chosen,), "counted")


def test_a_checklist_takes_many_or_none(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    for value, chosen in ((["4", "0", "2"], (0, 2, 4)), ([], ())):
        _answer(circle, mees, CHECKLIST, value)
        assert _own(circle, mees)[CHECKLIST].chosen == chosen
    for wrong in ([1, 1], ["1", 1], [6], ["0", "x"]):
        with pytest.raises(Invalid):
            _answer(circle, mees, CHECKLIST, wrong)
    assert _own(circle, mees)[CHECKLIST].chosen == ()


def test_a_second_answer_replaces_the_first(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    for text in ("Eerst dit", "Dan dat"):
        _answer(circle, mees, QUESTION, text, share=True)
    assert _shared(circle) == [("Mees_duin", "Dan dat")]
    with database.read() as r:
        assert len(r.db.scalars(select(Answer)).all()) == 1
        assert exercises.given(r, SESSION, QUESTION) == 1
        assert [row.membership_id for _alias, row in exercises.at(r, SESSION, QUESTION)] == [mees.membership_id]


def test_the_same_answer_from_two_screens_at_the_same_moment_is_kept_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    monkeypatch.setattr(exercises, "_own_row", builders.Gap().after(exercises._own_row))
    answers = builders.at_once(*[lambda: _answer(circle, mees, POLL, [1])] * 2)
    assert [a for a in builders.refusals(answers) if not isinstance(a, AppError)] == []
    assert _own(circle, mees)[POLL].chosen == (1,)


def test_what_is_written_at_home_stays_apart_from_the_session(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    _answer(circle, mees, REFLECTION, "In de groep")
    with database.work(mees.actor) as w:
        found = rooms.place(w, circle.room)
        exercises.answer(w, found, CHAPTER, REFLECTION, "Thuis")
        assert exercises.own(w, found, CHAPTER, 0)[REFLECTION].text == "Thuis"
    assert _own(circle, mees)[REFLECTION].text == "In de groep"


def test_only_steps_that_ask_something_take_an_answer(database: Database) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    for step in ("welcome", "what-it-does", "pause", "no-such-step", ""):
        with pytest.raises(NotFound):
            _answer(circle, mees, step, "tekst")
    with pytest.raises(TooLarge):
        _answer(circle, mees, QUESTION, "x" * (values.LIMIT + 1))
    for nothing in ("", "  ", None, ["x"]):
        with pytest.raises(Invalid):
            _answer(circle, mees, QUESTION, nothing)


def test_a_tally_needs_five_answers_or_leave_for_three(database: Database) -> None:
    circle = builders.circle(database, 5)
    step = programme("lust-leren-loslaten", "nl").chapter(CHAPTER).step(POLL)
    for number, member in enumerate(circle.members, 1):
        _answer(circle, member, POLL, [2])
        with database.read() as r:
            seen = exercises.summary(r, exercises.at(r, SESSION, POLL), step, revealed=True)
        assert (seen["tally"] is None) is (number < 5)
        assert (seen["given"], seen["few"]) == (number, 5 - number)
    assert [line["count"] for line in seen["tally"]] == [0, 0, 5, 0, 0, 0, 0]
