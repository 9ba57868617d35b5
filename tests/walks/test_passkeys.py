"""A passkey in a real browser: added by staff and by a client, and enough to come back with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.demo import FACILITATOR_LOGIN, FACILITATOR_PASSWORD
from tests.server import Server
from tests.walks.conftest import DESK, PHONE, Visitor

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Named(Server):
    """A server that people know by a name: passkeys do not work at an address of digits."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Named(tmp_path).prepare(demo=True)
    made.start()
    yield made
    made.stop()
    assert "failed" not in made.log(), made.log()


class Holder(Visitor):
    """Somebody whose device has passkeys."""

    def give_device(self) -> None:
        self.wire = self.context.new_cdp_session(self.page)
        self.wire.send("WebAuthn.enable")
        self.device = self.wire.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def unlocks(self, yes: bool) -> None:
        """Does the finger on the device belong to its owner?"""
        self.wire.send("WebAuthn.setUserVerified", {"authenticatorId": self.device, "isUserVerified": yes})

    def shown(self) -> list[dict[str, str]]:
        """What the device's own list of accounts shows."""
        return self.wire.send("WebAuthn.getCredentials", {"authenticatorId": self.device})["credentials"]


def test_staff_add_a_passkey_and_come_back_with_it_alone(browser: Browser, server: Server) -> None:
    hanna = Holder(browser, server, "hanna-sleutel", DESK)
    hanna.give_device()
    page = hanna.go("/terug")
    page.get_by_label("Codenaam").fill(FACILITATOR_LOGIN)
    page.get_by_label("Wachtzin").fill(FACILITATOR_PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    hanna.shot("sleutel-tweede-stap")
    page.get_by_role("button", name="Verder").click()
    expect(page.get_by_role("navigation")).to_be_visible()
    hanna.go("/meer")
    page.get_by_role("link", name="Toegangssleutels").click()
    page.get_by_role("button", name="Voeg een sleutel toe").click()
    expect(page.get_by_text("Toegangssleutel 1", exact=True).first).to_be_visible()
    hanna.check("passkeys")
    hanna.shot("sleutel-lijst")
    (held,) = hanna.shown()
    assert held["rpId"] == "localhost"
    assert {held.get("userName", "agenda"), held.get("userDisplayName", "Agenda")} == {"agenda", "Agenda"}

    hanna.go("/meer")
    page.get_by_role("button", name="Log uit").click()
    hanna.go("/terug")
    page.get_by_role("button", name="Inloggen met een toegangssleutel").click()
    expect(page.get_by_role("navigation")).to_be_visible()
    expect(page.get_by_text("Hanna").first).to_be_visible()

    hanna.go("/sleutels")
    page.get_by_role("button", name="Verwijder").click()
    expect(page.get_by_text("Toegangssleutel 1", exact=True)).to_have_count(0)
    hanna.go("/meer")
    page.get_by_role("button", name="Log uit").click()
    hanna.go("/terug")
    page.get_by_role("button", name="Inloggen met een toegangssleutel").click()
    expect(page.get_by_role("alert")).to_contain_text("Met deze toegangssleutel lukte het niet")
    hanna.trouble.clear()  # the refused sign-in
    hanna.done()


def test_a_client_reads_what_the_telephone_shows_adds_a_passkey_and_comes_back_with_it(
    browser: Browser, server: Server
) -> None:
    mees = Holder(browser, server, "mees-sleutel", PHONE, bypass_csp=True)
    mees.give_device()
    page = mees.go("/")
    words = come_in(mees)
    with sqlite3.connect(server.folder / "samen.db") as database:  # ten minutes go by
        database.execute("UPDATE sign_ins SET confirmed_at = NULL")
    database.close()
    mees.go("/sleutels")
    expect(page.get_by_role("heading", name="Ben jij het?")).to_be_visible()
    mees.check("confirm")
    mees.shot("sleutel-bevestigen")
    page.get_by_label("Je wachtzin").fill(words)
    page.get_by_role("button", name="Bevestig").click()
    expect(page.get_by_role("heading", name="Lees dit eerst")).to_be_visible()
    mees.check("passkeys")
    mees.shot("sleutel-lees-eerst")
    page.get_by_role("button", name="Voeg een sleutel toe").click()
    assert mees.shown() == []  # not before the box is ticked
    page.get_by_label("Ik weet wie er in mijn telefoon kan kijken").check()
    mees.unlocks(False)
    page.get_by_role("button", name="Voeg een sleutel toe").click()
    expect(page.get_by_role("alert")).to_contain_text("Er is niets veranderd")
    mees.unlocks(True)
    page.get_by_role("button", name="Voeg een sleutel toe").click()
    expect(page.get_by_text("Toegangssleutel 1", exact=True).first).to_be_visible()
    mees.check("passkeys, one held")

    mees.context.clear_cookies()
    mees.go("/terug")
    mees.check("sign in")
    mees.shot("sleutel-inloggen")
    page.get_by_role("button", name="Inloggen met een toegangssleutel").click()
    page.wait_for_url("**/vandaag")
    mees.done()


def come_in(client: Visitor) -> str:
    """Join with a code of the demo; the six words."""
    page = client.page
    page.locator("[name=code]").fill("DEMO-CCCC")
    page.locator(".dock button[type=submit]").click()
    words = page.locator(".words li").all_inner_texts()
    page.locator("[name=third]").fill(words[2])
    page.locator(".dock button[type=submit]").click()
    page.locator("[name=agree]").check()
    page.locator(".dock button[type=submit]").click()
    page.wait_for_url("**/vandaag")
    return " ".join(words)
