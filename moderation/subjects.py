"""What a reviewable thing must be able to do, so that the queue can act on it without knowing what it is.

Packages above fulfil the protocol; `app.main` introduces them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.errors import NotFound
from app.core.work import Work


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A line before the one under review, to read it in."""

    alias: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """What the thing said before it was changed, until `at`."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Described:
    """The thing under review as a moderator may see it: alias and words, never a person.

    `versions` are what it said before, oldest first. With `standing` it is a change that waits: that is what stands
    there now. `taken_back` by its author, it is kept only until it is decided.
    """

    alias: str
    place: str
    text: str
    at: datetime
    held: bool
    context: tuple[ContextLine, ...]
    versions: tuple[Version, ...] = ()
    standing: str = ""
    taken_back: bool = False


class Subject(Protocol):
    """Something that can be held and decided upon."""

    def describe(self, w: Work, subject_id: int) -> Described:
        """The thing and what came before it. Raises `NotFound`."""

    def author(self, w: Work, subject_id: int) -> int | None:
        """The id of the person who wrote it, or None when they were erased."""

    def release(self, w: Work, subject_id: int) -> None:
        """Let it through as it stands, and tell its author."""

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        """Keep it back for good, and tell its author why, kindly. `reason` is a code of `queue.REASONS`."""

    def decided(self, w: Work, subject_id: int) -> None:
        """A case about it was decided, whichever way: remove what was kept for that only."""


_known: dict[str, Subject] = {}


def introduce(subjects: Mapping[str, Subject]) -> None:
    """Make kinds of subject known to the queue. Called once, by `app.main`."""
    _known.update(subjects)


def of_kind(kind: str) -> Subject:
    """The subject that handles `kind`. Raises `NotFound`."""
    if kind not in _known:
        raise NotFound
    return _known[kind]


def kinds() -> frozenset[str]:
    """The kinds of things that can be held or reported, and so come before a reviewer."""
    return frozenset(_known)
