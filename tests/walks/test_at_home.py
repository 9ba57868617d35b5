"""The programme at home in a real browser: what is written is kept while one writes, also where the line drops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from groups.programme.curriculum import DEFAULT, programme
from tests.server import Server
from tests.walks.conftest import PHONE, Visitor
from tests.walks.test_every_page import come_in

MOMENT = "/programma/understanding/a-moment"


@pytest.fixture
def client(browser: Browser, server: Server) -> Iterator[Visitor]:
    made = Visitor(browser, server, "thuis", PHONE)
    come_in(made)
    yield made
    made.context.close()


def _one_of_each() -> Iterator[str]:
    """A step of every kind and shape that the programme has for at home."""
    seen = set()
    for chapter in programme(DEFAULT, "nl").chapters:
        for step in chapter.path:
            shape = (step.kind, step.timer, bool(step.fields), step.many, len(step.columns))
            if shape not in seen:
                seen.add(shape)
                yield f"/programma/{chapter.key}/{step.id}"


def test_what_is_written_is_kept_a_moment_later_and_is_there_when_one_comes_back(client: Visitor) -> None:
    page = client.go(MOMENT)
    page.locator("#tekst").press_sequentially("Het was stil in huis")
    expect(page.locator("[data-concept-said]")).to_contain_text("bewaard om")
    page.reload()
    expect(page.locator("#tekst")).to_have_value("Het was stil in huis")
    expect(client.go("/programma/understanding").get_by_text("7 stappen gedaan")).to_contain_text("0 van")
    assert not client.trouble


def test_without_a_line_the_words_stay_and_are_sent_once_it_is_back(client: Visitor) -> None:
    page = client.go(MOMENT)
    page.locator("body[data-started]").wait_for()
    client.context.set_offline(True)
    page.locator("#tekst").fill("Zonder net")
    expect(page.locator("[data-concept-said]")).to_contain_text("Nog niet bewaard")
    client.context.set_offline(False)
    expect(page.locator("[data-concept-said]")).to_contain_text("bewaard om")


def test_what_could_not_be_sent_stands_there_again_after_a_reload(client: Visitor) -> None:
    page = client.go(MOMENT)
    page.locator("#tekst").fill("Eerst dit")
    expect(page.locator("[data-concept-said]")).to_contain_text("bewaard om")
    page.route("**/concept", lambda route: route.abort())
    page.locator("#tekst").fill("Nieuwer dan wat bewaard is")
    expect(page.locator("[data-concept-said]")).to_contain_text("Nog niet bewaard")
    page.reload()
    expect(page.locator("#tekst")).to_have_value("Nieuwer dan wat bewaard is")
    page.unroute("**/concept")
    page.locator("#tekst").press_sequentially(".")
    expect(page.locator("[data-concept-said]")).to_contain_text("bewaard om")


def test_what_did_not_arrive_stands_there_again(client: Visitor) -> None:
    page = client.go(MOMENT)
    page.locator("body[data-started]").wait_for()
    client.context.set_offline(True)
    page.locator("#tekst").fill("In de trein, zonder net")
    expect(page.locator("[data-concept-said]")).to_contain_text("Nog niet bewaard")
    page.get_by_role("button", name="Volgende").click()
    page.wait_for_url("chrome-error://**")
    client.context.set_offline(False)
    page = client.go(MOMENT)
    expect(page.locator("#tekst")).to_have_value("In de trein, zonder net")
    expect(page.locator("[data-concept-said]")).to_contain_text("bewaard om")


def test_what_another_screen_wrote_stays_until_one_says_otherwise(client: Visitor) -> None:
    page = client.go(MOMENT)
    page.locator("body[data-started]").wait_for()
    other = client.context.new_page()
    other.goto(client.server.url + MOMENT)
    other.locator("#tekst").fill("Op het andere scherm")
    expect(other.locator("[data-concept-said]")).to_contain_text("bewaard om")
    page.locator("#tekst").fill("Hier, en ouder")
    expect(page.locator("[data-concept-said]")).to_contain_text("Op een ander scherm")
    page.reload()  # what was typed is still here, and still not newer than the other
    expect(page.locator("#tekst")).to_have_value("Hier, en ouder")
    expect(page.locator("[data-concept-said]")).to_contain_text("Op een ander scherm")
    other.reload()
    expect(other.locator("#tekst")).to_have_value("Op het andere scherm")
    page.get_by_role("button", name="Volgende").click()
    expect(page.locator("#daar")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Op het andere scherm")
    expect(page.locator("#tekst")).to_have_value("Hier, en ouder")
    page.get_by_role("button", name="Volgende").click()
    expect(page.locator("#daar")).to_be_hidden()
    other.reload()
    expect(other.locator("#tekst")).to_have_value("Hier, en ouder")


def test_going_on_waits_for_what_is_on_its_way(client: Visitor) -> None:
    page = client.go(MOMENT)
    page.locator("body[data-started]").wait_for()
    held: list[Route] = []
    page.route("**/concept", lambda route: held.append(route))
    page.locator("#tekst").fill("Eerst dit")
    page.wait_for_timeout(1000)
    page.locator("#tekst").press_sequentially(", dan dat")
    page.get_by_role("button", name="Volgende").click()
    held[0].continue_()
    page.wait_for_url(lambda address: not address.endswith("a-moment"))
    page = client.go(MOMENT)
    expect(page.locator("#tekst")).to_have_value("Eerst dit, dan dat")
    assert not client.trouble


def test_words_of_danger_bring_the_numbers_beside_what_one_writes_and_nothing_is_lost(client: Visitor) -> None:
    page = client.go(MOMENT)
    expect(page.locator("[data-concept-help]")).to_be_hidden()
    page.locator("#tekst").fill("Ik wil niet meer leven")
    expect(page.locator("[data-concept-help]")).to_contain_text("113")
    expect(page.locator("#tekst")).to_have_value("Ik wil niet meer leven")


def test_a_list_grows_line_by_line_until_it_is_full(client: Visitor) -> None:
    page = client.go("/programma/world/measures")
    most = programme(DEFAULT, "nl").chapter("world").step("measures").most
    rows = page.locator(".builder__row")
    more = page.get_by_role("button", name="Nog een regel")
    for count in range(4, most + 1):
        more.click()
        expect(rows).to_have_count(count)
        expect(page.locator("[name=cell-0]").last).to_be_focused()
    expect(more).to_be_hidden()
    page.locator("[name=cell-0]").last.fill("De laatste")
    expect(page.locator("[data-concept-said]")).to_contain_text("bewaard om")
    page.reload()
    expect(page.locator("[name=cell-0]").first).to_have_value("De laatste")


def test_one_breathes_alone_as_one_does_together(client: Visitor) -> None:
    page = client.go("/programma/triggers/breath")
    expect(page.locator("[data-pulse]")).to_be_hidden()
    page.get_by_role("button", name="Begin met ademen").click()
    expect(page.locator("[data-pulse]")).to_be_visible()
    expect(page.locator("[data-breath-word]")).to_have_text("in")
    expect(page.locator("[data-breathe-still]")).to_be_hidden()
    expect(page.locator("[data-count=pulse]")).to_contain_text("nog 4:5")
    assert not client.trouble


def test_every_kind_of_step_is_sound_and_fits_a_small_screen(browser: Browser, server: Server) -> None:
    client = Visitor(browser, server, "soorten", PHONE, bypass_csp=True)
    come_in(client)
    for path in _one_of_each():
        client.go(path)
        client.check(path)
    client.inspected = False
    for width in (320, 195):  # the second is a phone with its text at 200 %
        client.page.set_viewport_size({"width": width, "height": 600})
        for path in _one_of_each():
            client.go(path)
            client.check(f"{path}, {width} px")
    client.done()


def test_the_whole_of_a_step_works_without_scripts(browser: Browser, server: Server) -> None:
    client = Visitor(browser, server, "zonder", PHONE, java_script_enabled=False)
    come_in(client)
    page = client.go("/programma/triggers/hard-hours")
    page.get_by_label("vrijdag, 20 tot 24 uur").check()
    page.get_by_role("button", name="Volgende").click()
    page = client.go("/programma/eerder")
    expect(page.locator(".hour--on")).to_have_count(1)
    page.get_by_role("link", name="Haal weg").click()
    page.get_by_role("button", name="Ja, haal weg").click()
    expect(page.get_by_text("Je hebt nog niets geschreven")).to_be_visible()
    client.done()
