"""Showing an answer written at home to others: one answer, one audience at a time, taken back whenever one likes.

What is shared is a copy of what the answer says at that moment, with the question it was given to: what is changed at
home afterwards is not shared. The group reads it under the alias of the group, a buddy under the alias of the pair's
room, facilitators under the alias of the group. Nobody is told: it stands where they look.

The same answer in both rooms could tell a buddy who somebody is in the group. Nothing is shared so before its author
has seen that sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import clock, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.readers import Readers
from app.core.work import Work
from groups import readers, rooms, rules
from groups.models import Answer, Group, Membership, Room, Seat, Share
from groups.programme import exercises, questions, shared, values
from groups.programme.curriculum import programme
from groups.programme.shared import KIND, WITHDRAWN, Said, Shown
from groups.programme.steps import Step
from moderation import queue
from moderation.screening import Verdict, Where, mask, screen

GROUP, BUDDY, STAFF = AUDIENCES = ("group", "buddy", "staff")
_BOTH = {GROUP: BUDDY, BUDDY: GROUP}  # whom one alias must be kept from is among the readers of the other
_NOTHING = Said("", "", "")
_OTHERS = 10  # shares of others beside a step

NO_BUDDY = N_("Je hebt nu geen duo om mee te delen. Je antwoord is bewaard; er is niets gedeeld.")
NO_STAFF = N_("Je groep heeft nu geen begeleider om mee te delen. Je antwoord is bewaard; er is niets gedeeld.")
NOTHING = N_("Er is hier nog niets van jou om te delen. Bewaar eerst je antwoord.")
ELSEWHERE = N_("Dit stond op een ander scherm ook open. Ververs; alles is bewaard.")


@dataclass(frozen=True, slots=True)
class Own:
    """What somebody shared of one answer with one audience. `state` is posted, held, rejected, or past: with a pair
    that is no more. `older`: the answer says something else by now."""

    ref: str
    audience: str
    state: str
    at: datetime
    older: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """An audience one could share an answer with, what is shared with it already, and who reads what is."""

    audience: str
    own: Own | None
    readers: Readers


@dataclass(frozen=True, slots=True)
class Panel:
    """All that the page of a step says about sharing: with whom one can (nobody before there is an answer), and what
    others shared at this step in the group."""

    offers: list[Offer]
    answered: bool
    others: list[Shown]


@dataclass(frozen=True, slots=True)
class Look:
    """What others would read, and under which alias. `seen` names just this: `share` with it shares nothing else.

    `masked`: something that identifies was put out of sight, of these `kinds`. `linked`: a buddy would read it in both
    rooms. `crisis` asks the page to show help.
    """

    audience: str
    alias: str
    said: Said
    readers: Readers
    seen: str
    masked: bool
    linked: bool
    crisis: bool
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """What became of it: posted, held, rejected before, or a preview: nothing is shared before its author has
    looked."""

    status: str
    crisis: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    """An answer as it would be shared, with what the screening found in its author's own words, and what a reviewer
    would let through of them."""

    answer: Answer
    audience: str
    place: rooms.Place
    said: Said
    verdict: Verdict | None
    through: str
    linked: bool

    @property
    def masked(self) -> bool:
        return self.audience != STAFF and self.verdict is not None and self.verdict.action == "mask"

    @property
    def held(self) -> bool:
        return self.audience != STAFF and self.verdict is not None and self.verdict.action == "hold"

    @property
    def shown(self) -> Said:
        """What is kept and read of it."""
        return replace(self.said, text=self.verdict.text) if self.masked and self.verdict else self.said

    @property
    def crisis(self) -> bool:
        return "crisis_self" in self.kinds

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r.kind for r in self.verdict.reasons)) if self.verdict else ()

    def seen(self, w: Work) -> str:
        """A name for what its author looks at, and for what they are told beside it."""
        return w.digest(f"share {self.audience} {self.place.room} {self.linked} {self.shown.written()}")[:16]

    def same_as(self, kept: Said) -> bool:
        """Is this what a share says already: as it would be now, or as a reviewer let it through?"""
        return kept in (self.shown, replace(self.said, text=self.through))


def panel(w: Work, found: rooms.Place, chapter: str, step: str) -> Panel | None:
    """What the page of a step says about sharing, for a member; None where nothing of this step can be shared.

    `found` is one's place in the group. At most twelve queries, however much is shared.
    """
    try:
        current = _shareable(found, chapter, step)
    except NotFound:
        return None
    others = shared.in_room(w, found, _OTHERS, chapter=chapter, step=step)
    row = _answer(w, found, chapter, current)
    said, asked = _said(w, row, current) if row is not None else (_NOTHING, current)
    if row is None or said.empty:
        return Panel([], False, others)
    places = _places(w, found)
    mine = {one.audience: one for one in _own(w, row, said, asked, places)}
    offers = []
    for audience, place in places.items():
        who = readers.of_share(w, place, audience) if place else readers.NOBODY
        if who.names or who.members or audience in mine:
            offers.append(Offer(audience, mine.get(audience), who))
    return Panel(offers, True, others)


def own(w: Work, found: rooms.Place, chapter: str, step: str) -> list[Own]:
    """What the actor shared of their answer at a step, and with whom. Seven queries at most. Raises `NotFound`."""
    current = _shareable(found, chapter, step)
    row = _answer(w, found, chapter, current)
    if row is None:
        return []
    return _own(w, row, *_said(w, row, current), _places(w, found))


def look(w: Work, found: rooms.Place, chapter: str, step: str, audience: str) -> Look:
    """What an audience would read if one shared one's answer now. For members; nothing is written.

    Raises `NotFound`, `Invalid` for who never answered, `Closed` without a buddy or a facilitator, and what keeps
    somebody from writing in that room.
    """
    ready = _ready(w, found, chapter, step, audience)
    return Look(
        audience,
        ready.place.alias,
        ready.shown,
        readers.of_share(w, ready.place, audience),
        ready.seen(w),
        ready.masked,
        ready.linked,
        ready.crisis,
        ready.kinds,
    )


def share(w: Work, found: rooms.Place, chapter: str, step: str, audience: str, *, seen: str = "") -> Shared:
    """Share one's answer at a step with the group, one's buddy or the facilitators (`AUDIENCES`). For members.

    The same answer again is the same share; another one takes its place. `seen` is what `look` gave: where it is
    another by now, or something is masked or could be linked and nobody looked, nothing is shared but `preview` is the
    answer. What must be looked at is held and opens a case; facilitators get it as it is. Danger alerts the staff.
    Writes the share, cases and outbox rows. Raises as `look`.
    """
    ready = _ready(w, found, chapter, step, audience, lock=True)
    row = w.db.scalar(select(Share).where(Share.answer_id == ready.answer.id, Share.audience == audience))
    room_id = ready.place.room_id if audience != STAFF else None
    if row is not None and row.status != WITHDRAWN and row.room_id == room_id:
        [kept] = shared.said(w, [row])
        if ready.same_as(kept):
            return Shared(row.status, ready.crisis)
    if seen != ready.seen(w) and (seen or ready.masked or ready.linked):
        return Shared("preview", ready.crisis)
    if row is not None and shared.put_away(w, row):
        shared.set_aside(w, row)
    row = _store(w, ready, room_id)
    _open_case(w, found, ready, row)
    return Shared(row.status, ready.crisis)


def take_back(w: Work, ref: str) -> tuple[str, str]:
    """Take back something of one's own that was shared: nobody reads it any more. For its author, always. Returns the
    chapter and step.

    Removes the share and closes open cases about it; only where somebody may be in danger it is kept, unseen, until
    that case is decided. Raises `NotFound`.
    """
    if not ids.is_ref(ref):
        raise NotFound
    found = w.db.execute(
        select(Share, Answer.chapter, Answer.step)
        .join(Answer, Answer.id == Share.answer_id)
        .join(Membership, Membership.id == Answer.membership_id)
        .where(Share.public_id == ref, Share.status != WITHDRAWN, Membership.person_id == w.who.person_id)
        .with_for_update(of=Share)
    ).first()
    if found is None:
        raise NotFound
    shared.put_away(w, found.Share)
    return found.chapter, found.step


def leave(w: Work, membership: Membership) -> None:
    """Take back everything a member shared in a group that they are in no longer. Called by `groups.people.leaving`, in
    its transaction, after their seats are empty."""
    theirs = select(Answer.id).where(Answer.membership_id == membership.id)
    for row in w.db.scalars(select(Share).where(Share.answer_id.in_(theirs), Share.status != WITHDRAWN)).all():
        shared.put_away(w, row)


def _shareable(found: rooms.Place, chapter: str, step: str) -> Step:
    """The step as it is now, where what one writes at home can be shared. Raises `NotFound`."""
    current = programme(found.programme, found.language).chapter(chapter).step(step)
    if found.leads or not (current.shareable and current.answered and current.at_home):
        raise NotFound
    return current


def _answer(w: Work, found: rooms.Place, chapter: str, step: Step, *, lock: bool = False) -> Answer | None:
    query = select(Answer).where(
        Answer.membership_id == found.membership_id,
        Answer.session_id == 0,
        Answer.programme == found.programme,
        Answer.chapter == chapter,
        Answer.step == step.id,
    )
    return w.db.scalar(query.with_for_update() if lock else query)


def _said(w: Work, row: Answer, current: Step) -> tuple[Said, Step]:
    """What an answer says, with the question it was given to. Two queries."""
    known = questions.asked(w, [row.question_id]).get(row.question_id or 0)
    step = known[1] if known else current
    value = exercises.value_of(w, row)
    hours = values.chosen(step, value) if step.kind == "week" else ()
    return Said(step.title, step.prompt, values.as_text(step, value), hours, step.low, step.high), step


def _places(w: Work, found: rooms.Place) -> dict[str, rooms.Place | None]:
    """One's own place in the room in which each audience reads: for a buddy the open room of the pair, if there is one;
    facilitators know one by the name in the group. One query."""
    pair = None
    for place in rooms.places(w):
        mine = place.kind == "pair" and place.membership_id == found.membership_id
        if mine and (place.closed_at is None or place.closed_at > w.now):
            pair = place
    return {GROUP: found, BUDDY: pair, STAFF: found}


def _ready(w: Work, found: rooms.Place, chapter: str, step: str, audience: str, *, lock: bool = False) -> _Ready:
    """Everything that can refuse, before anything is written; with `lock` one's seat and answer stay as they are."""
    if audience not in AUDIENCES:
        raise NotFound
    current = _shareable(found, chapter, step)
    place = _places(w, found)[audience]
    if place is None:
        raise Closed(NO_BUDDY)
    if audience == STAFF and not readers.of_share(w, place, audience).names:
        raise Closed(NO_STAFF)
    _check_standing(w, place, audience, lock)
    row = _answer(w, found, chapter, current, lock=lock)
    if row is None:
        raise Invalid(NOTHING)
    said, asked = _said(w, row, current)
    if said.empty:
        raise Invalid(NOTHING)
    return _Ready(row, audience, place, said, *_screened(w, place, said, asked), _linked(w, row, audience))


def _check_standing(w: Work, place: rooms.Place, audience: str, lock: bool) -> None:
    """What keeps somebody from writing in a room keeps them from sharing in it; a facilitator can always be told."""
    query = (
        select(Room.only_staff_writes, Group.open_hours)
        .join(Group, Group.id == Room.group_id)
        .join(Seat, Seat.room_id == Room.id)
        .where(Seat.id == place.seat_id, Seat.left_at.is_(None))
    )
    row = w.db.execute(query.with_for_update(of=Seat) if lock else query).first()
    if row is None:
        raise NotFound
    standing = rules.Standing(
        role=place.role,
        muted_until=place.muted_until,
        room_closed=False,
        only_staff_writes=row.only_staff_writes,
        out=place.out,
        open_hours=row.open_hours,
        timezone=place.timezone,
        closed_at=place.closed_at,
        kind=place.kind,
    )
    refusal = rules.may_post(standing, w.now) if audience != STAFF else None
    if refusal is not None:
        raise refusal


def _screened(w: Work, place: rooms.Place, said: Said, asked: Step) -> tuple[Verdict | None, str]:
    """The verdict on its author's own words, and the words a reviewer would let through; no verdict where nothing in it
    is their own. One query."""
    if values.is_chosen(asked):
        return None, said.text
    where: Where = "pair" if place.kind == "pair" else "group"
    aliases = rooms.aliases_in(w, place.room_id)
    verdict = screen(said.text, lang=place.language, where=where, aliases=aliases)
    held = verdict.action == "hold"
    return verdict, mask(said.text, lang=place.language, aliases=aliases) if held else verdict.text


def _linked(w: Work, row: Answer, audience: str) -> bool:
    """Would a buddy read this in both rooms, under both aliases? At most one query."""
    if audience not in _BOTH:
        return False
    query = select(Share.id).where(
        Share.answer_id == row.id, Share.audience == _BOTH[audience], Share.status.in_(("posted", "held"))
    )
    return w.db.scalar(query) is not None


def _own(w: Work, row: Answer, said: Said, asked: Step, places: Mapping[str, rooms.Place | None]) -> list[Own]:
    """What is shared of an answer. One query, and one for each room of which the names may be said."""
    rows = w.db.scalars(select(Share).where(Share.answer_id == row.id, Share.status != WITHDRAWN)).all()
    told = sorted(zip(rows, shared.said(w, rows), strict=True), key=lambda one: AUDIENCES.index(one[0].audience))
    return [_as_own(w, row, share, kept, said, asked, places[share.audience]) for share, kept in told]


def _as_own(w: Work, row: Answer, share: Share, kept: Said, said: Said, asked: Step, place: rooms.Place | None) -> Own:
    if place is None or share.room_id not in (None, place.room_id):
        return Own(share.public_id, share.audience, "past", share.shared_at, False)
    verdict, through = _screened(w, place, said, asked) if share.audience != STAFF else (None, said.text)
    ready = _Ready(row, share.audience, place, said, verdict, through, False)
    return Own(share.public_id, share.audience, share.status, share.shared_at, not ready.same_as(kept))


def _store(w: Work, ready: _Ready, room_id: int | None) -> Share:
    ref = ids.public_id()
    made = Share(
        public_id=ref,
        answer_id=ready.answer.id,
        audience=ready.audience,
        room_id=room_id,
        status="held" if ready.held else "posted",
        value=shared.sealed(w, w.who.person_id, ref, ready.shown),
        shared_at=clock.minute(w.now),
    )
    try:
        with w.db.begin_nested():
            w.db.add(made)
    except IntegrityError:
        raise Closed(ELSEWHERE) from None
    return made


def _open_case(w: Work, found: rooms.Place, ready: _Ready, row: Share) -> None:
    """Somebody looks at what is held, and at danger; at what facilitators got too, where it would be held elsewhere."""
    verdict = ready.verdict
    if verdict is None or not (verdict.alert or verdict.action == "hold"):
        return
    level = queue.level_of(verdict.reasons, verdict.alert)
    organisation = w.who.organisation_id
    ref = queue.open_case(w, organisation, found.group_id, KIND, row.id, ready.kinds, level, held=ready.held)
    if verdict.alert:
        rooms.alert_staff(w, found.group_id, ref)
