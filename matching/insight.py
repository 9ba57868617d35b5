"""Insight: how it has been with somebody, out of what they kept here themselves. For them alone; writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from app.core.errors import Invalid
from app.core.work import Work
from groups.models import Answer, Attendance, Membership, StepDone, StepQuestion, answer_row
from groups.own import urges
from groups.programme.steps import DAYS, PARTS
from matching import checkins, practice
from matching.models import RelapseReport
from matching.practice import History, Lapse, Numbers, Practised

SPANS = (30, 90)  # days one can look back
_RODE = urges.OUTCOMES[0]
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which something was kept: mood 1 to 5, urge 0 to 4, own lines, and the kinds of lapse told of."""

    day: date
    mood: int | None = None
    urge: int | None = None
    notes: tuple[str, ...] = ()
    lapses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hour:
    """One part of one day of the week: how many hard moments, how dark (0 to 4), and whether it was marked as hard."""

    count: int
    shade: int
    marked: bool


@dataclass(frozen=True, slots=True)
class Insight:
    """What there is to see. `days` are those of the span, oldest first, `hours` of 90 days, the rest of all there is.

    `hours` has six rows, one a part of the day from midnight, of seven days from Monday; `hardest` is (day, part).
    `waves` is how strong the urge was before and after the timer, on average. `back`: see `practice.days_until_back`.
    """

    first: date
    last: date
    days: tuple[Day, ...]
    numbers: Numbers
    hours: tuple[tuple[Hour, ...], ...]
    hardest: tuple[int, int] | None
    waves: tuple[int, int] | None
    back: int | None
    lapses: int

    @property
    def long(self) -> bool:
        """Is this so many days that they are seen from further off?"""
        return (self.last - self.first).days >= SPANS[0]

    @property
    def empty(self) -> bool:
        """Is there nothing to see yet?"""
        hours = any(hour.count or hour.marked for row in self.hours for hour in row)
        return not self.days and not self.numbers.days and not hours


def read(w: Work, span: int = SPANS[0]) -> Insight:
    """The actor's own insight over the last `span` days. Seven queries, and at most one for keys.

    Raises `Invalid` for a span that is not offered.
    """
    if span not in SPANS:
        raise Invalid
    today = checkins.today(w)
    first, since = today - timedelta(days=span - 1), today - timedelta(days=practice.RECENT - 1)
    told, rides = _reports(w), urges.rides(w, _BEGINNING)
    waves = [_local(w, ride.started_at) for ride in rides]
    history = History(
        (*_practised(w), *(Practised(at.date(), at) for at in waves)),
        tuple(Lapse(kind, at) for kind, at in told if kind in practice.LAPSES),
        sum(ride.outcome == _RODE for ride in rides),
    )
    moments = [at for at in (*waves, *(at for _kind, at in told)) if since <= at.date() <= today]
    counts = practice.hours(moments)
    marked = _marked(w)
    hardest = practice.hardest(counts)
    return Insight(
        first,
        today,
        tuple(_days(w, first, today, history.lapses)),
        practice.numbers(history, today),
        _table(counts, marked),
        None if hardest is None else divmod(hardest, PARTS),
        _waves(rides),
        practice.days_until_back(history),
        len(history.lapses),
    )


def _days(w: Work, first: date, today: date, lapses: Sequence[Lapse]) -> Iterator[Day]:
    """The days with a check-in or a lapse. Of two groups on one day: the mood between, the strongest urge."""
    checked: dict[date, list[checkins.Day]] = {}
    for one in checkins.own_since(w, first):
        checked.setdefault(one.day, []).append(one)
    told: dict[date, list[str]] = {}
    for lapse in lapses:
        if first <= lapse.day <= today:
            told.setdefault(lapse.day, []).append(lapse.kind)
    for day in sorted({*checked, *told}):
        same = checked.get(day, [])
        moods = [one.mood for one in same if one.mood is not None]
        yield Day(
            day,
            round(fmean(moods)) if moods else None,
            max((one.urge for one in same if one.urge is not None), default=None),
            tuple(one.line for one in same if one.line),
            tuple(dict.fromkeys(told.get(day, ()))),
        )


def _practised(w: Work) -> Iterator[Practised]:
    """Days with a check-in, a step of the programme, or a session."""
    yield from map(Practised, checkins.own_days(w))
    yield from map(Practised, w.db.scalars(_of_actor(select(StepDone.done_on), StepDone.membership_id, w)))
    for came in w.db.scalars(_of_actor(select(Attendance.came_at), Attendance.membership_id, w)):
        at = _local(w, came)
        yield Practised(at.date(), at)


def _reports(w: Work) -> list[tuple[str, datetime]]:
    """When somebody told of an urge, a lapse or a relapse. An empty draft may be a slip of a thumb."""
    said = or_(RelapseReport.state != "draft", RelapseReport.safe != "", RelapseReport.analysis.is_not(None))
    query = select(RelapseReport.kind, RelapseReport.started_at).where(said)
    query = query.order_by(RelapseReport.started_at, RelapseReport.id)
    return [(kind, _local(w, at)) for kind, at in w.db.execute(_of_actor(query, RelapseReport.membership_id, w))]


def _marked(w: Work) -> frozenset[int]:
    """The hours somebody marked as hard, at whatever step asked for them."""
    query = select(Answer).join(StepQuestion, StepQuestion.id == Answer.question_id).where(StepQuestion.kind == "week")
    rows = w.db.scalars(_of_actor(query, Answer.membership_id, w)).all()
    names = [answer_row(row.membership_id, row.session_id, row.chapter, row.step) for row in rows]
    values = w.ring.open_all(Answer.value, list(zip(names, (row.value for row in rows), strict=True)))
    return frozenset(cell for value in values for cell in json.loads(value))


def _table(counts: Sequence[int], marked: frozenset[int]) -> tuple[tuple[Hour, ...], ...]:
    shades = practice.shades(counts, marked)
    cells = [Hour(n, shade, cell in marked) for cell, (n, shade) in enumerate(zip(counts, shades, strict=True))]
    return tuple(tuple(cells[day * PARTS + part] for day in range(DAYS)) for part in range(PARTS))


def _waves(rides: Sequence[urges.Ride]) -> tuple[int, int] | None:
    known = [(ride.before, ride.after) for ride in rides if ride.before is not None and ride.after is not None]
    if len(known) < practice.SEVERAL:
        return None
    return round(fmean(before for before, _after in known)), round(fmean(after for _before, after in known))


def _of_actor(query: Any, membership_id: Any, w: Work) -> Any:
    return query.join(Membership, Membership.id == membership_id).where(Membership.person_id == w.who.person_id)


def _local(w: Work, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(w.who.timezone))
