"""Settings: read once, typed, and refused in one clear sentence."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from app.core import settings
from app.core.settings import Settings, SettingsError


def test_an_empty_environment_is_a_working_local_set_up() -> None:
    found = settings.load({})
    assert (found.environment, found.host, found.port, found.async_mode) == (
        "local",
        "127.0.0.1",
        5000,
        "eventlet",
    )
    assert found.data_dir.is_absolute()
    assert found.database_url == f"sqlite:///{found.data_dir / 'samen.db'}"


def test_what_the_environment_says_counts(tmp_path: Path) -> None:
    found = settings.load(
        {
            "SAMEN_DATA_DIR": str(tmp_path),
            "SAMEN_ENVIRONMENT": "production",
            "SAMEN_ORIGIN": "https://samen.example/",
            "PORT": "8080",
            "SAMEN_OUTREACH_MINUTES_BUDDY": "1",
        }
    )
    assert found.production
    assert found.origins == ("https://samen.example",)
    assert (found.port, found.outreach_minutes_buddy) == (8080, 1)


def test_only_this_machine_may_connect_when_no_origin_is_named() -> None:
    assert settings.load({"PORT": "81"}).origins == ("http://127.0.0.1:81", "http://localhost:81")


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises((FrozenInstanceError, AttributeError)):
        settings.load({}).port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAMEN_ENVIRONMENT", "test"),
        ("SAMEN_ASYNC_MODE", "asyncio"),
        ("SAMEN_SWEEPS", "never"),
        ("SAMEN_LOG_LEVEL", "debug"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("PORT", "²"),
        ("PORT", "9" * 5000),
        ("SAMEN_SESSION_DAYS", "91"),
        ("SAMEN_OUTREACH_MINUTES_BUDDY", "1441"),
        ("SAMEN_OUTREACH_MINUTES_FACILITATOR", "soon"),
        ("SAMEN_ORIGIN", "*"),
        ("SAMEN_ORIGIN", "samen.example"),
        ("SAMEN_ORIGIN", "https://"),
        ("SAMEN_ORIGIN", "https://samen.example/groepen"),
        ("SAMEN_ORIGIN", "https://*.example"),
        ("SAMEN_ORIGIN", "[]"),
        ("SAMEN_ORIGIN", "null"),
        ("SAMEN_ORIGIN", "https://samen.example, *"),
        ("SAMEN_STAFF_HOURS", "25"),
        ("SAMEN_OIDC_SECOND_FACTOR", "none"),
    ],
    ids=lambda value: value[:30],
)
def test_a_setting_that_cannot_be_is_refused_in_one_sentence_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        settings.load({name: value})
    sentence = str(refusal.value)
    assert name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("origin", ["", "http://samen.example", "*", "[]"])
def test_production_needs_an_https_origin(origin: str) -> None:
    with pytest.raises(SettingsError, match="SAMEN_ORIGIN"):
        settings.load({"SAMEN_ENVIRONMENT": "production", "SAMEN_ORIGIN": origin})


@pytest.mark.parametrize("origin", ["", "http://samen.example", "*", "[]"])
def test_what_was_not_read_from_the_environment_is_refused_all_the_same(origin: str) -> None:
    with pytest.raises(SettingsError, match="SAMEN_ORIGIN"):
        settings.check(Settings(environment="production", origin=origin))


INSTITUTION = {
    "SAMEN_OIDC_ISSUER": "https://login.linde.example/realms/staff",
    "SAMEN_OIDC_CLIENT_ID": "samen",
    "SAMEN_OIDC_SECRET_FILE": "/etc/samen/institution.secret",
    "SAMEN_OIDC_NAME": "De Linde",
}


def test_an_institutions_sign_in_is_set_up_whole() -> None:
    found = settings.load(INSTITUTION)
    assert (found.oidc_issuer, found.oidc_name) == ("https://login.linde.example/realms/staff", "De Linde")
    assert found.oidc_secret_file == Path("/etc/samen/institution.secret")
    assert found.oidc_second_factor == "own"
    assert settings.load({}).oidc_secret_file is None
    for name in INSTITUTION:
        with pytest.raises(SettingsError, match=name):
            settings.load(INSTITUTION | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAMEN_OIDC_ISSUER", "http://login.linde.example"),
        ("SAMEN_OIDC_ISSUER", "https://login.linde.example/?realm=staff"),
        ("SAMEN_OIDC_ISSUER", "https://name:word@login.linde.example"),
        ("SAMEN_OIDC_ISSUER", "http://localhost.linde.example"),
        ("SAMEN_OIDC_ISSUER", "login.linde.example"),
        ("SAMEN_OIDC_NAME", "De Linde" * 10),
        ("SAMEN_OIDC_NAME", "De\u202eLinde"),
    ],
)
def test_an_institutions_sign_in_that_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as refusal:
        settings.load(INSTITUTION | {name: value})
    assert "\n" not in str(refusal.value)


def test_an_institution_on_this_machine_is_for_trying_out_only() -> None:
    local = INSTITUTION | {"SAMEN_OIDC_ISSUER": "http://127.0.0.1:8080"}
    assert settings.load(local).oidc_issuer == "http://127.0.0.1:8080"
    with pytest.raises(SettingsError, match="SAMEN_OIDC_ISSUER"):
        settings.load(local | {"SAMEN_ENVIRONMENT": "production", "SAMEN_ORIGIN": "https://samen.example"})
