"""What a page asks of a phone on a poor line: the scripts and style sheets it loads at once, as they travel (gzip)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from groups.led import sessions
from tests.guards.conftest import world_in
from tests.world import World

STATIC = Path(__file__).resolve().parents[2] / "static"
KB = 1000
SCRIPTS = {"a room": 30 * KB, "a session": 35 * KB, "the cockpit": 40 * KB}
SHEETS = 20 * KB

# Fetched when a person first does something, or never. Every other `import(…)` counts as loaded at once.
ON_FIRST_USE = {
    "room.js": {"message-menu.js"},
    "message-send.js": {"message-about.js", "message-call.js"},
    "climate.js": {"topics.js"},
    "session.js": {"breath.js"},
    "session-step.js": {"page.js", "draft.js"},
    "session-mine.js": {"merge.js"},
    "main.js": {"code.js", "kept.js"},
}
_STATIC_IMPORT = re.compile(r"^(?:import|export)\b[^'()]*'([^']+)'", re.M)
_DYNAMIC_IMPORT = re.compile(r"import\(([^)]*)\)")
_WANTED = re.compile(r"^  \['(.+)', '\./([\w-]+\.js)', '\w+'\],$", re.M)


class Markup(HTMLParser):
    """The elements of a page, and what its head links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def has(self, selector: str) -> bool:
        """Whether one of these selectors finds anything: only those of main.js are understood."""
        return any(self._finds(one.strip()) for one in selector.split(","))

    def _finds(self, selector: str) -> bool:
        understood = re.fullmatch(r"(\w*)\[([\w-]+)\](?::not\(\[\2=\"\"\]\))?", selector)
        assert understood, f"Teach this test what {selector} means."
        tag, name = understood.groups()
        filled = ":not" in selector
        return any(
            tag in ("", found) and name in attrs and not (filled and not attrs[name]) for found, attrs in self.elements
        )

    def sheets(self) -> list[str]:
        return [
            str(attrs["href"]).split("?")[0].rsplit("/", 1)[1]
            for tag, attrs in self.elements
            if tag == "link" and attrs.get("rel") == "stylesheet"
        ]

    def scripts(self) -> set[str]:
        """Every module this page loads before anybody does anything."""
        body = next(attrs for tag, attrs in self.elements if tag == "body")
        seen: set[str] = set()
        todo = ["main.js"] + [path for selector, path in _WANTED.findall(_text("main.js")) if self.has(selector)]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += [Path(path).name for path in _STATIC_IMPORT.findall(_text(name))]
                todo += _at_once(name, leads="data-cockpit" in body)
        return seen


def _at_once(name: str, *, leads: bool) -> Iterator[str]:
    later = ON_FIRST_USE.get(name, set())
    for what in _DYNAMIC_IMPORT.findall(_text(name)):
        paths = {Path(path).name for path in re.findall(r"'(\./[^']+)'", what)}
        if name == "session.js" and len(paths) == 2:
            paths -= {"session-mine.js" if leads else "cockpit.js"}
        yield from paths - later


def _file(name: str) -> Path:
    return STATIC / ("vendor" if name.startswith("socket.io") else name.rsplit(".", 1)[1]) / name


def _text(name: str) -> str:
    return _file(name).read_text(encoding="utf-8")


def weights(names: list[str] | set[str]) -> dict[str, int]:
    return {name: len(gzip.compress(_file(name).read_bytes(), 9, mtime=0)) for name in names}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[dict[str, Markup]]:
    with world_in(tmp_path_factory.mktemp("weight"), migrated_sqlite) as world:
        yield dict(_seen(world))


def _seen(world: World) -> Iterator[tuple[str, Markup]]:
    client, leader = world.people["Noor"], world.people["Hanna"]
    room = f"/ruimte/{world.things['room']}"
    asked = {"a session": (client, room), "the cockpit": (leader, f"/bijeenkomst/{world.things['session']}")}
    asked |= {"a day": (client, "/vandaag"), "a colleague's day": (leader, "/vandaag")}
    for name, (person, path) in asked.items():
        yield name, _page(world, person.token, path)
    with world.database.work(leader.known) as w:
        sessions.close(w, world.things["session"], int(world.things["version"]))
    yield "a room", _page(world, client.token, room)


def _page(world: World, token: str, path: str) -> Markup:
    answer = world.client(token).get(path)
    assert answer.status_code == 200, path
    return Markup(answer.get_data(as_text=True))


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_a_page_loads_at_once_stay_within_their_budget(pages: dict[str, Markup], name: str) -> None:
    found = weights(pages[name].scripts())
    assert {"room.js", "socket.io.js"} <= set(found), "this is not the page it was"
    assert ("session.js" in found) == (name != "a room")
    assert sum(found.values()) <= SCRIPTS[name], found


def test_the_style_sheets_of_a_page_stay_within_their_budget(pages: dict[str, Markup]) -> None:
    for name, page in pages.items():
        found = weights(page.sheets())
        assert len(found) > 4, name
        assert sum(found.values()) <= SHEETS, (name, sum(found.values()), found)


def test_what_is_said_to_come_on_first_use_is_imported_nowhere_at_once(pages: dict[str, Markup]) -> None:
    for name, later in ON_FIRST_USE.items():
        for module in later:
            assert f"import('./{module}')" in _text(name), f"{name} no longer fetches {module}"
    first = {"message-menu.js", "message-about.js", "message-call.js", "view.js", "topics.js", "breath.js", "merge.js"}
    assert not first & (pages["a session"].scripts() | pages["a room"].scripts())
