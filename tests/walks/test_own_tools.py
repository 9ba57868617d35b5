"""A client's own tools by forms alone: the plan, its sheet of paper, and the wave."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.server import Server
from tests.walks.conftest import PHONE, Visitor
from tests.walks.test_every_page import come_in
from tests.walks.test_joining import printed

NARROW = {"width": 320, "height": 640}


def test_a_plan_grows_changes_and_shrinks_without_scripts(browser: Browser, server: Server) -> None:
    client = Visitor(browser, server, "plan", PHONE, java_script_enabled=False)
    come_in(client)
    page = client.go("/plan")
    expect(page.get_by_text("Eén kaart is al een begin.")).to_be_visible()
    for text in ("Telefoon beneden", "Geen oortjes in de trein"):
        page.locator("#rules summary").click()
        page.locator("#n-rules").fill(text)
        page.locator("#rules").get_by_role("button", name="Zet op mijn plan").click()
    page.locator("#risks summary").click()
    page.get_by_label("Als dit gebeurt").fill("Het huis is leeg")
    page.get_by_label("Dan doe ik dit").fill("Ik zet thee")
    page.locator("#risks").get_by_role("button", name="Zet op mijn plan").click()
    assert page.locator("#rules .plan__words").all_inner_texts() == ["Telefoon beneden", "Geen oortjes in de trein"]
    page.get_by_role("button", name="Omhoog: Geen oortjes").click()
    assert page.locator("#rules .plan__words").all_inner_texts() == ["Geen oortjes in de trein", "Telefoon beneden"]
    page.get_by_role("link", name="Wijzig: Telefoon").click()
    page.get_by_label("Wat wil je erop zetten?").fill("Telefoon in de keuken")
    page.get_by_role("button", name="Bewaar").click()
    page.get_by_role("link", name="Wijzig: Geen oortjes").click()
    page.get_by_text("Haal deze kaart weg").click()
    page.get_by_role("button", name="Ja, haal weg").click()
    assert page.locator("#rules .plan__words").all_inner_texts() == ["Telefoon in de keuken"]
    expect(page.locator("[data-keep-plan]")).to_be_hidden()
    page.set_viewport_size(NARROW)
    page.get_by_role("link", name="Op papier").click()
    assert page.locator(".paper").inner_text().startswith("Voor mij")
    client.context.close()


def test_on_paper_stands_what_somebody_wrote_and_nothing_else(browser: Browser, server: Server) -> None:
    client = Visitor(browser, server, "paper", PHONE)
    come_in(client)
    page = client.go("/plan")
    page.locator("#people summary").click()
    page.locator("#n-people").fill("Mijn broer")
    page.locator("#people").get_by_role("button", name="Zet op mijn plan").click()
    page.get_by_role("link", name="Op papier").click()
    expect(page).to_have_title("Lijst · Samen")
    expect(page.get_by_role("button", name="Afdrukken")).to_be_visible()
    page.emulate_media(media="print")
    assert re.sub(r"\s+", " ", printed(page)).strip() == "Voor mij Wie ik bel Mijn broer"
    client.done()


def test_the_tools_are_accessible_in_both_lights_and_hold_at_320_pixels(browser: Browser, server: Server) -> None:
    for scheme in ("light", "dark"):
        client = Visitor(browser, server, f"tools-{scheme}", PHONE, bypass_csp=True, color_scheme=scheme)
        come_in(client)
        page = client.go("/plan")
        for kind in ("rules", "risks", "techniques"):
            page.locator(f"#{kind} summary").click()
            page.locator(f"#{kind} form.card [name=text]").fill("Eén lange regel over wat ik doe als het avond wordt")
            page.locator(f"#{kind} form.card button").click()
        change = page.locator(".plan__do a").first.get_attribute("href") or ""
        for path in ("/plan", change, "/plan/print", "/hulp", "/hulp/los"):
            client.page.set_viewport_size(PHONE["viewport"])  # type: ignore[arg-type]
            client.inspected = True
            client.go(path)
            page.wait_for_load_state("networkidle")
            client.check(path)
            client.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            client.inspected = False
            client.check(f"{path}, 320 px")
        client.inspected = True
        client.page.set_viewport_size(PHONE["viewport"])  # type: ignore[arg-type]
        client.go("/hulp").get_by_role("button", name=re.compile("^Blijf 15 min")).click()
        client.check("a wave")
        page.get_by_role("button", name="Ik ben er al").click()
        client.check("the end of a wave")
        client.done()
