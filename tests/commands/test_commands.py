"""The commands other programs rely on: data out, one line of what was done, one clear sentence on bad input."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.server import Server


@pytest.fixture
def samen(tmp_path: Path) -> Server:
    return Server(tmp_path).prepare()


def test_loadtest_people_prints_one_signed_in_person_a_line(samen: Server) -> None:
    people = samen.people(2, 3)
    assert [set(p) for p in people] == [{"group", "room", "alias", "role", "cookie"}] * 8
    assert [p["role"] for p in people].count("facilitator") == 2
    assert len({p["room"] for p in people}) == 2
    assert all(p["cookie"].startswith("samen_session=") for p in people)
    for room in {p["room"] for p in people}:
        aliases = [p["alias"] for p in people if p["room"] == room]
        assert len(aliases) == len(set(aliases))


def test_demo_and_loadtest_people_are_refused_in_production(samen: Server) -> None:
    samen.extra = {"SAMEN_ENVIRONMENT": "production", "SAMEN_ORIGIN": "https://samen.example"}
    for arguments in (("demo",), ("loadtest-people", "--groups", "1", "--members", "1")):
        done = samen.command(*arguments)
        assert done.returncode != 0
        assert "refused in production" in done.stderr
        assert done.stdout == ""


def test_the_demo_is_made_once_and_kept(samen: Server) -> None:
    assert "demo: made" in samen.command("demo").stderr
    assert "was there already" in samen.command("demo").stderr


def test_screen_reads_and_writes_json_lines(samen: Server) -> None:
    lines = [
        {"id": 1, "text": "Gisteren was een lange dag."},
        {"id": "b", "text": "Bel 06-12345678", "where": "pair"},
        {"text": "I will kill myself tonight", "lang": "en"},
    ]
    done = samen.command("screen", standard_input="\n".join(json.dumps(line) for line in lines))
    assert done.returncode == 0, done.stderr
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert first == {"id": 1, "action": "allow", "alert": False, "reasons": [], "text": lines[0]["text"]}
    assert (second["id"], second["action"], second["text"]) == ("b", "mask", "Bel [telefoonnummer]")
    assert second["reasons"] == [{"kind": "contact", "start": 4, "end": 15}]
    assert "id" not in third
    assert third["alert"] is True
    assert "3 texts" in done.stderr


@pytest.mark.parametrize(
    "line", ["not json", "[]", '{"text": 7}', '{"text": "x", "lang": "fr"}', '{"text": "x", "where": "?"}']
)
def test_screen_names_the_line_it_cannot_read(samen: Server, line: str) -> None:
    done = samen.command("screen", standard_input='{"text": "goed"}\n' + line)
    assert done.returncode != 0
    assert "line 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_audit_verify_says_so_when_a_line_was_changed(samen: Server) -> None:
    samen.command("demo")
    assert samen.command("audit", "verify").returncode == 0
    database = sqlite3.connect(samen.folder / "samen.db")
    with database:
        database.execute("UPDATE audit_lines SET action = 'nothing.happened' WHERE id = 2")
    database.close()
    done = samen.command("audit", "verify")
    assert done.returncode != 0
    assert "line 2" in done.stderr


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SAMEN_ENVIRONMENT": "production"}, "SAMEN_ORIGIN"),
        ({"SAMEN_ORIGIN": "*"}, "never a wildcard"),
        ({"SAMEN_ASYNC_MODE": "twisted"}, "SAMEN_ASYNC_MODE"),
        ({"PORT": "eighty"}, "PORT"),
        ({"SAMEN_DATABASE_URL": "mysql://x"}, "SAMEN_DATABASE_URL"),
        ({"SAMEN_DATABASE_URL": "sqlite://"}, "SAMEN_DATABASE_URL"),
    ],
)
def test_the_server_refuses_to_start_on_what_cannot_be(
    samen: Server, environment: dict[str, str], sentence: str
) -> None:
    samen.extra = environment
    done = samen.command("run")
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_refuses_a_key_file_that_others_can_read(samen: Server) -> None:
    (samen.folder / "secret.key").chmod(0o644)
    done = samen.command("run")
    assert done.returncode != 0
    assert "0600" in done.stderr


def test_export_prints_what_is_kept_of_one_person_and_notes_that_it_did(samen: Server) -> None:
    samen.command("demo")
    done = samen.command("export", " Daan ")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["account"]["login"], data["account"]["role"], data["groups"]) == ("daan", "moderator", [])
    assert "hanna" not in done.stdout
    assert samen.command("audit", "verify").returncode == 0
    database = sqlite3.connect(samen.folder / "samen.db")
    last = database.execute("SELECT action, actor_role FROM audit_lines ORDER BY id DESC LIMIT 1").fetchone()
    database.close()
    assert last == ("person.exported", "system")


def test_erase_asks_for_a_yes_and_then_leaves_nothing_in_the_files(samen: Server) -> None:
    samen.command("demo")
    refused = samen.command("erase", "daan")
    assert refused.returncode != 0
    assert "--yes" in refused.stderr
    assert _held(samen, b"daan")
    done = samen.command("erase", "daan", "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "erase: done\n")
    assert not _held(samen, b"daan")
    assert _held(samen, b"hanna")
    assert samen.command("audit", "verify").returncode == 0


@pytest.mark.parametrize("arguments", [("export", "niemand-hier"), ("erase", "niemand-hier", "--yes")])
def test_nobody_by_that_name_is_one_clear_sentence(samen: Server, arguments: tuple[str, ...]) -> None:
    done = samen.command(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "There is nobody with this login." in done.stderr
    assert "Traceback" not in done.stderr


def _held(samen: Server, text: bytes) -> bool:
    """Is this anywhere in the database's files?"""
    return any(text in file.read_bytes() for file in samen.folder.glob("samen.db*"))
