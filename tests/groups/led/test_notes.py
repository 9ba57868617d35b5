"""Notes between one member and the facilitators: nobody else reads them, none gets lost, danger is seen."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from app.core.errors import Closed, Forbidden, Invalid, NotFound, RateLimited, TooLarge
from app.core.permissions import Role
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import readers, rooms
from groups.agenda import steering
from groups.led import breakouts, notes, removal, sessions, stage
from groups.led.notes import Sent, Thread
from groups.models import SessionNote
from groups.subjects import NoteSubject
from moderation import queue, subjects
from tests import builders
from tests.builders import CRISIS, PHONE, RUDE, Someone
from tests.conftest import FrozenClock, Heard
from tests.groups.led.evening import Led, by, led


@pytest.fixture(autouse=True)
def _introduced() -> None:
    subjects.introduce({"note": NoteSubject()})


def _send(it: Led, who: Someone, text: str = "Mag ik even niets zeggen?", key: str = "", **more: bool) -> Sent:
    sent: Sent = by(it.circle, who, notes.send, it.circle.room, key or str(uuid.uuid4()), text, **more)
    return sent


def _answer(it: Led, alias: str, text: str, key: str = "", who: Someone | None = None) -> None:
    it.lead(notes.answer, alias, key or str(uuid.uuid4()), text, who=who)


def _threads(it: Led, who: Someone | None = None) -> list[Thread]:
    with it.circle.database.read((who or it.circle.hanna).actor) as r:
        return notes.threads(r, *steering.lead(r, it.ref))


def _own(it: Led, who: Someone) -> list[str]:
    with it.circle.database.read(who.actor) as r:
        found = rooms.place(r, it.circle.room, out_too=True)
        session = stage.running_in(r, found)
        assert session is not None
        return [f"{line.by}: {line.text}" for line in notes.own(r, session, found)]


def _unread(it: Led, who: Someone) -> int:
    with it.circle.database.read(who.actor) as r:
        session, found = steering.attend(r, it.ref)
        return notes.unread(r, session, found)


def test_a_note_reaches_the_facilitators_and_their_answer_comes_back(database: Database, heard: Heard) -> None:
    it = led(database)
    ilse, (mees, noor, _jip) = it.circle.second_lead(), it.circle.members
    assert _send(it, mees) == Sent("posted")
    assert {"room": it.circle.room, "alias": "Mees_duin", "unread": 1} in heard.payloads(
        f"lead:{it.circle.room}", "session.notes"
    )
    for who in (it.circle.hanna, ilse):
        [thread] = _threads(it, who)
        assert (thread.alias, thread.unread, [line.text for line in thread.lines]) == (
            "Mees_duin",
            1,
            ["Mag ik even niets zeggen?"],
        )
    heard.clear()
    _answer(it, "Mees_duin", "Natuurlijk, lees rustig mee", who=ilse)
    assert _own(it, mees) == [": Mag ik even niets zeggen?", "Ilse: Natuurlijk, lees rustig mee"]
    assert _own(it, noor) == []
    assert {"kind": "note", "room": it.circle.room} in heard.payloads(f"person:{mees.person_id}", "notice")
    assert (_unread(it, mees), _unread(it, noor)) == (1, 0)
    assert it.roster()["Mees_duin"].notes == 0  # answering is having read
    assert not any("rustig" in str(a.payload) or "niets zeggen" in str(a.payload) for a in heard)


def test_nobody_else_reads_them(database: Database) -> None:
    it, other = led(database), builders.circle(database)
    mees, noor, _jip = it.circle.members
    _send(it, mees, "Dit is voor Hanna")
    _answer(it, "Mees_duin", "En dit voor jou")
    with database.read() as r:
        assert all(b"Hanna" not in (row or b"") for row in r.db.scalars(select(SessionNote.text)))
    with pytest.raises(Forbidden):
        _threads(it, noor)
    with pytest.raises(NotFound):
        _threads(it, other.hanna)
    with pytest.raises(NotFound):
        by(it.circle, other.hanna, notes.answer, it.ref, "Mees_duin", str(uuid.uuid4()), "Hoi")
    with database.read(noor.actor) as r, pytest.raises(NotFound):
        notes.threads(r, *steering.attend(r, it.ref))
    with database.read(mees.actor) as r:
        told = readers.of_note(r, rooms.place(r, it.circle.room))
    assert (told.members, told.names) == (0, ("Hanna",))
    assert told.reviewers == {Role.FACILITATOR, Role.MODERATOR}
    assert not told.outsiders


def test_the_same_key_is_the_same_note_however_often_it_is_sent(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    key, back = str(uuid.uuid4()), str(uuid.uuid4())
    assert [_send(it, mees, key=key) for _ in range(3)] == [Sent("posted")] * 3
    for _ in range(2):
        _answer(it, "Mees_duin", "Ja hoor", back)
    assert len(_own(it, mees)) == 2
    with pytest.raises(Invalid):
        _send(it, mees, key=back)  # a key of somebody else's is nobody's
    _send(it, noor, key=key)
    assert len(_own(it, noor)) == 1


def test_a_note_on_two_lines_at_the_same_moment_is_stored_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = led(database)
    mees, key = it.circle.members[0], str(uuid.uuid4())
    monkeypatch.setattr(notes, "_with_key", builders.Gap().after(notes._with_key))
    answers = builders.at_once(*[lambda: _send(it, mees, key=key)] * 2)
    assert {type(a) for a in builders.refusals(answers)} <= {RateLimited}
    assert len(_own(it, mees)) == 1


def test_two_facilitators_who_answer_at_once_both_reach_the_member(database: Database) -> None:
    it = led(database)
    ilse, mees = it.circle.second_lead(), it.circle.members[0]
    _send(it, mees)
    answers = builders.at_once(
        lambda: _answer(it, "Mees_duin", "Eerst"), lambda: _answer(it, "Mees_duin", "Ook", who=ilse)
    )
    assert builders.refusals(answers) == []
    assert sorted(_own(it, mees)[1:]) == ["Hanna: Eerst", "Ilse: Ook"]


def test_what_would_give_somebody_away_is_shown_first_and_stored_masked(database: Database) -> None:
    it = led(database)
    mees, key = it.circle.members[0], str(uuid.uuid4())
    shown = _send(it, mees, PHONE, key)
    assert (shown.status, shown.masked) == ("preview", True)
    assert shown.kinds
    assert "06" not in (shown.text or "")
    assert _own(it, mees) == []
    assert _send(it, mees, PHONE, key, mask_ok=True).status == "posted"
    assert "06 12345678" not in str(_own(it, mees))
    assert _send(it, mees, PHONE, key, mask_ok=True).text == shown.text  # the first answer again


def test_danger_alerts_at_once_and_the_note_arrives_all_the_same(database: Database) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    assert _send(it, mees, CRISIS).crisis
    assert not _send(it, noor, RUDE).crisis
    with database.work(it.circle.hanna.actor) as w:
        cards = queue.waiting(w)
        assert [(card.level, card.held) for card in cards] == [(queue.RED, False), (queue.OTHER, False)]
        detail = queue.look(w, cards[0].public_id)
        assert (detail.subject.alias, detail.subject.text, detail.subject.held) == ("Mees_duin", CRISIS, False)
        alerts = w.db.execute(select(OutboxItem.person_id).where(OutboxItem.kind == "alert")).all()
        queue.decide(w, cards[0].public_id, detail.version, "seen", "")
    assert alerts == [(it.circle.hanna.person_id,)]
    assert [len(thread.lines) for thread in _threads(it)] == [1, 1]


def test_who_is_muted_or_sent_out_or_in_a_breakout_can_write_one(database: Database) -> None:
    it = led(database)
    mees, noor, jip = it.circle.members
    it.arrive(noor, jip)
    by(it.circle, it.circle.hanna, rooms.mute, it.circle.room, "Mees_duin", 10)
    it.lead(removal.send_out, "Mees_duin")
    _send(it, mees, "Waarom?")
    _answer(it, "Mees_duin", "Ik bel je zo")
    assert len(_own(it, mees)) == 2
    it.do(breakouts.start, 5)
    with database.read(noor.actor) as r:
        [aside] = breakouts.mine(r, rooms.place(r, it.circle.room))
    by(it.circle, noor, notes.send, aside.room, str(uuid.uuid4()), "Kun je meekijken?")
    assert _own(it, noor) == [": Kun je meekijken?"]


def test_only_in_a_running_session_and_not_too_many_or_too_long(database: Database, clock: FrozenClock) -> None:
    it = led(database)
    mees = it.circle.members[0]
    with pytest.raises(TooLarge):
        _send(it, mees, "x" * (notes.LIMIT + 1))
    for wrong in ("", "   "):
        with pytest.raises(Invalid):
            _send(it, mees, wrong)
    with pytest.raises(Invalid):
        _send(it, mees, key="no-uuid")
    with pytest.raises(NotFound):
        _send(it, it.circle.hanna)
    for _ in range(notes.PER_MINUTE):
        _send(it, mees)
    with pytest.raises(RateLimited) as refusal:
        _send(it, mees)
    assert refusal.value.retry_after
    clock.forward(minutes=1)
    _send(it, mees)
    it.do(sessions.close)
    for who, call, args in (
        (mees, notes.send, (it.circle.room, str(uuid.uuid4()), "Nog iets")),
        (it.circle.hanna, notes.answer, (it.ref, "Mees_duin", str(uuid.uuid4()), "Nog iets")),
    ):
        with pytest.raises(Closed):
            by(it.circle, who, call, *args)
    assert len(_threads(it)[0].lines) == notes.PER_MINUTE + 1  # still to be read afterwards


def test_reading_marks_what_was_new_and_only_that(database: Database, heard: Heard) -> None:
    it = led(database)
    mees, noor, _jip = it.circle.members
    _send(it, mees)
    _send(it, noor)
    _threads(it)
    assert it.roster()["Mees_duin"].notes == 1  # a page that is drawn is not a note that was read
    it.lead(notes.read, "Mees_duin")
    assert [(t.alias, t.unread) for t in _threads(it)] == [("Noor_eik", 1), ("Mees_duin", 0)]
    heard.clear()
    it.lead(notes.read, "Mees_duin")
    assert heard == []
    _answer(it, "Mees_duin", "Ja")
    by(it.circle, mees, notes.read_own, it.circle.room)
    assert _unread(it, mees) == 0
    for wrong in ("Hanna", "Niemand"):
        with pytest.raises(NotFound):
            _answer(it, wrong, "Hoi")
