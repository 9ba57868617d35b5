"""The page of a room: it reads without waiting for who writes, and keeps help in sight after words of danger."""

from __future__ import annotations

import re
import uuid

import flask
import pytest
from flask.testing import FlaskClient

from app import web
from app.core.work import Database
from groups import conversation, pages, rooms
from tests import builders
from tests.builders import CRISIS, Circle, Someone
from tests.conftest import FrozenClock

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
