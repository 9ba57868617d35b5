"""One session, led by keyboard alone: the cockpit and phones side by side, through everything a facilitator can do.

Hanna presses keys under the pages' own policy; a second screen of hers looks along for the checker. Her page is never
loaded again from opening to closing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, Locator, Page, expect

from app.demo import FACILITATOR_LOGIN, FACILITATOR_PASSWORD
from tests.server import Server
from tests.walks.conftest import DESK, PHONE, Visitor
from tests.walks.test_every_page import come_in, sign_in

WIDE: dict[str, object] = {"viewport": {"width": 1280, "height": 900}}
RUDE = "Wat ben je toch een sukkel. Grapje hoor, tot dinsdag."
WHISPER = "Het raakt me, ik wil liever niet voorlezen."


@dataclass(slots=True)
class Evening:
    """Everybody's screens. `hanna` is the facilitator's; `beside` shows the same and is looked at by the checker."""

    server: Server
    hanna: Visitor
    beside: Visitor
    mees: Visitor
    noor: Visitor
    jip: Visitor
    names: dict[str, str]

    @property
    def clients(self) -> tuple[Visitor, Visitor, Visitor]:
        return self.mees, self.noor, self.jip

    def key(self, *keys: str) -> None:
        for key in keys:
            self.hanna.page.keyboard.press(key)

    def look(self, name: str) -> None:
        """A picture of both sides; nothing sticking out, nothing the checker objects to."""
        for visitor, side in ((self.beside, "cockpit"), (self.mees, "licht"), (self.noor, "donker")):
            visitor.check(f"{name}, {side}")
            visitor.shot(f"conductor-{name}-{side}")


def test_a_session_led_by_keyboard(browser: Browser, server: Server) -> None:
    expect.set_options(timeout=15_000)  # five browsers at once on a small machine
    it = gather(browser, server)
    for part in (
        opens,
        types_in_peace,
        polls,
        shares,
        gives_the_word,
        goes_round,
        pauses,
        asks_something_new,
        changes_what_comes,
        breathes,
        whispers,
        reads_what_is_held,
        sends_out_and_lets_in,
        pairs_up,
        wakes_up_elsewhere,
        ends,
    ):
        part(it)
    for visitor in (it.hanna, it.beside, *it.clients):
        visitor.done()


def gather(browser: Browser, server: Server) -> Evening:
    hanna = Visitor(browser, server, "hanna", DESK)
    beside = Visitor(browser, server, "beside", DESK, bypass_csp=True)
    for screen in (hanna, beside):
        sign_in(screen, FACILITATOR_LOGIN, FACILITATOR_PASSWORD)
    mees = Visitor(browser, server, "mees", PHONE, bypass_csp=True)
    noor = Visitor(browser, server, "noor", PHONE, bypass_csp=True, color_scheme="dark")
    jip = Visitor(browser, server, "jip", WIDE)
    names = {}
    for client in (mees, noor, jip):
        come_in(client)
        client.go("/groep")
        names[client.name] = str(client.page.locator("body").get_attribute("data-alias"))
    return Evening(server, hanna, beside, mees, noor, jip, names)


def opens(it: Evening) -> None:
    """O opens the room; who waited comes along by themselves."""
    page = it.hanna.go("/bijeenkomsten")
    address = page.locator("a[href^='/bijeenkomst/']").first.get_attribute("href") or ""
    cockpit = re.match(r"/bijeenkomst/\w+", address)
    assert cockpit
    it.hanna.go(cockpit[0])
    it.beside.go(cockpit[0])
    expect(page.locator("[data-sheet-opener]")).to_be_visible()
    it.beside.check("planned")
    it.beside.shot("conductor-gepland")
    it.key("o")
    expect(page.locator("body.cockpit--open")).to_be_visible()
    for client in it.clients:
        expect(title(client)).to_have_text("Hoe zit je erbij?")
    expect(page.locator("[data-here-count]")).to_have_text("3 van 3")
    page.evaluate("window.sameAsEver = true")
    it.look("open")
    it.key("?")
    expect(page.locator("[data-sheet]")).to_be_visible()
    it.beside.page.keyboard.press("?")
    it.beside.check("help sheet")
    it.beside.shot("conductor-sneltoetsen")
    for screen in (page, it.beside.page):
        screen.keyboard.press("Escape")
        expect(screen.locator("[data-sheet]")).to_be_hidden()


def types_in_peace(it: Evening) -> None:
    """A letter in a text is a letter. Esc gives the keys back. A list that changes does not take the focus."""
    page = it.hanna.page
    it.key("c")
    page.keyboard.type("nu nog even niets")
    expect(page.locator("[data-composer] textarea")).to_have_value("nu nog even niets")
    expect(page.locator("[data-run] > li.is")).to_have_attribute("data-position", "0")
    it.key("Enter")
    expect(it.mees.page.locator(".msg--lead", has_text="nu nog even niets")).to_be_visible()
    it.key("Escape", "w")
    at_row = focused(page)
    it.noor.page.get_by_role("button", name="Hand opsteken").click()
    expect(page.locator("[data-hands]")).to_contain_text(it.names["noor"])
    it.noor.page.get_by_role("button", name="Hand omlaag").click()
    expect(page.locator("[data-hands] > li")).to_have_count(0)
    assert focused(page) == at_row
    it.key("z")
    page.keyboard.type("Noor: straks vragen")
    it.key("Escape")


def polls(it: Evening) -> None:
    """Two steps on. With three the counts are shown only because all three said so."""
    to_step(it, 1)
    to_step(it, 2)
    for client in it.clients:
        choose(client, 0, few=client is not it.jip)
    expect(it.hanna.page.locator("[data-given]")).to_have_text("3 van 3 schreven iets")
    expect(it.hanna.page.locator("[data-few]")).to_be_visible()
    expect(it.hanna.page.locator("[data-unrevealed]")).to_be_hidden()
    choose(it.jip, 0, few=True)
    expect(it.hanna.page.locator("[data-unrevealed]")).to_be_visible()
    expect(it.mees.page.locator("[data-answers] .tallies")).to_have_count(0)
    it.key("r")
    for screen in (it.hanna, *it.clients):
        expect(screen.page.locator("[data-step]:visible .tallies li").first.locator("b")).to_have_text("3")
    expect(it.mees.page.locator("[data-step]:visible [data-answering]")).to_be_hidden()  # what was shown stays so
    it.look("peiling")


def shares(it: Evening) -> None:
    """Answers under an alias stand on nobody's screen before they are shown; a private one never does."""
    to_step(it, 3)
    write(it.mees, "Even rust in mijn hoofd.", share=True)
    write(it.noor, "Dat ik niets hoefde te voelen.", share=False)
    expect(it.hanna.page.locator("[data-given]")).to_have_text("2 van 3 schreven iets")
    expect(it.mees.page.locator("[data-step]:visible .own__said")).to_contain_text("gedeeld als")
    expect(it.noor.page.locator("[data-step]:visible .own__said")).to_contain_text("alleen voor jou")
    for screen in (it.hanna, it.jip):
        expect(screen.page.locator("body")).not_to_contain_text("Even rust in mijn hoofd.")
    it.key("r")
    for screen in (it.hanna, it.noor, it.jip):
        expect(screen.page.locator("[data-answers]:visible")).to_contain_text("Even rust in mijn hoofd.")
        if screen is not it.noor:
            expect(screen.page.locator("body")).not_to_contain_text("Dat ik niets hoefde te voelen.")
    it.look("getoond")


def gives_the_word(it: Evening) -> None:
    it.noor.page.get_by_role("button", name="Hand opsteken").click()
    it.jip.page.get_by_role("button", name="Hand opsteken").click()
    hands = it.hanna.page.locator("[data-hands] > li")
    expect(hands).to_have_count(2)
    expect(hands.first).to_contain_text(it.names["noor"])  # in order
    it.look("handen")
    it.key("h", "Enter")
    expect(it.noor.page.locator("[data-notice]")).to_contain_text("Jij hebt het woord")
    expect(hands).to_have_count(1)
    assert in_list(it.hanna.page, "[data-hands]")  # the row went, the keyboard stayed
    it.key("Enter")
    expect(hands).to_have_count(0)


def goes_round(it: Evening) -> None:
    """A round: one is done, one passes, and K ends it."""
    it.key("l")
    strip = it.hanna.page.locator("[data-round]")
    expect(strip).to_be_visible()
    first = whose_turn(it)
    expect(first.page.locator("[data-round-mine]")).to_be_visible()
    for other in it.clients:
        if other is not first:
            expect(other.page.locator("[data-round-others]:visible")).to_contain_text(it.names[first.name])
    it.look("ronde")
    first.page.get_by_role("button", name="Klaar").click()
    expect(first.page.locator("[data-round-mine]")).to_be_hidden()
    second = whose_turn(it)
    assert second is not first
    second.page.get_by_role("button", name="Ik pas", exact=True).click()
    expect(second.page.locator("[data-round-mine]")).to_be_hidden()
    expect(strip).to_contain_text("1 geweest, 1 gepast")
    it.key("k")
    expect(strip).to_be_hidden()
    expect(it.mees.page.locator("[data-round]")).to_be_hidden()


def pauses(it: Evening) -> None:
    """In a pause the clock stands still, on every screen."""
    it.key("p")
    for client in it.clients:
        expect(client.page.locator("[data-paused]:visible")).to_contain_text("Niemand hoeft iets")
    clock = it.mees.page.locator("[data-count=step]:visible")
    stands = clock.inner_text()
    it.look("pauze")
    assert clock.inner_text() == stands
    it.key("p")
    expect(it.mees.page.locator("[data-paused]")).to_be_hidden()
    it.jip.page.get_by_role("button", name="Ik wil pauze").click()
    row = it.hanna.page.locator(f"[data-roster] > li[data-id='{it.names['jip']}'] .st")
    expect(row).to_have_text("Vraagt pauze")
    expect(it.mees.page.locator("body")).not_to_contain_text("Vraagt pauze")


def asks_something_new(it: Evening) -> None:
    """A question that was in no run-sheet: it comes to pages that were there before it was."""
    page = it.hanna.page
    for client in it.clients:
        client.page.evaluate("window.sameAsEver = true")
    it.key("q", "ArrowRight", "Tab")  # from poll to scale, then to the question
    page.keyboard.type("Hoe sterk was de drang vandaag?")
    it.key("Enter")
    for client in it.clients:
        expect(title(client)).to_have_text("Hoe sterk was de drang vandaag?")
        assert client.page.evaluate("window.sameAsEver"), "the page was loaded again"
    expect(page.locator("[data-run] > li.is")).to_contain_text("Hoe sterk was de drang vandaag?")
    expect(page.locator("[data-run] > li")).to_have_count(9)
    for number, client in enumerate(it.clients):
        choose(client, 4 + number, few=True)
    it.look("schaal")
    expect(page.locator("[data-unrevealed]")).to_be_visible()
    it.key("r")
    expect(it.noor.page.locator("[data-answers]:visible .tallies--scale li").nth(5).locator("b")).to_have_text("1")


def changes_what_comes(it: Evening) -> None:
    """In another window a line is added to the run-sheet and then said differently; the cockpit and phones follow."""
    page = it.hanna.page
    at = int(page.locator("[data-run] > li.is").get_attribute("data-position") or 0) + 1
    words = {"phase": "theme", "kind": "question", "sharing": "shared", "prompt": "", "minutes": "3"}
    sheet(it, "", words | {"title": "Wat wens je jezelf?", "position": str(at)})
    added = page.locator(f"[data-run] > li[data-position='{at}']")
    expect(added).to_contain_text("Wat wens je jezelf?")
    to_step(it, at)
    it.key("b")
    expect(title(it.mees)).to_have_text("Hoe sterk was de drang vandaag?")
    expect(page.locator("[data-place]")).to_contain_text(f"Stap {at} ")
    sheet(it, f"/{added.get_attribute('data-id')}", words | {"title": "Wat wens je de ander?"})
    expect(added).to_contain_text("Wat wens je de ander?")
    expect(page.locator("[data-forward]")).to_contain_text("Wat wens je de ander?")
    it.key("n")
    for client in it.clients:  # their pages had the line already, with the words it had before
        expect(title(client)).to_have_text("Wat wens je de ander?")
    expect(page.locator("[data-place]")).to_contain_text(f"Stap {at + 1} ")
    it.key("b")
    for client in it.clients:
        expect(title(client)).to_have_text("Hoe sterk was de drang vandaag?")


def sheet(it: Evening, line: str, form: dict[str, str]) -> None:
    """What the run-sheet's own page sends."""
    beside = it.beside.page
    token = beside.locator("meta[name=csrf-token]").get_attribute("content") or ""
    version = it.hanna.page.locator("[data-version-field]").first.input_value()
    answer = beside.request.post(
        f"{it.server.url}{'/'.join(['', *it.hanna.page.url.split('/')[3:5]])}/draaiboek{line}",
        form=form | {"version": version},
        headers={"Accept": "application/json", "X-CSRF-Token": token, "Referer": it.server.url},
    )
    assert answer.json()["ok"], answer.text()


def breathes(it: Evening) -> None:
    """A breath and a wave, in step: what one screen does, another does within a second."""
    it.key("a", "Enter")
    for client in it.clients:
        expect(client.page.locator("[data-pulse-breath]")).to_be_visible()
    it.look("adem")
    phases = [client.page.locator(".pulse__air").first.evaluate(phase) for client in it.clients]
    apart = max(min(abs(one - other), 10 - abs(one - other)) for one in phases for other in phases)
    assert apart < 2, phases  # a second of rounding, and the time it takes to ask three browsers
    it.key("a")
    expect(it.mees.page.locator("[data-pulse]")).to_be_hidden()
    expect(title(it.mees)).to_be_visible()
    it.key("a", "ArrowRight", "Enter")
    for client in it.clients:
        expect(client.page.locator("[data-pulse-wave]")).to_be_visible()
    it.look("golf")
    it.key("a")
    expect(it.noor.page.locator("[data-pulse]")).to_be_hidden()


phase = """(air) => {
  const { currentTime } = air.getAnimations()[0]
  return (currentTime / 1000 - Number.parseFloat(getComputedStyle(air).animationDelay)) % 10
}"""


def whispers(it: Evening) -> None:
    """A private word goes to the facilitators and back, and nobody else's page ever has it."""
    noor = it.noor.page
    noor.locator("[data-whisper] > summary").click()
    noor.get_by_label(re.compile("^Schrijf alleen aan")).fill(WHISPER)
    it.noor.check("whisper, dark")
    noor.locator("[data-whisper-form] button").click()
    expect(noor.locator(".whispers")).to_contain_text(WHISPER)
    it.noor.shot("conductor-alleen-donker")
    noor.keyboard.press("Escape")
    page = it.hanna.page
    expect(page.locator("[data-note-count]")).to_have_text("1")
    it.key("m", "Enter")
    expect(page.locator(".thread")).to_contain_text(WHISPER)
    expect(page.locator("[data-note-count]")).to_be_hidden()  # read
    it.key("Tab")
    page.keyboard.type("Dank je. Dan sla ik je over.")
    it.beside.check("notes")
    it.key("Tab", "Enter")
    expect(page.locator(".thread .whispers li")).to_have_count(2)
    expect(noor.locator("[data-whisper-new]")).to_be_visible()
    noor.locator("[data-whisper] > summary").click()
    expect(noor.locator(".whispers")).to_contain_text("Dan sla ik je over")
    noor.keyboard.press("Escape")
    for other in (it.mees, it.jip):
        other.page.reload()
        expect(title(other)).to_be_visible()
        assert WHISPER not in other.page.content()
    it.key("Escape")


def reads_what_is_held(it: Evening) -> None:
    """Held: read in place, refused with a reason, then another let through; the page stays."""
    page = it.hanna.page
    say(it.mees, RUDE)
    held = page.locator("[data-held] > li[data-id]:not([data-id=leeg])")
    expect(held).to_have_count(1)
    expect(held).to_contain_text(it.names["mees"])
    assert RUDE not in page.content()
    it.key("v", "Enter")
    expect(held).to_contain_text(RUDE)
    it.beside.page.locator("[data-look]").click()
    expect(it.beside.page.locator("[data-look-out]")).to_be_visible()
    it.look("vastgehouden")
    it.key("Tab", "Tab")  # past placing it, to the reason
    it.key("n")  # the one that begins so: not kind enough
    it.key("Tab", "Enter")
    expect(it.mees.page.locator("[data-notice]")).to_contain_text("niet geplaatst")
    expect(held).to_have_count(0)
    say(it.mees, RUDE.replace("dinsdag", "de volgende keer"))
    expect(held).to_have_count(1)
    it.key("v", "Enter")
    expect(held).to_contain_text("volgende keer")
    it.key("Tab", "Enter")
    expect(it.noor.page.locator(".msg", has_text="volgende keer")).to_be_visible()
    expect(held).to_have_count(0)


def sends_out_and_lets_in(it: Evening) -> None:
    """Laat even niet meedoen, and laat weer meedoen: both from the same small menu, by keyboard."""
    deed(it, it.names["jip"], "Laat even niet meedoen")
    expect(it.jip.page.get_by_role("heading", level=1)).to_have_text("Je doet even niet mee")
    row = it.hanna.page.locator(f"[data-roster] > li[data-id='{it.names['jip']}'] .st")
    expect(row).to_have_text("Even niet mee")
    it.jip.check("sent out")
    it.jip.shot("conductor-even-niet")
    deed(it, it.names["jip"], "Laat weer meedoen")
    expect(title(it.jip)).to_be_visible()
    expect(row).not_to_have_text("Even niet mee")
    assert in_list(it.hanna.page, "[data-roster]")


def pairs_up(it: Evening) -> None:
    """Out in twos, and back: first because they are called, then because the time is up."""
    it.mees.context.clock.install()
    it.mees.page.reload()
    for way_back in (called, over):
        it.key("t", "Tab", "Enter")
        for client in it.clients:
            expect(client.page.locator("body.apart-room")).to_be_visible()
        expect(it.hanna.page.locator("[data-apart]:visible")).to_contain_text("ruimte")
        it.look("twee-aan-twee")
        way_back(it)
        for client in it.clients:
            expect(title(client)).to_have_text("Hoe sterk was de drang vandaag?")
        expect(it.hanna.page.locator("[data-apart]")).to_be_hidden(timeout=30_000)
    for client in it.clients:  # what a browser says of a page that goes elsewhere while its socket is being opened
        client.trouble[:] = [line for line in client.trouble if "WebSocket is closed before" not in line]


def called(it: Evening) -> None:
    say(it.mees, "Fijn, even klein.")
    it.key("t")


def over(it: Evening) -> None:
    """Eleven minutes later, on the server and on the phone of who closed the lid; the others are called."""
    with sqlite3.connect(it.server.folder / "samen.db") as rows:
        rows.execute("UPDATE breakouts SET ends_at = '2020-01-01 00:00:00'")
        rows.execute("UPDATE rooms SET closed_at = '2020-01-01 00:00:00' WHERE kind = 'breakout'")
    rows.close()
    it.mees.page.clock.fast_forward("11:00")
    expect(title(it.mees)).to_be_visible()
    for client in (it.noor, it.jip):
        client.page.reload()
    it.hanna.page.keyboard.press("+")  # the next word about the session says that nobody is out any more


def wakes_up_elsewhere(it: Evening) -> None:
    """Who slept through two steps wakes up on the third."""
    it.noor.context.set_offline(True)
    at = int(it.hanna.page.locator("[data-run] > li.is").get_attribute("data-position") or 0)
    to_step(it, at + 1, without=it.noor)
    to_step(it, at + 2, without=it.noor)
    it.noor.context.set_offline(False)
    heading = it.hanna.page.locator("[data-panes] > :not([hidden]) h2").inner_text()
    expect(title(it.noor)).to_have_text(heading, timeout=30_000)
    it.noor.trouble.clear()  # the browser reports the connection we took away ourselves


def ends(it: Evening) -> None:
    """The last step asks two questions; X closes; the room stays."""
    page = it.hanna.page
    last = page.locator("[data-run] > li").count() - 1
    for at in range(int(page.locator("[data-run] > li.is").get_attribute("data-position") or 0) + 1, last + 1):
        to_step(it, at)
    expect(page.locator("[data-at-end]")).to_be_visible()
    for client in (it.mees, it.jip):
        asked = client.page.locator("[data-closing]")
        expect(asked).to_be_visible()
        if client is it.mees:
            it.look("slotvragen")
        asked.locator("[name=together]").nth(3).check(force=True)
        asked.locator("[name=safe]").nth(4).check(force=True)
        asked.get_by_role("button", name="Verstuur").click()
        expect(client.page.locator("[data-closing-thanks]")).to_be_visible()
        expect(asked).to_be_hidden()
    assert page.evaluate("window.sameAsEver"), "the cockpit was loaded again"
    expect(page.locator("#kladje")).to_have_value("Noor: straks vragen")
    it.key("x", "Enter")
    expect(page.locator("body.cockpit--closed")).to_be_visible()
    for client in it.clients:
        expect(client.page.get_by_role("heading", name="Fijn dat jullie er waren")).to_be_visible()
    expect(it.noor.page.locator("[data-closing]")).to_be_visible()  # who did not answer yet still can
    expect(it.beside.page.locator("body.cockpit--closed")).to_be_visible()
    it.look("afgesloten")


def title(client: Visitor) -> Locator:
    """The heading of the step that stands on a phone."""
    return client.page.locator("[data-step]:visible h2")


def to_step(it: Evening, position: int, *, without: Visitor | None = None) -> None:
    """N, and everybody's page turns."""
    it.key("n")
    at = it.hanna.page.locator(f"[data-run] > li.is[data-position='{position}']")
    expect(at).to_be_visible()
    expect(it.hanna.page.locator("[data-place]")).to_contain_text(f"Stap {position + 1} ")
    name = it.hanna.page.locator("[data-panes] > :not([hidden]) h2").inner_text()
    for client in it.clients:
        if client is not without:
            expect(title(client)).to_have_text(name)


def answering(client: Visitor) -> Locator:
    box = client.page.locator("[data-step]:visible [data-answering]")
    if box.get_attribute("open") is None:
        box.locator("summary").click()
    return box


def choose(client: Visitor, number: int, *, few: bool) -> None:
    box = answering(client)
    box.locator("[name=option]").nth(number).check(force=True)
    box.locator("[name=few_ok]").set_checked(few)
    box.get_by_role("button", name="Bewaar").click()
    expect(box).not_to_have_attribute("open", "")


def write(client: Visitor, text: str, *, share: bool) -> None:
    box = answering(client)
    box.locator("textarea").fill(text)
    box.locator("[name=share]").set_checked(share)
    box.get_by_role("button", name="Bewaar").click()
    expect(box).not_to_have_attribute("open", "")


def say(client: Visitor, text: str) -> None:
    client.page.locator("[data-composer] textarea").fill(text)
    client.page.get_by_role("button", name="Verstuur", exact=True).last.click()


def whose_turn(it: Evening) -> Visitor:
    """Who sees that it is their turn."""
    expect(it.hanna.page.locator("[data-round-speaking]")).to_contain_text("is aan het woord")
    alias = it.hanna.page.locator("[data-round-speaking]").inner_text().split(" ")[0]
    return next(client for client in it.clients if it.names[client.name] == alias)


def deed(it: Evening, alias: str, name: str) -> None:
    """Open somebody's menu and do one thing in it, with W, arrows, Enter and Tab."""
    page = it.hanna.page
    it.key("w")
    until(page, "ArrowDown", lambda: focused(page).endswith(alias))
    it.key("Enter")
    until(page, "Tab", lambda: focused(page) == name)
    it.key("Enter")


def until(page: Page, key: str, there: Callable[[], bool]) -> None:
    for _ in range(12):
        if there():
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never got there; focus is on {focused(page)!r}")


def focused(page: Page) -> str:
    """What the keyboard is on, as it reads."""
    return str(page.evaluate("document.activeElement.textContent.replace(/\\s+/g, ' ').trim()"))


def in_list(page: Page, selector: str) -> bool:
    return bool(page.evaluate("(selector) => Boolean(document.activeElement.closest(selector))", selector))
