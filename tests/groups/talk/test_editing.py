"""Changing what one said, for ten minutes and never past the screening; taking it back, always and for good."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from app.core.errors import AppError, Closed, Invalid, Muted, NotFound
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import live, rooms
from groups.models import Message, MessageVersion, Room, Seat
from groups.subjects import AnswerSubject, EditSubject, MessageSubject
from groups.talk import conversation, editing, mentions, pages, revisions
from groups.talk.conversation import View
from groups.talk.editing import Changed
from moderation import queue, subjects
from moderation.models import Case
from tests import builders
from tests.builders import CRISIS, PHONE, RUDE, Circle, Someone
from tests.conftest import FrozenClock, Heard


@pytest.fixture
def circle(database: Database) -> Circle:
    subjects.introduce({"message": MessageSubject(), "edit": EditSubject(), "answer": AnswerSubject()})
    return builders.circle(database)


def edit(circle: Circle, who: Someone, text: str, seq: int = 1, *, room: str = "", **more: Any) -> Changed:
    with circle.database.work(who.actor) as w:
        return editing.edit(w, room or circle.room, seq, text, **more)


def take_back(circle: Circle, who: Someone, seq: int = 1, *, room: str = "") -> None:
    with circle.database.work(who.actor) as w:
        editing.withdraw(w, room or circle.room, seq)


def read(circle: Circle, who: Someone, *, room: str = "") -> list[View]:
    with circle.database.read(who.actor) as r:
        return conversation.latest(r, rooms.place(r, room or circle.room))


def stored(circle: Circle) -> tuple[list[bytes | None], int]:
    """What stands in the rows: the sealed texts of messages, and how many earlier versions."""
    with circle.database.read() as r:
        texts = list(r.db.scalars(select(Message.text).order_by(Message.id)))
        return texts, len(r.db.scalars(select(MessageVersion.id)).all())


def cases(circle: Circle) -> list[Case]:
    with circle.database.read() as r:
        return list(r.db.scalars(select(Case).order_by(Case.id)))


def decide(circle: Circle, case: Case, decision: str, reason: str = "") -> None:
    with circle.database.work(circle.hanna.actor) as w:
        queue.decide(w, case.public_id, case.version, decision, reason)


def look(circle: Circle, case: Case) -> subjects.Described:
    with circle.database.work(circle.hanna.actor) as w:
        return queue.look(w, case.public_id).subject


# Changing


def test_a_change_stands_at_once_and_says_that_it_is_one(circle: Circle, heard: Heard) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    heard.clear()
    assert edit(circle, mees, "Gisteren ging het best goed") == Changed("edited", "Gisteren ging het best goed")
    [shown] = read(circle, noor)
    assert (shown.text, shown.edited, shown.as_dict()["edited"]) == ("Gisteren ging het best goed", True, True)
    assert heard.payloads(f"room:{circle.room}", "message.changed") == [
        {
            "room": circle.room,
            "seq": 1,
            "status": "edited",
            "text": "Gisteren ging het best goed",
            "edited": True,
        }
    ]


@pytest.mark.parametrize(("minutes", "may"), [(0, True), (10, True), (11, False), (60 * 24, False)])
def test_ten_minutes_is_the_window(circle: Circle, clock: FrozenClock, minutes: int, may: bool) -> None:
    mees = circle.members[0]
    circle.post(mees, "Gisteren ging het goed")
    clock.forward(minutes=minutes)
    if may:
        assert edit(circle, mees, "Anders").status == "edited"
    else:
        with pytest.raises(Closed):
            edit(circle, mees, "Anders")
        assert [v.text for v in read(circle, mees)] == ["Gisteren ging het goed"]


def test_only_its_author_changes_a_message_while_it_stands(circle: Circle, database: Database) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    stranger = builders.circle(database).members[0]
    for who in (noor, circle.hanna, stranger):
        with pytest.raises(NotFound):
            edit(circle, who, "Anders")
        with pytest.raises(NotFound):
            take_back(circle, who)
    take_back(circle, mees)
    with pytest.raises(NotFound):
        edit(circle, mees, "Anders")


def test_who_may_not_write_now_does_not_change_either_but_may_always_take_back(
    circle: Circle, database: Database
) -> None:
    mees = circle.members[0]
    circle.post(mees, "Gisteren ging het goed")
    with database.work(circle.hanna.actor) as w:
        rooms.mute(w, circle.room, mees.alias, 30)
    with pytest.raises(Muted):
        edit(circle, mees, "Anders")
    with database.work() as w:
        w.db.scalars(select(Room).where(Room.public_id == circle.room)).one().closed_at = w.now
    with pytest.raises(AppError):
        edit(circle, mees, "Anders")
    take_back(circle, mees)
    assert stored(circle) == ([None], 0)


def test_a_change_is_masked_as_a_new_message_is_after_its_author_agreed(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    preview = edit(circle, mees, PHONE)
    assert (preview.status, preview.kinds) == ("preview", ("contact",))
    assert [v.text for v in read(circle, noor)] == ["Gisteren ging het goed"]
    assert edit(circle, mees, PHONE, mask_ok=True) == Changed("edited", preview.text, kinds=("contact",))
    assert [v.text for v in read(circle, noor)] == [preview.text]
    assert "06" not in preview.text


def test_a_number_cannot_be_put_together_by_changing_pieces(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    for text in ("Eerste", "Tweede", "Derde"):
        circle.post(mees, text)
    edit(circle, mees, "06 12", 1)
    edit(circle, mees, "34 56", 2)
    assert edit(circle, mees, "78", 3).status == "preview"
    edit(circle, mees, "Eerste", 1)
    edit(circle, mees, "34 56 78", 2)
    with pytest.raises(Invalid):  # nor from its other end
        edit(circle, mees, "06 12", 1)
    assert [v.text for v in read(circle, noor)] == ["Eerste", "34 56 78", "Derde"]


def test_a_number_cannot_be_put_together_of_a_change_and_what_is_said_after_it(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_pace", circle.pace)
    mees, noor, _jip = circle.members
    circle.post(mees, "Hoi allemaal")
    live.changed(edit(circle, mees, "06 12"))
    assert circle.post(mees, "34 56 78").status == "preview"
    live.changed(edit(circle, mees, RUDE))  # it waits: "06 12" still stands
    assert circle.post(mees, "34 56 78").status == "preview"
    live.changed(edit(circle, mees, "Hoi"))
    assert circle.post(mees, "34 56 78").status == "posted"
    assert [v.text for v in read(circle, noor)] == ["Hoi", "34 56 78"]


def test_what_must_be_read_first_leaves_the_old_text_and_waits_in_a_case(circle: Circle, heard: Heard) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    heard.clear()
    assert edit(circle, mees, RUDE).status == "held"
    assert [(v.text, v.edited) for v in read(circle, noor)] == [("Gisteren ging het goed", False)]
    assert heard.events(f"room:{circle.room}") == []
    with circle.database.read(mees.actor) as r:
        assert revisions.waiting(r, rooms.place(r, circle.room)) == {1: RUDE}
    with circle.database.read(noor.actor) as r:
        assert revisions.waiting(r, rooms.place(r, circle.room)) == {}
    [case] = cases(circle)
    shown = look(circle, case)
    assert (shown.text, shown.standing, shown.held) == (RUDE, "Gisteren ging het goed", True)


def test_a_released_change_stands_and_a_refused_one_is_gone(circle: Circle, heard: Heard) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    edit(circle, mees, RUDE)
    decide(circle, cases(circle)[0], "release")
    assert [(v.text, v.edited) for v in read(circle, noor)] == [(RUDE, True)]
    edit(circle, mees, f"{RUDE}, echt")
    heard.clear()
    decide(circle, cases(circle)[1], "reject", "tone")
    assert [v.text for v in read(circle, noor)] == [RUDE]  # what stood there was not what was refused
    assert {n["kind"] for n in heard.payloads(f"person:{mees.person_id}", "notice")} == {"rejected"}
    assert stored(circle)[1] == 1  # "Gisteren ging het goed"; nothing is left of what was refused


def test_another_change_overtakes_one_that_waits(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    edit(circle, mees, RUDE)
    assert edit(circle, mees, "Gisteren ging het best goed").status == "edited"
    assert [c.decision for c in cases(circle)] == ["withdrawn"]
    assert [v.text for v in read(circle, noor)] == ["Gisteren ging het best goed"]
    with circle.database.read(mees.actor) as r:
        assert revisions.waiting(r, rooms.place(r, circle.room)) == {}


def test_words_of_danger_in_a_change_stand_and_somebody_is_asked_at_once(circle: Circle, heard: Heard) -> None:
    mees = circle.members[0]
    circle.post(mees, "Gisteren ging het goed")
    changed = edit(circle, mees, CRISIS)
    assert (changed.status, changed.crisis) == ("edited", True)
    [case] = cases(circle)
    assert (case.subject_kind, case.level, case.held) == ("message", queue.RED, False)
    assert "crisis" in {n["kind"] for n in heard.payloads(f"person:{mees.person_id}", "notice")}
    with circle.database.read() as r:
        assert [i.person_id for i in r.db.scalars(select(OutboxItem).where(OutboxItem.kind == "alert"))] == [
            circle.hanna.person_id
        ]


def test_words_of_danger_that_are_sent_again_bring_help_again_but_one_alert(circle: Circle) -> None:
    """The first answer may never have arrived."""
    mees = circle.members[0]
    circle.post(mees, "Gisteren ging het goed")
    answers = [edit(circle, mees, CRISIS) for _ in range(2)]
    assert [(changed.status, changed.crisis) for changed in answers] == [("edited", True)] * 2
    assert len(cases(circle)) == 1
    with circle.database.read() as r:
        assert len(r.db.scalars(select(OutboxItem).where(OutboxItem.kind == "alert")).all()) == 1


def test_earlier_versions_are_for_reviewers_only_and_sealed(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    for text in ("Eerst dit", "Toen dat"):
        circle.post(mees, text) if text == "Eerst dit" else edit(circle, mees, text)
    edit(circle, mees, CRISIS)
    shown = look(circle, cases(circle)[0])
    assert [v.text for v in shown.versions] == ["Eerst dit", "Toen dat"]
    assert "Eerst" not in str([v.as_dict() for v in read(circle, noor)])
    with circle.database.read() as r:
        for sealed in r.db.scalars(select(MessageVersion.text)):
            assert sealed is not None
            assert b"Eerst" not in sealed
            assert b"Toen" not in sealed


def test_who_is_called_only_in_the_change_hears_it_and_who_was_called_before_does_not_again(
    circle: Circle, heard: Heard
) -> None:
    mees, noor, jip = circle.members
    circle.post(mees, f"Dank je @{noor.alias}", mask_ok=True)
    heard.clear()
    text = f"Dank je @{noor.alias} en @{jip.alias}"
    assert edit(circle, mees, text).text == text  # names of the room may be said
    assert [n["kind"] for n in heard.payloads(f"person:{jip.person_id}", "notice")] == ["mention"]
    assert heard.payloads(f"person:{noor.person_id}", "notice") == []
    assert mentions.found(text, {noor.alias, jip.alias}) == read(circle, noor)[0].mentions


# Taking back


@pytest.mark.parametrize(("minutes", "trace"), [(0, False), (30, False), (31, True), (60 * 24 * 30, True)])
def test_soon_nothing_shows_and_later_a_line_does(
    circle: Circle, clock: FrozenClock, heard: Heard, minutes: int, trace: bool
) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    edit(circle, mees, "Gisteren ging het best goed")
    clock.forward(minutes=minutes)
    heard.clear()
    for _ in range(2):
        take_back(circle, mees)
    [shown] = read(circle, noor)
    assert (shown.status, shown.text, shown.trace) == ("withdrawn", "", trace)
    assert stored(circle) == ([None], 0)
    assert heard.payloads(f"room:{circle.room}", "message.changed") == [
        {"room": circle.room, "seq": 1, "status": "withdrawn", "trace": trace}
    ]


def test_numbers_stay_without_holes(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    for text in ("Een", "Twee", "Drie"):
        circle.post(mees, text)
    take_back(circle, mees, 2)
    assert [(v.seq, v.text) for v in read(circle, noor)] == [(1, "Een"), (2, ""), (3, "Drie")]


def test_in_the_room_of_a_pair_too(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    circle.pair(mees, noor)
    with circle.database.read(mees.actor) as r:
        pair = next(p.room for p in rooms.places(r) if p.kind == "pair")
    circle.post(mees, "Hoe was je dag?", room=pair)
    assert edit(circle, mees, "Hoe was je avond?", room=pair).status == "edited"
    assert [v.text for v in read(circle, noor, room=pair)] == ["Hoe was je avond?"]
    take_back(circle, mees, room=pair)
    assert stored(circle) == ([None], 0)


def test_what_waits_can_be_taken_back_by_its_author_alone(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    key = str(uuid.uuid4())
    circle.post(mees, RUDE, key=key)
    with circle.database.work(noor.actor) as w, pytest.raises(NotFound):
        editing.withdraw_held(w, circle.room, key)
    with circle.database.work(mees.actor) as w:
        editing.withdraw_held(w, circle.room, key)
    assert stored(circle) == ([None], 0)
    [case] = cases(circle)
    assert case.decision == "withdrawn"
    with circle.database.read(mees.actor) as r:
        assert conversation.waiting(r, rooms.place(r, circle.room)) == []
    with pytest.raises(Closed):
        decide(circle, case, "release")
    assert read(circle, noor) == []


def test_where_there_may_be_danger_the_words_stay_for_the_reviewer_until_they_decide(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Hoi allemaal")
    edit(circle, mees, CRISIS)
    take_back(circle, mees)
    [shown] = read(circle, noor)
    assert (shown.status, shown.text) == ("withdrawn", "")
    assert stored(circle)[0] != [None]
    [case] = cases(circle)
    seen = look(circle, case)
    assert (seen.text, seen.taken_back, [v.text for v in seen.versions]) == (CRISIS, True, ["Hoi allemaal"])
    decide(circle, case, "seen")
    assert stored(circle) == ([None], 0)


def test_a_change_that_waits_goes_with_its_message(circle: Circle) -> None:
    mees = circle.members[0]
    circle.post(mees, "Gisteren ging het goed")
    edit(circle, mees, RUDE)
    take_back(circle, mees)
    assert [c.decision for c in cases(circle)] == ["withdrawn"]
    assert stored(circle) == ([None], 0)


def test_taking_back_is_not_undone_by_a_decision_that_comes_later(circle: Circle) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    edit(circle, mees, RUDE)
    with circle.database.read() as r:
        [waits] = r.db.scalars(select(MessageVersion.id)).all()
    take_back(circle, mees)
    with circle.database.work(circle.hanna.actor) as w:
        revisions.release(w, waits)
    assert [v.text for v in read(circle, noor)] == [""]


def test_two_changes_at_once_leave_one_text_and_every_version(circle: Circle, database: Database) -> None:
    mees = circle.members[0]
    circle.post(mees, "Nul")
    answers = builders.at_once(*[lambda n=n: edit(circle, mees, f"Tekst {n}") for n in range(4)])
    assert builders.refusals(answers) == []
    with database.read() as r:
        numbers = list(r.db.scalars(select(MessageVersion.version).order_by(MessageVersion.version)))
    assert numbers == [1, 2, 3, 4]


def test_the_page_reads_with_a_fixed_number_of_statements(circle: Circle, database: Database) -> None:
    mees, noor, jip = circle.members
    costs = []
    for number in range(4):
        circle.post((mees, noor, jip)[number % 3], f"Zin {number}")
        if number:
            edit(circle, (mees, noor, jip)[number % 3], f"Zin {number} anders", number + 1)
        with database.read(jip.actor) as r:
            found = rooms.place(r, circle.room)
            with builders.statements(database) as sent:
                shown = pages.talk(r, found)
            costs.append(len(sent))
    assert shown["unread"] == 3
    assert len(set(costs)) == 1, costs


def test_seats_of_somebody_else_never_open_a_message(circle: Circle, database: Database) -> None:
    mees, noor, _jip = circle.members
    circle.post(mees, "Gisteren ging het goed")
    with database.work() as w:  # who left the room takes nothing back any more
        w.db.scalars(select(Seat).where(Seat.membership_id == mees.membership_id)).one().left_at = w.now
    with pytest.raises(NotFound):
        take_back(circle, mees)
    assert [v.text for v in read(circle, noor)] == ["Gisteren ging het goed"]
