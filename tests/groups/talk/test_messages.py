"""Posting: once, in order, screened before anybody reads it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.accounts import signins
from app.accounts.models import Person
from app.core.errors import Closed, Forbidden, Invalid, Muted, NotFound, RateLimited, Unauthenticated
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms
from groups.led import sessions
from groups.models import Message, Room, Seat
from groups.talk import conversation, decisions, messages
from groups.talk.conversation import View
from groups.talk.messages import Post
from groups.talk.pace import Pace
from moderation import queue
from moderation.models import Case
from tests import builders
from tests.builders import CRISIS, ORDINARY, PHONE, RUDE, Circle, Someone
from tests.conftest import FrozenClock, Heard


def _read(circle: Circle, who: Someone, after: int = 0, limit: int = conversation.PAGE) -> list[View]:
    with circle.database.read(who.actor) as r:
        return conversation.history(r, rooms.place(r, circle.room), after, limit)


def _items(heard: Heard, circle: Circle) -> list[dict[str, object]]:
    return [item for p in heard.payloads(f"room:{circle.room}", "messages") for item in p["items"]]


def _id_of(circle: Circle, key: str) -> int:
    with circle.database.read() as r:
        return r.db.scalars(select(Message.id).where(Message.key == key)).one()


def _stored(circle: Circle) -> int:
    with circle.database.read() as r:
        return r.db.scalar(select(func.count()).select_from(Message)) or 0


def test_a_message_reaches_the_room_with_the_next_number(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    assert circle.post(mees, "Hoi allemaal").seq == 1
    assert circle.post(noor, "Fijn dat jullie er zijn").seq == 2
    assert [(i["seq"], i["alias"], i["text"]) for i in _items(heard, circle)] == [
        (1, "Mees_duin", "Hoi allemaal"),
        (2, "Noor_eik", "Fijn dat jullie er zijn"),
    ]
    assert [v.as_dict() for v in _read(circle, noor)] == _items(heard, circle)
    assert {v.at for v in _read(circle, noor)} == {"2026-11-17T18:30Z"}


def test_the_same_key_gives_the_same_answer_and_one_message(database: Database) -> None:
    circle = builders.circle(database)
    for text, agreed in ((ORDINARY, False), (RUDE, False), (CRISIS, False), (PHONE, True)):
        key = str(uuid.uuid4())
        before = _stored(circle)
        first = circle.post(circle.members[0], text, key=key, mask_ok=agreed)
        assert circle.post(circle.members[0], text, key=key, mask_ok=agreed) == first
        assert _stored(circle) == before + 1


def test_two_people_may_happen_to_use_the_same_key(database: Database) -> None:
    circle = builders.circle(database)
    key = str(uuid.uuid4())
    assert [circle.post(m, ORDINARY, key=key).seq for m in circle.members[:2]] == [1, 2]


def test_a_room_that_is_not_yours_looks_like_one_that_is_not_there(database: Database) -> None:
    circle = builders.circle(database)
    other = builders.circle(database)
    stranger = other.members[0]
    told = set()
    for room in (circle.room, "nosuchroom12", "", "x\x00y"):
        with pytest.raises(NotFound) as refusal:
            other.post(stranger, "Mag ik erbij?", room=room)
        told.add(refusal.value.message)
    assert len(told) == 1
    assert _stored(circle) == 0


def test_what_is_held_has_no_number_and_leaves_no_hole(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    circle.post(noor, ORDINARY)
    key = str(uuid.uuid4())
    held = circle.post(mees, RUDE, key=key)
    assert (held.status, held.seq, held.masked) == ("held", None, False)
    assert circle.post(noor, "Tot straks").seq == 2
    assert [v.seq for v in _read(circle, noor)] == [1, 2]
    assert RUDE not in str(_items(heard, circle))
    with database.read(mees.actor) as r:
        waiting = conversation.waiting(r, rooms.place(r, circle.room))
    assert [(h.key, h.text) for h in waiting] == [(key, RUDE)]
    with database.read(noor.actor) as r:
        assert conversation.waiting(r, rooms.place(r, circle.room)) == []
    assert heard.payloads(f"person:{mees.person_id}", "notice") == [
        {"kind": "held", "room": circle.room, "key": key, "reasons": ["harassment"]}
    ]
    assert RUDE not in str(heard)


def test_what_is_held_opens_a_case_for_staff_without_its_text(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], RUDE)
    with database.read(circle.hanna.actor) as r:
        [card] = queue.waiting(r)
    assert (card.held, card.level, card.kinds) == (True, queue.OTHER, ("harassment",))
    [told] = heard.payloads(f"reviewers:{circle.organisation_id}", "notice")
    assert told == {"kind": "case", "level": queue.OTHER, "ref": card.public_id}


def test_what_is_released_gets_the_next_number_and_is_told_as_it_will_be_read(
    database: Database, heard: Heard, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    circle.post(noor, ORDINARY)
    key = str(uuid.uuid4())
    circle.post(mees, RUDE, key=key, reply_to=1)
    circle.post(noor, "Tot straks")
    clock.forward(minutes=5)
    heard.clear()
    for _ in range(2):  # releasing again changes nothing
        with database.work(circle.hanna.actor) as w:
            decisions.release(w, _id_of(circle, key))
    assert [(v.seq, v.text) for v in _read(circle, noor)] == [
        (1, ORDINARY),
        (2, "Tot straks"),
        (3, RUDE),
    ]
    assert heard.payloads(f"person:{mees.person_id}", "notice") == [
        {"kind": "released", "room": circle.room, "key": key}
    ]
    assert circle.post(mees, RUDE, key=key).seq == 3
    assert _items(heard, circle) == [_read(circle, noor)[-1].as_dict()]


def test_what_is_rejected_never_shows_and_its_author_hears_why(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    key = str(uuid.uuid4())
    circle.post(mees, RUDE, key=key)
    heard.clear()
    with database.work(circle.hanna.actor) as w:
        decisions.reject(w, _id_of(circle, key), "tone")
    with database.work(circle.hanna.actor) as w:
        decisions.release(w, _id_of(circle, key))  # too late: it was decided
    assert _read(circle, noor) == _read(circle, mees) == []
    assert heard.events(f"room:{circle.room}") == []
    [told] = heard.payloads(f"person:{mees.person_id}", "notice")
    assert told == {"kind": "rejected", "room": circle.room, "key": key, "reason": "tone"}
    with database.read() as r:
        assert r.db.scalars(select(OutboxItem.kind).where(OutboxItem.person_id == mees.person_id)).all() == ["rejected"]
    assert circle.post(mees, RUDE, key=key).status == "held"


def test_what_is_hidden_keeps_its_number_and_loses_its_words(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    key = str(uuid.uuid4())
    circle.post(mees, ORDINARY, key=key)
    circle.post(noor, "Tot straks")
    with database.work(circle.hanna.actor) as w:
        decisions.reject(w, _id_of(circle, key), "tone")
    assert [(v.seq, v.text, v.status) for v in _read(circle, noor)] == [
        (1, "", "hidden"),
        (2, "Tot straks", "posted"),
    ]
    assert heard.payloads(f"room:{circle.room}", "message.changed") == [
        {"room": circle.room, "seq": 1, "status": "hidden"}
    ]


def test_a_preview_stores_nothing_and_counts_for_nothing(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    heard.clear()
    for _ in range(20):
        answer = circle.post(mees, PHONE)
        assert (answer.status, answer.seq, answer.masked) == ("preview", None, True)
        assert answer.text is not None
        assert "06 12345678" not in answer.text
    assert _stored(circle) == 0
    assert heard == []
    assert circle.post(mees, ORDINARY).seq == 1


def test_once_agreed_the_masked_text_is_stored_and_nothing_else(database: Database, heard: Heard) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    key = str(uuid.uuid4())
    preview = circle.post(mees, PHONE, key=key)
    posted = circle.post(mees, PHONE, key=key, mask_ok=True)
    assert (posted.status, posted.seq, posted.masked, posted.text) == ("posted", 1, True, preview.text)
    assert [v.text for v in _read(circle, noor)] == [preview.text]
    with database.read() as r:
        assert "06 12345678" not in str(r.db.scalars(select(Message.text)).all())
    assert "06 12345678" not in str(heard)


def test_a_preview_may_be_edited_under_the_same_key(database: Database) -> None:
    circle = builders.circle(database)
    key = str(uuid.uuid4())
    circle.post(circle.members[0], PHONE, key=key)
    assert circle.post(circle.members[0], "Bel me maar even", key=key).seq == 1


def test_a_cry_for_help_is_posted_and_facilitators_are_alerted_in_the_same_transaction(
    database: Database, heard: Heard
) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    answer = circle.post(mees, CRISIS)
    assert (answer.status, answer.seq, answer.crisis) == ("posted", 1, True)
    with database.read(circle.hanna.actor) as r:
        [card] = queue.waiting(r)
        alerts = r.db.execute(select(OutboxItem.person_id, OutboxItem.kind, OutboxItem.ref)).all()
    assert (card.level, card.held, card.due_at - card.opened_at) == (queue.RED, False, timedelta(minutes=15))
    assert alerts == [(circle.hanna.person_id, "alert", card.public_id)]
    [told] = heard.payloads(f"person:{mees.person_id}", "notice")
    assert (told["kind"], told["reasons"]) == ("crisis", ["crisis_self"])


def test_words_of_danger_that_are_sent_again_bring_help_again_but_one_alert(database: Database, heard: Heard) -> None:
    """The first answer may never have arrived: the server stopped, or the phone was in a tunnel."""
    circle = builders.circle(database)
    mees, key = circle.members[0], str(uuid.uuid4())
    first, again = (circle.post(mees, CRISIS, key=key) for _ in range(2))
    assert (again, again.crisis) == (first, True)
    assert [told["kind"] for told in heard.payloads(f"person:{mees.person_id}", "notice")] == ["crisis", "crisis"]
    with database.read(circle.hanna.actor) as r:
        assert len(queue.waiting(r)) == 1
        assert len(r.db.scalars(select(OutboxItem.id)).all()) == 1


def test_when_the_alert_cannot_be_stored_the_message_is_not_either(
    database: Database, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    heard.clear()

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError("no room on the disk")

    monkeypatch.setattr(rooms.outbox, "queue", fail)
    with pytest.raises(OSError, match="disk"):
        circle.post(circle.members[0], CRISIS)
    with database.read() as r:
        assert r.db.scalars(select(Message.id)).all() == []
        assert r.db.scalars(select(Case.id)).all() == []
        assert r.db.scalars(select(Room.last_seq).where(Room.public_id == circle.room)).one() == 0
    assert heard == []


def test_a_reply_needs_a_message_that_stands_there(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    key = str(uuid.uuid4())
    circle.post(mees, ORDINARY, key=key)
    assert circle.post(noor, "Mooi gezegd", reply_to=1).seq == 2
    assert _read(circle, mees)[-1].reply_to == 1
    with database.work(circle.hanna.actor) as w:
        decisions.reject(w, _id_of(circle, key), "tone")
    for gone in (1, 9):
        with pytest.raises(Invalid):
            circle.post(noor, "Mooi gezegd", reply_to=gone)
    assert _stored(circle) == 2


def test_only_a_standing_session_may_post(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor, jip = circle.members
    with database.work(mees.actor) as w:
        signins.end(w, mees.actor.session)
    with pytest.raises(Unauthenticated):
        circle.post(mees, ORDINARY)
    with database.work() as w:
        w.db.get_one(Person, jip.person_id).suspended_at = w.now
    with pytest.raises(Unauthenticated):
        circle.post(jip, ORDINARY)
    borrowed = Post(mees.person_id, noor.actor.session, circle.room, str(uuid.uuid4()), ORDINARY)
    with database.work() as w:
        [answer] = messages.post(w, [borrowed], Pace())
    assert isinstance(answer, NotFound)
    clock.forward(days=30)
    with pytest.raises(Unauthenticated):
        circle.post(noor, ORDINARY)
    assert _stored(circle) == 0


def test_who_is_muted_reads_along_until_it_is_over(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    with database.work(circle.hanna.actor) as w:
        rooms.mute(w, circle.room, "Mees_duin", 10)
    circle.post(noor, ORDINARY)
    with pytest.raises(Muted):
        circle.post(mees, ORDINARY)
    assert len(_read(circle, mees)) == 1
    clock.forward(minutes=10)
    assert circle.post(mees, ORDINARY).seq == 2


def test_who_left_the_room_cannot_post_in_it(database: Database) -> None:
    circle = builders.circle(database)
    with database.work() as w:
        w.db.execute(update(Seat).where(Seat.alias == "Mees_duin").values(left_at=w.now))
    with pytest.raises(NotFound):
        circle.post(circle.members[0], ORDINARY)
    assert circle.post(circle.members[1], ORDINARY).seq == 1


def test_in_a_led_session_only_staff_may_write_for_a_while(database: Database) -> None:
    circle = builders.circle(database)
    ref = circle.open_session()
    with database.work(circle.hanna.actor) as w:
        sessions.lock(w, ref, 2, True)
    with pytest.raises(Forbidden):
        circle.post(circle.members[0], ORDINARY)
    assert circle.post(circle.hanna, ORDINARY).seq == 1
    with database.work(circle.hanna.actor) as w:
        sessions.close(w, ref, 3)
    assert circle.post(circle.members[0], ORDINARY).seq == 2


def test_in_a_closed_room_nobody_writes_and_everybody_reads(database: Database) -> None:
    circle = builders.circle(database)
    circle.post(circle.members[0], ORDINARY)
    with database.work() as w:
        rooms.close_room(w, w.db.scalars(select(Room.id)).one())
    for who in (circle.members[0], circle.hanna):
        with pytest.raises(Closed):
            circle.post(who, ORDINARY)
        assert len(_read(circle, who)) == 1


def test_who_writes_too_fast_is_asked_to_wait_and_loses_nothing(database: Database) -> None:
    circle = builders.circle(database)
    for number in range(8):
        circle.post(circle.members[0], f"Zin {number}")
    with pytest.raises(RateLimited) as refusal:
        circle.post(circle.members[0], "Nog een zin")
    assert refusal.value.retry_after == 10
    assert circle.post(circle.members[1], "Ik ook").seq == 9


def test_a_batch_over_many_rooms_answers_each_message_on_its_own(database: Database, heard: Heard) -> None:
    first, second = builders.circle(database), builders.circle(database)
    mees, noor, jip = first.members
    with database.work(first.hanna.actor) as w:
        rooms.mute(w, first.room, "Jip_kiezel", 10)
    heard.clear()

    def by(who: Someone, room: str, text: str, **more: object) -> Post:
        return Post(who.person_id, who.actor.session, room, str(uuid.uuid4()), text, **more)

    twice = by(mees, first.room, "Twee keer")
    batch = [
        by(mees, first.room, "een"),
        by(mees, second.room, "niet van mij"),
        by(second.members[0], second.room, "eerste hier"),
        by(noor, first.room, RUDE),
        by(jip, first.room, "gedempt"),
        twice,
        twice,
        by(noor, first.room, PHONE),
        by(noor, first.room, PHONE, mask_ok=True),
        by(noor, first.room, "op niets", reply_to=77),
        by(second.members[1], second.room, "tweede hier"),
        by(noor, first.room, "laatste"),
    ]
    with database.work() as w:
        answers = messages.post(w, batch, Pace())
    assert [getattr(a, "status", None) if isinstance(a, messages.Posted) else type(a) for a in answers] == [
        "posted",
        NotFound,
        "posted",
        "held",
        Muted,
        "posted",
        RateLimited,
        "preview",
        "posted",
        Invalid,
        "posted",
        "posted",
    ]
    assert [v.seq for v in _read(first, noor)] == [1, 2, 3, 4]
    assert [v.text for v in _read(second, second.members[0])] == ["eerste hier", "tweede hier"]
    assert len(heard.payloads(f"room:{first.room}", "messages")) == 1  # one frame a room, whatever its size
    assert len(heard.payloads(f"room:{second.room}", "messages")) == 1
    assert first.post(mees, "Twee keer", key=twice.key) == answers[5]


def test_history_is_in_order_and_never_longer_than_a_page(database: Database) -> None:
    circle = builders.circle(database, members=1)
    reader = circle.members[0]
    with database.work() as w:
        w.db.execute(update(Room).values(pace=1_000))
        batch = [
            Post(reader.person_id, reader.actor.session, circle.room, str(uuid.uuid4()), f"Zin {n}")
            for n in range(1, 251)
        ]
        messages.post(w, batch, Pace())
    assert [v.seq for v in _read(circle, reader)] == list(range(1, 201))
    assert [v.seq for v in _read(circle, reader, after=200)] == list(range(201, 251))
    assert [v.seq for v in _read(circle, reader, after=10, limit=3)] == [11, 12, 13]
    assert len(_read(circle, reader, limit=10_000)) == 200
    assert len(_read(circle, reader, limit=0)) == 1
    assert _read(circle, reader, after=250) == []
    with database.read(reader.actor) as r:
        assert [v.seq for v in conversation.latest(r, rooms.place(r, circle.room), 3)] == [248, 249, 250]


def test_the_unread_mark_never_goes_back_nor_past_the_end(database: Database) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    for _ in range(5):
        circle.post(noor, f"Zin {uuid.uuid4()}")
    for seq, expected in ((3, 3), (2, 3), (0, 3), (99, 5), (1, 5)):
        with database.work(mees.actor) as w:
            conversation.mark_read(w, circle.room, seq)
        with database.read(mees.actor) as r:
            assert rooms.place(r, circle.room).read_seq == expected
    with database.read(noor.actor) as r:
        assert rooms.place(r, circle.room).read_seq == 0


def test_two_screens_that_read_at_the_same_moment_keep_the_furthest_mark(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = builders.circle(database)
    mees = circle.members[0]
    for _ in range(5):
        circle.post(circle.members[1], f"Zin {uuid.uuid4()}")
    place = rooms.place

    def read_on_another_screen_meanwhile(w: object, room: str) -> rooms.Place:
        found = place(w, room)
        if database.engine.dialect.name == "postgresql":  # SQLite lets one in at a time
            monkeypatch.setattr(messages.rooms, "place", place)
            with database.work(mees.actor) as other:
                conversation.mark_read(other, circle.room, 5)
        return found

    monkeypatch.setattr(messages.rooms, "place", read_on_another_screen_meanwhile)
    with database.work(mees.actor) as w:
        conversation.mark_read(w, circle.room, 2)
    monkeypatch.setattr(messages.rooms, "place", place)
    with database.read(mees.actor) as r:
        expected = 5 if database.engine.dialect.name == "postgresql" else 2
        assert rooms.place(r, circle.room).read_seq == expected
