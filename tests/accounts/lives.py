"""A member who did everything there is to do, beside others who did too: for what is taken along and what is erased."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import flask
from sqlalchemy import select, update

from app.accounts import aliases, signins
from app.accounts.models import Authenticator, BackupCode, DeviceCode, Passkey, Person
from app.core import ids
from app.core.db import Base
from app.core.permissions import Role
from app.core.work import Database, Work
from app.main import PARTS
from app.notify import outbox
from groups import rooms
from groups.after import followups
from groups.agenda import absence, calendar, runsheet
from groups.house import topics
from groups.led import breakouts, notes, presence, rounds, sessions, stage
from groups.models import Answer, CheckUp, GroupSession, Room, Seat, WaitingPlace
from groups.own import checkups, goals, plan, urges
from groups.people import glass
from groups.programme import exercises, progress, sharing
from groups.talk import editing, hiding, reactions
from matching import checkins, relapse
from moderation import queue, subjects
from moderation.models import Flag
from tests import builders
from tests.accounts.visitor import Visitor
from tests.builders import CLOCKS, CRISIS, PHONE, RUDE, Circle, Someone
from tests.conftest import FrozenClock

LOGIN, SECRET = "stille-otter-4711", "a hash of nobody else's words"
_THINGS = ("stoel", "lamp", "kast", "tafel", "mand")
OWN = tuple(f"{first}{thing}" for first in ("appel", "boter", "cirkel", "deken", "emmer") for thing in _THINGS)
OWN += ("fietsbel", "fietspomp", "fietstas", "fietsslot")
OTHERS = tuple(f"zilver{thing}" for thing in (*_THINGS, "ring", "vaas", "deur", "klok", "boek", "fles", "kan"))
CHAPTER, QUESTION, REFLECTION, POLL = "understanding", "in-the-moment", "a-moment", "which-feeling"


@dataclass(frozen=True, slots=True)
class Lives:
    """Mees, who wrote each word of `OWN` somewhere, and Noor, Jip and Hanna, who wrote those of `OTHERS`."""

    circle: Circle
    second: Circle
    mees: Someone
    noor: Someone
    hanna: Someone

    @property
    def database(self) -> Database:
        return self.circle.database

    @property
    def aliases(self) -> set[str]:
        """Every alias Mees has now."""
        with self.database.read() as r:
            mine = r.db.scalars(select(Seat.alias).where(Seat.person_id == self.mees.person_id)).all()
            waits = r.db.scalars(select(WaitingPlace.alias).where(WaitingPlace.person_id == self.mees.person_id)).all()
            return {self.mees.alias, *mine, *waits}


def lived(database: Database, clock: FrozenClock) -> Lives:
    """Two groups, a duo, and a day in between."""
    for part in PARTS:
        subjects.introduce(part.subjects)
    circle = builders.circle(database)
    second = builders.circle(database, organisation_id=circle.organisation_id)
    mees, noor, jip = circle.members
    with database.work() as w:
        mine = Person.id == mees.person_id
        w.db.execute(update(Person).where(mine).values(login=LOGIN, secret_hash=SECRET, recovery_hash="ab" * 32))
        _ways_in(w, mees, circle.hanna)
        _ways_in(w, noor, circle.hanna)
    builders.seat(database, second.group_id, mees.actor, mees.token, "Wilg_stil")
    circle.pair(mees, noor)
    session = circle.open_session()
    _talk(circle, second, mees, noor, jip)
    _answers(circle, mees, noor)
    _beside(circle, mees, noor, jip)
    _in_session(circle, session, mees, noor)
    _to_come(circle, second, mees)
    _aims(circle, mees, OWN[25:27])
    _tools(circle, mees, OWN[27:29])
    _aims(circle, noor, OTHERS[0:2])
    _checkins(circle, mees, OWN[8], noor, OTHERS[2])
    clock.forward(days=1)
    _checkins(circle, mees, OWN[9], noor, OTHERS[3])
    _stay_away(second)
    _reports(circle, mees, OWN[10:16])
    _reports(circle, noor, OTHERS[4:5])
    circle.send(noor)  # Mees is asked
    circle.send(mees, safe="no", buddy=False, facilitator=True)  # Hanna is asked, now
    with database.work(second.hanna.actor) as w:
        glass.break_glass(w, circle.group, "absence", f"Hanna is ziek, {OTHERS[5]}")
    outbox.deliver(database)
    return Lives(circle, second, mees, noor, circle.hanna)


def _ways_in(w: Work, who: Someone, lead: Someone) -> None:
    name = str(who.person_id)
    signins.start(w, who.person_id, timedelta(days=30))
    secret = w.ring.seal(who.person_id, Authenticator.secret, name, "JBSWY3DP")
    w.db.add_all(
        [
            Authenticator(person_id=who.person_id, secret=secret, confirmed_on=w.now.date()),
            BackupCode(code_hash=w.digest(f"paper {name}"), person_id=who.person_id),
            DeviceCode(
                code_hash=w.digest(f"device {name}"),
                person_id=who.person_id,
                made_by=lead.person_id,
                expires_at=w.now + timedelta(days=1),
            ),
            Passkey(
                public_id=ids.public_id(),
                person_id=who.person_id,
                credential_id=f"credential {name}".encode(),
                public_key=b"key",
                sign_count=0,
                added_on=w.now.date(),
            ),
        ]
    )


def _talk(circle: Circle, second: Circle, mees: Someone, noor: Someone, jip: Someone) -> None:
    with circle.database.read() as r:
        pair = r.db.scalars(select(Room.public_id).where(Room.kind == "pair")).one()
    circle.post(noor, f"Hoi, ik dacht aan {OTHERS[0]}")
    circle.post(mees, f"Ik vond een {OWN[0]}", reply_to=1)
    circle.post(jip, f"Mooi, net als een {OTHERS[6]}", reply_to=2)
    circle.post(mees, f"En een {OWN[1]}")
    circle.post(mees, f"{RUDE}, met je {OWN[2]}")
    circle.post(mees, f"{CRISIS}, zei de {OWN[3]}")
    circle.post(mees, f"{PHONE} over de {OWN[4]}", mask_ok=True)
    circle.post(mees, f"Voor jou alleen: {OWN[5]}", room=pair)
    circle.post(noor, f"Dank voor de {OTHERS[7]}", room=pair)
    second.post(mees, f"Hier ben ik ook, met een {OWN[16]}")
    second.post(mees, f"Twee keer {OWN[17]}")
    circle.post(noor, "Ik ga zo")
    with circle.database.work(circle.hanna.actor) as w:
        held = next(c for c in queue.waiting(w) if c.held)
        queue.decide(w, held.public_id, 1, "reject", "tone", f"Let op de {OTHERS[1]}")
    circle.post(mees, f"{RUDE} alweer, {OWN[18]}")


def _answers(circle: Circle, mees: Someone, noor: Someone) -> None:
    for who, marks in ((mees, (OWN[6], OWN[7], OWN[19])), (noor, OTHERS[1:3])):
        with circle.database.work(who.actor) as w:
            place = rooms.place(w, circle.room)
            for number, mark in enumerate(marks):
                step = (QUESTION, REFLECTION, REFLECTION)[number]
                text = f"Dat was {mark}"
                exercises.answer(w, place, CHAPTER, step, text, share=number == 0, session_id=number)
            exercises.answer(w, place, CHAPTER, POLL, ["1"], session_id=1)
            sharing.share(w, place, CHAPTER, QUESTION, sharing.GROUP)


def _beside(circle: Circle, mees: Someone, noor: Someone, jip: Someone) -> None:
    """What stands beside messages: what they said before, reactions, what somebody hid, what somebody flagged."""
    said = {}
    for who, mark in ((mees, OWN[20]), (noor, OTHERS[8])):
        seq = said[who.alias] = circle.post(who, f"Eerst stond hier {mark}").seq
        with circle.database.work(who.actor) as w:
            editing.edit(w, circle.room, seq, "Nu staat er iets anders")
    with circle.database.work(mees.actor) as w:
        assert editing.edit(w, circle.room, said[mees.alias], f"{RUDE}, met je {OWN[21]}").status == "held"
        hiding.hide_message(w, circle.room, said[noor.alias])
        hiding.hide_person(w, circle.room, jip.alias)
        reactions.react(w, circle.room, said[noor.alias], "recognise", True)
    with circle.database.work(noor.actor) as w:
        hiding.hide_message(w, circle.room, said[mees.alias])
        reactions.react(w, circle.room, said[mees.alias], "thanks", True)
        reactions.react(w, circle.room, said[noor.alias], "reading", True)
    with circle.database.work(jip.actor) as w:
        hiding.hide_person(w, circle.room, mees.alias)
    with circle.database.work() as w:  # as rows: a flag also opens a case, and what waits is looked at elsewhere
        own = [
            w.db.scalars(select(Answer.id).where(Answer.membership_id == who.membership_id)).first()
            for who in (mees, noor)
        ]
        for who, about in ((mees, own[1]), (noor, own[0]), (jip, own[0]), (jip, own[1])):
            w.db.add(Flag(subject_kind="answer", subject_id=about, person_id=who.person_id, reason="worry", at=w.now))
    with circle.database.work(circle.hanna.actor) as w:
        topics.open_topic(w, circle.group, f"Over een {OTHERS[9]}")


def _in_session(circle: Circle, session: str, mees: Someone, noor: Someone) -> None:
    """A note and its answer, a line with words of the facilitator's own, a turn, two by two for some minutes."""
    with circle.database.work(mees.actor) as w:
        notes.send(w, circle.room, str(uuid.uuid4()), f"Alleen voor jou: een {OWN[22]}")
    for who in (mees, noor):
        with circle.database.work(who.actor) as w:
            presence.arrive(w, rooms.place(w, circle.room))
    with circle.database.work(circle.hanna.actor) as w:
        notes.answer(w, session, mees.alias, str(uuid.uuid4()), f"Dank je voor de {OTHERS[10]}")
        words = runsheet.Words("exercise", "question", "pooled", f"Wat is een {OTHERS[11]}?", "", (), 5)
        line = runsheet.add(w, session, _version(w, session), 1, words)
        rounds.start(w, session, _version(w, session))
        breakouts.start(w, session, _version(w, session), 5)
    with circle.database.work(mees.actor) as w:
        found = rooms.place(w, circle.room)
        running = stage.running_in(w, found)
        assert running is not None
        step = next(one.step for one in runsheet.lines(w, running, found) if one.ref == line)
        asked = exercises.Question(running.chapter, 1, step)
        exercises.keep(w, found, asked, f"Iets als een {OWN[23]}", few_ok=True, session_id=running.id)
        apart = breakouts.mine(w, found)[0].room
    circle.post(mees, f"Met ons tweeën: een {OWN[24]}", room=apart)


def _version(w: Work, session: str) -> int:
    return w.db.scalars(select(GroupSession.version).where(GroupSession.public_id == session)).one()


def _to_come(circle: Circle, second: Circle, mees: Someone) -> None:
    """A session that Mees cannot come to, a calendar, and a place on a waiting list."""
    full = builders.circle(circle.database, organisation_id=circle.organisation_id)
    planned = second.plan()
    with circle.database.work(mees.actor) as w:
        absence.cannot(w, planned)
        calendar.make(w)
        aliases.take(w, circle.organisation_id, "Vos_mist")
        w.db.add(
            WaitingPlace(
                public_id=ids.public_id(),
                group_id=full.group_id,
                person_id=mees.person_id,
                alias="Vos_mist",
                since_on=w.now.date(),
            )
        )


def _stay_away(second: Circle) -> None:
    """A session of the second group at which nobody was; Hanna's colleague looked after some of them."""
    ref = second.plan()
    with second.database.work(second.hanna.actor) as w:
        w.now += timedelta(minutes=10)
        sessions.open_session(w, ref, 1)
        sessions.close(w, ref, 2)
        away = followups.open_ones(w)
        assert len(away) == 4
        for one in away[1:]:
            followups.settle(w, one.ref, one.version, "reached")


def _checkins(circle: Circle, mees: Someone, own: str, noor: Someone, other: str) -> None:
    for who, mark in ((mees, own), (noor, other)):
        given = {"mood": "2", "urge": "3", "halt": ["h"], "line": f"Net {mark}", "share": "all"}
        for question, value in given.items():
            with circle.database.work(who.actor) as w:
                checkins.save(w, rooms.place(w, circle.room), question, value)


def _aims(circle: Circle, who: Someone, marks: tuple[str, ...]) -> None:
    """A goal that Hanna began with them, and a check-up that was due."""
    with circle.database.work(who.actor) as w:
        ref = goals.ask(w, rooms.place(w, circle.room), "less", 4, f"Niet bij de {marks[0]}").ref
        due = CheckUp(public_id=ids.public_id(), person_id=who.person_id, due_on=w.now.date())
        w.db.add(due)
        w.db.flush()
        checkups.answer(w, due.public_id, dict.fromkeys(checkups.QUESTIONS, "5"), f"Rust bij de {marks[1]}")
    with circle.database.work(circle.hanna.actor) as w:
        goals.start(w, ref, 1)


def _tools(circle: Circle, who: Someone, marks: tuple[str, ...]) -> None:
    """A card of the prevention plan, a wave ridden, and a step done at home."""
    with circle.database.work(who.actor) as w:
        plan.add(w, "rules", f"Geen {marks[0]} na tien uur")
        ride = urges.begin(w, str(uuid.uuid4()), 15, 7)
        urges.finish(w, ride.ref, 3, f"De {marks[1]} hielp", "rode")
        progress.mark(w, rooms.place(w, circle.room), CHAPTER, "the-word")


def _reports(circle: Circle, who: Someone, marks: tuple[str, ...]) -> None:
    ref = circle.report(who)
    for part, mark in zip(relapse.ANALYSIS, marks, strict=False):
        with circle.database.work(who.actor) as w:
            relapse.write_analysis(w, ref, part, f"Ik zag {mark}", CLOCKS)


def signed_in(site: flask.Flask, clock: FrozenClock) -> Visitor:
    """Mees at the app itself, who just proved again to be Mees."""
    house = site.extensions["samen"]
    house.database.clock = clock
    life = lived(house.database, clock)
    with house.database.work(life.mees.actor) as w:
        signins.confirm(w)
    visitor = Visitor(site)
    visitor.client.set_cookie(house.cookie, life.mees.token, domain="localhost")
    return visitor


def rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Everything the database holds, by table."""
    with database.read() as r:
        return {
            table.name: [dict(row._mapping) for row in r.db.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


def text_of(found: Any) -> str:
    """Anything as text to search in."""
    return json.dumps(found, default=lambda value: value.hex() if isinstance(value, bytes) else str(value))


def administrator(database: Database, organisation_id: int) -> Someone:
    actor, token = builders.someone(database, organisation_id, Role.ADMINISTRATOR, name="Ada")
    return Someone(actor, "Ada", "", 0, token)
