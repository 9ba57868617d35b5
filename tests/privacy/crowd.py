"""Fifty people in the same four groups, and two accounts among them that belong to one attacker.

Everything is done through use-cases; who does what, when and in which order is drawn from a seed, anew for every
group, so that habits tell nothing. What they write is drawn from one list.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import flask
from sqlalchemy import select

from app.accounts import accounts, aliases, names, signins
from app.accounts.models import Person
from app.core import ids
from app.core.actor import Actor
from app.core.permissions import Role
from app.core.work import Database, Work
from app.notify import outbox
from groups import rooms
from groups.agenda import planning, runsheet
from groups.led import presence, sessions, stage
from groups.models import Group, GroupSession, Membership, Room, Seat
from groups.programme import exercises, sharing
from groups.rules import FACILITATOR
from groups.talk import messages
from groups.talk.pace import Pace
from matching import buddies, checkins, relapse
from tests.builders import CLOCKS
from tests.conftest import FrozenClock
from tests.privacy.spying import Ear, Spy

PEOPLE, GROUPS, ATTACKERS = 50, 4, 2
FIRST_ID = 734_100_001  # numbers of people, memberships and seats that stand out wherever they turn up
STEP = "in-the-moment"  # where answers are shared under the alias
HOME = "a-moment"  # where something is written at home

LINES = (
    "Hoi allemaal, fijn om er te zijn.",
    "Bij mij was het een rustige week.",
    "Dat herken ik wel.",
    "Ik ga vanavond wandelen.",
    "Dank je wel, daar heb ik wat aan.",
    "Het was even lastig, maar het gaat weer.",
    "Ik heb vandaag goed geslapen.",
    "Mooi dat je dat zegt.",
    "Ik probeer het morgen opnieuw.",
    "Vanochtend dacht ik daar ook aan.",
    "Een kop thee hielp me gisteren.",
    "Ik lees vanavond vooral mee.",
    "Goed idee, dat ga ik ook doen.",
    "Het voelde anders dan vorige week.",
)


@dataclass(slots=True)
class Crowd:
    """The people, in the order in which they were made, two of them the attacker's; and what the attacker holds."""

    site: flask.Flask
    database: Database
    clock: FrozenClock
    seed: int
    organisation_id: int = 0
    hanna: Actor | None = None
    people: list[Actor] = field(default_factory=list)
    tokens: dict[int, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    attackers: list[Actor] = field(default_factory=list)
    spies: list[Spy] = field(default_factory=list)

    @property
    def others(self) -> list[Actor]:
        """Everybody but the attacker."""
        mine = {a.person_id for a in self.attackers}
        return [p for p in self.people if p.person_id not in mine]

    @property
    def pair_rooms(self) -> list[list[str]]:
        """For each of the attacker's accounts, the rooms it shares with a buddy, one in every group."""
        found = []
        for attacker in self.attackers:
            with self.database.read(attacker) as r:
                found.append([b.room for b in buddies.mine(r)])
        return found

    def known_as(self) -> list[dict[str, int]]:
        """Per group, who hides behind each alias: what the attacker wants to know."""
        mine = {a.person_id for a in self.attackers}
        with self.database.read() as r:
            rows = r.db.execute(
                select(Group.public_id, Membership.alias, Membership.person_id)
                .join(Group, Group.id == Membership.group_id)
                .where(Membership.role != FACILITATOR)
            ).all()
        found: list[dict[str, int]] = [{} for _ in self.groups]
        for group, alias, person_id in rows:
            if person_id not in mine:
                found[self.groups.index(group)][alias] = person_id
        return found


def gather(site: flask.Flask, seed: int) -> Crowd:
    """A whole month of four groups."""
    house = site.extensions["samen"]
    clock = FrozenClock(datetime(2026, 10, 19, 18, 0, tzinfo=UTC))
    house.database.clock = clock
    crowd, draw = Crowd(site, house.database, clock, seed), Random(seed)
    _open_groups(crowd)
    _come_in(crowd, draw)
    ear = Ear()
    house.fanout.attach(str, lambda sid: house.fanout.closed(sid, ear.sessions[sid]))
    crowd.spies = [Spy(site, ear, attacker, crowd.tokens[attacker.person_id]) for attacker in crowd.attackers]
    for spy in crowd.spies:
        spy.listen(crowd.rooms)
    _pair(crowd, draw)
    _talk(crowd, draw)
    for number in range(GROUPS):
        _meet(crowd, draw, number)
    _check_in_and_ask(crowd, draw)
    _share(crowd, draw)
    for spy, pair_rooms in zip(crowd.spies, crowd.pair_rooms, strict=True):
        spy.look_everywhere([*crowd.rooms, *pair_rooms])
    return crowd


def _open_groups(crowd: Crowd) -> None:
    with crowd.database.work() as w:
        crowd.organisation_id = accounts.create_organisation(w, "Proef")
        day = w.now.date()
        before = {"organisation_id": crowd.organisation_id, "role": "client", "secret_hash": "!", "created_on": day}
        w.db.add(Person(id=FIRST_ID, login="eerder", **before))  # the next ones count on from here
        hanna = accounts.create_person(w, crowd.organisation_id, Role.FACILITATOR, "hanna", "!", name="Hanna")
        crowd.hanna = Actor(hanna, crowd.organisation_id, Role.FACILITATOR, name="Hanna")
        for number in range(GROUPS):
            group = rooms.open_group(w, crowd.organisation_id, f"Groep {'ABCD'[number]}")
            room = w.db.scalars(select(Room).where(Room.group_id == group.id)).one()
            room.pace = 1_000
            if not number:
                place = Membership(id=FIRST_ID, group_id=group.id, person_id=FIRST_ID, alias="Eerder", role="member")
                place.public_id, place.joined_on, place.left_at = ids.public_id(), day, w.now
                seat = Seat(id=FIRST_ID, room_id=room.id, person_id=FIRST_ID, membership_id=FIRST_ID, alias="Eerder")
                seat.public_id, seat.role, seat.left_at = ids.public_id(), "member", w.now
                w.db.add_all((place, seat))
                w.db.flush()
            crowd.groups.append(group.public_id)
            crowd.rooms.append(room.public_id)
            rooms.enter(w, group.id, hanna, "Hanna", FACILITATOR)


def _come_in(crowd: Crowd, draw: Random) -> None:
    with crowd.database.work() as w:
        for _ in range(PEOPLE):
            login = names.code_name("nl") + f"-{draw.randrange(10**6)}"
            person_id = accounts.create_person(w, crowd.organisation_id, Role.CLIENT, login, "!")
            token = crowd.tokens[person_id] = signins.start(w, person_id, timedelta(days=60), confirmed=True)
            crowd.people.append(Actor(person_id, crowd.organisation_id, Role.CLIENT, ids.digest(token)))
        crowd.attackers = draw.sample(crowd.people, ATTACKERS)
        group_ids = {g.public_id: g.id for g in w.db.scalars(select(Group))}
        for group in crowd.groups:
            for who in draw.sample(crowd.people, PEOPLE):
                alias = aliases.offer(w, crowd.organisation_id, 1)[0]
                rooms.enter(w, group_ids[group], who.person_id, alias)


def _pair(crowd: Crowd, draw: Random) -> None:
    """In each group a buddy for each of the attacker's accounts, and ten more pairs."""
    for group in crowd.groups:
        with crowd.database.work(crowd.hanna) as w:
            refs = {m.person_id: m.ref for m in rooms.members(w, rooms.lead_place(w, group))}
            others = draw.sample(crowd.others, 20 + ATTACKERS)
            ones, twos = crowd.attackers + others[ATTACKERS::2], others[:ATTACKERS] + others[ATTACKERS + 1 :: 2]
            for together in zip(ones, twos, strict=True):
                buddies.pair(w, group, [refs[p.person_id] for p in together])


def _talk(crowd: Crowd, draw: Random) -> None:
    """Everybody says one to four things in every group, at any minute of a month; the attacker looks every week."""
    began = crowd.clock.at
    said = [
        (began + timedelta(minutes=draw.randrange(28 * 1440)), who, room)
        for room in crowd.rooms
        for who in crowd.people
        for _ in range(draw.randint(1, 4))
    ]
    for _week in range(4):
        crowd.clock.forward(days=7)
        with crowd.database.work() as w:
            now = w.now
            week = [line for line in said if now - timedelta(days=7) <= line[0] < now]
            for w.now, who, room in sorted(week, key=lambda line: (line[0], line[2])):
                command = messages.Post(who.person_id, who.session, room, str(uuid.uuid4()), draw.choice(LINES))
                answer = messages.post(w, [command], Pace())[0]
                assert isinstance(answer, messages.Posted), answer
            for attacker in crowd.attackers:
                w.actor, w.now = attacker, now
                signins.touch(w, attacker.session)
                signins.confirm(w)
        for spy in crowd.spies:
            for room in crowd.rooms:
                spy.look(room)


def _meet(crowd: Crowd, draw: Random, number: int) -> None:
    """One evening: everybody raises a hand, most share an answer, each at a moment of their own."""
    crowd.clock.forward(days=1)
    group, room = crowd.groups[number], crowd.rooms[number]
    with crowd.database.work(crowd.hanna) as w:
        ref = planning.plan(w, group, "understanding", w.now + timedelta(minutes=5), 90)
        sessions.open_session(w, ref, 1)
        session = w.db.scalars(select(GroupSession).where(GroupSession.public_id == ref)).one()
        lines = runsheet.lines(w, session, rooms.lead_place(w, group))
        sessions.move(w, ref, 2, next(line.position for line in lines if line.step.id == STEP))
        done: list[tuple[float, Actor, bool]] = [(draw.uniform(0, 600), p, True) for p in crowd.others]
        done += [(draw.uniform(0, 600), p, False) for p in crowd.others if draw.random() < 0.7]
        began = w.now
        for second, who, hand in sorted(done, key=lambda line: line[0]):
            w.actor, w.now = who, began + timedelta(seconds=second)
            if hand:
                presence.raise_hand(w, room, True)
            else:
                found = rooms.place(w, room)
                line = draw.choice(LINES)
                exercises.answer(w, found, "understanding", STEP, line, share=True, session_id=session.id)
        w.actor = crowd.hanna
        stage.tell(w, session, rooms.lead_place(w, group))
    crowd.clock.forward(minutes=10)
    for spy in crowd.spies:
        spy.look(room)
    with crowd.database.work(crowd.hanna) as w:
        sessions.close(w, ref, 3)


def _check_in_and_ask(crowd: Crowd, draw: Random) -> None:
    """Some check in and share it with their buddy; some have a hard evening and ask their buddy for contact."""
    crowd.clock.forward(days=1)
    answers: dict[str, Any] = {"mood": "3", "urge": "1", "halt": [], "line": "", "share": "all"}
    with crowd.database.work() as w:
        for room in crowd.rooms:
            for who in crowd.others:
                w.actor = who
                found = rooms.place(w, room)
                pair_rooms = [b.room for b in buddies.mine(w) if b.own_membership_id == found.membership_id]
                if not pair_rooms:
                    continue
                said = messages.Post(who.person_id, who.session, pair_rooms[0], str(uuid.uuid4()), draw.choice(LINES))
                assert isinstance(messages.post(w, [said], Pace())[0], messages.Posted)
                w.now = crowd.clock.at + timedelta(minutes=draw.randrange(180))
                for question, value in answers.items():
                    checkins.save(w, found, question, value)
                ref = relapse.begin(w, found, "lapse", str(uuid.uuid4()))
                relapse.say_safe(w, ref, "yes")
                relapse.send(w, ref, ask_buddy=True, ask_facilitator=False, clocks=CLOCKS)
    crowd.clock.forward(hours=4)
    outbox.deliver(crowd.database)


def _share(crowd: Crowd, draw: Random) -> None:
    """Most write something at home in each group, and share it there, or with their buddy; each when they like."""
    crowd.clock.forward(days=1)
    began = crowd.clock.at
    with crowd.database.work() as w:
        told = [(draw.randrange(5 * 1440), who, room) for room in crowd.rooms for who in crowd.others]
        for minute, who, room in sorted(told, key=lambda line: (line[0], line[2])):
            w.actor, w.now = who, began + timedelta(minutes=minute)
            found = rooms.place(w, room)
            exercises.answer(w, found, "understanding", HOME, draw.choice(LINES))
            paired = any(b.own_membership_id == found.membership_id for b in buddies.mine(w))
            audience = sharing.BUDDY if paired and draw.random() < 0.5 else sharing.GROUP
            sharing.share(w, found, "understanding", HOME, audience)
    crowd.clock.forward(days=6)


def secrets_of(w: Work, crowd: Crowd) -> dict[str, str]:
    """What no member may see of anybody else, each with what it is."""
    found: dict[str, str] = {}
    people = {p.person_id for p in crowd.others} | {crowd.hanna.person_id if crowd.hanna else 0}
    for person_id in people:
        found[str(person_id)] = "the number of a person"
        found |= dict.fromkeys(derived(str(person_id)), "something made from the number of a person")
        found[w.db.get_one(Person, person_id).login] = "a login"
        token = crowd.tokens.get(person_id)
        if token:
            found |= {token: "a session", ids.digest(token): "the hash of a session"}
            found |= {s.ref: "the name of a session" for s in _sessions_of(w, person_id)}
    for membership in w.db.scalars(select(Membership).where(Membership.person_id.in_(people))):
        found |= {membership.public_id: "a membership's id", str(membership.id): "the number of a membership"}
    for seat in w.db.scalars(select(Seat).where(Seat.person_id.in_(people))):
        found |= {seat.public_id: "a seat's id", str(seat.id): "the number of a seat"}
    return found


def _sessions_of(w: Work, person_id: int) -> list[signins.OpenSession]:
    w.actor = Actor(person_id, 0, Role.CLIENT)
    return signins.mine(w)


def derived(number: str) -> list[str]:
    """What somebody in a hurry would make of a person's number to hide it."""
    raw = number.encode()
    digests = [getattr(hashlib, name)(raw).hexdigest() for name in ("md5", "sha1", "sha256")]
    return [
        *(digest[:10] for digest in digests),
        base64.b64encode(raw).decode().rstrip("="),
        str(uuid.uuid5(uuid.NAMESPACE_OID, number)),
        f"{int(number):x}",
        f"{zlib.crc32(raw):08x}",
    ]
