"""Crisis routes are dated data: every number says where it comes from and when it was called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import flask
import pytest

from app import crisis
from app.core.i18n import LANGUAGES
from app.core.permissions import Role
from tests import builders

LAST = max(route["verified_on"] for route in crisis.routes())


def test_every_route_says_what_it_is_for_in_both_languages_and_where_it_comes_from() -> None:
    keys = [route["key"] for route in crisis.routes()]
    assert len(set(keys)) == len(keys)
    assert {"danger", "suicide", "suicide-free", "doctor", "home", "minors", "assault", "victim", "listen"} <= set(keys)
    for route in crisis.routes():
        assert route["source"], route["key"]
        assert route["verified_on"], route["key"]
        for language in LANGUAGES:
            assert route[language], route["key"]
            assert crisis.shown(route, language)
        if "call" in route:
            assert route["call"] == "".join(c for c in crisis.shown(route, "nl") if c.isdigit())


def test_danger_and_thoughts_of_death_come_first() -> None:
    assert {route["key"] for route in crisis.routes()[:2]} == {"danger", "suicide"}
    assert all(route["short"] for route in crisis.routes() if route.get("first"))


def test_a_number_is_called_again_after_180_days() -> None:
    assert crisis.unchecked(LAST, "nl") == []
    assert crisis.unchecked(LAST + timedelta(days=180), "nl") == []
    old = crisis.unchecked(LAST + timedelta(days=181), "nl")
    assert len(old) == len(crisis.routes())
    assert old[0].source


def test_one_number_that_was_forgotten_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[dict[str, Any]] = [dict(route) for route in crisis.routes()]
    forgotten[4]["verified_on"] = LAST - timedelta(days=200)
    monkeypatch.setattr(crisis, "routes", lambda: forgotten)
    [one] = crisis.unchecked(LAST, "en")
    assert one.show == crisis.shown(forgotten[4], "en")


def test_whoever_administers_sees_it_and_nobody_else(site: flask.Flask) -> None:
    database = site.extensions["samen"].database
    organisation = builders.organisation(database)
    cookie = site.extensions["samen"].cookie
    seen, real = {}, database.clock
    for role in (Role.ADMINISTRATOR, Role.FACILITATOR):
        _actor, token = builders.someone(database, organisation, role, name="Anneke")
        for days in (0, 181):
            browser = site.test_client()
            browser.set_cookie(cookie, token)
            database.clock = lambda later=days: real() + timedelta(days=later)
            if days:
                _actor, token = builders.someone(database, organisation, role, name="Anneke")
                browser.set_cookie(cookie, token)
            seen[role, days] = "Nummers om te bellen" in browser.get("/vandaag").get_data(as_text=True)
            database.clock = real
    fresh = {(Role.ADMINISTRATOR, 0): False, (Role.FACILITATOR, 0): False}
    assert seen == fresh | {(Role.ADMINISTRATOR, 181): True, (Role.FACILITATOR, 181): False}
