"""Who is called by name in a message: `@Bo_wilg`. Pure: text and aliases in, aliases out.

Only aliases of the room can be called. Everybody at once can be called by facilitators alone: they pass `EVERYBODY` as
one of the aliases.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

EVERYBODY = "iedereen"


def found(text: str, aliases: Collection[str]) -> tuple[str, ...]:
    """The aliases that are called in `text`, each once, in the order in which they come; capitals do not matter."""
    return tuple(dict.fromkeys(alias for _piece, alias in split(text, aliases) if alias))


def split(text: str, aliases: Collection[str]) -> tuple[tuple[str, str], ...]:
    """`text` in pieces, each with the alias it calls, or with nothing. The pieces together are the text."""
    if "@" not in text or not aliases:
        return ((text, ""),) if text else ()
    pattern, names = _calls(frozenset(aliases))
    pieces: list[tuple[str, str]] = []
    done = 0
    for call in pattern.finditer(text):
        alias = names.get(call[1].casefold())
        if alias is None:
            continue
        if call.start() > done:
            pieces.append((text[done : call.start()], ""))
        pieces.append((call[0], alias))
        done = call.end()
    if done < len(text):
        pieces.append((text[done:], ""))
    return tuple(pieces)


@lru_cache(maxsize=512)
def _calls(aliases: frozenset[str]) -> tuple[re.Pattern[str], dict[str, str]]:
    """What calls one of these aliases: the longest that fits, and never a piece of an address or of a longer word."""
    longest_first = sorted(aliases, key=lambda alias: (-len(alias), alias))
    either = "|".join(re.escape(alias) for alias in longest_first)
    return re.compile(rf"(?<![\w@])@({either})(?![\w@])", re.IGNORECASE), {a.casefold(): a for a in longest_first}
