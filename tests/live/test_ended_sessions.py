"""Signing out ends what is open: the socket is cut, and the old cookie opens nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import socketio
from sqlalchemy import create_engine, text

from tests.live.conftest import WAIT, Screen
from tests.server import Server
from tests.site import Browser


def test_leaving_cuts_the_open_socket_and_nothing_more_is_heard(
    server: Server, screens: list[Screen], people: list[dict[str, Any]]
) -> None:
    for screen in screens[:2]:
        screen.join()
    Browser(server.url, people[0]["cookie"]).post("/weg", page="/vandaag")
    assert screens[0].gone.get(timeout=WAIT) is True
    screens[1].ask("message.send", {"room": screens[1].room, "key": str(uuid.uuid4()), "text": "Is iedereen er nog?"})
    screens[1].hear("messages")
    assert screens[0].events.empty()
    with pytest.raises(socketio.exceptions.ConnectionError):
        Screen(server, people[0])


def test_a_session_that_was_revoked_elsewhere_is_refused_at_its_next_event(
    server: Server, screens: list[Screen], people: list[dict[str, Any]]
) -> None:
    screens[0].join()
    revoke_in_the_database(server, people[0])
    ack = screens[0].ask("message.send", {"room": screens[0].room, "key": str(uuid.uuid4()), "text": "Nog één ding"})
    assert (ack["ok"], ack["code"]) == (False, "unauthenticated")
    assert screens[0].gone.get(timeout=WAIT) is True
    assert screens[1].join()["head"] == 0


def test_a_socket_does_not_outlive_its_session_even_if_the_hint_was_lost(
    server: Server, screens: list[Screen], people: list[dict[str, Any]]
) -> None:
    screens[0].join()
    revoke_in_the_database(server, people[0])
    assert screens[0].gone.get(timeout=WAIT) is True  # the re-check comes by every five seconds


def revoke_in_the_database(server: Server, person: dict[str, Any]) -> None:
    """As another process would: no hint reaches the server."""
    from app.core.ids import digest

    engine = create_engine(f"sqlite:///{server.folder / 'samen.db'}")
    with engine.begin() as connection:
        done = connection.execute(
            text("UPDATE sign_ins SET revoked_at = :now WHERE token_hash = :hash"),
            {
                "now": datetime.now(UTC).replace(tzinfo=None),
                "hash": digest(person["cookie"].split("=", 1)[1]),
            },
        )
        assert done.rowcount == 1
    engine.dispose()
