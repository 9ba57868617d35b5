"""Read the lexicon files, the data of the rule pack, each at most once."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

PACKAGE = "moderation"
FOLDER = "lexicons"


@lru_cache(maxsize=64)
def load_table(name: str) -> dict[str, Any]:
    """Parse the lexicon file `name`.  Raises FileNotFoundError or tomllib.TOMLDecodeError."""
    source = resources.files(PACKAGE).joinpath(FOLDER, name)
    return tomllib.loads(source.read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def word_set(name: str, key: str) -> frozenset[str]:
    """Give the words of the block `key` (white space between them) in lexicon file `name`."""
    return frozenset(load_table(name)[key].split())


@lru_cache(maxsize=256)
def line_list(name: str, key: str) -> tuple[str, ...]:
    """Give the non-empty lines of the block `key` in lexicon file `name`, in order."""
    lines = (line.strip() for line in load_table(name)[key].splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def rule_files() -> tuple[str, ...]:
    """Give the names of all files with phrase rules, in a fixed order."""
    folder = resources.files(PACKAGE).joinpath(FOLDER)
    return tuple(sorted(item.name for item in folder.iterdir() if item.name.startswith("rules_")))
