"""What sealing costs a message: `python -m benchmarks.sealing`. Prints microseconds, and the ratio to plain UTF-8."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from app.core.crypto import Ring, Vault, place_of
from groups.models import Message, message_row

TEXT = "Hoi allemaal, ik ben er weer en het gaat wel. " * 3
KEY = "d0c3b8e0-0000-4000-8000-000000000000"
ROUNDS, PAGE = 50_000, 50


def main() -> None:
    vault = Vault({"bench001": bytes(range(32))})
    row, _key = vault.new_key(1)
    unused: Any = None  # every key is known already, so the database is not asked
    ring = Ring(unused, vault)

    def seal(number: int) -> bytes:
        place = place_of(Message.text, message_row(number, KEY))
        return ring.unwrap(row.id, row.master, row.wrapped).seal(place, TEXT)

    page = [(message_row(n, KEY), seal(n)) for n in range(PAGE)]
    figures = {
        "characters": len(TEXT),
        "plain_us": _each(lambda n: TEXT.encode(), ROUNDS),
        "seal_us": _each(seal, ROUNDS),
        "open_us": _each(lambda n: ring.open_all(Message.text, page), ROUNDS // PAGE) / PAGE,
        "first_unwrap_us": _each(lambda n: _unwrapped(vault, row), ROUNDS // 10),
        "allowed_us": 15,
    }
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


def _unwrapped(vault: Vault, row: Any) -> None:
    vault.forget(row.id)
    vault.unwrap(row.id, row.master, row.wrapped)


def _each(call: Callable[[int], object], rounds: int) -> float:
    """Microseconds a call, the best of five runs: what the machine does besides only makes it slower."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for number in range(rounds):
            call(number)
        best = min(best, time.perf_counter() - began)
    return best / rounds * 1e6


if __name__ == "__main__":
    main()
