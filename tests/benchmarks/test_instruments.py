"""The rest of the bench: the disk's price, the cost of an old room, the table with its gates, the picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from app.core.db import open_engine
from benchmarks import history, machine, report
from benchmarks.cluster import Cluster

SYNCS = (
    "import os, sys; f = open(sys.argv[1], 'w'); [(os.fsync(f.fileno()), os.fdatasync(f.fileno())) for _ in range(20)]"
)


@pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")), reason="the price is made by a C compiler")
@pytest.mark.skipif(not machine.TMPFS.is_dir(), reason="a disk that costs nothing is needed to see the price")
def test_every_sync_costs_what_was_asked() -> None:
    def seconds(milliseconds: float) -> float:
        path = machine.TMPFS / f"samen-sync-{os.getpid()}"
        began = time.monotonic()
        environment = os.environ | machine.slow_sync(milliseconds)
        subprocess.run([sys.executable, "-S", "-c", SYNCS, str(path)], env=environment, check=True)
        path.unlink()
        return time.monotonic() - began

    assert seconds(25) > 40 * 0.025
    assert machine.slow_sync(0) == {}


def test_an_old_room_reads_its_messages_by_an_index(tmp_path: Path) -> None:
    found = history.measure(tmp_path, large=3_000, rounds=2)
    for name, cost in found["large"].items():
        assert cost["walks"] == (), name
        assert cost["statements"] == found["small"][name]["statements"]
    for name in ("page of 50", "first page of 50", "gap of 500"):
        assert found["effort_ratio"][name] == pytest.approx(1.0, abs=0.02)


def test_waiting_for_a_core_that_somebody_else_has_is_seen() -> None:
    core = {min(os.sched_getaffinity(0))}
    burn = [sys.executable, "-S", "-c", "while True: pass"]
    both = [subprocess.Popen(burn, preexec_fn=lambda: os.sched_setaffinity(0, core)) for _ in range(2)]
    try:
        time.sleep(0.6)  # so long they share one core
        assert machine.waited_seconds(both[0].pid) > 0.1
    finally:
        for process in both:
            process.kill()
            process.wait()


@pytest.mark.skipif(not machine.TMPFS.is_dir(), reason="the cluster lies in memory")
def test_a_private_cluster_keeps_its_promises_and_leaves_nothing_behind() -> None:
    with Cluster(None) as cluster:
        folder = Path(cluster.url.partition("host=")[2])
        engine = open_engine(cluster.url)
        with engine.connect() as connection:
            shown = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("synchronous_commit", "fsync")]
        engine.dispose()
        assert shown == ["on", "on"]
        assert cluster.cpu_seconds() > 0
        assert folder.is_dir()
    assert not folder.exists()


def whole() -> dict[str, Any]:
    """Results as the parts write them, with figures of our choosing."""
    names = ("messages_per_second", "cpu_per_1000", "p50_ms", "p95_ms", "p99_ms", "kib_per_connection")
    median = {
        "ours": dict(zip(names, (4_100.0, 0.2, 1.9, 4.0, 13.0, 70.0), strict=True)),
        "plain": dict(zip(names, (350.0, 2.0, 4.0, 8.0, 20.0, 65.0), strict=True)),
        "node": dict(zip(names, (840.0, 0.3, 2.0, 3.0, 7.0, 34.0), strict=True)),
    }
    runs = [
        {"ours": {"rate": 4_000.0}, "plain": {"rate": 400.0}, "node": {"rate": 800.0}},
        {"ours": {"rate": 4_100.0}, "plain": {"rate": 320.0}, "node": {"rate": 840.0}},
        {"ours": {"rate": 4_200.0}, "plain": {"rate": 350.0}, "node": {"rate": 1_000.0}},
    ]
    about = {"date": "2026-01-01", "python": "3.11", "realtime": True, "sync_ms": 1.0}
    return {"rates": {"about": about, "members": 10, "median": median, "runs": runs, "problems": []}}


def cells(found: dict[str, Any], label: str) -> list[str]:
    lines = [line for line in report.table(found).splitlines() if label in line]
    assert len(lines) == 1, lines
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


def test_the_table_says_which_gate_is_reached() -> None:
    assert cells(whole(), "p99 of deliveries")[1:] == ["4,100", "350", "840", "≥ 2,000", "≥ 4,000", "goal"]
    assert cells(whole(), "p50 of delivery at 50/s")[-1] == "goal"
    assert cells(whole(), "p99 of delivery at 50/s")[-1] == "no"
    assert cells(whole(), "KiB per connection")[-1] == "first"
    assert cells(whole(), "PostgreSQL")[-1] == "–"


def test_ratios_are_taken_within_a_run_and_the_middle_one_counts() -> None:
    assert cells(whole(), "times the plain server")[1] == "12"
    assert cells(whole(), "times the Node server")[1] == "4.88"


def test_a_quick_look_reaches_no_gate_that_means_more() -> None:
    quick = {"many": {"rate": 5_000.0, "rooms": 60, "members": 10, "problems": []}}
    assert cells(quick, "2,000 connections")[1:] == ["", "", "", "≥ 1,000", "≥ 2,500", "–"]


def test_a_part_that_was_not_run_keeps_its_figures(tmp_path: Path) -> None:
    report.keep(whole(), tmp_path)
    report.keep({"many": {"rate": 1_200.0, "rooms": 200, "members": 10, "problems": []}}, tmp_path)
    kept = json.loads((tmp_path / "speed.json").read_text())
    assert set(kept) == {"rates", "many"}
    assert cells(kept, "2,000 connections")[1] == "1,200"
    drawn = ET.fromstring((tmp_path / "speed.svg").read_text())  # noqa: S314 - our own picture
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "4,100 messages/s" in texts
    assert "1,200 messages/s" in texts
