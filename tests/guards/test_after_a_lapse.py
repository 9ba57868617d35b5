"""After a lapse: a client opens every page there is, before and after telling of a lapse and a relapse.

In both languages: no number on any page falls because of it, at that moment or a day later, and none has a word that
shames.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import SequenceMatcher
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import update

from app.accounts.models import Person
from app.core import clock, ids
from app.core.i18n import LANGUAGES
from groups import rooms
from groups.models import StepDone, UrgeRide
from groups.programme.curriculum import programme
from matching import checkins, practice
from matching.models import RelapseReport
from matching.practice import History, Numbers
from tests.conftest import FrozenClock
from tests.guards import doors
from tests.guards.conftest import world_in
from tests.guards.doors import Door
from tests.guards.test_matrix import MATRIX, cells
from tests.guards.test_words import SHAMING
from tests.world import World

DAYS = 12  # that Mees practised, up to yesterday
OFTEN = {"insight.show GET", "today.show GET", "buddies.duo GET", "programme.chapters GET", "accounts.more GET"}
MONTHS = "jan|feb|mrt|mar|apr|mei|may|jun|jul|aug|sep|okt|oct|nov|dec"
WHEN = re.compile(rf"\b\d{{1,2}}[.:]\d{{2}}\b|\b\d{{1,2}} (?=(?:{MONTHS}))|\b20\d\d\b", re.I)  # a moment is no counter
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


# ---------- reading a page ----------


class Text(HTMLParser):
    """What a page says, piece by piece: its text, what is read aloud, how far bars are; cells of a table by place."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._skipped = 0
        self._row = self._cell = 0
        self._where = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in ("script", "style", "template"):
            self._skipped += 1
        if tag == "table":
            self._row = 0
        if tag == "tr":
            self._row, self._cell = self._row + 1, 0
        if tag in ("td", "th"):
            self._cell += 1
            self._where = f"({self._row};{self._cell}) ".translate(str.maketrans("0123456789", "abcdefghij"))
        if tag == "progress":
            self._say(f"{known.get('aria-label') or 'progress'}: {known.get('value') or 0}")
        for name in ("aria-label", "title", "alt", "placeholder"):
            self._say(known.get(name) or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "template"):
            self._skipped -= 1
        if tag in ("td", "th"):
            self._where = ""

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._say(data)

    def _say(self, words: str) -> None:
        if words.strip():
            self.pieces.append(self._where + " ".join(words.split()))


def fallen(before: str, after: str) -> list[str]:
    """The pieces of a page that stand in both, but with a smaller number afterwards."""
    then, now = ([WHEN.sub("@", piece) for piece in Text(page).pieces] for page in (before, after))
    matched = SequenceMatcher(
        None, *([NUMBER.sub("#", piece) for piece in seen] for seen in (then, now)), autojunk=False
    )
    return [
        f"{then[a + n]} -> {now[b + n]}"
        for a, b, size in matched.get_matching_blocks()
        for n in range(size)
        if any(y < x for x, y in zip(_numbers(then[a + n]), _numbers(now[b + n]), strict=True))
    ]


def shaming(page: str) -> list[str]:
    """Every word on a page that shames, with what stands around it; also where it is written in two pieces."""
    said = " ".join(Text(page).pieces)
    return [said[max(0, found.start() - 40) : found.end() + 40] for found in SHAMING.finditer(said)]


def _numbers(piece: str) -> list[float]:
    return [float(found.replace(",", ".")) for found in NUMBER.findall(piece)]


# ---------- a client, and what they do ----------


def lines_of_a_client() -> list[str]:
    """The door of every page that a client can open; the one at an institution is for staff."""
    pages = [line for line in MATRIX if Door.read(line).method == "GET" and not line.startswith("institution.")]
    return [line for line in pages if cells(line)["Mees"] in "yc"]


@dataclass(frozen=True, slots=True)
class Walk:
    """Mees, who practised for days, and a clock that stands still while pages are read."""

    world: World
    clock: FrozenClock

    def practise(self) -> None:
        """A check-in, an urge ridden out and a step of the programme, on each of the last days."""
        mees, now = self.world.people["Mees"].known, self.clock.at
        with self.world.database.work() as w:
            w.db.execute(update(RelapseReport).values(kind="urge"))  # what they told before
        for number in range(DAYS):
            self.clock.at = now - timedelta(days=DAYS - number)
            with self.world.database.work(mees) as w:
                found = rooms.place(w, self.world.things["room"])
                for question, value in (("mood", "4"), ("urge", "1"), ("share", "all")):
                    checkins.save(w, found, question, value)
                ref = ids.public_id()
                rode = json.dumps({"before": 8, "after": 3, "helped": "", "outcome": "rode"})
                w.db.add(
                    UrgeRide(
                        public_id=ref,
                        person_id=mees.person_id,
                        key=str(uuid.uuid4()),
                        started_at=w.now,
                        ended_at=w.now,
                        minutes=15,
                        content=w.ring.seal(mees.person_id, UrgeRide.content, ref, rode),
                    )
                )
                step = programme(found.programme, "nl").chapters[0].path[number % 6].id
                about = {"membership_id": found.membership_id, "programme": found.programme, "step": step}
                if number < 6:
                    w.db.add(StepDone(**about, chapter="understanding", done_on=w.now.date()))
        self.clock.at = now

    def pages(self, lines: Iterable[str]) -> dict[str, str]:
        """What Mees sees behind these doors, as everything is now."""
        self.world.keep()
        mees, found = self.world.people["Mees"], {}
        for line in lines:
            self.world.restore()
            answer = doors.open_route(self.world, Door.read(line), mees, confirmed=cells(line)["Mees"] == "c")
            if answer.status_code == 200 and answer.mimetype == "text/html":
                found[line] = answer.get_data(as_text=True)
        self.world.restore()
        return found

    def speak(self, language: str) -> None:
        with self.world.database.work() as w:
            mees = self.world.people["Mees"].known.person_id
            w.db.execute(update(Person).where(Person.id == mees).values(language=language))

    def tell(self, kind: str, **whom: str) -> None:
        """Tell of a lapse or a relapse, screen by screen, as a client does."""
        browser = self.world.client(self.world.people["Mees"].token)
        begun = browser.post("/verslag", data={"kind": kind, "key": str(uuid.uuid4())}).location or ""
        here = begun.removesuffix("/dank")
        browser.post(f"{here}/veilig", data={"safe": "yes"})
        assert browser.post(f"{here}/wie", data=whom).location == here
        assert browser.post(f"{here}/kijken", data={"part": "thought", "text": "Ik was moe"}).status_code == 303


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Walk]:
    with world_in(tmp_path_factory.mktemp("lapse"), migrated_sqlite) as world:
        walk = Walk(world, FrozenClock(clock.system()))
        world.database.clock = walk.clock
        walk.practise()
        world.keep()
        yield walk


@pytest.fixture(scope="module", params=LANGUAGES)
def seen(request: pytest.FixtureRequest, walk: Walk) -> dict[str, dict[str, str]]:
    """Every page: before, after a lapse, after a relapse too, and a day later with both and with neither."""
    found: dict[str, dict[str, str]] = {}
    now = walk.clock.at
    try:
        with walk.world.for_a_while():
            walk.speak(request.param)
            found["before"] = walk.pages(LINES)
            walk.clock.forward(days=1)
            found["a day later without"] = walk.pages(LINES)
            walk.clock.at = now
            walk.tell("lapse", nobody="1")
            found["after a lapse"] = walk.pages(LINES)
            walk.tell("relapse", who="facilitator")
            found["after a relapse"] = walk.pages(LINES)
            walk.clock.forward(days=1)
            found["a day later"] = walk.pages(LINES)
    finally:
        walk.clock.at = now
    return found


LINES = lines_of_a_client()


def test_it_reads_every_page_of_a_client(seen: dict[str, dict[str, str]]) -> None:
    for when, pages in seen.items():
        assert set(pages) >= OFTEN, when
        assert len(pages) > 35, when
    marks = [seen[when]["insight.show GET"].count("slipmark") for when in ("before", "after a lapse", "a day later")]
    assert marks == [0, 1, 1]  # it was told, and it is shown
    for pages in seen.values():
        assert f"<dd>{DAYS + 1}</dd>" in pages["insight.show GET"]  # today too


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("before", "after a lapse"),
        ("before", "after a relapse"),
        ("after a lapse", "after a relapse"),
        ("a day later without", "a day later"),
    ],
)
def test_no_number_on_any_page_falls(seen: dict[str, dict[str, str]], before: str, after: str) -> None:
    for line, page in seen[before].items():
        assert fallen(page, seen[after].get(line, page)) == [], line


def test_no_page_has_a_word_that_shames(seen: dict[str, dict[str, str]]) -> None:
    for when, pages in seen.items():
        for line, page in pages.items():
            assert shaming(page) == [], f"{line}, {when}"


# ---------- it would be noticed ----------


@pytest.mark.parametrize(
    "page",
    [
        "<h1>Je streak is gereset</h1>",
        "<p>Dag <b>0</b></p>",
        "<p aria-label='Dag 0'></p>",
        "<p>You failed</p>",
        "<button title='Begin vanaf nul'>Verder</button>",
        "<p>Weer mislukt.</p>",
        "<p>Back to square one</p>",
    ],
)
def test_a_word_that_shames_is_noticed(page: str) -> None:
    assert shaming(page)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>12 dagen achter elkaar</p>", "<p>0 dagen achter elkaar</p>"),
        ("<dt>dagen</dt><dd>41</dd>", "<p>Dank je.</p><dt>dagen</dt><dd>40</dd>"),
        ("<progress value='3' max='9'></progress>", "<progress value='2' max='9'></progress>"),
        ("<p aria-label='7 golven'></p>", "<p aria-label='6 golven'></p>"),
        ("<table><tr><td>1</td><td>4</td></tr></table>", "<table><tr><td>1</td><td>3</td></tr></table>"),
    ],
)
def test_a_number_that_falls_is_noticed(before: str, after: str) -> None:
    assert fallen(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>12 dagen</p>", "<p>13 dagen</p>"),
        ("<p>dinsdag 17 november 19.30</p>", "<p>woensdag 3 november 18.10</p>"),
        ("<p>3 berichten</p>", "<p>Fijn dat je het zegt.</p>"),
        (
            "<table><tr><td>3</td><td>.</td><td>5</td></tr></table>",
            "<table><tr><td>3</td><td>1</td><td>5</td></tr></table>",
        ),
    ],
)
def test_what_rises_moves_or_is_another_sentence_is_left_alone(before: str, after: str) -> None:
    assert fallen(before, after) == []


def test_a_count_of_the_days_since_the_last_lapse_is_noticed(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = practice.numbers

    def since_the_last(history: History, today: date) -> Numbers:
        last = max((lapse.day for lapse in history.lapses), default=date.min)
        return kept(replace(history, practised=tuple(p for p in history.practised if p.day >= last)), today)

    monkeypatch.setattr(practice, "numbers", since_the_last)
    with walk.world.for_a_while():
        before = walk.pages(["insight.show GET"])["insight.show GET"]
        walk.tell("relapse", nobody="1")
        after = walk.pages(["insight.show GET"])["insight.show GET"]
    assert fallen(before, after)
