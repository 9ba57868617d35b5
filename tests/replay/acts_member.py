"""What members do in a play, over their socket or through the forms of their pages."""

from __future__ import annotations

import json
import uuid
from typing import Any

from groups import rooms
from groups.led import breakouts
from tests.replay.house import House
from tests.replay.record import Answered, Noted, Said, Secret
from tests.replay.screen import Screen
from tests.replay.script import Line


def heard(screen: Screen, kind: str) -> None:
    """Somebody was told something in person."""
    assert screen.until(lambda view: any(n["kind"] == kind for n in view.notices)), f"{screen.alias} got no {kind}"
    screen.view.notices.clear()


def number_of(screen: Screen, text: str) -> int:
    """The number of a message on somebody's screen."""
    assert screen.until(lambda view: any(item["text"] == text for item in view.talk())), f"{text!r} is not there"
    return next(int(item["seq"]) for item in screen.view.talk() if item["text"] == text)


def well(answer: dict[str, Any], **want: Any) -> dict[str, Any]:
    """An answer that says yes, and this."""
    assert answer["ok"] is True, answer
    assert {name: answer.get(name) for name in want} == want, answer
    return answer


def comes(_house: House, screen: Screen, _line: Line) -> None:
    assert screen.get(f"/ruimte/{screen.main}").status == 200
    screen.connect()


def cannot_come(house: House, screen: Screen, _line: Line) -> None:
    well(screen.post(f"/bijeenkomst/{house.session}/kan-niet", on=1))


def leaves(_house: House, screen: Screen, _line: Line) -> None:
    screen.hang_up()


def returns(_house: House, screen: Screen, _line: Line) -> None:
    screen.connect()


def opens_anew(_house: House, screen: Screen, _line: Line) -> None:
    """Not the page that was left, but the group's room: who is awaited elsewhere is led there."""
    screen.go_to(screen.main)


def says(house: House, screen: Screen, line: Line) -> None:
    """A message. What is held is nobody's but the author's and the facilitators'; a crisis brings help at once."""
    text, becomes = line.words["text"], line.words.get("becomes", "posted")
    if becomes == "crisis":
        key = str(uuid.uuid4())
        for _again in range(2):
            page = screen.form(f"/ruimte/{screen.room}", text=text, key=key)
            assert (page.status, page.headers["location"]) == (303, "/hulp"), page.headers
            heard(screen, "crisis")
        house.record.said.append(Said(screen.alias, text, number_of(screen, text)))
        return
    ack = well(screen.say(text), status=becomes)
    if becomes == "held":
        house.record.secrets.append(Secret(text, frozenset({screen.alias, house.play.lead})))
        heard(screen, "held")
    else:
        house.record.said.append(Said(screen.alias, text, ack["seq"]))


def may_not_write(_house: House, screen: Screen, line: Line) -> None:
    ack = screen.say(line.words["text"])
    assert ack["code"] == "forbidden", ack


def takes_turn(house: House, screen: Screen, line: Line) -> None:
    heard(screen, "turn")
    says(house, screen, line)
    well(screen.post(f"/ruimte/{screen.main}/beurt", what="done"))


def passes(_house: House, screen: Screen, _line: Line) -> None:
    heard(screen, "turn")
    well(screen.post(f"/ruimte/{screen.main}/beurt", what="pass"))


def raises(_house: House, screen: Screen, _line: Line) -> None:
    well(screen.post(f"/ruimte/{screen.main}/hand", up=1))


def lowers(_house: House, screen: Screen, _line: Line) -> None:
    well(screen.post(f"/ruimte/{screen.main}/hand", up=0))


def edits(house: House, screen: Screen, line: Line) -> None:
    before, text = line.words["what"], line.words["text"]
    seq = number_of(screen, before)
    well(screen.post(f"/ruimte/{screen.main}/bericht/{seq}/wijzig", text=text), status="edited")
    house.record.said[:] = [said._replace(text=text) if said.seq == seq else said for said in house.record.said]


def reacts(_house: House, screen: Screen, line: Line) -> None:
    seq, kind = number_of(screen, line.words["to"]), line.words["kind"]
    answer = well(screen.post(f"/ruimte/{screen.main}/bericht/{seq}/reactie", kind=kind, on=1))
    assert answer["reactions"] == {kind: [screen.alias]}, answer


def answers(house: House, screen: Screen, line: Line) -> None:
    """An answer at the step where everybody is. Another one in its place takes the first away for good."""
    words, state = line.words, screen.view.shown()
    assert state is not None
    step, sharing = state["step"], state["step"]["sharing"]
    value: dict[str, Any] = {"option": words["option"]} if "option" in words else {"text": words["text"]}
    if words.get("share"):
        value["share"] = "on"
    elif sharing == "shared":
        sharing = "private"
    well(screen.post(f"/ruimte/{screen.main}/antwoord", step=step["id"], **value), status="posted")
    kept = json.dumps([words["option"]]) if "option" in words else words["text"]
    record, mine = house.record, (screen.alias, step["title"])
    record.answered[:] = [one for one in record.answered if (one.alias, one.step) != mine]
    record.answered.append(Answered(*mine, sharing, kept))
    if "text" in words:
        record.secrets.append(Secret(kept, frozenset({screen.alias})))


def asks_pause(house: House, screen: Screen, _line: Line) -> None:
    """A quiet sign: on the facilitator's screen, and on nobody else's."""
    well(screen.post(f"/ruimte/{screen.main}/pauze", on=1))
    lead = house.screens[house.play.lead]
    asked = lead.until(lambda view: [m["alias"] for m in view.roster if m["pause"]] == [screen.alias])
    assert asked, "the facilitator does not see it"


def writes_note(house: House, screen: Screen, line: Line) -> None:
    send_note(house, screen, line.words["text"], str(uuid.uuid4()))


def send_note(house: House, screen: Screen, text: str, key: str) -> None:
    """A note, sent twice: it is one."""
    house.record.secrets.append(Secret(text, frozenset({screen.alias, house.play.lead})))
    for _again in range(2):
        well(screen.post(f"/ruimte/{screen.main}/notitie", text=text, key=key), status="posted")
    house.record.noted.append(Noted(screen.alias, False, text))


def says_in_pair(house: House, screen: Screen, line: Line) -> None:
    """Words for one other person, and for facilitators who look in."""
    text = line.words["text"]
    with house.reading(screen.alias) as r:
        pair = breakouts.mine(r, rooms.place(r, screen.main))[0].aliases
    house.record.secrets.append(Secret(text, frozenset({*pair, house.play.lead})))
    well(screen.say(text), status="posted")
    for alias in pair:
        items = house.screens[alias].ask("room.sync", {"room": screen.room, "after": 0})["items"]
        assert text in [item["text"] for item in items], f"{alias} cannot read it"


def too_late_in_pair(_house: House, screen: Screen, line: Line) -> None:
    message = {"room": screen.pair, "key": str(uuid.uuid4()), "text": line.words["text"]}
    ack = screen.ask("message.send", message)
    assert ack["code"] == "closed", ack


def rates(house: House, screen: Screen, line: Line) -> None:
    """The two closing questions."""
    well(screen.post(f"/ruimte/{screen.main}/slotvragen", session=house.session, **line.words))
    for step, number in line.words.items():
        house.record.answered.append(Answered(screen.alias, step, "counted", json.dumps([number])))


ACTS = {
    "comes": comes,
    "cannot come": cannot_come,
    "falls asleep": leaves,
    "loses the connection": leaves,
    "wakes up": returns,
    "comes back": returns,
    "opens the room anew": opens_anew,
    "says": says,
    "may not write": may_not_write,
    "takes the turn": takes_turn,
    "passes": passes,
    "raises a hand": raises,
    "lowers the hand": lowers,
    "edits": edits,
    "reacts": reacts,
    "answers": answers,
    "asks for a pause": asks_pause,
    "writes to the facilitators": writes_note,
    "says in the pair": says_in_pair,
    "is too late in the pair": too_late_in_pair,
    "rates": rates,
}
