"""Two hundred times somebody's session or place ends while everybody is listening: soon after, they get nothing more.

With the hint it takes less than a second; where the change was made by another process and no hint came, at most five.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.accounts import accounts, erasure, signins
from app.core.actor import Actor
from app.core.permissions import Role
from app.core.work import Work
from app.main import PARTS
from benchmarks.client import Client
from groups.people import leaving
from tests.live.watching import HOST, PLACE_ONLY, Place, Watched, changes, late, refused, talk
from tests.server import MODES, Server
from tests.site import Browser

KINDS = (
    "signing out",
    "leaving now",
    "suspension",
    "leaving the group",
    "removal by the facilitator",
    "erasing the account",
    "another passphrase",
    "ending all sessions",
)
FULL = ("eventlet", 25, 7, 26, 5)  # loop, how many of each kind, groups, members and facilitators in each: two hundred
SHORT = [(mode, 4, 3, 12, 3) for mode in MODES if mode != FULL[0]]  # the same on the other loops, on thirty-two
LOST_HINTS = [(mode, 8 if mode == FULL[0] else 2) for mode in MODES]
SOON, LATEST = 1.0, 5.0  # seconds: with the hint, and without it
LASTS = timedelta(days=1)


@contextmanager
def running(
    folder: Path, groups: int, members: int, leads: int, mode: str = "eventlet", **how: Any
) -> Iterator[tuple[Place, list[Any]]]:
    """A server with people in it."""
    server = Server(folder, **how).on(mode).prepare()
    amounts = ("--groups", str(groups), "--members", str(members), "--facilitators", str(leads))
    made = server.command("loadtest-people", *amounts)
    assert made.returncode == 0, made.stderr
    place = Place(server)
    place.confirm_everybody()
    server.start()
    try:
        yield place, [json.loads(line) for line in made.stdout.splitlines()]
    finally:
        place.close()
        server.stop()
    assert not any(word in server.log() for word in ("failed", "Traceback")), server.log()


def cast(place: Place, people: Sequence[Any], kinds: Sequence[str], each: int) -> tuple[list[Watched], list[Any], Any]:
    """Who will lose what; who goes on writing; and one facilitator a group who stays."""
    by_group: dict[str, list[Any]] = defaultdict(list)
    for person in people:
        by_group[person["group"]].append(person)
    writers = [group[0] for group in by_group.values()]
    leads = {group: Browser(place.server.url, of[-1]["cookie"]) for group, of in by_group.items()}
    kept = {p["cookie"] for p in writers} | {of[-1]["cookie"] for of in by_group.values()}
    members = iter([p for p in people if p["role"] == "member" and p["cookie"] not in kept])
    staff = iter([p for p in people if p["role"] == "facilitator" and p["cookie"] not in kept])
    watched = []
    for kind in kinds:
        for _ in range(each):
            person = next(staff if kind == "suspension" else members)
            person_id, cookie = place.person_of(person["cookie"]), person["cookie"]
            if kind == "another passphrase":  # what ends is the session of another browser
                cookie = place.another_session(person_id, LASTS)
            watched.append(Watched(kind, person, cookie, person_id))
    random.Random(7).shuffle(watched)
    return watched, writers, leads


@asynccontextmanager
async def closing(watched: Sequence[Watched]) -> AsyncIterator[None]:
    """Whatever happens, no screen is left open."""
    try:
        yield
    finally:
        for screen in watched:
            if screen.client is not None:
                screen.client.abort()
        await asyncio.sleep(0)  # the loop lets go of them


async def revoke_all(
    place: Place,
    watched: Sequence[Watched],
    writers: Sequence[Any],
    make: Callable[[Watched], Callable[[], Any]],
    restless: Sequence[Watched] = (),
) -> None:
    """Open all screens, let the rooms talk, make all the changes, several at once, and listen on for a while.

    The `restless` keep trying to enter their room meanwhile.
    """
    stop = await talk(place.server, writers, pause=0.4)
    loop = asyncio.get_running_loop()
    for screen in watched:
        client = await screen.open(place.server)
        assert (await client.call("room.join", {"room": screen.room}))["ok"]
    asking = [asyncio.create_task(ask_on(screen)) for screen in restless]
    with ThreadPoolExecutor(3) as hands:

        def change(screen: Watched, send: Callable[[], Any]) -> None:
            screen.asked_at = time.monotonic()
            send()
            screen.done_at = time.monotonic()

        ready = [await loop.run_in_executor(hands, make, screen) for screen in watched]
        done = [loop.run_in_executor(hands, change, s, send) for s, send in zip(watched, ready, strict=True)]
        await asyncio.gather(*done)
    last = max(screen.done_at for screen in watched)
    while time.monotonic() < last + LATEST + 0.5:
        await asyncio.sleep(0.1)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert await stop() > 10 * len(writers)  # there was something to hear all the time


async def ask_on(screen: Watched) -> None:
    """Enter the room again and again: whoever is let in now, hears what comes after."""
    while True:
        try:
            assert screen.client is not None
            answer = await screen.client.call("room.join", {"room": screen.room, "after": 10**6}, timeout=5)
        except (ConnectionError, TimeoutError):
            return
        if answer["ok"]:
            screen.hear("answer")
        await asyncio.sleep(0.6)  # a program that asks more often is told to wait


def report(watched: Sequence[Watched]) -> None:
    """How long it took, by kind: from the request, and from its answer (which comes after the commit), to the cut."""
    for kind in sorted({screen.kind for screen in watched}):
        these = [s for s in watched if s.kind == kind and s.closed_at is not None]
        asked = max((s.closed_at or 0) - s.asked_at for s in these) if these else 0
        done = max((s.closed_at or 0) - s.done_at for s in these) if these else 0
        print(f"{kind:28} {len(these):3} cut, at most {asked:.3f} s after asking, {done:+.3f} s after the answer")


def succeed(screen: Watched, send: Callable[[], Any]) -> Callable[[], None]:
    def checked() -> None:
        answer = send()
        assert answer.status in (204, 303), (screen.kind, answer.status, answer.text[-500:])

    return checked


@pytest.mark.parametrize(
    ("mode", "each", "groups", "members", "leads"), [one for one in (FULL, *SHORT) if one[0] in MODES]
)
def test_two_hundred_revocations_are_over_within_a_second(
    tmp_path: Path, mode: str, each: int, groups: int, members: int, leads: int
) -> None:
    with running(tmp_path, groups, members, leads, mode) as (place, people):
        revoke_and_check(place, people, each)


def revoke_and_check(place: Place, people: list[Any], each: int) -> None:
    administrator = Browser(place.server.url, place.administrator(LASTS))
    watched, writers, leads = cast(place, people, KINDS, each)
    assert len(watched) == each * len(KINDS)

    async def go() -> None:
        async with closing(watched):
            await revoke_all(
                place, watched, writers, lambda s: succeed(s, changes(place, administrator, leads, s)), watched[::5]
            )
            report(watched)
            assert [line for s in watched for line in late(s, SOON)] == []
            assert all(s.closed_at is not None for s in watched)
            for screen in watched:
                await check_after(place, screen)
            heard = [s for s in watched if s.kind in PLACE_ONLY]
            await asyncio.sleep(1)
            assert [line for s in heard for line in late(s, SOON)] == []  # nor after they came back

    asyncio.run(go())


async def check_after(place: Place, screen: Watched) -> None:
    """The old cookie opens nothing; whoever lost only a place is still signed in, and is let into no room."""
    page = await asyncio.to_thread(Browser(place.server.url, screen.cookie).get, "/meer")
    if screen.kind not in PLACE_ONLY:
        assert page.status in (302, 303), screen.kind
        assert page.headers["location"] == "/"
        assert await refused(place.server, screen.cookie)
        return
    assert page.status == 200
    client = await screen.open(place.server)
    for event, more in (("room.join", {}), ("room.sync", {"after": 0}), ("message.send", {"text": "Ik ben er nog"})):
        key = {"key": "0a9be2f6-4c0d-4a56-9a1c-6d9c1b1f3c11"}
        answer = await client.call(event, {"room": screen.room, **more, **key})
        assert (answer["ok"], answer["code"]) == (False, "not_found"), (screen.kind, event)


LOST: dict[str, Callable[[Work, Watched], object]] = {
    "signing out": lambda w, s: signins.end_all(w, s.person_id),
    "suspension": lambda w, s: accounts.suspend(w, s.person_id),
    "leaving the group": lambda w, s: leaving.leave(w, s.person["group"]),
    "erasing the account": lambda w, s: erasure.erase(w, PARTS, s.person_id),
    "another passphrase": lambda w, s: accounts.change_secret(w, s.person_id, "!"),
}


def elsewhere(place: Place, screen: Watched) -> Callable[[], None]:
    """The same change, made by another process: nobody tells the server."""

    def make() -> None:
        role = Role.FACILITATOR if screen.kind == "suspension" else Role.CLIENT
        with place.database.work(Actor(screen.person_id, 1, role)) as w:
            LOST[screen.kind](w, screen)

    return make


@pytest.mark.parametrize(("mode", "each"), LOST_HINTS)
def test_where_the_hint_is_lost_they_are_over_within_five_seconds(tmp_path: Path, mode: str, each: int) -> None:
    with running(tmp_path, 4, each + 1, 3, mode) as (place, people):
        watched, writers, _leads = cast(place, people, tuple(LOST), each)

        async def go() -> None:
            async with closing(watched):
                await revoke_all(place, watched, writers, lambda s: elsewhere(place, s), watched[::5])
                report(watched)
                assert [line for s in watched for line in late(s, LATEST)] == []
                for screen in watched:
                    if screen.kind in PLACE_ONLY:
                        assert screen.client is not None
                        assert (await screen.client.call("room.join", {"room": screen.room}))["code"] == "not_found"
                    else:
                        assert await refused(place.server, screen.cookie)

        asyncio.run(go())


class Hesitant(Client):
    """Passes the door, and waits with saying hello."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.at_the_door: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _packet(self, text: str) -> None:
        if text[:1] == "0":
            self.at_the_door.set_result(None)
        else:
            super()._packet(text)


@pytest.mark.parametrize("mode", MODES)
def test_whoever_passed_the_door_before_is_not_let_in_after(tmp_path: Path, mode: str) -> None:
    with running(tmp_path, 1, 1, 0, mode) as (place, people):

        async def go() -> None:
            loop, cookie = asyncio.get_running_loop(), people[0]["cookie"]
            heard: list[str] = []
            headers = [(b"Cookie", cookie.encode())]
            _transport, client = await loop.create_connection(
                lambda: Hesitant(f"{HOST}:{place.server.port}", headers, lambda name, _data: heard.append(name)),
                HOST,
                place.server.port,
            )
            try:
                await client.at_the_door
                await asyncio.to_thread(Browser(place.server.url, cookie).post, "/weg", page="")
                client.write("40")
                with pytest.raises(ConnectionError):
                    await client.ready
                assert heard == []
            finally:
                client.abort()
                await client.closed

        asyncio.run(go())


# Planted defect: the same watching must catch it.


def test_a_server_that_cuts_nobody_is_caught(tmp_path: Path) -> None:
    with running(tmp_path, 2, 8, 2, runs=("tests.live.deaf_server",)) as (place, people):
        administrator = Browser(place.server.url, place.administrator(LASTS))
        watched, writers, leads = cast(place, people, KINDS[:6], 2)

        async def go() -> None:
            async with closing(watched):
                await revoke_all(place, watched, writers, lambda s: succeed(s, changes(place, administrator, leads, s)))
                for screen in watched:
                    assert f"{screen.kind}: messages came in" in late(screen, LATEST)
                    if screen.kind not in PLACE_ONLY:
                        assert f"{screen.kind}: still open" in late(screen, LATEST)

        asyncio.run(go())


@pytest.mark.parametrize(
    ("events", "closed_at", "expected"),
    [
        ([(10.9, "messages")], 10.9, []),
        ([(11.1, "messages")], 11.2, ["signing out: still open", "signing out: messages came in"]),
        ([], None, ["signing out: still open"]),
    ],
)
def test_a_history_is_judged_by_what_came_too_late(
    events: list[tuple[float, str]], closed_at: float | None, expected: list[str]
) -> None:
    screen = Watched("signing out", {}, "", 1, done_at=10.0, closed_at=closed_at, events=events)
    assert late(screen, SOON) == expected
