"""What a package offers to the house. Each package has one `part.py`, its door-plate; `app.main` reads them all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import Blueprint

from app.core.actor import Actor
from app.core.errors import AppError
from app.core.permissions import Permission
from app.core.work import Database, Work


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a live event: what the acknowledgement says, and which topics this socket now follows."""

    ack: dict[str, Any]
    follow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event a client may send: who may, how its data is read, and the one use-case it calls.

    `parse` turns untrusted data into a command or raises `AppError`. Events with `together` are stored in one
    transaction with whatever else waits (`app.live.writer`); the others get a unit of work of their own, which
    may write only if `writes`. `per_minute` bounds how often one session may send it.
    """

    name: str
    permission: Permission
    parse: Callable[[Actor, Mapping[str, Any]], Any]
    handle: Callable[[Work, Any], Reply] | None = None
    together: Callable[[Work, Sequence[Any]], list[Any]] | None = None
    answer: Callable[[Any], Reply] | None = None
    writes: bool = False
    per_minute: int = 240


@dataclass(frozen=True, slots=True)
class Sweep:
    """Something the worker does again and again; returns how much it did."""

    name: str
    every: float  # seconds
    run: Callable[[Database], int]


class Personal(Protocol):
    """What a package keeps of a person: their own to take along, and to have destroyed."""

    def export(self, w: Work, person_id: int) -> dict[str, Any]:
        """The person's own data, ready for JSON; nobody else's words are in it."""

    def check(self, w: Work, person_id: int) -> None:
        """Raise a refusal where others would be left without somebody they need. Asked before the first write."""

    def erase(self, w: Work, person_id: int) -> None:
        """Remove what is the person's. Packages above were asked before; the person's row still stands."""


MayFollow = Callable[[Work, Collection[str]], set[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Part:
    """Everything a package offers. `subjects` are the reviewable things it introduces to moderation; `personal`
    knows what the package keeps of a person. `may_follow` gives, for session hashes, the (session, topic) pairs that
    may be heard now: topics it speaks of by one of `topic_kinds` are taken from sockets that may hear them no more.
    """

    name: str
    blueprints: tuple[Blueprint, ...] = ()
    live_events: tuple[LiveEvent, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    subjects: Mapping[str, Any] = field(default_factory=dict)
    personal: Personal | None = None
    topic_kinds: tuple[str, ...] = ()
    may_follow: MayFollow | None = None


def refused(error: AppError, translate: Callable[..., str] = lambda message, **params: message) -> dict[str, Any]:
    """A refusal in the documented shape: code, sentence, and how long to wait where waiting helps."""
    shape: dict[str, Any] = {
        "ok": False,
        "code": error.code,
        "message": translate(error.message, **error.params),
    }
    if error.retry_after is not None:
        shape["retry_after"] = error.retry_after
    return shape
