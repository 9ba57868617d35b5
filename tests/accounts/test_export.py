"""Taking one's data along: all of one's own words, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import flask
import pytest

from app.accounts import erasure, signins
from app.core.errors import NotFound
from app.core.work import Database
from app.main import PARTS
from groups.people import leaving
from tests.accounts import lives
from tests.accounts.lives import OTHERS, OWN, Lives
from tests.accounts.visitor import Visitor
from tests.conftest import FrozenClock


@pytest.fixture
def life(database: Database, clock: FrozenClock) -> Lives:
    return lives.lived(database, clock)


@pytest.fixture
def browser(site: flask.Flask, clock: FrozenClock) -> Visitor:
    return lives.signed_in(site, clock)


def _export(life: Lives, person_id: int) -> dict[str, Any]:
    with life.database.read() as r:
        return erasure.export(r, PARTS, person_id)


def test_every_word_of_ones_own_is_there_and_none_of_anybody_else(life: Lives) -> None:
    assert len(OWN) == 29
    found = json.dumps(_export(life, life.mees.person_id), ensure_ascii=False)
    assert [mark for mark in OWN if mark not in found] == []
    assert [mark for mark in OTHERS if mark in found] == []
    assert life.noor.alias not in found
    assert life.circle.known_as(life.noor) not in found


def test_others_take_their_own_words_along_and_not_these(life: Lives) -> None:
    for who, marks in (
        (life.noor, (OTHERS[0], OTHERS[7], OTHERS[2], OTHERS[4], OTHERS[8])),
        (life.hanna, (OTHERS[1], *OTHERS[9:])),
    ):
        found = json.dumps(_export(life, who.person_id), ensure_ascii=False)
        assert [mark for mark in marks if mark not in found] == []
        assert [mark for mark in OWN if mark in found] == []
    assert OTHERS[5] in json.dumps(_export(life, life.second.hanna.person_id))


def test_nothing_secret_and_no_number_of_a_row_is_in_it(life: Lives) -> None:
    data = _export(life, life.mees.person_id)
    found = json.dumps(data)
    for kept_inside in (lives.SECRET, "ab" * 32, life.mees.token, life.mees.actor.session, "JBSWY3DP", "person_id"):
        assert kept_inside not in found
    assert data["account"]["login"] == lives.LOGIN
    assert data["second_steps"]["passkeys"] == ["2026-11-17"]


def test_what_was_written_in_a_group_one_left_is_still_ones_own(life: Lives) -> None:
    with life.database.work(life.mees.actor) as w:
        leaving.leave(w, life.second.group)
    data = _export(life, life.mees.person_id)
    assert [group["until"] for group in data["groups"]] == [None, "2026-11-18"]
    assert OWN[16] in json.dumps(data)


def test_nobody_has_no_data(life: Lives) -> None:
    with pytest.raises(NotFound):
        _export(life, 10_000)


def test_the_page_and_the_file_say_the_same(browser: Visitor) -> None:
    page, file = browser.get("/gegevens"), browser.get("/gegevens.json")
    assert (page.status_code, file.status_code) == (200, 200)
    assert file.mimetype == "application/json"
    assert file.headers["Content-Disposition"] == 'attachment; filename="mijn-gegevens.json"'
    text = page.get_data(as_text=True)
    data = json.loads(file.get_data(as_text=True))
    for found in (text, json.dumps(data, ensure_ascii=False)):
        assert [mark for mark in OWN if mark not in found] == []
        assert [mark for mark in OTHERS if mark in found] == []
    for group in data["groups"]:
        assert group["alias"] in text
        for talk in group["conversations"]:
            assert talk["alias"] in text


def test_the_file_asks_first_whether_it_is_still_you(browser: Visitor, clock: FrozenClock) -> None:
    clock.forward(minutes=11)
    for path in ("/gegevens", "/gegevens.json"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/bevestigen")


def test_staff_read_their_own_page_too(browser: Visitor) -> None:
    database = browser.house.database
    ada = lives.administrator(database, lives.rows(database)["organisations"][0]["id"])
    browser.client.set_cookie(browser.house.cookie, ada.token, domain="localhost")
    assert browser.get("/gegevens").headers["Location"] == "/bevestigen"
    with database.work(ada.actor) as w:
        signins.confirm(w)
    text = browser.get("/gegevens").get_data(as_text=True)
    assert "Ada" in text
    assert OWN[0] not in text
