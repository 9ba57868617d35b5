"""Relapse reports: urge, lapse and relapse are equal doors to the same quiet look at what happened.

Until it is sent, a report is a draft that only its writer can read. Sending it asks a person to make contact;
the analysis stays the writer's own whatever is sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import audit, ids
from app.core.errors import Closed, Invalid, NotFound, Unavailable
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups import rooms
from groups.models import Membership
from matching import buddies, outreach, plan
from matching.models import RelapseReport
from moderation.screening import screen

KINDS = ("urge", "lapse", "relapse")
PER_HOUR = 6  # reports one member can open in an hour; beyond it, the last one is opened again
SAFE = ("yes", "unsure", "no")
NOT_ASKED = "unsaid"  # a one-tap ask for contact does not put the question
ANALYSIS = ("situation", "trigger", "thought", "feeling", "aftermath", "next_time")


@dataclass(frozen=True, slots=True)
class Report:
    """One's own report, as its writer sees it."""

    ref: str
    group_id: int
    alias: str
    kind: str
    safe: str
    ask_buddy: bool
    ask_facilitator: bool
    state: str
    analysis: dict[str, str]
    started_at: datetime
    sent_at: datetime | None
    ladder: tuple[outreach.Rung, ...]


def begin(w: Work, found: rooms.Place, kind: str, key: str) -> str:
    """Open a draft and return its public id. The same `key` again returns the same draft. For members."""
    if kind not in KINDS or found.leads:
        raise Invalid
    known = w.db.scalar(
        select(RelapseReport.public_id).where(
            RelapseReport.membership_id == found.membership_id, RelapseReport.key == key
        )
    )
    if known is not None:
        return known
    recent = w.db.scalars(
        select(RelapseReport.public_id)
        .where(
            RelapseReport.membership_id == found.membership_id,
            RelapseReport.started_at > w.now - timedelta(hours=1),
        )
        .order_by(RelapseReport.id.desc())
    ).all()
    if len(recent) >= PER_HOUR:
        return recent[0]  # one person must not drown the others' asks; the last report can still be made urgent
    report = RelapseReport(
        public_id=ids.public_id(), key=key, membership_id=found.membership_id, kind=kind, started_at=w.now
    )
    try:
        with w.db.begin_nested():
            w.db.add(report)
    except IntegrityError:  # a double click: both get the one draft
        return begin(w, found, kind, key)
    return report.public_id


def say_safe(w: Work, ref: str, safe: str) -> None:
    """Keep the answer to the safety question of a draft: `warn` follows for anything but yes."""
    if safe not in SAFE:
        raise Invalid(N_("Kies wat nu het meest klopt. Er is nog niets verstuurd."))
    report = _own(w, ref, change=True)
    if report.sent_at is None or safe != "yes":
        report.safe = safe


def warn(w: Work, ref: str, clocks: plan.Clocks) -> None:
    """The writer may not be safe: facilitators are asked at once, whatever became of the report before. For its
    writer. Asks once while somebody is being asked. Writes the ladder, outbox rows and an audit line.
    """
    report = _own(w, ref, change=True)
    if outreach.red_open(w, report.id):
        return
    membership = w.db.get_one(Membership, report.membership_id)
    rungs = outreach.count(w, report.id)
    report.state, report.sent_at = "asked", report.sent_at or w.now
    w.db.flush()
    steps = _plan(w, membership, safe=False, ask_buddy=False, ask_facilitator=True, clocks=clocks)
    outreach.start(w, report, steps, first_position=rungs)
    audit.record(w, "report.urgent", "report", report.id)


def ping(w: Work, found: rooms.Place, key: str, clocks: plan.Clocks) -> str:
    """Ask one's buddy for contact in one tap, without a word. The same `key` again asks once. For members.

    Writes and announces what `send` does; the safety question is kept as not asked.
    """
    ref = begin(w, found, "urge", key)
    report = _own(w, ref, change=True)
    report.safe = report.safe or NOT_ASKED
    send(w, ref, ask_buddy=True, ask_facilitator=False, clocks=clocks)
    return ref


def send(w: Work, ref: str, *, ask_buddy: bool, ask_facilitator: bool, clocks: plan.Clocks) -> None:
    """Send a report: somebody is asked to make contact. Sending twice sends once. For its writer.

    Writes the report's state, the ladder and the first outbox rows in one transaction, and an audit line.
    Raises `Invalid` when the safety question was skipped or nobody was chosen.
    """
    report = _own(w, ref, change=True)
    if report.sent_at is not None:
        return
    safe = report.safe in ("yes", NOT_ASKED)
    if not report.safe:
        raise Invalid(N_("Beantwoord eerst of je veilig bent. Alles is bewaard."))
    if safe and not ask_buddy and not ask_facilitator:
        raise Invalid(N_("Kies wie het mag weten, of kies ‘Nog niemand’. Alles is bewaard."))
    membership = w.db.get_one(Membership, report.membership_id)
    report.ask_buddy, report.ask_facilitator = ask_buddy, ask_facilitator
    report.sent_at, report.state = w.now, "asked"
    w.db.flush()
    steps = _plan(w, membership, safe=safe, ask_buddy=ask_buddy, ask_facilitator=ask_facilitator, clocks=clocks)
    outreach.start(w, report, steps)
    audit.record(w, "report.sent", "report", report.id, report.kind)


def keep(w: Work, ref: str) -> None:
    """Keep a report to oneself. It can still be sent later. Raises `Invalid` when one said not to be safe."""
    report = _draft(w, ref)
    if report.safe in ("unsure", "no"):
        raise Invalid(N_("Je gaf aan dat je misschien niet veilig bent. Daarom vragen we een begeleider erbij."))
    report.state = "kept"


def write_analysis(w: Work, ref: str, part: str, text: str, clocks: plan.Clocks) -> bool:
    """Keep one part of the analysis. It is read by nobody but its writer.

    When it speaks of danger to oneself, facilitators are asked to make contact at once (told beforehand on the
    page), without a word of the text. Returns whether it did.
    """
    if part not in ANALYSIS:
        raise NotFound
    report = _own(w, ref, change=True)
    cleaned = plain(text) if text.strip() else ""
    parts = _analysis(w, report) | {part: cleaned}
    report.analysis = w.ring.seal(w.who.person_id, RelapseReport.analysis, report.public_id, json.dumps(parts))
    verdict = screen(cleaned, where="report")
    danger = verdict.alert and any(r.kind == "crisis_self" for r in verdict.reasons)
    if danger:
        report.safe = "no"
        warn(w, ref, clocks)
    return danger


def stop(w: Work, ref: str) -> None:
    """ "I have contact": end the asking. For the report's writer. Raises `Closed` when nobody is being asked."""
    report = _own(w, ref, change=True)
    if report.state != "asked":
        raise Closed
    outreach.stop(w, report)


def read(w: Work, ref: str) -> Report:
    """One's own report. Raises `NotFound`."""
    report = _own(w, ref)
    membership = w.db.get_one(Membership, report.membership_id)
    return _view(w, report, membership)


def recent(w: Work, limit: int = 3) -> list[Report]:
    """One's own latest reports that were sent and are still being answered."""
    rows = w.db.execute(
        select(RelapseReport, Membership)
        .join(Membership, Membership.id == RelapseReport.membership_id)
        .where(Membership.person_id == w.who.person_id, RelapseReport.state.in_(("asked", "contact")))
        .order_by(RelapseReport.started_at.desc())
        .limit(limit)
    )
    return [_view(w, report, membership) for report, membership in rows]


def _plan(
    w: Work, membership: Membership, *, safe: bool, ask_buddy: bool, ask_facilitator: bool, clocks: plan.Clocks
) -> list[plan.Step]:
    """Who is asked. A group that has lost its facilitators falls back on all staff; nobody at all is said at once."""
    pairs = [b for b in buddies.mine(w) if b.own_membership_id == membership.id]
    leads = [plan.Candidate(m.person_id, m.membership_id) for m in rooms.facilitators_of(w, membership.group_id)]
    leads = leads or [plan.Candidate(person_id, None) for person_id in rooms.staff_of(w, membership.group_id)]
    if not leads:
        raise Unavailable(N_("Er is nu geen begeleider bereikbaar. Je verslag is bewaard. Bel 113, of 112 bij gevaar."))
    return plan.outreach(
        safe=safe,
        ask_buddy=ask_buddy,
        ask_facilitator=ask_facilitator,
        buddies=[plan.Candidate(b.person_id, b.membership_id) for b in pairs],
        facilitators=leads,
        clocks=clocks,
    )


def _own(w: Work, ref: str, *, change: bool = False) -> RelapseReport:
    """One's own report; locked where it will be changed, so that two clicks come one after the other."""
    query = (
        select(RelapseReport)
        .join(Membership, Membership.id == RelapseReport.membership_id)
        .where(RelapseReport.public_id == ref, Membership.person_id == w.who.person_id)
    )
    report = w.db.scalar(query.with_for_update(of=RelapseReport) if change else query)
    if report is None or not ids.is_ref(ref):
        raise NotFound
    return report


def _draft(w: Work, ref: str) -> RelapseReport:
    report = _own(w, ref, change=True)
    if report.sent_at is not None:
        raise Closed(N_("Dit verslag is al verstuurd."))
    return report


def _analysis(w: Work, report: RelapseReport) -> dict[str, str]:
    """The parts of a report's analysis that are written, and empty ones for the rest."""
    empty = dict.fromkeys(ANALYSIS, "")
    if report.analysis is None:
        return empty
    written: dict[str, str] = json.loads(w.ring.open(RelapseReport.analysis, report.public_id, report.analysis))
    return empty | written


def _view(w: Work, report: RelapseReport, membership: Membership) -> Report:
    return Report(
        report.public_id,
        membership.group_id,
        membership.alias,
        report.kind,
        report.safe,
        report.ask_buddy,
        report.ask_facilitator,
        report.state,
        _analysis(w, report),
        report.started_at,
        report.sent_at,
        outreach.ladder(w, report.id, w.who.person_id),
    )
