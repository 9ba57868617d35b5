"""Passkeys: what they let in, what they never show, and every way in which they are refused."""

from __future__ import annotations

import copy
from typing import Any

import flask
import pytest
from sqlalchemy import select

from app.accounts import accounts, passkeys, second_factor
from app.accounts.models import Passkey
from app.core.actor import Actor
from app.core.audit import AuditLine
from app.core.errors import Closed, Invalid, NotFound, Unauthenticated
from app.core.permissions import Role
from app.core.work import Database
from tests import builders
from tests.accounts.device import Device, b64
from tests.accounts.test_second_factor import code_at
from tests.accounts.test_second_step import who
from tests.accounts.visitor import PASSWORD, SECRETS, WORDS, Visitor
from tests.conftest import FrozenClock

HERE = passkeys.Place("http://localhost:5000", "localhost", b"a key for handles")


def add(database: Database, actor: Actor, device: Device) -> None:
    """Somebody adds a passkey on a device."""
    with database.read(actor) as r:
        options, challenge = passkeys.ask_new(r, HERE)
    with database.work(actor) as w:
        passkeys.add(w, HERE, challenge, device.make(options))


def holder(database: Database, device: Device, role: Role = Role.FACILITATOR) -> Actor:
    """Somebody with a passkey on a device."""
    actor, _ = builders.someone(database, builders.organisation(database), role)
    add(database, actor, device)
    return actor


def challenge(database: Database, person_id: int | None = None) -> tuple[dict[str, Any], bytes]:
    with database.read() as r:
        return passkeys.ask(r, HERE, person_id)


def recognise(database: Database, secret: bytes, answer: str, person_id: int | None = None) -> int:
    with database.work() as w:
        return passkeys.recognise(w, HERE, secret, answer, person_id)


def test_a_passkey_says_whose_it_is(database: Database) -> None:
    mine, other = Device(), Device()
    me, _somebody = holder(database, mine), holder(database, other)
    options, secret = challenge(database)
    assert "allowCredentials" not in options or options["allowCredentials"] == []
    assert recognise(database, secret, mine.sign(options)) == me.person_id


def test_a_device_shows_nothing_but_agenda(database: Database) -> None:
    device = Device()
    actor = holder(database, device, Role.CLIENT)
    assert device.shown == {"site": {"name": "Agenda", "id": "localhost"}, "account": "agenda", "name": "Agenda"}
    assert len(device.handle) == 32
    assert device.handle != HERE.handle(actor.person_id + 1)
    assert HERE.handle(actor.person_id) != passkeys.Place(HERE.origin, HERE.host, b"other").handle(actor.person_id)


def test_a_challenge_is_signed_once(database: Database) -> None:
    device = Device(counts=False)  # synced passkeys do not count, so that nothing else would tell
    holder(database, device)
    options, secret = challenge(database)
    answer = device.sign(options)
    recognise(database, secret, answer)
    with pytest.raises(Unauthenticated):
        recognise(database, secret, answer)


def test_of_two_uses_of_one_signature_at_the_same_moment_one_counts(database: Database) -> None:
    device = Device(counts=False)
    actor = holder(database, device)
    options, secret = challenge(database)
    answer = device.sign(options)
    answers = builders.at_once(*[lambda: recognise(database, secret, answer)] * 3)
    assert answers.count(actor.person_id) == 1
    assert len(builders.refusals(answers)) == 2


@pytest.mark.parametrize(
    "lies",
    [
        {"origin": "https://elders.example"},
        {"origin": "http://localhost:5001"},
        {"origin": "http://127.0.0.1:5000"},
        {"host": "elders.example"},
        {"challenge": b64(b"another challenge")},
        {"type": "webauthn.create"},
    ],
    ids=lambda lies: "-".join(map(str, lies.values())),
)
def test_a_signature_for_another_page_is_refused(database: Database, lies: dict[str, str]) -> None:
    device = Device()
    holder(database, device)
    options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, device.sign(options, **lies))


def test_a_device_that_did_not_look_who_holds_it_is_refused(database: Database) -> None:
    device = Device()
    actor = holder(database, device)
    device.verifies = False
    options, secret = challenge(database, actor.person_id)
    with pytest.raises(Invalid):
        recognise(database, secret, device.sign(options), actor.person_id)
    with pytest.raises(Invalid):
        add(database, actor, Device(verifies=False))


def test_a_count_that_goes_back_betrays_a_copy(database: Database) -> None:
    device = Device()
    holder(database, device)
    stolen = copy.copy(device)
    for _ in range(3):
        options, secret = challenge(database)
        recognise(database, secret, device.sign(options))
    options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, stolen.sign(options))
    recognise(database, secret, device.sign(options))


def test_another_key_under_the_same_name_is_refused(database: Database) -> None:
    device = Device()
    holder(database, device)
    forged = Device(id=device.id, handle=device.handle, count=10)
    options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, forged.sign(options))


def test_a_passkey_of_somebody_else_is_no_second_step(database: Database) -> None:
    mine, other = Device(), Device()
    me, _somebody = holder(database, mine), holder(database, other)
    options, secret = challenge(database, me.person_id)
    assert [held["id"] for held in options["allowCredentials"]] == [b64(mine.id)]
    with pytest.raises(Invalid):
        recognise(database, secret, other.sign(options), me.person_id)


def test_a_handle_of_somebody_else_is_refused(database: Database) -> None:
    device = Device()
    actor = holder(database, device)
    device.handle = HERE.handle(actor.person_id + 1)
    options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, device.sign(options))


def test_a_suspended_person_is_not_recognised(database: Database) -> None:
    device = Device()
    actor = holder(database, device)
    with database.work() as w:
        accounts.suspend(w, actor.person_id)
    options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, device.sign(options))


@pytest.mark.parametrize(
    "answer",
    ["", "x", "[]", "{}", "null", '{"id": 1}', "9" * 1_000_000, "[" * 10_000, '{"id":"a","rawId":"b","response":{}}'],
    ids=range(9),
)
def test_nonsense_is_refused_like_a_wrong_passkey(database: Database, answer: str) -> None:
    actor = holder(database, Device())
    _options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, answer)
    with database.read(actor) as r:
        _options, secret = passkeys.ask_new(r, HERE)
    with pytest.raises(Invalid), database.work(actor) as w:
        passkeys.add(w, HERE, secret, answer)


def test_one_passkey_belongs_to_one_person_and_is_added_once(database: Database) -> None:
    device = Device()
    actor = holder(database, device)
    other, _ = builders.someone(database, builders.organisation(database))
    for who_asks in (actor, other):
        with pytest.raises(Invalid):
            add(database, who_asks, device)
    with database.read() as r:
        assert r.db.scalars(select(Passkey.person_id)).all() == [actor.person_id]


def test_who_has_a_passkey_gets_no_app_by_password_alone(database: Database, clock: FrozenClock) -> None:
    actor, secret = holder(database, Device()), second_factor.new_secret()
    with pytest.raises(Closed), database.work() as w:
        second_factor.enrol(w, actor.person_id, secret, code_at(secret, clock))


def test_ten_passkeys_are_enough(database: Database) -> None:
    actor = holder(database, Device())
    for _ in range(9):
        add(database, actor, Device())
    with pytest.raises(Invalid):
        add(database, actor, Device())


def test_people_see_and_remove_their_own_passkeys_only(database: Database) -> None:
    device, kept = Device(), Device()
    me, other = holder(database, device), holder(database, kept)
    with database.read(me) as r:
        (own,) = passkeys.mine(r)
    assert own.added_on == r.now.date()
    with pytest.raises(NotFound), database.work(other) as w:
        passkeys.remove(w, own.ref)
    with database.work(me) as w:
        passkeys.remove(w, own.ref)
    options, secret = challenge(database)
    with pytest.raises(Invalid):
        recognise(database, secret, device.sign(options))
    recognise(database, secret, kept.sign(options))
    with database.read() as r:
        assert r.db.scalars(select(AuditLine.action).where(AuditLine.action.like("passkey.%"))).all() == [
            "passkey.added",
            "passkey.added",
            "passkey.removed",
        ]


# ---- at the doors


@pytest.fixture
def hanna(site: flask.Flask, people: dict[str, int], clock: FrozenClock) -> Visitor:
    """Hanna, signed in."""
    visitor = Visitor(site)
    visitor.sign_in("hanna", PASSWORD)
    visitor.post("/terug/stap", {"code": code_at(SECRETS["hanna"], clock)})
    clock.forward(seconds=30)
    return visitor


def options_at(visitor: Visitor, path: str) -> dict[str, Any]:
    answer = visitor.post(path, json=True)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.json["options"]
    return found


def register(visitor: Visitor, device: Device, **fields: str) -> int:
    """Add a passkey through the pages; the status of the answer."""
    made = device.make(options_at(visitor, "/sleutels/vraag"))
    return visitor.post("/sleutels", {"credential": made, **fields}).status_code


def test_staff_come_in_with_a_passkey_alone(site: flask.Flask, hanna: Visitor, people: dict[str, int]) -> None:
    device = Device()
    assert register(hanna, device) == 303
    fresh = Visitor(site)
    signed = device.sign(options_at(fresh, "/terug/sleutel/vraag"))
    answer = fresh.post("/terug/sleutel", {"credential": signed})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/vandaag")
    assert who(site, fresh.token).person_id == people["hanna"]
    assert who(site, fresh.token).confirmed


def test_a_passkey_is_a_second_step(site: flask.Flask, hanna: Visitor) -> None:
    device = Device()
    register(hanna, device)
    fresh = Visitor(site)
    fresh.sign_in("hanna", PASSWORD)
    signed = device.sign(options_at(fresh, "/terug/stap/sleutel"))
    assert fresh.post("/terug/stap", {"credential": signed}).status_code == 303
    assert fresh.inside


def test_a_passkey_confirms(hanna: Visitor, clock: FrozenClock) -> None:
    device = Device()
    register(hanna, device)
    clock.forward(minutes=10)
    assert hanna.get("/sleutels").status_code == 303
    signed = device.sign(options_at(hanna, "/bevestigen/sleutel"))
    assert hanna.post("/bevestigen", {"credential": signed}).headers["Location"] == "/sleutels"
    assert hanna.get("/sleutels").status_code == 200


def test_a_challenge_of_one_door_opens_no_other(site: flask.Flask, hanna: Visitor, clock: FrozenClock) -> None:
    device = Device()
    register(hanna, device)
    clock.forward(minutes=10)
    signed = device.sign(options_at(hanna, "/terug/sleutel/vraag"))
    assert hanna.post("/bevestigen", {"credential": signed}).status_code == 422
    signed = device.sign(options_at(hanna, "/bevestigen/sleutel"))
    assert hanna.post("/terug/sleutel", {"credential": signed}).status_code == 422


def test_a_challenge_is_good_for_five_minutes_and_one_answer(
    site: flask.Flask, hanna: Visitor, clock: FrozenClock
) -> None:
    device = Device(counts=False)
    register(hanna, device)
    fresh = Visitor(site)
    signed = device.sign(options_at(fresh, "/terug/sleutel/vraag"))
    clock.forward(minutes=5)
    assert fresh.post("/terug/sleutel", {"credential": signed}).status_code == 422
    signed = device.sign(options_at(fresh, "/terug/sleutel/vraag"))
    stolen = fresh.keep_visit()
    assert fresh.post("/terug/sleutel", {"credential": "wrong"}).status_code == 422
    assert fresh.post("/terug/sleutel", {"credential": signed}).status_code == 422  # it was answered
    fresh.put_visit(stolen)
    assert fresh.post("/terug/sleutel", {"credential": signed}).status_code == 303
    thief = Visitor(site)
    thief.put_visit(stolen)
    assert thief.post("/terug/sleutel", {"credential": signed}).status_code == 401
    assert thief.token == ""


def test_no_passkey_without_a_fresh_proof(hanna: Visitor, clock: FrozenClock) -> None:
    clock.forward(minutes=10)
    assert hanna.post("/sleutels/vraag", json=True).status_code == 403
    assert hanna.post("/sleutels", {"credential": "{}"}).headers["Location"] == "/bevestigen"
    assert hanna.post("/sleutels/abc/weg").headers["Location"] == "/bevestigen"


def test_clients_add_one_after_reading_what_their_telephone_shows(site: flask.Flask, people: dict[str, int]) -> None:
    client, device = Visitor(site), Device()
    client.sign_in("stille-otter-41", WORDS)
    client.post("/bevestigen", {"secret": WORDS})
    page = client.get("/sleutels").get_data(as_text=True)
    assert "Wie in je telefoon kan kijken" in page
    assert "gezin" in page
    assert register(client, device) == 422
    assert register(client, device, understood="yes") == 303
    fresh = Visitor(site)
    signed = device.sign(options_at(fresh, "/terug/sleutel/vraag"))
    assert fresh.post("/terug/sleutel", {"credential": signed}).status_code == 303
    assert who(site, fresh.token).person_id == people["client"]


def test_at_an_address_of_digits_the_page_points_to_the_one_that_works(
    site: flask.Flask, people: dict[str, int], clock: FrozenClock
) -> None:
    client = Visitor(site, "http://127.0.0.1:5000")
    answer = client.post("/terug/sleutel/vraag", json=True)
    assert answer.status_code == 422
    assert "localhost" in answer.json["message"]
    client.sign_in("stille-otter-41", WORDS)
    client.post("/bevestigen", {"secret": WORDS})
    assert "http://localhost:5000" in client.get("/sleutels").get_data(as_text=True)


def test_the_question_for_a_passkey_is_the_same_for_everybody(site: flask.Flask, hanna: Visitor) -> None:
    register(hanna, Device())
    asked = [options_at(Visitor(site), "/terug/sleutel/vraag") for _ in range(2)]
    for options in asked:
        options.pop("challenge")
    assert asked[0] == asked[1]
    assert not asked[0].get("allowCredentials")
