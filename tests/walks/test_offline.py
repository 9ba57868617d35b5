"""Help without a network: the page, the timer, the waves that are brought along; one's own plan only if asked."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server import Server
from tests.walks.conftest import PHONE, Visitor
from tests.walks.test_every_page import come_in, settle

OWN = "Een sleutel bij de zevenkaasdoek"  # what stands on a plan in these tests, and nowhere else
PLAN, HERE = "samen-mijn", "samen-hier"
TEXTS_KEPT = """async () => {
  const found = []
  for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) {
    const answer = await caches.match(request.url, { cacheName: name })
    if (/html|json/.test(answer.headers.get('content-type'))) found.push(await answer.text())
  }
  return found.join('\\n') + JSON.stringify(localStorage)
}"""


@pytest.fixture
def client(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody in a group, on whose phone help is kept."""
    made = Visitor(browser, server, "offline", PHONE, service_workers="allow")
    come_in(made)
    made.go("/hulp")
    ready(made.page)
    yield made
    assert not made.elsewhere
    made.context.close()


def ready(page: Page) -> None:
    """Wait until the worker keeps everything, and answers for this page."""
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.wait_for_selector("body[data-started]")
    page.reload()
    page.wait_for_function("navigator.serviceWorker.controller")
    page.wait_for_selector("body[data-started]")


def caches(page: Page) -> set[str]:
    return set(page.evaluate("caches.keys()"))


def write_plan(client: Visitor) -> Page:
    page = client.go("/plan")
    page.locator("#techniques summary").click()
    page.locator("#techniques form.card textarea").fill(OWN)
    page.locator("#techniques form.card button").click()
    expect(page.locator("#techniques .plan__cards")).to_contain_text(OWN)
    return page


def switch(page: Page, *, on: bool) -> None:
    page.locator("[data-keep-switch]").click()
    expect(page.locator("[data-keep-switch]")).to_have_attribute("aria-checked", "true" if on else "false")


def waves(server: Server) -> list[Any]:
    with sqlite3.connect(server.folder / "samen.db") as database:
        return database.execute("SELECT minutes, ended_at FROM urge_rides ORDER BY id").fetchall()


def shown_offline(client: Visitor, path: str) -> str:
    """What a page says without a network. Nothing it needs may be missing."""
    missing: list[str] = []
    client.page.on("requestfailed", lambda request: missing.append(request.url))
    client.context.set_offline(True)
    page = client.go(path)
    page.wait_for_selector("body[data-started]")
    text = page.locator("main").inner_text()
    client.check(f"{path}, without a network")
    assert not missing, missing
    client.context.set_offline(False)
    return text


def test_help_its_timer_and_the_numbers_work_without_a_network(client: Visitor, server: Server) -> None:
    page = client.page
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    client.context.set_offline(True)
    page.clock.install()
    client.go("/hulp")
    expect(page.get_by_text("Er is nu geen internet")).to_be_visible()
    expect(page.locator("[data-elsewhere]")).to_be_hidden()
    for number in ("113", "112", "08000113", "08002000"):
        expect(page.locator(f"a[href='tel:{number}']")).to_be_visible()
    page.select_option("#sterk", "8")
    page.get_by_role("button", name=re.compile("^Blijf 15 min")).click()
    page.clock.fast_forward("09:00")
    expect(page.locator("[data-wave-time]")).to_have_text("6:00")
    expect(page.locator("[data-wave-word]")).to_contain_text("Hij zakt")
    drawn = page.locator("[data-wave-done]").get_attribute("stroke-dasharray") or ""
    assert drawn.startswith("60.")
    client.shot("offline-wave")
    page.clock.fast_forward("06:01")
    expect(page.get_by_role("heading", name="Hoe ging het?")).to_be_focused()
    page.select_option("#na", "2")
    page.get_by_role("button", name="Ik bleef erbij").click()
    expect(page.get_by_role("heading", name="Je bleef erbij")).to_be_visible()
    expect(page.get_by_text("Je golf is op dit toestel bewaard")).to_be_visible()
    client.shot("offline-kept")
    client.go("/vandaag")
    expect(page.locator("[data-elsewhere]")).to_contain_text("komt terug zodra er weer internet is")
    assert failed == []
    assert waves(server) == []
    client.context.set_offline(False)
    with page.expect_response("**/hulp/meegebracht") as brought:
        client.go("/vandaag")
    assert brought.value.ok
    page.wait_for_function("!JSON.parse(localStorage.getItem('samen-golven')).length")
    [(minutes, ended)] = waves(server)
    assert minutes == 15
    assert ended
    client.go("/vandaag")
    page.wait_for_load_state("networkidle")
    assert len(waves(server)) == 1


def test_a_wave_that_began_with_a_network_ends_without_one_and_counts_once(client: Visitor, server: Server) -> None:
    page = client.go("/hulp")
    page.wait_for_selector("body[data-started]")
    with page.expect_response("**/hulp/golf"):
        page.get_by_role("button", name=re.compile("^Blijf 5 min")).click()
    client.context.set_offline(True)
    page.get_by_role("button", name="Ik ben er al").click()
    page.locator("#hielp").fill("Iets van mij alleen")
    page.get_by_role("button", name="Het ging anders").click()
    expect(page.get_by_role("heading", name="Fijn dat je het zegt")).to_be_visible()
    expect(page.locator("[data-wave-text]")).to_be_visible()
    kept = page.evaluate("localStorage.getItem('samen-golven')")
    assert "lapsed" in kept
    assert "Iets van mij" not in kept
    with page.expect_response("**/hulp/meegebracht"):
        client.context.set_offline(False)
    page.wait_for_function("!JSON.parse(localStorage.getItem('samen-golven')).length")
    [(_minutes, ended)] = waves(server)
    assert ended


def test_a_plan_stays_off_the_device_until_somebody_switches_that_on(client: Visitor) -> None:
    page = write_plan(client)
    expect(page.locator("[data-keep-switch]")).to_have_attribute("aria-checked", "false")
    expect(page.locator("[data-keep-plan]")).to_contain_text("Wie dit toestel kan openen, kan het dan ook lezen")
    assert PLAN not in caches(page)
    for path in ("/hulp", "/plan", "/vandaag"):
        assert OWN not in shown_offline(client, path)
    page = client.go("/plan")
    switch(page, on=True)
    for path in ("/hulp", "/plan"):
        assert OWN in shown_offline(client, path)
    assert OWN not in shown_offline(client, "/vandaag")
    page = client.go("/plan")
    expect(page.locator("[data-keep-switch]")).to_have_attribute("aria-checked", "true")
    switch(page, on=False)
    assert OWN not in shown_offline(client, "/plan")


def test_a_plan_on_the_device_is_the_plan_as_it_is_now(client: Visitor) -> None:
    page = write_plan(client)
    switch(page, on=True)
    page.locator("#reasons summary").click()
    page.locator("#reasons form.card textarea").fill("Voor een zevenmuurbloem")
    page.locator("#reasons form.card button").click()
    page.wait_for_load_state("networkidle")
    assert "zevenmuurbloem" in shown_offline(client, "/hulp")


@pytest.mark.parametrize("way", ["signing out", "leaving", "ended elsewhere"])
def test_a_plan_goes_from_the_device_when_its_owner_does(client: Visitor, server: Server, way: str) -> None:
    page = write_plan(client)
    switch(page, on=True)
    assert {PLAN, HERE} <= caches(page)
    if way == "signing out":
        client.go("/meer").get_by_role("button", name="Log uit").click()
        page.wait_for_url(f"{server.url}/")
    elif way == "leaving":
        page.get_by_role("link", name=re.compile("^Nu weg")).click()
        page.wait_for_url("**/elders")
    else:
        with sqlite3.connect(server.folder / "samen.db") as database:
            database.execute("DELETE FROM sign_ins")
        client.go("/")
    page.wait_for_load_state("networkidle")
    client.go("/terug")
    page.wait_for_selector("body[data-started]")
    page.wait_for_function(f"caches.keys().then((names) => !names.includes('{PLAN}') && !names.includes('{HERE}'))")
    client.go("/hulp")
    ready(page)
    assert OWN not in shown_offline(client, "/hulp")
    assert OWN not in shown_offline(client, "/plan")


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_wave_that_a_page_may_not_send_waits_for_the_next_page(client: Visitor, server: Server, status: int) -> None:
    page = client.go("/hulp")
    page.wait_for_selector("body[data-started]")
    client.context.set_offline(True)
    page.get_by_role("button", name=re.compile("^Blijf 5 min")).click()
    page.get_by_role("button", name="Ik ben er al").click()
    page.get_by_role("button", name="Ik bleef erbij").click()
    expect(page.get_by_text("Je golf is op dit toestel bewaard")).to_be_visible()
    page.evaluate("(status) => { window.fetch = async () => new Response('{}', { status }) }", status)
    client.context.set_offline(False)
    page.wait_for_timeout(300)
    assert waves(server) == []
    with page.expect_response("**/hulp/meegebracht") as brought:
        client.go("/vandaag")
    assert brought.value.ok
    assert len(waves(server)) == 1


def test_another_account_on_the_same_device_finds_nothing_of_the_one_before(
    browser: Browser, client: Visitor, server: Server
) -> None:
    """Nobody signed out: the one came in over the other, and no page in between was a visitor's."""
    code_name, words = second_account(browser, server)
    page = write_plan(client)
    switch(page, on=True)
    page.evaluate(
        """localStorage.setItem('samen-golven', JSON.stringify([{ key: crypto.randomUUID(), minutes: 5,
           began: Date.now() - 400000, lasted: 300, before: '', after: '', outcome: 'rode' }]))"""
    )
    page = client.go("/programma/understanding/a-moment")
    page.wait_for_selector("body[data-started]")
    page.evaluate("() => { window.fetch = () => Promise.reject() }")
    page.locator("#tekst").fill("Van wie hier eerst was")
    expect(page.locator("[data-concept-said]")).to_contain_text("Nog niet bewaard")
    before = waves(server)
    page = client.go("/terug")
    page.get_by_label("Codenaam").fill(code_name)
    page.get_by_label("Wachtzin").fill(words)
    page.locator(".dock button[type=submit]").click()
    page.wait_for_url("**/vandaag")
    page.wait_for_selector("body[data-started]")
    page.wait_for_load_state("networkidle")
    assert PLAN not in caches(page)
    assert page.evaluate("localStorage.getItem('samen-golven')") is None
    page = client.go("/programma/understanding/a-moment")
    page.wait_for_selector("body[data-started]")
    expect(page.locator("#tekst")).to_have_value("")
    assert waves(server) == before == []
    assert OWN not in shown_offline(client, "/plan")


def second_account(browser: Browser, server: Server) -> tuple[str, str]:
    """The code name and the words of somebody who came in on a device of their own."""
    other = Visitor(browser, server, "second", PHONE)
    page = other.go("/")
    page.locator("[name=code]").fill("DEMO-DDDD")
    page.locator(".dock button[type=submit]").click()
    words = page.locator(".words li").all_inner_texts()
    code_name = page.locator(".codename").inner_text()
    page.locator("[name=third]").fill(words[2])
    page.locator(".dock button[type=submit]").click()
    page.locator("[name=agree]").check()
    page.locator(".dock button[type=submit]").click()
    page.wait_for_url("**/vandaag")
    other.context.close()
    return code_name, " ".join(words)


def test_leaving_works_without_a_network_and_takes_the_plan_along(client: Visitor) -> None:
    page = write_plan(client)
    switch(page, on=True)
    client.context.set_offline(True)
    client.go("/hulp")
    page.wait_for_selector("body[data-started]")
    page.get_by_role("link", name=re.compile("^Nu weg")).click()
    page.wait_for_url("**/elders")
    expect(page.get_by_text("Er staat vandaag niets in je agenda.")).to_be_visible()
    assert PLAN not in caches(page)
    client.go("/hulp")
    assert OWN not in page.locator("main").inner_text()


def test_nothing_that_is_kept_is_anybodys(client: Visitor) -> None:
    write_plan(client)
    alias = client.go("/groep").locator("main").inner_text()
    page = client.go("/hulp")
    page.wait_for_load_state("networkidle")
    kept = page.evaluate(TEXTS_KEPT)
    assert "Je hoeft nu niets te beslissen" in kept  # so there was something to look at
    assert OWN not in kept
    assert not re.search(r'csrf-token" content="[^"]', kept)
    assert 'name="csrf_token"' not in kept
    for word in set(re.findall(r"\b[A-Z][a-z]+_[a-z]+\b", alias)):
        assert word not in kept


def test_who_has_no_account_has_help_too_and_is_asked_nothing(browser: Browser, server: Server) -> None:
    visitor = Visitor(browser, server, "visitor", PHONE, service_workers="allow")
    page = visitor.go("/hulp")
    ready(page)
    visitor.context.set_offline(True)
    visitor.go("/hulp")
    page.get_by_role("button", name=re.compile("^Blijf 5 min")).click()
    page.get_by_role("button", name="Ik ben er al").click()
    expect(page.locator("[data-wave-word]")).to_have_text("De golf is gezakt. Jij staat er nog.")
    expect(page.locator("[data-wave-finish]")).to_be_hidden()
    assert HERE not in caches(page)
    visitor.context.close()


def test_help_is_there_when_the_server_is_not(client: Visitor, server: Server) -> None:
    server.stop()
    page = client.go("/hulp")
    expect(page.get_by_text("Er is nu geen internet")).to_be_visible()
    expect(page.locator("a[href='tel:113']")).to_be_visible()
    server.start()
    page = client.go("/hulp")
    expect(page.get_by_text("Er is nu geen internet")).to_be_hidden()


def test_help_without_a_network_speaks_and_looks_as_its_reader_chose(client: Visitor) -> None:
    settle(client, "en", "dark")
    client.go("/hulp")
    client.page.wait_for_load_state("networkidle")
    client.context.set_offline(True)
    page = client.go("/hulp")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_no_script_may_make_another_address_to_load_from(client: Visitor) -> None:
    """The one policy is taken, and gives one address whatever it is asked for."""
    made = client.page.evaluate(
        """() => {
          const tried = []
          for (const name of ['samen-worker', 'another']) {
            try { trustedTypes.createPolicy(name, { createScriptURL: (url) => url }); tried.push(name) } catch {}
          }
          return tried
        }"""
    )
    assert made == []
