"""The server one writes first with Flask-SocketIO, eventlet and the SQLAlchemy ORM: a measure for our own.

It is honest where it counts: one transaction per message, committed before the acknowledgement, on SQLite
with WAL and synchronous=FULL, the same columns and constraints, the same screening. It has no group commit and
none of the hardening. It speaks the three live events that the load generator uses, and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import eventlet

eventlet.monkey_patch()

from flask import Flask, request  # noqa: E402  (the loop must be patched first)
from flask_socketio import SocketIO, join_room  # noqa: E402
from sqlalchemy import ForeignKey, String, UniqueConstraint, create_engine, event, select  # noqa: E402
from sqlalchemy.orm import (  # noqa: E402
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
)

from moderation.screening import screen  # noqa: E402

SOCKETS = 20_000  # eventlet's own default of 1,024 would stop a crowd


class Base(DeclarativeBase):
    """The plain server's own tables."""


class Room(Base):
    __tablename__ = "rooms"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    last_seq: Mapped[int] = mapped_column(default=0)


class Seat(Base):
    """Somebody's place in a room; here the cookie's token is simply its column."""

    __tablename__ = "seats"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    alias: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(12), default="member")
    token: Mapped[str] = mapped_column(String(40), unique=True)
    room: Mapped[Room] = relationship()


class Message(Base):
    """The same columns and constraints as the product's messages."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    seq: Mapped[int | None]
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"))
    key: Mapped[str] = mapped_column(String(36))
    text: Mapped[str]
    reply_to: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(10))
    masked: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    seat: Mapped[Seat] = relationship()

    __table_args__ = (UniqueConstraint("room_id", "seat_id", "key"), UniqueConstraint("room_id", "seq"))

    def as_dict(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "alias": self.seat.alias,
            "role": self.seat.role,
            "text": self.text,
            "at": self.at.strftime("%Y-%m-%dT%H:%MZ"),
            "status": self.status,
        }


def open_sessions(data_dir: Path) -> sessionmaker[Session]:
    """A session factory on the plain server's own database, with its tables made."""
    engine = create_engine(f"sqlite:///{data_dir / 'samen.db'}")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Base.metadata.create_all(engine)
    return sessionmaker(engine)


def make_people(sessions: sessionmaker[Session], groups: int, members: int) -> None:
    """Create rooms with members and print one JSON line a person, in the shape of `samen loadtest-people`."""
    with sessions() as db:
        for group in range(groups):
            room = Room(public_id=f"room{group:08d}")
            for number in range(members):
                seat = Seat(room=room, alias=f"Lid_{number}", token=f"token-{group}-{number}")
                db.add(seat)
                person = {"group": room.public_id, "room": room.public_id, "alias": seat.alias}
                print(json.dumps(person | {"role": "member", "cookie": f"plain={seat.token}"}))
        db.commit()


def build(sessions: sessionmaker[Session]) -> tuple[Flask, SocketIO]:
    """The app and its three events."""
    app = Flask("plain")
    live = SocketIO(app, async_mode="eventlet")
    seats: dict[str, int] = {}

    @live.on("connect")
    def connect(_auth: Any = None) -> bool:
        with sessions() as db:
            seat = db.scalar(select(Seat).where(Seat.token == request.cookies.get("plain", "")))
            if seat is not None:
                seats[_sid()] = seat.id
            return seat is not None

    @live.on("room.join")
    def join(data: dict[str, Any]) -> dict[str, Any]:
        join_room(data["room"])
        return {"room": data["room"], "session": None} | _history(sessions, data)

    @live.on("room.sync")
    def sync(data: dict[str, Any]) -> dict[str, Any]:
        return _history(sessions, data)

    @live.on("message.send")
    def send(data: dict[str, Any]) -> dict[str, Any]:
        verdict = screen(data["text"])
        if verdict.action != "allow":
            return {"ok": False, "code": "invalid", "message": verdict.action}
        with sessions() as db:
            seat = db.get_one(Seat, seats[_sid()])
            seat.room.last_seq += 1
            message = Message(
                room_id=seat.room_id,
                seq=seat.room.last_seq,
                seat=seat,
                key=data["key"],
                text=verdict.text,
                status="posted",
                at=datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None),
            )
            db.add(message)
            db.commit()
            live.emit("messages", {"room": data["room"], "items": [message.as_dict()]}, to=data["room"])
            return {"ok": True, "seq": message.seq, "status": "posted", "masked": False}

    return app, live


def _history(sessions: sessionmaker[Session], data: dict[str, Any]) -> dict[str, Any]:
    with sessions() as db:
        room = db.scalars(select(Room).where(Room.public_id == data["room"])).one()
        query = select(Message).where(Message.room_id == room.id, Message.seq > data.get("after", 0))
        found = db.scalars(query.order_by(Message.seq).limit(200))
        return {"ok": True, "head": room.last_seq, "items": [message.as_dict() for message in found]}


def _sid() -> str:
    sid: str = vars(request)["sid"]
    return sid


def main(arguments: list[str]) -> None:
    """`people R M` makes R rooms of M members; `run` serves them until stopped."""
    sessions = open_sessions(Path(os.environ["SAMEN_DATA_DIR"]))
    if arguments[:1] == ["people"]:
        make_people(sessions, int(arguments[1]), int(arguments[2]))
        return
    app, live = build(sessions)
    live.run(app, "127.0.0.1", int(os.environ["PORT"]), max_size=SOCKETS, log_output=False)


if __name__ == "__main__":
    main(sys.argv[1:])
