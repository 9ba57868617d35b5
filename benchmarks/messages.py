"""How many messages a second, how late, at what cost: `python -m benchmarks.messages`.

Runs the real server as its own process on one core and a crowd of clients on another, and checks at the end
that every acknowledged message reached every member of its room once and in order. `--plain` runs the plain
server after it; `--find-max` looks for the highest rate of both. Ends with status 1 if anything was lost,
doubled or out of order. Results: `messages.json` and `.svg` in `benchmarks/results/`; a part that was not run
keeps its figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.load import Crowd, Step
from benchmarks.picture import Pair, Panel, draw
from benchmarks.servers import Kind, Server

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("eventlet", "flask-socketio", "python-socketio", "python-engineio", "sqlalchemy")
LIMIT_MS = 250.0  # p99 of deliveries that a sustained rate must keep
GRID = 1.08  # the search ends when the highest good and the lowest bad rate are this close
FIRST_RATE, LAST_RATE = 100.0, 20_000.0  # messages a second: where the search begins, and where it gives up


def main() -> None:
    """Measure, write the results, and say in a few lines what was found."""
    options = _options()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[1]})
    if options.nice:
        os.setpriority(os.PRIO_PROCESS, 0, options.nice)  # the server inherits it
    kinds: list[Kind] = ["ours", "plain"] if options.plain or options.find_max else ["ours"]
    results: dict[str, Any] = {}
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="samen-load-", dir=options.dir) as data_dir:
            server = Server(kind, Path(data_dir) / kind, cores[0] if len(cores) > 1 else None)
            try:
                results[kind] = asyncio.run(_measure(server, options))
            finally:
                server.stop()
    wrong = [f"{kind}: {problem}" for kind in kinds for problem in results[kind]["problems"]]
    _write("find_max" if options.find_max else "steady", results, options, len(cores))
    for problem in wrong[:20]:
        print(problem, file=sys.stderr)
    print(_ratios(results, options.find_max))
    sys.exit(1 if wrong else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messages", description=__doc__)
    parser.add_argument("--rooms", type=int, default=50)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second, over all rooms")
    parser.add_argument("--seconds", type=float, default=None, help="default 60; 6 a step with --find-max")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="measure the plain server too")
    parser.add_argument("--find-max", action="store_true", help="search the highest rate of both servers")
    parser.add_argument("--nice", type=int, default=0, help="priority of both sides, where others work too")
    parser.add_argument("--dir", type=Path, default=None, help="where the databases lie (default: temporary)")
    return parser.parse_args()


async def _measure(server: Server, options: argparse.Namespace) -> dict[str, Any]:
    """One server, from its start to the check of its rows."""
    async with _crowd(server, options) as (crowd, memory):
        if options.find_max:
            steps = await find_max(crowd, options.seconds or 6.0)
        else:
            await crowd.step(options.rate, 2.0)  # the first statements and imports are not the matter here
            steps = [await crowd.step(options.rate, options.seconds or 60.0)]
        problems, fetched = await crowd.verdict(server.rows())
    good = [step for step in steps if _holds(step)] or steps
    best = max(good, key=lambda step: step.messages_per_second)
    found = {
        "best": best.as_dict(),
        "acked": len(crowd.acked),
        "fetched_by_sync": fetched,
        "problems": problems,
        "memory": memory,
        "steps": [step.as_dict() for step in steps],
    }
    print(_sentence(server.kind, found), flush=True)
    return found


@asynccontextmanager
async def _crowd(server: Server, options: argparse.Namespace) -> AsyncIterator[tuple[Crowd, dict[str, float]]]:
    """A running server with everybody inside, and what its memory was before and after they came."""
    people = server.prepare(options.rooms, options.members)
    server.start()
    idle = server.memory_kib()
    crowd = Crowd(server, people, options.seed)
    await crowd.enter()
    each = round((server.memory_kib() - idle) / len(people), 1)
    yield crowd, {"idle_mib": round(idle / 1024, 1), "kib_per_connection": each}
    await crowd.leave()


async def find_max(crowd: Crowd, seconds: float) -> list[Step]:
    """Steps of `seconds`: double until a rate fails, then close in. A failed step is tried once more."""
    steps: list[Step] = []
    good, bad = FIRST_RATE / 2, 0.0
    while not bad or bad / good > GRID:
        rate = (good * bad) ** 0.5 if bad else good * 2
        for _try in range(2):
            steps.append(await crowd.step(rate, seconds))
            last = steps[-1]
            print(
                f"  {crowd.server.kind} {rate:7.0f}/s: p99 {last.delivery_ms.p99:8.1f} ms,"
                f" server {last.server_busy:.2f}, generator {last.generator_busy:.2f} of a core",
                flush=True,
            )
            if _holds(last) or not last.complete:
                break
        good, bad = (rate, bad) if _holds(last) else (good, rate)
        if not last.complete or good > LAST_RATE:
            break  # what is still under way would spoil the next step
    return steps


def _holds(step: Step) -> bool:
    return step.complete and step.delivery_ms.p99 <= LIMIT_MS


def _sentence(kind: str, found: dict[str, Any]) -> str:
    best, memory = found["best"], found["memory"]
    delivery, ack = best["delivery_ms"], best["ack_ms"]
    return (
        f"{kind}: {best['messages_per_second']} messages/s, {best['deliveries_per_second']} deliveries/s;"
        f" delivery p50/p95/p99 {delivery['p50']}/{delivery['p95']}/{delivery['p99']} ms,"
        f" ack {ack['p50']}/{ack['p95']}/{ack['p99']} ms; {best['cpu_per_1000']} CPU s per 1,000;"
        f" {memory['idle_mib']} MiB idle, {memory['kib_per_connection']} KiB a connection;"
        f" {found['acked']} acked, {found['fetched_by_sync']} fetched by sync,"
        f" {len(found['problems'])} problems"
    )


def _ratios(results: dict[str, Any], find_max: bool) -> str:
    if "plain" not in results:
        return "ratio: not measured (add --plain or --find-max)"
    ours, plain = results["ours"]["best"], results["plain"]["best"]
    if find_max:
        times = ours["messages_per_second"] / plain["messages_per_second"]
        return f"ratio: {times:.2f} times the plain server's rate"
    return f"ratio: {ours['cpu_per_1000'] / plain['cpu_per_1000']:.2f} of the plain server's processor time"


def _write(part: str, results: dict[str, Any], options: argparse.Namespace, cores: int) -> None:
    """Put this run in its part of the results file, and draw the picture from all there is."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "messages.json"
    whole: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    whole[part] = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores,
        "versions": {name: version(name) for name in PACKAGES} | {"sqlite": sqlite3.sqlite_version},
        "rooms": options.rooms,
        "members": options.members,
        "seed": options.seed,
        **results,
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")
    (RESULTS / "messages.svg").write_text(_picture(whole))


def _picture(whole: dict[str, Any]) -> str:
    panels = []
    if highest := whole.get("find_max"):
        pairs = [_pair(highest, "highest", "messages/s", lambda best: best["messages_per_second"])]
        panels.append(Panel(f"Highest rate with p99 of deliveries under {LIMIT_MS:.0f} ms (more is better)", pairs))
    if steady := whole.get("steady"):
        late = [_pair(steady, p, "ms", lambda best, p=p: best["delivery_ms"][p]) for p in ("p50", "p95", "p99")]
        rate = steady["ours"]["best"]["offered"]
        panels.append(Panel(f"From sending to a member's screen at {rate:.0f} messages/s (less is better)", late))
        cost = [_pair(steady, "at " + f"{rate:.0f}/s", "s", lambda best: best["cpu_per_1000"])]
        panels.append(
            Panel(f"Processor time for 1,000 messages to {steady['members']} members each (less is better)", cost)
        )
    one = whole.get("find_max") or whole["steady"]
    note = (
        f"{one['rooms']} rooms of {one['members']} members, one core for the server; {one['date']},"
        f" Python {one['python']}. Read the ratio, not the digits."
    )
    return draw("Messages in live rooms", note, panels)


def _pair(part: dict[str, Any], label: str, unit: str, value: Any) -> Pair:
    plain = value(part["plain"]["best"]) if "plain" in part else None
    return Pair(label, value(part["ours"]["best"]), plain, unit)


if __name__ == "__main__":
    main()
