"""One small world in an app's database: two organisations, everybody who can be in one, and things of Mees.

Tests about who may do what knock on every door of it as everybody (`tests/guards/doors.py`). Whatever a knock changes
is put back before the next one.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import web
from app.accounts import institution, invitations, passwords, recovery, second_factor, signins
from app.accounts.models import Passkey, Person, SignIn
from app.core import ids
from app.core.actor import Actor
from app.core.permissions import Role
from app.core.ratelimit import Limiter
from app.core.work import Database, Work
from groups import rooms
from groups.after import followups
from groups.agenda import calendar, planning, runsheet, steering
from groups.agenda.series import Pattern
from groups.house import topics
from groups.led import presence, sessions, stage
from groups.models import CheckUp, Group, Room
from groups.own import goals, plan, urges
from groups.people import waiting
from groups.programme import earlier, exercises, sharing
from groups.programme.curriculum import programme
from groups.rules import FACILITATOR
from matching import checkins
from matching.models import OutreachStep
from moderation.models import Case
from tests import builders
from tests.accounts.identity_provider import Institution
from tests.builders import Circle

BASE = "http://localhost:5000"
PASSWORD = "vier losse woorden samen"
SHARED_AT = 3  # where the run-sheet asks for an answer that can be shared
NAMES = ("Woensdagkring", "Vrijdagkring", "Zondagkring")  # of the groups of the first organisation
OTHERS_NAME = "Maandagkring"  # of the group of the second

THIRD_WORD = re.compile(r'<ol class="words">(?:<li>[^<]+</li>\s*){2}<li>([^<]+)</li>')


@dataclass(frozen=True, slots=True)
class Inhabitant:
    """Somebody with two browsers: in one they just proved again to be themselves. A visitor has no session in any."""

    name: str
    actor: Actor | None = None
    token: str = ""
    confirmed: str = ""

    @property
    def known(self) -> Actor:
        assert self.actor is not None, f"{self.name} is not signed in"
        return self.actor


class Browser(FlaskClient):
    """A browser that came to the address the app goes by."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        return super().open(*args, base_url=BASE, **more)


class World:
    """The world, its people by name and its things by what they are. `keep` and `restore` turn back time."""

    def __init__(self, site: flask.Flask, institution_: Institution | None = None) -> None:
        site.config["WTF_CSRF_ENABLED"] = False  # forms from elsewhere have their own tests
        self.site = site
        self.house: web.House = site.extensions["samen"]
        self.database: Database = self.house.database
        self.people: dict[str, Inhabitant] = {"visitor": Inhabitant("visitor")}
        self.things: dict[str, str] = {}
        self.visits: dict[str, str] = {}
        self.institution = institution_
        self.secret = second_factor.new_secret()  # of Marit's authenticator
        path = self.database.engine.url.database
        assert path is not None
        self._file = sqlite3.connect(path, check_same_thread=False)
        self._kept = sqlite3.connect(":memory:", check_same_thread=False)
        self._version = -1
        _fill(self)
        self.keep()
        _visit(self)
        self.keep()

    def close(self) -> None:
        self._file.close()
        self._kept.close()

    def keep(self) -> None:
        """From now on `restore` comes back to how everything is now."""
        self._file.backup(self._kept)
        self._version = self._changes()

    def restore(self) -> None:
        """Everything as it was kept: the rows, and what this process counted."""
        if self._changes() != self._version:
            self._kept.backup(self._file)
            self._version = self._changes()
        object.__setattr__(self.house, "limiter", Limiter())

    @contextmanager
    def for_a_while(self) -> Iterator[None]:
        """What is kept meanwhile is forgotten afterwards."""
        self.restore()
        before, self._kept = self._kept, sqlite3.connect(":memory:", check_same_thread=False)
        try:
            yield
        finally:
            self._kept.close()
            self._kept, self._version = before, -1
            self.restore()

    def actor_of_session(self, session: str) -> Actor | None:
        """Who holds a session now, as every door asks."""
        with self.database.read() as r:
            return signins.who(r.db, session, r.now)

    def client(self, token: str = "", visit: str = "") -> Browser:
        """A browser with a session cookie, and with what a visitor had begun."""
        made = Browser(self.site, self.site.response_class)
        if token:
            made.set_cookie(self.house.cookie, token)
        if visit:
            made.set_cookie("samen_visit", visit)
        return made

    def _changes(self) -> int:
        found: int = self._file.execute("PRAGMA data_version").fetchone()[0]
        return found


def _fill(world: World) -> None:
    database = world.database
    one = _circle(world, "A", NAMES[0], "Hanna", ("Mees_duin", "Noor_eik", "Jip_kiezel", "Bo_wilg"))
    two = _circle(world, "A", NAMES[1], "Ilse", ("Fenna_beek", "Rune_mos"), one.organisation_id)
    other = _circle(world, "B", OTHERS_NAME, "Pieter", ("Toon_riet",))
    for circle, moderator, administrator in ((one, "Marit", "Anneke"), (other, "Saskia", "Wouter")):
        for name, role in ((moderator, Role.MODERATOR), (administrator, Role.ADMINISTRATOR)):
            _settle(world, name, *builders.someone(database, circle.organisation_id, role, name=name))
    world.things |= {"group": one.group, "room": one.room}
    world.things |= {"member": one.members[2].ref, "last member": one.members[3].ref}
    world.things |= {"group two": two.group, "room two": two.room, "group B": other.group, "room B": other.room}
    _have_met(world, one)
    _lead_a_session(world, one)
    _support(world, one)
    _hold(world, one)
    _let_in(world, one)
    _belong(world, one)
    _look_ahead(world, one, two)
    _prepare(world, one)
    _share(world, one)
    _aim(world, one)


def _circle(
    world: World, organisation: str, name: str, lead: str, aliases: tuple[str, ...], organisation_id: int = 0
) -> Circle:
    """A group as `builders.circle` makes one, with names of its own."""
    database = world.database
    organisation_id = organisation_id or builders.organisation(database, f"Stichting {organisation}")
    with database.work() as w:
        group = rooms.open_group(w, organisation_id, name)
        room = w.db.scalars(select(Room.public_id).where(Room.group_id == group.id)).one()
    leading = builders.someone(database, organisation_id, Role.FACILITATOR, name=lead)
    seated = [builders.seat(database, group.id, *leading, lead, FACILITATOR)]
    _settle(world, lead, *leading)
    for alias in aliases:
        member = builders.someone(database, organisation_id)
        seated.append(builders.seat(database, group.id, *member, alias))
        _settle(world, alias.partition("_")[0], *member)
    return Circle(database, organisation_id, group.id, group.public_id, room, seated[0], seated[1:])


def _settle(world: World, name: str, actor: Actor, token: str) -> None:
    with world.database.work() as w:
        confirmed = signins.start(w, actor.person_id, timedelta(days=30), confirmed=True)
    world.people[name] = Inhabitant(name, actor, token, confirmed)


def _have_met(world: World, one: Circle) -> None:
    """A session that is over, at which Mees and Noor were; Hanna is to look after Jip and Bo."""
    with world.database.work(one.hanna.actor) as w:
        ref = planning.plan(w, one.group, "understanding", w.now - timedelta(minutes=50), 60)
        sessions.open_session(w, ref, 1)
    for member in one.members[:2]:
        with world.database.work(member.actor) as w:
            presence.arrive(w, rooms.place(w, one.room))
    with world.database.work(one.hanna.actor) as w:
        sessions.close(w, ref, 2)
        world.things |= {"closed session": ref, "missed": followups.open_ones(w)[0].ref}
    world.things["co-lead"] = one.hanna.ref  # there is none but for who asks about one (`tests.guards.doors`)


def _lead_a_session(world: World, one: Circle) -> None:
    """An open session at the step where answers are shared, with three of them shown; and one that is planned."""
    session = one.open_session()
    with world.database.work(one.hanna.actor) as w:
        sessions.move(w, session, 2, SHARED_AT)
    for number, member in enumerate(one.members[:3]):
        write_answer(world, member.actor, "in-the-moment", "Even rust in mijn hoofd", share=number < 2)
    with world.database.work(one.hanna.actor) as w:
        sessions.reveal(w, session, 3)
        row, found = steering.lead(w, session)
        world.things["current line"] = stage.current(w, row, found).ref
    world.things |= {"session": session, "planned session": one.plan(), "version": "4"}


def _support(world: World, one: Circle) -> None:
    """Mees and Noor are buddies and each asked the other for contact; Mees has another report that is a draft."""
    mees, noor = one.members[:2]
    world.things["pair"] = one.pair(mees, noor)
    world.things["draft"] = one.report(mees)
    world.things["report"] = one.send(mees)
    one.send(noor)
    with world.database.work(mees.actor) as w:
        place = rooms.place(w, one.room)
        for question, value in (("mood", "3"), ("urge", "1"), ("share", "done")):
            checkins.save(w, place, question, value)
        ask = w.db.scalars(select(OutreachStep).where(OutreachStep.person_id == mees.person_id)).one()
        world.things |= {"ask": ask.public_id, "ask version": str(ask.version)}
        world.things["pair room"] = w.db.scalars(select(Room.public_id).where(Room.kind == "pair")).one()


def _hold(world: World, one: Circle) -> None:
    """A message of Mees and one of Noor stand in the group and in the pair's room, and in both another one is held."""
    world.things["held key"] = str(uuid.uuid4())
    one.post(one.members[0], builders.ORDINARY)
    one.post(one.members[0], builders.RUDE, key=world.things["held key"])
    one.post(one.members[0], builders.ORDINARY, room=world.things["pair room"])
    one.post(one.members[0], builders.RUDE, room=world.things["pair room"])
    for room in ("room", "pair room"):
        heard = one.post(one.members[1], "Welkom", room=world.things[room])
        world.things["number of Noor's"] = str(heard.seq)  # the same in both
    with world.database.read() as r:
        cases = r.db.scalars(select(Case.public_id).order_by(Case.id)).all()
    world.things["case"], world.things["pair case"] = cases


def _let_in(world: World, one: Circle) -> None:
    """Open invitations: to the group, for a role, to a group that nobody is in yet, and to help to lead that one."""

    def invite(w: Work, name: str, role: Role, group_id: int | None = None) -> None:
        world.things[f"code {name}"] = invitations.invite(w, one.organisation_id, role, group_id=group_id, uses=9)

    with world.database.work(one.hanna.actor) as w:
        third = rooms.open_group(w, one.organisation_id, NAMES[2])
        invite(w, "for a role", Role.MODERATOR)
        invite(w, "to the group", Role.CLIENT, one.group_id)
        invite(w, "to another group", Role.CLIENT, third.id)
        invite(w, "to lead", Role.FACILITATOR, third.id)
        world.things["role invitation"] = invitations.slips(w, invitations.of_organisation(one.organisation_id))[0].ref
        world.things["invitation"] = invitations.slips(w, invitations.of_group(one.group_id))[0].ref


def _belong(world: World, one: Circle) -> None:
    """What is somebody's own: Mees has a third browser and a passkey; three people have words to sign in with."""
    mees = one.members[0].actor
    with world.database.work(mees) as w:
        token = signins.start(w, mees.person_id, timedelta(days=30))
        own = select(SignIn.public_id).where(SignIn.token_hash == ids.digest(token))
        world.things["browser"] = w.db.scalars(own).one()
        world.things["passkey"] = ids.public_id()
        w.db.add(
            Passkey(
                public_id=world.things["passkey"],
                person_id=mees.person_id,
                credential_id=b"a credential of Mees",
                public_key=b"",
                sign_count=0,
                added_on=w.now.date(),
            )
        )
    with world.database.work(mees) as w:
        place = rooms.place(w, one.room)
        exercises.answer(w, place, "understanding", "a-moment", "Het was stil in huis")
        asked = programme(place.programme, "nl").chapter("understanding").step("a-moment")
        found = earlier.at(w, place, "understanding", asked)
        assert found is not None
        world.things["home answer"] = found.ref
    hashed = passwords.hash_secret(PASSWORD)
    with world.database.work() as w:
        for name in ("Marit", "Ilse", "Mees"):
            w.db.get_one(Person, world.people[name].known.person_id).secret_hash = hashed
        marit = world.people["Marit"].known.person_id
        second_factor.keep(w, marit, world.secret)
        if world.institution is not None:
            found = institution.mark_of(world.house.keys, world.institution.url, world.institution.subject)
            w.db.get_one(Person, marit).institution_hash = found


def _look_ahead(world: World, one: Circle, two: Circle) -> None:
    """A series of two, a topic, a line of the run-sheet still to come; who waits for a place; a calendar of Mees."""
    with world.database.work(one.hanna.actor) as w:
        tomorrow = w.now.date() + timedelta(days=1)
        world.things["series"] = planning.plan_series(w, one.group, Pattern(tomorrow, 600, 2), 90)
        world.things["topic"] = topics.open_topic(w, one.group, "Week 2: kennismaken")
        world.things["line"] = runsheet.lines(w, *steering.lead(w, world.things["session"]))[SHARED_AT + 2].ref
    rik, _token = builders.someone(world.database, one.organisation_id)
    mees = one.members[0].actor
    with world.database.work(mees) as w:
        world.things["secret"] = calendar.make(w)
        for circle, who, alias in ((one, rik, "Rik_vos"), (two, mees, "Lot_berk")):
            group = w.db.get_one(Group, circle.group_id)
            group.cap = 2
            w.db.flush()
            waiting.take_place(w, group.id, who.person_id, alias)
            group.cap = 8
        world.things["own wait"] = waiting.mine(w)[0].ref
    with world.database.read(one.hanna.actor) as r:
        world.things["waiting"] = waiting.waiting(r, one.group)[0].ref


def _aim(world: World, one: Circle) -> None:
    """Mees asked for a goal, and has a check-up to do."""
    mees = one.members[0].actor
    with world.database.work(mees) as w:
        world.things["goal"] = goals.ask(w, rooms.place(w, one.room), "less", 4, "Niet meer na tienen", 2).ref
        world.things["check-up"] = ids.public_id()
        due_on = w.now.date() - timedelta(days=1)
        w.db.add(CheckUp(public_id=world.things["check-up"], person_id=mees.person_id, due_on=due_on))


def _prepare(world: World, one: Circle) -> None:
    """What is Mees's alone: a card on the plan, and a wave that is not finished."""
    with world.database.work(one.members[0].actor) as w:
        world.things["card"] = plan.add(w, "rules", "Na elf uur ligt mijn telefoon beneden").ref
        world.things["ride"] = urges.begin(w, str(uuid.uuid4()), 15, 6).ref


def _share(world: World, one: Circle) -> None:
    """What Mees and Noor wrote at home at the same step, shared with their group."""
    for member, name in ((one.members[0], "share"), (one.members[1], "Noor's share")):
        with world.database.work(member.actor) as w:
            place = rooms.place(w, one.room)
            if name != "share":
                exercises.answer(w, place, "understanding", "a-moment", "Ik keek naar de lucht")
            sharing.share(w, place, "understanding", "a-moment", sharing.GROUP)
            [own] = sharing.own(w, place, "understanding", "a-moment")
            world.things[name] = own.ref


def write_answer(world: World, who: Actor, step: str, value: Any, *, share: bool = False) -> None:
    """Somebody's answer at a step of the open session of the first group."""
    with world.database.work(who) as w:
        place = rooms.place(w, world.things["room"])
        running = stage.running_in(w, place)
        session = running.id if running else 0
        exercises.answer(w, place, "understanding", step, value, share=share, session_id=session)


def _visit(world: World) -> None:
    """What a visitor's browser holds half-way through each thing that takes more than one page."""

    def begun(*asked: tuple[str, dict[str, str]]) -> str:
        client = world.client()
        for path, form in asked:
            third = THIRD_WORD.search(client.get("/kiezen").get_data(as_text=True)) if "third" in form else None
            answer = client.post(path, data=form | ({"third": third[1]} if third else {}))
            assert answer.status_code == 303, (path, answer.status_code)
        cookie = client.get_cookie("samen_visit")
        assert cookie is not None
        return cookie.value

    things = world.things
    logins = {name: login_of(world, name) for name in ("Marit", "Ilse")}
    with world.database.work(world.people["Hanna"].actor) as w:
        things["code to come back"] = recovery.make_device_code(w, world.people["Mees"].known.person_id)
    world.visits = {
        "join": begun(("/", {"code": things["code to the group"]}), ("/kiezen", {"third": ""})),
        "staff": begun(("/", {"code": things["code for a role"]})),
        "recovery": begun(("/terug/herstel", {"code": things["code to come back"]})),
        "prove": begun(("/terug", {"login": logins["Marit"], "secret": PASSWORD})),
        "set up": begun(("/terug", {"login": logins["Ilse"], "secret": PASSWORD})),
    }
    staff = world.client(world.people["Anneke"].token).get("/beheer").get_data(as_text=True)
    hanna = staff[staff.index("Hanna") :]
    things["colleague"] = hanna[hanna.index("/beheer/collega/") :].split("/")[3].split('"')[0]


def login_of(world: World, name: str) -> str:
    """What somebody signs in with."""
    with world.database.read(world.people[name].known) as r:
        return recovery.own_login(r)
