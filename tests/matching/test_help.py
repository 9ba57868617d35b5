"""Help now, as forms and as what a browser keeps for when there is no network."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts import accounts
from groups.models import UrgeRide
from matching.web import offline
from tests import builders
from tests.builders import CRISIS, Circle
from tests.conftest import FrozenClock

STATIC = Path(__file__).resolve().parents[2] / "static"
KEY = "0b0e9a3c-5a35-4c7e-9b5e-1f5a0c6f1a11"


@pytest.fixture
def circle(site: flask.Flask, clock: FrozenClock) -> Circle:
    site.config["WTF_CSRF_ENABLED"] = False
    site.extensions["samen"].database.clock = clock
    return builders.circle(site.extensions["samen"].database)


def _browser(site: flask.Flask, token: str = "") -> FlaskClient:
    browser = site.test_client()
    if token:
        browser.set_cookie(site.extensions["samen"].cookie, token)
    return browser


def _mees(site: flask.Flask, circle: Circle) -> FlaskClient:
    return _browser(site, circle.members[0].token)


def _text(browser: FlaskClient, path: str = "/hulp") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def _kept(site: flask.Flask) -> dict[str, Any]:
    first = _browser(site).get("/sw.js").get_data(as_text=True).split("\n", 1)[0]
    found: dict[str, Any] = json.loads(first.removeprefix("const KEPT = "))
    return found


def test_a_wave_is_ridden_by_forms_alone(site: flask.Flask, circle: Circle, clock: FrozenClock) -> None:
    mees = _mees(site, circle)
    answer = mees.post("/hulp/golf", data={"key": KEY, "minutes": "15", "before": "8"})
    assert answer.location == "/hulp#golf"
    clock.forward(minutes=6)
    page = _text(mees)
    assert "Om 19.45 is deze golf gezakt" in page  # it began at 19.30
    assert 'stroke-dasharray="40.0 100"' in page
    action = re.search(r'action="(/hulp/golf/\w+)"', page)
    assert action
    answer = mees.post(action[1], data={"after": "2", "helped": "Koud water", "outcome": "rode"})
    assert answer.location == "/hulp"
    assert 'data-wave-thanks="rode">' in _text(mees)
    assert 'data-wave-thanks="rode">' not in _text(mees)  # said once; the other one waits for a script


def test_that_it_went_otherwise_is_thanked_for_and_not_in_the_address(site: flask.Flask, circle: Circle) -> None:
    mees = _mees(site, circle)
    mees.post("/hulp/golf", data={"key": KEY, "minutes": "5"})
    [action] = re.findall(r'action="(/hulp/golf/\w+)"', _text(mees))
    assert mees.post(action, data={"outcome": "lapsed"}).location == "/hulp"
    page = _text(mees)
    assert "Wat je hebt opgebouwd, blijft staan." in page.split('data-wave-thanks="lapsed"', 1)[1]
    assert 'data-wave-thanks="lapsed">' in page  # shown, not waiting for a script


def test_words_of_danger_bring_help_at_once(site: flask.Flask, circle: Circle) -> None:
    mees = _mees(site, circle)
    mees.post("/hulp/golf", data={"key": KEY, "minutes": "5"})
    [action] = re.findall(r'action="(/hulp/golf/\w+)"', _text(mees))
    answer = mees.post(action, data={"outcome": "rode", "helped": CRISIS})
    assert answer.location == "/hulp"
    assert "Je hoeft het niet alleen te dragen" in _text(mees)
    assert mees.post("/plan", data={"card": "reasons", "text": CRISIS}).location == "/hulp"
    assert "Je hoeft het niet alleen te dragen" in _text(mees)


def test_a_script_is_told_where_to_say_how_it_went(site: flask.Flask, circle: Circle) -> None:
    mees = _mees(site, circle)
    data = {"key": KEY, "minutes": "15"}
    answers = [mees.post("/hulp/golf", data=data, headers={"Accept": "application/json"}).get_json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["location"].startswith("/hulp/golf/")


@pytest.mark.parametrize(
    "wrong",
    [{"minutes": "15"}, {"key": KEY}, {"key": KEY, "minutes": "15", "before": "elf"}, {"key": KEY, "minutes": "9"}],
)
def test_a_form_that_was_not_ours_starts_nothing(site: flask.Flask, circle: Circle, wrong: dict[str, str]) -> None:
    assert _mees(site, circle).post("/hulp/golf", data=wrong).status_code == 422
    with circle.database.read() as r:
        assert r.db.scalars(select(UrgeRide)).all() == []


def test_without_an_account_and_without_scripts_the_clock_helps(site: flask.Flask, circle: Circle) -> None:
    page = _text(_browser(site), "/hulp?minutes=20")
    assert "Om 19.50 is deze golf gezakt" in page
    assert "deze golf gezakt" not in _text(_browser(site), "/hulp?minutes=17")
    assert "Hoe ging het?" not in page


def test_what_helps_is_ones_own_filled_up_with_what_helps_many(site: flask.Flask, circle: Circle) -> None:
    mees = _mees(site, circle)
    assert _text(mees).count("Drink een glas koud water") == 1
    for number, text in enumerate(("Naar buiten", "Muziek", "Bellen"), 1):
        mees.post("/plan", data={"card": "techniques", "text": text})
        assert ("Ga ergens anders staan" in _text(mees)) == (number < 3)
    assert "Naar buiten · Muziek · Bellen" in _text(mees)


def test_what_a_browser_keeps_is_nobodys_whoever_asked_first(site: flask.Flask, circle: Circle) -> None:
    with circle.database.work(circle.members[0].actor) as w:
        accounts.change_preferences(w, language="en", theme="dark")
    mees = _mees(site, circle)
    worker = mees.get("/sw.js").get_data(as_text=True)
    for language in ("nl", "en"):
        page = mees.get(f"/hulp/los?taal={language}").get_data(as_text=True)
        assert f'<html lang="{language}">' in page  # no theme, nothing about being signed in or out
        assert 'name="csrf-token" content=""' in page
        assert "csrf_token" not in page
        assert page == _browser(site).get(f"/hulp/los?taal={language}").get_data(as_text=True)
    assert worker == _browser(site).get("/sw.js").get_data(as_text=True)


def test_everything_that_is_to_be_kept_is_there(site: flask.Flask, circle: Circle) -> None:
    kept = _kept(site)
    browser = _browser(site)
    assert len(kept["files"]) > 12
    for address in (*kept["files"], *kept["pages"].values(), kept["elsewhere"]):
        with browser.get(address) as answer:
            assert answer.status_code == 200, address
        assert address.startswith(("/s/", "/hulp/los?", "/elders"))


def test_what_the_kept_scripts_import_is_kept_too() -> None:
    known = {"main.js", *offline.SCRIPTS}
    for name in known:
        text = (STATIC / "js" / name).read_text(encoding="utf-8")
        needed = set(re.findall(r"^import [^'\n]*'\./([\w-]+\.js)'", text, re.M))
        assert needed <= known, name
    assert {"wave.js", "offline.js"} <= known


def test_the_worker_may_answer_for_every_page_and_is_never_itself_kept(site: flask.Flask) -> None:
    answer = _browser(site).get("/sw.js")
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-store"


def test_another_page_is_another_version(site: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _kept(site)["version"]
    assert _kept(site)["version"] == before
    site.extensions.pop("samen.loose")
    assert _kept(site)["version"] == before
    site.extensions.pop("samen.loose")
    monkeypatch.setattr(offline.flask, "render_template", lambda *_args, **_more: "<p>Anders</p>")
    assert _kept(site)["version"] != before


def test_the_plan_on_a_device_is_its_owners(site: flask.Flask, circle: Circle) -> None:
    mees = _mees(site, circle)
    mees.post("/plan", data={"card": "risks", "text": "Het is laat", "then": "Ik ga slapen"})
    page = _text(mees, "/hulp/mijn")
    assert "Het is laat" in page
    assert "Ik ga slapen" in page
    assert "csrf_token" not in page
    assert "Het is laat" not in _text(_browser(site, circle.members[1].token), "/hulp/mijn")
