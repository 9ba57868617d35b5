"""Settings: read once, typed, and refused in one clear sentence."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from app.core import settings
from app.core.settings import SettingsError


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


@pytest.mark.parametrize("origin", ["", "http://samen.example"])
def test_production_needs_an_https_origin(origin: str) -> None:
    with pytest.raises(SettingsError, match="SAMEN_ORIGIN"):
        settings.load({"SAMEN_ENVIRONMENT": "production", "SAMEN_ORIGIN": origin})
