"""The page of a room: it reads without waiting for who writes, and keeps help in sight after words of danger."""

from __future__ import annotations

import re
import uuid

import flask
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import web
from app.core.work import Database
from groups import rooms
from groups.talk import conversation, pages
from moderation.models import Case
from tests import builders
from tests.builders import CRISIS, PHONE, Circle, Someone
from tests.conftest import FrozenClock, Heard

SHOWN_NEWS = re.compile(r'data-unread-count="(\d+)"')


@pytest.fixture
def house(site: flask.Flask) -> web.House:
    found: web.House = site.extensions["samen"]
    return found


@pytest.fixture
def circle(house: web.House) -> Circle:
    return builders.circle(house.database)


def browser(site: flask.Flask, house: web.House, who: Someone) -> FlaskClient:
    made = site.test_client()
    made.set_cookie(house.cookie, who.token)
    made.get("/vandaag")  # once a day it is noted that the session was used; not here, then
    return made


def read_seq(circle: Circle, who: Someone) -> int:
    with circle.database.read(who.actor) as r:
        return rooms.place(r, circle.room).read_seq


def test_the_page_never_waits_for_who_writes_and_does_not_say_what_was_read(
    site: flask.Flask, house: web.House, circle: Circle
) -> None:
    mees, noor, _jip = circle.members
    for text in ("Een", "Twee"):
        circle.post(mees, text)
    reader = browser(site, house, noor)
    with house.database.work():  # the write lock is taken; a page that wanted it would fail here
        shown = reader.get(f"/ruimte/{circle.room}")
    assert shown.status_code == 200
    assert SHOWN_NEWS.findall(shown.text) == ["2"]
    assert read_seq(circle, noor) == 0
    assert SHOWN_NEWS.findall(reader.get(f"/ruimte/{circle.room}").text) == ["2"]


def test_without_a_script_a_form_or_the_next_message_says_how_far_one_read(
    site: flask.Flask, house: web.House, circle: Circle
) -> None:
    mees, noor, _jip = circle.members
    site.config["WTF_CSRF_ENABLED"] = False
    circle.post(mees, "Een")
    reader = browser(site, house, noor)
    reader.post(f"/ruimte/{circle.room}/gelezen", data={"seq": "1"})
    assert read_seq(circle, noor) == 1
    circle.post(mees, "Twee")
    reader.post(f"/ruimte/{circle.room}", data={"text": "Drie", "key": str(uuid.uuid4()), "reply_to": "2"})
    assert read_seq(circle, noor) == 3
    with circle.database.read(noor.actor) as r:
        assert conversation.latest(r, rooms.place(r, circle.room))[-1].reply_to == 2


def test_earlier_messages_come_in_stretches_as_a_page_and_for_a_script(
    site: flask.Flask, house: web.House, circle: Circle
) -> None:
    mees, noor, _jip = circle.members
    for number in range(1, 8):
        circle.post((mees, noor)[number % 2], f"Zin {number}")
    reader = browser(site, house, noor)
    page = reader.get(f"/ruimte/{circle.room}?voor=4").text
    assert re.findall(r'data-seq="(\d)"', page) == ["1", "2", "3"]
    assert "Nieuwere berichten" in page
    items = reader.get(f"/ruimte/{circle.room}?voor=4", headers={"Accept": "application/json"}).json["items"]
    assert [item["seq"] for item in items] == [1, 2, 3]
    for nonsense in ("0", "-1", "abc", "9" * 30, "٣"):
        assert reader.get(f"/ruimte/{circle.room}?voor={nonsense}&bericht={nonsense}").status_code == 200


def test_help_stays_in_sight_after_words_of_danger_for_their_author_alone(
    database: Database, clock: FrozenClock
) -> None:
    circle = builders.circle(database)
    mees, noor, _jip = circle.members

    def in_sight(who: Someone) -> bool:
        with database.read(who.actor) as r:
            shown: bool = pages.talk(r, rooms.place(r, circle.room))["crisis_now"]
        return shown

    circle.post(mees, "Hoi allemaal")
    assert not in_sight(mees)
    circle.post(mees, CRISIS)
    clock.forward(hours=11)
    assert in_sight(mees)
    assert not in_sight(noor)
    clock.forward(hours=2)
    assert not in_sight(mees)


def test_nothing_of_what_was_taken_back_soon_is_on_the_page(
    site: flask.Flask, house: web.House, circle: Circle
) -> None:
    mees, noor, _jip = circle.members
    site.config["WTF_CSRF_ENABLED"] = False
    circle.post(mees, "Een zin die weg moet")
    circle.post(noor, "Ik lees je", reply_to=1)
    browser(site, house, mees).post(f"/ruimte/{circle.room}/bericht/1/haal-weg")
    page = browser(site, house, noor).get(f"/ruimte/{circle.room}").text
    assert re.findall(r'data-seq="(\d)"', page) == ["2"]
    assert "weg moet" not in page


def test_a_number_is_not_put_together_by_a_change_made_on_a_page(
    site: flask.Flask, house: web.House, circle: Circle
) -> None:
    mees = circle.members[0]
    site.config["WTF_CSRF_ENABLED"] = False
    here, room = browser(site, house, mees), f"/ruimte/{circle.room}"
    asked = {"Accept": "application/json"}
    assert here.post(room, data={"text": "Hoi allemaal"}).status_code == 303
    told = here.post(f"{room}/bericht/1/wijzig", data={"text": "06 12"}, headers=asked).get_json()
    assert told["status"] == "edited"
    assert 'name="mask_ok"' in here.post(room, data={"text": "34 56 78"}).text
    with circle.database.read(mees.actor) as r:
        assert [v.text for v in conversation.latest(r, rooms.place(r, circle.room))] == ["06 12"]


@pytest.mark.parametrize("number", ["9" * 10, "9" * 25, "9" * 5_000, "٣"])
def test_a_number_that_no_message_has_is_the_address_of_nothing(
    site: flask.Flask, house: web.House, circle: Circle, number: str
) -> None:
    site.config["WTF_CSRF_ENABLED"] = False
    here = browser(site, house, circle.members[0])
    for what in ("wijzig", "haal-weg", "reactie", "meld"):
        assert here.post(f"/ruimte/{circle.room}/bericht/{number}/{what}", data={"kind": "thanks"}).status_code == 404
    for what in ("meld", "gemeld"):
        assert here.get(f"/ruimte/{circle.room}/bericht/{number}/{what}").status_code == 404


def test_changing_and_reacting_has_a_tempo_too(site: flask.Flask, house: web.House, circle: Circle) -> None:
    site.config["WTF_CSRF_ENABLED"] = False
    mees, noor, _jip = circle.members
    here, other = browser(site, house, mees), browser(site, house, noor)
    message, asked = f"/ruimte/{circle.room}/bericht/1", {"Accept": "application/json"}
    circle.post(mees, "Hoi allemaal")

    def change(number: int) -> int:
        return here.post(f"{message}/wijzig", data={"text": f"Hoi, voor de {number}e keer"}, headers=asked).status_code

    def react(by: FlaskClient, number: int) -> int:
        data = {"kind": "thanks", "on": str(number % 2)}
        return by.post(f"{message}/reactie", data=data, headers=asked).status_code

    assert [change(number) for number in range(13)] == [200] * 12 + [429]
    assert [react(here, number) for number in range(61)] == [200] * 60 + [429]
    assert react(other, 1) == 200


@pytest.mark.parametrize("where", ["message", "change", "note"])
def test_who_asks_to_be_called_in_danger_sees_help_before_their_number_is_masked(
    site: flask.Flask, house: web.House, circle: Circle, heard: Heard, where: str
) -> None:
    site.config["WTF_CSRF_ENABLED"] = False
    mees = circle.members[0]
    house.database.announcer = heard.extend
    circle.open_session()
    circle.post(mees, "Hoi allemaal")
    here, room = browser(site, house, mees), f"/ruimte/{circle.room}"
    door = {"message": room, "change": f"{room}/bericht/1/wijzig", "note": f"{room}/notitie"}[where]

    def sent(text: str) -> tuple[str, list[str]]:
        heard.clear()
        page = here.post(door, data={"text": text}).text
        return page, [told["kind"] for told in heard.payloads(f"person:{mees.person_id}", "notice")]

    assert sent(PHONE)[1] == []
    page, told = sent(f"{CRISIS} {PHONE}")
    assert 'name="mask_ok"' in page
    assert re.search(r'<section class="crisis"(?: data-crisis)? aria-labelledby', page)
    assert told == ["crisis"]
    with circle.database.read() as r:
        assert r.db.scalars(select(Case.id)).all() == []
