"""One topic at a time: opened by a facilitator, seen by everybody, sealed, and screened."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.errors import Forbidden, Invalid, NotFound, TooLarge
from app.core.work import Database
from groups import rooms
from groups.house import topics
from groups.models import Topic
from groups.programme.curriculum import programme
from tests import builders
from tests.builders import PHONE, RUDE, Circle, Someone
from tests.conftest import Heard


def _open(circle: Circle, title: str = "", chapter: str = "", who: Someone | None = None) -> str:
    with circle.database.work((who or circle.hanna).actor) as w:
        return topics.open_topic(w, circle.group, title, chapter)


def _shown(circle: Circle) -> list[tuple[str, int]]:
    with circle.database.read(circle.members[0].actor) as r:
        return [(t.title, t.from_seq) for t in topics.of(r, rooms.place(r, circle.room))]


def test_a_topic_begins_after_what_was_said_and_lasts_until_the_next(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    first = _open(circle, "  Week 1:   kennismaken ")
    circle.post(circle.members[0], "Hoi allemaal")
    circle.post(circle.members[1], "Hoi")
    heard.clear()
    second = _open(circle, "Week 2: triggers")
    assert _shown(circle) == [("Week 1: kennismaken", 1), ("Week 2: triggers", 3)]
    assert first != second
    assert heard.payloads(f"room:{circle.room}", "room.topic") == [
        {"room": circle.room, "ref": second, "title": "Week 2: triggers", "from_seq": 3}
    ]


def test_a_topic_nobody_spoke_about_yet_is_replaced(database: Database) -> None:
    circle = builders.circle(database)
    for title in ("Week 1", "Week 1", "Week 2"):
        _open(circle, title)
    assert _shown(circle) == [("Week 2", 1)]


def test_a_chapter_gives_the_title_in_its_own_words(database: Database) -> None:
    circle = builders.circle(database)
    _open(circle, "wordt niet gebruikt", "understanding")
    title = programme("lust-leren-loslaten", "nl").chapter("understanding").title
    assert _shown(circle) == [(title, 1)]
    with pytest.raises(Invalid):
        _open(circle, chapter="no-such-chapter")


def test_own_words_are_sealed_and_screened(database: Database) -> None:
    circle = builders.circle(database)
    _open(circle, "Week 3: omgaan met drang")
    with database.read() as r:
        stored = r.db.scalars(select(Topic.title)).one()
    assert b"drang" not in stored
    for title, refusal in ((PHONE, Invalid), (RUDE, Invalid), ("", Invalid), ("x" * 81, TooLarge)):
        with pytest.raises(refusal):
            _open(circle, title)
    assert _shown(circle) == [("Week 3: omgaan met drang", 1)]


@pytest.mark.parametrize(
    "title", ["Week 5: schaamte en schuld", "Seksualiteit zonder porno", "Als je aan de dood denkt"]
)
def test_a_heavy_subject_may_be_a_topic(database: Database, title: str) -> None:
    circle = builders.circle(database)
    _open(circle, title)
    assert _shown(circle) == [(title, 1)]


def test_only_facilitators_of_the_group_choose_it(database: Database) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    with pytest.raises(Forbidden):
        _open(circle, "Week 1", who=circle.members[0])
    with pytest.raises(NotFound):
        _open(circle, "Week 1", who=other.hanna)
    assert _shown(circle) == []


def test_a_topic_can_be_taken_away_by_who_leads_this_group(database: Database, heard: Heard) -> None:
    circle, other = builders.circle(database), builders.circle(database)
    ref = _open(circle, "Week 1")
    with pytest.raises(NotFound), database.work(other.hanna.actor) as w:
        topics.take_back(w, other.group, ref)
    heard.clear()
    with database.work(circle.hanna.actor) as w:
        topics.take_back(w, circle.group, ref)
    assert _shown(circle) == []
    [told] = heard.payloads(f"room:{circle.room}", "room.topic")
    assert told["title"] == ""


def test_topics_cost_two_statements_however_many(database: Database) -> None:
    circle = builders.circle(database)
    for number in range(6):
        _open(circle, f"Week {number}")
        circle.post(circle.members[number % 3], f"Zin {number}")
    with database.read(circle.members[0].actor) as r:
        found = rooms.place(r, circle.room)
        with builders.statements(database) as sent:
            assert len(topics.of(r, found)) == 6
    assert len(sent) <= 2
