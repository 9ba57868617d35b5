"""Having one's account destroyed: nothing of it is left anywhere, nobody else loses anything, nobody is forgotten."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import erasure, signins
from app.accounts.models import AliasUse, SignIn
from app.core.audit import AuditLine
from app.core.crypto import CannotOpen, DestroyedKey, Ring, Sealed, Vault
from app.core.db import Base
from app.core.errors import Closed, NotFound, Unauthenticated
from app.core.work import Database
from app.main import PARTS
from app.notify import outbox
from app.notify import personal as notify_personal
from groups import personal as groups_personal
from groups import rooms
from groups.after import followups
from groups.house import topics
from groups.led import notes, stage
from groups.models import Answer, Message, Seat, message_row
from groups.people import leaving
from groups.programme import exercises
from groups.talk import conversation
from matching import buddies, outreach
from matching import personal as matching_personal
from moderation import personal as moderation_personal
from moderation import queue
from tests import builders
from tests.accounts import lives
from tests.accounts.lives import OTHERS, OWN, Lives
from tests.builders import Someone
from tests.conftest import MASTERS, FrozenClock, Heard

# Every column that can name a person or their place. A new one has to be thought of in one of the `personal` modules.
NAMES_A_PERSON = {
    "absences.membership_id",
    "answers.membership_id",
    "attendances.membership_id",
    "authenticators.person_id",
    "backup_codes.person_id",
    "calendar_feeds.person_id",
    "cases.decided_by",
    "cases.staff_id",
    "check_ins.membership_id",
    "check_ups.person_id",
    "data_keys.person_id",
    "device_codes.made_by",
    "device_codes.person_id",
    "flags.person_id",
    "follow_ups.done_by",
    "follow_ups.membership_id",
    "glass_breaks.person_id",
    "goals.membership_id",
    "goals.started_by",
    "invitations.made_by",
    "memberships.person_id",
    "notices.person_id",
    "outbox.person_id",
    "outreach_steps.membership_id",
    "outreach_steps.person_id",
    "pair_members.membership_id",
    "pairs.made_by",
    "passkeys.person_id",
    "plan_cards.person_id",
    "relapse_reports.membership_id",
    "seats.membership_id",
    "seats.person_id",
    "session_notes.author_id",
    "session_steps.author_id",
    "sign_ins.person_id",
    "steps_done.membership_id",
    "topics.author_id",
    "turns.membership_id",
    "urge_rides.person_id",
    "waiting_places.person_id",
}


@pytest.fixture
def life(database: Database, clock: FrozenClock) -> Lives:
    return lives.lived(database, clock)


def _erase(life: Lives, who: Someone | None = None) -> None:
    person = (who or life.mees).actor
    with life.database.work(person) as w:
        erasure.erase(w, PARTS, person.person_id)


def _export(life: Lives, who: Someone) -> dict[str, Any]:
    with life.database.read() as r:
        return erasure.export(r, PARTS, who.person_id)


def _history(life: Lives, by: Someone | None = None) -> list[conversation.View]:
    """The whole conversation, as somebody reads it who hid nothing of it."""
    with life.database.read((by or life.hanna).actor) as r:
        return conversation.history(r, rooms.place(r, life.circle.room), 0)


def _cases(life: Lives) -> list[queue.Card]:
    with life.database.read(life.hanna.actor) as r:
        return queue.waiting(r)


def _told(life: Lives, who: Someone) -> list[tuple[str, str]]:
    outbox.deliver(life.database)
    with life.database.read(who.actor) as r:
        return [(line.kind, line.ref) for line in outbox.inbox(r, 100)]


def test_every_column_that_names_a_person_was_thought_of() -> None:
    named = {
        f"{table.name}.{key.parent.name}"
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in ("people", "memberships")
    }
    assert named == NAMES_A_PERSON


def test_nothing_of_them_is_left_in_any_table(life: Lives) -> None:
    before = lives.rows(life.database)
    aliases = life.aliases
    key_id = next(row["id"] for row in before["data_keys"] if row["person_id"] == life.mees.person_id)
    refs = {row["public_id"] for row in before["seats"] if row["person_id"] == life.mees.person_id}
    places = {row["id"] for row in before["memberships"] if row["person_id"] == life.mees.person_id}
    assert len(aliases) == 4
    assert len(places) == 2
    _erase(life)
    after = lives.rows(life.database)
    for table, rows in after.items():
        if table in ("alias_uses", "destroyed_keys"):
            continue
        text = lives.text_of(rows)
        for left in (lives.LOGIN, lives.SECRET, life.mees.actor.session, key_id, *aliases, *refs):
            assert left not in text, table
    for column in NAMES_A_PERSON:
        table, name = column.split(".")
        gone = places if name == "membership_id" else {life.mees.person_id}
        assert [row for row in after[table] if row[name] in gone] == [], column
    assert [row["id"] for row in after["destroyed_keys"]] == [key_id]


def test_their_aliases_rest_for_a_year_and_belong_to_nobody(life: Lives, clock: FrozenClock) -> None:
    aliases = life.aliases
    _erase(life)
    with life.database.read() as r:
        free_from = {row.alias: row.free_from for row in r.db.scalars(select(AliasUse))}
    assert {(free_from[alias] - clock().date()).days for alias in aliases} == {365}
    assert free_from[life.noor.alias] is None


def test_a_copy_of_the_rows_says_nothing_any_more(life: Lives) -> None:
    with life.database.read() as r:
        copied = r.db.execute(
            select(Message.seat_id, Message.key, Message.text)
            .join(Seat, Seat.id == Message.seat_id)
            .where(Seat.person_id == life.mees.person_id)
        ).all()
        read = [r.ring.open(Message.text, message_row(c.seat_id, c.key), c.text) for c in copied]
    assert OWN[0] in " ".join(read)
    _erase(life)
    with life.database.read() as r:
        for ring in (r.ring, Ring(r.session, Vault(MASTERS))):  # this process, and one that starts with the same keys
            for c in copied:
                with pytest.raises(CannotOpen):
                    ring.open(Message.text, message_row(c.seat_id, c.key), c.text)
        assert len(r.db.scalars(select(DestroyedKey)).all()) == 1


def test_everything_that_is_still_sealed_can_still_be_opened_by_whose_it_is(life: Lives) -> None:
    _erase(life)
    after = lives.rows(life.database)
    kept = {row["id"] for row in after["data_keys"]}
    sealed = [
        row[column.name]
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
        for row in after[table.name]
        if row[column.name] is not None
    ]
    assert sealed
    assert {value[1:9].hex() for value in sealed} <= kept


def test_the_conversation_keeps_its_numbers_and_everybody_elses_words(life: Lives) -> None:
    before = _history(life)
    _erase(life)
    after = _history(life)
    assert [v.seq for v in after] == list(range(1, len(before) + 1))
    for was, now in zip(before, after, strict=True):
        if was.alias == life.mees.alias:
            assert (now.status, now.text) == ("withdrawn", "")
            assert now.alias.startswith("weg-")
        else:  # what answered them quotes nothing any more
            quoted = was.quote if was.quote and was.quote.alias != life.mees.alias else None
            kept = {kind: tuple(a for a in who if a != life.mees.alias) for kind, who in was.reactions.items()}
            assert now == replace(was, quote=quoted, reactions={kind: who for kind, who in kept.items() if who})
    assert len({v.alias for v in after if v.status == "withdrawn"}) == 1
    assert life.circle.post(life.noor, "En verder").seq == len(before) + 1


def test_what_stood_beside_their_words_is_gone_and_what_others_did_stays(life: Lives) -> None:
    before = lives.rows(life.database)
    mine = {row["id"] for row in before["seats"] if row["person_id"] == life.mees.person_id}
    said = {row["id"] for row in before["messages"] if row["seat_id"] in mine}
    answers = {row["id"] for row in before["answers"] if row["membership_id"] == life.mees.membership_id}
    beside = {
        "message_versions": lambda row: row["message_id"] in said,
        "reactions": lambda row: row["message_id"] in said or row["seat_id"] in mine,
        "hidings": lambda row: row["message_id"] in said or {row["seat_id"], row["hidden_seat_id"]} & mine,
        "session_notes": lambda row: row["seat_id"] in mine,
        "flags": lambda row: row["person_id"] == life.mees.person_id or row["subject_id"] in answers,
    }
    _erase(life)
    after = lives.rows(life.database)
    for table, theirs in beside.items():
        gone = [row for row in before[table] if theirs(row)]
        assert gone, table
        assert after[table] == [row for row in before[table] if row not in gone], table
    for table in ("message_versions", "reactions", "flags"):
        assert after[table], table  # Noor's and Jip's


def test_open_screens_hear_which_reactions_are_gone(life: Lives, heard: Heard) -> None:
    [seq] = [v.seq for v in _history(life) if life.mees.alias in v.reactions.get("recognise", ())]
    heard.clear()
    _erase(life)
    told = heard.payloads(f"room:{life.circle.room}", "message.reactions")
    assert told == [{"room": life.circle.room, "seq": seq, "reactions": {"reading": [life.noor.alias]}}]


def test_nobody_is_asked_any_more_to_look_after_them(life: Lives) -> None:
    with life.database.read(life.second.hanna.actor) as r:
        assert len(followups.open_ones(r)) == 1
        whose = followups.open_ones(r)[0].alias
    person = next(who for who in (life.mees, *life.second.members) if who.alias == whose or whose == "Wilg_stil")
    _erase(life, person)
    with life.database.read(life.second.hanna.actor) as r:
        assert followups.open_ones(r) == []
    assert "missed" not in {kind for kind, _ in _told(life, life.second.hanna)}


def test_in_two_groups_they_are_two_who_are_gone(life: Lives) -> None:
    _erase(life)
    nobody = [row for row in lives.rows(life.database)["seats"] if row["person_id"] is None]
    assert len(nobody) == 4  # two groups, a duo, and two by two for some minutes
    assert len({row["alias"] for row in nobody}) == 4


def test_nobody_else_loses_anything(life: Lives) -> None:
    others = (life.noor, life.circle.members[2], life.hanna, life.second.hanna, *life.second.members)
    before = {who.person_id: _export(life, who) for who in others}
    tables = lives.rows(life.database)
    _erase(life)
    for who in others:
        after = _export(life, who)
        for told in (before[who.person_id], after):
            told.pop("notices")
            for group in told["groups"]:  # reactions and hidden lines go with what they stood at
                for talk in group["conversations"]:
                    talk.pop("reactions"), talk.pop("hidden")
            told.pop("flagged", None)
        if who is life.noor:  # her duo has ended, and says so
            assert after["pairs"][0].pop("until") == "2026-11-18"
            before[who.person_id]["pairs"][0].pop("until")
        if who is life.hanna:  # she is asked no more, and what she answered them went with their note
            after.pop("asked_to_make_contact")
            before[who.person_id].pop("asked_to_make_contact")
            assert [OTHERS[10] in note["text"] for note in before[who.person_id].pop("notes_to_members")] == [True]
            assert len(after.pop("goals_begun")) == len(before[who.person_id].pop("goals_begun")) - 1
        if who is life.second.hanna:  # that she looked after them went with them
            assert len(after.pop("looked_after")) == len(before[who.person_id].pop("looked_after")) - 1
        assert after == before[who.person_id]
    now = lives.rows(life.database)
    for same in ("groups", "group_sessions", "session_steps", "organisations", "audit_lines"):
        assert [row for row in tables[same] if row not in now[same]] == []
    mine = {row["id"] for row in tables["seats"] if row["person_id"] == life.mees.person_id}
    assert [row for row in tables["messages"] if row["seat_id"] not in mine and row not in now["messages"]] == []


def test_open_screens_hear_what_is_gone_and_their_sockets_are_cut(life: Lives, heard: Heard) -> None:
    with life.database.read() as r:
        sessions = r.db.scalars(select(SignIn.token_hash).where(SignIn.person_id == life.mees.person_id)).all()
    said = {v.seq for v in _history(life) if v.alias == life.mees.alias and v.status == "posted"}
    heard.clear()
    _erase(life)
    assert len(sessions) == 2
    for session in sessions:
        assert heard.events(f"session:{session}") == ["revoked"]
    changed = heard.payloads(f"room:{life.circle.room}", "message.changed")
    assert {change["seq"] for change in changed} == said
    assert {change["status"] for change in changed} == {"withdrawn"}
    with life.database.read() as r:
        assert signins.who(r.db, life.mees.actor.session, r.now) is None
    with pytest.raises(Unauthenticated):
        life.circle.post(life.mees, "Ik ben er nog")


def test_what_waited_for_a_moderator_is_closed_but_danger_stays_to_be_seen(life: Lives) -> None:
    before = _cases(life)
    assert {card.level for card in before} == {queue.RED, queue.OTHER}
    _erase(life)
    [red] = _cases(life)
    assert (red.level, red.held) == (queue.RED, False)
    with life.database.work(life.hanna.actor) as w:
        detail = queue.look(w, red.public_id)
        assert detail.subject.text == ""
        assert life.mees.alias not in repr(detail)
        queue.decide(w, red.public_id, detail.version, "seen", "")
    assert _cases(life) == []


def test_a_red_case_about_an_answer_that_is_gone_can_still_be_seen(life: Lives) -> None:
    answers = lives.rows(life.database)["answers"]
    own = next(row["id"] for row in answers if row["membership_id"] == life.mees.membership_id)
    with life.database.work() as w:
        place = (life.circle.organisation_id, life.circle.group_id)
        ref = queue.open_case(w, *place, "answer", own, ["crisis_self"], queue.RED, held=True)
    _erase(life)
    with life.database.work(life.hanna.actor) as w:
        detail = queue.look(w, ref)
        assert (detail.subject.alias, detail.subject.text, detail.card.held) == ("", "", False)
        queue.decide(w, ref, detail.version, "seen", "")


@pytest.mark.parametrize("level", [queue.RED, queue.OTHER])
def test_a_case_about_an_answer_that_is_gone_never_shows_somebody_elses(life: Lives, level: int) -> None:
    """Numbers of rows come free: whatever is answered next may get the number that a case once pointed at."""
    with life.database.work() as w:
        own = select(Answer.id).where(Answer.membership_id == life.mees.membership_id)
        last = w.db.scalars(own.order_by(Answer.id.desc())).first()
        place = (life.circle.organisation_id, life.circle.group_id)
        ref = queue.open_case(w, *place, "answer", last, ["identity"], level, held=False)
    _erase(life)
    with life.database.work(life.noor.actor) as w:
        exercises.answer(w, rooms.place(w, life.circle.room), "understanding", "self-check", [0])
        w.db.execute(
            update(Answer)
            .values(id=last, sharing="shared")
            .where(Answer.id == select(func.max(Answer.id)).scalar_subquery())
        )
    with life.database.work(life.hanna.actor) as w:
        assert queue.look(w, ref).subject.alias == ""


def test_whoever_was_asked_in_danger_hears_that_somebody_may_need_them(life: Lives) -> None:
    _erase(life)
    assert ("erased_in_need", life.circle.group) in _told(life, life.hanna)
    assert "erased_in_need" not in {kind for kind, _ in _told(life, life.noor)}
    with life.database.read(life.hanna.actor) as r:
        assert [ask for ask in outreach.due(r) if ask.red] == []


def test_an_ask_after_theirs_reaches_whoever_is_asked(life: Lives) -> None:
    """Numbers of rows come free when somebody is erased: a notice about a new ask must never pass for an old one."""
    _erase(life)
    before = {ref for kind, ref in _told(life, life.hanna) if kind == "outreach"}
    life.circle.send(life.noor, safe="no", buddy=False, facilitator=True)
    after = {ref for kind, ref in _told(life, life.hanna) if kind == "outreach"}
    with life.database.read(life.hanna.actor) as r:
        assert {ask.ref for ask in outreach.due(r) if ask.red} <= after - before != set()


def test_what_was_asked_of_them_is_asked_of_the_next(life: Lives) -> None:
    with life.database.read(life.mees.actor) as r:
        assert len(outreach.due(r)) == 1
    _erase(life)
    with life.database.read(life.hanna.actor) as r:
        [ask] = outreach.due(r)
    assert (ask.alias, ask.state) == (life.noor.alias, "asked")


def test_their_buddy_hears_kindly_that_the_duo_ended(life: Lives) -> None:
    with life.database.read(life.noor.actor) as r:
        [buddy] = buddies.mine(r)
    _erase(life)
    assert "pair_ended" in {kind for kind, _ in _told(life, life.noor)}
    with life.database.read(life.noor.actor) as r:
        assert buddies.mine(r) == []
        talk = conversation.latest(r, rooms.place(r, buddy.room))
    assert [OTHERS[7] in v.text for v in talk if v.status == "posted"] == [True]
    with pytest.raises(Closed):
        life.circle.post(life.noor, "Ben je er nog?", room=buddy.room)


def test_of_two_who_erase_at_once_one_does(life: Lives) -> None:
    answers = builders.at_once(lambda: _erase(life), lambda: _erase(life))
    assert sorted(type(a).__name__ for a in answers) == ["NoneType", "NotFound"]
    with life.database.read() as r:
        lines = r.db.scalars(select(AuditLine).where(AuditLine.action == "person.erased")).all()
        assert [(line.object_id, line.reason) for line in lines] == [(life.mees.person_id, "")]


def test_a_message_on_its_way_does_not_outlive_its_writer(life: Lives, monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrives when the erasing has begun: no text may be left that its room can no longer read."""
    begun = builders.Gap()
    monkeypatch.setattr(groups_personal, "check", begun.after(groups_personal.check))

    def post() -> object:
        begun.after(lambda: None)()
        return life.circle.post(life.mees, "Nog snel iets")

    erased, posted = builders.at_once(lambda: _erase(life), post)
    assert erased is None
    assert isinstance(posted, Unauthenticated | IntegrityError)
    history = _history(life)
    assert [v.seq for v in history] == list(range(1, len(history) + 1))
    assert life.circle.post(life.noor, "Ik ben er nog").seq == len(history) + 1


def test_the_last_who_others_need_is_refused_and_nothing_changes(life: Lives) -> None:
    ada = lives.administrator(life.database, life.circle.organisation_id)
    before = lives.rows(life.database)
    for who in (life.hanna, ada):
        with pytest.raises(Closed):
            _erase(life, who)
    assert lives.rows(life.database) == before
    bea = lives.administrator(life.database, life.circle.organisation_id)
    answers = builders.at_once(lambda: _erase(life, ada), lambda: _erase(life, bea))
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]


def test_staff_are_erased_as_wholly_as_clients(life: Lives) -> None:
    life.circle.second_lead()
    life.circle.post(life.hanna, f"Welkom, zei {OTHERS[1]}")
    _erase(life, life.hanna)
    after = lives.rows(life.database)
    assert life.hanna.person_id not in {row["decided_by"] for row in after["cases"]}
    assert {row["note"] for row in after["cases"]} == {None}
    assert {row["made_by"] for row in after["pairs"] + after["device_codes"]} == {None}
    for table, column in (("topics", "title"), ("session_steps", "words")):
        assert {row[column] for row in after[table]} == {None}, table
    [answered] = [row for row in after["session_notes"] if row["by_staff"]]
    assert (answered["author_id"], answered["text"]) == (None, None)
    with life.database.read(life.mees.actor) as r:  # whose note it answered still reads their own page
        place = rooms.place(r, life.circle.room)
        running = stage.running_in(r, place)
        assert running is not None
        assert [note.text for note in notes.own(r, running, place)][1:] == [""]
        assert stage.state(r, running, place)
        assert topics.of(r, place) == []
    assert [v.text for v in _history(life, life.noor) if v.role == "facilitator"] == [""]
    with life.database.read(life.mees.actor) as r:
        assert len(buddies.mine(r)) == 1


def test_who_left_a_group_before_is_erased_there_too(life: Lives) -> None:
    with life.database.work(life.mees.actor) as w:
        leaving.leave(w, life.circle.group)
    _erase(life)
    assert [v for v in _history(life) if v.status == "posted" and OWN[0] in v.text] == []


@pytest.mark.parametrize(
    "forgotten",
    [matching_personal, groups_personal, moderation_personal, notify_personal],
    ids=lambda module: module.__name__,
)
def test_a_package_that_forgets_to_erase_stops_everything(
    life: Lives, forgotten: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database itself refuses to let a person go while a row still names them."""
    who = life.hanna if forgotten is moderation_personal else life.mees
    life.circle.second_lead()
    before = lives.rows(life.database)
    monkeypatch.setattr(forgotten, "erase", lambda _w, _person_id: None)
    with pytest.raises(IntegrityError):
        _erase(life, who)
    assert lives.rows(life.database) == before


def test_nobody_is_erased_twice_or_by_a_number_out_of_the_air(life: Lives) -> None:
    _erase(life)
    for person_id in (life.mees.person_id, 10_000):
        with pytest.raises(NotFound), life.database.work() as w:
            erasure.erase(w, PARTS, person_id)
