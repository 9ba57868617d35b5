"""A demo server and real browsers: Debian's Chromium, driven by Playwright. Screenshots go to tests/artefacts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.server import Server

ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 800}}
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def chromium() -> str:
    """Where Chromium is; `SAMEN_CHROMIUM` may say so."""
    for name in (os.environ.get("SAMEN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise AssertionError("The walk needs Chromium: install Debian's package `chromium`, or set SAMEN_CHROMIUM.")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path).prepare(demo=True)
    made.start()
    yield made
    made.stop()
    assert "failed" not in made.log(), made.log()


class Visitor:
    """Somebody with a browser of their own. Everything that goes wrong in it fails the walk."""

    def __init__(self, browser: Browser, server: Server, name: str, device: dict[str, object], **more: object) -> None:
        self.server, self.name = server, name
        self.slip = ("", "")  # code name and passphrase, once they have one
        self.inspected = bool(more.get("bypass_csp"))
        settings = {"locale": "nl-NL", "timezone_id": "Europe/Amsterdam", "bypass_csp": False, **device, **more}
        settings = {"service_workers": "block", **settings}  # what a worker fetches no test can hold up (test_offline)
        self.context: BrowserContext = browser.new_context(**settings)  # type: ignore[arg-type]
        self.context.set_default_timeout(15_000)
        self.trouble: list[str] = []
        self.elsewhere: set[str] = set()
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda m: self._note(m.type, m.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.context.on("request", lambda request: self._watch(request.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and text != "Service Worker registration blocked by Playwright":
            self.trouble.append(text)

    def _watch(self, url: str) -> None:
        if urlsplit(url).netloc not in ("", urlsplit(self.server.url).netloc):
            self.elsewhere.add(url)

    def go(self, path: str) -> Page:
        self.page.goto(self.server.url + path)
        return self.page

    def shot(self, name: str) -> None:
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def check(self, where: str) -> None:
        """No sideways scrolling and no accessibility violation on the page as it stands.

        The checker cannot run under the pages' own policy, so it looks only where a visitor was made with
        `bypass_csp`; the others show that everything works with the policy in force.
        """
        state = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert state <= 0, f"{where}: {state} px of sideways scroll"
        if not self.inspected:
            return
        found = Axe().run(self.page).response["violations"]
        assert not found, f"{where}: " + "; ".join(
            f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found
        )

    def done(self) -> None:
        assert not self.trouble, f"{self.name}: {self.trouble}"
        assert not self.elsewhere, f"{self.name} sent requests elsewhere: {self.elsewhere}"
        self.context.close()
