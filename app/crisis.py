"""Where to turn in a crisis, as dated data: every number says where it comes from, and when it was last called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

import yaml

STALE = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A route that nobody checked for too long: what it is called on screen, since when, and where it comes from."""

    show: str
    verified_on: date
    source: str


@cache
def routes() -> list[dict[str, Any]]:
    """Every route, in the order in which it is shown. `show` and the texts are by language; `call` may be missing."""
    text = (resources.files("app") / "crisis.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["routes"]
    return found


def unchecked(today: date, language: str) -> list[Unchecked]:
    """The routes whose number was last called more than 180 days ago, oldest first."""
    old = [route for route in routes() if today - route["verified_on"] > STALE]
    return [
        Unchecked(shown(route, language), route["verified_on"], route["source"])
        for route in sorted(old, key=lambda route: route["verified_on"])
    ]


def shown(route: dict[str, Any], language: str) -> str:
    """What stands for a route on screen: its number, or whom to ask for it."""
    show = route["show"]
    return show if isinstance(show, str) else str(show[language])
