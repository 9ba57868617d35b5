"""What erasing somebody does to what groups keep: what they wrote is emptied, the rest of them is removed.

Rows that others' rows count on stay without a word and without a person: the numbers of a conversation, the lines of a
run-sheet, the topics of a room.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, update

from app.accounts import aliases
from app.core import ids
from app.core.errors import Closed
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.after import followups
from groups.led import closing
from groups.models import (
    Absence,
    Answer,
    Attendance,
    CalendarFeed,
    CheckUp,
    FollowUp,
    GlassBreak,
    Goal,
    Group,
    Hiding,
    Membership,
    Message,
    MessageVersion,
    PlanCard,
    Reaction,
    Room,
    Seat,
    SessionNote,
    SessionStep,
    Share,
    StepDone,
    Topic,
    Turn,
    UrgeRide,
    WaitingPlace,
)
from groups.own import goals
from groups.people import leaving
from groups.programme import exercises, shared
from groups.rules import FACILITATOR, MEMBER
from groups.talk import reactions, revisions
from moderation import queue
from moderation.models import Flag

_MESSAGES: Any = Message.__table__
_GONE = "weg"  # how the alias of nobody's seat begins


def check(w: Work, person_id: int) -> None:
    """Raise `Closed` for the last facilitator of a group that has members.

    Holds the person's groups, rooms and seats, in the order in which posting takes them: no message may slip into a
    seat that is being emptied.
    """
    own = select(Membership).where(Membership.person_id == person_id, Membership.left_at.is_(None))
    for membership in w.db.scalars(own.order_by(Membership.group_id)).all():
        rooms.lock_group(w, membership.group_id)
        inside = select(func.count()).where(
            Membership.group_id == membership.group_id, Membership.role == MEMBER, Membership.left_at.is_(None)
        )
        leads = membership.role == FACILITATOR
        if leads and leaving.is_last_facilitator(w, person_id, membership.group_id) and w.db.scalar(inside):
            raise Closed(
                N_(
                    "Je bent de enige begeleider van een groep met deelnemers. Vraag eerst iemand erbij; daarna kan "
                    "dit. Er is nog niets gewist."
                )
            )
    seated = select(Seat.room_id).where(Seat.person_id == person_id)
    w.db.execute(select(Room.id).where(Room.id.in_(seated)).order_by(Room.id).with_for_update())
    w.db.execute(select(Seat.id).where(Seat.person_id == person_id).order_by(Seat.id).with_for_update())


def erase(w: Work, person_id: int) -> None:
    """Empty what the person wrote in rooms, so that no number is missing; remove everything else.

    Closes open cases about it, but for red ones; announces to rooms which messages and reactions are gone.
    """
    seats = select(Seat.id).where(Seat.person_id == person_id)
    memberships = select(Membership.id).where(Membership.person_id == person_id)
    _close_cases(w, seats, memberships)
    _give_back_aliases(w, person_id)
    for seat in w.db.scalars(select(Seat).where(Seat.person_id == person_id).order_by(Seat.id)).all():
        _empty(w, seat)
        w.db.delete(seat)
    w.db.flush()
    for membership_id in w.db.scalars(memberships).all():
        followups.drop(w, membership_id)
    _hide_what_would_differ(w, memberships)
    shared.remove(w, _shares(memberships))
    goals.forget(w, memberships)
    for kept in (Answer, StepDone, Attendance, Absence, Turn, FollowUp):
        w.db.execute(delete(kept).where(kept.membership_id.in_(memberships)))
    w.db.execute(delete(CalendarFeed).where(CalendarFeed.person_id == person_id))
    w.db.execute(delete(CheckUp).where(CheckUp.person_id == person_id))
    w.db.execute(delete(WaitingPlace).where(WaitingPlace.person_id == person_id))
    w.db.execute(delete(PlanCard).where(PlanCard.person_id == person_id))
    w.db.execute(delete(UrgeRide).where(UrgeRide.person_id == person_id))
    _empty_what_staff_wrote(w, person_id)
    w.db.execute(delete(Membership).where(Membership.person_id == person_id))


def _hide_what_would_differ(w: Work, memberships: Select[Any]) -> None:
    """What was shown of answers without names is shown no more, where theirs was among them: what it says without them
    would differ from what everybody saw by their answer alone.
    """
    theirs = w.db.execute(
        select(Answer.session_id, Answer.chapter, Answer.step).where(
            Answer.membership_id.in_(memberships), Answer.session_id > 0, Answer.sharing.in_(exercises.ANONYMOUS)
        )
    ).all()
    for session_id, chapter, step in theirs:
        if chapter == closing.CHAPTER:
            at_the_end = (Answer.session_id == session_id) & (Answer.chapter == chapter)
            w.db.execute(update(Answer).where(at_the_end).values(sharing="private"))
        else:
            shown = (SessionStep.session_id == session_id) & (SessionStep.step == step)
            values = {"sharing": "private", "revealed_at": None}
            w.db.execute(update(SessionStep).where(shown, SessionStep.revealed_at.is_not(None)).values(values))


def _close_cases(w: Work, seats: Select[Any], memberships: Select[Any]) -> None:
    """Nothing is left to be reviewed of what is about to go; no case or flag may point at a number that comes free."""
    said = select(Message.id).where(Message.seat_id.in_(seats))
    queue.withdraw_all(w, "message", said)
    going = {
        revisions.EDIT: select(MessageVersion.id).where(MessageVersion.message_id.in_(said)),
        "answer": select(Answer.id).where(Answer.membership_id.in_(memberships)),
        "note": select(SessionNote.id).where(SessionNote.seat_id.in_(seats)),
        shared.KIND: _shares(memberships),
    }
    for kind, which in going.items():
        queue.withdraw_all(w, kind, which, removed=True)
        w.db.execute(delete(Flag).where(Flag.subject_kind == kind, Flag.subject_id.in_(which)))


def _shares(memberships: Select[Any]) -> Select[Any]:
    """The shares of what these members answered at home."""
    return select(Share.id).join(Answer, Answer.id == Share.answer_id).where(Answer.membership_id.in_(memberships))


def _give_back_aliases(w: Work, person_id: int) -> None:
    """The aliases of members, and of who waits to be one, rest; facilitators were known by their own name."""
    rows = w.db.execute(
        select(Group.organisation_id, Membership.alias, Seat.alias.label("beside"))
        .join(Group, Group.id == Membership.group_id)
        .join(Seat, Seat.membership_id == Membership.id)
        .where(Membership.person_id == person_id, Membership.role == MEMBER)
    ).all()
    waiting = w.db.execute(
        select(Group.organisation_id, WaitingPlace.alias, WaitingPlace.alias.label("beside"))
        .join(Group, Group.id == WaitingPlace.group_id)
        .where(WaitingPlace.person_id == person_id)
    ).all()
    known = [*rows, *waiting]
    for organisation_id in {row.organisation_id for row in known}:
        mine = [row for row in known if row.organisation_id == organisation_id]
        aliases.give_back(w, organisation_id, {row.alias for row in mine} | {row.beside for row in mine})


def _empty(w: Work, seat: Seat) -> None:
    """What was said is gone; that something was said stays, in a seat of nobody, so that no number is missing."""
    room = w.db.get_one(Room, seat.room_id)
    rows = w.db.execute(
        select(Message.id, Message.seq, Message.status).where(Message.seat_id == seat.id).order_by(Message.seq)
    ).all()
    _forget_beside(w, seat, room.public_id)
    if not rows:
        return
    nobody = Seat(
        public_id=ids.public_id(),
        room_id=seat.room_id,
        alias=f"{_GONE}-{ids.public_id()[:6]}",
        role=seat.role,
        left_at=seat.left_at or w.now,
    )
    w.db.add(nobody)
    w.db.flush()
    gone = (
        update(_MESSAGES)
        .where(_MESSAGES.c.id == bindparam("row"))
        .values(
            seat_id=nobody.id,
            text=None,
            masked=False,
            status="withdrawn",
            edited_at=None,
            withdrawn_at=None,
            key=bindparam("fresh"),
        )
    )
    w.db.connection().execute(gone, [{"row": row.id, "fresh": str(uuid.uuid4())} for row in rows])
    for row in rows:
        if row.status == "posted":
            changed = {"room": room.public_id, "seq": row.seq, "status": "withdrawn"}
            w.announce(f"room:{room.public_id}", "message.changed", changed)


def _forget_beside(w: Work, seat: Seat, room: str) -> None:
    """What stands beside messages: earlier versions, reactions, what was hidden, and notes to and from facilitators."""
    theirs = select(Message.id).where(Message.seat_id == seat.id)
    reacted = _reacted_to(w, seat)
    revisions.forget(w, MessageVersion.message_id.in_(theirs))
    reactions.forget(w, (Reaction.seat_id == seat.id) | Reaction.message_id.in_(theirs))
    _forget_hidings(w, seat, theirs)
    w.db.execute(delete(SessionNote).where(SessionNote.seat_id == seat.id))
    left = reactions.of_messages(w, list(reacted))
    for message_id, seq in reacted.items():
        told = {"room": room, "seq": seq, "reactions": reactions.plain(left.get(message_id, {}))}
        w.announce(f"room:{room}", "message.reactions", told)


def _reacted_to(w: Work, seat: Seat) -> dict[int, int]:
    """The messages of others that they reacted to, with their numbers."""
    rows = w.db.execute(
        select(Message.id, Message.seq)
        .join(Reaction, Reaction.message_id == Message.id)
        .where(Reaction.seat_id == seat.id, Message.seat_id != seat.id, Message.seq.is_not(None))
        .order_by(Message.seq)
    )
    return {row.id: row.seq for row in rows}


def _forget_hidings(w: Work, seat: Seat, theirs: Select[Any]) -> None:
    """What they hid, and that others hid them or something they said: it is gone for everybody now."""
    w.db.execute(
        delete(Hiding).where(
            (Hiding.seat_id == seat.id) | (Hiding.hidden_seat_id == seat.id) | Hiding.message_id.in_(theirs)
        )
    )


def _empty_what_staff_wrote(w: Work, person_id: int) -> None:
    """What a facilitator wrote for others, and that they did something for them, without words and without them."""
    for note in w.db.scalars(select(SessionNote).where(SessionNote.author_id == person_id)).all():
        note.author_id, note.text, note.key = None, None, str(uuid.uuid4())
    w.db.flush()
    w.db.execute(update(Topic).where(Topic.author_id == person_id).values(author_id=None, title=None))
    w.db.execute(update(SessionStep).where(SessionStep.author_id == person_id).values(author_id=None, words=None))
    w.db.execute(update(FollowUp).where(FollowUp.done_by == person_id).values(done_by=None))
    w.db.execute(update(Goal).where(Goal.started_by == person_id).values(started_by=None))
    w.db.execute(update(GlassBreak).where(GlassBreak.person_id == person_id).values(person_id=None, note=None))
