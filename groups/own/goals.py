"""A goal for some weeks: a pause or less, side by side, and none of them is a good choice too.

A member asks for one and begins it together with a facilitator of their group. From then on it is the member's: they
pause it, go on, change it or stop at any time, and nobody asks why. Nothing is counted against them. The facilitators
of the group see what was asked and how it stands; nobody else does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, delete, exists, select, update

from app.core import audit, ids
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Database, Work
from app.notify import outbox
from groups import rooms
from groups.models import Goal, Group, Membership
from groups.own import aims
from groups.own import weeks as course
from groups.own.aims import FEWEST, MOST, OPEN, Aim
from moderation import queue
from moderation.models import Case
from moderation.screening import screen

KINDS = ("pause", "less")
USUAL = {"pause": 12, "less": 4}  # weeks, where nobody chose otherwise
DAYS = range(1, 7)  # a week, of `less`
LIMIT = 400  # characters of one's own words
SUBJECT = "goal"  # what a case about the words is about
_SHOWN = timedelta(days=30)  # how long facilitators see that one is over

_ONE = N_("Je hebt al een doel. Verander dat, of stop er eerst mee; er is niets veranderd.")
_OVER = N_("Dit doel is al voorbij. Er is niets veranderd.")
_NOT_BEGUN = N_("Dit doel is nog niet begonnen. Er is niets veranderd.")
_FIRST = N_("Een collega was je net voor, of de vraag is ingetrokken. Je ziet nu hoe het ervoor staat.")
_WEEKS = N_("Kies 2 tot en met 26 weken. Er is nog niets veranderd.")
_TOO_FEW = N_("Er zijn al meer weken voorbij. Kies er minstens {weeks}, of stop met je doel. Er is niets veranderd.")


@dataclass(frozen=True, slots=True)
class Mine:
    """One's own goals: the one there is now, and those that are over, the latest first."""

    now: Aim | None
    before: tuple[Aim, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of it. `crisis` asks the page to show help: the words speak of danger."""

    ref: str
    crisis: bool


def mine(w: Work) -> Mine:
    """The actor's own goals. One query, and one for keys."""
    rows = w.db.execute(
        aims.rows().where(Membership.person_id == w.who.person_id, aims.told()).order_by(Goal.id.desc())
    ).all()
    found = aims.shown(w, rows)
    now = next((aim for aim in found if aim.state in OPEN), None)
    return Mine(now, tuple(aim for aim in found if aim.state not in OPEN))


def of_group(w: Work, found: rooms.Place) -> list[Aim]:
    """The goals of a group's members for its facilitators: those asked for first, then those there are, then what ended
    in the last thirty days, without its words. One query, and one for keys. Raises `Forbidden`.
    """
    if not found.leads:
        raise Forbidden
    since = _here(w, found) - _SHOWN
    rows = w.db.execute(
        aims.rows().where(
            Membership.group_id == found.group_id,
            Membership.left_at.is_(None),
            aims.told(),
            Goal.state.in_(OPEN) | (Goal.ended_on >= since),
        )
    ).all()
    order = {"asked": 0, "running": 1, "paused": 1}
    return sorted(aims.shown(w, rows, words_of=OPEN), key=lambda aim: (order.get(aim.state, 2), aim.alias))


def ask(w: Work, found: rooms.Place, kind: str, weeks: int, words: object = "", days: int | None = None) -> Asked:
    """Ask to begin a goal. For members, one at a time, whatever groups they are in.

    Writes the goal, queues a neutral notice to the group's facilitators. Words of danger open a case and alert them,
    and are told to the caller. Raises `Closed` where there is a goal already, `Invalid`, `TooLarge`, `Forbidden`.
    """
    if found.leads:
        raise Forbidden
    said, verdict = _said(found.language, words)
    days = _check(kind, weeks, days)
    own = select(Membership.id).where(Membership.person_id == w.who.person_id).order_by(Membership.id)
    w.db.scalars(own.with_for_update()).all()  # two at once become one
    _finish(w, _ended(w, Membership.person_id == w.who.person_id))
    others = select(Goal.id).join(Membership).where(Membership.person_id == w.who.person_id, Goal.state.in_(OPEN))
    if w.db.scalar(others.limit(1)) is not None:
        raise Closed(_ONE)
    row = Goal(
        public_id=ids.public_id(),
        membership_id=found.membership_id,
        kind=kind,
        state="asked",
        weeks=weeks,
        asked_on=_here(w, found),
    )
    row.content = aims.sealed(w, row, said, days)
    w.db.add(row)
    w.db.flush()
    outbox.settle(w, "goal", [found.group])  # one line at a time about one group
    for lead in rooms.facilitators_of(w, found.group_id):
        outbox.queue(w, lead.person_id, "goal", found.group, f"goal:{row.public_id}:{lead.ref}")
    return Asked(row.public_id, _look_after(w, found.group_id, row, verdict))


def change(w: Work, ref: str, weeks: int, words: object = "", days: int | None = None) -> Asked:
    """Say anew what one's own goal is, how many weeks, how many days. For its member, as long as it is not over.

    Another kind is another goal. Raises `NotFound`, `Closed`, `Invalid` for fewer weeks than have begun, `TooLarge`.
    """
    row, group, today = _own(w, ref)
    if row.state not in OPEN:
        raise Closed(_OVER)
    said, verdict = _said(group.language, words)
    days = _check(row.kind, weeks, days)
    fewest = course.fewest(aims.course(row), today) if row.started_on else FEWEST
    if weeks < fewest:
        raise Invalid(_TOO_FEW, weeks=fewest)
    before = aims.opened(w, [row])[0]
    row.weeks = weeks
    row.content = aims.sealed(w, row, said, days)
    crisis = False
    if said != before["words"]:
        crisis = _look_after(w, group.id, row, verdict)
    return Asked(ref, crisis)


def start(w: Work, ref: str, version: int) -> None:
    """Begin a goal that was asked for, with its member, from today. For facilitators of their group; the first wins.

    Writes the goal and an audit line; queues a notice to the member, puts away the facilitators' notice when nobody
    asks any more. Raises `NotFound`, `Forbidden`, or `Closed` when a colleague was faster or it was taken back.
    """
    row, membership, group = _asked(w, ref)
    done = w.db.execute(
        update(Goal)
        .where(Goal.id == row.id, Goal.version == version, Goal.state == "asked")
        .values(state="running", started_on=aims.today(w, group), started_by=w.who.person_id, version=version + 1)
        .returning(Goal.id)
    ).first()
    if done is None:
        raise Closed(_FIRST)
    audit.record(w, "goal.started", "goal", row.id)
    outbox.queue(w, membership.person_id, "goal_started", ref, f"goal started:{ref}")
    _put_away(w, group)


def pause(w: Work, ref: str) -> None:
    """Let one's own goal rest from today. For its member; again changes nothing. Raises `NotFound`, `Closed`."""
    row, _group, today = _own(w, ref)
    if row.state == "paused":
        return
    if row.state != "running":
        raise Closed(_NOT_BEGUN if row.state == "asked" else _OVER)
    row.state, row.paused_on = "paused", today
    row.version += 1


def resume(w: Work, ref: str) -> None:
    """Go on with one's own goal, where it was. For its member; again changes nothing. Raises `NotFound`, `Closed`."""
    row, _group, today = _own(w, ref)
    if row.state == "running":
        return
    if row.state != "paused":
        raise Closed(_NOT_BEGUN if row.state == "asked" else _OVER)
    row.paused_days = course.paused(aims.course(row), today)
    row.state, row.paused_on = "running", None
    row.version += 1


def stop(w: Work, ref: str) -> None:
    """End one's own goal, or ask for it no more. For its member; again changes nothing. Raises `NotFound`.

    What was only asked for goes with its words, unless they are being looked at: then when that is done.
    """
    row, group, today = _own(w, ref)
    if row.state in OPEN:
        _end(w, row, group, today)


def left(w: Work, membership: Membership) -> None:
    """A goal ends with the membership it was agreed in. Runs whenever a membership ends."""
    group = w.db.get_one(Group, membership.group_id)
    open_ones = select(Goal).where(Goal.membership_id == membership.id, Goal.state.in_(OPEN))
    for row in w.db.scalars(open_ones).all():
        _end(w, row, group, aims.today(w, group))


def forget(w: Work, memberships: Select[Any]) -> None:
    """Remove every goal of these memberships with what hangs on it: somebody is being erased."""
    theirs = select(Goal.id).where(Goal.membership_id.in_(memberships))
    asked = select(Membership.group_id).join(Goal).where(Goal.id.in_(theirs), Goal.state == "asked")
    groups = w.db.scalars(select(Group).where(Group.id.in_(asked))).all()
    queue.withdraw_all(w, SUBJECT, theirs, removed=True)
    w.db.execute(delete(Goal).where(Goal.membership_id.in_(memberships)))
    for group in groups:
        _put_away(w, group)


def sweep(database: Database) -> int:
    """End the goals whose weeks have passed; returns how many. Writes only when there are any."""
    with database.read() as r:
        if not _ended(r, Goal.state == "running"):
            return 0
    with database.work() as w:
        return _finish(w, _ended(w, Goal.state == "running"))


def for_review(w: Work, goal_id: int) -> tuple[str, str, str, datetime, bool]:
    """A goal for the review queue: alias, group, words, the day it was asked, and whether it was taken back. Raises
    `NotFound`."""
    row = w.db.execute(aims.rows().where(Goal.id == goal_id)).first()
    if row is None:
        raise NotFound
    goal: Goal = row.Goal
    at = datetime.combine(goal.asked_on, time(), ZoneInfo(row.Group.timezone)).astimezone(UTC)
    taken_back = goal.started_on is None and goal.state not in OPEN
    return row.Membership.alias, row.Group.name, aims.opened(w, [goal])[0]["words"], at, taken_back


def author(w: Work, goal_id: int) -> int | None:
    """Whose goal it is; None when it is gone."""
    query = select(Membership.person_id).join(Goal, Goal.membership_id == Membership.id).where(Goal.id == goal_id)
    return w.db.scalar(query)


def reviewed(w: Work, goal_id: int) -> None:
    """Its case is decided: what its member took back meanwhile goes now."""
    row = w.db.get(Goal, goal_id)
    if row is not None and row.started_on is None and row.state not in OPEN:
        w.db.delete(row)


def _here(w: Work, found: rooms.Place) -> date:
    return w.now.astimezone(ZoneInfo(found.timezone)).date()


def _own(w: Work, ref: str) -> tuple[Goal, Group, date]:
    """One's own goal, held, with its group and the day there; done if its weeks have passed. Its notice was read."""
    row = _held(w, ref, Membership.person_id == w.who.person_id)
    goal, group = row.Goal, row.Group
    today = aims.today(w, group)
    if aims.state(goal, today) == "done":
        _finish(w, [(goal, today)])
    outbox.mark_read(w, "goal_started", ref)
    return goal, group, today


def _asked(w: Work, ref: str) -> tuple[Goal, Membership, Group]:
    """A goal of a member of a group that the actor leads. Raises `NotFound` or `Forbidden`."""
    row = _held(w, ref, Membership.left_at.is_(None))
    rooms.lead_place(w, row.Group.public_id)
    return row.Goal, row.Membership, row.Group


def _held(w: Work, ref: str, *which: Any) -> Row[Any]:
    if not ids.is_ref(ref):
        raise NotFound
    query = aims.rows().where(Goal.public_id == ref, *which).with_for_update(of=Goal)
    row: Row[Any] | None = w.db.execute(query.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFound
    return row


def _end(w: Work, row: Goal, group: Group, today: date) -> None:
    """End a goal before its weeks have passed."""
    if row.paused_on is not None:
        row.paused_days, row.paused_on = course.paused(aims.course(row), today), None
    asked = row.state == "asked"
    row.state, row.ended_on = "stopped", today
    row.version += 1
    if asked:
        if not _looked_at(w, row):
            w.db.delete(row)
        w.db.flush()
        _put_away(w, group)
    outbox.settle(w, "goal_started", [row.public_id])


def _ended(w: Work, *which: Any) -> list[tuple[Goal, date]]:
    """The running goals whose weeks have passed, with the day it is in their group."""
    rows = w.db.execute(aims.rows().where(Goal.state == "running", *which).order_by(Goal.id)).all()
    found = [(row.Goal, aims.today(w, row.Group)) for row in rows]
    return [(goal, today) for goal, today in found if course.over(aims.course(goal), today)]


def _finish(w: Work, ended: Sequence[tuple[Goal, date]]) -> int:
    for row, today in ended:
        row.state, row.ended_on = "done", course.ends_on(aims.course(row), today)
        row.version += 1
    w.db.flush()
    return len(ended)


def _check(kind: str, weeks: int, days: int | None) -> int | None:
    """How many days a week, where the kind has such a number. Raises `Invalid`."""
    if kind not in KINDS:
        raise Invalid
    if not FEWEST <= weeks <= MOST:
        raise Invalid(_WEEKS)
    if kind != "less":
        return None
    if days is not None and days not in DAYS:
        raise Invalid
    return days


def _said(language: str, words: object) -> tuple[str, Any]:
    """One's own words as they are kept, and what screening says of them; contact details are masked."""
    typed = plain(words, limit=LIMIT) if isinstance(words, str) and words.strip() else ""
    verdict = screen(typed, lang=language, where="pair")
    return (verdict.text if verdict.action == "mask" else typed), verdict


def _look_after(w: Work, group_id: int, row: Goal, verdict: Any) -> bool:
    """Somebody must know of danger now, and not when they next open the page. Returns whether help is to be shown."""
    if verdict.alert:
        kinds = [r.kind for r in verdict.reasons]
        level = queue.level_of(verdict.reasons, alert=True)
        ref = queue.raise_case(w, SUBJECT, row.id, kinds, level) or queue.open_case(
            w, w.who.organisation_id, group_id, SUBJECT, row.id, kinds, level, held=False
        )
        rooms.alert_staff(w, group_id, ref)
    return any(r.kind == "crisis_self" for r in verdict.reasons)


def _looked_at(w: Work, row: Goal) -> bool:
    waits = exists().where(Case.subject_kind == SUBJECT, Case.subject_id == row.id, Case.decided_at.is_(None))
    return bool(w.db.scalar(select(waits)))


def _put_away(w: Work, group: Group) -> None:
    """The facilitators' notice, when nobody in the group asks any more."""
    asks = select(Goal.id).join(Membership).where(Membership.group_id == group.id, Goal.state == "asked").limit(1)
    if w.db.scalar(asks) is None:
        outbox.settle(w, "goal", [group.public_id])
