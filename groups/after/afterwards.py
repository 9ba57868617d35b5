"""After a session: who was there and how, a text about one member for their file, a summary of the whole.

The texts are made anew at every look and stored nowhere. Facilitators of the group only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, or_, select

from app.core import audit, clock, ids
from app.core.errors import Closed, Invalid, NotFound
from app.core.i18n import N_
from app.core.work import Work
from groups import rooms
from groups.after import attendance, dossier, followups
from groups.after.attendance import CAME, EXCUSED, MISSED, Judged, Span
from groups.after.redaction import Names
from groups.agenda import runsheet, steering
from groups.led import closing, stage
from groups.models import (
    Absence,
    Answer,
    Attendance,
    Breakout,
    FollowUp,
    GroupSession,
    Membership,
    Message,
    Room,
    Seat,
    SessionNote,
    SessionStep,
    Turn,
)
from groups.programme import exercises
from groups.rules import FACILITATOR, MEMBER

KINDS = (CAME, EXCUSED, MISSED)
_TAKEN_ALONG = "closing"  # the phase in which people say what they take along


@dataclass(frozen=True, slots=True)
class Line:
    """How one member was there. `corrected`: a facilitator put it right; `left`: they are not in the group any more."""

    ref: str
    alias: str
    how: Judged
    corrected: bool
    left: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What is kept of a session: its attendance, its steps, what goes into the summary, and how the closing questions
    were answered, where that may be shown.
    """

    session: stage.Shown
    place: rooms.Place
    times: Span
    lines: tuple[Line, ...]
    about: dossier.About
    together: dossier.Together
    names: Names
    felt: closing.Felt | None

    def count(self, kind: str) -> int:
        return sum(line.how.kind == kind for line in self.lines)


@dataclass(frozen=True, slots=True)
class OfMember:
    """What goes into the text about one member."""

    session: stage.Shown
    place: rooms.Place
    alias: str
    about: dossier.About
    deeds: dossier.Deeds
    names: Names


def report(w: Work, session_ref: str) -> Report:
    """Who was there and how, and what goes into the group's summary. Reads only. Raises `NotFound`, `Forbidden`, or
    `Closed` for a session that did not begin.
    """
    session, found = _begun(w, session_ref)
    times = _times(w, session)
    lines = _lines(w, session, times)
    done = _done(w, session, found)
    return Report(
        stage.shown(session),
        found,
        times,
        tuple(lines),
        _about(session, found, times, done),
        _together(w, session, lines, done),
        _names(w, found, None),
        closing.felt(w, session, found),
    )


def of_member(w: Work, session_ref: str, member: str) -> OfMember:
    """What one member did and shared in a session, without a word of anybody else. Writes an audit line.

    In it is what they shared with the group and was revealed. Not in it: private, pooled and counted answers, closing
    questions, and what they wrote to the facilitators, only that they did. Raises as `report`.
    """
    session, found = _begun(w, session_ref)
    membership = _member(w, found, member)
    times, done = _times(w, session), _done(w, session, found)
    audit.record(w, "dossier.opened", "membership", membership.id)
    return OfMember(
        stage.shown(session),
        found,
        membership.alias,
        _about(session, found, times, done),
        _deeds(w, session, membership, times, done),
        _names(w, found, membership),
    )


def correct(
    w: Work, session_ref: str, member: str, kind: str, came: time | None = None, last: time | None = None
) -> None:
    """Put somebody's attendance right, such as after trouble with a connection: came (from when to when, in the group's
    own time), excused or missed. For facilitators, once the session is closed.

    Writes attendance or absence, whether they are to be looked after (`groups.after.followups`), and an audit line.
    Raises `NotFound`, `Forbidden`, `Closed`, `Invalid`.
    """
    session, found = _begun(w, session_ref)
    if session.status != "closed":
        raise Closed(N_("De bijeenkomst loopt nog. Is die voorbij, dan kun je de aanwezigheid aanpassen."))
    membership = _member(w, found, member)
    times = _times(w, session)
    if kind not in KINDS:
        raise Invalid(N_("Kies hoe het was. Er is niets veranderd."))
    between = _between(times, found.timezone, came, last) if kind == CAME else None
    mine = {"session_id": session.id, "membership_id": membership.id}
    w.db.execute(delete(Attendance).filter_by(**mine))
    if kind != CAME:
        w.db.execute(delete(Absence).filter_by(**mine))
    if between:
        w.db.add(Attendance(**mine, came_at=between[0], last_at=between[1], corrected_on=w.now.date()))
    elif kind == EXCUSED:
        w.db.add(Absence(**mine, said_on=w.now.date()))
    w.db.flush()
    followups.correct(w, session, membership, missed=kind == MISSED)
    audit.record(w, "attendance.corrected", "membership", membership.id, kind)


def _begun(w: Work, session_ref: str) -> tuple[GroupSession, rooms.Place]:
    session, found = steering.lead(w, session_ref)
    if session.opened_at is None:
        raise Closed(N_("Deze bijeenkomst is nog niet geweest. Daarna staat hier wie er was."))
    return session, found


def _times(w: Work, session: GroupSession) -> Span:
    opened = session.opened_at or session.starts_at
    return attendance.span(session.starts_at, session.minutes, opened, session.closed_at or max(w.now, opened))


def _lines(w: Work, session: GroupSession, times: Span) -> list[Line]:
    """How everybody was there who belonged to the group then, by alias. One query.

    Of who joined only the day is kept: who came in on the day itself counts if anything says they were expected.
    """
    expected = select(FollowUp.id).where(FollowUp.membership_id == Membership.id, FollowUp.session_id == session.id)
    belonged = Membership.left_at.is_(None) | (Membership.left_at > times.begin)
    known = or_(Membership.joined_on < times.closed.date(), Absence.id.is_not(None), exists(expected))
    if session.closed_at is None:
        known = or_(known, Membership.left_at.is_(None))
    rows = w.db.execute(
        select(Membership, Attendance, Absence.id.label("absence"))
        .outerjoin(Attendance, (Attendance.membership_id == Membership.id) & (Attendance.session_id == session.id))
        .outerjoin(Absence, (Absence.membership_id == Membership.id) & (Absence.session_id == session.id))
        .where(
            Membership.group_id == session.group_id,
            Membership.role == MEMBER,
            or_(Attendance.id.is_not(None), belonged & known),
        )
        .order_by(Membership.alias)
    )
    return [_line(m, a, times, absence is not None) for m, a, absence in rows]


def _line(membership: Membership, row: Attendance | None, times: Span, excused: bool) -> Line:
    return Line(
        membership.public_id,
        membership.alias,
        _how(times, row, excused=excused),
        bool(row and row.corrected_on),
        membership.left_at is not None,
    )


def _how(times: Span, row: Attendance | None, *, excused: bool) -> Judged:
    return attendance.judge(times, row.came_at if row else None, row.last_at if row else None, excused=excused)


def _member(w: Work, found: rooms.Place, ref: str) -> Membership:
    """A member of the group, also one who left since. Raises `NotFound`."""
    if not ids.is_ref(ref):
        raise NotFound
    row = w.db.scalar(
        select(Membership).where(
            Membership.public_id == ref, Membership.group_id == found.group_id, Membership.role == MEMBER
        )
    )
    if row is None:
        raise NotFound
    return row


def _done(w: Work, session: GroupSession, found: rooms.Place) -> list[runsheet.Line]:
    """The lines of the run-sheet that the group came to."""
    return [line for line in runsheet.lines(w, session, found) if line.position <= session.position]


def _about(session: GroupSession, found: rooms.Place, times: Span, done: list[runsheet.Line]) -> dossier.About:
    return dossier.About(
        times.begin,
        times.end,
        runsheet.chapter_of(session, found).title,
        session.number,
        tuple(line.step.title for line in done),
    )


def _together(w: Work, session: GroupSession, lines: list[Line], done: list[runsheet.Line]) -> dossier.Together:
    """What the group answered without names, where it was revealed and enough answered; and what people take along."""
    pooled, kept = [], []
    for line in done:
        if not (line.revealed and line.step.answered):
            continue
        found = exercises.summary(w, exercises.at(w, session.id, line.step.id), line.step, revealed=True)
        counted = [f"{row['text']}: {row['count']}" for row in found["tally"] or () if row["count"]]
        without_names = [*counted, *found["pooled"]]
        if line.phase == _TAKEN_ALONG and not counted:
            kept += [*without_names, *(row["text"] for row in found["shared"])]
        elif without_names:
            pooled.append((line.step.title, tuple(without_names)))
    kinds = [line.how.kind for line in lines]
    came, excused, missed = (kinds.count(kind) for kind in KINDS)
    return dossier.Together(came, excused, missed, pooled=tuple(pooled), take_along=tuple(kept))


def _deeds(
    w: Work, session: GroupSession, membership: Membership, times: Span, done: list[runsheet.Line]
) -> dossier.Deeds:
    excused = w.db.scalar(_of(Absence, session, membership)) is not None
    row = w.db.scalar(_of(Attendance, session, membership))
    how = _how(times, row, excused=excused)
    states = w.db.scalars(
        select(Turn.state)
        .join(SessionStep, SessionStep.id == Turn.line_id)
        .where(SessionStep.session_id == session.id, Turn.membership_id == membership.id)
    ).all()
    seats = select(Seat.id).where(Seat.membership_id == membership.id)
    noted = exists().where(
        SessionNote.session_id == session.id, SessionNote.seat_id.in_(seats), SessionNote.by_staff.is_(False)
    )
    apart = exists().where(Breakout.session_id == session.id, Breakout.room_id == Seat.room_id, Seat.id.in_(seats))
    return dossier.Deeds(
        how,
        shared=_shared(w, session, membership, done),
        messages=_messages(w, membership, times),
        spoke="done" in states,
        passed="passed" in states,
        apart=bool(w.db.scalar(select(apart))),
        wrote_note=bool(w.db.scalar(select(noted))),
    )


def _of(table: Any, session: GroupSession, membership: Membership) -> Any:
    return select(table).where(table.session_id == session.id, table.membership_id == membership.id)


def _shared(
    w: Work, session: GroupSession, membership: Membership, done: list[runsheet.Line]
) -> tuple[tuple[str, str], ...]:
    """What they shared under their alias at steps that were revealed, in the order of the run-sheet."""
    titles = {line.step.id: line.step.title for line in done if line.revealed}
    rows = w.db.scalars(
        _of(Answer, session, membership).where(
            Answer.sharing == "shared", Answer.status == "posted", Answer.step.in_(titles)
        )
    ).all()
    said = {row.step: exercises.value_of(w, row) for row in rows}
    return tuple((title, said[step]) for step, title in titles.items() if step in said)


def _messages(w: Work, membership: Membership, times: Span) -> int:
    """How many messages they wrote in the group's room meanwhile; messages are kept to the minute."""
    query = (
        select(func.count())
        .select_from(Message)
        .join(Seat, Seat.id == Message.seat_id)
        .join(Room, Room.id == Seat.room_id)
        .where(
            Seat.membership_id == membership.id,
            Room.kind == "group",
            Message.status == "posted",
            Message.at.between(clock.minute(times.opened), times.closed),
        )
    )
    return w.db.scalar(query) or 0


def _names(w: Work, found: rooms.Place, whose: Membership | None) -> Names:
    """Every alias anybody has or had in the group and in its rooms, as whose they are. Two queries."""
    places = w.db.execute(
        select(Membership.alias, Membership.role, Membership.id).where(Membership.group_id == found.group_id)
    ).all()
    seats = w.db.execute(
        select(Seat.alias, Seat.role, Seat.membership_id.label("id"))
        .join(Room, Room.id == Seat.room_id)
        .where(Room.group_id == found.group_id)
    ).all()
    own: set[str] = set()
    others: set[str] = set()
    staff: set[str] = set()
    for row in (*places, *seats):
        if whose is not None and row.id == whose.id:
            own.add(row.alias)
        else:
            (staff if row.role == FACILITATOR else others).add(row.alias)
    return Names(frozenset(own), frozenset(others), frozenset(staff))


def _between(times: Span, timezone: str, came: time | None, last: time | None) -> tuple[datetime, datetime]:
    """From when to when, as moments of that day or the night after it. Raises `Invalid` outside the session."""
    if came is None or last is None:
        raise Invalid(N_("Vul in van hoe laat tot hoe laat. Er is niets veranderd."))
    zone = ZoneInfo(timezone)
    opened = times.opened.astimezone(zone)

    def moment(of_day: time) -> datetime:
        on_the_day = datetime.combine(opened.date(), of_day, zone)
        early = on_the_day < opened - timedelta(hours=12)  # a session that went on after midnight
        at = on_the_day + timedelta(days=1) if early else on_the_day
        return min(max(at.astimezone(times.opened.tzinfo), times.opened), times.closed)

    first, gone = moment(came), moment(last)
    if gone <= first:
        raise Invalid(N_("Kies tijden waarop de bijeenkomst bezig was. Er is niets veranderd."))
    return first, gone
