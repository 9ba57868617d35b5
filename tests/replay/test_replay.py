"""One evening of ninety minutes on a real server, in seconds: ten members, a facilitator, and a plug that is pulled."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import KINDS, admin, beside
from tests.replay import acts_lead, acts_member, scenes, script
from tests.replay.checks import problems
from tests.replay.defects import DEFECTS
from tests.replay.director import Director
from tests.replay.ending import gather
from tests.replay.house import House
from tests.replay.record import Record
from tests.server import MODES

PLAY = script.read(Path(__file__).with_name("play.toml"))


@pytest.fixture(scope="module", params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh database of each kind, for the whole file."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("database") / "samen.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    name = f"samen_replay_{uuid.uuid4().hex[:8]}"
    admin(f'CREATE DATABASE "{name}" TEMPLATE "{request.getfixturevalue("migrated_postgresql")}"')
    yield beside(name)
    admin(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def evening(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """The whole play, performed: on SQLite under the first of the loops, on PostgreSQL under the last."""
    house = House(tmp_path_factory.mktemp("house"), address, PLAY, MODES[0 if address.startswith("sqlite") else -1])
    house.server.start()
    try:
        Director(house, acts_member.ACTS, acts_lead.ACTS, scenes.SCENES).perform()
        yield gather(house)
    finally:
        house.close()
    assert not any(word in house.server.log() for word in ("failed", "Traceback")), house.server.log()


def test_an_evening_ends_as_the_play_says(evening: Record) -> None:
    assert problems(evening) == []


def test_the_evening_was_really_there(evening: Record) -> None:
    """What the checker looked through is what a whole evening brings: an empty record would be without a fault."""
    assert len(evening.revealed_at) == 3
    for alias in PLAY.cast:
        mine = [heard.name for heard in evening.heard if heard.alias == alias]
        assert mine.count("session.state") >= 30, alias
        assert mine.count("messages") >= 10, alias
        assert mine.count("session.here") >= 75, alias
    shown = [secret for secret in evening.secrets if secret.since is not None]
    assert (len(shown), len(evening.secrets) - len(shown)) == (9, 10)  # and each of them was found by somebody:
    for secret in shown:
        came = {heard.alias for heard in evening.heard if secret.text in heard.text}
        assert came == set(PLAY.cast), secret
    assert len(evening.kept_answers) == 25


@pytest.mark.parametrize(("defect", "expected"), DEFECTS)
def test_the_checker_sees_what_is_planted(evening: Record, defect: Callable[[Record], None], expected: str) -> None:
    planted = evening.copy()
    defect(planted)
    found = problems(planted)
    assert any(problem.startswith(expected) for problem in found), found
