"""How much a server can take: steps of load, doubled until one fails, then closed in on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import BUSY, DISTURBED, Crowd, Step

GRID = 1.08  # the search ends when the highest good and the lowest bad rate are this close
FIRST, LAST = 100.0, 40_000.0  # messages a second: where a search begins, and where it gives up
TRIES = 2  # a rate has failed when it failed this often
MORE_TRIES = 4  # that many where somebody else had the server's core meanwhile

Offer = Callable[[float], Step]


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search. `best` is the highest step that holds, or None; `limited` names what else was the limit."""

    best: Step | None
    steps: tuple[Step, ...]
    limited: str

    @property
    def rate(self) -> float:
        """Messages a second that were sustained."""
        return self.best.messages_per_second if self.best is not None else 0.0


def highest(offer: Offer, *, first: float = FIRST, last: float = LAST) -> Found:
    """Search the highest rate at which `offer` gives a step that holds, within `GRID`.

    Ends early, and says so, where the generator became the limit: what it finds then is the generator's figure.
    """
    steps: list[Step] = []
    rate, good, bad = first, 0.0, 0.0
    while True:
        step = _tried(offer, rate, steps)
        if step.generator_busy > BUSY:
            return _found(steps, f"the generator was the limit at {rate:.0f} messages a second; the server can do more")
        if not step.why:
            good = rate
        else:
            bad = rate
        if good and bad and bad / good <= GRID:
            return _found(steps, "")
        if good > last:
            return _found(steps, f"the search ended at {last:.0f} messages a second")
        if bad and bad <= 1.0:
            return _found(steps, "no rate holds")
        rate = (good * bad) ** 0.5 if good and bad else (good * 2 or bad / 2)


def of_crowd(crowd: Crowd, seconds: float, say: Callable[[str], None], *, first: float = FIRST) -> Found:
    """The highest rate of a crowd's server, in steps of `seconds`. Whoever was cut off on the way comes back first."""

    def offer(rate: float) -> Step:
        crowd.enter()
        step = crowd.step(rate, seconds)
        say(
            f"  {rate:7.0f}/s: p50 {step.delivery_ms.p50:7.1f}  p99 {step.delivery_ms.p99:8.1f} ms,"
            f" server {step.server_busy:.2f}, generator {step.generator_busy:.2f}{': ' if step.why else ''}{step.why}"
        )
        return step

    return highest(offer, first=first)


def _tried(offer: Offer, rate: float, steps: list[Step]) -> Step:
    failed = 0
    for _try in range(MORE_TRIES):
        step = offer(rate)
        steps.append(step)
        if not step.why or step.generator_busy > BUSY:
            break
        failed += step.server_waited <= DISTURBED
        if failed == TRIES:
            break
    return steps[-1]


def _found(steps: list[Step], limited: str) -> Found:
    good = [step for step in steps if not step.why]
    return Found(max(good, key=lambda step: step.messages_per_second, default=None), tuple(steps), limited)
