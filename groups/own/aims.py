"""Goals as they are read: what a member and the facilitators see of one, whose words are opened, and how it stands.

For `groups.own.goals`, which checks who asks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from app.core.errors import NotFound
from app.core.work import Work
from groups.models import Goal, Group, Membership
from groups.own import weeks

OPEN = ("asked", "running", "paused")
FEWEST, MOST = 2, 26  # weeks


@dataclass(frozen=True, slots=True)
class Aim:
    """A goal as its member and the facilitators see it. `week` is from 1, `fewest` how many weeks it can be given now,
    `paused` counts days; `ends_on` moves along with a pause. `days` a week at most, of `less`, if a number was chosen.
    `version` is for who begins it.
    """

    ref: str
    version: int
    kind: str
    state: str
    weeks: int
    words: str
    days: int | None
    alias: str
    group: str
    group_name: str
    asked_on: date
    started_on: date | None
    paused_on: date | None
    ended_on: date | None
    week: int = 0
    fewest: int = FEWEST
    paused: int = 0
    ends_on: date | None = None


def rows() -> Any:
    """Goals with their membership and group."""
    return (
        select(Goal, Membership, Group)
        .join(Membership, Membership.id == Goal.membership_id)
        .join(Group, Group.id == Membership.group_id)
    )


def told() -> Any:
    """Everything but what was asked for and taken back."""
    return Goal.started_on.is_not(None) | Goal.state.in_(OPEN)


def shown(w: Work, found: Sequence[Row[Any]], words_of: Sequence[str] = ()) -> list[Aim]:
    """Rows as they are shown. With `words_of` the words only of those in such a state: the rest is not even opened."""
    days = [today(w, row.Group) for row in found]
    states = [state(row.Goal, day) for row, day in zip(found, days, strict=True)]
    read = [row.Goal for row, now in zip(found, states, strict=True) if not words_of or now in words_of]
    contents = {goal.id: content for goal, content in zip(read, opened(w, read), strict=True)}
    return [
        _aim(row, now, day, contents.get(row.Goal.id, {})) for row, now, day in zip(found, states, days, strict=True)
    ]


def opened(w: Work, found: Sequence[Goal]) -> list[dict[str, Any]]:
    """The `words` and `days` of goals, for callers that checked who asks. One query for keys."""
    texts = w.ring.open_all(Goal.content, [(row.public_id, row.content) for row in found])
    return [json.loads(text) for text in texts]


def sealed(w: Work, row: Goal, words: str, days: int | None) -> bytes:
    """What the actor says of their goal, as it is stored."""
    text = json.dumps({"words": words, "days": days}, ensure_ascii=False)
    return w.ring.seal(w.who.person_id, Goal.content, row.public_id, text)


def course(row: Goal) -> weeks.Course:
    """Its weeks. Raises `NotFound` for one that has not begun."""
    if row.started_on is None:
        raise NotFound
    return weeks.Course(row.started_on, row.weeks, row.paused_days, row.paused_on)


def state(row: Goal, day: date) -> str:
    """As it is stored, but for what has just come to its end."""
    return "done" if row.state == "running" and weeks.over(course(row), day) else row.state


def today(w: Work, group: Group) -> date:
    """The calendar day of a group: one for its members and facilitators alike."""
    return w.now.astimezone(ZoneInfo(group.timezone)).date()


def _aim(row: Row[Any], now: str, day: date, content: dict[str, Any]) -> Aim:
    goal: Goal = row.Goal
    begun: dict[str, Any] = {}
    ended_on = goal.ended_on
    if goal.started_on is not None:
        stands, on = course(goal), goal.ended_on or day
        begun = {
            "week": weeks.week(stands, on),
            "fewest": max(FEWEST, weeks.fewest(stands, on)),
            "paused": weeks.paused(stands, on),
            "ends_on": weeks.ends_on(stands, on),
        }
        if now == "done":
            ended_on = ended_on or begun["ends_on"]
    return Aim(
        ref=goal.public_id,
        version=goal.version,
        kind=goal.kind,
        state=now,
        weeks=goal.weeks,
        words=content.get("words", ""),
        days=content.get("days"),
        alias=row.Membership.alias,
        group=row.Group.public_id,
        group_name=row.Group.name,
        asked_on=goal.asked_on,
        started_on=goal.started_on,
        paused_on=goal.paused_on,
        ended_on=ended_on,
        **begun,
    )
