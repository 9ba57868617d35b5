"""From a slip of paper to the first message: on a phone, in less than two minutes, and without scripts too."""

from __future__ import annotations

import html
import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import site
from tests.server import Server
from tests.walks.conftest import PHONE, Visitor

FIRST_WORDS = "Hallo, ik ben nieuw hier."
SCREENS = ["/", "/kiezen", "/afspraken", "/vandaag", "/ruimte"]
TYPED = 3  # the code, one word, the message
TO_WRITE_DOWN = 60  # seconds a person may need for a code name and six words
PER_SCREEN = 10  # and to read a screen and find the button


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_a_code_to_the_first_message_on_a_phone(browser: Browser, server: Server, scheme: str) -> None:
    began = time.monotonic()
    visitor = Visitor(browser, server, f"joining-{scheme}", PHONE, bypass_csp=True, color_scheme=scheme)
    page = visitor.go("/")
    seen = [look(visitor)]
    page.get_by_label("De code van je uitnodiging").fill("demo dddd")
    page.get_by_role("button", name="Kom binnen").click()
    seen.append(look(visitor))
    alias = page.locator(".choice--alias input").nth(2).get_attribute("value")
    assert alias
    page.locator(".choice--alias").nth(2).click()
    page.get_by_label("Welk woord is nummer 3?").fill(page.locator(".words li").nth(2).inner_text())
    page.get_by_role("button", name="Ik heb het opgeschreven").click()
    seen.append(look(visitor))
    page.get_by_label(re.compile("Hier houd ik me aan")).check()
    page.get_by_role("button", name="Kom binnen").click()
    seen.append(look(visitor))
    page.get_by_role("link", name="Kom binnen").click()
    seen.append(look(visitor))
    page.locator("[data-composer] textarea").fill(FIRST_WORDS)
    page.get_by_role("button", name="Verstuur", exact=True).click()
    expect(page.locator(".msg", has_text=FIRST_WORDS)).to_be_visible()
    expect(page.locator(".msg__state").last).to_contain_text("geplaatst")
    took = time.monotonic() - began
    assert [path if not path.startswith("/ruimte/") else "/ruimte" for path in seen] == SCREENS
    page.goto(f"{server.url}/#KLEW-47RD")  # a second slip, scanned by somebody who is in already
    expect(page.get_by_label("De code van je uitnodiging")).to_have_value("KLEW-47RD")
    assert look(visitor) == "/code"
    assert took + TO_WRITE_DOWN + PER_SCREEN * len(SCREENS) < 120, f"the pages alone took {took:.0f} s"
    visitor.done()


def look(visitor: Visitor) -> str:
    """The screen somebody is on now: accessible, nothing sticking out. Returns its path."""
    visitor.page.wait_for_load_state()
    path = "/" + visitor.page.url.split("/", 3)[3]
    visitor.check(path)
    visitor.shot(f"{visitor.name}{re.sub(r'ruimte/.*', 'ruimte', path).replace('/', '-')}")
    return path


def test_a_scanned_code_is_filled_in_and_leaves_no_trace(browser: Browser, server: Server) -> None:
    visitor = Visitor(browser, server, "scanning", PHONE)
    page = visitor.go("/#KLEW-47RD")
    expect(page.get_by_label("De code van je uitnodiging")).to_have_value("KLEW-47RD")
    assert page.url == f"{server.url}/"
    page.go_back()
    assert "KLEW" not in page.url
    visitor.done()
    assert "KLEW" not in server.log()


def test_a_page_that_a_browser_kept_in_memory_comes_back_covered_and_asks_anew(
    browser: Browser, server: Server
) -> None:
    """Some browsers keep pages that they were told not to keep, and show them again as they were."""
    visitor = Visitor(browser, server, "returning", PHONE)
    page = visitor.go("/hulp")
    page.locator("[data-cover]").wait_for(state="hidden")
    page.wait_for_load_state("networkidle")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    expect(page.locator("[data-cover]")).to_be_visible()
    with page.expect_request(f"{server.url}/hulp"):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("[data-cover]")).to_be_hidden()
    visitor.done()


def test_the_slip_prints_as_a_card_that_says_nothing_else(browser: Browser, server: Server) -> None:
    visitor = Visitor(browser, server, "printing", PHONE)
    page = visitor.go("/")
    page.get_by_label("De code van je uitnodiging").fill("DEMO-DDDD")
    page.get_by_role("button", name="Kom binnen").click()
    expect(page.get_by_role("button", name="Afdrukken")).to_be_visible()
    page.emulate_media(media="print")
    words = " ".join(page.locator(".words li").all_inner_texts())
    shown = printed(page)
    for kept in (words, page.locator(".codename").inner_text(), page.locator(".recovery-code").inner_text()):
        assert kept in shown
    assert f"127.0.0.1:{server.port}" in shown
    rest = shown.replace(words, "")
    for line in ("Samen", "groep", "schuilnaam", "Hulp", "Nu weg", "opgeschreven", "nummer 3", "terug"):
        assert line not in rest, line
    visitor.done()


def printed(page: Page) -> str:
    """The text that a printer would put on paper."""
    return str(
        page.evaluate(
            """() => {
              const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
              const parts = []
              while (walk.nextNode()) {
                const holder = walk.currentNode.parentElement
                const style = getComputedStyle(holder)
                if (style.visibility === 'visible' && holder.getClientRects().length) parts.push(walk.currentNode.data)
              }
              return parts.join(' ').replace(/\\s+/g, ' ')
            }"""
        )
    )


def test_the_same_way_without_scripts(server: Server) -> None:
    began = time.monotonic()
    browser = site.Browser(server.url)
    assert browser.get("/").status == 200
    sent = browser.post("/", {"code": "demodddd"}, page="/")
    assert (sent.status, sent.headers["location"]) == (303, "/kiezen")
    page = browser.get("/kiezen").text
    words = re.findall(r"<li>([^<]+)</li>", page.split('class="words"', 1)[1].split("</ol>", 1)[0])
    alias = re.findall(r'name="alias" value="([^"]+)"', page)[1]
    sent = browser.post("/kiezen", {"alias": alias, "third": words[2]}, page="/kiezen")
    assert sent.headers["location"] == "/afspraken"
    sent = browser.post("/afspraken", {"agree": "yes"}, page="/afspraken")
    assert sent.headers["location"] == "/vandaag"
    room = re.search(r'href="(/ruimte/\w+)"', browser.get("/vandaag").text)
    assert room
    sent = browser.post(room[1], {"text": FIRST_WORDS}, page=room[1])
    assert sent.status == 303
    shown = html.unescape(browser.get(room[1]).text)
    assert FIRST_WORDS in shown
    assert alias in shown
    assert time.monotonic() - began < 10
