"""What the facilitator does in a play, through the forms of the cockpit."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from typing import Any

from groups import rooms
from groups.led import holding
from tests.replay.acts_member import heard, number_of, says, well
from tests.replay.house import House
from tests.replay.record import Noted, Said, Secret
from tests.replay.screen import Screen
from tests.replay.script import ZONE, Line


def change(house: House, screen: Screen, what: str, **fields: Any) -> dict[str, Any]:
    """Change the session, from the version that this screen shows."""
    version = screen.view.version or house.version()
    return screen.post(f"/bijeenkomst/{house.session}/{what}", version=version, **fields)


def plans(house: House, screen: Screen, _line: Line) -> None:
    at = house.play.begins.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
    fields = {"group": house.group, "chapter": "", "starts_at": at, "minutes": house.play.minutes}
    house.session = well(screen.post("/bijeenkomsten", **fields))["location"].rpartition("/")[2]


def arranges(house: House, screen: Screen, line: Line) -> None:
    """Another length for a line of the run-sheet."""
    found = next(one for one in house.sheet() if one.step.id == line.words["line"])
    fields = {"minutes": line.words["minutes"], "phase": found.phase}
    well(change(house, screen, f"draaiboek/{found.ref}", **fields))


def adds(house: House, screen: Screen, line: Line) -> None:
    """A question of one's own on the run-sheet."""
    words = dict(line.words)
    before = words.pop("before")
    position = next(one.position for one in house.sheet() if one.step.id == before)
    well(change(house, screen, "draaiboek", kind="question", prompt="", options="", position=position, **words))


def comes(house: House, screen: Screen, _line: Line) -> None:
    assert screen.get(f"/bijeenkomst/{house.session}").status == 200
    screen.connect()


def opens(house: House, screen: Screen, line: Line) -> None:
    """Open the session, with as many minutes in each phase as the play says."""
    minutes: Counter[str] = Counter()
    for one in house.sheet():
        minutes[one.phase] += one.minutes
    assert minutes == line.words["phases"], minutes
    well(change(house, screen, "open"))


def goes_on(house: House, screen: Screen, line: Line) -> None:
    """To the next step. A second click, made from the same screen, moves nothing."""
    version, state = screen.view.version, screen.view.shown()
    assert state is not None
    fields = {"version": version, "position": state["position"] + 1}
    well(screen.post(f"/bijeenkomst/{house.session}/stap", **fields))
    if line.words.get("twice"):
        again = screen.post(f"/bijeenkomst/{house.session}/stap", **fields)
        assert again["code"] == "closed", again


def begins_round(house: House, screen: Screen, _line: Line) -> None:
    well(change(house, screen, "ronde"))


def gives_turn(house: House, screen: Screen, line: Line) -> None:
    well(change(house, screen, "ronde/verder", alias=line.words["to"]))


def gives_word(house: House, screen: Screen, line: Line) -> None:
    well(screen.post(f"/bijeenkomst/{house.session}/woord", alias=line.words["to"]))
    heard(house.screens[line.words["to"]], "word")


def releases(house: House, screen: Screen, line: Line) -> None:
    """Read what is held, in the cockpit, and let it through: from now on everybody may read it."""
    author = line.words["of"]
    with house.reading(screen.alias) as r:
        case = next(w.ref for w in holding.here(r, rooms.place(r, house.room)) if w.held and w.alias == author)
    page = screen.get(f"/bijeenkomst/{house.session}/vastgehouden/{case}")
    secret = house.record.secrets[-1]
    assert secret.text in page.text
    assert secret.readers == {author, screen.alias}
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version
    secret.since = house.line
    well(screen.post(f"/beoordelen/{case}", version=version[1], decision="release"))
    heard(house.screens[author], "released")
    house.record.said.append(Said(author, secret.text, number_of(screen, secret.text)))


def asks(house: House, screen: Screen, line: Line) -> None:
    """Ask something that was not on the run-sheet."""
    words = line.words | {"options": "\n".join(line.words["options"])}
    well(change(house, screen, "vraag", **words))


def fence(house: House) -> None:
    """All that was sent to anybody so far has come in: an answer does not overtake it."""
    for screen in house.awake():
        well(screen.ask("room.sync", {"room": screen.room, "after": 10**6}))


def shows(house: House, screen: Screen, _line: Line) -> None:
    """Show everybody what was answered: what everybody sees then is what the play says, and no more."""
    state = screen.view.shown()
    assert state is not None
    title, sharing = state["step"]["title"], state["step"]["sharing"]
    fence(house)
    shown = [one for one in house.record.answered if one.step == title and one.sharing == sharing]
    texts = {one.value for one in shown}
    house.record.revealed_at[title] = house.line
    for secret in house.record.secrets:
        if secret.text in texts:
            secret.since = house.line
    well(change(house, screen, "toon"))
    for one in house.here():
        assert one.until(lambda view: bool((view.shown() or {})["answers"]["revealed"])), f"{one.alias} sees nothing"
        got = (one.view.shown() or {})["answers"]
        assert sorted(got["pooled"]) == (sorted(texts) if sharing == "pooled" else []), got
        names = [{"alias": a.alias, "text": a.value} for a in shown] if sharing == "shared" else []
        assert got["shared"] == names, got
    fence(house)


def cannot_show(house: House, screen: Screen, _line: Line) -> None:
    answer = change(house, screen, "toon")
    assert answer["code"] == "invalid", answer


def pauses(house: House, screen: Screen, _line: Line) -> None:
    """A pause, which also answers the quiet signs."""
    assert any(member["pause"] for member in screen.view.roster)
    well(change(house, screen, "pauze", on=1))
    assert screen.until(lambda view: not any(member["pause"] for member in view.roster))


def resumes(house: House, screen: Screen, _line: Line) -> None:
    well(change(house, screen, "pauze", on=0))


def breathes(house: House, screen: Screen, line: Line) -> None:
    well(change(house, screen, "adem", kind="breath", minutes=line.words["minutes"]))


def answers_note(house: House, screen: Screen, line: Line) -> None:
    """Answer a member's note, sent twice: the member hears of it, and reads it on their page."""
    alias, text = line.words["to"], line.words["text"]
    house.record.secrets.append(Secret(text, frozenset({alias, screen.alias})))
    fields = {"alias": alias, "text": text, "key": str(uuid.uuid4())}
    for _again in range(2):
        well(screen.post(f"/bijeenkomst/{house.session}/notities", **fields))
    member = house.screens[alias]
    heard(member, "note")
    assert text in member.get(f"/ruimte/{house.room}").text
    assert text in screen.get(f"/bijeenkomst/{house.session}/notities").text
    house.record.noted.append(Noted(alias, True, text))


def pairs(house: House, screen: Screen, line: Line) -> None:
    """Everybody in pairs: each hears where they are awaited, and goes there."""
    well(change(house, screen, "twee-aan-twee", minutes=line.words["minutes"]))
    for member in [one for one in house.here() if one is not screen]:
        assert member.until(lambda view: any(n["kind"] == "breakout" for n in view.notices)), member.alias
        notice = next(n for n in member.view.notices if n["kind"] == "breakout")
        member.view.notices.clear()
        assert member.browser.get(f"/ruimte/{house.room}").headers["location"].endswith(notice["room"])
        member.go_to(notice["room"])
        assert member.seconds_aside == notice["seconds"] == 60 * line.words["minutes"]


def closes(house: House, screen: Screen, _line: Line) -> None:
    well(change(house, screen, "sluit"))


ACTS = {
    "says": says,
    "plans": plans,
    "arranges": arranges,
    "adds": adds,
    "comes": comes,
    "opens": opens,
    "goes on": goes_on,
    "begins a round": begins_round,
    "gives the turn": gives_turn,
    "gives the word": gives_word,
    "releases": releases,
    "asks": asks,
    "shows the answers": shows,
    "cannot show it yet": cannot_show,
    "has nothing to show": cannot_show,
    "pauses": pauses,
    "resumes": resumes,
    "breathes": breathes,
    "answers a note": answers_note,
    "sends into pairs": pairs,
    "closes": closes,
}
