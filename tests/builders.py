"""Builds what tests need, through the product's own use-cases, with short defaults."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import event, select

from app.accounts import accounts, signins
from app.accounts.models import AliasUse
from app.core import ids
from app.core.actor import Actor
from app.core.permissions import Role
from app.core.work import Database
from groups import rooms
from groups.agenda import planning
from groups.led import sessions
from groups.models import Membership, Room, Seat
from groups.rules import FACILITATOR, MEMBER
from groups.talk import messages
from groups.talk.pace import Pace
from matching import buddies, plan, relapse

_numbers = itertools.count(1)

ORDINARY = "Hoi allemaal"
PHONE = "Bel me op 06 12345678"  # is masked
RUDE = "je bent een vieze hoer"  # is held
CRISIS = "ik wil dood"  # is posted, and somebody is alerted
CLOCKS = plan.Clocks(buddy=120, facilitator=120)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with a place in the group: as actor, by alias, and by the group's own reference."""

    actor: Actor
    alias: str
    ref: str
    membership_id: int
    token: str = ""

    @property
    def person_id(self) -> int:
        return self.actor.person_id


@dataclass(slots=True)
class Circle:
    """A group with a facilitator and members, and what tests do in it."""

    database: Database
    organisation_id: int
    group_id: int
    group: str
    room: str
    hanna: Someone
    members: list[Someone]
    pace: Pace = field(default_factory=Pace)

    def post(self, who: Someone, text: str, *, key: str | None = None, **more: object) -> messages.Posted:
        """Post as somebody, and return what became of it or raise the refusal."""
        command = messages.Post(
            who.actor.person_id,
            who.actor.session,
            str(more.pop("room", self.room)),
            key or str(uuid.uuid4()),
            text,
        )
        for name, value in more.items():
            object.__setattr__(command, name, value)
        with self.database.work() as w:
            answer = messages.post(w, [command], self.pace)[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def plan(self, chapter: str = "understanding") -> str:
        """Plan a session on a chapter, ten minutes from now."""
        with self.database.work(self.hanna.actor) as w:
            return planning.plan(w, self.group, chapter, w.now + timedelta(minutes=10), 90)

    def open_session(self, chapter: str = "understanding") -> str:
        """Plan and open a session; it stands at its first step, at version 2."""
        ref = self.plan(chapter)
        with self.database.work(self.hanna.actor) as w:
            sessions.open_session(w, ref, 1)
        return ref

    def pair(self, *members: Someone) -> str:
        """Make buddies of members, as Hanna would."""
        with self.database.work(self.hanna.actor) as w:
            return buddies.pair(w, self.group, [m.ref for m in members])

    def known_as(self, who: Someone) -> str:
        """The alias by which somebody's buddies know them."""
        with self.database.read() as r:
            pair_room = select(Seat.alias).join(Room, Room.id == Seat.room_id).where(Room.kind == "pair")
            return r.db.scalars(
                pair_room.where(Seat.membership_id == who.membership_id).order_by(Seat.id.desc())
            ).first()

    def second_lead(self) -> Someone:
        """Ilse, who leads the group too."""
        actor, token = someone(self.database, self.organisation_id, Role.FACILITATOR, name="Ilse")
        return seat(self.database, self.group_id, actor, token, "Ilse", FACILITATOR)

    def report(self, who: Someone, *, safe: str = "yes", kind: str = "lapse") -> str:
        """A draft of a report, with the safety question answered."""
        with self.database.work(who.actor) as w:
            ref = relapse.begin(w, rooms.place(w, self.room), kind, str(uuid.uuid4()))
            relapse.say_safe(w, ref, safe)
        return ref

    def send(self, who: Someone, *, safe: str = "yes", buddy: bool = True, facilitator: bool = False) -> str:
        """A report that was sent; each rung has two hours."""
        ref = self.report(who, safe=safe)
        with self.database.work(who.actor) as w:
            relapse.send(w, ref, ask_buddy=buddy, ask_facilitator=facilitator, clocks=CLOCKS)
        return ref


def organisation(database: Database, name: str = "Proef") -> int:
    with database.work() as w:
        return accounts.create_organisation(w, name)


def someone(database: Database, organisation_id: int, role: Role = Role.CLIENT, *, name: str = "") -> tuple[Actor, str]:
    """A person who is signed in, and their session token."""
    with database.work() as w:
        person_id = accounts.create_person(w, organisation_id, role, f"somebody-{next(_numbers)}", "!", name=name)
        token = signins.start(w, person_id, timedelta(days=30))
    return Actor(person_id, organisation_id, role, ids.digest(token), name=name), token


def seat(database: Database, group_id: int, actor: Actor, token: str, alias: str, role: str = MEMBER) -> Someone:
    with database.work() as w:
        membership = rooms.enter(w, group_id, actor.person_id, alias, role)
    return Someone(actor, alias, membership.public_id, membership.id, token)


def circle(database: Database, members: int = 3, *, organisation_id: int | None = None) -> Circle:
    """A group led by Hanna, with so many members."""
    organisation_id = organisation_id or organisation(database)
    with database.work() as w:
        group = rooms.open_group(w, organisation_id, "Dinsdaggroep")
        room = w.db.scalars(select(Room.public_id).where(Room.group_id == group.id)).one()
    lead, lead_token = someone(database, organisation_id, Role.FACILITATOR, name="Hanna")
    hanna = seat(database, group.id, lead, lead_token, "Hanna", FACILITATOR)
    aliases = (
        "Mees_duin",
        "Noor_eik",
        "Jip_kiezel",
        "Bo_wilg",
        "Fenna_beek",
        "Rune_mos",
        "Toon_riet",
        "Sil_haven",
    )
    seated = []
    with database.read() as r:  # no alias is used twice in an organisation
        taken = set(r.db.scalars(select(AliasUse.alias).where(AliasUse.organisation_id == organisation_id)))
    free = [alias for alias in aliases if alias not in taken]
    for number in range(members):
        alias = free[number] if number < len(free) else f"Lid_{len(taken) + number}"
        seated.append(seat(database, group.id, *someone(database, organisation_id), alias))
    return Circle(database, organisation_id, group.id, group.public_id, room, hanna, seated)


def membership_of(database: Database, person_id: int) -> int:
    with database.read() as w:
        return w.db.scalars(select(Membership.id).where(Membership.person_id == person_id)).one()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Make the calls in threads that start together; what each returned or raised, in the order given."""
    start = threading.Barrier(len(calls), timeout=10)

    def make(call: Callable[[], object]) -> object:
        start.wait()
        try:
            return call()
        except Exception as raised:
            return raised

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(make, calls))


class Gap:
    """A place in the code where two threads wait for each other a moment, so that both stand in the same gap.

    Where the product lets only one of them come so far, that one goes on alone.
    """

    def __init__(self, parties: int = 2) -> None:
        self._barrier = threading.Barrier(parties, timeout=0.4)

    def after(self, call: Callable[..., object]) -> Callable[..., object]:
        """`call`, and then the wait."""

        def held(*args: object, **kwargs: object) -> object:
            result = call(*args, **kwargs)
            try:
                self._barrier.wait()
            except threading.BrokenBarrierError:
                pass  # nobody else comes here meanwhile
            return result

        return held


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Every statement that is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def refusals(answers: Sequence[object]) -> list[object]:
    """What went wrong, of what `at_once` gave back."""
    return [a for a in answers if isinstance(a, Exception)]
