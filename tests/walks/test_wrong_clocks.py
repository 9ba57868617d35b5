"""Phones whose clocks are hours off show the same seconds left as everybody else's, while it runs and in a pause."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.replay import acts_lead, script
from tests.replay.house import House
from tests.replay.script import Line

PLAY = script.read(Path(__file__).parents[1] / "replay" / "play.toml")
HOURS = {"Mees_duin": 0.0, "Noor_eik": -5.0, "Toon_riet": 26.5}
OFF = """
const right = Date
globalThis.Date = class extends right {
  constructor(...at) { if (at.length) super(...at); else super(right.now() + OFF) }
  static now() { return right.now() + OFF }
}
"""


@pytest.fixture
def house(tmp_path: Path, migrated_sqlite: Path) -> Iterator[House]:
    """A session at its first step, of which a minute is gone."""
    shutil.copyfile(migrated_sqlite, tmp_path / "samen.db")
    made = House(tmp_path, f"sqlite:///{tmp_path / 'samen.db'}", PLAY)
    made.server.start()
    for does in ("plans", "comes"):
        acts_lead.ACTS[does](made, made.screens[PLAY.lead], Line(0, PLAY.lead, does, {}))
    made.set(PLAY.begins)
    assert acts_lead.change(made, made.screens[PLAY.lead], "open")["ok"]
    made.advance(1)
    yield made
    made.close()


def test_every_phone_shows_the_same_seconds_left(browser: Browser, house: House) -> None:
    phones = {alias: phone(browser, house, alias, hours) for alias, hours in HOURS.items()}
    told = {alias: page.evaluate("new Date().getTime()") for alias, page in phones.items()}
    assert told["Toon_riet"] - told["Noor_eik"] > 31 * 3_600_000, "the clocks are not wrong: this proves nothing"
    for page in phones.values():
        assert 200 < seconds(page) <= 240  # of five minutes one is gone, and a moment since
    assert acts_lead.change(house, house.screens[PLAY.lead], "pauze", on=1)["ok"]
    for page in phones.values():
        expect(page.locator("[data-paused]:visible")).to_be_visible()
        expect(page.locator("[data-count=step]:visible")).to_have_text("nog 4:00")
    assert acts_lead.change(house, house.screens[PLAY.lead], "langer")["ok"]
    for page in phones.values():
        expect(page.locator("[data-count=step]:visible")).to_have_text("nog 6:00")
        page.context.close()


def phone(browser: Browser, house: House, alias: str, hours: float) -> Page:
    """Somebody's page of the running session, on a phone whose clock is so many hours off."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="nl-NL")
    context.add_init_script(OFF.replace("OFF", str(round(hours * 3_600_000))))
    context.add_cookies([{"name": "samen_session", "value": house.people[alias].token, "url": house.server.url}])
    page = context.new_page()
    page.goto(f"{house.server.url}/ruimte/{house.room}")
    return page


def seconds(page: Page) -> int:
    minutes, of_a_minute = page.locator("[data-count=step]:visible").inner_text().rpartition(" ")[2].split(":")
    return 60 * int(minutes) + int(of_a_minute)
