"""What matching keeps of a person: check-ins, reports with whom they asked, pairs, and what was asked of them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select, update

from app.core.work import Work
from app.notify import outbox
from groups.models import Group, Membership
from matching import buddies, outreach
from matching.models import CheckIn, OutreachStep, Pair, PairMember, RelapseReport, checkin_row


def export(w: Work, person_id: int) -> dict[str, Any]:
    """The person's check-ins, reports, pairs (not with whom), and when they were asked to make contact."""
    own = select(Membership.id).where(Membership.person_id == person_id)
    pairs = w.db.execute(
        select(Pair.made_on, Pair.ended_at, Group.name)
        .join(PairMember, PairMember.pair_id == Pair.id)
        .join(Group, Group.id == Pair.group_id)
        .where(PairMember.membership_id.in_(own))
        .order_by(Pair.id)
    ).all()
    asked = w.db.scalars(
        select(OutreachStep)
        .where(OutreachStep.person_id == person_id, OutreachStep.asked_at.is_not(None))
        .order_by(OutreachStep.id)
    )
    return {
        "checkins": _checkins(w, own),
        "reports": _reports(w, own),
        "pairs": [
            {
                "group": row.name,
                "since": row.made_on.isoformat(),
                "until": row.ended_at.date().isoformat() if row.ended_at else None,
            }
            for row in pairs
        ],
        "asked_to_make_contact": [
            {"on": step.asked_at.date().isoformat() if step.asked_at else "", "answer": step.state} for step in asked
        ],
    }


def check(w: Work, person_id: int) -> None:
    """What is asked of somebody who goes is asked of others: nothing here keeps them."""


def erase(w: Work, person_id: int) -> None:
    """Remove check-ins, reports and their steps; end pairs; let others be asked what was asked of them.

    Whoever was asked because the person may not be safe still learns that they may need somebody: the group, no name.
    """
    own = select(Membership.id).where(Membership.person_id == person_id)
    reports = select(RelapseReport.id).where(RelapseReport.membership_id.in_(own))
    _tell_who_was_asked(w, reports)
    w.db.execute(delete(OutreachStep).where(OutreachStep.report_id.in_(reports)))
    w.db.execute(delete(RelapseReport).where(RelapseReport.membership_id.in_(own)))
    outreach.pass_on(w, person_id)
    w.db.execute(delete(OutreachStep).where(OutreachStep.person_id == person_id))
    for membership_id in w.db.scalars(own).all():
        buddies.step_out(w, membership_id)
    w.db.execute(delete(PairMember).where(PairMember.membership_id.in_(own)))
    w.db.execute(delete(CheckIn).where(CheckIn.membership_id.in_(own)))
    w.db.execute(update(Pair).where(Pair.made_by == person_id).values(made_by=None))


def _tell_who_was_asked(w: Work, reports: Any) -> None:
    rows = w.db.execute(
        select(OutreachStep, Group.public_id.label("group"))
        .join(RelapseReport, RelapseReport.id == OutreachStep.report_id)
        .join(Membership, Membership.id == RelapseReport.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .where(OutreachStep.report_id.in_(reports), OutreachStep.asked_at.is_not(None))
    ).all()
    outbox.settle(w, "outreach", [row.OutreachStep.public_id for row in rows])
    for row in rows:
        step = row.OutreachStep
        if step.level == "red" and step.state in outreach.OPEN:
            outbox.queue(w, step.person_id, "erased_in_need", row.group, f"erased_in_need:{step.public_id}")


def _checkins(w: Work, own: Any) -> list[dict[str, Any]]:
    rows = w.db.execute(
        select(CheckIn, Group.name)
        .join(Membership, Membership.id == CheckIn.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .where(CheckIn.membership_id.in_(own))
        .order_by(CheckIn.day, CheckIn.id)
    ).all()
    places = [(checkin_row(row.CheckIn.membership_id, row.CheckIn.day), row.CheckIn.content) for row in rows]
    return [
        {"group": row.name, "on": row.CheckIn.day.isoformat(), "shared": row.CheckIn.share, **json.loads(content)}
        for row, content in zip(rows, w.ring.open_all(CheckIn.content, places), strict=True)
    ]


def _reports(w: Work, own: Any) -> list[dict[str, Any]]:
    rows = w.db.execute(
        select(RelapseReport, Group.name)
        .join(Membership, Membership.id == RelapseReport.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .where(RelapseReport.membership_id.in_(own))
        .order_by(RelapseReport.started_at, RelapseReport.id)
    ).all()
    texts = w.ring.open_all(
        RelapseReport.analysis, [(r.RelapseReport.public_id, r.RelapseReport.analysis) for r in rows]
    )
    return [
        {
            "group": row.name,
            "kind": row.RelapseReport.kind,
            "on": row.RelapseReport.started_at.date().isoformat(),
            "sent_on": row.RelapseReport.sent_at.date().isoformat() if row.RelapseReport.sent_at else None,
            "safe": row.RelapseReport.safe,
            "asked_buddy": row.RelapseReport.ask_buddy,
            "asked_facilitator": row.RelapseReport.ask_facilitator,
            "state": row.RelapseReport.state,
            "written": json.loads(text) if text else {},
        }
        for row, text in zip(rows, texts, strict=True)
    ]
