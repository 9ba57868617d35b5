"""The run-sheet: lines of the programme and of one's own, changed before a session and during it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.core.crypto import CannotOpen
from app.core.errors import Closed, Forbidden, Invalid, NotFound, TooLarge
from app.core.i18n import LANGUAGES
from app.core.work import Database
from groups.agenda import planning, runsheet, steering
from groups.agenda.runsheet import Line, Words
from groups.led import sessions
from groups.models import Answer, GroupSession, SessionStep
from groups.programme.curriculum import programme
from tests import builders
from tests.builders import Circle, Someone

SLUG = "lust-leren-loslaten"
QUESTION = Words("exercise", "question", "shared", "Wat hielp?", "Eén ding is genoeg.", (), 10)
POLL = Words("theme", "poll", "shared", "Hoe zit je erbij?", "", ("Rustig", "Onrustig"), 5)


def _lead(circle: Circle, call: Callable[..., Any], *args: Any, who: Someone | None = None, **more: Any) -> Any:
    with circle.database.work((who or circle.hanna).actor) as w:
        return call(w, *args, **more)


def _lines(circle: Circle, ref: str) -> list[Line]:
    with circle.database.read(circle.hanna.actor) as r:
        return runsheet.lines(r, *steering.lead(r, ref))


def _ids(circle: Circle, ref: str) -> list[str]:
    return [line.step.id for line in _lines(circle, ref)]


def _session(circle: Circle, ref: str) -> GroupSession:
    with circle.database.read(circle.hanna.actor) as r:
        return steering.lead(r, ref)[0]


def test_a_chapters_session_starts_with_its_steps_each_in_a_phase(database: Database) -> None:
    circle = builders.circle(database)
    lines = _lines(circle, circle.plan())
    assert [line.step.id for line in lines] == [
        step.id for step in programme(SLUG, "nl").chapter("understanding").run_sheet
    ]
    assert [line.phase for line in lines] == [
        "check-in",
        "theme",
        "theme",
        "exercise",
        "break",
        "theme",
        "exercise",
        "closing",
    ]
    assert [line.position for line in lines] == list(range(len(lines)))
    assert not any(line.free for line in lines)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_without_a_chapter_it_is_fifteen_sixty_and_fifteen_minutes(language: str) -> None:
    steps = programme(SLUG, language).chapter("").run_sheet
    assert [step.id for step in steps] == list(runsheet.PHASES)
    minutes = [step.minutes for step in steps]
    assert (sum(minutes[:2]), sum(minutes[2:5]), sum(minutes[5:])) == (15, 60, 15)


def test_a_session_without_a_chapter_can_be_planned_and_opened(database: Database) -> None:
    circle = builders.circle(database)
    ref = _lead(circle, planning.plan, circle.group, "", database.clock(), 90)
    assert runsheet.total(_lines(circle, ref)) == 90
    _lead(circle, sessions.open_session, ref, 1)
    assert _session(circle, ref).status == "open"


def test_a_line_of_ones_own_stands_where_it_was_put_and_is_sealed(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    before = _ids(circle, ref)
    line_ref = _lead(circle, runsheet.add, ref, 1, 1, QUESTION)
    lines = _lines(circle, ref)
    assert [line.step.id for line in lines] == [before[0], f"own-{line_ref}", *before[1:]]
    own = lines[1]
    assert (own.ref, own.free, own.phase, own.minutes) == (line_ref, True, "exercise", 10)
    assert (own.step.title, own.step.prompt) == ("Wat hielp?", "Eén ding is genoeg.")
    assert (own.step.kind, own.step.sharing, own.step.answered) == ("question", "shared", True)
    assert _session(circle, ref).version == 2
    with database.read() as r:
        row = r.db.scalars(select(SessionStep).where(SessionStep.public_id == line_ref)).one()
        assert row.words is not None
        assert b"hielp" not in row.words
        assert row.author_id == circle.hanna.person_id
    with database.work() as w:
        w.ring.destroy(circle.hanna.person_id, w.now.date())
        database.vault.forget(row.words[1:9].hex())
    with pytest.raises(CannotOpen):
        _lines(circle, ref)
    with database.work() as w:  # as erasing the author leaves it
        row = w.db.scalars(select(SessionStep).where(SessionStep.public_id == line_ref)).one()
        row.words, row.author_id = None, None
    assert _lines(circle, ref)[1].step.title == "…"


def test_choices_are_counted_and_a_scale_has_eleven_points_unless_told(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    _lead(circle, runsheet.add, ref, 1, 0, POLL)
    _lead(circle, runsheet.add, ref, 2, 0, Words("check-in", "scale", "shared", "Spanning", "", (), 5))
    scale, poll = _lines(circle, ref)[:2]
    assert (poll.step.options, poll.step.sharing) == (("Rustig", "Onrustig"), "counted")
    assert (scale.step.options, scale.step.sharing) == (tuple(str(n) for n in range(11)), "counted")


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (Words("nowhere", "text", "", "Titel", "", (), 5), Invalid),
        (Words("theme", "checklist", "", "Titel", "", ("a", "b"), 5), Invalid),
        (Words("theme", "text", "", "  ", "", (), 5), Invalid),
        (Words("theme", "text", "", "x" * 81, "", (), 5), TooLarge),
        (Words("theme", "text", "", "Titel", "x" * 601, (), 5), TooLarge),
        (Words("theme", "text", "", "Titel", "", (), 0), Invalid),
        (Words("theme", "text", "", "Titel", "", (), 121), Invalid),
        (Words("theme", "question", "counted", "Titel", "", (), 5), Invalid),
        (Words("theme", "poll", "", "Titel", "", ("één",), 5), Invalid),
        (Words("theme", "poll", "", "Titel", "", ("twee", "twee"), 5), Invalid),
        (Words("theme", "poll", "", "Titel", "", tuple("abcdefghi"), 5), Invalid),
        (Words("theme", "text", "", "Titel", builders.PHONE, (), 5), Invalid),
        (Words("theme", "text", "", "Titel", builders.RUDE, (), 5), Invalid),
    ],
)
def test_what_cannot_be_a_line_is_refused_and_nothing_is_written(
    database: Database, words: Words, refusal: type[Exception]
) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    before = _lines(circle, ref)
    with pytest.raises(refusal):
        _lead(circle, runsheet.add, ref, 1, 0, words)
    with pytest.raises(Invalid):
        _lead(circle, runsheet.bind, ref, 1, 0, before[0].step.id, 5, "theme")  # it is there already
    assert _lines(circle, ref) == before
    assert _session(circle, ref).version == 1


def test_a_step_of_the_chapter_that_is_not_in_it_can_be_added_once(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    line_ref = _lead(circle, runsheet.bind, ref, 1, 30, "the-word", 7, "theme")
    last = _lines(circle, ref)[-1]
    assert (last.ref, last.step.id, last.minutes, last.phase) == (line_ref, "the-word", 7, "theme")
    for step, refusal in (("the-word", Invalid), ("no-such-step", NotFound)):
        with pytest.raises(refusal):
            _lead(circle, runsheet.bind, ref, 2, 0, step, 7, "theme")


def test_a_programmes_words_stay_the_programmes_and_an_open_sessions_may_be_changed(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    line = _lines(circle, ref)[1]
    with pytest.raises(Invalid):
        _lead(circle, runsheet.change, ref, 1, line.ref, words=QUESTION)
    _lead(circle, runsheet.change, ref, 1, line.ref, minutes=25, phase="exercise")
    changed = _lines(circle, ref)[1]
    assert (changed.minutes, changed.phase, changed.step) == (25, "exercise", line.step)
    free = _lead(circle, planning.plan, circle.group, "", database.clock(), 90)
    theme = _lines(circle, free)[2]
    _lead(circle, runsheet.change, free, 1, theme.ref, words=POLL)
    assert _lines(circle, free)[2].step.title == "Hoe zit je erbij?"


def test_while_a_session_runs_only_what_is_to_come_changes_and_everybody_stays_where_they_are(
    database: Database,
) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    _lead(circle, sessions.move, ref, 2, 2)
    lines = _lines(circle, ref)
    for n in (0, 2):
        for call, args in (
            (runsheet.move, (lines[n].ref, 5)),
            (runsheet.remove, (lines[n].ref,)),
        ):
            with pytest.raises(Closed):
                _lead(circle, call, ref, 3, *args)
        with pytest.raises(Closed):
            _lead(circle, runsheet.change, ref, 3, lines[n].ref, minutes=9)
    for position in (0, 2):
        with pytest.raises(Closed):
            _lead(circle, runsheet.add, ref, 3, position, QUESTION)
        with pytest.raises(Closed):
            _lead(circle, runsheet.move, ref, 3, lines[5].ref, position)
    _lead(circle, runsheet.add, ref, 3, 3, QUESTION)
    _lead(circle, runsheet.move, ref, 4, lines[6].ref, 3)
    _lead(circle, runsheet.remove, ref, 5, lines[4].ref)
    assert _session(circle, ref).position == 2
    now = _lines(circle, ref)
    assert [line.ref for line in now[:3]] == [line.ref for line in lines[:3]]
    assert now[3].ref == lines[6].ref
    assert [line.position for line in now] == list(range(len(now)))


def test_once_somebody_answered_the_question_stays(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    line_ref = _lead(circle, runsheet.add, ref, 1, 3, QUESTION)
    session = _session(circle, ref)
    with database.work() as w:
        w.db.add(
            Answer(
                membership_id=circle.members[0].membership_id,
                session_id=session.id,
                programme="lust-leren-loslaten",
                chapter="understanding",
                step=f"own-{line_ref}",
                step_version=1,
                value=w.ring.seal(circle.members[0].person_id, Answer.value, "any", "Rust"),
                sharing="shared",
                updated_at=w.now,
            )
        )
    with pytest.raises(Closed):
        _lead(circle, runsheet.change, ref, 2, line_ref, words=POLL)
    with pytest.raises(Closed):
        _lead(circle, runsheet.remove, ref, 2, line_ref)
    _lead(circle, runsheet.change, ref, 2, line_ref, minutes=12)
    assert _lines(circle, ref)[3].minutes == 12


def test_who_comes_second_changes_nothing_and_neither_does_anybody_else(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    ref = circle.plan()
    before = _lines(circle, ref)
    line = before[1].ref
    edits: tuple[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]], ...] = (
        (runsheet.add, (0, QUESTION), {}),
        (runsheet.bind, (0, "the-word", 5, "theme"), {}),
        (runsheet.change, (line,), {"minutes": 5}),
        (runsheet.move, (line, 0), {}),
        (runsheet.remove, (line,), {}),
    )
    for call, args, more in edits:
        with pytest.raises(Closed):
            _lead(circle, call, ref, 7, *args, **more)
        with pytest.raises(Forbidden):
            _lead(circle, call, ref, 1, *args, who=circle.members[0], **more)
        with pytest.raises(NotFound):
            _lead(circle, call, ref, 1, *args, who=other.hanna, **more)
    assert _lines(circle, ref) == before


def test_two_who_change_it_at_the_same_moment_change_it_once(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    ilse = circle.second_lead()
    answers = builders.at_once(
        lambda: _lead(circle, runsheet.add, ref, 1, 0, QUESTION),
        lambda: _lead(circle, runsheet.add, ref, 1, 0, POLL, who=ilse),
    )
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "str"]
    lines = _lines(circle, ref)
    assert sum(line.free for line in lines) == 1
    assert [line.position for line in lines] == list(range(len(lines)))


def test_a_session_that_is_over_keeps_its_run_sheet(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    _lead(circle, sessions.close, ref, 2)
    with pytest.raises(Closed):
        _lead(circle, runsheet.add, ref, 3, 9, QUESTION)


def test_the_run_sheet_is_read_in_two_queries_however_many_wrote_it(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    ilse = circle.second_lead()
    for version in range(1, 5):
        _lead(circle, runsheet.add, ref, version, 0, QUESTION, who=ilse if version % 2 else circle.hanna)
    database.vault._open.clear()
    with database.read(circle.hanna.actor) as r:
        found = steering.lead(r, ref)
        with builders.statements(database) as asked:
            runsheet.lines(r, *found)
    assert len(asked) == 2


def test_any_order_of_changes_gives_the_order_a_plain_list_would_have(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.plan()
    chance, version = random.Random(7), 1
    order = [line.ref for line in _lines(circle, ref)]
    for _ in range(25):
        place, line = chance.randint(0, len(order)), chance.choice(order)
        what = chance.choice(("add", "move", "move", "remove"))
        if what == "add":
            order.insert(place, _lead(circle, runsheet.add, ref, version, place, QUESTION))
        elif what == "move":
            _lead(circle, runsheet.move, ref, version, line, place)
            order.remove(line)
            order.insert(place, line)
        else:
            _lead(circle, runsheet.remove, ref, version, line)
            order.remove(line)
        version += 1
        found = _lines(circle, ref)
        assert [line.ref for line in found] == order
        assert [line.position for line in found] == list(range(len(order)))


def test_an_open_session_is_the_same_in_every_language() -> None:
    shapes = [
        [(step.id, step.kind, step.minutes, step.sharing) for step in programme(SLUG, language).chapter("").steps]
        for language in LANGUAGES
    ]
    assert shapes[0] == shapes[1]
