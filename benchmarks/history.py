"""What an old room costs its members: joining, a page, a gap, in a room of 100,000 messages and in one of 1,000.

`python -m benchmarks.history` prints it. It calls the product's own event handlers on a real database, counts their
statements, and asks SQLite how it finds the messages: by an index, or by walking through all of them.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, select, update

from app.accounts import signins
from app.core import clock, ids, keys
from app.core.actor import Actor
from app.core.crypto import DataKey, Vault, place_of
from app.core.db import open_engine
from app.core.settings import load
from app.core.work import Database
from benchmarks import machine
from benchmarks.servers import Person, Server
from benchmarks.texts import Texts
from groups.live import EVENTS
from groups.models import Message, Room, Seat, message_row

SMALL, LARGE = 1_000, 100_000
PAGE, GAP, MOST = 50, 500, 200
ROUNDS = 40
_HANDLERS = {one.name: one for one in EVENTS}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one thing costs in one room. `effort` are SQLite's own steps, which no neighbour disturbs; `heaviest` is
    the statement that takes most of them. `walks` are plans that look at every message; there should be none.
    """

    statements: int
    ms: float
    effort: int
    heaviest: str
    walks: tuple[str, ...]


@dataclass(slots=True)
class _Watch:
    statements: list[tuple[str, Any]] = field(default_factory=list)
    effort: list[int] = field(default_factory=list)

    def step(self) -> None:
        self.effort[-1] += 1


def measure(parent: Path | None = None, *, large: int = LARGE, rounds: int = ROUNDS) -> dict[str, Any]:
    """Both rooms, everything a member does with a history, and the ratio of large to small."""
    with tempfile.TemporaryDirectory(prefix="samen-history-", dir=parent) as folder:
        server = Server("ours", Path(folder) / "ours")
        people = server.prepare(2, 2)
        database = _opened(server)
        try:
            rooms = [people[0], people[2]]
            for person, amount in zip(rooms, (SMALL, large), strict=True):
                _fill(database, person, amount)
            with database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            costs = [_costs(database, person, rounds) for person in rooms]
        finally:
            database.engine.dispose()
    return {
        "rows": [SMALL, large],
        "small": {name: asdict(cost) for name, cost in costs[0].items()},
        "large": {name: asdict(cost) for name, cost in costs[1].items()},
        "ratio": {name: round(costs[1][name].ms / costs[0][name].ms, 2) for name in costs[0]},
        "effort_ratio": {name: round(costs[1][name].effort / costs[0][name].effort, 2) for name in costs[0]},
    }


def _opened(server: Server) -> Database:
    settings = load({"SAMEN_DATA_DIR": str(server.data_dir)})
    return Database(open_engine(settings.database_url), Vault(keys.masters(settings)))


def _fill(database: Database, person: Person, amount: int) -> None:
    """Messages of everybody in this room, sealed as posting seals them."""
    texts = [Texts(number)() for number in range(200)]
    with database.work() as w:
        room_id = w.db.execute(select(Room.id).where(Room.public_id == person.room)).scalar_one()
        seats = w.db.execute(
            select(Seat.id, DataKey.id.label("key_id"), DataKey.master, DataKey.wrapped)
            .join(DataKey, DataKey.person_id == Seat.person_id)
            .where(Seat.room_id == room_id)
        ).all()
        locks = [w.ring.unwrap(seat.key_id, seat.master, seat.wrapped) for seat in seats]
        at = clock.minute(w.now)
        for start in range(0, amount, 5_000):
            rows = []
            for seq in range(start + 1, min(start + 5_000, amount) + 1):
                which, key = seq % len(seats), str(uuid.uuid4())
                place = place_of(Message.text, message_row(seats[which].id, key))
                text = locks[which].seal(place, texts[seq % len(texts)])
                rows.append(
                    {"room_id": room_id, "seq": seq, "seat_id": seats[which].id, "key": key, "text": text}
                    | {"status": "posted", "masked": False, "at": at, "reply_to": None}
                )
            w.db.execute(insert(Message), rows)
        w.db.execute(update(Room).where(Room.id == room_id).values(last_seq=amount))


def _costs(database: Database, person: Person, rounds: int) -> dict[str, Cost]:
    actor = _actor(database, person)
    with database.read() as r:
        head = r.db.execute(select(Room.last_seq).where(Room.public_id == person.room)).scalar_one()
    things: dict[str, Callable[[], int]] = {
        "join": lambda: _asked(database, actor, "room.join", {"room": person.room}),
        "page of 50": lambda: _asked(
            database, actor, "room.sync", {"room": person.room, "after": head - PAGE, "limit": PAGE}
        ),
        "first page of 50": lambda: _asked(
            database, actor, "room.sync", {"room": person.room, "after": 0, "limit": PAGE}
        ),
        "gap of 500": lambda: _gap(database, actor, person.room, head),
    }
    expected = {"join": PAGE, "page of 50": PAGE, "first page of 50": PAGE, "gap of 500": GAP}
    return {name: _cost(database, thing, rounds, expected[name]) for name, thing in things.items()}


def _cost(database: Database, thing: Callable[[], int], rounds: int, expected: int) -> Cost:
    with _watched(database) as watch:
        got = thing()
    if got != expected:
        raise RuntimeError(f"{expected} messages were expected, {got} came")
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        thing()
        took.append((time.perf_counter() - began) * 1000)
    heaviest = max(range(len(watch.effort)), key=watch.effort.__getitem__)
    return Cost(
        statements=len(watch.statements),
        ms=round(statistics.median(took), 3),
        effort=sum(watch.effort),
        heaviest=" ".join(watch.statements[heaviest][0].split()),
        walks=tuple(_walks(database, watch)),
    )


def _gap(database: Database, actor: Actor, room: str, head: int) -> int:
    """Catch up with 500 messages, as a client does: 200 at a time."""
    got, after = 0, head - GAP
    while after < head:
        came = _asked(database, actor, "room.sync", {"room": room, "after": after, "limit": MOST})
        got, after = got + came, after + came
    return got


def _asked(database: Database, actor: Actor, name: str, data: dict[str, Any]) -> int:
    """One event, as the gateway handles it. Returns how many messages its answer holds."""
    handler = _HANDLERS[name]
    assert handler.handle is not None
    command = handler.parse(actor, data)
    with (database.work if handler.writes else database.read)(actor) as w:
        return len(handler.handle(w, command).ack["items"])


def _actor(database: Database, person: Person) -> Actor:
    with database.read() as r:
        actor = signins.who(r.db, ids.digest(person.cookie.partition("=")[2]), r.now)
    if actor is None:
        raise RuntimeError("the person made for this is not signed in")
    return actor


@contextmanager
def _watched(database: Database) -> Iterator[_Watch]:
    watch = _Watch()

    def note(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        watch.statements.append((statement, parameters))
        watch.effort.append(0)
        connection.connection.dbapi_connection.set_progress_handler(watch.step, 1)

    def rest(connection: Any, _record: Any) -> None:
        connection.set_progress_handler(None, 1)

    event.listen(database.engine, "before_cursor_execute", note)
    event.listen(database.engine, "checkin", rest)
    try:
        yield watch
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
        event.remove(database.engine, "checkin", rest)


def _walks(database: Database, watch: _Watch) -> Iterator[str]:
    """Steps of SQLite's plans that look at every row of the messages."""
    with database.engine.connect() as connection:
        for statement, parameters in watch.statements:
            if "messages" in statement and statement.lstrip().upper().startswith("SELECT"):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                yield from (row[3] for row in plan if row[3].startswith("SCAN messages"))


def main() -> None:
    """Print both rooms as JSON."""
    print(json.dumps(measure(machine.TMPFS), indent=1))


if __name__ == "__main__":
    main()
