"""Who is asked to reach out, in which order and by when. Pure: facts in, steps out.

A buddy is asked only if the client agreed. The last rung is always a facilitator of the group: a report that
was sent never ends in silence. When somebody may not be safe, facilitators are asked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BUDDY, FACILITATOR = "buddy", "facilitator"
RED_MINUTES = 15

Level = Literal["red", "normal"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be asked."""

    person_id: int
    membership_id: int | None


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long each rung has before the next is asked, in minutes."""

    buddy: int
    facilitator: int


@dataclass(frozen=True, slots=True)
class Step:
    """One person on one rung. All steps with the same `position` are asked together; the first answer counts."""

    position: int
    rung: str
    person_id: int
    membership_id: int | None
    level: Level
    minutes: int


def outreach(
    *,
    safe: bool,
    ask_buddy: bool,
    ask_facilitator: bool,
    buddies: Sequence[Candidate],
    facilitators: Sequence[Candidate],
    clocks: Clocks,
) -> list[Step]:
    """The steps for one report, in order. Facilitators come after the buddy, or with them if the client ticked both
    or may not be safe. Empty only if there is nobody to ask at all.
    """
    level: Level = "normal" if safe else "red"
    asked = list(buddies) if ask_buddy else []
    for_buddy, for_lead = (clocks.buddy, clocks.facilitator) if safe else (RED_MINUTES, RED_MINUTES)
    after = 1 if safe and asked and not ask_facilitator else 0
    steps = [Step(0, BUDDY, c.person_id, c.membership_id, level, for_buddy) for c in asked]
    steps += [Step(after, FACILITATOR, c.person_id, c.membership_id, level, for_lead) for c in facilitators]
    return steps


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a ladder stands: the states of the steps on its current position, and whether it is the last."""

    states: tuple[str, ...]
    overdue: bool
    last: bool


def next_move(rung: Rung) -> Literal["wait", "climb", "alarm"]:
    """What the sweep does with a ladder: wait, climb to the next rung, or keep an open alarm on the last."""
    if "contact" in rung.states:
        return "wait"
    everybody_passed = all(state in ("passed", "expired") for state in rung.states)
    if not rung.overdue and not everybody_passed:
        return "wait"
    return "alarm" if rung.last else "climb"
