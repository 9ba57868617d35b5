"""The server does not start on secrets or origins that protect nobody: one sentence, and a status that says so."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import flask
import pytest

from app.core import keys
from app.core.settings import Settings, SettingsError
from app.live import server
from app.main import create_app
from tests.server import Server

PRODUCTION = {"SAMEN_ENVIRONMENT": "production", "SAMEN_ORIGIN": "https://samen.example"}
TYPED = b"you-will-never-guess-this-secret-of-ours"
DEFAULT_MASTER = b"0123abcd " + base64.b64encode(b"0" * 32) + b"\n"


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    """An installation that would start."""
    shutil.copyfile(migrated_sqlite, tmp_path / "samen.db")
    made = Settings(
        environment="production",
        origin="https://samen.example",
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'samen.db'}",
        async_mode="threading",
    )
    keys.ensure(made)
    return made


SPOILT: dict[str, Callable[[Path], object]] = {
    "no secret": lambda folder: (folder / "secret.key").unlink(),
    "an empty secret": lambda folder: (folder / "secret.key").write_bytes(b""),
    "a short secret": lambda folder: (folder / "secret.key").write_bytes(bytes(range(31))),
    "a default secret": lambda folder: (folder / "secret.key").write_bytes(b"\x00" * 32),
    "a typed secret": lambda folder: (folder / "secret.key").write_bytes(TYPED),
    "a secret for all to read": lambda folder: (folder / "secret.key").chmod(0o644),
    "a secret for the group": lambda folder: (folder / "secret.key").chmod(0o640),
    "no master key": lambda folder: (folder / "master.keys").unlink(),
    "an empty master key file": lambda folder: (folder / "master.keys").write_bytes(b""),
    "a default master key": lambda folder: (folder / "master.keys").write_bytes(DEFAULT_MASTER),
    "a master key for all to read": lambda folder: (folder / "master.keys").chmod(0o604),
}


def test_a_whole_installation_starts(settings: Settings) -> None:
    create_app(settings).extensions["samen"].database.engine.dispose()


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_secrets_that_protect_nobody_are_refused_in_one_sentence(
    settings: Settings, spoil: Callable[[Path], object]
) -> None:
    spoil(settings.data_dir)
    with pytest.raises(SettingsError) as refusal:
        create_app(settings)
    sentence = str(refusal.value)
    assert sentence.endswith(".") or sentence.endswith(")"), sentence
    assert "\n" not in sentence
    assert "secret" in sentence or "master" in sentence


def test_production_does_not_start_on_the_demos_people(tmp_path: Path) -> None:
    """Their passwords and the secret of their app are known to everybody."""
    server = Server(tmp_path).prepare()
    assert server.command("demo").returncode == 0
    server.extra |= PRODUCTION
    done = server.command("run")
    assert done.returncode == 1
    assert done.stderr == "Error: The demo's people are in this database; start production on an empty one.\n"


@pytest.mark.parametrize("origin", ["", "*", "[]", "http://samen.example", "null"])
def test_the_app_itself_refuses_an_origin_that_lets_everybody_in(settings: Settings, origin: str) -> None:
    spoilt = Settings(
        environment="production", origin=origin, data_dir=settings.data_dir, database_url=settings.database_url
    )
    with pytest.raises(SettingsError, match="SAMEN_ORIGIN"):
        create_app(spoilt)


@pytest.mark.parametrize("origins", [(), ("*",), ("https://samen.example", "*"), ("",), ("null",)])
def test_the_live_endpoint_refuses_origins_that_let_everybody_in(origins: tuple[str, ...]) -> None:
    class Origins:
        """Settings as a careless change might leave them."""

        def __init__(self) -> None:
            self.origins = origins

    nothing: dict[str, object] = dict.fromkeys(("driver", "gateway", "fanout", "events", "identify"))
    with pytest.raises(SettingsError, match="never a wildcard"):
        server.open_live(flask.Flask("x"), Origins(), cookie="x", **nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environment", "spoil", "word"),
    [
        ({"SAMEN_ORIGIN": ""}, None, "SAMEN_ORIGIN"),
        ({"SAMEN_ORIGIN": "[]"}, None, "SAMEN_ORIGIN"),
        ({"SAMEN_ORIGIN": "*"}, None, "SAMEN_ORIGIN"),
        ({"SAMEN_ORIGIN": "http://samen.example"}, None, "SAMEN_ORIGIN"),
        ({}, "no secret", "setup-keys"),
        ({}, "a typed secret", "not a random one"),
        ({}, "a master key for all to read", "0600"),
    ],
)
def test_the_command_ends_with_one_sentence_and_a_status_that_says_so(
    settings: Settings, environment: dict[str, str], spoil: str | None, word: str
) -> None:
    if spoil:
        SPOILT[spoil](settings.data_dir)
    done = Server(settings.data_dir, extra=PRODUCTION | environment).command("run")
    assert done.returncode == 1
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if "Deprecat" not in line]
    assert lines[-1].startswith("Error: ")
    assert word in lines[-1]
    assert "Traceback" not in done.stderr
