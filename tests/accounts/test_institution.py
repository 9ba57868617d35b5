"""Staff who sign in with their account at an institution, against a provider on this machine."""

from __future__ import annotations

import re
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from structlog.testing import capture_logs

from app.accounts import accounts, signins
from app.accounts import institution as coupling
from app.accounts import provider as providers
from app.accounts.models import Person
from app.core import keys
from app.core.audit import AuditLine
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.permissions import Role
from app.core.settings import Settings, SettingsError
from app.core.work import Database
from app.main import create_app
from tests import builders
from tests.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, Institution, institution

FAILED = "Inloggen via je instelling lukte niet."
UNKNOWN = "We kennen dit account nog niet."


@pytest.fixture(scope="module")
def running() -> Iterator[Institution]:
    with institution() as made:
        yield made


@pytest.fixture
def there(running: Institution) -> Institution:
    """The institution, behaving well."""
    running.misbehave, running.claims, running.algorithm, running.subject = "", {}, "RS256", "sub-of-hanna"
    running.stalled.clear()
    return running


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path, there: Institution) -> Settings:
    shutil.copyfile(migrated_sqlite, tmp_path / "samen.db")
    secret = tmp_path / "institution.secret"
    secret.write_text(CLIENT_SECRET + "\n")
    secret.chmod(0o600)
    made = Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'samen.db'}",
        async_mode="threading",
        oidc_issuer=there.url,
        oidc_client_id=CLIENT_ID,
        oidc_secret_file=secret,
        oidc_name="De Linde",
    )
    keys.ensure(made)
    return made


@pytest.fixture
def open_site(settings: Settings) -> Iterator[Callable[..., flask.Flask]]:
    """Opens the site, with other settings if asked."""
    opened: list[flask.Flask] = []

    def open_it(**other: object) -> flask.Flask:
        opened.append(create_app(replace(settings, **other)))  # type: ignore[arg-type]
        return opened[-1]

    yield open_it
    for site in opened:
        site.extensions["samen"].database.engine.dispose()


@pytest.fixture
def coupled(open_site: Callable[..., flask.Flask]) -> flask.Flask:
    """The site, where Hanna has coupled her account."""
    site = open_site()
    _couple(site, _hanna(site))
    return site


def _database(site: flask.Flask) -> Database:
    found: Database = site.extensions["samen"].database
    return found


def _person(site: flask.Flask, role: Role, login: str) -> int:
    with _database(site).work() as w:
        organisation = accounts.create_organisation(w, "De Linde")
        return accounts.create_person(w, organisation, role, login, "!", name="Hanna")


def _hanna(site: flask.Flask) -> int:
    return _person(site, Role.FACILITATOR, "hanna")


def _couple(site: flask.Flask, person_id: int, subject: str = "sub-of-hanna") -> None:
    house = site.extensions["samen"]
    mark = coupling.mark_of(house.keys, house.settings.oidc_issuer, subject)
    with house.database.work() as w:
        w.db.get_one(Person, person_id).institution_hash = mark


def _signed_in(site: flask.Flask, person_id: int, *, confirmed: bool = True) -> FlaskClient:
    browser = site.test_client()
    with _database(site).work() as w:
        browser.set_cookie("samen_session", signins.start(w, person_id, timedelta(hours=1), confirmed=confirmed))
    return browser


def _go(browser: FlaskClient, there: Institution) -> str:
    """Leave for the institution, sign in there: the address one is sent back to, as a path of ours."""
    away = browser.get("/terug/instelling")
    assert away.status_code == 303, away.get_data(as_text=True)
    return _path(there.sign_in(away.headers["Location"]))


def _path(address: str) -> str:
    assert address.startswith("http://localhost/terug/instelling/klaar?") or address.startswith(
        "http://127.0.0.1:5000/terug/instelling/klaar?"
    )
    parts = urllib.parse.urlsplit(address)
    return f"{parts.path}?{parts.query}"


def _token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def _posted(browser: FlaskClient, path: str, page: str = "/instelling") -> object:
    return browser.post(path, data={"csrf_token": _token_of(browser.get(page).get_data(as_text=True))})


def _is_refused(answer: object, sentence: str = FAILED, status: int = 401) -> bool:
    return answer.status_code == status and sentence in answer.get_data(as_text=True)  # type: ignore[attr-defined]


def _who(site: flask.Flask, browser: FlaskClient) -> int | None:
    """Who is this browser signed in as?"""
    from app.core import ids

    cookie = browser.get_cookie("samen_session")
    with _database(site).read() as r:
        found = signins.who(r.db, ids.digest(cookie.value), r.now) if cookie else None
    return found.person_id if found else None


def test_staff_who_coupled_their_account_sign_in_with_it_and_still_take_the_second_step(
    coupled: flask.Flask, there: Institution
) -> None:
    browser = coupled.test_client()
    assert "Begeleider? Log in met De Linde" in browser.get("/terug").get_data(as_text=True)
    answer = browser.get(_go(browser, there))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/terug/instellen"  # Hanna has no second factor yet: she sets one up first
    assert _who(coupled, browser) is None


def test_where_the_institution_vouches_for_the_second_factor_its_word_is_enough(
    open_site: Callable[..., flask.Flask], there: Institution
) -> None:
    site = open_site(oidc_second_factor="institution")
    hanna = _hanna(site)
    _couple(site, hanna)
    browser = site.test_client()
    answer = browser.get(_go(browser, there))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/vandaag")
    assert _who(site, browser) == hanna
    assert browser.get("/instelling").headers["Location"] == "/bevestigen"  # weighty actions ask for one's own proof


def test_what_is_asked_of_the_institution_is_only_who_somebody_is(coupled: flask.Flask, there: Institution) -> None:
    browser = coupled.test_client()
    _go(browser, there)
    _go(browser, there)
    first, second = there.asked[-2:]
    assert first["scope"] == "openid"
    for once_only in ("state", "nonce", "code_challenge"):
        assert len(first[once_only]) >= 43
        assert first[once_only] != second[once_only]


def test_an_account_that_nobody_coupled_is_refused_and_leads_to_no_account(
    coupled: flask.Flask, there: Institution
) -> None:
    there.subject = "somebody-else"
    browser = coupled.test_client()
    assert _is_refused(browser.get(_go(browser, there)), UNKNOWN, 403)
    with _database(coupled).read() as r:
        assert len(r.db.scalars(select(Person.id)).all()) == 1


def test_a_suspended_colleague_and_a_client_are_refused_like_somebody_unknown(
    coupled: flask.Flask, there: Institution
) -> None:
    noor = _person(coupled, Role.CLIENT, "stille-otter-41")
    _couple(coupled, noor, "sub-of-noor")  # no page can do this
    with _database(coupled).work() as w:
        accounts.suspend(w, w.db.scalars(select(Person.id).where(Person.login == "hanna")).one())
    for subject in ("sub-of-hanna", "sub-of-noor"):
        there.subject = subject
        browser = coupled.test_client()
        assert _is_refused(browser.get(_go(browser, there)), UNKNOWN, 403)
        assert _who(coupled, browser) is None


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        ("decline", "declined"),
        ("other issuer", "issuer"),
        ("wrong key", "signature"),
        ("unsigned", "signature"),
        ("signed with the public key", "signature"),
        ("nonsense", "exchange"),
        ("no token", "no_token"),
    ],
)
def test_an_answer_that_proves_nothing_is_refused_in_one_way(
    coupled: flask.Flask, there: Institution, misbehaviour: str, reason: str
) -> None:
    browser = coupled.test_client()
    assert browser.get(_go(browser, there)).status_code == 303  # the same way does work
    there.misbehave = misbehaviour
    browser = coupled.test_client()
    with capture_logs() as logged:
        assert _is_refused(browser.get(_go(browser, there)))
    assert logged == [{"event": "institution_refused", "log_level": "warning", "reason": reason}]
    assert _who(coupled, browser) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-client"},
        {"aud": "another-client", "azp": CLIENT_ID},
        {"aud": ["another-client", CLIENT_ID]},
        {"aud": [CLIENT_ID], "azp": "another-client"},
        {"aud": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000, "exp": 4_000_000_300},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_that_says_the_wrong_thing_is_refused(
    coupled: flask.Flask, there: Institution, claims: dict[str, object]
) -> None:
    there.claims = claims
    browser = coupled.test_client()
    with capture_logs() as logged:
        assert _is_refused(browser.get(_go(browser, there)))
    assert [line["reason"] for line in logged] == ["claims"]


@pytest.mark.parametrize("misbehaviour", ["down", "slow", "wrong name", "odd address"])
def test_an_institution_that_is_not_there_is_refused_kindly_and_soon(
    open_site: Callable[..., flask.Flask], there: Institution, misbehaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "PATIENCE", (0.2, 0.2))
    there.misbehave = misbehaviour
    browser = open_site().test_client()
    assert _is_refused(browser.get("/terug/instelling"))
    there.misbehave = ""
    there.stalled.set()
    assert browser.get("/terug/instelling").status_code == 303  # it is asked again, not remembered as gone


@pytest.mark.parametrize("misbehaviour", ["down", "slow"])
def test_an_institution_that_goes_away_halfway_is_refused_kindly(
    coupled: flask.Flask, there: Institution, misbehaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = coupled.test_client()
    back = _go(browser, there)
    monkeypatch.setattr(providers, "PATIENCE", (0.2, 0.2))
    there.misbehave = misbehaviour
    assert _is_refused(browser.get(back))


def test_its_addresses_and_keys_are_asked_for_once_and_a_new_key_is_learnt(
    coupled: flask.Flask, there: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    del there.served[:]
    for _ in range(3):
        browser = coupled.test_client()
        assert browser.get(_go(browser, there)).status_code == 303
    assert (there.served.count("/.well-known/openid-configuration"), there.served.count("/keys")) == (1, 1)
    there.turn_key("two")
    browser = coupled.test_client()
    assert _is_refused(browser.get(_go(browser, there)))  # not more than once a minute
    monkeypatch.setattr(providers, "ASKED_AGAIN", 0.0)
    browser = coupled.test_client()
    assert browser.get(_go(browser, there)).status_code == 303


def test_coming_back_counts_once_even_with_a_copy_of_the_cookie(coupled: flask.Flask, there: Institution) -> None:
    browser = coupled.test_client()
    back = _go(browser, there)
    copied = browser.get_cookie("samen_visit")
    assert copied
    assert browser.get(back).status_code == 303
    assert _is_refused(browser.get(back))
    thief = coupled.test_client()
    thief.set_cookie("samen_visit", copied.value)
    asked = len(there.served)
    assert _is_refused(thief.get(back))
    assert len(there.served) == asked  # refused here, before the institution is asked


def test_coming_back_belongs_to_the_browser_that_left(coupled: flask.Flask, there: Institution) -> None:
    attacker, victim = coupled.test_client(), coupled.test_client()
    back = _go(attacker, there)
    assert _is_refused(victim.get(back))  # never left
    _go(victim, there)
    asked = len(there.served)
    assert _is_refused(victim.get(back))  # left with another state
    assert len(there.served) == asked  # refused here, before the code is handed over
    state = urllib.parse.parse_qs(back.partition("?")[2])["state"][0]
    for query in ("", "?code=x", f"?state={state}", f"?state={state}&code=" + "x" * 5000, "?state=%C3%A9&code=x"):
        _go(victim, there)
        assert _is_refused(victim.get("/terug/instelling/klaar" + query))


def test_staff_couple_and_uncouple_their_account_after_proving_again_who_they_are(
    open_site: Callable[..., flask.Flask], there: Institution
) -> None:
    site = open_site()
    hanna = _hanna(site)
    assert _signed_in(site, hanna, confirmed=False).get("/instelling").headers["Location"] == "/bevestigen"
    browser = _signed_in(site, hanna)
    assert "/instelling" in browser.get("/meer").get_data(as_text=True)
    page = _posted(browser, "/instelling").get_data(as_text=True)  # type: ignore[attr-defined]
    found = re.search(rf'href="({there.url}/authorize[^"]+)"', page)
    assert found
    answer = browser.get(_path(there.sign_in(found[1].replace("&amp;", "&"))))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/instelling")
    assert "is gekoppeld" in browser.get("/instelling").get_data(as_text=True)
    visitor = site.test_client()
    assert visitor.get(_go(visitor, there)).status_code == 303
    assert _posted(browser, "/instelling/los").status_code == 303  # type: ignore[attr-defined]
    visitor = site.test_client()
    assert _is_refused(visitor.get(_go(visitor, there)), UNKNOWN, 403)
    with _database(site).read() as r:
        assert {"institution.coupled", "institution.uncoupled"} <= set(r.db.scalars(select(AuditLine.action)))


def test_coupling_belongs_to_the_session_it_began_in(open_site: Callable[..., flask.Flask], there: Institution) -> None:
    site = open_site()
    hanna, ilse = _hanna(site), _person(site, Role.FACILITATOR, "ilse")
    browser = _signed_in(site, hanna)
    page = _posted(browser, "/instelling").get_data(as_text=True)  # type: ignore[attr-defined]
    found = re.search(rf'href="({there.url}/authorize[^"]+)"', page)
    assert found
    back = _path(there.sign_in(found[1].replace("&amp;", "&")))
    with _database(site).work() as w:
        token = signins.start(w, ilse, timedelta(hours=1), confirmed=True)
    browser.set_cookie("samen_session", token)
    assert _is_refused(browser.get(back))
    with _database(site).read() as r:
        assert set(r.db.scalars(select(Person.institution_hash))) == {None}


def test_beginning_to_couple_needs_a_form_of_ours(open_site: Callable[..., flask.Flask]) -> None:
    site = open_site()
    browser = _signed_in(site, _hanna(site))
    for path in ("/instelling", "/instelling/los"):
        assert browser.post(path).status_code == 403


def test_clients_find_nothing_here(open_site: Callable[..., flask.Flask]) -> None:
    site = open_site()
    browser = _signed_in(site, _person(site, Role.CLIENT, "stille-otter-41"))
    assert browser.get("/instelling").status_code == 404
    token = _token_of(browser.get("/meer").get_data(as_text=True))
    for path in ("/instelling", "/instelling/los"):
        assert browser.post(path, data={"csrf_token": token}).status_code == 404
    assert "/instelling" not in browser.get("/meer").get_data(as_text=True).replace("/instellingen", "")


def test_where_it_is_not_set_up_there_is_nothing(site: flask.Flask) -> None:
    browser = site.test_client()
    assert "instelling" not in browser.get("/terug").get_data(as_text=True)
    for path in ("/terug/instelling", "/terug/instelling/klaar"):
        assert browser.get(path).status_code == 404


def test_an_account_is_coupled_to_one_person(database: Database) -> None:
    organisation = builders.organisation(database)
    hanna, ilse, noor = (
        builders.someone(database, organisation, role)[0] for role in (Role.FACILITATOR, Role.MODERATOR, Role.CLIENT)
    )
    with database.work(hanna) as w:
        coupling.couple(w, "a" * 64)
    with pytest.raises(Invalid), database.work(ilse) as w:
        coupling.couple(w, "a" * 64)
    with database.work(hanna) as w:
        coupling.couple(w, "b" * 64)
        assert coupling.recognise(w, "b" * 64) == (hanna.person_id, Role.FACILITATOR)
    for use in (lambda w: coupling.couple(w, "c" * 64), coupling.uncouple, coupling.is_coupled):
        with pytest.raises(NotFound), database.work(noor) as w:
            use(w)
    with database.work(hanna) as w:
        coupling.uncouple(w)
        assert not coupling.is_coupled(w)
        with pytest.raises(Forbidden):
            coupling.recognise(w, "b" * 64)


def test_what_is_kept_of_somebody_cannot_be_matched_with_the_institutions_own_list() -> None:
    ours, theirs = keys.Keys(bytes(range(32))), keys.Keys(bytes(range(1, 33)))
    mark = coupling.mark_of(ours, "https://a.example", "sub")
    assert re.fullmatch(r"[0-9a-f]{64}", mark)
    assert len({mark, coupling.mark_of(theirs, "https://a.example", "sub")}) == 2
    assert len({mark, coupling.mark_of(ours, "https://b.example", "sub")}) == 2


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        (None, 0, "must name a file"),
        (CLIENT_SECRET, 0o644, "0600"),
        (CLIENT_SECRET, 0o640, "0600"),
        ("", 0o600, "holds no secret"),
        ("a" * 40, 0o600, "holds no secret"),
    ],
)
def test_a_client_secret_that_is_not_one_is_refused_at_the_start(
    settings: Settings, content: str | None, mode: int, sentence: str
) -> None:
    assert settings.oidc_secret_file
    settings.oidc_secret_file.unlink()
    if content is not None:
        settings.oidc_secret_file.write_text(content)
        settings.oidc_secret_file.chmod(mode)
    with pytest.raises(SettingsError, match=sentence):
        create_app(settings)
