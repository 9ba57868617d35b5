"""The outbox: queued with what made it necessary, delivered once whatever happens in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.actor import Actor
from app.core.work import Database, Work
from app.notify import outbox, senders
from app.notify.models import Notice, OutboxItem
from tests import builders
from tests.conftest import FrozenClock, Heard


@pytest.fixture
def noor(database: Database) -> Actor:
    return builders.someone(database, builders.organisation(database))[0]


def _queue(database: Database, person: Actor, *keys: str, kind: str = "outreach", **more: object) -> None:
    with database.work() as w:
        for key in keys:
            outbox.queue(w, person.person_id, kind, f"ref-{key}", key, **more)


def _waiting(database: Database) -> list[str]:
    with database.read() as r:
        return list(r.db.scalars(select(OutboxItem.key).where(OutboxItem.sent_at.is_(None))))


def _inbox(database: Database, person: Actor) -> list[tuple[str, str]]:
    with database.read(person) as r:
        return [(line.kind, line.ref) for line in outbox.inbox(r)]


def test_queueing_the_same_thing_again_changes_nothing(database: Database, noor: Actor) -> None:
    for _ in range(3):
        _queue(database, noor, "a", "a")
    _queue(database, noor, "a", kind="other")
    with database.read() as r:
        assert r.db.execute(select(OutboxItem.key, OutboxItem.kind)).all() == [("a", "outreach")]


def test_nothing_is_queued_when_the_deed_was_not_done(database: Database, noor: Actor) -> None:
    with pytest.raises(RuntimeError), database.work() as w:  # noqa: PT012
        outbox.queue(w, noor.person_id, "outreach", "x", "a")
        raise RuntimeError
    assert _waiting(database) == []


def test_a_delivery_is_made_marked_and_told_once(database: Database, noor: Actor, heard: Heard) -> None:
    _queue(database, noor, "a", "b")
    assert heard == []  # nothing is told before it is delivered
    assert outbox.deliver(database) == 2
    assert outbox.deliver(database) == 0
    assert _waiting(database) == []
    assert _inbox(database, noor) == [("outreach", "ref-b"), ("outreach", "ref-a")]
    assert heard.payloads(f"person:{noor.person_id}", "notice") == [
        {"kind": "outreach", "ref": "ref-a"},
        {"kind": "outreach", "ref": "ref-b"},
    ]


def test_what_is_due_later_waits(database: Database, noor: Actor, clock: FrozenClock) -> None:
    _queue(database, noor, "later", due_at=clock() + timedelta(minutes=5))
    _queue(database, noor, "now")
    assert outbox.deliver(database) == 1
    assert _waiting(database) == ["later"]
    clock.forward(minutes=5)
    assert outbox.deliver(database) == 1


def test_a_crash_in_between_leaves_it_to_be_delivered_once_later(
    database: Database, noor: Actor, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    _queue(database, noor, "a", "b")
    send, sent = senders.in_app, []

    def crash_after_the_first(w: Work, item: OutboxItem) -> None:
        send(w, item)
        w.db.flush()
        sent.append(item.key)
        raise KeyboardInterrupt  # nothing that runs on could catch it

    monkeypatch.setattr(senders, "in_app", crash_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(database)
    assert (sent, _inbox(database, noor), heard) == (["a"], [], [])
    assert _waiting(database) == ["a", "b"]
    monkeypatch.undo()
    assert outbox.deliver(database) == 2
    assert len(_inbox(database, noor)) == 2
    assert len(heard) == 2


def test_an_item_whose_mark_was_lost_is_not_shown_twice(database: Database, noor: Actor) -> None:
    _queue(database, noor, "a")
    outbox.deliver(database)
    with database.work() as w:
        w.db.scalars(select(OutboxItem)).one().sent_at = None
    assert outbox.deliver(database) == 1
    assert len(_inbox(database, noor)) == 1


def test_one_item_that_cannot_be_delivered_does_not_hold_up_the_others(
    database: Database, noor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _queue(database, noor, "broken", "alert")
    send = senders.in_app

    def fail_on_one(w: Work, item: OutboxItem) -> None:
        if item.key == "broken":
            raise ValueError("this one never can")
        send(w, item)

    monkeypatch.setattr(senders, "in_app", fail_on_one)
    for _ in range(2):
        try:
            outbox.deliver(database)
        except ValueError:
            pass  # it may say so, once it has looked after the others
    assert _inbox(database, noor) == [("outreach", "ref-alert")]
    assert _waiting(database) == ["broken"]


def test_many_workers_deliver_each_thing_once(database: Database, noor: Actor, heard: Heard) -> None:
    _queue(database, noor, *[f"k{n}" for n in range(40)])
    answers = builders.at_once(*[lambda: outbox.deliver(database)] * 4)
    assert builders.refusals(answers) == []
    assert sum(answers) + outbox.deliver(database) == 40
    with database.read() as r:
        assert len(r.db.scalars(select(Notice)).all()) == 40
        assert set(r.db.scalars(select(OutboxItem.attempts))) == {1}
    assert len(heard) == 40


def test_a_look_that_finds_nothing_keeps_nobody_waiting(database: Database) -> None:
    with database.work():  # somebody is writing
        assert builders.at_once(lambda: outbox.deliver(database)) == [0]


def test_the_inbox_holds_kinds_and_references_and_is_ones_own(database: Database, noor: Actor) -> None:
    mees, _ = builders.someone(database, noor.organisation_id)
    _queue(database, noor, "a")
    _queue(database, mees, "b", kind="alert")
    outbox.deliver(database)
    assert _inbox(database, noor) == [("outreach", "ref-a")]
    assert _inbox(database, mees) == [("alert", "ref-b")]
    assert set(Notice.__table__.columns.keys()) == {"id", "key", "person_id", "kind", "ref", "at", "read_at"}
    with database.read(noor) as r, builders.statements(database) as sent:
        outbox.inbox(r)
    assert len(sent) == 1


def test_what_was_read_is_put_away_for_its_reader_only(database: Database, noor: Actor) -> None:
    mees, _ = builders.someone(database, noor.organisation_id)
    with database.work() as w:
        for person, key in ((noor, "n"), (mees, "m")):
            outbox.queue(w, person.person_id, "alert", "same", key)
        outbox.queue(w, noor.person_id, "alert", "other", "o")
    outbox.deliver(database)
    with database.work(noor) as w:
        outbox.mark_read(w, "alert", "same")
    assert _inbox(database, noor) == [("alert", "other")]
    assert _inbox(database, mees) == [("alert", "same")]


def test_the_inbox_shows_the_latest_first_and_no_more_than_asked(database: Database, noor: Actor) -> None:
    _queue(database, noor, *[f"k{n}" for n in range(25)])
    outbox.deliver(database)
    assert len(_inbox(database, noor)) == 20
    assert _inbox(database, noor)[0] == ("outreach", "ref-k24")


def test_what_was_delivered_and_read_is_forgotten_after_a_month_and_nothing_sooner(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    mees, noor = circle.members[:2]
    with database.work() as w:
        for who in (mees, noor):
            outbox.queue(w, who.person_id, "planned", "ref", f"planned:{who.ref}")
    assert outbox.deliver(database) == 2
    with database.work(mees.actor) as w:
        outbox.mark_read(w, "planned", "ref")
    clock.forward(days=30)
    assert outbox.tidy(database) == 0
    clock.forward(minutes=1)
    assert outbox.tidy(database) == 3  # two deliveries, and the line that was read
    with database.read(noor.actor) as r:
        assert len(outbox.inbox(r)) == 1
    assert outbox.deliver(database) == 0
