"""The review queue: cases in order of danger, decided once, each step in the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, column, func, select, table, update

from app.core import audit, ids
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.permissions import Role
from app.core.readers import NOBODY
from app.core.text import plain
from app.core.work import Work
from moderation import subjects
from moderation.models import Case, Flag
from moderation.screening import Reason

RED, AMBER, OTHER = 0, 1, 2
CLOCKS = {RED: timedelta(minutes=15), AMBER: timedelta(hours=2), OTHER: timedelta(hours=24)}
DECISIONS = ("release", "reject", "seen")
REASONS = ("contact", "identity", "tone", "explicit", "link", "safety", "mistake")
_NOTHING = 0  # the number of what is there no longer
# Who leads which group, asked of the table by name: its package stands above this one.
_LEADS = table("memberships", column("group_id"), column("person_id"), column("role"), column("left_at"))
_FEW = 2  # so many more must have been able to flag something, before it is told how many did
FLAGGED = "flagged"  # the kind of a case that members asked for
NOTE_READERS = NOBODY  # no page shows a note again
_URGENT = {"crisis_self", "crisis_other", "child_safety"}


@dataclass(frozen=True, slots=True)
class Card:
    """A case as the list shows it: kind and clock first, no text."""

    public_id: str
    kinds: tuple[str, ...]
    level: int
    held: bool
    opened_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Flagged:
    """That members asked for this look, and why; never who. `by` is how many, 0 where that would point at them."""

    by: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """A case opened for review, with the thing itself."""

    card: Card
    version: int
    subject: subjects.Described
    flagged: Flagged | None = None


def level_of(reasons: Iterable[Reason], alert: bool) -> int:
    """How urgent a case with these reasons is: red when somebody must be alerted at once."""
    if alert:
        return RED
    return AMBER if any(r.kind in _URGENT for r in reasons) else OTHER


def open_case(
    w: Work,
    organisation_id: int,
    group_id: int,
    subject_kind: str,
    subject_id: int,
    kinds: Iterable[str],
    level: int,
    held: bool,
    *,
    staff_id: int | None = None,
) -> str:
    """Put something in the queue and return the case's public id. In the caller's transaction.

    Where members flagged what staff wrote, `staff_id` keeps the case from them: moderators and other staff of the
    organisation see it. Writes the case; announces to whoever may decide it that there is one (level, no text).
    """
    case = Case(
        public_id=ids.public_id(),
        organisation_id=organisation_id,
        group_id=group_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        level=level,
        kinds=",".join(dict.fromkeys(kinds))[:120],
        held=held,
        staff_id=staff_id,
        opened_at=w.now,
        due_at=w.now + CLOCKS[level],
    )
    w.db.add(case)
    w.db.flush()
    _tell_reviewers(w, case)
    return case.public_id


def raise_case(
    w: Work,
    subject_kind: str,
    subject_id: int,
    kinds: Iterable[str],
    level: int,
    *,
    held: bool = False,
    staff_id: int | None = None,
) -> str | None:
    """Give an open case another reason to look: never less urgent, never later. Returns its public id, None if there
    is no open case. In the caller's transaction.

    `held` says that the thing was taken away until somebody decided; `staff_id` as in `open_case`. Whoever has the case
    open is asked to look again where that changes what can be decided. Writes the case; tells who may decide it.
    """
    case = w.db.scalar(
        select(Case)
        .where(Case.subject_kind == subject_kind, Case.subject_id == subject_id, Case.decided_at.is_(None))
        .order_by(Case.level, Case.id)
        .limit(1)
        .with_for_update()
    )
    if case is None:
        return None
    before = (case.kinds, case.level, case.held)
    case.kinds = ",".join(dict.fromkeys([*case.kinds.split(","), *kinds]))[:120]
    case.level = min(case.level, level)
    case.due_at = min(case.due_at, w.now + CLOCKS[level])
    case.held = case.held or held
    case.staff_id = case.staff_id or staff_id
    if before != (case.kinds, case.level, case.held):
        case.version += 1
        w.db.flush()
        _tell_reviewers(w, case)
    return case.public_id


def waiting(w: Work) -> list[Card]:
    """Everything that waits in one's own organisation: danger first, then what is due first. One query."""
    rows = w.db.scalars(
        select(Case).where(_reach(w), Case.decided_at.is_(None)).order_by(Case.level, Case.due_at, Case.id)
    )
    return [_card(case) for case in rows]


def count(w: Work) -> int:
    """How many cases wait in one's own organisation. One query."""
    query = select(func.count()).where(_reach(w), Case.decided_at.is_(None))
    return w.db.scalar(query) or 0


def look(w: Work, public_id: str) -> Detail:
    """Open one case of one's own organisation. Raises `NotFound`; writes an audit line, since a text is read."""
    case = _own(w, public_id)
    audit.record(w, "case.read", "case", case.id)
    try:
        subject = subjects.of_kind(case.subject_kind).describe(w, case.subject_id)
    except NotFound:  # its author took it back, or was erased; that there was danger is still to be seen
        subject = subjects.Described("", "", "", case.opened_at, False, ())
    return Detail(_card(case), case.version, subject, _flagged(w, case))


def decide(w: Work, public_id: str, version: int, decision: str, reason: str, note: str = "") -> None:
    """Decide a case: release, reject (with a reason), or seen for what was never held. What members flagged can be
    taken away too.

    Writes the decision, acts on the subject in the same transaction, adds an audit line. Raises `Closed` if
    somebody else decided first or the case changed, `Invalid` for a decision that does not fit.
    """
    case = _own(w, public_id)
    note = plain(note, limit=500) if note.strip() else ""
    if w.who.person_id == subjects.of_kind(case.subject_kind).author(w, case.subject_id):
        raise Forbidden(N_("Dit schreef je zelf. Laat iemand anders besluiten."))
    if decision not in decisions(_card(case)):
        raise Invalid(N_("Kies eerst een besluit. Er is nog niets veranderd."))
    if reason not in (("", *REASONS) if decision != "reject" else REASONS):
        raise Invalid(N_("Kies een reden, dan kunnen we het aan de schrijver uitleggen. Er is nog niets veranderd."))
    won = w.db.execute(
        update(Case)
        .where(Case.id == case.id, Case.version == version, Case.decided_at.is_(None))
        .values(
            decision=decision,
            reason=reason or None,
            note=w.ring.seal(w.who.person_id, Case.note, public_id, note) if note else None,
            decided_by=w.who.person_id,
            decided_at=w.now,
            version=version + 1,
        )
        .returning(Case.id)
    ).first()
    if won is None:
        w.db.refresh(case)
        if case.decided_at is None:
            raise Closed(N_("Hier kwam net iets bij. Kijk nog even; er is nog niets besloten."))
        raise Closed(N_("Iemand anders besloot hier net over. Er is niets dubbel gedaan."))
    subject = subjects.of_kind(case.subject_kind)
    if decision == "release":
        subject.release(w, case.subject_id)
    elif decision == "reject":
        subject.reject(w, case.subject_id, reason)
    subject.decided(w, case.subject_id)
    audit.record(w, f"case.{decision}", "case", case.id, reason)
    _tell_reviewers(w, case)


def decisions(card: Card) -> tuple[str, ...]:
    """What can be decided about a case."""
    if card.held:
        return ("release", "reject")
    return ("seen", "reject") if FLAGGED in card.kinds else ("seen",)


def withdraw(w: Work, subject_kind: str, subject_id: int) -> None:
    """Close the open cases about something that is no longer there to be decided: its author replaced it.

    A red case stays: who spoke of danger and took it back is still somebody to look after. It can only be seen then.
    """
    mine = (Case.subject_kind == subject_kind) & (Case.subject_id == subject_id) & Case.decided_at.is_(None)
    w.db.execute(
        update(Case)
        .where(mine, Case.level > RED)
        .values(decision="withdrawn", decided_at=w.now, version=Case.version + 1)
    )
    w.db.execute(update(Case).where(mine, Case.level == RED).values(held=False, version=Case.version + 1))
    audit.record(w, "case.withdrawn", subject_kind, subject_id)


def is_red(w: Work, subject_kind: str, which: Any) -> bool:
    """Does a case about danger wait, about any of these?"""
    red = select(Case.id).where(
        Case.subject_kind == subject_kind,
        Case.subject_id.in_(which),
        Case.decided_at.is_(None),
        Case.level == RED,
    )
    return w.db.scalar(red.limit(1)) is not None


def withdraw_all(w: Work, subject_kind: str, which: Any, *, removed: bool = False) -> None:
    """Close the open cases about everything somebody wrote who is being erased: `which` selects its ids.

    As with `withdraw`, a red case stays, to be seen. With `removed` the rows go, and their numbers may be given to what
    somebody else writes: then no case, open or decided, points at them any more.
    """
    query = select(Case.subject_id).where(
        Case.subject_kind == subject_kind, Case.subject_id.in_(which), Case.decided_at.is_(None)
    )
    for subject_id in sorted(set(w.db.scalars(query))):
        withdraw(w, subject_kind, subject_id)
    if removed:
        theirs = (Case.subject_kind == subject_kind) & Case.subject_id.in_(which)
        w.db.execute(update(Case).where(theirs).values(subject_id=_NOTHING))


def _reach(w: Work) -> ColumnElement[bool]:
    """Which cases the actor may see: moderators those of their organisation, others those of groups they lead.

    What members flagged of staff is seen by all other reviewers of the organisation: there must be one.
    """
    own = Case.organisation_id == w.who.organisation_id
    if w.who.role is Role.MODERATOR:
        return own
    about_another = Case.staff_id.is_not(None) & (Case.staff_id != w.who.person_id)
    return own & (about_another | (Case.staff_id.is_(None) & Case.group_id.in_(_led_by(w.who.person_id))))


def _tell_reviewers(w: Work, case: Case) -> None:
    """Tell the open screens of who may see a case that the list changed: moderators, and who leads its group."""
    about = {"kind": "case", "level": case.level, "ref": case.public_id}
    w.announce(f"reviewers:{case.organisation_id}", "notice", about)
    for person_id in w.db.scalars(_leaders_of(case.group_id)):
        if person_id == case.staff_id:
            continue
        w.announce(f"person:{person_id}", "notice", about)


def _flagged(w: Work, case: Case) -> Flagged | None:
    if FLAGGED not in case.kinds.split(","):
        return None
    reasons = w.db.scalars(
        select(Flag.reason).where(Flag.subject_kind == case.subject_kind, Flag.subject_id == case.subject_id)
    ).all()
    in_group = (_LEADS.c.group_id == case.group_id) & (_LEADS.c.role == "member") & _LEADS.c.left_at.is_(None)
    others = (w.db.scalar(select(func.count()).select_from(_LEADS).where(in_group)) or 0) - 1
    told = len(reasons) if others - len(reasons) >= _FEW else 0
    return Flagged(told, tuple(sorted(set(reasons))))


def _leaders_of(group_id: int) -> Any:
    return select(_LEADS.c.person_id).where(
        _LEADS.c.group_id == group_id, _LEADS.c.role == "facilitator", _LEADS.c.left_at.is_(None)
    )


def _led_by(person_id: int) -> Any:
    """The groups somebody leads."""
    return select(_LEADS.c.group_id).where(
        _LEADS.c.person_id == person_id, _LEADS.c.role == "facilitator", _LEADS.c.left_at.is_(None)
    )


def _own(w: Work, public_id: str) -> Case:
    case = w.db.scalar(select(Case).where(Case.public_id == public_id, _reach(w)))
    if case is None:
        raise NotFound
    return case


def _card(case: Case) -> Card:
    return Card(case.public_id, tuple(case.kinds.split(",")), case.level, case.held, case.opened_at, case.due_at)
