"""Rotating the master keys beside a running server: nothing becomes unreadable in between."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.core import keys, rotation
from app.core.crypto import DataKey, Vault
from app.core.db import open_engine
from app.core.settings import Settings
from app.core.work import Database
from groups import rooms
from groups.talk import conversation
from tests import builders


def test_a_running_server_learns_of_the_new_master_key_by_itself(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "keys", database_url=database_url)
    keys.ensure(settings)

    def process() -> Database:
        vault = Vault(keys.masters(settings), lambda: keys.masters(settings))
        return Database(open_engine(database_url), vault)

    server = process()
    circle = builders.circle(server)
    circle.post(circle.members[0], builders.ORDINARY)
    for _ in range(2):
        keys.add_master(settings)
    command = process()
    assert rotation.rewrap(command, batch=1) == 4
    assert keys.drop_masters(settings, rotation.masters_in_use(command)) == 1
    server.vault._open.clear()  # what it had in memory when it started is not what it reads with now
    with server.read(circle.members[1].actor) as r:
        said = conversation.latest(r, rooms.place(r, circle.room))
        assert [message.text for message in said] == [builders.ORDINARY]
    newcomer, _token = builders.someone(server, circle.organisation_id)
    with server.read() as r:
        stored = r.db.scalars(select(DataKey.master).where(DataKey.person_id == newcomer.person_id)).one()
    assert stored == next(iter(keys.masters(settings)))
    for opened in (server, command):
        opened.engine.dispose()
