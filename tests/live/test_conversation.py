"""The live contract over real sockets against a real server process."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest

from tests.live.conftest import Screen
from tests.server import Server


def key() -> str:
    return str(uuid.uuid4())


def test_entering_a_room_tells_where_it_stands(screens: list[Screen]) -> None:
    ack = screens[0].join()
    assert ack["ok"] is True
    assert ack["alias"] == screens[0].person["alias"]
    assert (ack["role"], ack["head"], ack["items"], ack["session"]) == ("member", 0, [], None)


def test_a_message_reaches_everybody_once_and_in_order(screens: list[Screen]) -> None:
    for screen in screens:
        screen.join()
    acks = [
        screens[n % 3].ask("message.send", {"room": screens[0].room, "key": key(), "text": f"Zin {n}"})
        for n in range(9)
    ]
    assert [a["seq"] for a in acks] == list(range(1, 10))
    for screen in screens:
        got: list[dict[str, Any]] = []
        while len(got) < 9:
            got += screen.hear("messages")["items"]
        assert [m["seq"] for m in got] == list(range(1, 10))
        assert [m["text"] for m in got] == [f"Zin {n}" for n in range(9)]
        assert set(got[0]) == {"seq", "alias", "role", "text", "at", "status"}
        assert got[0]["at"].endswith("Z")
        assert len(got[0]["at"]) == 17


def test_the_same_key_again_gives_the_same_answer(screens: list[Screen]) -> None:
    screens[0].join()
    message = {"room": screens[0].room, "key": key(), "text": "Eén keer"}
    assert screens[0].ask("message.send", message) == screens[0].ask("message.send", message)
    assert len(screens[0].ask("room.sync", {"room": screens[0].room, "after": 0})["items"]) == 1


def test_a_client_that_was_away_catches_up_by_number(screens: list[Screen]) -> None:
    for n in range(5):
        screens[0].ask("message.send", {"room": screens[0].room, "key": key(), "text": f"Zin {n}"})
    assert [m["seq"] for m in screens[1].join(after=2)["items"]] == [3, 4, 5]
    sync = screens[1].ask("room.sync", {"room": screens[0].room, "after": 3, "limit": 1})
    assert (sync["head"], [m["seq"] for m in sync["items"]]) == (5, [4])


def test_a_telephone_number_comes_back_as_a_preview_and_is_stored_only_masked(screens: list[Screen]) -> None:
    message = {"room": screens[0].room, "key": key(), "text": "Mijn nummer is 06-12345678"}
    preview = screens[0].ask("message.send", message)
    assert (preview["status"], preview["seq"], preview["masked"]) == ("preview", None, True)
    assert "12345678" not in preview["text"]
    posted = screens[0].ask("message.send", message | {"mask_ok": True})
    assert (posted["status"], posted["seq"], posted["text"]) == ("posted", 1, preview["text"])
    assert screens[1].join()["items"][0]["text"] == preview["text"]


def test_words_of_danger_bring_the_author_help_and_alert_the_staff(screens: list[Screen]) -> None:
    lead = screens[3]
    lead.join()
    screens[0].join()
    screens[0].ask(
        "message.send",
        {
            "room": screens[0].room,
            "key": key(),
            "text": "Ik wil niet meer leven, ik maak er vanavond een eind aan",
        },
    )
    assert screens[0].hear("notice")["kind"] == "crisis"
    assert lead.hear("notice") | {"ref": ""} == {"kind": "case", "level": 0, "ref": ""}


def test_what_is_sent_wrong_is_refused_in_the_documented_shape(
    screens: list[Screen], people: list[dict[str, Any]]
) -> None:
    foreign = people[4]["room"]
    room = screens[0].room
    cases = [
        ("no.such.event", {"room": room}, "invalid"),
        ("message.send", "not an object", "invalid"),
        ("message.send", {"room": room, "key": key(), "text": 7}, "invalid"),
        ("message.send", {"room": room, "key": "not a uuid", "text": "Hoi"}, "invalid"),
        ("message.send", {"room": room, "key": key(), "text": "  "}, "invalid"),
        ("message.send", {"room": room, "key": key(), "text": "a" * 4001}, "too_large"),
        ("message.send", {"room": room, "key": key(), "text": "a" * 40_000}, "too_large"),
        ("message.send", {"room": foreign, "key": key(), "text": "Hoi"}, "not_found"),
        ("message.send", {"room": "nowhere", "key": key(), "text": "Hoi"}, "not_found"),
        ("room.join", {"room": foreign}, "not_found"),
        ("room.sync", {"room": room, "after": -1}, "invalid"),
        ("room.sync", {"room": room, "after": True}, "invalid"),
    ]
    for event, data, code in cases:
        ack = screens[0].ask(event, data)
        assert set(ack) == {"ok", "code", "message"}, (event, data, ack)
        assert (ack["ok"], ack["code"]) == (False, code), (event, data, ack)
        assert ack["message"]
    assert screens[0].join()["head"] == 0


def test_the_longest_message_fits_in_any_spelling(screens: list[Screen]) -> None:
    text = "😀é" * 2000
    ack = screens[0].ask("message.send", {"room": screens[0].room, "key": key(), "text": text})
    assert ack["status"] == "posted"
    assert screens[0].join()["items"][-1]["text"] == text


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Cookie": "samen_session=wrong"}, 401), ({"Origin": "http://evil.example"}, 403)],
)
def test_without_a_session_or_from_elsewhere_there_is_no_handshake(
    server: Server, headers: dict[str, str], status: int
) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eA==",
    }
    address = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, headers=upgrade | headers), timeout=5)
    assert refused.value.code == status
    with refused.value as answer:
        assert answer.read() == b""
