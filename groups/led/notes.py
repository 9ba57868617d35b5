"""Notes between one member and the facilitators of a session, that nobody else in the group sees.

A note is never held back: it goes to people who are there to read it. It is screened all the same, so that a phone
number is not given away by accident and danger alerts everybody who should know. Who is muted or was sent out can
write one too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.core import clock, ids
from app.core.errors import Closed, Invalid, NotFound, RateLimited
from app.core.i18n import N_
from app.core.text import plain
from app.core.work import Work
from groups import rooms
from groups.agenda import steering
from groups.led import stage
from groups.models import Group, GroupSession, Room, Seat, SessionNote
from groups.rules import MEMBER
from moderation import queue
from moderation.screening import Verdict, screen

LIMIT = 2_000  # characters
PER_MINUTE = 6  # notes of one member

NO_SESSION = N_("Er loopt nu geen bijeenkomst. Wat je typte staat er nog.")


@dataclass(frozen=True, slots=True)
class Note:
    """A note as both sides see it: `by` is the facilitator's name where one of them wrote it."""

    id: str
    text: str
    at: datetime
    by_staff: bool
    by: str
    read: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """The notes of one member with the facilitators, for the facilitators."""

    alias: str
    unread: int
    lines: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a note: sent, or a preview of what would be masked. `crisis` asks the page to show help."""

    status: str
    masked: bool = False
    text: str | None = None
    kinds: tuple[str, ...] = ()
    crisis: bool = False


def send(w: Work, room: str, key: str, text: object, *, mask_ok: bool = False) -> Sent:
    """Write a note to the facilitators. For members in a running session, also who is muted or sent out.

    The same `key` again is the same note. What would be masked comes back as a preview and is not stored until the
    author agrees. Words of danger, and what would be held elsewhere, open a case in the same transaction. Writes the
    note; announces how many are unread to the facilitators. Raises `Closed`, `Invalid`, `RateLimited`, `NotFound`.
    """
    found = _own_main(w, rooms.place(w, room, out_too=True))
    if found.leads:
        raise NotFound
    session = stage.running_in(w, found)
    if session is None:
        raise Closed(NO_SESSION)
    key, written = ids.client_key(key), plain(text, limit=LIMIT)
    verdict = screen(written, lang=found.language, where="group", aliases=rooms.aliases_in(w, found.room_id))
    crisis = any(r.kind == "crisis_self" for r in verdict.reasons)
    earlier = _with_key(w, found.seat_id, key)
    if earlier is not None:
        return _again(w, earlier, written, crisis)
    kinds = tuple(dict.fromkeys(r.kind for r in verdict.reasons))
    if verdict.action == "mask" and not mask_ok:
        if crisis:  # nothing is sent yet, but help does not wait for that
            about = {"kind": "crisis", "room": room, "key": key, "reasons": list(kinds)}
            w.announce(f"person:{w.who.person_id}", "notice", about)
        return Sent("preview", True, verdict.text, kinds, crisis)
    _check_pace(w, session, found)
    masked = verdict.action == "mask"
    row = _store(w, session, found.seat_id, key, verdict.text, by_staff=False)
    _open_case(w, found, row, verdict)
    _tell_leads(w, session, found, found.seat_id, found.alias)
    return Sent("posted", masked, verdict.text if masked else None, kinds if masked else (), crisis)


def answer(w: Work, public_id: str, alias: str, key: str, text: object) -> None:
    """Answer a member's notes, or write to them first. For facilitators of a session that is open.

    Writes the note, and that theirs were read; tells the member, and the other facilitators. The same `key` again is
    the same answer. Raises `NotFound`, `Forbidden`, `Closed`, `Invalid`.
    """
    session, found = steering.running(w, public_id)
    key, written = ids.client_key(key), plain(text, limit=LIMIT)
    seat = _seat(w, found, alias)
    earlier = _with_key(w, seat.id, key)
    if earlier is not None:
        _again(w, earlier, written, False)
        return
    _store(w, session, seat.id, key, written, by_staff=True)
    _mark(w, session, seat.id, by_staff=False)
    w.announce(f"person:{seat.person_id}", "notice", {"kind": "note", "room": found.room})
    _tell_leads(w, session, found, seat.id, seat.alias)


def read(w: Work, public_id: str, alias: str) -> None:
    """Note that a facilitator has read a member's notes. Raises `NotFound`, `Forbidden`."""
    session, found = steering.lead(w, public_id)
    seat = _seat(w, found, alias)
    if _mark(w, session, seat.id, by_staff=False):
        _tell_leads(w, session, found, seat.id, seat.alias)


def threads(w: Work, session: GroupSession, found: rooms.Place) -> list[Thread]:
    """Everybody's notes of a session, for its facilitators: who waits for an answer first. Reads only."""
    if not found.leads:
        raise NotFound
    rows = w.db.execute(
        select(Seat.alias, SessionNote)
        .join(Seat, Seat.id == SessionNote.seat_id)
        .where(SessionNote.session_id == session.id)
        .order_by(SessionNote.id)
    ).all()
    alias = {row.SessionNote.seat_id: row.alias for row in rows}
    mine: dict[int, list[Note]] = defaultdict(list)
    for row, note in zip(rows, _notes(w, found, [row.SessionNote for row in rows]), strict=True):
        mine[row.SessionNote.seat_id].append(note)
    made = [
        Thread(alias[seat], sum(not n.by_staff and not n.read for n in notes), tuple(notes))
        for seat, notes in mine.items()
    ]
    return sorted(made, key=lambda thread: (thread.unread == 0, thread.alias))


def own(w: Work, session: GroupSession, found: rooms.Place) -> list[Note]:
    """One's own notes with the facilitators in a session, oldest first. Reads only."""
    rows = w.db.scalars(
        select(SessionNote)
        .where(SessionNote.session_id == session.id, SessionNote.seat_id == found.seat_id)
        .order_by(SessionNote.id)
    ).all()
    return _notes(w, found, rows)


def unread(w: Work, session: GroupSession, found: rooms.Place) -> int:
    """How many answers of facilitators the actor has not read yet. One query."""
    query = select(func.count()).where(
        SessionNote.session_id == session.id,
        SessionNote.seat_id == found.seat_id,
        SessionNote.by_staff.is_(True),
        SessionNote.read_at.is_(None),
    )
    return w.db.scalar(query) or 0


def read_own(w: Work, room: str) -> None:
    """Note that the actor has read what facilitators answered. Writes nothing where nothing is new."""
    found = _own_main(w, rooms.place(w, room, out_too=True))
    session = stage.running_in(w, found)
    if session is not None:
        _mark(w, session, found.seat_id, by_staff=True)


def for_review(w: Work, note_id: int) -> tuple[str, str, str, datetime]:
    """A note for the review queue: its author's alias, the group, the words, and when. Raises `NotFound`."""
    row = w.db.execute(
        select(SessionNote, Seat.alias, Group.name)
        .join(Seat, Seat.id == SessionNote.seat_id)
        .join(Room, Room.id == Seat.room_id)
        .join(Group, Group.id == Room.group_id)
        .where(SessionNote.id == note_id)
    ).first()
    if row is None:
        raise NotFound
    note = row.SessionNote
    return row.alias, row.name, w.ring.open(SessionNote.text, note.public_id, note.text), note.at


def author(w: Work, note_id: int) -> int | None:
    """Who wrote a note; None when it is gone, or they are."""
    return w.db.scalar(select(SessionNote.author_id).where(SessionNote.id == note_id))


def _own_main(w: Work, found: rooms.Place) -> rooms.Place:
    """One's place in the group's room: notes belong there, also when they are written in a breakout."""
    if found.kind == "pair":
        raise NotFound
    return found if found.kind == "group" else rooms.group_place(w, found.group, out_too=True)


def _seat(w: Work, found: rooms.Place, alias: str) -> Seat:
    """The seat of a member in the group's room. Raises `NotFound`."""
    seat = w.db.scalar(
        select(Seat).where(
            Seat.room_id == found.room_id, Seat.alias == alias, Seat.role == MEMBER, Seat.left_at.is_(None)
        )
    )
    if seat is None:
        raise NotFound
    return seat


def _with_key(w: Work, seat_id: int, key: str) -> SessionNote | None:
    return w.db.scalar(select(SessionNote).where(SessionNote.seat_id == seat_id, SessionNote.key == key))


def _again(w: Work, earlier: SessionNote, written: str, crisis: bool) -> Sent:
    """A key that was used before gives its first answer again; somebody else's key is nobody's."""
    if earlier.author_id != w.who.person_id:
        raise Invalid
    kept = w.ring.open(SessionNote.text, earlier.public_id, earlier.text)
    masked = not earlier.by_staff and kept != written
    return Sent("posted", masked, kept if masked else None, crisis=crisis)


def _check_pace(w: Work, session: GroupSession, found: rooms.Place) -> None:
    since = clock.minute(w.now)
    query = select(func.count()).where(
        SessionNote.session_id == session.id,
        SessionNote.seat_id == found.seat_id,
        SessionNote.by_staff.is_(False),
        SessionNote.at >= since,
    )
    if (w.db.scalar(query) or 0) >= PER_MINUTE:
        wait = since + timedelta(minutes=1) - w.now
        raise RateLimited(
            N_("Dat waren veel berichten achter elkaar. Wacht heel even; wat je typte staat er nog."),
            retry_after=max(1, round(wait.total_seconds())),
        )


def _store(w: Work, session: GroupSession, seat_id: int, key: str, text: str, *, by_staff: bool) -> SessionNote:
    ref = ids.public_id()
    row = SessionNote(
        public_id=ref,
        session_id=session.id,
        seat_id=seat_id,
        author_id=w.who.person_id,
        key=key,
        by_staff=by_staff,
        text=w.ring.seal(w.who.person_id, SessionNote.text, ref, text),
        at=clock.minute(w.now),
    )
    try:
        with w.db.begin_nested():
            w.db.add(row)
    except IntegrityError:  # the same note on another line, this very moment: asked again, it gives the answer
        raise RateLimited(retry_after=1) from None
    return row


def _open_case(w: Work, found: rooms.Place, row: SessionNote, verdict: Verdict) -> None:
    """Somebody looks at what speaks of danger, or would be held elsewhere; the note itself is not held."""
    if verdict.action != "hold" and not verdict.alert:
        return
    kinds = [r.kind for r in verdict.reasons]
    level = queue.level_of(verdict.reasons, verdict.alert)
    organisation = w.who.organisation_id
    ref = queue.open_case(w, organisation, found.group_id, "note", row.id, kinds, level, held=False)
    if verdict.alert:
        rooms.alert_staff(w, found.group_id, ref)


def _mark(w: Work, session: GroupSession, seat_id: int, *, by_staff: bool) -> bool:
    """Mark as read what one side wrote; False when nothing was new."""
    marked = w.db.scalars(
        update(SessionNote)
        .where(
            SessionNote.session_id == session.id,
            SessionNote.seat_id == seat_id,
            SessionNote.by_staff.is_(by_staff),
            SessionNote.read_at.is_(None),
        )
        .values(read_at=clock.minute(w.now))
        .returning(SessionNote.id)
    ).all()
    return bool(marked)


def _tell_leads(w: Work, session: GroupSession, found: rooms.Place, seat_id: int, alias: str) -> None:
    w.db.flush()
    waiting = stage.unread_notes(w, session).get(seat_id, 0)
    w.announce(f"lead:{found.room}", "session.notes", {"room": found.room, "alias": alias, "unread": waiting})


def _notes(w: Work, found: rooms.Place, rows: Sequence[SessionNote]) -> list[Note]:
    """Notes with their words and, of facilitators, their names. At most two queries."""
    texts = w.ring.open_all(SessionNote.text, [(row.public_id, row.text) for row in rows])
    named = {row.author_id for row in rows if row.by_staff and row.author_id is not None}
    names: dict[int | None, str] = {}
    if named:
        known = select(Seat.person_id, Seat.alias).where(Seat.room_id == found.room_id, Seat.person_id.in_(named))
        names = {row.person_id: row.alias for row in w.db.execute(known)}
    return [
        Note(
            row.public_id,
            text,
            row.at,
            row.by_staff,
            names.get(row.author_id, "") if row.by_staff else "",
            row.read_at is not None,
        )
        for row, text in zip(rows, texts, strict=True)
    ]
