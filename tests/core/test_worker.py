"""The sweeps: each runs, and one that fails does not keep the others from running."""

from __future__ import annotations

import datetime as dt

import pytest

from app import worker
from app.core.work import Database
from app.part import Sweep
from matching import outreach
from tests import builders
from tests.conftest import FrozenClock


def test_every_sweep_runs_even_when_one_fails(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_database: Database) -> int:
        raise OSError("no disk")

    did = worker.run_once(database, [Sweep("broken", 1, broken), Sweep("whole", 1, lambda _: 3)])
    assert did == {"broken": -1, "whole": 3}


def test_the_house_sweeps_deliver_and_climb(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=1)
    circle.send(circle.members[0], buddy=False, facilitator=True)
    assert _moved(database) == {"outbox": 1}
    clock.at += dt.timedelta(hours=3)
    assert _moved(database) == {"outreach": 1}
    with database.read(circle.hanna.actor) as r:
        assert [ask.state for ask in outreach.due(r)] == ["open"]
    assert worker.run_once(database)["outbox"] == 1


def _moved(database: Database) -> dict[str, int]:
    """What the sweeps of one round did, of those that did anything."""
    return {name: amount for name, amount in worker.run_once(database).items() if amount}
