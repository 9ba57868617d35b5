"""The parts of `benchmarks.speed`: each starts the servers it needs, measures, checks every message, and stops them."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import history, layers, limit, machine, peer, search
from benchmarks.cluster import Cluster
from benchmarks.load import Crowd, Step
from benchmarks.servers import Kind, Server

KINDS: tuple[Kind, ...] = ("ours", "plain", "node")
SAMPLES = "samples"
STEADY = 50.0  # messages a second: an ordinary evening in fifty rooms
STEADY_TRIES = 3
UNDISTURBED = 0.02  # of the time


@dataclass(frozen=True, slots=True)
class Plan:
    """How to measure. `sync_ms` is what a sync costs on top of the file system under `folder`; times are in seconds."""

    rooms: int = 50
    members: int = 10
    many_rooms: int = 200
    step: float = 5.0
    steady: float = 30.0
    runs: int = 3
    first: float = 200.0  # messages a second a search begins with
    history: int = history.LARGE
    sync_ms: float = 1.0
    folder: Path = machine.TMPFS
    realtime: bool = False
    loop: str = ""
    seed: int = 1
    kinds: tuple[Kind, ...] = KINDS
    say: Callable[[str], None] = print

    def about(self) -> dict[str, Any]:
        """The machine, and how it was used."""
        return machine.about() | {
            "realtime": self.realtime,
            "sync_ms": self.sync_ms,
            "folder": str(self.folder),
            "loop": self.loop or "as the product chooses",
            "step_seconds": self.step,
            "runs": self.runs,
        }


@dataclass(slots=True)
class Scene:
    """A running server with everybody inside. `memory` says what it took before they came, and for each of them."""

    server: Server
    crowd: Crowd
    memory: dict[str, float]
    folder: Path


def rates(plan: Plan) -> dict[str, Any]:
    """Every server in turn, run after run: latency at a quiet rate, then the highest rate. Medians over the runs."""
    runs: list[dict[str, Any]] = []
    for number in range(plan.runs):
        run: dict[str, Any] = {}
        for kind in plan.kinds:
            plan.say(f"{kind}, run {number + 1} of {plan.runs}")
            run[kind] = _rate(plan, kind, number)
        runs.append(run)
    if "node" in plan.kinds:
        versions = peer.versions()
    else:
        versions = {}
    return {
        "about": plan.about() | {"node": versions},
        "rooms": plan.rooms,
        "members": plan.members,
        "runs": runs,
        "median": {kind: _median([run[kind] for run in runs]) for kind in plan.kinds},
        "problems": [f"{kind}: {one}" for run in runs for kind in plan.kinds for one in run[kind]["problems"]],
    }


def many(plan: Plan) -> dict[str, Any]:
    """Ours with 2,000 connections in 200 rooms: memory for each, and the highest rate."""
    allowed = machine.many_files()
    needed = plan.many_rooms * plan.members + 500
    if allowed < needed:
        raise machine.Unavailable(f"{needed} open files are needed and {allowed} allowed: raise the limit (ulimit -n).")
    plan.say(f"ours, {plan.many_rooms} rooms")
    with _scene(plan, "ours", rooms=plan.many_rooms) as scene:
        found = _highest(plan, scene)
    return {"about": plan.about(), "rooms": plan.many_rooms, "members": plan.members} | found


def postgresql(plan: Plan) -> dict[str, Any]:
    """Ours with its rows in PostgreSQL, whose processes share the server's core; and with SQLite in the same run."""
    results: dict[str, Any] = {"about": plan.about(), "rooms": plan.rooms, "members": plan.members}
    core, _generator = machine.cores()
    for name in ("sqlite", "postgresql"):
        plan.say(f"ours on {name}")
        with ExitStack() as stack:
            cluster = None
            if name == "postgresql":
                wanted = Cluster(core, realtime=plan.realtime, sync_ms=plan.sync_ms, parent=plan.folder)
                cluster = stack.enter_context(wanted)
                results["about"]["postgresql"] = cluster.version()
            scene = stack.enter_context(_scene(plan, "ours", cluster=cluster))
            results[name] = _steady(plan, scene) | _highest(plan, scene)
    results["share"] = _ratio(results["postgresql"]["rate"], results["sqlite"]["rate"])
    results["problems"] = results["sqlite"]["problems"] + results["postgresql"]["problems"]
    return results


def old_rooms(plan: Plan) -> dict[str, Any]:
    """What a room with a long history costs (`benchmarks.history`)."""
    plan.say(f"history: a room of {plan.history:,} messages")
    return {"about": plan.about(), "problems": []} | history.measure(plan.folder, large=plan.history)


def profile(plan: Plan) -> dict[str, Any]:
    """Ours under the sampler, at six tenths of the highest rate found before (or 400 a second)."""
    plan.say("ours under the sampler")
    floor = limit.microseconds(min(2.0, plan.step))
    with _scene(plan, "ours", sampled=True) as scene:
        crowd, sampling = scene.crowd, layers.Sampling(scene.server.pid, scene.folder / SAMPLES)
        with _ahead(plan):
            crowd.step(STEADY, 2.0)
            rate = max(100.0, 0.6 * search.of_crowd(crowd, plan.step / 2, plan.say, first=plan.first).rate)
            plain = crowd.step(rate, plan.step * 2)
            sampling.start()
            sampled = crowd.step(rate, plan.step * 2)
            samples = sampling.stop()
        problems, _fetched = crowd.verdict(scene.server.rows())
    per_message = plain.cpu_per_1000 * 1000
    found = layers.shares(samples)
    return {
        "about": plan.about(),
        "rate": rate,
        "members": plan.members,
        "us_per_message": round(per_message, 1),
        "us_per_delivery": round(per_message / plan.members, 2),
        "us_per_message_while_sampled": round(sampled.cpu_per_1000 * 1000, 1),
        "least_us_per_delivery": floor,
        "layers": layers.table(found, per_message, plan.members),
        "stacks": len(samples),
        "problems": problems,
    }


@contextmanager
def _scene(
    plan: Plan, kind: Kind, *, rooms: int | None = None, cluster: Cluster | None = None, sampled: bool = False
) -> Iterator[Scene]:
    """A server that runs, with everybody inside; stopped and removed at the end."""
    core, _generator = machine.cores()
    environment = {"SAMEN_ASYNC_MODE": plan.loop} if plan.loop else None
    with tempfile.TemporaryDirectory(prefix="samen-speed-", dir=plan.folder) as folder:
        server = Server(
            kind,
            Path(folder) / kind,
            core,
            realtime=plan.realtime,
            sync_ms=plan.sync_ms,
            cluster=cluster,
            environment=environment,
            samples=Path(folder) / SAMPLES if sampled else None,
        )
        people = server.prepare(rooms or plan.rooms, plan.members)
        server.start()
        try:
            idle = server.memory_kib()
            crowd = Crowd(server, people, plan.seed)
            with _ahead(plan):
                crowd.enter()
            each = round((server.memory_kib() - idle) / len(people), 1)
            memory = {"idle_mib": round(idle / 1024, 1), "kib_per_connection": each, "connections": len(people)}
            yield Scene(server, crowd, memory, Path(folder))
            crowd.leave()
        finally:
            server.stop()


@contextmanager
def _ahead(plan: Plan) -> Iterator[None]:
    """This process is the generator: on its own core, at the servers' priority. Afterwards as before."""
    _server, generator = machine.cores()
    before = os.sched_getaffinity(0)
    machine.settle(generator, plan.realtime)
    try:
        yield
    finally:
        machine.unhurried()
        os.sched_setaffinity(0, before)


def _rate(plan: Plan, kind: Kind, number: int) -> dict[str, Any]:
    with _scene(plan, kind) as scene:
        return _steady(plan, scene) | _highest(plan, scene)


def _steady(plan: Plan, scene: Scene) -> dict[str, Any]:
    """A quiet rate, after a start that does not count: first statements and imports are not the matter here.

    Tried again while somebody else has the server's core; what counts is the stretch that was disturbed least.
    """
    steps: list[Step] = []
    with _ahead(plan):
        scene.crowd.step(STEADY, min(2.0, plan.steady))
        while len(steps) < STEADY_TRIES and not any(step.server_waited <= UNDISTURBED for step in steps):
            steps.append(scene.crowd.step(STEADY, plan.steady))
            plan.say(f"  {_steady_words(steps[-1])}")
    return {"steady": min(steps, key=lambda step: step.server_waited).as_dict(), "steady_tries": len(steps)}


def _highest(plan: Plan, scene: Scene) -> dict[str, Any]:
    """The highest rate, and then the check of every message of every step against the rows."""
    with _ahead(plan):
        found = search.of_crowd(scene.crowd, plan.step, plan.say, first=plan.first)
    problems, fetched = scene.crowd.verdict(scene.server.rows())
    plan.say(
        f"  highest: {found.rate:.0f} messages/s; {len(scene.crowd.acked)} acknowledged, {fetched} fetched by sync,"
        f" {len(problems)} problems{'; ' if found.limited else ''}{found.limited}"
    )
    return {
        "rate": found.rate,
        "best": found.best.as_dict() if found.best else None,
        "limited": found.limited,
        "memory": scene.memory,
        "acked": len(scene.crowd.acked),
        "fetched_by_sync": fetched,
        "connections_lost": scene.crowd.lost,
        "problems": problems,
        "steps": [step.as_dict() for step in found.steps],
    }


def _median(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The middle of what the runs of one server gave."""

    def middle(value: Callable[[dict[str, Any]], float]) -> float:
        return round(statistics.median(value(one) for one in found), 4)

    return {
        "messages_per_second": middle(lambda one: one["rate"]),
        "deliveries_per_second": middle(lambda one: one["best"]["deliveries_per_second"] if one["best"] else 0.0),
        "cpu_per_1000": middle(lambda one: one["best"]["cpu_per_1000"] if one["best"] else 0.0),
        "steady_cpu_per_1000": middle(lambda one: one["steady"]["cpu_per_1000"]),
        "p50_ms": middle(lambda one: one["steady"]["delivery_ms"]["p50"]),
        "p95_ms": middle(lambda one: one["steady"]["delivery_ms"]["p95"]),
        "p99_ms": middle(lambda one: one["steady"]["delivery_ms"]["p99"]),
        "kib_per_connection": middle(lambda one: one["memory"]["kib_per_connection"]),
        "idle_mib": middle(lambda one: one["memory"]["idle_mib"]),
    }


def _ratio(one: float, other: float) -> float:
    return round(one / other, 3) if other else 0.0


def _steady_words(step: Step) -> str:
    delivery = step.delivery_ms
    return (
        f"at {step.offered:.0f}/s: p50 {delivery.p50}, p95 {delivery.p95}, p99 {delivery.p99} ms,"
        f" {step.cpu_per_1000} CPU s per 1,000"
        + (f"; others had the server's core for {step.server_waited:.2f} of the time" if step.server_waited else "")
    )
