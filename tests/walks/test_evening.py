"""One evening: two clients and a facilitator at once, from invitation to a relapse report that reaches a person."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

from playwright.sync_api import Browser, expect

from app.demo import FACILITATOR_LOGIN, FACILITATOR_PASSWORD, MODERATOR_LOGIN, MODERATOR_PASSWORD
from tests.server import Server
from tests.walks.conftest import ARTEFACTS, DESK, PHONE, Visitor

SCREEN = Path(__file__).resolve().parents[2] / "docs" / "screens" / "live-session.png"


def test_one_evening(browser: Browser, server: Server) -> None:
    mees = Visitor(browser, server, "mees", PHONE)
    noor = Visitor(browser, server, "noor", PHONE, bypass_csp=True, color_scheme="dark")
    hanna = Visitor(browser, server, "hanna", DESK, bypass_csp=True)
    daan = Visitor(browser, server, "daan", DESK)

    alias_mees = join(mees, "DEMO-AAAA", show=True)
    alias_noor = join(noor, "DEMO-BBBB")
    sign_in(hanna, FACILITATOR_LOGIN, FACILITATOR_PASSWORD)
    sign_in(daan, MODERATOR_LOGIN, MODERATOR_PASSWORD)

    talk(mees, noor, alias_mees)
    mask(mees, noor)
    hold_and_release(mees, noor, daan)
    lead(hanna, mees, noor, alias_mees, alias_noor)
    pair(hanna, mees, noor, alias_noor)
    report(mees, noor, hanna, alias_mees)
    climb(noor, mees, hanna, server, alias_noor)
    leave(mees)
    come_back(mees, alias_mees)
    for visitor in (mees, noor, hanna, daan):
        visitor.done()


def join(visitor: Visitor, code: str, *, show: bool = False) -> str:
    """From the invitation to Vandaag; returns the alias."""
    page = visitor.go("/")
    page.get_by_label("De code van je uitnodiging").fill(code.lower())
    if show:
        visitor.check("code")
        visitor.shot("01-code")
    page.get_by_role("button", name="Kom binnen").click()
    expect(page.get_by_role("heading", name="Kies je schuilnaam")).to_be_visible()
    before = page.locator(".choice--alias span").all_inner_texts()
    page.get_by_role("button", name="Laat andere namen zien").click()
    expect(page.locator(".choice--alias span").first).not_to_have_text(before[0])
    alias = page.locator(".choice--alias span").first.inner_text()
    words = page.locator(".words li").all_inner_texts()
    assert len(words) == 6
    visitor.slip = (page.locator(".codename").inner_text(), " ".join(words))
    page.get_by_label("Welk woord is nummer 3?").fill("vergeten")
    page.get_by_role("button", name="Ik heb het opgeschreven").click()
    expect(page.get_by_role("alert")).to_contain_text("Dat is niet het derde woord")
    page.get_by_label("Welk woord is nummer 3?").fill(words[2])
    if show:
        visitor.check("choose")
        visitor.shot("02-kiezen")
    page.get_by_role("button", name="Ik heb het opgeschreven").click()
    page.get_by_label(re.compile("Hier houd ik me aan")).check()
    if show:
        visitor.check("rules")
        visitor.shot("03-afspraken")
    page.get_by_role("button", name="Kom binnen").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(alias)
    visitor.check("today")
    visitor.shot(f"04-vandaag-{visitor.name}")
    return alias


def sign_in(visitor: Visitor, login: str, password: str) -> None:
    page = visitor.go("/terug")
    visitor.check("sign in")
    page.get_by_label("Codenaam").fill(login)
    page.get_by_label("Wachtzin").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Nog één stap")).to_be_visible()
    visitor.check("second step")
    page.get_by_role("button", name="Verder").click()  # the demo fills in the code
    expect(page.get_by_role("navigation")).to_be_visible()
    visitor.check("staff today")
    visitor.shot(f"05-{visitor.name}")


def say(visitor: Visitor, text: str) -> None:
    visitor.page.locator("[data-composer] textarea").fill(text)
    visitor.page.get_by_role("button", name="Verstuur", exact=True).click()


def talk(mees: Visitor, noor: Visitor, alias: str) -> None:
    """A conversation goes both ways; a reload keeps it; a lost connection loses nothing and doubles nothing."""
    mees.go("/groep")
    noor.go("/groep")
    say(mees, "Fijn om hier te zijn. Beetje spannend wel.")
    line = noor.page.locator(".msg", has_text="Beetje spannend")
    expect(line).to_be_visible()
    expect(line).to_contain_text(alias)
    noor.context.set_offline(True)
    say(noor, "Voor mij ook de eerste keer.")
    expect(noor.page.locator("[data-offline]")).to_be_visible()
    say(mees, "Neem rustig de tijd.")
    noor.context.set_offline(False)
    expect(noor.page.locator(".msg", has_text="Neem rustig de tijd.")).to_be_visible(timeout=30_000)
    expect(mees.page.locator(".msg", has_text="Voor mij ook")).to_have_count(1)
    expect(noor.page.locator(".msg", has_text="Voor mij ook")).to_have_count(1)
    noor.trouble.clear()  # the browser reports the connection we took away ourselves
    mees.page.reload()
    expect(mees.page.locator(".msg", has_text="Voor mij ook")).to_have_count(1)
    mees.check("room")
    noor.check("room, dark")
    mees.shot("06-ruimte")
    noor.shot("06-ruimte-donker")


def mask(mees: Visitor, noor: Visitor) -> None:
    """A telephone number is never delivered; its author decides how the rest goes."""
    say(mees, "Bel me gerust op 06-12345678")
    card = mees.page.locator("[data-preview]")
    expect(card).to_contain_text("Bel me gerust op [telefoonnummer]")
    mees.check("masked preview")
    mees.shot("07-afschermen")
    card.get_by_role("button", name="Verstuur het zo").click()
    expect(noor.page.locator(".msg", has_text="Bel me gerust op [telefoonnummer]")).to_be_visible()
    expect(noor.page.locator("body")).not_to_contain_text("12345678")


def hold_and_release(mees: Visitor, noor: Visitor, daan: Visitor) -> None:
    """Words of danger: help for the author at once, a case on top of the queue, and a person who decides."""
    words = "Ik wil niet meer leven. Vanavond maak ik er een eind aan."
    say(noor, words)
    expect(noor.page.locator("[data-crisis]")).to_be_visible()
    expect(noor.page.locator("[data-crisis] a[href='tel:113']")).to_be_visible()
    expect(noor.page.locator(".msg--held", has_text="Ik wil niet meer leven")).to_be_visible()
    noor.check("crisis")
    noor.shot("08-nood")
    noor.page.reload()
    expect(noor.page.locator("[data-crisis]")).to_be_visible()  # help does not go away with the page
    teasing = "Wat ben je toch een sukkel. Grapje hoor, tot dinsdag."
    say(mees, teasing)

    page = daan.go("/beoordelen")
    first = page.locator(".case").first
    expect(first).to_contain_text("Mogelijk in nood")
    first.click()
    expect(page.get_by_text(words)).to_be_hidden()  # closed until asked for
    daan.check("queue")
    daan.shot("09-beoordelen")
    page.get_by_text("Toon de tekst").click()
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_label(re.compile("^Niet plaatsen")).check()
    page.get_by_label("Reden").select_option("safety")
    page.get_by_role("button", name="Leg vast").click()
    expect(noor.page.locator("[data-notice]")).to_contain_text("niet geplaatst")
    expect(mees.page.locator("body")).not_to_contain_text("Ik wil niet meer leven")

    page.locator(".case", has_text="Scherpe toon").click()
    page.get_by_label(re.compile("^Plaatsen")).check()
    page.get_by_role("button", name="Leg vast").click()
    expect(noor.page.locator(".msg", has_text=teasing)).to_be_visible()
    expect(mees.page.locator("[data-notice]")).to_contain_text("Je bericht is geplaatst")


def lead(hanna: Visitor, mees: Visitor, noor: Visitor, alias_mees: str, alias_noor: str) -> None:
    """A session is planned, opened and led; everybody's screen follows; answers come back; somebody is muted."""
    page = hanna.go("/bijeenkomsten")
    hanna.check("sessions")
    hanna.shot("10-bijeenkomsten")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.get_by_role("button", name="Open de bijeenkomst").click()
    for client in (mees, noor):  # who waits in the room comes along by itself
        expect(client.page.locator("[data-step]:visible")).to_contain_text("Hoe zit je erbij?")
    expect(page.locator("[data-here-count]")).to_have_text("2 van 2")
    hanna.check("cockpit")
    hanna.shot("11-cockpit")
    for title in ("Wat het voor je doet", "Wat gaat eraan vooraf?", "Wat gaf het je?"):
        expect(page.locator("[data-forward] button")).to_be_enabled()
        page.keyboard.press("n")
        expect(mees.page.locator("[data-step]:visible")).to_contain_text(title, timeout=1_500)
        expect(noor.page.locator("[data-step]:visible")).to_contain_text(title, timeout=1_500)
        expect(page.locator("[data-run] .is")).to_contain_text(title)
    answer(mees, "Even rust in mijn hoofd.", share=True)
    answer(noor, "Dat ik niets hoefde te voelen.", share=False)
    expect(page.locator("[data-given]:visible")).to_have_text("2 van 2 schreven iets")
    expect(noor.page.locator("body")).not_to_contain_text("Even rust in mijn hoofd.")  # not before it is shown
    page.keyboard.press("r")
    expect(noor.page.locator("[data-answers]:visible")).to_contain_text("Even rust in mijn hoofd.")
    expect(page.locator("body")).not_to_contain_text("Dat ik niets hoefde te voelen")
    expect(mees.page.locator("body")).not_to_contain_text("Dat ik niets hoefde te voelen")

    noor.page.get_by_role("button", name="Hand opsteken").click()
    expect(page.locator("[data-hands]")).to_contain_text(alias_noor)
    say(hanna, "Dank jullie wel. Noor, jij had je hand omhoog.")
    expect(mees.page.locator(".msg--lead", has_text="Dank jullie wel")).to_be_visible()
    for visitor in (hanna, mees, noor):
        visitor.check("live session")
    hanna.shot("12-cockpit-vol")
    mees.shot("12-bijeenkomst")
    noor.shot("12-bijeenkomst-donker")
    keep_screenshot()
    page.get_by_role("button", name=f"Geef het woord {alias_noor}").click()
    expect(noor.page.locator("[data-notice]")).to_contain_text("Jij hebt het woord")

    row = page.locator(f"[data-roster] > li[data-id='{alias_mees}']")
    row.locator("summary").click()
    row.get_by_role("button", name="Laat 10 minuten meelezen").click()
    expect(mees.page.locator("[data-notice]")).to_contain_text("even mee te lezen")
    say(mees, "Mag ik nog iets zeggen?")
    expect(mees.page.locator("[data-notice]")).to_contain_text("Wat je typte staat er nog")
    expect(mees.page.locator("[data-composer] textarea")).to_have_value("Mag ik nog iets zeggen?")
    row.locator("summary").click()
    row.get_by_role("button", name="Laat weer schrijven").click()
    expect(mees.page.locator("[data-notice]")).to_contain_text("Je kunt weer meeschrijven")
    mees.page.locator("[data-composer] textarea").fill("")

    mees.page.reload()  # who comes late or comes back lands on the current step
    expect(mees.page.locator("[data-step]:visible")).to_contain_text("Wat gaf het je?")
    page.locator("summary", has_text="Sluit af").click()
    page.get_by_role("button", name="Ja, sluit af").click()
    expect(mees.page.locator("[data-step-closed]")).to_be_visible()
    page.get_by_role("link", name="Aanwezigheid").click()
    for alias in (alias_mees, alias_noor):
        expect(page.locator(".attended > li", has_text=alias).locator(".attended__who")).to_contain_text("tot")
    hanna.check("attendance")
    hanna.shot("13-aanwezigheid")


def answer(client: Visitor, text: str, *, share: bool) -> None:
    page = client.page
    page.get_by_text("Schrijf je antwoord").locator("visible=true").click()
    page.locator("[data-step]:visible textarea").fill(text)
    if share:
        page.locator("[data-step]:visible [name=share]").check()
    page.locator("[data-step]:visible").get_by_role("button", name="Bewaar").click()
    expect(page.get_by_text("Pas je antwoord aan").locator("visible=true")).to_be_visible()


def pair(hanna: Visitor, mees: Visitor, noor: Visitor, alias_noor: str) -> None:
    """Two clients become buddies and see each other's check-in."""
    page = hanna.go("/groepen")
    page.get_by_role("link", name="Deelnemers").click()
    for box in page.locator("input[name=member]").all():
        box.check()
    hanna.check("group")
    page.get_by_role("button", name="Maak een duo").click()
    expect(page.locator("[aria-labelledby=duos]")).to_contain_text(alias_noor)
    hanna.shot("14-groep")

    noor.go("/check-in")
    for label in ("Zwaar", "Sterk", "Alleen", None, "Mijn antwoorden van vandaag"):
        if label is None:
            noor.page.locator("textarea").fill("Lange dag, maar gewandeld.")
        else:
            noor.page.get_by_label(re.compile(f"^{label}")).check()
        noor.check(f"check-in {label}")
        noor.page.locator(".dock button[type=submit]").click()
    expect(noor.page.get_by_role("heading", level=1)).to_contain_text("Dank je")
    mees.go("/duo")
    expect(mees.page.locator("body")).not_to_contain_text(alias_noor)  # in here nobody is who they are in the group
    expect(mees.page.locator("tbody tr").last.get_by_label("zware dag")).to_have_count(1)
    expect(mees.page.locator("body")).to_contain_text("Lange dag, maar gewandeld.")
    mees.check("duo")
    mees.shot("15-duo")


def report(mees: Visitor, noor: Visitor, hanna: Visitor, alias_mees: str) -> None:
    """A lapse is told; the chosen buddy is asked, with a deadline, and picks it up."""
    page = noor.go("/vandaag")
    expect(page.get_by_role("heading", name="Een bericht van jou is niet geplaatst")).to_be_visible()
    expect(page.locator("body")).to_contain_text("Voor jou is er wel iemand")
    while page.get_by_role("button", name="Gelezen").count():  # and what came about the session
        page.get_by_role("button", name="Gelezen").first.click()
        page.wait_for_load_state()
    expect(page.get_by_role("heading", name="Een bericht van jou is niet geplaatst")).to_have_count(0)
    page = mees.go("/vandaag")
    page.get_by_role("link", name=re.compile("Er gebeurde iets")).click()
    mees.check("report doors")
    page.get_by_role("button", name=re.compile("^Een uitglijder")).click()
    mees.check("report thanks")
    mees.shot("16-dank")
    page.get_by_role("link", name="Verder").click()
    page.get_by_role("link", name="Verder").click()
    page.get_by_label("Ja, ik ben veilig").check()
    mees.check("report safety")
    mees.shot("17-veilig")
    page.get_by_role("button", name="Volgende").click()
    mees.check("report who")
    mees.shot("18-wie")
    promised = page.locator("#naar-duo blockquote").inner_text().rstrip(".")
    page.get_by_role("button", name="Verstuur dit").click()
    expect(page.get_by_role("heading", name="We horen je")).to_be_visible()
    expect(page.locator(".ladder")).to_contain_text("gevraagd, tot")
    mees.check("report sent")
    mees.shot("19-verslag")

    noor.go("/vandaag")
    expect(noor.page.locator("main")).not_to_contain_text(alias_mees)
    card = noor.page.locator("article", has_text="hoort graag iets van je")
    assert "heeft het zwaar en hoort graag iets van je" in promised
    expect(card).to_contain_text(promised)  # word for word what was shown before it was sent
    expect(card).to_contain_text("liefst vóór")
    noor.check("asked")
    noor.shot("20-gevraagd")
    card.get_by_role("button", name="Ik pak dit op").click()
    expect(noor.page.locator("article", has_text="hoort graag iets van je")).to_have_count(0)
    page.reload()
    expect(page.locator("body")).to_contain_text("Iemand heeft het opgepakt")
    hanna.go("/vandaag")
    expect(hanna.page.locator("body")).to_contain_text("Niemand vraagt nu om contact")


def climb(noor: Visitor, mees: Visitor, hanna: Visitor, server: Server, alias_noor: str) -> None:
    """Nobody answers: after the deadline the facilitator is asked."""
    page = noor.go("/hulp")
    noor.check("help")
    noor.shot("21-hulp")
    page.get_by_role("button", name=re.compile("een seintje")).click()
    expect(page.get_by_role("heading", name="We horen je")).to_be_visible()
    with sqlite3.connect(server.folder / "samen.db") as database:  # two hours go by
        database.execute("UPDATE outreach_steps SET deadline_at = '2020-01-01 00:00:00' WHERE state = 'asked'")
    database.close()
    ladder = page.locator(".ladder .is")
    for _ in range(20):
        page.reload()
        if "begeleider" in ladder.inner_text():
            break
    expect(ladder).to_contain_text("begeleider")
    hanna.go("/vandaag")
    card = hanna.page.locator("article", has_text=alias_noor)
    expect(card).to_contain_text("vraagt om contact")
    hanna.check("facilitator asked")
    hanna.shot("22-begeleider")
    card.get_by_role("button", name="Ik pak dit op").click()
    expect(hanna.page.locator("body")).to_contain_text("Niemand vraagt nu om contact")


def leave(visitor: Visitor) -> None:
    """Three times Shift: covered, signed out, and Back shows nothing."""
    page = visitor.go("/groep")
    page.locator("[data-composer] textarea").fill("een zin die niemand mag zien")
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url("**/elders")
    assert "Samen" not in page.title()
    page.go_back()
    expect(page.locator("body")).not_to_contain_text("een zin die niemand mag zien")
    assert "samen_session" not in {cookie["name"] for cookie in visitor.context.cookies()}
    visitor.trouble.clear()


def come_back(visitor: Visitor, alias: str) -> None:
    """The slip is enough to come back; a wrong one is refused kindly and keeps the name that was typed."""
    page = visitor.go("/terug")
    page.get_by_label("Codenaam").fill(visitor.slip[0].upper())
    page.get_by_label("Wachtzin").fill("zes heel andere woorden dus niet")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("Die twee horen niet bij elkaar")
    expect(page.get_by_label("Codenaam")).to_have_value(visitor.slip[0].upper())
    page.get_by_label("Wachtzin").fill(visitor.slip[1])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(alias)
    page.goto(visitor.server.url + "/groep")
    expect(page.locator(".msg--own", has_text="Fijn om hier te zijn")).to_have_count(1)
    visitor.trouble.clear()  # the refused sign-in


def keep_screenshot() -> None:
    """The README's picture of a live session, once, so that it shows the product as it is."""
    if not SCREEN.exists():
        SCREEN.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ARTEFACTS / "12-cockpit-vol.png", SCREEN)
