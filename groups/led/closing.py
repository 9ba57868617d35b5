"""Two questions at the end of a session: did I feel connected with the group, and safe in it? From 1 to 5.

They can be answered once, from the closing step on and until a day after. Facilitators see them only added up, only
where enough answered, and only when nothing can be added any more: two looks must not differ by one answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError

from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms, rules
from groups.agenda import runsheet
from groups.led import stage
from groups.models import Answer, Attendance, GroupSession, Membership
from groups.programme import exercises
from groups.rules import MEMBER

CHAPTER = "closing"  # where these answers stand among those at steps
TOGETHER, SAFE = "together", "safe"
LOWEST, HIGHEST = 1, 5

# Whom a facilitator noted as there afterwards is not asked: by noting them as away and there again, what was shown in
# between would differ from what is shown then by their answer alone.
_AS_IT_WAS = Attendance.corrected_on.is_(None)

TOO_LATE = N_("De slotvragen kon je invullen tot een dag na de bijeenkomst. Er is niets veranderd.")


@dataclass(frozen=True, slots=True)
class Asked:
    """The closing questions as a page puts them: of which session, and whether they were answered."""

    session: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Felt:
    """How often each number from 1 to 5 was chosen, for both questions."""

    answers: int
    together: tuple[int, ...]
    safe: tuple[int, ...]


def asked(w: Work, found: rooms.Place) -> Asked | None:
    """The closing questions a member can answer now, if any: of the latest session that they were in. Two queries."""
    if found.kind != "group" or found.leads:
        return None
    session = w.db.scalar(
        select(GroupSession)
        .join(Attendance, Attendance.session_id == GroupSession.id)
        .where(
            Attendance.membership_id == found.membership_id,
            _AS_IT_WAS,
            (GroupSession.status == "open") | (GroupSession.closed_at > w.now - stage.CLOSING_LASTS),
        )
        .order_by(GroupSession.opened_at.desc(), GroupSession.id.desc())
        .limit(1)
    )
    if session is None or not stage.closing(session, _line(w, session, found), w.now):
        return None
    return Asked(session.public_id, _own(w, session, found) is not None)


def answer(w: Work, room: str, session_ref: str, together: int, safe: int, *, few_ok: bool = False) -> None:
    """Answer both closing questions, once: a second time changes nothing. For members who were in the session.

    Writes two sealed answers. Raises `NotFound`, `Invalid`, or `Closed` when the questions are not open.
    """
    found = rooms.place(w, room, out_too=True)
    if found.leads:
        raise NotFound
    session = _session(w, found, session_ref)
    if not stage.closing(session, _line(w, session, found), w.now):
        raise Closed(TOO_LATE)
    if not (LOWEST <= together <= HIGHEST and LOWEST <= safe <= HIGHEST):
        raise Invalid(N_("Kies bij allebei een getal van 1 tot 5. Er is nog niets verstuurd."))
    if _own(w, session, found) is not None:
        return
    rows = [_row(w, found, session, step, value, few_ok) for step, value in ((TOGETHER, together), (SAFE, safe))]
    try:
        with w.db.begin_nested():
            w.db.add_all(rows)
    except IntegrityError:
        return  # answered on another screen this very moment


def felt(w: Work, session: GroupSession, found: rooms.Place) -> Felt | None:
    """What was answered, added up, or None while it may not be shown. For facilitators of the group.

    Shown when a day has passed or everybody who was there answered, and only if enough did. Raises `Forbidden`.
    """
    if not found.leads:
        raise Forbidden
    rows = w.db.scalars(
        select(Answer)
        .where(Answer.session_id == session.id, Answer.chapter == CHAPTER, Answer.sharing == "counted")
        .order_by(Answer.membership_id, Answer.step)
    ).all()
    given = len({row.membership_id for row in rows})
    if session.closed_at is None or not rules.may_count(given, all(row.few_ok for row in rows)):
        return None
    if w.now < session.closed_at + stage.CLOSING_LASTS and _awaited(w, session):
        return None
    values = [json.loads(exercises.value_of(w, row))[0] for row in rows]
    counts = {
        step: tuple(
            sum(value == n for row, value in zip(rows, values, strict=True) if row.step == step)
            for n in range(LOWEST, HIGHEST + 1)
        )
        for step in (TOGETHER, SAFE)
    }
    return Felt(given, counts[TOGETHER], counts[SAFE])


def _line(w: Work, session: GroupSession, found: rooms.Place) -> runsheet.Line:
    return stage.current(w, session, found)


def _session(w: Work, found: rooms.Place, ref: str) -> GroupSession:
    """A session of this group in which the actor was, as their own coming in noted it. Raises `NotFound`."""
    session = w.db.scalar(
        select(GroupSession)
        .join(Attendance, Attendance.session_id == GroupSession.id)
        .where(
            GroupSession.public_id == ref,
            GroupSession.group_id == found.group_id,
            Attendance.membership_id == found.membership_id,
            _AS_IT_WAS,
        )
    )
    if session is None:
        raise NotFound
    return session


def _own(w: Work, session: GroupSession, found: rooms.Place) -> int | None:
    return w.db.scalar(
        select(Answer.id)
        .where(Answer.membership_id == found.membership_id, Answer.session_id == session.id, Answer.chapter == CHAPTER)
        .limit(1)
    )


def _row(w: Work, found: rooms.Place, session: GroupSession, step: str, value: int, few_ok: bool) -> Answer:
    row = Answer(
        membership_id=found.membership_id,
        session_id=session.id,
        programme=found.programme,
        chapter=CHAPTER,
        step=step,
        step_version=1,
        sharing="counted",
        few_ok=few_ok,
        status="posted",
        updated_at=w.now,
    )
    row.value = exercises.sealed(w, w.who.person_id, row, json.dumps([value]))
    return row


def _awaited(w: Work, session: GroupSession) -> int:
    """How many members were in the session, can still answer, and have not."""
    answered = exists().where(
        Answer.session_id == session.id, Answer.chapter == CHAPTER, Answer.membership_id == Attendance.membership_id
    )
    return (
        w.db.scalar(
            select(func.count())
            .select_from(Attendance)
            .join(Membership, Membership.id == Attendance.membership_id)
            .where(
                Attendance.session_id == session.id,
                _AS_IT_WAS,
                Membership.role == MEMBER,
                Membership.left_at.is_(None),
                ~answered,
            )
        )
        or 0
    )
