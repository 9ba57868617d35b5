"""Kill the server at any moment, twenty times: what was acknowledged is there, once, in order, for everybody.

`SAMEN_KILLS` sets the number of kills, `SAMEN_SEED` the moments. The other loops get a short run each.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.checker import Acked, History, Row, Seen, problems
from benchmarks.servers import Person, Server
from tests.faults.people import Persistent
from tests.server import MODES

ROOMS, MEMBERS = 6, 5
RATE = 50.0  # messages a second offered, over all members
KILLS = int(os.environ.get("SAMEN_KILLS") or 20)
RUNS = [(mode, KILLS if mode == "eventlet" else min(KILLS, 4)) for mode in MODES]  # all of them on the default loop
SEED = int(os.environ.get("SAMEN_SEED") or 1)
LONGEST_LIFE = 1.6  # seconds from the first acknowledgement to the kill, at most
ENOUGH = 25  # acknowledged messages for each kill, below which a run proves nothing


@pytest.mark.parametrize(("mode", "kills"), RUNS)
def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed(
    tmp_path: Path, mode: str, kills: int
) -> None:
    server = Server("ours", tmp_path / "data", environment={"SAMEN_ASYNC_MODE": mode})
    people = server.prepare(ROOMS, MEMBERS)
    server.start()
    try:
        members = asyncio.run(_live_through(server, people, kills))
        server.stop()
        history = _history(members, server.rows())
    finally:
        server.kill()
    resent, comebacks = sum(m.resent for m in members), sum(m.comebacks for m in members)
    print(
        f"{mode}: {kills} kills (seed {SEED}): {len(history.acked)} acknowledged, {resent} sent again,"
        f" {comebacks} reconnections, {len(history.rows)} rows"
    )
    assert problems(history) == []
    assert [wrong for m in members for wrong in m.wrong] == []
    assert len(history.members) == ROOMS * MEMBERS
    assert len(history.acked) >= ENOUGH * kills, "too few messages to prove anything"
    assert comebacks >= kills, "the kills did not reach the members"


async def _live_through(server: Server, people: Sequence[Person], kills: int) -> Sequence[Persistent]:
    """Let everybody write while the server dies and comes back; at the end wait until all is acknowledged."""
    moments = random.Random(SEED)
    acked = asyncio.Event()
    members = [Persistent(person, server.port, SEED, acked.set) for person in people]
    writing = [asyncio.create_task(member.live(RATE / len(members))) for member in members]
    for _kill in range(kills):
        await _acked_again(acked)
        await asyncio.sleep(moments.uniform(0.02, LONGEST_LIFE))  # the random moment itself
        server.kill()
        await asyncio.to_thread(server.start)
    await _acked_again(acked)
    for member in members:
        member.finish()
    async with asyncio.timeout(40):
        await asyncio.gather(*writing)
        await asyncio.gather(*(member.settle() for member in members))
    return members


async def _acked_again(acked: asyncio.Event) -> None:
    """Wait for the next acknowledgement of anybody: the sign that the server is really at work."""
    acked.clear()
    async with asyncio.timeout(30):
        await acked.wait()


def _history(members: Sequence[Persistent], rows: Sequence[Row]) -> History:
    return History(
        acked=[ack for m in members for ack in m.acked],
        rows=rows,
        members={(m.person.room, m.person.alias): m.seen for m in members},
    )


def _sound() -> History:
    """A history in which all holds: one room, three messages, two members."""
    rows = [Row("r", seq, f"key-{seq}", f"text {seq}") for seq in (1, 2, 3)]
    seen = [Seen(row.seq, row.text) for row in rows]
    return History([Acked(*row) for row in rows], rows, {("r", "a"): seen, ("r", "b"): list(seen)})


def test_the_checker_finds_nothing_in_a_sound_history() -> None:
    assert problems(_sound()) == []


def _drop_row(h: History) -> History:
    return replace(h, rows=h.rows[:2], members={who: seen[:2] for who, seen in h.members.items()})


def _double_row(h: History) -> History:
    again = h.rows[2]._replace(seq=4)
    return replace(h, rows=[*h.rows, again])


def _swap_rows(h: History) -> History:
    first, second, third = h.rows
    return replace(h, rows=[first._replace(seq=2), second._replace(seq=1), third])


def _for_one_member(change: Callable[[list[Seen]], list[Seen]]) -> Callable[[History], History]:
    return lambda h: replace(h, members=dict(h.members) | {("r", "a"): change(list(h.members["r", "a"]))})


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        (_drop_row, "lost: key-3"),
        (_double_row, "doubled: key-3"),
        (_swap_rows, "changed: key-1"),
        (_for_one_member(lambda seen: seen[:2]), "lost: a in r misses 3"),
        (_for_one_member(lambda seen: [*seen, seen[2]]), "doubled: a in r has 3"),
        (_for_one_member(lambda seen: [seen[1], seen[0], seen[2]]), "disordered: a in r"),
        (_for_one_member(lambda seen: [*seen, Seen(4, "never stored")]), "invented: a in r has 4"),
    ],
    ids=["row lost", "row doubled", "rows swapped", "lost", "doubled", "swapped", "invented"],
)
def test_the_checker_reports_a_planted_defect(defect: Callable[[History], History], expected: str) -> None:
    found = problems(defect(_sound()))
    assert any(problem.startswith(expected) for problem in found), found
