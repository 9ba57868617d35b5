"""Draws the comparison of our server with the plain one as a small SVG, without any library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SEA, WARM, INK, PAPER = "#1f6f78", "#b4532a", "#17323a", "#fbf8f3"
FONT = "font-family='Georgia, serif'"
WIDTH, LEFT, LONGEST = 760, 40, 470
BAR, PAIR = 20, 52  # pixels: a bar, and the room for two of them


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing measured on both servers; None where the plain one was not run."""

    label: str
    ours: float
    plain: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Pairs that share one scale. `title` says whether more or less is better."""

    title: str
    pairs: Sequence[Pair]


def draw(title: str, note: str, panels: Sequence[Panel]) -> str:
    """The whole picture as SVG text."""
    parts: list[str] = []
    y = 92
    for panel in panels:
        parts.append(_text(LEFT, y, panel.title, size=16, weight="bold"))
        y += 16
        top = max((max(p.ours, p.plain or 0.0) for p in panel.pairs), default=1.0) or 1.0
        for pair in panel.pairs:
            parts += _pair(pair, y, LONGEST / top)
            y += PAIR
        y += 30
    head = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y + 20}' role='img' {FONT}>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{y + 20}' fill='{PAPER}'/>",
        _text(LEFT, 38, title, size=21, weight="bold"),
        *_legend(LEFT, 60),
    ]
    return "\n".join([*head, *parts, _text(LEFT, y, note, size=12), "</svg>", ""])


def _pair(pair: Pair, y: int, scale: float) -> list[str]:
    found = [_text(LEFT + 92, y + 26, pair.label, anchor="end")]
    bars = [(pair.ours, SEA)] + ([(pair.plain, WARM)] if pair.plain is not None else [])
    for number, (value, colour) in enumerate(bars):
        top = y + 2 + number * (BAR + 2)
        width = max(2.0, value * scale)
        found.append(f"<rect x='{LEFT + 104}' y='{top}' width='{width:.1f}' height='{BAR}' rx='2' fill='{colour}'/>")
        found.append(_text(LEFT + 112 + width, top + 15, f"{_figure(value)} {pair.unit}"))
    return found


def _legend(x: int, y: int) -> list[str]:
    found = []
    for number, (name, colour) in enumerate((("Samen Loslaten", SEA), ("the plain server", WARM))):
        left = x + number * 170
        found.append(f"<rect x='{left}' y='{y - 11}' width='12' height='12' rx='2' fill='{colour}'/>")
        found.append(_text(left + 20, y, name))
    return found


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(x: float, y: float, text: str, *, size: int = 14, weight: str = "normal", anchor: str = "start") -> str:
    style = f"font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' fill='{INK}'"
    return f"<text x='{x:.1f}' y='{y}' {style}>{escape(text)}</text>"
