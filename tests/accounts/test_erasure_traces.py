"""Having one's account destroyed: what is left on the disk, and in the browser. Nothing."""

from __future__ import annotations

from pathlib import Path

import flask
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from app.accounts import erasure, signins
from app.accounts.models import Person
from app.core.permissions import Role
from app.core.work import Database
from app.main import PARTS
from tests.accounts import lives
from tests.accounts.visitor import Visitor
from tests.conftest import FrozenClock


@pytest.fixture
def browser(site: flask.Flask, clock: FrozenClock) -> Visitor:
    return lives.signed_in(site, clock)


def _on_disk(database: Database) -> bytes:
    path = Path(str(make_url(str(database.engine.url)).database))
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def _traces(database: Database, person: str) -> list[bytes]:
    """What could be recognised on the disk: the name, the hashes, the wrapped key, the sealed texts."""
    with database.read() as r:
        person_id = r.db.scalars(select(Person.id).where(Person.login == person)).one()
    found = lives.rows(database)
    seats = {row["id"] for row in found["seats"] if row["person_id"] == person_id}
    own = {row["id"] for row in found["memberships"] if row["person_id"] == person_id}
    blobs = [row["text"] for row in found["messages"] if row["seat_id"] in seats and row["text"]]
    said = {row["id"] for row in found["messages"] if row["seat_id"] in seats}
    blobs += [row["text"] for row in found["message_versions"] if row["message_id"] in said]
    blobs += [row["text"] for row in found["session_notes"] if row["author_id"] == person_id]
    blobs += [row["digest"].encode() for row in found["calendar_feeds"] if row["person_id"] == person_id]
    blobs += [row["value"] for row in found["answers"] if row["membership_id"] in own]
    blobs += [row["content"] for row in found["check_ins"] if row["membership_id"] in own]
    blobs += [row["content"] for row in found["goals"] if row["membership_id"] in own]
    blobs += [row["content"] for row in found["check_ups"] if row["person_id"] == person_id and row["content"]]
    blobs += [row["analysis"] for row in found["relapse_reports"] if row["membership_id"] in own and row["analysis"]]
    blobs += [row["wrapped"] for row in found["data_keys"] if row["person_id"] == person_id]
    blobs += [row["token_hash"].encode() for row in found["sign_ins"] if row["person_id"] == person_id]
    return [person.encode(), lives.SECRET.encode(), *blobs]


def test_nothing_is_left_on_the_disk(browser: Visitor) -> None:
    database = browser.house.database
    traces = _traces(database, lives.LOGIN)
    assert len(traces) > 28
    assert [t for t in traces if t not in _on_disk(database)] == []
    with database.work() as w:
        erasure.erase(w, PARTS, erasure.find(w, lives.LOGIN))
    assert [t for t in traces if t in _on_disk(database)] != []  # the log still has it: this search would see it
    assert erasure.wipe_log(database)
    assert [t for t in traces if t in _on_disk(database)] == []


def test_emptying_the_log_does_not_wait_long_for_a_reader(browser: Visitor) -> None:
    database = browser.house.database
    with database.read() as r:
        r.db.scalars(select(Person.id)).all()
        with database.work() as w:
            erasure.erase(w, PARTS, erasure.find(w, lives.LOGIN))
        assert not erasure.wipe_log(database)
    assert erasure.wipe_log(database)


def test_nothing_is_erased_before_the_word_is_typed(browser: Visitor) -> None:
    page = browser.get("/gegevens/wissen").get_data(as_text=True)
    assert page.index("/hulp") < page.index("Je account wissen")
    for word in ("", "ja", "wissen!", "erase"):
        answer = browser.post("/gegevens/wissen", {"word": word})
        assert answer.status_code == 422
        assert "Er is nog niets gewist" in answer.get_data(as_text=True)
    assert browser.inside


def test_the_word_erases_and_leaves_the_browser_empty(browser: Visitor) -> None:
    traces = _traces(browser.house.database, lives.LOGIN)
    token = browser.token
    answer = browser.post("/gegevens/wissen", {"word": " Wissen "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/gewist")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert browser.token == ""
    goodbye = browser.get("/gewist")
    assert goodbye.status_code == 200
    assert lives.LOGIN not in goodbye.get_data(as_text=True)
    assert [t for t in traces if t in _on_disk(browser.house.database)] == []
    browser.client.set_cookie(browser.house.cookie, token, domain="localhost")
    assert browser.get("/vandaag").status_code == 303


def test_erasing_asks_first_whether_it_is_still_you(browser: Visitor, clock: FrozenClock) -> None:
    clock.forward(minutes=11)
    assert browser.get("/gegevens/wissen").headers["Location"] == "/bevestigen"
    assert browser.post("/gegevens/wissen", {"word": "wissen"}).headers["Location"] == "/bevestigen"
    assert browser.inside


def test_the_last_facilitator_reads_why_it_cannot_be(browser: Visitor) -> None:
    database = browser.house.database
    lead = next(row for row in lives.rows(database)["people"] if row["role"] == Role.FACILITATOR.value)
    with database.work() as w:
        token = signins.start(w, lead["id"], browser.house.settings.lasts(staff=True), confirmed=True)
    browser.client.set_cookie(browser.house.cookie, token, domain="localhost")
    answer = browser.post("/gegevens/wissen", {"word": "wissen"})
    assert answer.status_code == 409
    assert "nog niets gewist" in answer.get_data(as_text=True)
    assert browser.inside
