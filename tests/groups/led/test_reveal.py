"""Private answers, then a reveal: before it nobody sees anything, after it nothing can be worked out."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import erasure
from app.core.errors import Closed, Forbidden, Invalid, Muted, NotFound
from app.core.work import Database
from app.main import PARTS
from groups import live, readers, rooms, rules
from groups.after import afterwards
from groups.agenda import steering
from groups.led import answering, sessions
from groups.programme import exercises
from groups.subjects import AnswerSubject
from moderation import queue, subjects
from tests import builders
from tests.builders import CRISIS, RUDE
from tests.conftest import FrozenClock, Heard
from tests.groups.led.evening import ALONE, MOMENT, POLL, PRIVATE, SHARED, WHICH, by, led

HIDDEN = {"given": 3, "revealed": False, "shared": [], "pooled": [], "tally": None}


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"answer": AnswerSubject()})


def _everything_told(heard: Heard) -> str:
    return json.dumps([a.payload for a in heard])


def test_before_the_reveal_nobody_sees_more_than_how_many_answered(database: Database, heard: Heard) -> None:
    it = led(database)
    for sharing in ("shared", "pooled"):
        step = it.ask("question", sharing)
        for number, who in enumerate(it.circle.members):
            it.answer(who, step, f"Een kastanje {number}", share=True)
        for who in (it.circle.hanna, *it.circle.members):
            seen = it.state(who)["answers"]
            assert seen | HIDDEN == seen
            with database.work(who.actor) as w:
                joined = live._join(w, live.Stretch(it.circle.room, None, 50)).ack
            assert "kastanje" not in json.dumps(joined)
    assert "kastanje" not in _everything_told(heard)


def test_shared_answers_appear_at_the_reveal_and_later_ones_as_they_come(database: Database) -> None:
    it = led(database)
    mees, noor, jip = it.circle.members
    it.do(sessions.move, SHARED)
    it.answer(mees, MOMENT, "Rust", share=True)
    it.answer(noor, MOMENT, "Dit houd ik voor mezelf")
    it.do(sessions.reveal)
    assert it.state(jip)["answers"]["shared"] == [{"alias": "Mees_duin", "text": "Rust"}]
    it.answer(jip, MOMENT, "Warmte", share=True)
    it.answer(mees, MOMENT, "Toch liever niet")
    seen = it.state(noor)["answers"]
    assert (seen["given"], seen["shared"]) == (3, [{"alias": "Jip_kiezel", "text": "Warmte"}])


def test_pooled_answers_appear_without_names_in_an_order_that_says_nothing(
    database: Database, clock: FrozenClock, heard: Heard
) -> None:
    texts = ["Warmte", "Rust", "Boosheid", "Leegte", "Opluchting"]
    orders = []
    for turned in (texts, texts[::-1]):
        it = led(database, 5)
        step = it.ask("question", "pooled")
        for who, text in zip(it.circle.members, turned, strict=True):
            it.answer(who, step, text)
            clock.forward(seconds=5)
        heard.clear()
        it.do(sessions.reveal)
        [told] = heard.payloads(f"room:{it.circle.room}", "session.state")
        shown = told["session"]["answers"]  # type: ignore[index]
        assert sorted(shown["pooled"]) == sorted(texts)
        assert shown["shared"] == []
        assert not any(who.alias in json.dumps(shown) for who in it.circle.members)
        assert (
            it.state(it.circle.members[2])["answers"]["pooled"] == shown["pooled"]
        )  # the same for everybody, later too
        orders.append(shown["pooled"])
    assert orders[0] == orders[1]


@pytest.mark.parametrize(
    ("amount", "agree", "shown"), [(2, 2, False), (3, 2, False), (3, 3, True), (4, 4, True), (5, 0, True)]
)
@pytest.mark.parametrize("kind", ["poll", "scale", "question"])
def test_too_few_answers_are_not_shown_unless_three_or_four_all_agreed(
    database: Database, kind: str, amount: int, agree: int, shown: bool
) -> None:
    it = led(database, 5)
    step = it.ask(kind, "pooled", ("ja", "nee") if kind == "poll" else ())
    for number, who in enumerate(it.circle.members[:amount]):
        it.answer(who, step, "Rust" if kind == "question" else ["1"], few_ok=number < agree)
    assert it.state()["answers"]["few"] == (0 if shown else 5 - amount)
    if not shown:
        with pytest.raises(Invalid):
            it.do(sessions.reveal)
        assert not it.state()["answers"]["revealed"]
        return
    it.do(sessions.reveal)
    seen = it.state()["answers"]
    assert seen["pooled"] == (["Rust"] * amount if kind == "question" else [])
    assert (seen["tally"] is None) is (kind == "question")


def test_a_scale_runs_from_nought_to_ten_and_is_counted(database: Database) -> None:
    it = led(database, 5)
    step = it.ask("scale")
    for who, number in zip(it.circle.members, ("0", "7", "7", "10", "3"), strict=True):
        it.answer(who, step, [number])
    for wrong in (["11"], ["-1"], ["3", "4"], [], "zeven"):
        with pytest.raises(Invalid):
            it.answer(it.circle.members[0], step, wrong)
    it.do(sessions.reveal)
    tally = it.state()["answers"]["tally"]
    assert [row["text"] for row in tally] == [str(n) for n in range(11)]
    assert {row["text"]: row["count"] for row in tally if row["count"]} == {"0": 1, "3": 1, "7": 2, "10": 1}


@pytest.mark.parametrize("kind", ["poll", "question"])
def test_after_the_reveal_nothing_is_added_or_changed_that_has_no_name(database: Database, kind: str) -> None:
    it = led(database, 6)
    step = it.ask(kind, "pooled", ("ja", "nee") if kind == "poll" else ())
    value, other = (["0"], ["1"]) if kind == "poll" else ("Rust", "Onrust")
    for who in it.circle.members[:5]:
        it.answer(who, step, value)
    it.do(sessions.reveal)
    before = it.state()["answers"]
    it.do(sessions.move, 0)  # also not from elsewhere on the run-sheet
    for who in (it.circle.members[5], it.circle.members[0]):
        with pytest.raises(Closed):
            it.answer(who, step, other)
    it.do(sessions.move, 1)
    assert it.state()["answers"] == before


def test_an_answer_and_the_reveal_at_the_same_moment_come_one_after_the_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = led(database, 6)
    step = it.ask("poll", "", ("ja", "nee"))
    for who in it.circle.members[:5]:
        it.answer(who, step, ["0"])
    looked = builders.Gap()
    version = it.version
    monkeypatch.setattr(exercises, "_own_row", looked.after(exercises._own_row))
    monkeypatch.setattr(exercises, "missing", looked.after(exercises.missing))
    sixth = it.circle.members[5]
    answers = builders.at_once(
        lambda: by(it.circle, sixth, answering.answer, it.circle.room, step, ["1"]),
        lambda: by(it.circle, it.circle.hanna, sessions.reveal, it.ref, version),
    )
    told = it.state()["answers"]
    counted = sum(row["count"] for row in told["tally"])
    assert [type(a) for a in builders.refusals(answers)] in ([], [Closed])
    assert counted == (5 if isinstance(answers[0], Closed) else 6)


def test_what_is_released_after_the_reveal_stays_with_its_author(database: Database) -> None:
    it = led(database, 6)
    step = it.ask("question", "pooled")
    for who in it.circle.members[:5]:
        it.answer(who, step, "Rust")
    assert it.answer(it.circle.members[5], step, RUDE).status == "held"
    assert it.state()["answers"]["few"] == 0
    it.do(sessions.reveal)
    _decide(database, it.circle.hanna, "release")
    assert it.state()["answers"]["pooled"] == ["Rust"] * 5


def test_what_is_released_before_the_reveal_is_among_the_others(database: Database) -> None:
    it = led(database, 5)
    step = it.ask("question", "pooled")
    for who in it.circle.members[:4]:
        it.answer(who, step, "Rust")
    it.answer(it.circle.members[4], step, RUDE)
    assert it.state()["answers"]["few"] == 1  # what is held is not there yet
    _decide(database, it.circle.hanna, "release")
    it.do(sessions.reveal)
    assert sorted(it.state()["answers"]["pooled"]) == sorted(["Rust"] * 4 + [RUDE])


def _decide(database: Database, who: builders.Someone, decision: str) -> None:
    with database.work(who.actor) as w:
        [card] = queue.waiting(w)
        detail = queue.look(w, card.public_id)
        queue.decide(w, card.public_id, detail.version, decision, "")


def test_who_reviews_a_text_without_a_name_sees_none_unless_somebody_is_in_danger(database: Database) -> None:
    it = led(database)
    step = it.ask("question", "pooled")
    for who, text in zip(it.circle.members, (RUDE, CRISIS, "Rust"), strict=True):
        it.answer(who, step, text)
    with database.work(it.circle.hanna.actor) as w:
        seen = {queue.look(w, card.public_id).subject.alias for card in queue.waiting(w)}
    assert seen == {"", "Noor_eik"}


def test_nothing_is_shown_of_what_is_private_or_not_asked(database: Database) -> None:
    it = led(database)
    for position in (0, PRIVATE):
        it.do(sessions.move, position)
        for who in it.circle.members if position else ():
            it.answer(who, ALONE, "Alleen thuis")
        version = it.version
        with pytest.raises(Invalid):
            it.do(sessions.reveal)
        assert it.version == version
    assert it.state()["answers"] | {"given": 3, "revealed": False, "shared": [], "few": 0} == it.state()["answers"]


@pytest.mark.parametrize("kind", ["chapter", "poll", "pooled"])
def test_what_was_shown_does_not_tell_what_somebody_chose_who_is_erased(database: Database, kind: str) -> None:
    it = led(database, 7)
    *others, last = it.circle.members
    it.arrive()
    if kind == "chapter":
        it.do(sessions.move, POLL)
        step, said = WHICH, [["0"], ["1"]]
    elif kind == "poll":
        step, said = it.ask("poll", options=("Ja", "Nee")), [["0"], ["1"]]
    else:
        step, said = it.ask("question", "pooled"), ["Ik was alleen", "Ik was moe"]
    for who in others:
        it.answer(who, step, said[0])
    it.answer(last, step, said[1])
    it.do(sessions.reveal)
    before = it.state()["answers"]
    assert before["tally"] or len(before["pooled"]) == 7
    with database.work() as w:
        erasure.erase(w, PARTS, last.person_id)
    after = it.state()["answers"]
    assert (after["revealed"], after["tally"], after["pooled"]) == (False, None, [])
    with pytest.raises(Invalid):
        it.do(sessions.reveal)
    assert it.answer(others[0], step, said[0]).status == "posted"
    assert it.state()["answers"]["tally"] is None
    with database.read(it.circle.hanna.actor) as r:
        assert afterwards.report(r, it.ref).together.pooled == ()


def test_an_answer_that_was_not_shown_yet_goes_with_who_is_erased_and_the_others_are_shown(database: Database) -> None:
    it = led(database, 7)
    it.arrive()
    step = it.ask("poll", options=("Ja", "Nee"))
    for who in it.circle.members:
        it.answer(who, step, ["0"])
    with database.work() as w:
        erasure.erase(w, PARTS, it.circle.members[0].person_id)
    it.do(sessions.reveal)
    assert it.state()["answers"]["tally"] == [{"text": "Ja", "count": 6}, {"text": "Nee", "count": 0}]


def test_the_reveal_holds_after_a_restart_and_when_everybody_comes_back_to_the_step(database: Database) -> None:
    it = led(database, 5)
    it.do(sessions.move, POLL)
    for who in it.circle.members:
        it.answer(who, WHICH, ["2"])
    it.do(sessions.reveal)
    it.do(sessions.move, POLL + 1)
    assert it.state()["answers"]["tally"] is None
    it.do(sessions.move, POLL)
    assert it.state()["answers"]["tally"][2]["count"] == 5


def test_who_is_muted_does_not_speak_to_everybody_by_way_of_answers(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    it.arrive()
    it.do(sessions.move, SHARED)
    by(it.circle, it.circle.hanna, rooms.mute, it.circle.room, mees.alias, 10)
    it.answer(mees, MOMENT, "Toen ik alleen was", share=True)  # a facilitator decides whether it is shown
    it.do(sessions.reveal)
    for said in ("En nog iets", "En nog meer"):
        with pytest.raises(Muted):
            it.answer(mees, MOMENT, said, share=True)
        it.answer(noor, MOMENT, said, share=True)
    assert [row["text"] for row in it.state()["answers"]["shared"]] == ["Toen ik alleen was", "En nog meer"]
    it.answer(mees, MOMENT, "Alleen voor mij")
    assert [row["text"] for row in it.state()["answers"]["shared"]] == ["En nog meer"]


def test_while_the_session_is_paused_no_answer_comes_in(database: Database) -> None:
    it = led(database)
    it.do(sessions.move, POLL)
    it.do(sessions.pause, True)
    with pytest.raises(Forbidden):
        it.answer(it.circle.members[0], WHICH, ["2"])
    it.do(sessions.pause, False)
    it.answer(it.circle.members[0], WHICH, ["2"])
    assert it.state()["answers"]["given"] == 1


def test_outside_a_session_an_answer_is_kept_for_oneself(database: Database) -> None:
    it = led(database)
    it.do(sessions.close)
    mees = it.circle.members[0]
    it.answer(mees, ALONE, "Thuis", chapter="understanding")
    with pytest.raises(NotFound):
        it.answer(mees, "own-nothing", "Thuis", chapter="understanding")
    with database.read(mees.actor) as r:
        found = rooms.place(r, it.circle.room)
        assert exercises.own(r, found, "understanding", 0)[ALONE].text == "Thuis"


def test_who_is_said_to_read_a_text_without_a_name_are_those_in_the_room(database: Database) -> None:
    it = led(database)
    with database.read(it.circle.members[0].actor) as r:
        told = readers.of_answer(r, rooms.place(r, it.circle.room), "pooled")
    assert (told.members, told.names) == (2, ("Hanna",))


CHOICES = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=0, max_size=8)


@given(CHOICES)
def test_whatever_is_answered_numbers_come_only_with_enough_or_with_leave(choices: list[tuple[int, bool]]) -> None:
    allowed = rules.may_count(len(choices), all(few_ok for _n, few_ok in choices))
    assert allowed is (len(choices) >= 5 or (len(choices) >= 3 and all(few_ok for _n, few_ok in choices)))


def test_a_gap_between_looking_and_showing_is_held_shut_by_the_session(database: Database) -> None:
    """While somebody answers, a reveal waits: the lock on the session's row is what the rule stands on."""
    it = led(database)
    waited: list[Any] = []
    with database.work(it.circle.members[0].actor) as w:
        steering.held_in(w, it.circle.group_id, alone=False)
        version = it.version if database.engine.dialect.name == "postgresql" else 2
        clicking = threading.Thread(
            target=lambda: waited.append(
                builders.at_once(lambda: by(it.circle, it.circle.hanna, sessions.move, it.ref, version, 1))
            )
        )
        clicking.start()
        clicking.join(0.3)
        assert clicking.is_alive()
    clicking.join(10)
    assert waited == [[None]]
    assert it.state()["position"] == 1
