"""What was shared from the programme, for whoever it was shared with: the room, the pair, the facilitators, reviewers.

It is a copy, with its question, and stands under the alias that its author has in the room where it is read. How
somebody shares, and takes back, is in `groups.programme.sharing`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app.core import ids
from app.core.errors import Forbidden, NotFound
from app.core.i18n import N_
from app.core.work import Work
from app.notify import outbox
from groups import rooms
from groups.models import Answer, Group, Hiding, Membership, Room, Seat, Share
from groups.programme.curriculum import programme
from moderation import flags, queue
from moderation.models import Case, Flag
from moderation.screening import mask

KIND = "share"  # of a case
SHOWN, MOST = 30, 300  # on a page of a room; on that of a whole group
GONE = N_("Dit is er niet meer. Er is niets gemeld.")
WITHDRAWN = "withdrawn"  # taken back, and kept unseen until the case about it is decided


@dataclass(frozen=True, slots=True)
class Said:
    """What a share says: the question as it was asked, and the answer in words. `hours` are those of a week, `low` and
    `high` what the ends of a scale mean."""

    title: str
    prompt: str
    text: str
    hours: tuple[int, ...] = ()
    low: str = ""
    high: str = ""

    @property
    def empty(self) -> bool:
        return not (self.text or self.hours)

    def written(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def read(cls, kept: str) -> Said:
        """From how it is kept."""
        told = json.loads(kept)
        return cls(**told | {"hours": tuple(told["hours"])})


@dataclass(frozen=True, slots=True)
class Shown:
    """One share as it is read: under the author's alias in this room, with the day on which it was shared. `chapter` is
    what the chapter is called now; empty when it is not there any more."""

    ref: str
    alias: str
    chapter: str
    said: Said
    at: datetime


def in_room(
    w: Work, place: rooms.Place, limit: int = SHOWN, *, chapter: str = "", step: str = "", before: str = ""
) -> list[Shown]:
    """What others shared in a room where the actor has a seat, newest first; at one step where that is named; from
    before the share `before`, if it stands in this room: two rooms have no common order. Who left, and whom the actor
    hid, is not in it; who was sent out of a session reads nothing. One query, and one for keys.
    """
    if place.out or (place.closed_at is not None and place.closed_at <= w.now):
        return []
    query = _readable(place)
    if step:
        query = query.where(Answer.programme == place.programme, Answer.chapter == chapter, Answer.step == step)
    if ids.is_ref(before):
        known = select(Share.id).where(Share.public_id == before, Share.room_id == place.room_id)
        query = query.where(Share.id < known.scalar_subquery())
    return _shown(w, query.order_by(Share.id.desc()).limit(limit))


def _readable(place: rooms.Place) -> Any:
    """What others shared in a room, as whoever has this place in it may read it."""
    author = (Seat.membership_id == Answer.membership_id) & (Seat.room_id == Share.room_id)
    hidden = select(Hiding.hidden_seat_id).where(Hiding.seat_id == place.seat_id, Hiding.hidden_seat_id.is_not(None))
    return (
        select(Share, Seat.alias, Answer.programme, Answer.chapter)
        .join(Answer, Answer.id == Share.answer_id)
        .join(Seat, author)
        .where(
            Share.room_id == place.room_id,
            Share.status == "posted",
            Seat.left_at.is_(None),
            Seat.id != place.seat_id,
            Seat.id.not_in(hidden),
        )
    )


def with_staff(w: Work, found: rooms.Place) -> dict[str, list[Shown]]:
    """What members shared with the facilitators of their group, by alias, newest first. For those facilitators. One
    query, and one for keys. Raises `Forbidden`."""
    if not found.leads:
        raise Forbidden
    query = (
        select(Share, Membership.alias, Answer.programme, Answer.chapter)
        .join(Answer, Answer.id == Share.answer_id)
        .join(Membership, Membership.id == Answer.membership_id)
        .where(
            Membership.group_id == found.group_id,
            Membership.left_at.is_(None),
            Share.audience == "staff",
            Share.status == "posted",
        )
        .order_by(Share.id.desc())
        .limit(MOST)
    )
    told: dict[str, list[Shown]] = {}
    for one in _shown(w, query):
        told.setdefault(one.alias, []).append(one)
    return told


def said(w: Work, rows: Iterable[Share]) -> list[Said]:
    """What shares say. The caller has checked that the actor may read them. One query, for keys."""
    opened = w.ring.open_all(Share.value, [(row.public_id, row.value) for row in rows])
    return [Said.read(kept) for kept in opened]


def of_member(w: Work, membership_id: int) -> list[tuple[Share, Answer, Said]]:
    """Everything that is kept of what a member shared in a group, oldest first: for what they take along. One query,
    and one for keys."""
    rows = w.db.execute(
        select(Share, Answer)
        .join(Answer, Answer.id == Share.answer_id)
        .where(Answer.membership_id == membership_id)
        .order_by(Share.id)
    ).all()
    texts = said(w, [row.Share for row in rows])
    return [(row.Share, row.Answer, text) for row, text in zip(rows, texts, strict=True)]


def one(w: Work, room: str, ref: str) -> tuple[rooms.Place, Shown]:
    """What somebody else shared in one's own room, before one reports it. Raises `NotFound`."""
    place = rooms.place(w, room)
    if not ids.is_ref(ref):
        raise NotFound(GONE)
    found = _shown(w, _readable(place).where(Share.public_id == ref))
    if not found:
        raise NotFound(GONE)
    return place, found[0]


def report(w: Work, room: str, ref: str, reason: str) -> None:
    """Ask somebody to look at what was shared in one's own room. Each person counts once, and nobody is told who it
    was.

    Writes the flag, and a case that it opens or joins; alerts the staff where it is urgent. Raises `NotFound`,
    `Invalid` for a reason that is none, `RateLimited`.
    """
    place, _asked = one(w, room, ref)
    row = w.db.scalar(select(Share).where(Share.public_id == ref, Share.status == "posted").with_for_update())
    if row is None:
        raise NotFound(GONE)
    about = flags.About(KIND, row.id, w.who.organisation_id, place.group_id)
    case = flags.flag(w, about, reason)
    if case is not None and flags.level_of(reason) == queue.RED:
        rooms.alert_staff(w, place.group_id, case)


def for_review(w: Work, share_id: int) -> Any:
    """A share for the review queue: with its author's alias in the group, whom staff knows them by, the group, and the
    room to which notices about it go. Raises `NotFound`."""
    row = w.db.execute(
        select(
            Share,
            Membership.alias,
            Membership.person_id,
            Group.name,
            Group.language,
            Group.id.label("group_id"),
            Room.public_id.label("room"),
        )
        .join(Answer, Answer.id == Share.answer_id)
        .join(Membership, Membership.id == Answer.membership_id)
        .join(Group, Group.id == Membership.group_id)
        .join(Room, (Room.group_id == Group.id) & (Room.kind == "group"))
        .where(Share.id == share_id)
    ).first()
    if row is None:
        raise NotFound
    return row


def release(w: Work, share_id: int) -> None:
    """Show what was held, without what identifies, and tell its author. For the review queue."""
    row = for_review(w, share_id)
    share: Share = row.Share
    if share.status != "held":
        return
    [kept] = said(w, [share])
    aliases = rooms.aliases_in(w, share.room_id) if share.room_id else frozenset()
    shown = replace(kept, text=mask(kept.text, lang=row.language, aliases=aliases))
    share.value = sealed(w, row.person_id, share.public_id, shown)
    share.status = "posted"
    w.announce(f"person:{row.person_id}", "notice", {"kind": "released", "room": row.room})


def reject(w: Work, share_id: int, reason: str) -> None:
    """Keep back what was held, or take away what members reported; its author hears why. For the review queue."""
    row = for_review(w, share_id)
    if row.Share.status == WITHDRAWN:
        return
    row.Share.status = "rejected"
    w.announce(f"person:{row.person_id}", "notice", {"kind": "rejected", "room": row.room, "reason": reason})
    outbox.queue(w, row.person_id, "rejected", reason, f"rejected:share:{share_id}")


def put_away(w: Work, row: Share) -> bool:
    """Nobody reads it any more. Where somebody may be in danger it stays, unseen, until the case is decided; returns
    whether it does."""
    open_cases = select(Case.level).where(
        Case.subject_kind == KIND, Case.subject_id == row.id, Case.decided_at.is_(None)
    )
    levels = set(w.db.scalars(open_cases))
    if levels:
        queue.withdraw(w, KIND, row.id)
    if queue.RED in levels:
        row.status = WITHDRAWN
        w.db.flush()
        return True
    w.db.expunge(row)
    remove(w, [row.id])
    return False


def set_aside(w: Work, row: Share) -> None:
    """Make room for what is shared anew beside what was put away and is still looked at: its words stay as they were.
    Then `audience` is the first letter and a number."""
    taken = set(w.db.scalars(select(Share.audience).where(Share.answer_id == row.answer_id)))
    names = (f"{row.audience[0]}{n}" for n in range(1, 10_000))
    row.audience = next(name for name in names if name not in taken)
    w.db.flush()


def settle(w: Work, share_id: int) -> None:
    """A case about it was decided: what was kept for that only goes."""
    row = w.db.get(Share, share_id)
    if row is not None and row.status == WITHDRAWN:
        remove(w, [share_id])


def sealed(w: Work, person_id: int, ref: str, said: Said) -> bytes:
    """What a share says, sealed by its author's key for its own row."""
    return w.ring.seal(person_id, Share.value, ref, said.written())


def remove(w: Work, which: Any) -> None:
    """Remove shares (their numbers, or a question for them) with the flags about them."""
    w.db.execute(delete(Flag).where(Flag.subject_kind == KIND, Flag.subject_id.in_(which)))
    w.db.execute(delete(Share).where(Share.id.in_(which)).execution_options(synchronize_session=False))


def _shown(w: Work, query: Any) -> list[Shown]:
    rows = w.db.execute(query).all()
    texts = said(w, [row.Share for row in rows])
    return [
        Shown(row.Share.public_id, row.alias, _called(w, row.programme, row.chapter), text, row.Share.shared_at)
        for row, text in zip(rows, texts, strict=True)
    ]


def _called(w: Work, slug: str, chapter: str) -> str:
    try:
        return programme(slug, w.who.language).chapter(chapter).title
    except NotFound:
        return ""
