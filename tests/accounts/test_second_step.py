"""Staff at the door: a password alone lets nobody in, and what stands half-way is good for one thing, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import flask
import pyotp
import pytest
from sqlalchemy import select

from app import web
from app.accounts import accounts, second_factor, signins
from app.accounts.web import entering
from app.core import ids
from app.core.audit import AuditLine
from app.main import create_app
from tests.accounts.test_second_factor import code_at
from tests.accounts.visitor import PASSWORD, SECRETS, WORDS, Visitor
from tests.conftest import FrozenClock


@pytest.fixture
def hanna(site: flask.Flask, people: dict[str, int]) -> Visitor:
    """Hanna's browser, half-way in."""
    visitor = Visitor(site)
    assert visitor.sign_in("hanna", PASSWORD).headers["Location"] == "/terug/stap"
    return visitor


@pytest.fixture
def code(clock: FrozenClock) -> Callable[..., dict[str, str]]:
    """The form with the code somebody's app shows now."""
    return lambda login="hanna": {"code": code_at(SECRETS[login], clock)}


def who(site: flask.Flask, token: str) -> object:
    with site.extensions["samen"].database.read() as r:
        return signins.who(r.db, ids.digest(token), r.now)


def test_a_password_alone_is_no_session(hanna: Visitor) -> None:
    assert hanna.token == ""
    assert hanna.get("/terug/stap").status_code == 200
    for path in ("/meer", "/vandaag", "/groepen", "/beoordelen", "/tweede-stap", "/sleutels", "/bevestigen"):
        assert hanna.get(path).status_code == 303, path
    assert hanna.post("/tweede-stap/codes").status_code == 401


def test_password_and_code_let_staff_in_with_a_session_that_is_confirmed(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]], people: dict[str, int]
) -> None:
    answer = hanna.post("/terug/stap", code())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/vandaag")
    found = who(site, hanna.token)
    assert found.person_id == people["hanna"]
    assert found.confirmed
    assert hanna.inside


def test_a_password_that_was_changed_meanwhile_gets_nobody_past_the_second_step(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]], people: dict[str, int]
) -> None:
    with site.extensions["samen"].database.work() as w:
        accounts.change_secret(w, people["hanna"], "another hash")
    assert hanna.post("/terug/stap", code()).status_code == 401
    assert hanna.token == ""


def test_words_that_were_changed_while_they_were_checked_start_no_session(
    site: flask.Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = site.extensions["samen"].database
    proved = entering._prove

    def and_then_changed(*typed: str) -> accounts.Credentials:
        found = proved(*typed)
        with database.work() as w:
            accounts.change_secret(w, people["client"], "another hash")
        return found

    monkeypatch.setattr(entering, "_prove", and_then_changed)
    thief = Visitor(site)
    assert thief.sign_in("stille-otter-41", WORDS).status_code == 401
    assert thief.token == ""


def test_the_session_is_a_new_one_and_the_earlier_one_is_over(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]], clock: FrozenClock
) -> None:
    hanna.post("/terug/stap", code())
    before = hanna.token
    clock.forward(seconds=60)
    with hanna.client.session_transaction() as visit:
        visit["join"] = "what a visitor began"
    hanna.sign_in("hanna", PASSWORD)
    hanna.post("/terug/stap", code())
    assert hanna.token not in ("", before)
    assert who(site, before) is None
    with hanna.client.session_transaction() as visit:
        assert set(visit) <= {"csrf_token", "_fresh"}


def test_that_staff_came_in_is_on_record_and_that_a_client_did_is_not(
    site: flask.Flask, hanna: Visitor, people: dict[str, int], code: Callable[..., dict[str, str]]
) -> None:
    hanna.post("/terug/stap", code())
    Visitor(site).sign_in("stille-otter-41", WORDS)
    with hanna.house.database.read() as r:
        lines = r.db.scalars(select(AuditLine.object_id).where(AuditLine.action == "session.started")).all()
    assert lines == [people["hanna"]]


def test_clients_come_in_with_their_words_alone(site: flask.Flask, people: dict[str, int]) -> None:
    client = Visitor(site)
    assert client.sign_in("stille-otter-41", WORDS).headers["Location"] == "/vandaag"
    assert who(site, client.token).person_id == people["client"]
    assert who(site, client.token).confirmed  # their words are all the proof there is, and they just typed them


def test_a_wrong_code_is_refused_kindly_and_can_be_tried_again(
    hanna: Visitor, code: Callable[..., dict[str, str]]
) -> None:
    answer = hanna.post("/terug/stap", {"code": "000000" if code()["code"] != "000000" else "000001"})
    assert answer.status_code == 422
    assert "Die code klopt niet" in answer.get_data(as_text=True)
    assert hanna.token == ""
    assert hanna.post("/terug/stap", code()).status_code == 303


def test_after_five_wrong_codes_the_right_one_has_to_wait_too(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]]
) -> None:
    for _ in range(5):
        assert hanna.post("/terug/stap", {"code": "aaaa-bbbb-cccc"}).status_code == 422
    refused = hanna.post("/terug/stap", code())
    assert refused.status_code == 429
    assert "Wacht vijf minuten" in refused.get_data(as_text=True)
    ilse = Visitor(site)
    ilse.sign_in("ilse", PASSWORD)
    assert ilse.post("/terug/stap", code("ilse")).status_code == 303


def test_a_half_way_state_is_used_up_by_coming_in(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]], clock: FrozenClock
) -> None:
    stolen = hanna.keep_visit()
    hanna.post("/terug/stap", code())
    clock.forward(seconds=60)
    thief = Visitor(site)
    thief.put_visit(stolen)
    refused = thief.post("/terug/stap", code())
    assert refused.status_code == 401
    assert "het is al gebruikt" in refused.get_data(as_text=True)
    assert thief.token == ""


def test_a_half_way_state_is_for_one_person(hanna: Visitor, code: Callable[..., dict[str, str]]) -> None:
    assert hanna.post("/terug/stap", code("ilse")).status_code == 422
    assert hanna.token == ""


def test_a_half_way_state_is_good_for_five_minutes(
    hanna: Visitor, code: Callable[..., dict[str, str]], clock: FrozenClock
) -> None:
    clock.forward(seconds=299)
    assert hanna.get("/terug/stap").status_code == 200
    clock.forward(seconds=1)
    assert hanna.get("/terug/stap").headers["Location"] == "/terug"
    assert hanna.post("/terug/stap", code()).status_code == 401
    assert hanna.token == ""


def test_a_half_way_state_is_for_one_step(site: flask.Flask, hanna: Visitor, people: dict[str, int]) -> None:
    assert hanna.get("/terug/instellen").headers["Location"] == "/terug"
    assert hanna.post("/terug/instellen", {"code": "123456"}).status_code == 401
    daan = Visitor(site)
    daan.sign_in("daan", PASSWORD)
    assert daan.get("/terug/stap").headers["Location"] == "/terug"
    assert daan.post("/terug/stap", {"code": "123456"}).status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "gAAAAAB" + "A" * 100])
def test_a_forged_half_way_state_is_none(site: flask.Flask, people: dict[str, int], forged: str) -> None:
    visitor = Visitor(site)
    with visitor.client.session_transaction() as visit:
        visit["half_way"] = forged
    assert visitor.get("/terug/stap").status_code == 303
    assert visitor.post("/terug/stap", {"code": "123456"}).status_code == 401


def test_who_is_suspended_half_way_does_not_come_in(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]], people: dict[str, int]
) -> None:
    with site.extensions["samen"].database.work() as w:
        accounts.suspend(w, people["hanna"])
    assert hanna.post("/terug/stap", code()).status_code == 401
    assert hanna.token == ""


def secret_on(page: str) -> str:
    found = re.search(r"secret=([A-Z2-7]{32})", page)
    assert found
    return found[1]


def test_staff_without_a_second_factor_must_set_one_up_to_come_in(
    site: flask.Flask, people: dict[str, int], clock: FrozenClock
) -> None:
    daan = Visitor(site)
    assert daan.sign_in("daan", PASSWORD).headers["Location"] == "/terug/instellen"
    page = daan.get("/terug/instellen").get_data(as_text=True)
    secret = secret_on(page)
    assert secret_on(daan.get("/terug/instellen").get_data(as_text=True)) == secret  # a reload spoils no scan
    assert not daan.inside
    assert daan.post("/terug/instellen", {"code": "12"}).status_code == 422
    shown = daan.post("/terug/instellen", {"code": code_at(secret, clock)})
    codes = re.findall(r"<li>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</li>", shown.get_data(as_text=True))
    assert len(codes) == 10
    assert daan.inside
    assert who(site, daan.token).confirmed

    again = Visitor(site)
    assert again.sign_in("daan", PASSWORD).headers["Location"] == "/terug/stap"
    assert again.post("/terug/stap", {"code": codes[3]}).status_code == 303
    assert again.inside


def test_an_app_set_up_in_the_meantime_is_not_replaced_by_whoever_had_only_the_password(
    site: flask.Flask, people: dict[str, int], clock: FrozenClock
) -> None:
    daan, thief = Visitor(site), Visitor(site)
    for visitor in (thief, daan):
        visitor.sign_in("daan", PASSWORD)
    known = secret_on(thief.get("/terug/instellen").get_data(as_text=True))
    own = secret_on(daan.get("/terug/instellen").get_data(as_text=True))
    assert known != own
    assert daan.post("/terug/instellen", {"code": code_at(own, clock)}).status_code == 200
    assert thief.post("/terug/instellen", {"code": code_at(known, clock)}).status_code == 409
    assert thief.token == ""
    assert daan.inside


def test_the_setting_up_page_names_nothing(site: flask.Flask, people: dict[str, int]) -> None:
    daan = Visitor(site)
    daan.sign_in("daan", PASSWORD)
    address = re.search(r"otpauth://[^\"]+", daan.get("/terug/instellen").get_data(as_text=True))
    assert address
    assert "daan" not in address[0].casefold()
    assert "samen" not in re.sub(r"secret=[A-Z2-7]+", "", address[0]).casefold()


def test_staff_can_move_to_another_telephone_and_the_old_app_stops(
    site: flask.Flask, hanna: Visitor, code: Callable[..., dict[str, str]], clock: FrozenClock
) -> None:
    hanna.post("/terug/stap", code())
    secret = secret_on(hanna.get("/tweede-stap/app").get_data(as_text=True))
    clock.forward(seconds=30)
    assert hanna.post("/tweede-stap/app", {"code": code_at(secret, clock)}).status_code == 200
    clock.forward(seconds=30)
    again = Visitor(site)
    again.sign_in("hanna", PASSWORD)
    assert again.post("/terug/stap", code()).status_code == 422
    assert again.post("/terug/stap", {"code": code_at(secret, clock)}).status_code == 303


def test_the_pages_of_the_second_step_are_for_staff(site: flask.Flask, people: dict[str, int]) -> None:
    client = Visitor(site)
    client.sign_in("stille-otter-41", WORDS)
    client.post("/bevestigen", {"secret": WORDS})
    assert client.get("/tweede-stap").status_code == 404
    assert client.get("/tweede-stap/app").status_code == 404
    assert client.post("/tweede-stap/codes").status_code == 404


def test_a_weighty_page_asks_for_a_code_again_after_ten_minutes_and_then_goes_on(
    hanna: Visitor, code: Callable[..., dict[str, str]], clock: FrozenClock
) -> None:
    hanna.post("/terug/stap", code())
    assert hanna.get("/tweede-stap").status_code == 200
    clock.forward(minutes=10)
    assert hanna.get("/tweede-stap").headers["Location"] == "/bevestigen"
    assert hanna.post("/tweede-stap/codes").headers["Location"] == "/bevestigen"
    hanna.get("/tweede-stap")
    assert hanna.post("/bevestigen", {"code": "aaaa-bbbb-cccc"}).status_code == 422
    assert hanna.post("/bevestigen", {"secret": PASSWORD}).status_code == 422  # the first factor is no second one
    assert hanna.post("/bevestigen", code()).headers["Location"] == "/tweede-stap"
    assert hanna.get("/tweede-stap").status_code == 200


def test_a_code_used_to_come_in_does_not_confirm_too(hanna: Visitor, code: Callable[..., dict[str, str]]) -> None:
    hanna.post("/terug/stap", code())
    assert hanna.post("/bevestigen", code()).status_code == 422


def test_clients_confirm_with_their_words(site: flask.Flask, people: dict[str, int], clock: FrozenClock) -> None:
    client, elsewhere = Visitor(site), Visitor(site)
    for visitor in (client, elsewhere):
        visitor.sign_in("stille-otter-41", WORDS)
    clock.forward(minutes=10)
    assert client.get("/sleutels").headers["Location"] == "/bevestigen"
    assert client.post("/bevestigen", {"secret": "zes heel andere woorden"}).status_code == 422
    assert client.get("/sleutels").status_code == 303
    assert client.post("/bevestigen", {"secret": WORDS.title()}).headers["Location"] == "/sleutels"
    assert client.get("/sleutels").status_code == 200
    assert elsewhere.get("/sleutels").status_code == 303  # another session of theirs is not confirmed by that


def test_guessing_words_to_confirm_stops_too(site: flask.Flask, people: dict[str, int]) -> None:
    client = Visitor(site)
    client.sign_in("stille-otter-41", WORDS)
    for _ in range(5):
        assert client.post("/bevestigen", {"secret": "mis"}).status_code == 422
    assert client.post("/bevestigen", {"secret": WORDS}).status_code == 429


@pytest.mark.parametrize("path", ["//elders.example/", "https://elders.example", "/\\elders.example", "", "/a\nb"])
def test_confirming_leads_to_no_other_site(site: flask.Flask, people: dict[str, int], path: str) -> None:
    client = Visitor(site)
    client.sign_in("stille-otter-41", WORDS)
    with client.client.session_transaction() as visit:
        visit["afterwards"] = path
    assert client.post("/bevestigen", {"secret": WORDS}).headers["Location"] == "/meer"


def test_the_demo_fills_in_its_code_and_production_never_does(
    site: flask.Flask, people: dict[str, int], clock: FrozenClock
) -> None:
    house: web.House = site.extensions["samen"]
    with house.database.work() as w:
        second_factor.keep(w, people["daan"], second_factor.DEMO_SECRET)
    production = replace(house.settings, environment="production", origin="https://samen.example")
    strict = create_app(production)
    strict.extensions["samen"].database.clock = clock
    now = pyotp.TOTP(second_factor.DEMO_SECRET).generate_otp(int(clock().timestamp()) // 30)
    for app, base, shows in ((site, "http://localhost:5000", True), (strict, "https://samen.example", False)):
        daan = Visitor(app, base)
        assert daan.sign_in("daan", PASSWORD).headers["Location"] == "/terug/stap"
        page = daan.get("/terug/stap").get_data(as_text=True)
        assert (now in page) is shows
        assert ("proefomgeving" in page) is shows
    strict.extensions["samen"].database.engine.dispose()
