"""Open screens of people who are about to lose their session or their place, and what each of them still gets."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from app.accounts import accounts, signins
from app.accounts.models import Person, SignIn
from app.core import ids, keys
from app.core.crypto import Vault
from app.core.db import open_engine
from app.core.permissions import Role
from app.core.settings import Settings
from app.core.work import Database
from benchmarks.client import Client, Refused
from groups.models import Membership
from tests.server import Server
from tests.site import Browser, Page

HOST = "127.0.0.1"
PLACE_ONLY = ("leaving the group", "removal by the facilitator")  # the session itself stands
ROOM = ("messages", "message.changed", "session.state", "session.roster")


@dataclass(slots=True)
class Watched:
    """One screen, and its history on one clock: when the change was asked for and done, what came in, when it ended.

    `cookie` is the session of the screen; `browser` is where the change is made from.
    """

    kind: str
    person: dict[str, Any]
    cookie: str
    person_id: int
    asked_at: float = 0.0
    done_at: float = 0.0
    closed_at: float | None = None
    events: list[tuple[float, str]] = field(default_factory=list)
    client: Client | None = None

    @property
    def room(self) -> str:
        return str(self.person["room"])

    def hear(self, name: str, _data: Any = None) -> None:
        self.events.append((time.monotonic(), name))

    async def open(self, server: Server) -> Client:
        """Connect with this screen's cookie."""
        self.client = await Client.open(HOST, server.port, self.cookie, self.hear)
        self.closed_at = None
        self.client.closed.add_done_callback(lambda _closed: self._close())
        return self.client

    def _close(self) -> None:
        self.closed_at = time.monotonic()


def late(watched: Watched, grace: float) -> list[str]:
    """What this screen got, or could do, more than `grace` seconds after the change was done."""
    limit, found = watched.done_at + grace, []
    counts = [name for at, name in watched.events if at > limit]
    if watched.kind in PLACE_ONLY:
        counts = [name for name in counts if name in (*ROOM, "answer")]
    elif watched.closed_at is None or watched.closed_at > limit:
        found.append(f"{watched.kind}: still open")
    return found + [f"{watched.kind}: {name} came in" for name in counts]


class Place:
    """The server's database as another process sees it, and browsers for who changes something."""

    def __init__(self, server: Server) -> None:
        self.server = server
        settings = Settings(data_dir=server.folder, database_url=f"sqlite:///{server.folder / 'samen.db'}")
        seal_key = keys.load(settings).derive("audit")
        self.database = Database(open_engine(settings.database_url), Vault(keys.masters(settings)), seal_key=seal_key)

    def close(self) -> None:
        self.database.engine.dispose()

    def confirm_everybody(self) -> None:
        """As if all of them proved who they are just now."""
        with self.database.work() as w:
            w.db.execute(update(SignIn).values(confirmed_at=w.now))

    def person_of(self, cookie: str) -> int:
        with self.database.read() as r:
            token_hash = ids.digest(cookie.partition("=")[2])
            return r.db.scalars(select(SignIn.person_id).where(SignIn.token_hash == token_hash)).one()

    def another_session(self, person_id: int, lasts: Any) -> str:
        """A second browser of the same person."""
        with self.database.work() as w:
            return f"samen_session={signins.start(w, person_id, lasts)}"

    def administrator(self, lasts: Any) -> str:
        """Somebody who may suspend staff, and the staff under names of their own."""
        with self.database.work() as w:
            organisation = w.db.scalars(select(Person.organisation_id).limit(1)).one()
            person_id = accounts.create_person(w, organisation, Role.ADMINISTRATOR, "beheer.test", "!", name="Beheer")
            for person in w.db.scalars(select(Person).where(Person.role == Role.FACILITATOR.value)).all():
                person.name = f"Nummer {person.id}"
            return f"samen_session={signins.start(w, person_id, lasts, confirmed=True)}"

    def member_ref(self, person_id: int) -> str:
        with self.database.read() as r:
            return r.db.scalars(select(Membership.public_id).where(Membership.person_id == person_id)).one()


def form(browser: Browser, path: str, fields: dict[str, str] | None = None) -> Callable[[], Page]:
    """A form that is filled in already: calling it sends it."""
    token = browser.get("/hulp").token
    return lambda: browser.post(path, {"csrf_token": token, **(fields or {})}, page="")


def changes(place: Place, administrator: Browser, leads: dict[str, Browser], watched: Watched) -> Callable[[], Page]:
    """The one request that makes the change, ready to be sent."""
    own, group = Browser(place.server.url, watched.person["cookie"]), watched.person["group"]
    match watched.kind:
        case "signing out":
            return form(own, "/uit")
        case "leaving now":
            return lambda: own.post("/weg", page="")
        case "suspension":
            listed = administrator.get("/beheer").text
            named = rf"<strong>Nummer {watched.person_id}</strong>.*?/beheer/collega/([a-z0-9]+)"
            found = re.search(named, listed, re.S)
            assert found
            return form(administrator, f"/beheer/collega/{found[1]}/blokkeren")
        case "leaving the group":
            return form(own, f"/groep/{group}/stoppen")
        case "removal by the facilitator":
            ref = place.member_ref(watched.person_id)
            return form(leads[group], f"/groepen/{group}/deelnemers/{ref}/afscheid", {"reason": "agreed"})
        case "erasing the account":
            return form(own, "/gegevens/wissen", {"word": "wissen"})
        case "another passphrase":
            words = re.findall(r"<li>([a-z]+)</li>", own.get("/woorden").text)
            return form(own, "/woorden", {"third": words[2]})
        case "ending all sessions":
            return form(own, "/toestellen/uit", {"which": "all"})
    raise AssertionError(watched.kind)


async def talk(
    server: Server, people: Sequence[dict[str, Any]], pause: float
) -> Callable[[], Coroutine[Any, Any, int]]:
    """These people write all the while, each in their own room; the answer stops them and says how much was posted."""
    clients = [await Client.open(HOST, server.port, p["cookie"], lambda *_event: None) for p in people]
    posted = 0

    def count(ack: Any) -> None:
        nonlocal posted
        assert ack["ok"], ack
        posted += 1

    async def write(client: Client, room: str) -> None:
        while True:
            text = f"Nog steeds hier, zin {uuid.uuid4().hex[:3]}."
            client.send("message.send", {"room": room, "key": str(uuid.uuid4()), "text": text}, count)
            await asyncio.sleep(pause)

    writing = [asyncio.create_task(write(c, p["room"])) for c, p in zip(clients, people, strict=True)]

    async def stop() -> int:
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        for client in clients:
            await client.close()
        return posted

    return stop


async def refused(server: Server, cookie: str) -> bool:
    """Is a new handshake with this cookie turned away, with the status that says so?"""
    try:
        client = await Client.open(HOST, server.port, cookie, lambda *_event: None)
    except Refused as refusal:
        return refusal.status == 401
    await client.close()
    return False
