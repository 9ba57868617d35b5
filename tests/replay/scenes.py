"""What happens to everybody at once in a play: looking, seeing, and the plug that is pulled."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.error import URLError

import pytest
from sqlalchemy import func, select

from groups.models import Message
from tests.replay.acts_member import send_note, well
from tests.replay.house import House
from tests.replay.record import Said
from tests.replay.script import Line


def look(house: House, _line: Line) -> None:
    """Everybody opens their page anew; what is on it is written down."""
    for screen in house.here():
        lead = screen.alias == house.play.lead
        page = screen.get(f"/bijeenkomst/{house.session}" if lead else f"/ruimte/{house.room}")
        assert page.status == 200


def see(house: House, line: Line) -> None:
    """What the play says is on every open screen, whatever its own clock says."""
    words = dict(line.words)
    if "in_pairs" in words:
        assert sum(screen.aside is not None for screen in house.awake()) == words.pop("in_pairs")
    for screen in house.here():
        state = screen.view.shown()
        assert state is not None, screen.alias
        seen = {name: _seen(state, name) for name in words}
        assert seen == words, f"{screen.alias}: {seen}"


def _seen(state: dict[str, Any], name: str) -> Any:
    match name:
        case "phase":
            return state["step"]["phase"]
        case "speaking":
            return (state["round"] or {}).get("speaking") or ""
        case "tally":
            return {row["text"]: row["count"] for row in state["answers"]["tally"] or ()}
        case "given" | "revealed":
            return state["answers"][name]
        case "seconds_in":
            return (state["pulse"] or {}).get("seconds_in")
        case "of_seconds":
            return (state["pulse"] or {}).get("seconds")
    return state[name]


def lose_server(house: House, line: Line) -> None:
    """Some write, and the server dies between a commit and its answer; the last of them wrote a moment later. It starts
    anew; everybody comes back and sends what was not answered, twice.
    """
    awake, words = house.awake(), line.words
    before = _stored(house)
    house.plug.touch()
    *in_time, (late, too_late) = words["says"].items()
    for alias, text in in_time:
        house.screens[alias].write(text)
    for screen in awake:
        screen.wait_until_cut()
    assert house.server.process is not None
    assert house.server.process.wait(10) == -9, house.server.log()
    assert _stored(house) > before, "the server died before it had stored anything: this proves nothing"
    house.screens[late].write(too_late)
    notes = [(house.screens[alias], text, str(uuid.uuid4())) for alias, text in words["note"].items()]
    for screen, text, key in notes:
        with pytest.raises((URLError, OSError)):
            screen.post(f"/ruimte/{house.room}/notitie", text=text, key=key)
    house.server.start()
    for screen in awake:
        screen.connect()
    for screen in awake:
        for key, text in screen.open.items():
            message = {"room": screen.room, "key": key, "text": text}
            ack = well(screen.ask("message.send", message), status="posted")
            assert screen.ask("message.send", message) == ack
            house.record.said.append(Said(screen.alias, text, ack["seq"]))
        screen.open.clear()
    for screen, text, key in notes:
        send_note(house, screen, text, key)


def _stored(house: House) -> int:
    with house.reading(house.play.lead) as r:
        return r.db.scalar(select(func.count()).select_from(Message)) or 0


SCENES = {"looks": look, "sees": see, "loses the server": lose_server}
