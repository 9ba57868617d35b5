"""The shortcuts of the cockpit: the help sheet, the buttons and the script cannot say different things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from groups.led import sessions
from tests.guards.conftest import world_in
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
BY_THE_BROWSER = {"escape"}  # no control of its own: it shuts and leaves whatever is open
LISTS = ("data-held", "data-hands", "data-threads", "data-roster")  # reached by a key of the list, then by arrows


class Cockpit(HTMLParser):
    """What a cockpit's page says about keys."""

    VOID = frozenset({"input", "meta", "link", "br", "hr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sheet: dict[str, str] = {}  # name -> key, from the help sheet
        self.controls: dict[str, set[str]] = {}  # name -> what controls of that name say their key is
        self.without: list[str] = []  # things to press that no key reaches
        self.wrong: list[str] = []  # keys on a control that are another's
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._kbd = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in self.VOID:
            self._open.append((tag, found))
        if "data-key" in found and "data-for" in found:
            self.sheet[str(found["data-for"])] = str(found["data-key"])
        if "data-does" in found:
            said = str(found.get("aria-keyshortcuts") or "").removeprefix("Shift+")
            self.controls.setdefault(str(found["data-does"]), set()).add(said)
        if tag in ("button", "summary") and "data-does" not in found and not self._reached_otherwise():
            self.without.append(f"{tag} {found}")
        self._kbd = tag == "kbd" and not self._inside("data-sheet")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A shape of a drawing: nothing to press, nothing inside."""

    def handle_endtag(self, tag: str) -> None:
        self._kbd = False
        if tag in {name for name, _found in self._open}:
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._kbd:
            return
        around = [found for _tag, found in self._open if found.get("data-does")]
        if around and data not in (around[-1].get("aria-keyshortcuts"), "?"):
            self.wrong.append(f"{data} on {around[-1]}")

    def _inside(self, *names: str) -> bool:
        return any(name in found for _tag, found in self._open for name in names)

    def _reached_otherwise(self) -> bool:
        """In a list, a window that a key opens, the conversation, or the writing field."""
        classes = " ".join(str(found.get("class")) for _tag, found in self._open)
        return self._inside(*LISTS, "data-mould", "data-sheet", "data-composer", "data-cover", "data-does") or bool(
            re.search(r"\b(talk|pop__in|readers|preview-card|news|pop)\b", classes)
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("shortcuts"), migrated_sqlite) as made:
        yield made


@pytest.fixture(scope="module")
def pages(world: World) -> dict[str, Cockpit]:
    """The cockpit of a session that is planned, open and closed."""
    hanna = world.people["Hanna"]
    browser = world.client(hanna.token)

    def page(session: str) -> Cockpit:
        answer = browser.get(f"/bijeenkomst/{world.things[session]}")
        assert answer.status_code == 200
        return Cockpit(answer.get_data(as_text=True))

    planned, now = page("planned session"), page("session")
    with world.database.work(hanna.known) as w:
        sessions.close(w, world.things["session"], int(world.things["version"]))
    return {"planned": planned, "open": now, "closed": page("session")}


def test_every_key_on_the_sheet_reaches_a_control_and_says_the_same_there(pages: dict[str, Cockpit]) -> None:
    sheet = pages["open"].sheet
    assert len(sheet) > 15
    assert all(page.sheet == sheet for page in pages.values())
    reached = {name: keys for page in pages.values() for name, keys in page.controls.items()}
    assert set(sheet) - BY_THE_BROWSER == set(reached)
    for page in pages.values():
        for name, keys in page.controls.items():
            assert keys <= {sheet[name], ""}, name


def test_no_two_things_have_one_key(pages: dict[str, Cockpit]) -> None:
    keys = [key.lower() for key in pages["open"].sheet.values()]
    assert len(set(keys)) == len(keys)


def test_a_key_shown_on_a_control_is_its_own(pages: dict[str, Cockpit]) -> None:
    for page in pages.values():
        assert not page.wrong


def test_every_control_of_the_cockpit_has_a_key(pages: dict[str, Cockpit]) -> None:
    for state, page in pages.items():
        assert not page.without, state


def test_the_script_knows_no_key_by_heart() -> None:
    for script in (ROOT / "static/js").glob("cockpit*.js"):
        known = re.findall(r"key\)? ?===? ?'([^']+)'", script.read_text(encoding="utf-8"))
        assert set(known) <= {"Escape", "ArrowDown", "ArrowUp", "="}, script.name
