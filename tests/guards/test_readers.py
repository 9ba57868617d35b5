"""Who can read this? What the pages say about it is compared with who does read it: everybody opens every page there
is, follows every link and enters every room, and what they saw is searched for a word that only one person wrote.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app.core.actor import Actor
from app.core.permissions import Role
from app.core.work import Work
from groups import readers, rooms
from groups.agenda import runsheet, steering
from groups.house import topics
from groups.led import answering, notes, sessions, stage
from groups.models import Answer, Room, Seat
from groups.own import checkups, goals, urges
from groups.own import plan as prevention
from groups.people import glass
from groups.programme import exercises, sharing
from groups.readers import NOBODY, Readers, Writing
from groups.talk import editing, messages
from groups.talk.pace import Pace
from matching import checkins, plan, relapse
from matching.web import reports
from moderation import queue
from moderation.models import Case
from tests import builders
from tests.conftest import FrozenClock
from tests.guards import doors
from tests.guards.conftest import world_in
from tests.privacy.spying import STEP_NOBODY_WROTE_AT
from tests.world import World, write_answer

ROOM = {"Mees", "Noor", "Jip", "Bo", "Hanna"}  # who has a seat in the first group's room
REVIEW = {"Hanna", "Marit"}  # who leads that group, and who reviews for its organisation
NOT_FOLLOWED = ("/weg", "/s/", "/socket.io", "#")
# What is drawn anew each time: a page's keys, words for a slip, a secret for an app.
_DRAWN_PAGES = ("/woorden", "/tweede-stap/app")
_DRAWN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|csrf[-_]token\"[^>]*>")


@dataclass(frozen=True, slots=True)
class Written:
    """Something with a `mark` in it that stands nowhere else. `says` gives what its writer is told about its readers,
    `seen_by` are all who should find it. `held`: it waits, before it is placed; `danger`: it was placed, and is looked
    at; `before`: it stands just before what is held.
    """

    mark: str
    writer: str
    says: Callable[[World], Readers]
    seen_by: frozenset[str]
    held: bool = False
    danger: bool = False
    before: bool = False
    room: str = "room"

    @property
    def readers(self) -> frozenset[str]:
        return self.seen_by - {self.writer}


def in_room(writer: str, room: str) -> Callable[[World], Readers]:
    """What the page of a room says to somebody."""

    def says(world: World) -> Readers:
        with world.database.read(world.people[writer].known) as r:
            return readers.of_room(r, rooms.place(r, world.things[room]))

    return says


def at_step(writer: str, sharing: str) -> Callable[[World], Readers]:
    """What the page says to somebody about an answer."""

    def says(world: World) -> Readers:
        with world.database.read(world.people[writer].known) as r:
            return readers.of_answer(r, rooms.place(r, world.things["room"]), sharing)

    return says


def in_note(writer: str) -> Callable[[World], Readers]:
    """What the page says to somebody about a note to the facilitators."""

    def says(world: World) -> Readers:
        with world.database.read(world.people[writer].known) as r:
            return readers.of_note(r, rooms.place(r, world.things["room"]))

    return says


def in_run_sheet(writer: str) -> Callable[[World], Readers]:
    """What the page says to a facilitator about a line of their own."""

    def says(world: World) -> Readers:
        with world.database.read(world.people[writer].known) as r:
            return readers.of_run_sheet(r, rooms.place(r, world.things["room"]))

    return says


def beside(writer: str, of: Callable[[Work, rooms.Place], Readers]) -> Callable[[World], Readers]:
    """What is said to somebody about what they write beside the conversation of the first group's room."""

    def says(world: World) -> Readers:
        with world.database.read(world.people[writer].known) as r:
            return of(r, rooms.place(r, world.things["room"]))

    return says


def with_audience(writer: str, audience: str) -> Callable[[World], Readers]:
    """What the page says to somebody about an answer from home that they share."""

    def says(world: World) -> Readers:
        with world.database.read(world.people[writer].known) as r:
            place = rooms.place(r, world.things["pair room" if audience == "buddy" else "room"])
            return readers.of_share(r, place, audience)

    return says


def to_nobody(_world: World) -> Readers:
    """What the page says about what stays one's own."""
    return NOBODY


def written(
    mark: str, writer: str, says: Callable[[World], Readers], *seen_by: Collection[str], **more: Any
) -> Written:
    return Written(mark, writer, says, frozenset[str]().union(*seen_by), **more)


WRITTEN = (
    written("zevenvuurtoren", "Mees", in_room("Mees", "room"), ROOM),
    written("zevenkastanjes", "Mees", in_room("Mees", "room"), {"Mees"}, REVIEW, held=True),
    written("zevenpaardenbloem", "Mees", in_room("Mees", "room"), ROOM, REVIEW, before=True),
    written("zevenklaprozen", "Mees", in_room("Mees", "room"), ROOM, REVIEW, danger=True),
    written("zevenzeeschelp", "Mees", in_room("Mees", "pair room"), {"Mees", "Noor"}, room="pair room"),
    written("zevensneeuwklok", "Mees", in_room("Mees", "pair room"), {"Mees"}, REVIEW, held=True, room="pair room"),
    written("zevenappelboom", "Mees", at_step("Mees", "shared"), ROOM),
    written("zevenhazelnoot", "Noor", at_step("Noor", "shared"), {"Noor"}, REVIEW, held=True),
    written("zevenkruidnagel", "Jip", at_step("Jip", "private"), {"Jip"}),  # an answer that could have been shared
    written("zevenkoekoek", "Mees", in_note("Mees"), {"Mees", "Hanna"}),
    written("zevenslaper", "Noor", in_note("Noor"), {"Noor", "Hanna"}, REVIEW, danger=True),
    written("zevenhoutvuur", "Hanna", in_run_sheet("Hanna"), ROOM),
    written("zevenmolenwiek", "Mees", at_step("Mees", "private"), {"Mees"}),
    written("zevendakpan", "Mees", at_step("Mees", "private"), {"Mees"}),  # at home
    written("zevenberkentak", "Mees", with_audience("Mees", "group"), ROOM),  # shared from home
    written("zevenwaterval", "Mees", with_audience("Mees", "buddy"), {"Mees", "Noor"}, room="pair room"),
    written("zevenstoomboot", "Mees", with_audience("Mees", "staff"), {"Mees", "Hanna"}),
    written("zevendauwdruppel", "Noor", with_audience("Noor", "group"), {"Noor"}, REVIEW, held=True),
    written("zevenzonsopgang", "Jip", with_audience("Jip", "group"), ROOM, REVIEW, danger=True),
    written("zevengrasspriet", "Jip", with_audience("Jip", "staff"), {"Jip", "Hanna"}, REVIEW, danger=True),
    written(
        "zevenwolkenlucht", "Mees", to_nobody, {"Mees"}
    ),  # a line of a check-in: the buddy knows only that it is done
    written("zevenlantaarn", "Mees", to_nobody, {"Mees"}),  # what happened, in a report
    written("zevensterrenregen", "Mees", to_nobody, {"Mees"}),  # on the prevention plan
    written("zevenkeienstrand", "Mees", to_nobody, {"Mees"}),  # what helped, with a wave
    written("zevenregenboog", "Mees", in_room("Mees", "room"), ROOM, REVIEW, before=True),  # since it was changed
    written("zevenmosdak", "Mees", in_room("Mees", "room"), {"Mees"}, REVIEW, held=True),  # a change that waits
    written("zevenlindeblad", "Hanna", beside("Hanna", readers.of_note_back), {"Mees", "Hanna"}),
    written("zevenroggeveld", "Hanna", beside("Hanna", readers.of_topic), ROOM),
    written("zevenkampvuur", "Mees", beside("Mees", readers.of_goal), {"Mees", "Hanna"}),
    written("zevenhooiberg", "Noor", beside("Noor", readers.of_goal), {"Noor", "Hanna"}, REVIEW, danger=True),
    written("zevenvlonder", "Mees", to_nobody, {"Mees"}),  # in a check-up
    written("zevengrindpad", "Marit", lambda _world: queue.NOTE_READERS, {"Marit"}),
)
SAID_BEFORE = "zevenbriesje"  # in a message of Mees, until it was changed
SAID_BEFORE_REVIEW = "zevenschommel"  # the same, of a message that is looked at
POOLED = "zevenzandpad"  # in an answer of Mees that is shown without a name
SHARED_LINE = "zevenboterbloem"  # in Noor's check-in, shared with the buddy


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[World]:
    """The world with all of it written, and a clock that stands still."""
    with world_in(tmp_path_factory.mktemp("readers"), migrated_sqlite) as made:
        made.database.clock = FrozenClock(made.database.clock())
        _write(made)
        made.keep()
        yield made


@pytest.fixture(scope="module")
def seen(world: World) -> dict[str, dict[str, str]]:
    """All that everybody gets to see, by person and by where."""
    return everything(world)


def _write(world: World) -> None:
    people = {name: who.known for name, who in world.people.items() if who.actor}
    pace = Pace()

    def post(text: str, room: str = "room") -> None:
        mees = people["Mees"]
        command = messages.Post(mees.person_id, mees.session, world.things[room], str(uuid.uuid4()), text)
        with world.database.work() as w:
            answer = messages.post(w, [command], pace)[0]
        assert isinstance(answer, messages.Posted), answer

    def change(*texts: str) -> None:
        with world.database.work(people["Mees"]) as w:
            last = rooms.place(w, world.things["room"]).last_seq
            for text in texts:
                editing.edit(w, world.things["room"], last, text)

    post(f"Er stond een {SAID_BEFORE_REVIEW}")
    change("Er staat nu een zevenregenboog", f"{builders.RUDE} zevenmosdak")
    post("Ik stond stil bij een zevenpaardenbloem")
    post(f"{builders.RUDE} zevenkastanjes")
    post(f"{builders.CRISIS}, ook bij de zevenklaprozen")
    post(f"Vanmorgen zag ik een {SAID_BEFORE}")
    change("Vanmorgen liep ik naar de zevenvuurtoren")
    post("Ik vond een zevenzeeschelp", "pair room")
    post(f"{builders.RUDE} zevensneeuwklok", "pair room")
    for name, text in (("Mees", "Ik hoorde een zevenkoekoek"), ("Noor", f"{builders.CRISIS}, zei de zevenslaper")):
        with world.database.work(people[name]) as w:
            notes.send(w, world.things["room"], str(uuid.uuid4()), text)
    with world.database.work(people["Hanna"]) as w:
        line = runsheet.Words("theme", "text", "", "Rond een zevenhoutvuur", "Waar denk je dan aan?", (), 5)
        session, version = world.things["session"], int(world.things["version"])
        runsheet.add(w, session, version, 5, line)
    write_answer(world, people["Mees"], "in-the-moment", "Rust, als onder een zevenappelboom", share=True)
    write_answer(world, people["Noor"], "in-the-moment", f"{builders.RUDE} zevenhazelnoot", share=True)
    write_answer(world, people["Jip"], "in-the-moment", "Warmte, als zevenkruidnagel")
    write_answer(world, people["Mees"], "a-moment", "Een avond bij de zevenmolenwiek")
    write_answer(world, people["Mees"], "which-feeling", ["0"])
    with world.database.work(people["Mees"]) as w:
        place = rooms.place(w, world.things["room"])
        exercises.answer(w, place, "understanding", "a-moment", "Later, onder een zevendakpan")
        checkins.save(w, place, "line", "Veel zevenwolkenlucht vandaag")
        prevention.add(w, "risks", "Als ik thuiskom", "Kijken naar de zevensterrenregen")
        urges.finish(w, world.things["ride"], 2, "Lopen langs het zevenkeienstrand", "rode")
        relapse.write_analysis(w, world.things["report"], "trigger", "Bij de zevenlantaarn", plan.Clocks(120, 120))
    with world.database.work(people["Noor"]) as w:
        for question, value in (("mood", "4"), ("urge", "0"), ("line", "Een zevenboterbloem gezien"), ("share", "all")):
            checkins.save(w, rooms.place(w, world.things["room"]), question, value)
    _share(world, people)
    _meet(world, people)
    with world.database.work(people["Marit"]) as w:
        queue.decide(w, world.things["pair case"], 1, "reject", "tone", "Zie het zevengrindpad")


def _share(world: World, people: dict[str, Actor]) -> None:
    """Answers from home, each shared with one audience."""
    for name, step, text, audience in (
        ("Mees", "in-the-moment", "Stilte, als een zevenberkentak", "group"),
        ("Mees", ("triggers", "outside"), [["Bij de zevenwaterval", ""]], "buddy"),
        ("Mees", ("triggers", "inside"), [["Aan boord van de zevenstoomboot", ""]], "staff"),
        ("Noor", "in-the-moment", f"{builders.RUDE} zevendauwdruppel", "group"),
        ("Jip", "in-the-moment", f"{builders.CRISIS}, bij de zevenzonsopgang", "group"),
        ("Jip", "a-moment", f"{builders.CRISIS}, in de zevengrasspriet", "staff"),
    ):
        chapter, named = step if isinstance(step, tuple) else ("understanding", step)
        with world.database.work(people[name]) as w:
            place = rooms.place(w, world.things["room"])
            exercises.answer(w, place, chapter, named, text)
            assert sharing.share(w, place, chapter, named, audience).status != "preview"


def _meet(world: World, people: dict[str, Actor]) -> None:
    """An answer to a note, and a topic."""
    with world.database.work(people["Hanna"]) as w:
        text = "Dank je, zoals een zevenlindeblad"
        notes.answer(w, world.things["session"], "Mees_duin", str(uuid.uuid4()), text)
        topics.open_topic(w, world.things["group"], "Over het zevenroggeveld")
    with world.database.work(people["Mees"]) as w:
        goals.change(w, world.things["goal"], 4, "Niet na het zevenkampvuur")
        numbers = dict.fromkeys(checkups.QUESTIONS, "5")
        checkups.answer(w, world.things["check-up"], numbers, "Lopen over de zevenvlonder werkt")
    with world.database.work(people["Noor"]) as w:
        goals.ask(w, rooms.place(w, world.things["room"]), "pause", 12, f"{builders.CRISIS}, achter de zevenhooiberg")


def _pool(world: World) -> None:
    """A question of Hanna's own that three answered, to be shown without names."""
    with world.database.work(world.people["Hanna"].known) as w:
        row, found = steering.lead(w, world.things["session"])
        words = runsheet.Words("exercise", "question", "pooled", "Waar denk je aan?", "", (), 5)
        runsheet.add(w, row.public_id, row.version, row.position + 1, words)
        w.db.refresh(row)
        sessions.move(w, row.public_id, row.version, row.position + 1)
        step = stage.current(w, row, found).step.id
    for name, said in (("Mees", f"Net een {POOLED}"), ("Noor", "Een stille straat"), ("Jip", "De trein")):
        with world.database.work(world.people[name].known) as w:
            answering.answer(w, world.things["room"], step, said, few_ok=True)


def everything(world: World, *names: str) -> dict[str, dict[str, str]]:
    """What these people (all, if none is named) get to see: every page they can come to, every room they can enter."""
    return {name: _pages(world, name) | _rooms(world, name) for name in names or world.people}


def _pages(world: World, name: str) -> dict[str, str]:
    """Every page there is, filled with things of Mees and the first group, and every page that one links to."""
    to_open = _addresses(world)
    opened: dict[str, str] = {}
    browser = world.client(world.people[name].confirmed)
    while to_open:
        path = to_open.pop(0)
        world.restore()
        answer = browser.get(path)
        text = opened[path] = answer.get_data(as_text=True)
        assert answer.status_code < 500, (name, path)
        links = [answer.location or "", *re.findall(r'href="([^"]+)"', text if answer.mimetype == "text/html" else "")]
        fresh = (link.partition("#")[0].replace("&amp;", "&") for link in links if link.startswith("/"))
        fresh = (p for p in fresh if not p.startswith(NOT_FOLLOWED) and not STEP_NOBODY_WROTE_AT.match(p))
        to_open += [p for p in fresh if p not in opened and p not in to_open]
    return opened


def _addresses(world: World) -> list[str]:
    with world.database.read() as r:
        cases = r.db.scalars(select(Case.public_id)).all()
    others: list[dict[str, str]] = [{}, {"room": "pair room"}, {"ref": "draft"}, {"session": "closed session"}]
    more = [("case", case) for case in cases]
    more += [("question", question) for question in checkins.QUESTIONS] + [("step", step) for step in reports.STEPS]
    for name, value in more:
        world.things[f"{name} {value}"] = value
        others.append({name: f"{name} {value}"})
    pages = [door for door in doors.doors(world.site) if door.method == "GET" and door.name != "accounts.leave"]
    return list(dict.fromkeys(doors.address(world, door, of) for door in pages for of in others))


def _rooms(world: World, name: str) -> dict[str, str]:
    """What the live door tells on entering a room and on asking for what was said in it."""
    screens = doors.Screens(world)
    sid = screens.open(world.people[name])
    heard = {}
    for room in ("room", "pair room", "room two", "room B") if sid else ():
        for event in ("room.join", "room.sync"):
            world.restore()
            heard[f"{event}, {room}"] = json.dumps(screens.ask(sid, event, {"room": world.things[room], "after": 0}))
    return heard


def found_by(seen: dict[str, dict[str, str]], mark: str) -> dict[str, list[str]]:
    """Who saw a word, and where."""
    places = {name: [where for where, text in pages.items() if mark in text] for name, pages in seen.items()}
    return {name: where for name, where in places.items() if where}


def untrue(world: World, thing: Written, found: Collection[str], *, through_glass: str = "") -> list[str]:
    """What the writer is told that is not so, given who found it."""
    told, seats = thing.says(world), _seats(world, thing.room)
    readers_ = set(found) - {thing.writer, through_glass}
    roles = {name: world.people[name].known.role for name in readers_}
    seated = {name for name in readers_ if name in seats and not thing.held}
    reviewing = readers_ - seated
    named = {seats[name] for name in seated if seats[name] in told.names}
    wrong = []
    if not thing.held and (len(seated) - len(named), named) != (told.members, set(told.names)):
        wrong.append(f"read by {sorted(seated)}, said to be read by {told.members} members and {told.names}")
    if {roles[name] for name in reviewing} - (told.reviewers if _reviewed(thing, told) else set()):
        wrong.append(f"read by {sorted(reviewing)}, which is not said")
    if thing.held and {roles[name] for name in reviewing} != told.reviewers:
        wrong.append(f"held, and read by {sorted(reviewing)}, said to be read by {sorted(told.reviewers)}")
    if through_glass and world.people[through_glass].known.role not in told.outsiders:
        wrong.append(f"read by {through_glass} through broken glass, which is not said")
    return wrong


def _reviewed(thing: Written, told: Readers) -> bool:
    return thing.held or thing.danger or (thing.before and told.context)


def _seats(world: World, room: str) -> dict[str, str]:
    """Who has a seat in a room, and their alias there."""
    query = select(Seat.person_id, Seat.alias).join(Room).where(Room.public_id == world.things[room])
    with world.database.read() as r:
        aliases = {row.person_id: row.alias for row in r.db.execute(query)}
    people = [(name, who.actor.person_id) for name, who in world.people.items() if who.actor]
    return {name: aliases[person_id] for name, person_id in people if person_id in aliases}


@pytest.mark.parametrize("thing", WRITTEN, ids=lambda thing: thing.mark)
def test_what_is_written_is_found_by_its_readers_and_nobody_else(
    seen: dict[str, dict[str, str]], thing: Written
) -> None:
    found = found_by(seen, thing.mark)
    assert set(found) == thing.seen_by, found


@pytest.mark.parametrize("thing", WRITTEN, ids=lambda thing: thing.mark)
def test_what_the_writer_is_told_about_readers_is_so(
    world: World, seen: dict[str, dict[str, str]], thing: Written
) -> None:
    assert untrue(world, thing, found_by(seen, thing.mark)) == []


def test_a_line_of_a_check_in_is_read_by_the_buddy_it_was_shared_with(
    world: World, seen: dict[str, dict[str, str]]
) -> None:
    assert set(found_by(seen, SHARED_LINE)) == {"Noor", "Mees"}
    assert _seats(world, "pair room")["Mees"] in seen["Noor"]["/check-in/line"]


def test_what_a_message_said_before_is_read_by_its_writer_and_by_who_reviews_it(
    seen: dict[str, dict[str, str]],
) -> None:
    assert set(found_by(seen, SAID_BEFORE)) == {"Mees"}
    assert set(found_by(seen, SAID_BEFORE_REVIEW)) == {"Mees"} | REVIEW


def test_a_pooled_answer_is_read_by_the_room_once_it_is_shown_and_nowhere_with_a_name(world: World) -> None:
    looking = ("Mees", "Bo", "Hanna", "Ilse", "Marit")
    with world.for_a_while():
        _pool(world)
        world.keep()
        assert set(found_by(everything(world, *looking), POOLED)) == {"Mees"}
        with world.database.work(world.people["Hanna"].known) as w:
            row, _found = steering.lead(w, world.things["session"])
            sessions.reveal(w, row.public_id, row.version)
        world.keep()
        found = found_by(everything(world, *looking), POOLED)
        assert set(found) == {"Mees", "Bo", "Hanna"}
        told = at_step("Mees", "pooled")(world)
        assert (told.members, told.names) == (3, ("Hanna",))
        for text in (f"Mees_duin{between}Net een {POOLED}" for between in ("", ": ", "</b>")):
            assert found_by(everything(world, "Hanna"), text) == {}


def test_broken_glass_lets_one_facilitator_read_the_conversation_and_nothing_else(
    world: World, seen: dict[str, dict[str, str]]
) -> None:
    with world.for_a_while():
        with world.database.work(world.people["Ilse"].known) as w:
            glass.break_glass(w, world.things["group"], "danger", "Iemand belde bij de zevenheg")
        world.keep()
        after = everything(world, "Ilse", "Pieter", "Fenna", "Marit", "Anneke")
    for thing in WRITTEN:
        before, now = (set(found_by(pages, thing.mark)) & set(after) for pages in (seen, after))
        stands_in_the_group = thing.room == "room" and thing.says(world).outsiders and not thing.held
        assert now - before == ({"Ilse"} if stands_in_the_group else set()), thing.mark
        if stands_in_the_group:
            assert untrue(world, thing, thing.seen_by | now, through_glass="Ilse") == []
    assert set(found_by(after, "zevenheg")) == {"Ilse"}


def test_a_counted_answer_changes_nothing_that_anybody_else_sees(world: World, seen: dict[str, dict[str, str]]) -> None:
    with world.for_a_while():
        write_answer(world, world.people["Mees"].known, "which-feeling", ["4"])
        world.keep()
        after = everything(world, *ROOM, "Marit")
    changed = {name: _changed(seen[name], pages) for name, pages in after.items()}
    assert {name for name, where in changed.items() if where} == {"Mees"}, changed
    assert any(where.startswith("/ruimte/") for where in changed["Mees"])


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    same = [where for where in before if where not in _DRAWN_PAGES]
    return [where for where in same if _DRAWN.sub("", before[where]) != _DRAWN.sub("", after[where])]


def test_a_new_message_is_heard_by_whoever_has_a_seat(world: World) -> None:
    for room, expected in (("room", ROOM), ("pair room", {"Mees", "Noor"})):
        world.restore()
        screens = doors.Screens(world)
        for who in world.people.values():
            if screens.open(who):
                screens.ask(who.name, "room.join", {"room": world.things[room]})
        data = {"room": world.things[room], "key": str(uuid.uuid4()), "text": f"Een zevenduin in de {room}"}
        assert screens.ask("Mees", "message.send", data)["ok"]
        assert {name for name, _event, heard in screens.heard if "zevenduin" in json.dumps(heard)} == expected


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_pages_say_how_many_read_along_and_whom_by_name(world: World, language: str) -> None:
    world.restore()
    browser = world.client(world.people["Mees"].token)
    browser.post("/instellingen", data={"language": language, "theme": "system"})
    for room in ("room", "pair room"):
        told = in_room("Mees", room)(world)
        page = browser.get(f"/ruimte/{world.things[room]}").get_data(as_text=True)
        lines = re.findall(r'class="readers [^"]*">.*?</svg><span>(.*?)</span>', page, re.S)
        assert lines  # the last one stands at the field in which one writes to the room
        assert _numbers(lines[-1]) == ([told.members] if told.members else [])
        assert all(name in lines[-1] for name in told.names)
    world.restore()


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("names", [(), ("Hanna",), ("Hanna", "Ilse")])
@pytest.mark.parametrize("members", [0, 1, 2, 7])
def test_the_sentence_has_every_number_and_name(
    site: flask.Flask, members: int, names: tuple[str, ...], language: str
) -> None:
    told = Readers(members, names, frozenset({Role.MODERATOR}), frozenset({Role.FACILITATOR}), context=True)
    with site.test_request_context(), force_locale(language):
        page = "{% import 'components/readers.html' as reading with context %}{{ reading.sentence(readers) }}"
        sentence = flask.render_template_string(page, readers=told)
        whole = flask.render_template_string(page.replace("sentence", "line"), readers=told)
        alone = flask.render_template_string(page, readers=NOBODY)
        roles = [
            flask.render_template_string("{{ role|role_name }}", role=role)
            for role in (*told.reviewers, *told.outsiders)
        ]
    assert _numbers(sentence) == ([members] if members else [])
    assert [name for name in ("Hanna", "Ilse") if name in sentence] == list(names)
    assert sentence in whole
    assert all(role in whole for role in roles)
    assert alone.strip() not in ("", sentence.strip())


def _numbers(sentence: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", sentence)]


def test_an_answer_that_is_shown_to_who_leads_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.restore()
    thing = next(t for t in WRITTEN if t.mark == "zevenkruidnagel")
    shared = exercises._shared

    def all_of_them(w: Any, rows: Sequence[tuple[str, Answer]]) -> list[tuple[str, str]]:
        private = [(alias, exercises.value_of(w, row)) for alias, row in rows if row.sharing == "private"]
        return shared(w, rows) + private

    assert "Hanna" not in found_by(everything(world, "Hanna"), thing.mark)
    monkeypatch.setattr(exercises, "_shared", all_of_them)
    found = found_by(everything(world, "Hanna"), thing.mark)
    assert f"/bijeenkomst/{world.things['session']}" in found["Hanna"]
    assert untrue(world, thing, {*found, thing.writer}) != []


@pytest.mark.parametrize(
    ("mark", "kind", "lie"),
    [
        ("zevenvuurtoren", "group", Writing(glass=True)),
        ("zevenkastanjes", "group", Writing(seats=True)),
        ("zevenpaardenbloem", "group", Writing(seats=True, subject="message")),
        ("zevensneeuwklok", "pair", Writing(seats=True)),
        ("zevenappelboom", "shared", Writing()),
        ("zevenmolenwiek", "private", Writing(seats=True)),
        ("zevenkoekoek", "note", Writing(seats=True)),
        ("zevenkoekoek", "note", Writing()),
        ("zevenberkentak", "share group", Writing()),
        ("zevenwaterval", "share buddy", Writing()),
        ("zevenstoomboot", "share staff", Writing(seats=True)),
        ("zevengrasspriet", "share staff", Writing(leads=True)),
        ("zevenmosdak", "group", Writing(seats=True)),
        ("zevenhoutvuur", "run-sheet", Writing(leads=True)),
        ("zevenroggeveld", "topic", Writing()),
        ("zevenkampvuur", "goal", Writing(seats=True)),
        ("zevenhooiberg", "goal", Writing(leads=True)),
    ],
)
def test_a_sentence_that_leaves_readers_out_or_makes_them_up_is_noticed(
    world: World,
    seen: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    mark: str,
    kind: str,
    lie: Writing,
) -> None:
    thing = next(t for t in WRITTEN if t.mark == mark)
    monkeypatch.setitem(readers.WRITINGS, kind, lie)
    assert untrue(world, thing, found_by(seen, mark)) != []
