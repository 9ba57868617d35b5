"""The sign-in door: it tells a stranger nothing, it cannot be hurried, and it gives no session that was prepared."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import flask
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.accounts import accounts, names, passwords, signins
from app.accounts.models import Attempt, Person, SignIn
from app.accounts.web import entering
from app.core import ids
from app.core.errors import Invalid
from app.core.permissions import Role
from app.core.work import Database
from tests import builders
from tests.conftest import FrozenClock

NOOR, NOBODY = "stille-otter-41", "stille-otter-42"
WORDS = "molen vlinder tak regen haven wolk"
WRONG = "Die twee horen niet bij elkaar."
SLOWED = "Dat waren veel pogingen achter elkaar."


@pytest.fixture
def clock(site: flask.Flask) -> FrozenClock:
    """The site's own clock, standing still."""
    found = FrozenClock(datetime(2026, 11, 17, 18, 30, tzinfo=UTC))
    _database(site).clock = found
    return found


@pytest.fixture
def noor(site: flask.Flask, clock: FrozenClock) -> int:
    """A client who can sign in."""
    hashed = passwords.hash_secret(WORDS)
    with _database(site).work() as w:
        return accounts.create_person(w, accounts.create_organisation(w, "Proef"), Role.CLIENT, NOOR, hashed)


def _database(site: flask.Flask) -> Database:
    found: Database = site.extensions["samen"].database
    return found


def _form_token(browser: FlaskClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/terug").get_data(as_text=True))
    assert found
    return found[1]


def _try(browser: FlaskClient, login: str, secret: str, address: str = "192.0.2.1") -> flask.Response:
    fields = {"csrf_token": _form_token(browser), "login": login, "secret": secret}
    answer: flask.Response = browser.post("/terug", data=fields, environ_base={"REMOTE_ADDR": address})
    return answer


def _seen(answer: flask.Response, login: str) -> tuple[int, list[tuple[str, object]], str]:
    """All that a stranger sees of an answer, without the form token and the name they typed themselves."""
    text = re.sub(r'(csrf[-_]token"[^>]*(?:content|value)=")[^"]+', r"\1", answer.get_data(as_text=True))
    headers = {k: re.sub(r"samen_visit=[^;]+", "samen_visit=", v) for k, v in answer.headers}
    length = int(headers.pop("Content-Length")) - len(login.encode())
    return answer.status_code, [*sorted(headers.items()), ("Content-Length", length)], text.replace(login, "")


def _who(site: flask.Flask, token: str) -> int | None:
    with _database(site).read() as r:
        found = signins.who(r.db, ids.digest(token), r.now)
    return found.person_id if found else None


def _session_of(browser: FlaskClient) -> str:
    cookie = browser.get_cookie("samen_session")
    return cookie.value if cookie else ""


def _medians(site: flask.Flask, clock: FrozenClock, tries: int, *, least: int) -> tuple[float, float]:
    """How long the door takes for a known and for an unknown name, in turns; the order changes every time.

    A busy machine gets more tries, up to `tries` of each: chance evens out, a difference stays.
    """
    browser, took = site.test_client(), {NOOR: [], NOBODY: []}  # type: dict[str, list[float]]
    fields = {"csrf_token": _form_token(browser), "secret": "zes woorden die niet kloppen hoor"}
    for number in range(tries):
        for login in (NOOR, NOBODY) if number % 2 else (NOBODY, NOOR):
            clock.forward(hours=1)  # what was counted has faded
            begun = time.perf_counter()
            answer = browser.post("/terug", data=fields | {"login": login})
            took[login].append(time.perf_counter() - begun)
            assert answer.status_code == 401
        if number + 1 >= least and _alike(*map(statistics.median, took.values())):
            break
    return statistics.median(took[NOOR]), statistics.median(took[NOBODY])


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= 0.05 * max(one, other)


@pytest.mark.usefixtures("noor")
def test_a_known_and_an_unknown_name_are_answered_with_the_same_bytes_status_and_headers(site: flask.Flask) -> None:
    seen = [_seen(_try(site.test_client(), login, "zes woorden"), login) for login in (NOOR, NOBODY)]
    assert seen[0] == seen[1]
    assert seen[0][0] == 401
    assert WRONG in seen[0][2]


@pytest.mark.usefixtures("noor")
def test_a_known_and_an_unknown_name_are_slowed_down_alike(site: flask.Flask, clock: FrozenClock) -> None:
    seen = {}
    for address, login in (("192.0.2.1", NOOR), ("192.0.2.2", NOBODY)):
        browser = site.test_client()
        answers = [_try(browser, login, "zes woorden", address) for _ in range(7)]
        seen[login] = [_seen(answer, login) for answer in answers]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert SLOWED in answers[-1].get_data(as_text=True)
    assert seen[NOOR] == seen[NOBODY]


@pytest.mark.slow_hashing
@pytest.mark.usefixtures("noor")
def test_a_known_and_an_unknown_name_take_the_same_time(site: flask.Flask, clock: FrozenClock) -> None:
    known, unknown = _medians(site, clock, 600, least=100)
    print(f"known {known * 1000:.1f} ms, unknown {unknown * 1000:.1f} ms")
    assert _alike(known, unknown), (known, unknown)


@pytest.mark.slow_hashing
@pytest.mark.usefixtures("noor")
def test_a_door_that_hashes_nothing_for_unknown_names_would_be_noticed(
    site: flask.Flask, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = passwords.matches
    monkeypatch.setattr(entering.passwords, "matches", lambda stored, secret: bool(stored) and matches(stored, secret))
    assert not _alike(*_medians(site, clock, 20, least=20))


@pytest.mark.usefixtures("noor")
def test_a_door_that_words_its_refusal_by_the_name_would_be_noticed(
    site: flask.Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _seen(_try(site.test_client(), NOOR, "zes woorden"), NOOR)
    monkeypatch.setattr(entering, "_WRONG", entering._WRONG + " ")
    assert _seen(_try(site.test_client(), NOBODY, "zes woorden"), NOBODY) != known


def test_whoever_has_the_words_comes_in_and_ones_own_mistakes_are_forgotten(
    site: flask.Flask, noor: int, clock: FrozenClock
) -> None:
    browser = site.test_client()
    for _ in range(3):
        for _ in range(4):
            assert _try(browser, NOOR, "zes woorden").status_code == 401
        assert _try(browser, NOOR, WORDS).status_code == 303
        browser.delete_cookie("samen_session")
    assert _try(browser, NOOR.upper().replace("-", " "), WORDS.upper()).status_code == 303
    assert _who(site, _session_of(browser)) == noor


def test_a_stranger_who_guesses_cannot_lock_somebody_out(site: flask.Flask, noor: int, clock: FrozenClock) -> None:
    stranger = site.test_client()
    answers = [_try(stranger, NOOR, f"raad {n}", "198.51.100.7") for n in range(12)]
    assert [a.status_code for a in answers] == [401] * 5 + [429] * 7
    assert _try(stranger, NOOR, WORDS, "198.51.100.7").status_code == 429  # not even with the right words
    own = site.test_client()
    assert _try(own, NOOR, WORDS, "192.0.2.1").status_code == 303
    assert _who(site, _session_of(own)) == noor


@pytest.mark.usefixtures("noor")
def test_moving_within_ones_own_network_is_no_new_source(site: flask.Flask) -> None:
    statuses = [_try(site.test_client(), NOOR, "raad", f"2001:db8:1:2::{n:x}").status_code for n in range(1, 8)]
    assert statuses == [401] * 5 + [429] * 2
    assert _try(site.test_client(), NOOR, "raad", "2001:db8:1:3::1").status_code == 401


@pytest.mark.usefixtures("noor")
def test_a_refused_try_costs_no_hashing(site: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, hashed = site.test_client(), []
    monkeypatch.setattr(entering.passwords, "matches", lambda stored, secret: hashed.append(secret) or False)
    for _ in range(20):
        _try(browser, NOOR, "raad")
    assert len(hashed) == 5


@pytest.mark.usefixtures("noor")
def test_a_busy_door_counts_no_try_that_it_did_not_look_at(site: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [passwords._places.acquire(blocking=False) for _ in range(4)]
    assert all(busy)
    browser = site.test_client()
    try:
        for _ in range(8):
            answer = _try(browser, NOOR, WORDS)
            assert answer.status_code == 429
            assert SLOWED not in answer.get_data(as_text=True)
    finally:
        for _ in busy:
            passwords._places.release()
    assert _try(browser, NOOR, WORDS).status_code == 303


@pytest.mark.usefixtures("noor")
@pytest.mark.parametrize("length", [257, 100_000, 10_000_000])
def test_a_passphrase_that_no_person_types_is_refused_clearly_and_never_hashed(
    site: flask.Flask, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashed(*_: object) -> bool:
        raise AssertionError("this was hashed")

    monkeypatch.setattr(entering.passwords, "matches", hashed)
    seen = []
    for login in (NOOR, NOBODY):
        answer = _try(site.test_client(), login, "x" * length)
        assert answer.status_code == 413
        assert "Dit is te lang." in answer.get_data(as_text=True)
        seen.append(_seen(answer, login))
    assert seen[0] == seen[1]
    with _database(site).read() as r:
        assert r.db.scalar(select(func.count()).select_from(Attempt)) == 0


LOOK_ALIKES = {
    "a Cyrillic letter": "st\u0456lle-otter-41",
    "another Cyrillic letter": "stille-\u043etter-41",
    "a Greek letter": "stille-\u03bftter-41",
    "a zero-width space": "stille\u200b-otter-41",
    "a zero-width joiner": "stille-ot\u200dter-41",
    "a soft hyphen": "stil\u00adle-otter-41",
    "a mark to turn the writing around": "\u202estille-otter-41",
    "a dotless i": "st\u0131lle-otter-41",
    "a long s": "\u017ftille-otter-41",
    "a bold letter": "\U0001d42c" + "tille-otter-41",
    "an accent": "sti\u0301lle-otter-41",
    "Arabic digits": "stille-otter-\u0664\u0661",
    "a digit in a circle": "stille-otter-4\u2460",
    "one more character": "stille-otter-41" + "1" * 60,
}


@pytest.mark.usefixtures("noor")
@pytest.mark.parametrize("login", LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
def test_a_name_that_only_looks_the_same_is_a_name_that_nobody_has(site: flask.Flask, login: str) -> None:
    with _database(site).read() as r:
        assert accounts.credentials(r, login) is None
    like_it = _try(site.test_client(), login, WORDS)
    unknown = _try(site.test_client(), NOBODY, WORDS)
    assert _seen(like_it, login[:80]) == _seen(unknown, NOBODY)
    assert like_it.status_code == 401


@pytest.mark.usefixtures("noor")
@pytest.mark.parametrize(
    "login",
    [
        "ｓｔｉｌｌｅ－ｏｔｔｅｒ－４１",
        "Stille Otter 41",
        "stille–otter—41",
        " stille-otter-41\u00a0",
        "STILLE‑OTTER‑41",
    ],
)
def test_what_a_keyboard_makes_of_ones_own_name_is_forgiven(site: flask.Flask, login: str) -> None:
    assert _try(site.test_client(), login, WORDS).status_code == 303


@pytest.mark.parametrize("role", [Role.CLIENT, Role.FACILITATOR])
def test_a_name_that_only_looks_like_another_cannot_be_made(database: Database, role: Role) -> None:
    organisation = builders.organisation(database)
    for login in (*LOOK_ALIKES.values(), "", " ", "-", "\x00", "名前"):
        with pytest.raises(Invalid), database.work() as w:
            accounts.create_person(w, organisation, role, login, "!")
    with database.read() as r:
        assert r.db.scalars(select(Person.id)).all() == []


@pytest.mark.parametrize("like_it", ["hanna.mi11er", "hanna-miller", "HANNA.M1LLER", "hanna.rniller", "hanna.mil1er"])
def test_staff_cannot_choose_a_name_that_is_easily_read_for_anothers(database: Database, like_it: str) -> None:
    organisation = builders.organisation(database)
    with database.work() as w:
        accounts.create_person(w, organisation, Role.FACILITATOR, "hanna.miller", "!")
        accounts.create_person(w, organisation, Role.FACILITATOR, "hanna.mulder", "!")
    with pytest.raises(Invalid), database.work() as w:
        accounts.create_person(w, organisation, Role.MODERATOR, like_it, "!")


def test_every_name_we_draw_is_one_that_can_sign_in() -> None:
    for language in ("nl", "en"):
        for _ in range(200):
            login = names.code_name(language)
            assert accounts.fold_login(login) == login


def test_a_session_that_was_planted_beforehand_is_not_adopted(site: flask.Flask, noor: int) -> None:
    browser, planted = site.test_client(), "x" * 43
    browser.set_cookie("samen_session", planted)
    assert _try(browser, NOOR, WORDS).status_code == 303
    assert _session_of(browser) != planted
    assert _who(site, planted) is None
    assert _who(site, _session_of(browser)) == noor


def test_the_attackers_own_session_in_the_victims_browser_ends_at_sign_in(site: flask.Flask, noor: int) -> None:
    attacker, browser = site.test_client(), site.test_client()
    hashed = passwords.hash_secret(WORDS)
    with _database(site).work() as w:
        accounts.create_person(w, 1, Role.CLIENT, "wilde-merel-20", hashed)
    _try(attacker, "wilde-merel-20", WORDS)
    theirs = _session_of(attacker)
    browser.set_cookie("samen_session", theirs)
    assert _try(browser, NOOR, WORDS).status_code == 303
    assert _who(site, _session_of(browser)) == noor
    assert _who(site, theirs) is None


def test_every_sign_in_gives_another_session_and_nothing_of_the_visitor_goes_along(
    site: flask.Flask, noor: int
) -> None:
    browser, sessions = site.test_client(), set()
    for _ in range(3):
        with browser.session_transaction() as kept:
            kept["planted"] = "by somebody else"
        _try(browser, NOOR, WORDS)
        sessions.add(_session_of(browser))
        with browser.session_transaction() as kept:
            assert "planted" not in kept
    assert len(sessions) == 3
    assert [_who(site, token) for token in sessions].count(noor) == 1  # one browser, one session


def test_an_old_cookie_is_dead_after_signing_out(site: flask.Flask, noor: int) -> None:
    browser = site.test_client()
    _try(browser, NOOR, WORDS)
    token = _session_of(browser)
    assert browser.get("/meer").status_code == 200
    form = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/meer").get_data(as_text=True))
    assert form
    assert browser.post("/uit", data={"csrf_token": form[1]}).status_code == 303
    replayed = site.test_client()
    replayed.set_cookie("samen_session", token)
    assert replayed.get("/meer").status_code == 303
    assert _who(site, token) is None


@pytest.mark.usefixtures("noor")
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
def test_a_form_on_another_site_signs_nobody_in(site: flask.Flask, origin: str) -> None:
    other = site.test_client()
    headers = {"Origin": origin} if origin else {}
    for token in ({}, {"csrf_token": ""}, {"csrf_token": _form_token(other)}):  # the last is of another visitor
        browser = site.test_client()
        _form_token(browser)
        answer = browser.post("/terug", data={"login": NOOR, "secret": WORDS} | token, headers=headers)
        assert answer.status_code == 403
        assert _session_of(browser) == ""
    with _database(site).read() as r:
        assert r.db.scalar(select(func.count()).select_from(SignIn)) == 0


@pytest.mark.usefixtures("noor")
def test_a_live_connection_from_another_site_is_refused(site: flask.Flask) -> None:
    browser = site.test_client()
    _try(browser, NOOR, WORDS)
    connect: Callable[..., flask.Response] = browser.get
    for origin in ("https://elsewhere.example", "null", "http://localhost:5000.elsewhere.example"):
        answer = connect("/socket.io/?EIO=4&transport=websocket", headers={"Origin": origin})
        assert answer.status_code == 403
