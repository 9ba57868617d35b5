"""What one does with messages, in a real browser: with scripts by keyboard and thumb, and without any."""

from __future__ import annotations

import re
import sqlite3

from playwright.sync_api import Browser, Page, expect

from tests.server import Server
from tests.walks.conftest import DESK, PHONE, Visitor
from tests.walks.test_every_page import come_in


def enter(browser: Browser, server: Server, name: str, device: dict[str, object] = PHONE, **more: object) -> Visitor:
    visitor = Visitor(browser, server, name, device, **more)
    come_in(visitor)
    visitor.go("/groep")
    if more.get("java_script_enabled", True):
        in_the_room(visitor)
    return visitor


def in_the_room(visitor: Visitor) -> None:
    """The page lives: before this, what is typed and clicked goes the way without scripts."""
    expect(visitor.page.locator("body[data-joined]")).to_have_count(1)


def alias_of(visitor: Visitor) -> str:
    found: str = visitor.page.evaluate("document.body.dataset.alias")
    return found


def write(page: Page, text: str) -> None:
    page.locator("#schrijf").fill(text)
    page.locator("[data-composer] .send").click()
    expect(page.locator(".msg--own", has_text=text).last.get_by_text(re.compile("geplaatst"))).to_be_visible()


def open_actions(page: Page, text: str) -> None:
    page.locator(".msg", has_text=text).first.locator("[data-more]").click()
    expect(page.locator("[data-actions]")).to_be_visible()


def test_answering_reacting_changing_and_taking_back_reach_everybody(browser: Browser, server: Server) -> None:
    mees = enter(browser, server, "mees", bypass_csp=True)
    noor = enter(browser, server, "noor", DESK)
    write(mees.page, "Zondagavond is het lastigst.")
    open_actions(noor.page, "Zondagavond")
    noor.page.get_by_role("button", name="Herken ik").click()
    expect(mees.page.locator(".msg__re")).to_have_text(f"herkenning van {alias_of(noor)}")
    expect(noor.page.locator(".msg__re").first).to_have_text("herkenning van jou")
    open_actions(noor.page, "Zondagavond")
    expect(noor.page.get_by_role("button", name="Herken ik")).to_have_attribute("aria-pressed", "true")
    noor.page.locator("[data-actions]").get_by_text("Antwoord", exact=True).click()
    expect(noor.page.locator("[data-about]")).to_contain_text("Zondagavond")
    write(noor.page, "Bij mij ook.")
    expect(mees.page.locator(".msg__quote")).to_contain_text("Zondagavond is het lastigst.")

    open_actions(mees.page, "Zondagavond is")
    mees.check("actions")
    mees.shot("message-actions")
    mees.page.locator("[data-actions] [data-change]").click()
    expect(mees.page.locator("#schrijf")).to_have_value("Zondagavond is het lastigst.")
    mees.page.locator("#schrijf").fill("Zaterdagavond is het lastigst.")
    mees.page.locator("[data-composer] .send").click()
    expect(noor.page.locator(".msg").first).to_contain_text("Zaterdagavond")
    expect(noor.page.locator(".msg__edited")).to_have_text("gewijzigd")
    expect(noor.page.locator(".msg__quote")).to_contain_text("Zaterdagavond")

    open_actions(mees.page, "Zaterdagavond is")
    mees.page.locator("[data-own] summary").click()
    mees.page.get_by_role("button", name="Ja, haal weg").click()
    expect(noor.page.locator(".msg__quote")).to_have_count(0)
    expect(noor.page.locator(".msg", has_text="lastigst")).to_have_count(0)  # soon enough to leave nothing behind
    expect(mees.page.locator(".msg", has_text="lastigst")).to_have_count(0)
    for visitor in (mees, noor):
        visitor.page.reload()
        expect(visitor.page.locator(".msg")).to_have_count(1)
        visitor.done()


def test_everything_can_be_reached_with_the_keyboard_and_escape_leads_back(browser: Browser, server: Server) -> None:
    mees, noor = (enter(browser, server, name, DESK) for name in ("mees", "noor"))
    write(mees.page, "Wie is er vanavond?")
    page = noor.page
    expect(page.locator(".msg")).to_have_count(1)
    page.locator(".msg [data-more]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-actions]")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('[data-actions]') !== null")
    page.keyboard.press("Escape")
    expect(page.locator("[data-actions]")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('[data-more]')")
    page.locator("#schrijf").press_sequentially("Ik, @")
    page.keyboard.type(alias_of(mees)[:2].lower())
    expect(page.get_by_role("option", name=alias_of(mees))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(page.locator("#schrijf")).to_have_value(f"Ik, @{alias_of(mees)} ")
    page.locator("#schrijf").press_sequentially("en jij?")
    page.locator("[data-composer] .send").click()
    expect(mees.page.locator(".call--me")).to_have_text(f"@{alias_of(mees)}")
    expect(mees.page.locator("[data-notice]")).to_contain_text("Iemand noemde je schuilnaam")
    page.locator(".msg--own [data-more]").focus()
    write(mees.page, "Ik ook")  # a list that grows takes the focus from nobody
    expect(page.locator(".msg")).to_have_count(3)
    assert page.evaluate("document.activeElement.matches('.msg--own [data-more]')")
    for visitor in (mees, noor):
        visitor.done()


def test_what_is_typed_survives_a_reload_and_nobody_else_finds_it(browser: Browser, server: Server) -> None:
    mees = enter(browser, server, "mees")
    mees.page.locator("#schrijf").fill("Nog niet af")
    mees.page.reload()
    in_the_room(mees)
    expect(mees.page.locator("#schrijf")).to_have_value("Nog niet af")
    mees.go("/meer")
    mees.page.locator("form[action='/uit'] button").click()
    mees.page.wait_for_url(f"{server.url}/")
    assert mees.page.evaluate("Object.keys(sessionStorage).length") == 0
    come_in(mees)
    mees.go("/groep")
    in_the_room(mees)
    expect(mees.page.locator("#schrijf")).to_have_value("")
    mees.done()


def test_what_is_written_without_a_connection_goes_out_once_when_it_is_back(browser: Browser, server: Server) -> None:
    mees, noor = enter(browser, server, "mees"), enter(browser, server, "noor")
    write(mees.page, "Ben je er nog?")
    mees.context.set_offline(True)
    mees.page.locator("#schrijf").fill("Ik ga zo slapen")
    mees.page.locator("[data-composer] .send").click()
    expect(mees.page.locator(".msg--waiting")).to_have_count(1)
    expect(mees.page.locator("[data-offline]")).to_be_hidden()
    expect(mees.page.locator("[data-offline]")).to_be_visible(timeout=6_000)
    mees.context.set_offline(False)
    expect(mees.page.locator(".msg--waiting")).to_have_count(0, timeout=40_000)
    expect(noor.page.locator(".msg", has_text="slapen")).to_have_count(1)
    mees.page.reload()
    expect(mees.page.locator(".msg", has_text="slapen")).to_have_count(1)
    mees.trouble.clear()  # the browser says that it was offline
    for visitor in (mees, noor):
        visitor.done()


def test_all_of_it_works_without_scripts(browser: Browser, server: Server) -> None:
    mees, noor = (enter(browser, server, name, java_script_enabled=False) for name in ("mees", "noor"))
    mees.page.locator("#schrijf").fill("Zondagavond is het lastigst.")
    mees.page.get_by_role("button", name="Verstuur").click()
    page = noor.go("/groep")
    page.get_by_role("link", name=re.compile("Wat wil je met dit bericht")).click()
    page.get_by_role("button", name="Sterkte").click()
    expect(page.locator(".msg__re")).to_have_text("sterkte van jou")
    page.get_by_role("link", name=re.compile("Wat wil je met dit bericht")).click()
    page.get_by_role("link", name="Antwoord", exact=True).click()
    expect(page.locator("[data-about]")).to_contain_text("Zondagavond")
    page.locator("#schrijf").fill("Bij mij ook.")
    page.get_by_role("button", name="Verstuur").click()
    expect(page.locator(".msg__quote")).to_contain_text("Zondagavond")

    page = mees.go("/groep")
    page.get_by_role("link", name=re.compile("Wat wil je met je bericht")).click()
    page.get_by_role("link", name="Wijzig", exact=True).click()
    page.locator("#schrijf").fill("Bel me op 06 12345678")
    page.get_by_role("button", name="Verstuur").click()
    page.get_by_role("button", name="Verstuur het zo").click()
    expect(page.locator(".msg--own")).to_contain_text("Bel me op [telefoonnummer]")
    expect(page.locator(".msg--own")).to_contain_text("gewijzigd")
    page.get_by_role("link", name=re.compile("Wat wil je met je bericht")).click()
    page.locator("[data-own] summary").click()
    page.get_by_role("button", name="Ja, haal weg").click()
    expect(page.locator(".msg")).to_have_count(1)
    page = noor.go("/groep")
    expect(page.locator(".msg")).to_have_count(1)
    expect(page.locator(".msg__quote")).to_have_count(0)
    for visitor in (mees, noor):
        visitor.done()


SAY_MUCH = """async ([room, amount]) => {
  const token = document.querySelector('meta[name="csrf-token"]').content
  for (let n = 0; n < amount; n++) {
    const body = new URLSearchParams({ text: `Zin ${n}.`, key: crypto.randomUUID() })
    const headers = { Accept: 'application/json', 'X-CSRF-Token': token }
    const answer = await fetch(`/ruimte/${room}`, { method: 'POST', headers, body })
    if (!answer.ok) throw new Error(await answer.text())
  }
}"""


def test_who_was_away_begins_where_they_left_and_older_words_come_when_asked_for(
    browser: Browser, server: Server
) -> None:
    mees, noor = enter(browser, server, "mees"), enter(browser, server, "noor")
    write(mees.page, "Tot hier las ik")
    expect(noor.page.locator(".msg")).to_have_count(1)
    room = mees.page.evaluate("document.body.dataset.room")
    mees.go("/vandaag")
    with sqlite3.connect(server.folder / "samen.db", timeout=10) as db:
        db.execute("UPDATE rooms SET pace = 1000")  # nobody types this fast; here somebody does
    noor.page.evaluate(SAY_MUCH, [room, 70])
    page = mees.go("/groep")
    expect(page.locator("[data-jump]")).to_contain_text("70 nieuwe, ga ernaartoe")
    assert page.locator(".msg").count() == 50
    page.locator("[data-jump]").click()
    expect(page.locator("[data-unread]")).to_be_in_viewport()
    assert page.locator(".msg").count() == 71
    assert "Zin 0." in page.evaluate("document.querySelector('[data-unread] + li').textContent")
    expect(page.locator("[data-jump]")).to_contain_text("Naar het einde")
    page.locator("[data-jump]").click()
    expect(page.locator("[data-jump]")).to_be_hidden()
    page.wait_for_timeout(800)
    page.reload()
    expect(page.locator(".msg").last).to_be_in_viewport()
    expect(page.locator("[data-unread]")).to_have_count(0)
    for visitor in (mees, noor):
        visitor.done()
