"""The installation's secret: readable by its owner alone, one key per purpose."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import keys
from app.core.errors import Invalid
from app.core.keys import Keys
from app.core.settings import Settings, SettingsError

KEYS = Keys(b"k" * 32)
SEALED = KEYS.seal("join", b"half a join")


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder)


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = keys.ensure(_settings(tmp_path / "data"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_bytes()
    assert len(first) == 32
    assert keys.ensure(_settings(tmp_path / "data")) == path
    assert path.read_bytes() == first


def test_the_key_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = keys.ensure(_settings(tmp_path))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    keys.ensure(_settings(tmp_path)).chmod(mode)
    with pytest.raises(SettingsError, match="0600"):
        keys.load(_settings(tmp_path))


def test_a_missing_or_broken_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="setup-keys"):
        keys.load(_settings(tmp_path))
    path = keys.ensure(_settings(tmp_path))
    path.write_bytes(b"short")
    with pytest.raises(SettingsError, match="too short"):
        keys.load(_settings(tmp_path))


def test_no_key_serves_two_purposes() -> None:
    assert KEYS.derive("audit") == Keys(b"k" * 32).derive("audit")
    assert len({KEYS.derive("audit"), KEYS.derive("visitor cookie"), Keys(b"l" * 32).derive("audit")}) == 3


@given(st.binary(max_size=200))
def test_what_was_sealed_can_be_opened_for_the_same_purpose_only(plain: bytes) -> None:
    sealed = KEYS.seal("join", plain)
    assert KEYS.unseal("join", sealed, max_age=60) == plain
    for stranger, purpose in ((KEYS, "other"), (Keys(b"l" * 32), "join")):
        with pytest.raises(Invalid):
            stranger.unseal(purpose, sealed, max_age=60)


def test_what_was_sealed_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: 4_000_000_000)
    with pytest.raises(Invalid):
        KEYS.unseal("join", SEALED, max_age=60)


@given(st.data())
def test_a_seal_that_was_tampered_with_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SEALED) - 4))
    other = data.draw(st.sampled_from("ABCabc012-_é\ud800"))
    tampered = SEALED[:at] + other + SEALED[at + 1 :]
    if tampered != SEALED:
        with pytest.raises(Invalid):
            KEYS.unseal("join", tampered, max_age=60)


@given(st.text(max_size=80))
def test_what_was_never_sealed_is_refused(made_up: str) -> None:
    with pytest.raises(Invalid):
        KEYS.unseal("join", made_up, max_age=60)
