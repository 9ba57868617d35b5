"""Draws figures as horizontal bars in a small SVG, without any library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SEA, WARM, MOSS, INK, PAPER = "#1f6f78", "#b4532a", "#5d7a3a", "#17323a", "#fbf8f3"
COLOURS = {"ours": SEA, "plain": WARM, "node": MOSS}
NAMES = {"ours": "Samen Loslaten", "plain": "the plain Flask-SocketIO server", "node": "Node, Socket.IO"}
FONT = "font-family='Georgia, serif'"
WIDTH, LEFT, LABELS, LONGEST = 760, 40, 176, 400
BAR, STEP = 20, 24  # pixels: a bar, and the room for it


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure. `kind` is a server's, and gives the colour."""

    label: str
    value: float
    kind: str = "ours"


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars that share one scale and unit. `title` says whether more or less is better."""

    title: str
    unit: str
    bars: Sequence[Bar]


def draw(title: str, note: str, panels: Sequence[Panel]) -> str:
    """The whole picture as SVG text."""
    parts: list[str] = []
    y = 96
    for panel in panels:
        parts.append(_text(LEFT, y, panel.title, size=16, weight="bold"))
        y += 14
        longest = max((bar.value for bar in panel.bars), default=0.0) or 1.0
        for bar in panel.bars:
            parts += _bar(bar, panel.unit, y, LONGEST / longest)
            y += STEP
        y += 34
    kinds = [kind for kind in NAMES if any(bar.kind == kind for panel in panels for bar in panel.bars)]
    head = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y + 20}' role='img' {FONT}>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{y + 20}' fill='{PAPER}'/>",
        _text(LEFT, 38, title, size=21, weight="bold"),
        *_legend(kinds),
    ]
    return "\n".join([*head, *parts, _text(LEFT, y, note, size=12), "</svg>", ""])


def _bar(bar: Bar, unit: str, y: int, scale: float) -> list[str]:
    width, left = max(2.0, bar.value * scale), LEFT + LABELS
    return [
        _text(left - 12, y + 15, bar.label, anchor="end"),
        f"<rect x='{left}' y='{y}' width='{width:.1f}' height='{BAR}' rx='2' fill='{COLOURS[bar.kind]}'/>",
        _text(left + 8 + width, y + 15, f"{figure(bar.value)} {unit}"),
    ]


def _legend(kinds: Sequence[str]) -> list[str]:
    found, x = [], LEFT
    for kind in kinds:
        found.append(f"<rect x='{x}' y='51' width='12' height='12' rx='2' fill='{COLOURS[kind]}'/>")
        found.append(_text(x + 20, 62, NAMES[kind]))
        x += 50 + 8 * len(NAMES[kind])
    return found


def figure(value: float) -> str:
    """A number with three digits that matter, and no more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _text(x: float, y: float, text: str, *, size: int = 14, weight: str = "normal", anchor: str = "start") -> str:
    style = f"font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' fill='{INK}'"
    return f"<text x='{x:.1f}' y='{y}' {style}>{escape(text)}</text>"
