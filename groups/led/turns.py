"""Whose turn it is in a speaking round. Pure: who had which place, who is here, and out comes the order.

A round goes by who is here. Who is away or was sent out is passed over, and keeps their place for when they come back.
Who comes in late goes last. Who passed is left in peace, unless they want a turn after all or a facilitator asks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WAITING, SPEAKING, DONE, PASSED = "waiting", "speaking", "done", "passed"


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody's place in the round."""

    member: int
    position: int
    state: str


@dataclass(frozen=True, slots=True)
class Round:
    """How a round stands: who has the turn, who comes next in this order, how many had it and how many passed."""

    speaking: int | None
    next: tuple[int, ...]
    spoken: int
    passed: int


def order(places: Iterable[Place], here: Sequence[int]) -> Round:
    """How a round stands. `here` are the members who are here, in the order in which they came.

    Who has the turn keeps it while their connection falters; only who is no longer among `places` loses it.
    """
    known = sorted(places, key=lambda place: (place.position, place.member))
    waiting = [place.member for place in known if place.state == WAITING and place.member in here]
    return Round(
        speaking=next((place.member for place in known if place.state == SPEAKING), None),
        next=(*waiting, *newcomers(known, here)),
        spoken=sum(place.state == DONE for place in known),
        passed=sum(place.state == PASSED for place in known),
    )


def newcomers(places: Iterable[Place], here: Sequence[int]) -> tuple[int, ...]:
    """Who is here and has no place in the round yet, in the order in which they came."""
    known = {place.member for place in places}
    return tuple(member for member in here if member not in known)


def last(places: Iterable[Place]) -> int:
    """The position after everybody else."""
    return max((place.position for place in places), default=-1) + 1
