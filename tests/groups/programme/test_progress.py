"""How far somebody is: what was done stays done, and there is always one step that comes next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.core.errors import Forbidden, NotFound
from app.core.work import Database
from groups import rooms
from groups.models import StepDone
from groups.people import leaving
from groups.programme import curriculum, progress
from groups.programme.progress import Progress
from tests import builders
from tests.builders import Circle, Someone
from tests.conftest import FrozenClock
from tests.groups.programme import small
from tests.groups.programme.small import CHAPTER, LAST, PATH


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with small.in_use(tmp_path / "content") as made:
        yield made


@pytest.fixture
def circle(database: Database, folder: Path) -> Circle:
    made = builders.circle(database)
    small.follow(database, made.group_id)
    return made


def _mark(circle: Circle, who: Someone, *steps: str, chapter: str = CHAPTER) -> None:
    for step in steps:
        with circle.database.work(who.actor) as w:
            progress.mark(w, rooms.place(w, circle.room), chapter, step)


def _far(circle: Circle, who: Someone) -> dict[str, Progress]:
    with circle.database.read(who.actor) as r:
        return progress.of_programme(r, rooms.place(r, circle.room))


def _next(circle: Circle, who: Someone) -> tuple[str, str] | None:
    with circle.database.read(who.actor) as r:
        found = progress.resume(r, rooms.place(r, circle.room))
    return (found[0].key, found[1].id) if found else None


def test_a_step_that_is_done_counts_and_takes_its_minutes_off_what_is_left(circle: Circle) -> None:
    mees, noor = circle.members[:2]
    before = _far(circle, mees)[CHAPTER]
    assert (before.done, before.total, before.state) == (0, len(PATH), "new")
    _mark(circle, mees, "lezen", "lezen", "schrijven")  # twice is once
    after = _far(circle, mees)[CHAPTER]
    assert (after.done, after.total, after.state) == (2, len(PATH), "begun")
    assert before.minutes_left - after.minutes_left == 1 + 10  # alone, a few lines are read in a minute
    assert _far(circle, noor)[CHAPTER] == before
    with circle.database.read(mees.actor) as r:
        assert progress.of_chapter(r, rooms.place(r, circle.room), CHAPTER) == {"lezen", "schrijven"}


def test_a_chapter_is_done_when_all_its_steps_for_at_home_are(circle: Circle) -> None:
    mees = circle.members[0]
    _mark(circle, mees, *PATH)
    assert _far(circle, mees)[CHAPTER] == Progress(len(PATH), len(PATH), 0)
    assert _far(circle, mees)[CHAPTER].state == "done"
    assert _far(circle, mees)[LAST].state == "new"


def test_what_is_kept_is_the_day_where_one_lives_and_not_the_hour(circle: Circle, clock: FrozenClock) -> None:
    clock.at = clock.at.replace(hour=23, minute=30)  # it is tomorrow already in Amsterdam
    _mark(circle, circle.members[0], "lezen")
    with circle.database.read() as r:
        [on] = r.db.scalars(select(StepDone.done_on)).all()
    assert on.isoformat() == "2026-11-18"


@pytest.mark.parametrize("step", ["welkom", "peilen", "nergens"])
def test_what_is_not_for_at_home_cannot_be_done_there(circle: Circle, step: str) -> None:
    with pytest.raises(NotFound):
        _mark(circle, circle.members[0], step)


def test_one_goes_on_after_the_step_one_did_last_and_then_with_what_was_skipped(circle: Circle) -> None:
    mees = circle.members[0]
    assert _next(circle, mees) == (CHAPTER, "lezen")
    _mark(circle, mees, "lezen", "getal")
    assert _next(circle, mees) == (CHAPTER, "kruisen")
    _mark(circle, mees, "schrijven")  # back to what was skipped
    assert _next(circle, mees) == (CHAPTER, "vakken")
    _mark(circle, mees, *PATH[PATH.index("kruisen") :])
    assert _next(circle, mees) == (LAST, "slot")
    _mark(circle, mees, "slot", chapter=LAST)
    assert _next(circle, mees) == (CHAPTER, "vakken")
    _mark(circle, mees, "vakken", "delen")
    assert _next(circle, mees) is None


def test_a_step_that_disappeared_counts_nowhere_and_nobody_is_sent_to_it(circle: Circle, folder: Path) -> None:
    mees = circle.members[0]
    _mark(circle, mees, "lezen", "schrijven")
    lines = [line for line in small.FRONT.splitlines(keepends=True) if "id: schrijven" not in line]
    small.write(folder, small.text("".join(lines), [s for s in small.STEPS if s != "schrijven"]))
    assert _far(circle, mees)[CHAPTER].done == 1
    assert _next(circle, mees) == (CHAPTER, "vakken")


def test_facilitators_see_how_far_each_member_is_and_members_see_it_of_nobody(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    _mark(circle, mees, "lezen")
    _mark(circle, noor, *PATH)
    with circle.database.read(circle.hanna.actor) as r:
        seen = progress.of_members(r, rooms.lead_place(r, circle.group))
    assert list(seen) == ["Jip_kiezel", "Mees_duin", "Noor_eik"]
    assert [seen[alias][CHAPTER].state for alias in seen] == ["new", "begun", "done"]
    with circle.database.read(mees.actor) as r, pytest.raises(Forbidden):
        progress.of_members(r, rooms.place(r, circle.room))


def test_who_left_is_not_among_them(circle: Circle) -> None:
    with circle.database.work(circle.members[0].actor) as w:
        leaving.leave(w, circle.group)
    with circle.database.read(circle.hanna.actor) as r:
        assert "Mees_duin" not in progress.of_members(r, rooms.lead_place(r, circle.group))


def test_done_on_two_screens_at_once_is_done_once(circle: Circle) -> None:
    mees = circle.members[0]
    assert builders.at_once(*(lambda: _mark(circle, mees, "lezen") for _ in range(3))) == [None] * 3
    with circle.database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(StepDone)) == 1


def test_it_costs_one_question_however_many_members_and_steps(circle: Circle) -> None:
    for member in circle.members:
        _mark(circle, member, *PATH)
    with circle.database.read(circle.hanna.actor) as r:
        place = rooms.lead_place(r, circle.group)
        with builders.statements(circle.database) as seen:
            progress.of_members(r, place)
        assert len(seen) == 1
    with circle.database.read(circle.members[0].actor) as r:
        place = rooms.place(r, circle.room)
        for question in (progress.of_programme, progress.resume):
            with builders.statements(circle.database) as seen:
                question(r, place)
            assert len(seen) == 1


@given(st.data())
def test_there_is_a_next_step_until_all_are_done_and_it_is_never_one_that_was_done(data: st.DataObject) -> None:
    course = curriculum.programme(curriculum.DEFAULT, "nl")
    road = [(chapter.key, step.id) for chapter in course.chapters for step in chapter.path]
    done = data.draw(st.lists(st.sampled_from([*road, ("weg", "weg")]), unique=True))
    found = progress.after(course, done)
    if found is None:
        assert set(road) <= set(done)
        return
    name = (found[0].key, found[1].id)
    assert name in road
    assert name not in done
    left = [one for one in road if one not in done]
    last = next((one for one in reversed(done) if one in road), None)
    behind = [one for one in left if last is None or road.index(one) > road.index(last)]
    assert name == (behind or left)[0]
