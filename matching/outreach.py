"""The ladder of people who are asked to make contact: asked, answered, passed on, never silently over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from app.core import audit, ids
from app.core.errors import Closed, NotFound
from app.core.i18n import N_
from app.core.work import Database, Work
from app.notify import outbox
from groups import rooms
from groups.models import Group, Membership, Room, Seat
from matching import plan
from matching.models import OutreachStep, RelapseReport

log = structlog.get_logger()

OPEN = ("asked", "open")
LIVE = ("waiting", *OPEN)
REMIND = timedelta(minutes=15)  # how often an open alarm asks again


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asks for contact, as the person asked sees it. Nothing of the report's text is here."""

    ref: str
    version: int
    alias: str
    group_name: str
    rung: str
    red: bool
    state: str
    deadline_at: datetime
    answered_at: datetime | None
    ladder: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung as everybody on the ladder may see it."""

    who: str
    rung: str
    state: str
    asked_at: datetime | None
    deadline_at: datetime | None
    mine: bool


def start(w: Work, report: RelapseReport, steps: Sequence[plan.Step], first_position: int = 0) -> None:
    """Write the ladder of a report and ask its first rung. In the transaction that files the report.

    Writes the steps and one outbox row per person asked. Nothing is sent before the commit.
    """
    for step in steps:
        w.db.add(
            OutreachStep(
                public_id=ids.public_id(),
                report_id=report.id,
                position=first_position + step.position,
                rung=step.rung,
                person_id=step.person_id,
                membership_id=step.membership_id,
                level=step.level,
                minutes=step.minutes,
                state="waiting",
            )
        )
    w.db.flush()
    _ask(w, report.id, first_position)


def due(w: Work) -> list[Ask]:
    """Everybody who asks the actor for contact now, most pressing first."""
    return _asks(w, OutreachStep.state.in_(OPEN))


def _asks(w: Work, *conditions: Any) -> list[Ask]:
    pair_alias = _in_pair_room(RelapseReport.membership_id, OutreachStep.membership_id)
    rows = w.db.execute(
        select(OutreachStep, Membership.alias, Group.name, pair_alias)
        .join(RelapseReport, RelapseReport.id == OutreachStep.report_id)
        .join(Membership, Membership.id == RelapseReport.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .where(OutreachStep.person_id == w.who.person_id, *conditions)
        .order_by(OutreachStep.level.desc(), OutreachStep.deadline_at, OutreachStep.id)
    ).all()
    ladders = _ladders(w, [row.OutreachStep.report_id for row in rows], w.who.person_id)
    return [
        Ask(
            step.public_id,
            step.version,
            known_as or "" if step.rung == plan.BUDDY else alias,
            group_name,
            step.rung,
            step.level == "red",
            step.state,
            step.deadline_at or w.now,
            step.answered_at,
            ladders[step.report_id],
        )
        for step, alias, group_name, known_as in rows
    ]


def _in_pair_room(membership_id: Any, beside: Any) -> Any:
    """The alias somebody has in the room that they share with their buddy: there they know each other by it."""
    own, other = aliased(Seat), aliased(Seat)
    return (
        select(own.alias)
        .join(other, (other.room_id == own.room_id) & (other.membership_id == beside))
        .join(Room, Room.id == own.room_id)
        .where(own.membership_id == membership_id, Room.kind == "pair")
        .order_by(own.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def taken_on(w: Work) -> list[Ask]:
    """Whom the actor said they would contact, of the last two days: so that nobody is forgotten after the yes."""
    return _asks(w, OutreachStep.state == "contact", OutreachStep.answered_at > w.now - timedelta(days=2))


def ladder(w: Work, report_id: int, person_id: int) -> tuple[Rung, ...]:
    """The rungs of one report, for its writer."""
    return _ladders(w, [report_id], person_id).get(report_id, ())


def acknowledge(w: Work, ref: str, version: int) -> None:
    """ "I am on it": the first answer wins, everybody else is let off. For the person asked.

    Writes the step, the report's state and an audit line; tells the reporter. Raises `NotFound`, or `Closed`
    if somebody else was first: that is good news, not an error of theirs.
    """
    step = _mine(w, ref)
    report = _locked(w, step.report_id)
    _answer(w, step, version, "contact")
    _let_off(w, report.id, spare_red=step.level != "red")
    if not red_open(w, report.id):
        report.state = "contact"
    reporter = w.db.get_one(Membership, report.membership_id)
    outbox.queue(w, reporter.person_id, "contact", report.public_id, f"contact:{report.public_id}:{step.public_id}")
    audit.record(w, "outreach.acknowledged", "outreach", step.id)


def hand_on(w: Work, ref: str, version: int) -> None:
    """ "Not able now": moves on at once, without blame. For the person asked. Raises `NotFound`, `Closed`."""
    step = _mine(w, ref)
    _locked(w, step.report_id)
    _answer(w, step, version, "passed")
    outbox.settle(w, "outreach", [ref])
    audit.record(w, "outreach.passed", "outreach", step.id)
    _climb_if_needed(w, step.report_id)


def stop(w: Work, report: RelapseReport) -> None:
    """The reporter has contact, or wants none any more: everybody still asked is let off."""
    _locked(w, report.id)
    report.state = "stopped"
    _let_off(w, report.id)
    audit.record(w, "outreach.stopped", "report", report.id)


def pass_on(w: Work, person_id: int, group_id: int | None = None) -> None:
    """Somebody who is asked, or would be, is there no longer: in one group, or anywhere. Others are asked instead.

    For whatever follows on leaving and erasing. Writes their steps, and new ones where a ladder would have no
    facilitator left: nobody who asks for contact may lose their last rung.
    """
    query = (
        select(OutreachStep.report_id)
        .join(RelapseReport, RelapseReport.id == OutreachStep.report_id)
        .join(Membership, Membership.id == RelapseReport.membership_id)
        .where(OutreachStep.person_id == person_id, OutreachStep.state.in_(LIVE))
    )
    if group_id is not None:
        query = query.where(Membership.group_id == group_id)
    for report_id in sorted(set(w.db.scalars(query))):
        _pass_on(w, _locked(w, report_id), person_id)


def sweep(database: Database) -> int:
    """Move overdue ladders on, and return how many moved. Looks only at what is due, whatever else there is."""
    with database.read() as r:
        overdue = r.db.scalars(
            select(OutreachStep.report_id)
            .where(OutreachStep.state.in_(OPEN), OutreachStep.deadline_at <= r.now)
            .group_by(OutreachStep.report_id)
            .order_by(func.min(OutreachStep.deadline_at))
            .limit(100)
        ).all()
    moved = 0
    for report_id in overdue:
        try:
            with database.work() as w:
                _climb_if_needed(w, report_id)
            moved += 1
        except Exception:  # one ladder that cannot move must not hold up the others
            log.exception("ladder_failed", report=report_id)
    return moved


def count(w: Work, report_id: int) -> int:
    """How many rungs the report has had so far: where a further ladder begins."""
    highest = w.db.scalar(select(func.max(OutreachStep.position)).where(OutreachStep.report_id == report_id))
    return 0 if highest is None else highest + 1


def red_open(w: Work, report_id: int) -> bool:
    """Is somebody being asked about this report right now, because its writer may not be safe?"""
    query = select(OutreachStep.id).where(
        OutreachStep.report_id == report_id, OutreachStep.level == "red", OutreachStep.state.in_(OPEN)
    )
    return w.db.scalar(query.limit(1)) is not None


def _ask(w: Work, report_id: int, position: int) -> None:
    """Ask everybody on one rung: from now the clock runs."""
    steps = w.db.scalars(
        select(OutreachStep).where(OutreachStep.report_id == report_id, OutreachStep.position == position)
    ).all()
    for step in steps:
        step.state, step.asked_at = "asked", w.now
        step.deadline_at = w.now + timedelta(minutes=step.minutes)
        step.version += 1
        outbox.queue(w, step.person_id, "outreach", step.public_id, f"outreach:{step.public_id}:0")
    w.db.flush()


def _climb_if_needed(w: Work, report_id: int) -> None:
    _locked(w, report_id)
    steps = w.db.scalars(
        select(OutreachStep)
        .where(OutreachStep.report_id == report_id)
        .order_by(OutreachStep.position, OutreachStep.id)
        .execution_options(populate_existing=True)
    ).all()
    asked = [s for s in steps if s.state not in ("waiting", "cancelled")]
    if not asked:
        return
    position = max(s.position for s in asked)
    current = [s for s in asked if s.position == position]
    waiting = [s.position for s in steps if s.state == "waiting" and s.position > position]
    overdue = all((s.deadline_at or w.now) <= w.now for s in current if s.state in OPEN)
    rung = plan.Rung(tuple(s.state for s in current), overdue, last=not waiting)
    match plan.next_move(rung):
        case "climb":
            for step in current:
                if step.state == "asked":
                    step.state, step.version = "expired", step.version + 1
            _ask(w, report_id, min(waiting))
        case "alarm":
            _sound(w, current)
        case "wait":
            pass


def _pass_on(w: Work, report: RelapseReport, person_id: int) -> None:
    query = select(OutreachStep).where(OutreachStep.report_id == report.id, OutreachStep.state.in_(LIVE))
    steps = w.db.scalars(query.execution_options(populate_existing=True)).all()
    going = [s for s in steps if s.person_id == person_id]
    staying = [s for s in steps if s.person_id != person_id]
    outbox.settle(w, "outreach", [s.public_id for s in going])
    for step in going:
        if step.state == "waiting":
            w.db.delete(step)  # they never heard of it
        else:
            step.state, step.version = "cancelled", step.version + 1
    if going and not any(s.rung == plan.FACILITATOR for s in staying):
        staying += _add_rung(w, report, going, person_id)
    w.db.flush()
    if staying and not any(s.state in OPEN for s in staying):
        _ask(w, report.id, min(s.position for s in staying))


def _add_rung(w: Work, report: RelapseReport, instead_of: Sequence[OutreachStep], person_id: int) -> list[OutreachStep]:
    """One more rung at the end of a ladder, with whoever leads the group now, or else all staff."""
    group_id = w.db.get_one(Membership, report.membership_id).group_id
    leads = rooms.facilitators_of(w, group_id)
    people: dict[int, int | None] = {m.person_id: m.membership_id for m in leads if m.person_id != person_id}
    people = people or {other: None for other in rooms.staff_of(w, group_id) if other != person_id}
    last = w.db.scalar(select(func.max(OutreachStep.position)).where(OutreachStep.report_id == report.id)) or 0
    rung = [
        OutreachStep(
            public_id=ids.public_id(),
            report_id=report.id,
            position=last + 1,
            rung=plan.FACILITATOR,
            person_id=other,
            membership_id=membership_id,
            level="red" if any(s.level == "red" for s in instead_of) else "normal",
            minutes=instead_of[0].minutes,
            state="waiting",
        )
        for other, membership_id in people.items()
    ]
    w.db.add_all(rung)
    return rung


def _sound(w: Work, rung: Sequence[OutreachStep]) -> None:
    """The last rung is overdue: it stays open and asks again, everybody on it, until somebody has contact."""
    for step in rung:
        step.state = "open"
        step.deadline_at = w.now + REMIND
        step.version += 1
        outbox.queue(w, step.person_id, "outreach", step.public_id, f"outreach:{step.public_id}:{w.now:%Y%m%d%H%M}")
    w.db.flush()


def _locked(w: Work, report_id: int) -> RelapseReport:
    """The report, locked: whoever changes its ladder takes this first, so that nobody waits in a circle."""
    query = select(RelapseReport).where(RelapseReport.id == report_id).with_for_update()
    return w.db.scalars(query.execution_options(populate_existing=True)).one()


def _let_off(w: Work, report_id: int, *, spare_red: bool = False) -> None:
    """Nobody else needs to act: their steps are cancelled and their inbox lines put away.

    With `spare_red`, whoever was asked because the writer may not be safe stays asked: a buddy's yes to an ordinary
    question must not call them off.
    """
    mine = OutreachStep.report_id == report_id
    if spare_red:
        mine = mine & (OutreachStep.level != "red")
    w.db.execute(
        update(OutreachStep)
        .where(mine, OutreachStep.state.in_(("waiting", "asked", "open")))
        .values(state="cancelled", version=OutreachStep.version + 1)
    )
    refs = w.db.scalars(select(OutreachStep.public_id).where(mine)).all()
    outbox.settle(w, "outreach", refs)


def _mine(w: Work, ref: str) -> OutreachStep:
    step = w.db.scalar(
        select(OutreachStep).where(OutreachStep.public_id == ref, OutreachStep.person_id == w.who.person_id)
    )
    if step is None:
        raise NotFound
    return step


def _answer(w: Work, step: OutreachStep, version: int, state: str) -> None:
    won = w.db.execute(
        update(OutreachStep)
        .where(OutreachStep.id == step.id, OutreachStep.version == version, OutreachStep.state.in_(OPEN))
        .values(state=state, answered_at=w.now, version=version + 1)
        .returning(OutreachStep.id)
    ).first()
    if won is None:
        raise Closed(N_("Iemand anders heeft dit al opgepakt, of het is al doorgegaan naar de volgende. Dank je."))
    w.db.refresh(step)


def _ladders(w: Work, report_ids: Sequence[int], person_id: int) -> dict[int, tuple[Rung, ...]]:
    """The rungs of reports as one person may see them.

    Facilitators know everybody by the alias in the group. The writer and their buddies know each other by the alias
    of their own room; a buddy is not shown that the writer may not be safe.
    """
    pair_alias = _in_pair_room(OutreachStep.membership_id, RelapseReport.membership_id)
    rows = w.db.execute(
        select(OutreachStep, Membership.alias, pair_alias)
        .join(RelapseReport, RelapseReport.id == OutreachStep.report_id)
        .outerjoin(Membership, Membership.id == OutreachStep.membership_id)
        .where(OutreachStep.report_id.in_(report_ids))
        .order_by(OutreachStep.position, OutreachStep.id)
    ).all()
    found: dict[int, list[Rung]] = {}
    asked_as: dict[int, set[str]] = {}
    for step, *_aliases in rows:
        if step.person_id == person_id:
            asked_as.setdefault(step.report_id, set()).add(step.rung)
    for step, alias, known_as in rows:
        role = asked_as.get(step.report_id, set())
        if plan.BUDDY in role and step.level == "red":
            continue
        if step.rung == plan.BUDDY and not role - {plan.BUDDY}:
            alias = known_as
        rung = Rung(alias, step.rung, step.state, step.asked_at, step.deadline_at, step.person_id == person_id)
        found.setdefault(step.report_id, []).append(rung)
    return {report_id: tuple(rungs) for report_id, rungs in found.items()}
