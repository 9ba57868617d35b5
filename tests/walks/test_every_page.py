"""Every page in both languages, one in the light and one in the dark, on phone and desktop: accessible, translated."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from app.demo import FACILITATOR_LOGIN, FACILITATOR_PASSWORD, MODERATOR_LOGIN, MODERATOR_PASSWORD
from tests.server import Server
from tests.walks.conftest import DESK, PHONE, Visitor

CLIENT = (
    "/vandaag",
    "/groep",
    "/duo",
    "/meer",
    "/meer/agenda",
    "/gegevens",
    "/toestellen",
    "/code",
    "/bevestigen",
    "/hulp",
    "/plan",
    "/plan/print",
    "/programma",
    "/programma/understanding",
    "/programma/understanding/a-moment",
    "/programma/triggers/hard-hours",
    "/programma/world/measures",
    "/programma/eerder",
    "/inzicht",
    "/inzicht?dagen=90",
    "/check-in/mood",
    "/check-in/urge",
    "/check-in/halt",
    "/check-in/line",
    "/check-in/share",
    "/doel",
    "/doel/vraag?kind=less",
    "/check-up",
    "/verslag",
    "/nergens",
)
STAFF = (
    "/vandaag",
    "/bijeenkomsten",
    "/bijeenkomsten/reeks",
    "/meer/agenda",
    "/groepen",
    "/beoordelen",
    "/programma",
    "/programma/understanding",
    "/programma/understanding/in-the-moment",
    "/meer",
    "/gegevens",
    "/bevestigen",
    "/sleutels",
    "/tweede-stap",
    "/tweede-stap/app",
)
NARROW = {"viewport": {"width": 320, "height": 640}}
DUTCH = re.compile(r"\b(niet|jouw|vandaag|groep|bijeenkomst|begeleider|verstuur|terug)\b", re.I)


@pytest.mark.parametrize(("language", "theme"), [("nl", "light"), ("en", "dark")])
def test_every_client_page_is_sound(browser: Browser, server: Server, language: str, theme: str) -> None:
    client = Visitor(browser, server, f"client-{language}-{theme}", PHONE, locale=language, bypass_csp=True)
    visit(client, ("/", "/terug", "/terug/herstel"), language)
    come_in(client)
    settle(client, language, theme)
    visit(client, CLIENT, language)
    client.page.set_viewport_size(NARROW["viewport"])  # type: ignore[arg-type]
    for path in CLIENT:
        client.go(path)
        client.inspected = False
        client.check(f"{path}, 320 px")
    client.trouble.clear()  # the page that is not there
    client.done()


@pytest.mark.parametrize(("language", "theme"), [("nl", "light"), ("en", "dark")])
def test_every_staff_page_is_sound(browser: Browser, server: Server, language: str, theme: str) -> None:
    staff = Visitor(browser, server, f"staff-{language}-{theme}", DESK, bypass_csp=True)
    sign_in(staff, FACILITATOR_LOGIN, FACILITATOR_PASSWORD)
    settle(staff, language, theme)
    visit(staff, STAFF, language)
    planned = staff.go("/bijeenkomsten").locator("a[href^='/bijeenkomst/']").first.get_attribute("href") or ""
    cockpit = "/".join(planned.split("/")[:3])
    members = staff.go("/groepen").locator("a[href^='/groepen/']").first.get_attribute("href")
    assert cockpit
    assert members
    visit(
        staff,
        (
            cockpit,
            planned,
            f"{cockpit}/draaiboek",
            members,
            f"{members}/uitnodigingen",
            f"{members}/ruimte",
            f"{members.replace('groepen', 'groep')}/doelen",
            f"{members.replace('groepen', 'groep')}/voortgang",
        ),
        language,
    )
    staff.done()


def test_the_whole_way_in_and_a_conversation_work_without_scripts(browser: Browser, server: Server) -> None:
    mees = Visitor(browser, server, "mees", PHONE, java_script_enabled=False)
    noor = Visitor(browser, server, "noor", PHONE, java_script_enabled=False)
    for client in (mees, noor):
        come_in(client)
    page = mees.go("/groep")
    page.locator("[data-composer] textarea").fill("Dit gaat ook zonder scripts.")
    page.get_by_role("button", name="Verstuur").click()
    assert page.locator(".msg", has_text="zonder scripts").count() == 1
    assert noor.go("/groep").locator(".msg", has_text="zonder scripts").count() == 1
    page.locator("[data-composer] textarea").fill("Mail me op mees@voorbeeld.nl")
    page.get_by_role("button", name="Verstuur").click()
    page.get_by_role("button", name="Verstuur het zo").click()
    expect(page.locator(".msg", has_text="Mail me op [e-mailadres]")).to_be_visible()
    assert noor.go("/groep").locator(".msg", has_text="Mail me op [e-mailadres]").count() == 1
    daan = Visitor(browser, server, "daan", DESK, java_script_enabled=False)
    sign_in(daan, MODERATOR_LOGIN, MODERATOR_PASSWORD)
    hanna = Visitor(browser, server, "hanna", DESK, java_script_enabled=False)
    sign_in(hanna, FACILITATOR_LOGIN, FACILITATOR_PASSWORD)
    page = hanna.go("/bijeenkomsten")
    page.get_by_role("link", name="Naar de ruimte").first.click()
    page.get_by_role("button", name="Open de bijeenkomst").click()
    page.get_by_role("button", name=re.compile("^Volgende")).click()
    assert (
        mees.go("/groep").locator("[data-step]:visible").get_by_role("heading").inner_text() == "Wat het voor je doet"
    )
    for visitor in (mees, noor, daan, hanna):
        visitor.done()


def come_in(client: Visitor) -> None:
    page = client.go("/")
    page.locator("[name=code]").fill("DEMO-CCCC")
    page.locator(".dock button[type=submit]").click()
    words = page.locator(".words li").all_inner_texts()
    page.locator("[name=third]").fill(words[2])
    page.locator(".dock button[type=submit]").click()
    page.locator("[name=agree]").check()
    page.locator(".dock button[type=submit]").click()
    page.wait_for_url("**/vandaag")


def sign_in(visitor: Visitor, login: str, password: str) -> None:
    page = visitor.go("/terug")
    page.locator("[name=login]").fill(login)
    page.locator("[name=secret]").fill(password)
    page.locator(".dock button[type=submit]").click()
    page.wait_for_url("**/terug/stap")
    page.locator(".dock button[type=submit]").click()  # the demo fills in the code
    page.wait_for_url(re.compile("vandaag|beoordelen"))


def settle(visitor: Visitor, language: str, theme: str) -> None:
    page = visitor.go("/meer")
    page.locator(f"[name=language][value={language}]").check()
    page.locator(f"[name=theme][value={theme}]").check()
    page.locator("form[action='/instellingen'] button").click()
    page.wait_for_load_state()


def visit(visitor: Visitor, paths: tuple[str, ...], language: str) -> None:
    for path in paths:
        page = visitor.go(path)
        visitor.check(path)
        name = re.sub(r"\W+", "-", path if "bijeenkomst/" not in path else "cockpit").strip("-") or "begin"
        visitor.shot(f"page-{visitor.name}-{name}")
        if language == "en" and "groepen/" not in path:
            shown = page.locator("body").inner_text().replace("Dinsdaggroep", "")
            assert not DUTCH.search(shown), f"{path}: Dutch on an English page: {DUTCH.findall(shown)}"


def test_words_of_danger_in_a_private_answer_bring_help_without_a_trace_in_the_address(
    browser: Browser, server: Server
) -> None:
    client = Visitor(browser, server, "client", PHONE)
    come_in(client)
    page = client.go("/programma/understanding/a-moment")
    page.locator("#antwoord textarea").fill("Ik wil niet meer leven, ik maak er vanavond een eind aan.")
    page.get_by_role("button", name="Volgende").click()
    expect(page).to_have_url(f"{server.url}/hulp")
    expect(page.locator(".crisis")).to_contain_text("113")
    assert page.url == f"{server.url}/hulp"
    client.done()
