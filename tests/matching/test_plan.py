"""Who is asked, in which order and by when. Facts in, steps out."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from matching.plan import (
    BUDDY,
    FACILITATOR,
    RED_MINUTES,
    Candidate,
    Clocks,
    Rung,
    Step,
    next_move,
    outreach,
)

PEOPLE = st.lists(st.integers(1, 99), max_size=6, unique=True).map(
    lambda numbers: [Candidate(n, 1_000 + n) for n in numbers]
)
CLOCKS = st.builds(Clocks, st.integers(1, 1_440), st.integers(1, 1_440))


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    people = draw(PEOPLE)
    cut = draw(st.integers(0, len(people)))
    return {
        "safe": draw(st.booleans()),
        "ask_buddy": draw(st.booleans()),
        "ask_facilitator": draw(st.booleans()),
        "buddies": people[:cut],
        "facilitators": people[cut:],
        "clocks": draw(CLOCKS),
    }


def _last(steps: list[Step]) -> list[Step]:
    return [s for s in steps if s.position == max(s.position for s in steps)]


@given(situations())
def test_the_last_rung_is_always_a_facilitator(facts: dict) -> None:
    assume(facts["facilitators"])
    assert any(s.rung == FACILITATOR for s in _last(outreach(**facts)))


@given(situations())
def test_every_facilitator_stands_on_the_last_rung(facts: dict) -> None:
    assume(facts["facilitators"])
    asked = {s.person_id for s in _last(outreach(**facts)) if s.rung == FACILITATOR}
    assert asked == {c.person_id for c in facts["facilitators"]}


@given(situations())
def test_no_buddy_is_asked_without_consent(facts: dict) -> None:
    asked = {s.person_id for s in outreach(**facts) if s.rung == BUDDY}
    assert asked == ({c.person_id for c in facts["buddies"]} if facts["ask_buddy"] else set())


@given(situations())
def test_nobody_is_asked_twice_and_nobody_else_at_all(facts: dict) -> None:
    people = [s.person_id for s in outreach(**facts)]
    assert len(people) == len(set(people))
    assert set(people) <= {c.person_id for c in facts["buddies"] + facts["facilitators"]}


@given(situations())
def test_who_may_not_be_safe_has_every_facilitator_asked_at_once_for_a_quarter_of_an_hour(
    facts: dict,
) -> None:
    steps = outreach(**(facts | {"safe": False}))
    assert {s.position for s in steps} <= {0}
    assert {s.level for s in steps} <= {"red"}
    assert all(s.minutes == RED_MINUTES == 15 for s in steps if s.rung == FACILITATOR)


@given(situations())
def test_in_danger_no_rung_waits_longer_than_a_quarter_of_an_hour(facts: dict) -> None:
    steps = outreach(**(facts | {"safe": False}))
    assert all(s.minutes <= RED_MINUTES for s in steps)


@given(situations())
def test_who_is_safe_is_heard_by_buddies_first_and_each_rung_has_its_own_clock(facts: dict) -> None:
    steps = outreach(**(facts | {"safe": True, "ask_facilitator": False}))
    buddies = [s for s in steps if s.rung == BUDDY]
    assert all(s.position == 0 and s.minutes == facts["clocks"].buddy for s in buddies)
    for step in steps:
        assert step.level == "normal"
        if step.rung == FACILITATOR:
            assert step.position == (1 if buddies else 0)
            assert step.minutes == facts["clocks"].facilitator


@given(situations())
def test_positions_have_no_gap_so_that_every_rung_is_reached(facts: dict) -> None:
    positions = {s.position for s in outreach(**facts)}
    assert positions == set(range(len(positions)))


STATES = st.sampled_from(["asked", "open", "passed", "expired", "contact", "cancelled"])
RUNGS = st.builds(Rung, st.lists(STATES, min_size=1, max_size=4).map(tuple), st.booleans(), st.booleans())


@given(RUNGS)
def test_once_there_is_contact_nothing_moves(rung: Rung) -> None:
    assume("contact" in rung.states)
    assert next_move(rung) == "wait"


@given(RUNGS)
def test_without_contact_an_overdue_rung_never_waits(rung: Rung) -> None:
    assume("contact" not in rung.states)
    assume(rung.overdue)
    assert next_move(rung) == ("alarm" if rung.last else "climb")


@given(RUNGS)
def test_in_time_a_rung_waits_for_whoever_can_still_answer(rung: Rung) -> None:
    assume(not rung.overdue)
    assume("asked" in rung.states or "open" in rung.states)
    assert next_move(rung) == "wait"


@given(st.lists(st.sampled_from(["passed", "expired"]), min_size=1).map(tuple), st.booleans())
def test_when_everybody_passed_it_moves_on_at_once(states: tuple[str, ...], last: bool) -> None:
    assert next_move(Rung(states, overdue=False, last=last)) == ("alarm" if last else "climb")


@given(situations())
def test_who_ticks_both_has_both_asked_at_once(facts: dict) -> None:
    steps = outreach(**(facts | {"ask_facilitator": True}))
    assert {s.position for s in steps} <= {0}
