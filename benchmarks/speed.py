"""How fast messages travel, measured whole: `python -m benchmarks.speed`.

Runs the real server, the plain Flask-SocketIO server and a Node server in turn, each on one core with the generator on
the other, and checks after every search that each acknowledged message reached every member of its room once, in order,
and stands in the database. Prints one table; results are `speed.json` and `speed.svg` in `benchmarks/results/`; a part
that was not run keeps its figures. Ends with status 1 if anything was lost, doubled or out of order, could not be
measured, or missed the `--gate`.

A sync of the disk costs the same for everybody: databases lie in memory, and every sync sleeps `--sync-ms`. With
`--dir` the databases lie there instead, and the disk costs what it costs. What is left out, and why, stands in
docs/decisions/0008-speed.md.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import machine, parts, report

PARTS: dict[str, Callable[[parts.Plan], dict[str, Any]]] = {
    "rates": parts.rates,
    "many": parts.many,
    "postgresql": parts.postgresql,
    "history": parts.old_rooms,
    "profile": parts.profile,
}


def main() -> None:
    """Measure what was asked for, write the results, print the table."""
    signal.signal(signal.SIGTERM, _stop)  # so that servers and folders are cleared away
    options = _options()
    plan = _plan(options)
    wrong: list[str] = []
    found: dict[str, Any] = {}
    for name in options.parts:
        try:
            found[name] = PARTS[name](plan)
        except machine.Unavailable as error:
            wrong.append(f"{name} could not be measured: {error}")
            continue
        wrong += [f"{name}: {problem}" for problem in found[name]["problems"]]
        whole = report.keep({name: found[name]}, options.results)
    if found:
        print(report.table(whole if options.all else found))
        print(f"\n{'A quick look, not a result: ' if options.quick else ''}{options.results}/speed.json, speed.svg")
    wrong += _missed(found, options.gate)
    for problem in wrong[:20]:
        print(problem, file=sys.stderr)
    sys.exit(1 if wrong else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=[], help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="one short run each: a look, not a result")
    parser.add_argument("--runs", type=int, default=None, help="how often the servers take turns (3)")
    parser.add_argument("--only", default="", help="servers to compare, separated by commas: ours,plain,node")
    parser.add_argument("--sync-ms", type=float, default=1.0, help="what a sync costs everybody (1; 0: nothing)")
    parser.add_argument("--dir", type=Path, default=None, help="databases on this disk, at its own price")
    parser.add_argument("--loop", default="", help="the loop ours runs on: eventlet, gevent, threading")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-priority", action="store_true", help="do not run ahead of others, even where we may")
    parser.add_argument("--results", type=Path, default=None, help="where speed.json and speed.svg go")
    parser.add_argument("--all", action="store_true", help="print the parts measured before as well")
    parser.add_argument("--gate", choices=("first", "goal"), default=None, help="fail where this gate is missed")
    options = parser.parse_args()
    options.parts = options.parts or list(PARTS)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if options.results is None:
        options.results = machine.CACHE / "quick" if options.quick else report.RESULTS
    return options


def _plan(options: argparse.Namespace) -> parts.Plan:
    plan = parts.Plan(
        sync_ms=options.sync_ms,
        realtime=machine.may_be_realtime() and not options.no_priority,
        loop=options.loop,
        seed=options.seed,
        say=lambda line: print(line, flush=True),
    )
    if options.dir is not None:
        plan = replace(plan, folder=options.dir, sync_ms=0.0)
    if options.only:
        plan = replace(plan, kinds=tuple(kind for kind in parts.KINDS if kind in options.only.split(",")))
    if options.quick:
        plan = replace(plan, step=1.5, steady=3.0, runs=1, many_rooms=60, history=10_000)
    return replace(plan, runs=options.runs) if options.runs else plan


def _missed(found: dict[str, Any], gate: str | None) -> list[str]:
    """The gates that what was measured now does not reach."""
    if gate is None:
        return []
    enough = ("goal",) if gate == "goal" else ("goal", "first")
    return [f"missed: {one.label}" for one in report.GATES if one.reached(found) not in (*enough, "–")]


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(143)


if __name__ == "__main__":
    main()
