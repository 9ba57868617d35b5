"""Who gets in where: every cell of `matrix.toml` is tried for real, and what has no line there fails."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import pytest
from sqlalchemy import select

from app import web
from app.core.permissions import BUNDLES, Permission, Role
from app.core.work import Work
from groups import rooms
from groups.models import Group, Membership
from groups.rules import FACILITATOR
from tests.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, institution
from tests.guards import doors
from tests.guards.conftest import world_in
from tests.guards.doors import Door
from tests.world import NAMES, World

CLIENTS, LEADS = ("Mees", "Jip", "Fenna", "Toon"), ("Hanna", "Ilse", "Pieter")
COLUMNS = ("visitor", *CLIENTS, *LEADS, "Marit", "Saskia", "Anneke", "Wouter")
OF_B = ("Toon", "Pieter", "Saskia", "Wouter")
MATRIX: dict[str, str] = tomllib.loads((Path(__file__).parent / "matrix.toml").read_text(encoding="utf-8"))
PERSONAL = {"group", "room", "session", "case", "member", "ref"}  # parameters of addresses that name somebody's thing

# Forms that only a real device could fill in, so that nobody gets further here than to read so.
NEVER_RIGHT = {"passkeys.add POST", "passkeys.sign_in POST", "room.hand POST, the pair's"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[World]:
    """The world, with an institution whose staff can sign in with their account there."""
    folder = tmp_path_factory.mktemp("matrix")
    secret = folder / "oidc"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    with institution() as there:
        there.subject = "sub-of-marit"
        more = {"oidc_issuer": there.url, "oidc_client_id": CLIENT_ID, "oidc_secret_file": secret}
        with world_in(folder, migrated_sqlite, there, oidc_name="De instelling", **more) as made:
            yield made


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell in which something else stands than what happens."""

    line: str
    column: str
    expected: str
    found: str


def cells(line: str) -> dict[str, str]:
    """The cells of a line, by column."""
    return dict(zip(COLUMNS, MATRIX[line].split(), strict=True))


def wrong(world: World, line: str) -> list[Wrong]:
    """Try every cell of a line."""
    door = Door.read(line)
    found = {name: doors.knock(world, door, world.people[name]) for name in COLUMNS}
    return [Wrong(line, name, cell, found[name]) for name, cell in cells(line).items() if cell != found[name]]


def lines_to_add(site: flask.Flask, lines: dict[str, str]) -> list[str]:
    """What has no line yet, each as the line to fill in."""
    return [f'"{door.line}" = "{" ".join("?" * len(COLUMNS))}"' for door in doors.doors(site) if door.line not in lines]


@pytest.mark.parametrize("line", MATRIX)
def test_every_door_lets_in_whom_its_line_names_and_nobody_else(world: World, line: str) -> None:
    assert wrong(world, line) == []


def test_every_route_and_event_has_a_line(site: flask.Flask) -> None:
    assert lines_to_add(site, MATRIX) == [], "add to tests/guards/matrix.toml"


def test_every_line_has_a_route_or_event(site: flask.Flask) -> None:
    there = {door.line for door in doors.doors(site)}
    variants = {line for line in MATRIX if Door.read(line).variant in doors.VARIANTS}
    assert {line for line in MATRIX if line.partition(", ")[0] not in there} == set()
    assert {line for line in MATRIX if ", " in line} == variants


def test_every_cell_is_written_out() -> None:
    for line, row in MATRIX.items():
        assert len(row.split()) == len(COLUMNS), line
        assert set(row.split()) <= {doors.IN, doors.STEP_UP, doors.REFUSED, doors.UNKNOWN}, line


def test_every_form_does_what_it_is_for_when_somebody_may(world: World) -> None:
    """Otherwise a letter would only say that a form was wrong, and nothing about who may send it."""
    idle = set()
    for line in MATRIX:
        door = Door.read(line)
        may = [name for name, cell in cells(line).items() if cell in (doors.IN, doors.STEP_UP)]
        if door.method != "POST" or not may:
            continue
        statuses = set()
        for name in may:
            world.restore()
            statuses.add(doors.open_route(world, door, world.people[name], confirmed=True).status_code)
            if min(statuses) < 400:
                break
        if min(statuses) >= 400:
            idle.add(line)
    assert idle == NEVER_RIGHT


@pytest.mark.parametrize("name", ["Marit", "Saskia", "Anneke", "Wouter", "Ilse", "Pieter", "Fenna", "Toon", "visitor"])
def test_who_reviews_administers_or_belongs_elsewhere_comes_into_no_room(name: str) -> None:
    rooms_only = [line for line in MATRIX if line.startswith(("room.", "message.", "session.")) and "mine" not in line]
    assert len(rooms_only) >= 18
    assert {cells(line)[name] for line in rooms_only} <= {doors.REFUSED, doors.UNKNOWN}


def test_nothing_of_one_organisation_answers_to_the_other(site: flask.Flask) -> None:
    """Whatever names a thing of A, B is refused it. Putting away a line of one's own inbox is the one thing that looks
    the same for a thing that is not there."""
    named = {rule.endpoint for rule in site.url_map.iter_rules() if PERSONAL & set(rule.arguments)} - {"today.seen"}
    lines = [line for line in MATRIX if Door.read(line).name in named | set(doors.events())]
    assert len(lines) > 50
    assert {cells(line)[name] for line in lines for name in OF_B} == {doors.REFUSED}


def test_nobody_of_the_other_organisation_reads_a_name_of_the_first(world: World) -> None:
    names = [*NAMES, "Hanna", "Ilse", "Marit", "Anneke", "Mees_duin", "Noor_eik", "Jip_kiezel", "Bo_wilg", "Fenna_beek"]
    shown: dict[str, list[str]] = {}
    pages = 0
    for line in MATRIX:
        door = Door.read(line)
        for name in OF_B if door.method == "GET" else ():
            world.restore()
            answer = doors.open_route(world, door, world.people[name], confirmed=True)
            text = answer.get_data(as_text=True)
            pages += answer.status_code == 200
            shown |= {f"{name}: {line}": found for found in [[n for n in names if n in text]] if found}
    assert shown == {}
    assert pages > 80


def test_a_route_without_a_line_is_named_with_the_line_to_add(site: flask.Flask) -> None:
    site.add_url_rule("/vergeten", "forgotten", web.public(lambda: "open"), methods=["GET", "POST"])
    row = " ".join("?" * len(COLUMNS))
    assert lines_to_add(site, MATRIX) == [f'"forgotten GET" = "{row}"', f'"forgotten POST" = "{row}"']


def test_a_route_that_lost_its_permission_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    view = world.site.view_functions["buddies.duo"]
    monkeypatch.delitem(view.__dict__, "needs")
    monkeypatch.setitem(view.__dict__, "public", True)
    caught = {(cell.column, cell.found) for cell in wrong(world, "buddies.duo GET")}
    assert caught == {(name, doors.IN) for name in ("Hanna", "Ilse", "Pieter", "Marit", "Saskia", "Anneke", "Wouter")}


def test_a_step_up_that_was_forgotten_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.site.view_functions["data.download"].__dict__, "confirmed", False)
    assert {cell.found for cell in wrong(world, "data.download GET")} == {doors.IN}


def test_a_use_case_that_forgets_whose_group_it_is_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def any_group(w: Work, group: str) -> rooms.Place:
        lead = select(Membership.person_id).join(Group).where(Group.public_id == group, Membership.role == FACILITATOR)
        other = type("As", (), {"db": w.db, "who": type("Lead", (), {"person_id": w.db.scalars(lead).one()})})
        return rooms.group_place(other, group)  # type: ignore[arg-type]

    monkeypatch.setattr(rooms, "lead_place", any_group)
    for line in ("leading.show_invitations GET", "leading.revoke POST", "planning.plan POST"):
        assert {(cell.column, cell.found) for cell in wrong(world, line)} == {("Ilse", "y"), ("Pieter", "y")}, line


def test_an_event_that_forgets_whose_room_it_is_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, place = world.people["Mees"].known, rooms.place

    def any_room(w: Work, room: str) -> rooms.Place:
        found: Any = w
        found.actor = owner
        return place(found, room)

    monkeypatch.setattr(rooms, "place", any_room)
    caught = {cell.column for cell in wrong(world, "room.sync")}
    assert caught == {"Fenna", "Toon", "Ilse", "Pieter"}


def test_a_role_with_one_permission_too_many_is_caught(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    more = BUNDLES[Role.ADMINISTRATOR] | {Permission.ORGANISATION_CASE_READ}
    monkeypatch.setitem(BUNDLES, Role.ADMINISTRATOR, more)
    assert {cell.column for cell in wrong(world, "moderation.waiting GET")} == {"Anneke", "Wouter"}
