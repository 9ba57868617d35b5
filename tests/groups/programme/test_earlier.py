"""What somebody wrote before: with the question as it was asked, whatever became of it, and theirs to take away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.errors import Closed, NotFound
from app.core.work import Database
from groups import rooms
from groups.agenda import planning, runsheet, steering
from groups.led import answering, sessions
from groups.models import Answer, Share
from groups.people import leaving
from groups.programme import curriculum, earlier, exercises, progress, sharing
from groups.programme.earlier import Earlier, Given
from groups.subjects import AnswerSubject
from moderation import queue, subjects
from tests import builders
from tests.builders import RUDE, Circle, Someone
from tests.groups.programme import small
from tests.groups.programme.small import CHAPTER


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"answer": AnswerSubject()})


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with small.in_use(tmp_path / "content") as made:
        yield made


@pytest.fixture
def circle(database: Database, folder: Path) -> Circle:
    made = builders.circle(database)
    small.follow(database, made.group_id)
    return made


def _answer(circle: Circle, who: Someone, step: str, value: Any) -> None:
    with circle.database.work(who.actor) as w:
        exercises.answer(w, rooms.place(w, circle.room), CHAPTER, step, value)


def _at(circle: Circle, who: Someone, step: str) -> Given | None:
    with circle.database.read(who.actor) as r:
        place = rooms.place(r, circle.room)
        asked = curriculum.programme(place.programme, "nl").chapter(CHAPTER).step(step)
        return earlier.at(r, place, CHAPTER, asked)


def _all(circle: Circle, who: Someone) -> dict[str, Earlier]:
    with circle.database.read(who.actor) as r:
        return {one.step: one for part in earlier.everything(r) for one in part.answers}


def _remove(circle: Circle, who: Someone, ref: str) -> None:
    with circle.database.work(who.actor) as w:
        earlier.remove(w, ref)


def _without(step: str) -> str:
    lines = [line for line in small.FRONT.splitlines(keepends=True) if f"id: {step}" not in line]
    return small.text("".join(lines), [s for s in small.STEPS if s != step])


def test_one_finds_ones_own_answers_by_chapter_and_nobody_elses(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    _answer(circle, mees, "schrijven", "Het was stil")
    _answer(circle, mees, "uren", ["3", "41"])
    _answer(circle, noor, "schrijven", "Van Noor")
    with circle.database.read(mees.actor) as r:
        [part] = earlier.everything(r)
    assert part.title == "Alle soorten"
    assert [(one.asked.prompt if one.asked else "", one.lines, one.hours) for one in part.answers] == [
        ("Wat viel je op?", ["Het was stil"], ()),
        ("Welke uren?", [], (3, 41)),
    ]
    assert not any(one.now or one.gone or one.in_session for one in part.answers)
    with pytest.raises(NotFound):
        _remove(circle, noor, part.answers[0].ref)


def test_an_answer_keeps_the_question_it_was_given_to(circle: Circle, folder: Path) -> None:
    mees = circle.members[0]
    _answer(circle, mees, "schrijven", "Het was stil")
    small.write(folder, small.text(small.FRONT.replace("Wat viel je op?", "Wat merkte je?")))
    one = _all(circle, mees)["schrijven"]
    assert one.asked is not None
    assert one.now is not None
    assert (one.asked.prompt, one.now.prompt) == ("Wat viel je op?", "Wat merkte je?")
    given = _at(circle, mees, "schrijven")
    assert given is not None
    assert given.asked is not None
    assert (given.text, given.fits, given.asked.prompt) == ("Het was stil", True, "Wat viel je op?")


def test_an_answer_that_no_longer_fits_is_shown_and_not_filled_in(circle: Circle, folder: Path) -> None:
    mees = circle.members[0]
    _answer(circle, mees, "kruisen", ["0", "2"])
    _answer(circle, mees, "vakken", {"voor": "Thuis", "na": ""})
    changed = small.FRONT.replace('["Een", "Twee", "Drie"]', '["Nul", "Een", "Twee", "Drie"]')
    changed = changed.replace("{id: na, label", "{id: later, label")
    small.write(folder, small.text(changed))
    for step, lines in (("kruisen", ["Een", "Drie"]), ("vakken", ["Ervoor: Thuis"])):
        given = _at(circle, mees, step)
        assert given is not None
        assert (given.fits, given.lines, tuple(given.chosen), given.boxes) == (False, lines, (), {})
        assert _all(circle, mees)[step].lines == lines


def test_what_was_answered_at_a_step_that_is_gone_is_still_there(circle: Circle, folder: Path) -> None:
    mees = circle.members[0]
    _answer(circle, mees, "getal", ["7"])
    small.write(folder, _without("getal"))
    one = _all(circle, mees)["getal"]
    assert one.asked is not None
    assert (one.gone, one.here, one.asked.prompt, one.lines) == (True, False, "Hoeveel?", ["7"])


def test_a_facilitators_own_question_comes_with_its_words(circle: Circle) -> None:
    mees = circle.members[0]
    with circle.database.work(circle.hanna.actor) as w:
        ref = planning.plan(w, circle.group, CHAPTER, w.now, 60)
        words = runsheet.Words("theme", "question", "shared", "Nog iets", "Wat wil je kwijt?", (), 5)
        runsheet.add(w, ref, 1, 0, words)
        sessions.open_session(w, ref, 2)
        step = runsheet.lines(w, *steering.lead(w, ref))[0].step.id
    with circle.database.work(mees.actor) as w:
        answering.answer(w, circle.room, step, "Dat het druk is", share=True)
    one = _all(circle, mees)[step]
    assert one.asked is not None
    assert (one.own, one.gone, one.in_session, one.asked.prompt) == (True, False, True, "Wat wil je kwijt?")
    with pytest.raises(Closed):
        _remove(circle, mees, one.ref)  # it is on everybody's screen
    with circle.database.work(circle.hanna.actor) as w:
        sessions.close(w, ref, 3)
    _remove(circle, mees, one.ref)
    assert step not in _all(circle, mees)


def test_an_answer_can_be_taken_away_with_what_was_shared_of_it_and_the_step_stays_done(circle: Circle) -> None:
    mees = circle.members[0]
    _answer(circle, mees, "schrijven", "Het was stil")
    _answer(circle, mees, "delen", "Wandelen")
    with circle.database.work(mees.actor) as w:
        place = rooms.place(w, circle.room)
        progress.mark(w, place, CHAPTER, "schrijven")
        sharing.share(w, place, CHAPTER, "schrijven", sharing.STAFF)
    given = _at(circle, mees, "schrijven")
    assert given is not None
    _remove(circle, mees, given.ref)
    assert list(_all(circle, mees)) == ["delen"]
    with circle.database.read(mees.actor) as r:
        assert r.db.scalar(select(func.count()).select_from(Share)) == 0
        assert progress.of_chapter(r, rooms.place(r, circle.room), CHAPTER) == {"schrijven"}
    with pytest.raises(NotFound):
        _remove(circle, mees, given.ref)


def test_no_case_points_at_an_answer_that_was_taken_away(circle: Circle) -> None:
    mees = circle.members[0]
    with circle.database.work(mees.actor) as w:
        place = rooms.place(w, circle.room)
        exercises.answer(w, place, CHAPTER, "delen", RUDE, share=True, session_id=1)
    [one] = _all(circle, mees).values()
    _remove(circle, mees, one.ref)
    with circle.database.read(circle.hanna.actor) as r:
        assert queue.waiting(r) == []


def test_what_counts_without_a_name_cannot_be_taken_out_by_itself(circle: Circle) -> None:
    mees = circle.members[0]
    with circle.database.work(mees.actor) as w:
        exercises.answer(w, rooms.place(w, circle.room), CHAPTER, "peilen", ["1"], session_id=1)
    [one] = _all(circle, mees).values()
    assert not one.removable
    with pytest.raises(Closed):
        _remove(circle, mees, one.ref)
    with circle.database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(Answer)) == 1


def test_answers_of_a_group_one_left_are_still_ones_own(circle: Circle) -> None:
    mees = circle.members[0]
    _answer(circle, mees, "schrijven", "Het was stil")
    with circle.database.work(mees.actor) as w:
        leaving.leave(w, circle.group)
    one = _all(circle, mees)["schrijven"]
    assert (one.lines, one.here) == (["Het was stil"], False)
    _remove(circle, mees, one.ref)
    assert _all(circle, mees) == {}


def test_a_name_of_an_answer_says_nothing_and_is_another_for_each(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    for who in (mees, noor):
        _answer(circle, who, "schrijven", "Het was stil")
        _answer(circle, who, "delen", "Wandelen")
    refs = [one.ref for who in (mees, noor) for one in _all(circle, who).values()]
    assert len(set(refs)) == 4
    assert all(len(ref) == 16 and set(ref) <= set("0123456789abcdef") for ref in refs)


def test_it_costs_as_many_questions_for_many_answers_as_for_one(circle: Circle) -> None:
    mees = circle.members[0]

    def cost() -> int:
        with circle.database.read(mees.actor) as r, builders.statements(circle.database) as seen:
            earlier.everything(r)
        return len(seen)

    _answer(circle, mees, "schrijven", "Het was stil")
    one = cost()
    for step, value in (("delen", "Wandelen"), ("getal", ["3"]), ("uren", ["1"]), ("lijst", [["als", "dan"]])):
        _answer(circle, mees, step, value)
    assert cost() == one <= 4


def test_taking_along_gives_the_question_and_the_answer_in_words(circle: Circle) -> None:
    mees = circle.members[0]
    _answer(circle, mees, "schrijven", "Het was stil")
    _answer(circle, mees, "lijst", [["laat op", "naar bed"]])
    _answer(circle, mees, "kruisen", ["1"])
    _answer(circle, mees, "uren", ["3"])
    with circle.database.read(mees.actor) as r:
        found = {one["question"]: one for one in earlier.kept_of(r, mees.membership_id, "nl")}
    assert found["Wat viel je op?"]["text"] == "Het was stil"
    assert found["Maak een lijst."]["lines"] == ["laat op · naar bed"]
    assert found["Wat past?"]["chosen"] == ["Twee"]
    assert found["Welke uren?"]["hours_of_the_week"] == [12]
