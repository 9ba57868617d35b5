"""Many phrases as one regular expression that shares their beginnings: tried once a place, not once a phrase."""

from __future__ import annotations

import re
from collections.abc import Iterable

_END = ""


def any_of(phrases: Iterable[str]) -> str:
    """A pattern that matches any of these phrases, the longest first where one begins as another."""
    tree: dict[str, dict] = {}  # type: ignore[type-arg]
    for phrase in phrases:
        node = tree
        for char in phrase:
            node = node.setdefault(char, {})
        node[_END] = {}
    return _pattern(tree)


def _pattern(node: dict[str, dict]) -> str:  # type: ignore[type-arg]
    branches = [re.escape(char) + _pattern(rest) for char, rest in sorted(node.items()) if char != _END]
    if not branches:
        return ""
    pattern = branches[0] if len(branches) == 1 and _END not in node else f"(?:{'|'.join(branches)})"
    return pattern + "?" if _END in node else pattern
