"""Every chapter of the programme, in both languages: once alone on a phone, once led in a group."""

from __future__ import annotations

import sqlite3

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo import FACILITATOR_LOGIN, FACILITATOR_PASSWORD
from groups.programme.curriculum import DEFAULT, programme
from groups.programme.steps import Chapter, Step
from tests.server import Server
from tests.walks.conftest import DESK, PHONE, Visitor
from tests.walks.test_every_page import come_in, settle, sign_in

LANGUAGES = ("nl", "en")
SEEN = ("triggers",)  # a chapter that pictures are kept of
WROTE = {"nl": "Een rustig moment aan het eind van de middag.", "en": "A quiet moment at the end of the afternoon."}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chapter_is_done_alone_on_a_phone(browser: Browser, server: Server, language: str) -> None:
    client = Visitor(browser, server, f"alone-{language}", PHONE, locale=language)
    come_in(client)
    settle(client, language, "light" if language == "nl" else "dark")
    read = programme(DEFAULT, language)
    answered = 0
    for chapter in read.chapters:
        page = client.go(f"/programma/{chapter.key}")
        expect(page.get_by_role("heading", level=1)).to_have_text(chapter.title)
        page.locator("a.btn--primary").click()
        for step in chapter.path:
            expect(page.locator("h1#stap")).to_have_text(step.title)
            answered += fill(page, step, language)
            client.check(f"{chapter.key}, {step.id}")
            if chapter.key in SEEN:
                client.shot(f"chapter-{chapter.number:02}-{chapter.key}-{step.id}-{language}")
            page.locator("button[form=antwoord]").click()
        expect(page.locator("#klaar-kop")).to_be_visible()
    page = client.go("/programma")
    client.shot(f"chapters-done-{language}")
    assert "100" not in page.url
    page = client.go("/programma/eerder")
    expect(page.get_by_text(WROTE[language]).first).to_be_visible()
    assert answered > 3 * len(read.chapters)
    client.done()


def fill(page: Page, step: Step, language: str) -> bool:
    """Answer a step as somebody would who takes it lightly. Says whether it asked anything."""
    if not step.answered:
        return False
    if step.kind == "week":
        for number in (20, 27):
            page.locator("[name=option]").nth(number).check(force=True)
    elif step.options:
        page.locator("[name=option]").nth(1).check(force=True)
    else:
        page.locator("#antwoord textarea").first.fill(WROTE[language])
    return True


@pytest.mark.parametrize(("language", "rest"), [("nl", 0), ("en", 1)])
def test_every_chapter_is_led_in_a_group(browser: Browser, server: Server, language: str, rest: int) -> None:
    """Every second chapter in Dutch, the others in English: what differs by language is walked alone in both."""
    expect.set_options(timeout=15_000)
    speak(server, language)
    hanna = Visitor(browser, server, f"hanna-{language}", DESK)
    sign_in(hanna, FACILITATOR_LOGIN, FACILITATOR_PASSWORD)
    settle(hanna, language, "dark" if language == "nl" else "light")
    mees = Visitor(browser, server, f"mees-{language}", PHONE, locale=language)
    come_in(mees)
    settle(mees, language, "light")
    chapters = programme(DEFAULT, language).chapters
    for chapter, cockpit in list(zip(chapters, plan(hanna, server, len(chapters)), strict=True))[rest::2]:
        lead(hanna, mees, chapter, cockpit, language)
    hanna.done()
    mees.done()


def speak(server: Server, language: str) -> None:
    """The demo's group speaks this language."""
    with sqlite3.connect(server.folder / "samen.db") as db:
        db.execute("UPDATE groups SET language = ?", (language,))


def plan(hanna: Visitor, server: Server, count: int) -> list[str]:
    """A session for each chapter, in their order; where each is led from."""
    page = hanna.go("/bijeenkomsten/reeks")
    page.locator("[name=count]").fill(str(count))
    page.locator("[name=booster]").select_option("0")
    page.locator("main form button[type=submit]").click()
    page.locator("button[name=op][value=save], button[value=save]").first.click()
    page.wait_for_url("**/bijeenkomsten")
    with sqlite3.connect(server.folder / "samen.db") as db:
        found = db.execute(
            "SELECT public_id FROM group_sessions WHERE series_id IS NOT NULL ORDER BY number"
        ).fetchall()
    return [f"/bijeenkomst/{ref}" for (ref,) in found]


def lead(hanna: Visitor, mees: Visitor, chapter: Chapter, cockpit: str, language: str) -> None:
    """Open, go through every step with an answer where one is asked for, close."""
    desk, phone = hanna.go(cockpit), mees.page
    mees.go("/groep")
    expect(desk.locator("[data-sheet-opener]")).to_be_visible()  # the keys work
    desk.keyboard.press("o")
    expect(desk.locator("body.cockpit--open[data-joined]")).to_be_visible()
    for at, step in enumerate(chapter.run_sheet):
        expect(desk.locator("[data-run] > li.is")).to_have_attribute("data-position", str(at))
        if step.timer in ("breath", "wave"):  # it started by itself, and stands in the step's place
            expect(phone.locator("[data-pulse]")).to_be_visible()
        else:
            expect(phone.locator("[data-step]:visible h2")).to_have_text(step.title)
        if step.answered:
            answer(phone, step, language)
            expect(desk.locator("[data-given]")).to_be_visible()
        if chapter.key in SEEN:
            hanna.shot(f"led-{chapter.number:02}-{chapter.key}-{step.id}-{language}")
            mees.shot(f"led-{chapter.number:02}-{chapter.key}-{step.id}-{language}-phone")
        if at + 1 < len(chapter.run_sheet):
            expect(desk.locator("form[data-busy]")).to_have_count(0)  # a second press too soon is one press
            desk.keyboard.press("n")
    hanna.check(f"{chapter.key}, led")
    mees.check(f"{chapter.key}, on a phone")
    desk.keyboard.press("x")
    desk.keyboard.press("Enter")
    expect(desk.locator("body.cockpit--closed")).to_be_visible()
    expect(phone.locator("[data-step]:visible")).to_have_count(0)


def answer(phone: Page, step: Step, language: str) -> None:
    """What a member answers at the step that stands on their phone."""
    box = phone.locator("[data-step]:visible [data-answering]")
    box.locator("summary").click()
    if step.options:
        box.locator("[name=option]").nth(1).check(force=True)
    else:
        box.locator("textarea").fill(WROTE[language])
    box.locator("button[type=submit]").click()
    expect(phone.locator("[data-step]:visible .own__said")).to_be_visible()
