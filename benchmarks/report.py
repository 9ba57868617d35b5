"""What `benchmarks.speed` found, as one table with its gates, one JSON file and one picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import LIMIT_MS
from benchmarks.parts import KINDS
from benchmarks.picture import Bar, Panel, draw, figure

RESULTS = Path(__file__).resolve().parent / "results"

Whole = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gate:
    """One row of the table: where its figure stands in the results, and what it must reach.

    `value` gives the figures of ours, plain and Node, None for what was not measured. `least`: more is better.
    """

    label: str
    value: Callable[[Whole], tuple[float | None, float | None, float | None]]
    first: float
    goal: float
    least: bool = True

    def reached(self, whole: Whole) -> str:
        """Which of the two gates our figure reaches, in a word; "–" where it was not measured."""
        ours = self.value(whole)[0]
        if ours is None:
            return "–"
        reaches = [ours >= gate if self.least else ours <= gate for gate in (self.first, self.goal)]
        return "goal" if reaches[1] else "first" if reaches[0] else "no"


def _of(name: str) -> Callable[[Whole], tuple[float | None, float | None, float | None]]:
    def value(whole: Whole) -> tuple[float | None, float | None, float | None]:
        median = whole.get("rates", {}).get("median", {})
        ours, plain, node = (median.get(kind, {}).get(name) for kind in KINDS)
        return ours, plain, node

    return value


def _times(kind: str) -> Callable[[Whole], tuple[float | None, float | None, float | None]]:
    """Our rate as a multiple of another server's: the middle of the ratios, each within one run."""

    def value(whole: Whole) -> tuple[float | None, float | None, float | None]:
        ratios = sorted(
            run["ours"]["rate"] / run[kind]["rate"]
            for run in whole.get("rates", {}).get("runs", [])
            if run.get("ours") and run.get(kind, {}).get("rate")
        )
        return (round(ratios[len(ratios) // 2], 2) if ratios else None), None, None

    return value


def _ours(
    *path: str, enough: Callable[[Whole], bool] = lambda part: True
) -> Callable[[Whole], tuple[float | None, float | None, float | None]]:
    """A figure of ours alone, where its part was measured as the gate means it (a quick look may be smaller)."""

    def value(whole: Whole) -> tuple[float | None, float | None, float | None]:
        found: Any = whole if path[0] in whole and enough(whole[path[0]]) else None
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found, None, None

    return value


def _two_thousand(part: Whole) -> bool:
    return bool(part["rooms"] * part["members"] >= 2_000)


def _hundred_thousand(part: Whole) -> bool:
    return bool(part["rows"][1] >= 100_000)


GATES = (
    Gate(f"messages/s with p99 of deliveries ≤ {LIMIT_MS:.0f} ms", _of("messages_per_second"), 2_000, 4_000),
    Gate("times the plain server, same run", _times("plain"), 6, 12),
    Gate("times the Node server, same run", _times("node"), 2.5, 5),
    Gate("p50 of delivery at 50/s, ms", _of("p50_ms"), 4, 2, least=False),
    Gate("p99 of delivery at 50/s, ms", _of("p99_ms"), 12, 6, least=False),
    Gate("KiB per connection", _of("kib_per_connection"), 80, 64, least=False),
    Gate("messages/s with 2,000 connections", _ours("many", "rate", enough=_two_thousand), 1_000, 2_500),
    Gate("PostgreSQL, share of the rate on SQLite", _ours("postgresql", "share"), 0.6, 0.8),
    Gate(
        "joining a room of 100,000, times a room of 1,000",
        _ours("history", "ratio", "join", enough=_hundred_thousand),
        1.5,
        1.2,
        least=False,
    ),
    Gate(
        "a gap of 500 there, times a room of 1,000",
        _ours("history", "ratio", "gap of 500", enough=_hundred_thousand),
        1.5,
        1.2,
        least=False,
    ),
)


def table(whole: Whole) -> str:
    """The one table, as Markdown."""
    lines = [
        "| measured | ours | plain | Node | first gate | goal | reached |",
        "|---|---|---|---|---|---|---|",
    ]
    for gate in GATES:
        cells = [figure(value) if value is not None else "" for value in gate.value(whole)]
        sign = "≥" if gate.least else "≤"
        bounds = [f"{sign} {figure(gate.first)}", f"{sign} {figure(gate.goal)}", gate.reached(whole)]
        lines.append("| " + " | ".join([gate.label, *cells, *bounds]) + " |")
    return "\n".join(lines + _extra(whole))


def keep(parts: Whole, folder: Path = RESULTS) -> dict[str, Any]:
    """Put these parts into the results file beside those that were not run now, and draw the picture. Returns all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "speed.json"
    whole: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    whole |= parts
    path.write_text(json.dumps(whole, indent=1) + "\n")
    (folder / "speed.svg").write_text(picture(whole))
    return whole


def picture(whole: Whole) -> str:
    """The figures as bars."""
    panels = []
    median = whole.get("rates", {}).get("median", {})
    if median:
        members = whole["rates"]["members"]
        title = f"Highest rate with p99 of deliveries under {LIMIT_MS:.0f} ms (more is better)"
        panels.append(Panel(title, "messages/s", _bars(median, "messages_per_second")))
        late = [bar for p in ("p50", "p95", "p99") for bar in _bars(median, f"{p}_ms", p)]
        panels.append(Panel("From sending to a member's screen at 50 messages/s (less is better)", "ms", late))
        cost = f"Processor time for 1,000 messages to {members} members, at the highest rate (less is better)"
        panels.append(Panel(cost, "s", _bars(median, "cpu_per_1000")))
        panels.append(Panel("Memory per connection (less is better)", "KiB", _bars(median, "kib_per_connection")))
    many = whole.get("many", {})
    other = [
        (whole.get("postgresql", {}).get("postgresql", {}).get("rate"), "on PostgreSQL"),
        (many.get("rate"), f"{many.get('rooms', 0) * many.get('members', 0):,} connections"),
    ]
    if bars := [Bar(label, value) for value, label in other if value is not None]:
        panels.append(Panel("Ours elsewhere (more is better)", "messages/s", bars))
    if profile := whole.get("profile"):
        rows = [Bar(row["layer"], row["us_per_delivery"]) for row in profile["layers"]]
        rows.append(Bar("one send, nothing else", profile["least_us_per_delivery"], "node"))
        panels.append(Panel("Where the processor's time for one delivery goes (less is better)", "µs", rows))
    return draw("How fast messages travel", _note(whole), panels)


def _bars(median: Whole, name: str, label: str = "") -> list[Bar]:
    names = {"ours": "ours", "plain": "plain", "node": "Node"}
    return [Bar(f"{label} {names[kind]}".strip(), median[kind][name], kind) for kind in KINDS if kind in median]


def _note(whole: Whole) -> str:
    about: Mapping[str, Any] = next((part["about"] for part in whole.values() if "about" in part), {})
    if not about:
        return ""
    ahead = "ahead of other work" if about["realtime"] else "beside other work"
    return (
        f"{about['date']}, Python {about['python']}, one core for the server, {ahead}; a sync of the disk costs"
        f" {about['sync_ms']} ms. Read ratios, not digits."
    )


def _extra(whole: Whole) -> list[str]:
    """What does not fit a gate: history in counts, and the layers."""
    lines: list[str] = []
    if found := whole.get("history"):
        rows = found["rows"]
        lines += [
            "",
            f"| history | statements | ms at {rows[0]:,} | ms at {rows[1]:,} | ratio | of SQLite's steps | walks |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        for name, large in found["large"].items():
            small = found["small"][name]
            ratios = [found["ratio"][name], found["effort_ratio"][name]]
            cells = [large["statements"], small["ms"], large["ms"], *ratios, len(large["walks"])]
            lines.append(f"| {name} | " + " | ".join(str(cell) for cell in cells) + " |")
    if found := whole.get("profile"):
        lines += ["", "| layer | share | µs per message | µs per delivery |", "|---|---|---|---|"]
        for row in found["layers"]:
            lines.append(
                f"| {row['layer']} | {row['share'] * 100:.1f} % | {row['us_per_message']} | {row['us_per_delivery']} |"
            )
        left = found["us_per_delivery"] - found["least_us_per_delivery"]
        lines.append(f"| all | 100 % | {found['us_per_message']} | {found['us_per_delivery']} |")
        lines.append(f"| one send and nothing else | | | {found['least_us_per_delivery']} |")
        lines.append(f"| what is above it | | | {left:.2f} |")
    return lines
