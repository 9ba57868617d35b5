"""The words detectors share with the screening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "contact", "identity", "crisis_self", "crisis_other", "child_safety",
    "harassment", "explicit", "solicitation", "link", "flood",
]  # fmt: skip
Level = Literal["note", "amber", "red"]
Effect = Literal["note", "mask", "hold", "alert", "hold_and_alert"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One signal: where it is in the folded text, what it asks for, and the key of its mask label."""

    kind: Kind
    rule: str
    start: int
    end: int
    effect: Effect
    level: Level | None = None
    label: str = ""
