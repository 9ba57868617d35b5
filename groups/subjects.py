"""Messages, answers, notes and shares as things that can be reviewed: what `moderation.subjects` asks for."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import exists, select

from app.core.errors import NotFound
from app.core.permissions import Role
from app.core.work import Work
from app.notify import outbox
from groups.led import notes
from groups.models import Group, Membership, Message, Room, Seat
from groups.own import goals
from groups.programme import exercises, shared
from groups.rules import FACILITATOR
from groups.talk import conversation, decisions, revisions
from moderation.screening import mask, screen
from moderation.subjects import ContextLine, Described

_CONTEXT = 4  # lines before the one under review


class MessageSubject:
    """A message in a room."""

    def describe(self, w: Work, subject_id: int) -> Described:
        row = w.db.execute(
            select(Message, Seat.alias, Membership.alias.label("known_as"), Room.group_id, Group.name, Room.kind)
            .join(Seat, Seat.id == Message.seat_id)
            .outerjoin(Membership, Membership.id == Seat.membership_id)
            .join(Room, Room.id == Message.room_id)
            .join(Group, Group.id == Room.group_id)
            .where(Message.id == subject_id)
        ).first()
        if row is None:
            raise NotFound  # it was kept as long as the group keeps things
        before = w.db.execute(
            select(Seat.alias, Message.seat_id, Message.key, Message.text, Message.at)
            .join(Seat, Seat.id == Message.seat_id)
            .where(Message.room_id == row.Message.room_id, Message.id < subject_id, Message.status == "posted")
            .order_by(Message.id.desc())
            .limit(_CONTEXT)
        ).all()
        if row.kind != "group" or not _reads_along(w, row.group_id):
            before = []  # what two people said to each other is theirs; only what is under review is read
        said = zip(before, conversation.texts_of(w, before), strict=True)
        context = tuple(ContextLine(c.alias, text, c.at) for c, text in said)[::-1]
        message = row.Message
        # Who must look after somebody knows them by their alias in the group, not by the one their buddy knows.
        alias = row.known_as or row.alias
        text = conversation.text_of(w, message)
        return Described(
            alias,
            row.name,
            text,
            message.at,
            message.status == "held",
            context,
            revisions.earlier(w, message),
            taken_back=message.status == "withdrawn",
        )

    def author(self, w: Work, subject_id: int) -> int | None:
        query = select(Seat.person_id).join(Message, Message.seat_id == Seat.id).where(Message.id == subject_id)
        return w.db.scalars(query).first()

    def release(self, w: Work, subject_id: int) -> None:
        decisions.release(w, subject_id)

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        decisions.reject(w, subject_id, reason)

    def decided(self, w: Work, subject_id: int) -> None:
        revisions.settle(w, subject_id)


def _reads_along(w: Work, group_id: int) -> bool:
    """May the reviewer read what members said before it? Whoever looks at what a colleague wrote in another group reads
    that alone: for the rest of it there is the glass. One query.
    """
    if w.who.role is Role.MODERATOR:
        return True
    leads = exists().where(
        Membership.group_id == group_id,
        Membership.person_id == w.who.person_id,
        Membership.role == FACILITATOR,
        Membership.left_at.is_(None),
    )
    return bool(w.db.scalar(select(leads)))


class EditSubject:
    """A change of a message that waits to be read. What the message says now stands in the room meanwhile."""

    def describe(self, w: Work, subject_id: int) -> Described:
        message_id, wanted = revisions.about(w, subject_id)
        now = MessageSubject().describe(w, message_id)
        return replace(now, text=wanted, standing=now.text, held=True)

    def author(self, w: Work, subject_id: int) -> int | None:
        return revisions.author(w, subject_id)

    def release(self, w: Work, subject_id: int) -> None:
        revisions.release(w, subject_id)

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        revisions.refuse(w, subject_id, reason)

    def decided(self, w: Work, subject_id: int) -> None:
        revisions.settle_version(w, subject_id)


class AnswerSubject:
    """An answer that its author chose to share."""

    def describe(self, w: Work, subject_id: int) -> Described:
        row = exercises.for_review(w, subject_id)
        answer = row.Answer
        if answer.sharing not in exercises.READ:
            raise NotFound  # its author took it back
        text = exercises.value_of(w, answer)
        # Who shares something without a name keeps it so, but for danger: then somebody must know whom to look after.
        named = answer.sharing == "shared" or screen(text).alert
        return Described(row.alias if named else "", "", text, answer.updated_at, answer.status == "held", ())

    def author(self, w: Work, subject_id: int) -> int | None:
        try:
            person_id: int = exercises.for_review(w, subject_id).person_id
        except NotFound:
            return None
        return person_id

    def release(self, w: Work, subject_id: int) -> None:
        row = exercises.for_review(w, subject_id)
        if row.Answer.status != "held":
            return
        if exercises.too_late(w, row.Answer):  # one text more beside those that were shown would be known by its coming
            row.Answer.status, row.Answer.sharing = "posted", "private"
            return
        row.Answer.status = "posted"
        row.Answer.value = exercises.sealed(w, row.person_id, row.Answer, mask(exercises.value_of(w, row.Answer)))
        w.announce(f"person:{row.person_id}", "notice", {"kind": "released", "room": row.room})

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        row = exercises.for_review(w, subject_id)
        row.Answer.status = "rejected"
        w.announce(f"person:{row.person_id}", "notice", {"kind": "rejected", "room": row.room, "reason": reason})
        outbox.queue(w, row.person_id, "rejected", reason, f"rejected:answer:{subject_id}")

    def decided(self, w: Work, subject_id: int) -> None:
        """Nothing is kept of an answer for its case alone."""


class NoteSubject:
    """A note to the facilitators of a session that speaks of danger, or would be held elsewhere. It is never held."""

    def describe(self, w: Work, subject_id: int) -> Described:
        alias, group, text, at = notes.for_review(w, subject_id)
        return Described(alias, group, text, at, False, ())

    def author(self, w: Work, subject_id: int) -> int | None:
        return notes.author(w, subject_id)

    def release(self, w: Work, subject_id: int) -> None:
        """It reached the facilitators already."""

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        """It was never held; its author hears why somebody minded."""
        outbox.queue(w, notes.author(w, subject_id) or 0, "rejected", reason, f"rejected:note:{subject_id}")

    def decided(self, w: Work, subject_id: int) -> None:
        """Nothing is kept of a note for its case alone."""


class ShareSubject:
    """An answer from home that its author chose to share: held, speaking of danger, or reported by who reads it."""

    def describe(self, w: Work, subject_id: int) -> Described:
        row = shared.for_review(w, subject_id)
        share = row.Share
        [said] = shared.said(w, [share])
        text = f"{said.prompt or said.title}\n{said.text}".strip()
        gone = share.status == shared.WITHDRAWN
        return Described(row.alias, row.name, text, share.shared_at, share.status == "held", (), taken_back=gone)

    def author(self, w: Work, subject_id: int) -> int | None:
        try:
            person_id: int = shared.for_review(w, subject_id).person_id
        except NotFound:
            return None
        return person_id

    def release(self, w: Work, subject_id: int) -> None:
        shared.release(w, subject_id)

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        shared.reject(w, subject_id, reason)

    def decided(self, w: Work, subject_id: int) -> None:
        shared.settle(w, subject_id)


class GoalSubject:
    """The words of a goal that speak of danger. They are never held: whom they were written for reads them."""

    def describe(self, w: Work, subject_id: int) -> Described:
        alias, group, text, at, taken_back = goals.for_review(w, subject_id)
        return Described(alias, group, text, at, False, (), taken_back=taken_back)

    def author(self, w: Work, subject_id: int) -> int | None:
        return goals.author(w, subject_id)

    def release(self, w: Work, subject_id: int) -> None:
        """It reached the facilitators already."""

    def reject(self, w: Work, subject_id: int, reason: str) -> None:
        """It was never held, and nobody flags it."""

    def decided(self, w: Work, subject_id: int) -> None:
        goals.reviewed(w, subject_id)
