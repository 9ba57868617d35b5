"""Marked strings go through everything, on a real server; afterwards they are looked for in all it leaves behind.

Searched: what the process wrote (at level DEBUG), the headers of every answer (addresses it redirects to and opened
cookies among them), every column of every table, and the raw bytes of every file in the data folder, the write-ahead
log included. There is no bus between processes, no e-mail, no push and no metrics yet: what will carry them is to be
added here with it.
"""

from __future__ import annotations

import base64
import socket
import sqlite3
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import flask
import pytest
import structlog
from flask.sessions import SecureCookieSessionInterface

from app.core import logs
from tests.privacy.evidence import Canary, Evidence, search
from tests.privacy.rounds import WORD, Member, Round
from tests.server import MODES, Server


@dataclass(frozen=True, slots=True)
class Went:
    """What was left behind before somebody's account was erased, and after."""

    round: Round
    before: Evidence
    after: Evidence
    erased: Member


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("canary")
    made = Server(folder, extra={"SAMEN_LOG_LEVEL": "DEBUG", "SAMEN_PROXIES": "1"}).prepare().start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def went(server: Server) -> Went:
    """One round through everything."""
    whole = Round(server)
    name = whole.mark("organisation name", "Stichting Kastanjeraam", "organisations.name")
    code = server.command("first-administrator", "--organisation", name).stdout.strip()
    administrator = whole.staff("administrator", code, "Wilgenhof")
    hanna = whole.staff("facilitator", whole.code_for(administrator, "facilitator"), "Hannelotte")
    ilse = whole.staff("colleague", whole.code_for(administrator, "facilitator"), "Ilsemarijn")
    administrator.get("/beheer")
    code = whole.open_group(hanna, 3)
    came_in = [whole.client(number, code) for number in range(3)]
    one, two, three = sorted(came_in, key=lambda member: member.alias)  # as the facilitator's list has them
    whole.write(one)
    whole.meet(hanna, one, two)
    whole.look_after(hanna, one, two)
    whole.review(hanna, ilse)
    whole.come_back(hanna, three)
    whole.try_wrongly()
    whole.take_along(one)
    wait_until(lambda: delivered(server))
    whole.carry_on()
    before = evidence(server, whole)
    one.browser.post("/gegevens/wissen", {"word": "wissen"})
    one.browser.get("/gewist")
    return Went(whole, before, evidence(server, whole), one)


def evidence(server: Server, whole: Round) -> Evidence:
    found = Evidence()
    found.add_log(server.log())
    found.add_headers(whole.headers)
    found.add_database(server.folder / "samen.db")
    found.add_folder(server.folder)
    return found


def delivered(server: Server) -> bool:
    with closing(sqlite3.connect(server.folder / "samen.db")) as connection:
        waiting = connection.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()[0]
        return bool(waiting == 0 and connection.execute("SELECT count(*) FROM notices").fetchone()[0])


def wait_until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 10
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.05)  # looking again is the only way to hear of it


def test_no_marked_string_stands_where_it_must_not(went: Went) -> None:
    canaries = went.round.canaries
    assert len({name.rstrip("0123456789. ") for name in canaries}) >= 39
    assert {"samen.db", "samen.db-wal", "server.log"} <= {name for name, _content in went.before.files}
    assert search(went.before, canaries) == set()


def test_what_is_allowed_in_clear_is_really_there(went: Went) -> None:
    """So that the search is not satisfied because nothing was stored."""
    canaries = went.round.canaries
    found = search(went.before, {name: Canary(canary.text) for name, canary in canaries.items() if canary.allowed})
    absent = {
        name
        for name, canary in canaries.items()
        if canary.allowed and not {place for one, place in found if one == name} & set(canary.allowed)
    }
    [changed] = {name for name in absent if not name.startswith("session")}
    assert changed.startswith("code name of client")  # the one who came back has another since


def test_of_an_erased_account_nothing_is_left_but_resting_aliases(went: Went) -> None:
    kept = {"code name": Canary(went.erased.login), "alias": Canary(went.erased.alias, ("alias_uses.alias",))}
    kept["alias to a buddy"] = Canary(went.round.canaries["alias to a buddy"].text, ("alias_uses.alias",))
    assert search(went.after, went.round.canaries | kept) == set()


def test_numbers_that_cannot_be_marked_are_sealed_too(went: Went) -> None:
    """A counted answer and the moods of a check-in are numbers: they stand nowhere in clear."""
    for column in ("answers.value", "answer_shares.value", "check_ins.content", "authenticators.secret"):
        values = [content for place, content in went.before.found if place == column]
        assert values
        assert all(value[:1] == b"\x01" and len(value) >= 37 for value in values), column
        assert not any(value.strip(b"[]{}").isdigit() or b"mood" in value for value in values), column


@pytest.mark.parametrize("loop", MODES)
def test_no_request_leaves_a_line_behind(tmp_path: Path, loop: str) -> None:
    """Not even one that is malformed: an address and a time are already somebody's secret."""
    extra = {"SAMEN_LOG_LEVEL": "DEBUG", "SAMEN_PROXIES": "1", "SAMEN_ASYNC_MODE": loop}
    server = Server(tmp_path, extra=extra).prepare().start()
    whole = Round(server)
    whole.try_wrongly()
    word = whole.mark("malformed request", "kluwenpad")
    for request in (
        f"GRINT /{word}",
        f"GET /{word} HTTP/9.9",
        f"GET /{word} HTTP/1.1\r\nHost: x\r\nContent-Length: {word}",
        f"POST /{word} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{word}",
        f"GET /socket.io/?EIO={word}&transport={word} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.77",
        f"GET /?{word * 9_000} HTTP/1.1\r\nHost: {word}",
    ):
        say(server, request)
    whole.carry_on()
    server.stop()
    found = Evidence()
    found.add_log(server.log())
    assert search(found, whole.canaries) == set()
    assert not [line for line in server.log().splitlines() if "GET " in line or "HTTP/1" in line]


def say(server: Server, request: str) -> None:
    """Send something that need not be HTTP, and wait for the end of the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as raw:
        try:
            raw.sendall(request.encode() + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65_536):
                pass
        except OSError:
            pass  # it was cut off: that is an answer too


# Planted defects: the same search must catch each of them.

MARKED = {"message": Canary(WORD["message"]), "address": Canary("203.0.113.77")}


def test_a_log_line_with_the_text_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("DEBUG")
    try:
        structlog.get_logger().info("posted", said=f"Zie de {WORD['message']}.", source="203.0.113.77")
    finally:
        structlog.reset_defaults()
    found = Evidence()
    found.add_log(capfd.readouterr().err)
    assert search(found, MARKED) == {("message", "log"), ("address", "log")}


def test_a_library_that_fails_is_not_quoted(capfd: pytest.CaptureFixture[str]) -> None:
    """Not planted: libraries of the live connection print their failures, unless they are given a place for them."""
    logs.configure("DEBUG")
    try:
        raise KeyError(WORD["message"])
    except KeyError:
        logs.of_library("live").exception("could not handle %s", WORD["message"])
    finally:
        structlog.reset_defaults()
    found = Evidence()
    found.add_log(capfd.readouterr().err)
    assert search(found, MARKED | {"type": Canary("KeyError")}) == {("type", "log")}


@pytest.mark.parametrize("written", ["Zie de {}.", '{{"text": "{}"}}', "{}"])
def test_a_column_in_clear_is_caught(tmp_path: Path, written: str) -> None:
    with closing(sqlite3.connect(tmp_path / "samen.db")) as connection, connection:
        connection.execute("CREATE TABLE messages (text TEXT)")
        connection.execute("INSERT INTO messages VALUES (?)", (written.format(WORD["message"].upper()),))
    found = Evidence()
    found.add_database(tmp_path / "samen.db")
    found.add_folder(tmp_path)
    assert search(found, MARKED) == {("message", "messages.text"), ("message", "file samen.db")}
    elsewhere = {"message": Canary(WORD["message"], ("people.login",))}
    assert search(found, elsewhere) == {("message", "messages.text")}


@pytest.mark.parametrize("coded", ["plain", "address", "base64", "cookie", "hex"])
def test_a_header_that_echoes_is_caught(coded: str) -> None:
    text = "zwaluw kruik é"
    said = f"ik zag een {text} staan"
    value = {
        "plain": f"/vandaag?x={text}",
        "address": "/vandaag?x=" + urllib.parse.quote_plus(said),
        "base64": base64.b64encode(said.encode()).decode(),
        "cookie": "visit=" + cookie_with(said),
        "hex": said.encode().hex(),
    }[coded]
    found = Evidence()
    found.add_headers([("Set-Cookie" if coded == "cookie" else "Location", value)])
    assert {name for name, _place in search(found, {"text": Canary(text)})} == {"text"}


def cookie_with(text: str) -> str:
    """A visitor's cookie as the framework makes it."""
    site = flask.Flask("planted")
    site.secret_key = "a key for a test"
    made = SecureCookieSessionInterface().get_signing_serializer(site)
    assert made is not None
    return str(made.dumps({"afterwards": text * 20}))
