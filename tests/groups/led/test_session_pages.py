"""A session as pages, without any script: every control is a form, and whoever reloads lands where they are awaited."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from groups import rooms
from groups.led import breakouts, presence, removal, sessions
from tests import builders
from tests.guards.conftest import world_in
from tests.world import World


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("pages"), migrated_sqlite) as made:
        yield made


@pytest.fixture
def world(whole: World) -> World:
    """The world as it was made, with four members in the open session of the first group."""
    whole.restore()
    for name in ("Mees", "Noor", "Jip", "Bo"):
        with whole.database.work(whole.people[name].known) as w:
            presence.arrive(w, rooms.place(w, whole.things["room"]))
    return whole


def _browser(world: World, name: str) -> FlaskClient:
    return world.client(world.people[name].token)


def _text(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.location)
    return answer.get_data(as_text=True)


def _room(world: World) -> str:
    return f"/ruimte/{world.things['room']}"


def _lead(world: World, path: str, **fields: str) -> int:
    form = {"version": world.things["version"], **fields}
    return _browser(world, "Hanna").post(f"/bijeenkomst/{world.things['session']}/{path}", data=form).status_code


def test_who_was_sent_out_finds_a_kind_page_and_a_field_to_write_in(world: World) -> None:
    mees, room = _browser(world, "Mees"), _room(world)
    assert _lead(world, "eruit", alias="Mees_duin") == 303
    answer = mees.get(room)
    assert (answer.status_code, answer.location) == (302, f"{room}/even-niet")
    page = _text(mees, f"{room}/even-niet")
    assert f'action="{room}/notitie"' in page
    assert "/hulp" in page
    assert "Noor_eik" not in page
    assert mees.post(f"{room}/notitie", data={"text": "Waarom moest ik eruit?"}).status_code == 303
    assert "Waarom moest ik eruit?" in _text(mees, f"{room}/even-niet")
    for path, form in (
        ("", {"text": "Hoi"}),
        ("/hand", {"up": "1"}),
        ("/antwoord", {"step": "in-the-moment", "text": "x"}),
    ):
        assert mees.post(room + path, data=form).status_code == 403
    notes = _text(_browser(world, "Hanna"), f"/bijeenkomst/{world.things['session']}/notities")
    assert "Waarom moest ik eruit?" in notes
    assert _lead(world, "weer-erin", alias="Mees_duin") == 303
    assert mees.get(f"{room}/even-niet").location == room
    _text(mees, room)


def test_a_note_that_would_be_masked_is_shown_to_its_author_first(world: World) -> None:
    mees, room, key = _browser(world, "Mees"), _room(world), str(uuid.uuid4())
    shown = mees.post(f"{room}/notitie", data={"text": builders.PHONE, "key": key})
    assert shown.status_code == 200
    assert key in shown.get_data(as_text=True)
    told = {"text": builders.PHONE, "key": key, "mask_ok": "1"}
    assert mees.post(f"{room}/notitie", data=told).status_code == 303
    script = mees.post(f"{room}/notitie", data={"text": builders.PHONE}, headers={"Accept": "application/json"}).json
    assert script is not None
    assert (script["status"], script["masked"]) == ("preview", True)
    danger = mees.post(f"{room}/notitie", data={"text": builders.CRISIS})
    assert danger.location == "/hulp"


def test_members_go_into_their_breakout_and_come_back(world: World) -> None:
    mees, room = _browser(world, "Mees"), _room(world)
    assert _lead(world, "twee-aan-twee", minutes="5") == 303
    with world.database.read(world.people["Mees"].known) as r:
        [aside] = breakouts.mine(r, rooms.place(r, world.things["room"]))
    other = next(alias for alias in aside.aliases if alias != "Mees_duin")
    assert mees.get(room).location == f"/ruimte/{aside.room}"
    page = _text(mees, f"/ruimte/{aside.room}")
    assert other in page
    assert "Hanna" in page  # who can look in
    assert mees.post(f"/ruimte/{aside.room}", data={"text": "Hoi samen"}).status_code == 303
    assert "Hoi samen" in _text(_browser(world, other.partition("_")[0]), f"/ruimte/{aside.room}")
    assert "Hoi samen" in _text(_browser(world, "Hanna"), f"/ruimte/{aside.room}")
    cockpit = _text(_browser(world, "Hanna"), f"/bijeenkomst/{world.things['session']}")
    assert f'href="/ruimte/{aside.room}"' in cockpit
    assert mees.post(f"/ruimte/{aside.room}/terug").location == room
    _text(mees, room)
    with world.database.work(world.people["Hanna"].known) as w:
        breakouts.call_back(w, world.things["session"], int(world.things["version"]) + 1)
    assert _browser(world, other.partition("_")[0]).get(f"/ruimte/{aside.room}").location == room


def test_a_click_that_came_second_shows_where_everybody_is(world: World) -> None:
    hanna, at = _browser(world, "Hanna"), f"/bijeenkomst/{world.things['session']}"
    assert [_lead(world, "pauze", on="1") for _ in range(2)] == [303, 303]
    script = hanna.post(
        f"{at}/adem",
        data={"version": world.things["version"], "kind": "breath", "minutes": "2"},
        headers={"Accept": "application/json"},
    )
    assert (script.status_code, script.json and script.json["code"]) == (409, "closed")
    page = _text(hanna, at)
    assert f'name="version" value="{int(world.things["version"]) + 1}"' in page


def test_a_step_that_came_in_meanwhile_is_fetched_alone(world: World) -> None:
    assert _lead(world, "vraag", kind="scale", title="Hoe zit je erbij?", options="", minutes="3") == 303
    with world.database.read(world.people["Mees"].known) as r:
        found = rooms.place(r, world.things["room"])
        session = sessions.stage.running_in(r, found)
        assert session is not None
        ref = sessions.stage.state(r, session, found)["step"]["ref"]
    piece = _text(_browser(world, "Mees"), f"{_room(world)}/stap/{ref}")
    assert "Hoe zit je erbij?" in piece
    assert "<html" not in piece
    assert _browser(world, "Mees").get(f"{_room(world)}/stap/abc").status_code == 404
    answered = _browser(world, "Mees").post(f"{_room(world)}/antwoord", data={"step": f"own-{ref}", "option": "7"})
    assert answered.status_code == 303
    with world.database.work(world.people["Hanna"].known) as w:
        removal.send_out(w, world.things["session"], "Mees_duin")
    assert _browser(world, "Mees").get(f"{_room(world)}/stap/{ref}").status_code == 403
