"""Aliases, code names and passphrases, drawn at random from curated word lists.

Names are offered, not typed: a typed name is often one that somebody already uses elsewhere.
"""

from __future__ import annotations

import secrets
from functools import cache
from importlib import resources

PASSPHRASE_WORDS = 6  # of a list of at least 2,048: 66 bits


@cache
def words(name: str) -> tuple[str, ...]:
    """The word list `name`, without its comment lines."""
    text = (resources.files("app.accounts") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def passphrase(language: str) -> str:
    """Six words with spaces between them."""
    chosen = words(f"passphrase-{language}")
    return " ".join(secrets.choice(chosen) for _ in range(PASSPHRASE_WORDS))


def code_name(language: str) -> str:
    """The public half of a client's sign-in, such as `stille-otter-41`. It is never an alias."""
    first = secrets.choice(words(f"codename-first-{language}"))
    second = secrets.choice(words(f"codename-second-{language}"))
    return f"{first}-{second}-{secrets.randbelow(90) + 10}"


def alias() -> str:
    """An alias such as `Mees_duin`."""
    return f"{secrets.choice(words('alias-first-nl'))}_{secrets.choice(words('alias-second-nl'))}"


def offer_aliases(taken: frozenset[str], amount: int = 4) -> tuple[str, ...]:
    """`amount` different aliases, none in `taken`, none sharing a first word with another offer."""
    offered: dict[str, str] = {}
    while len(offered) < amount:
        candidate = alias()
        if candidate not in taken:
            offered.setdefault(candidate.split("_")[0], candidate)
    return tuple(offered.values())
