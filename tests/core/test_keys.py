"""The installation's secret: readable by its owner alone, one key per purpose."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import keys
from app.core.errors import Invalid
from app.core.keys import Keys
from app.core.settings import Settings, SettingsError
from tests import builders

KEYS = Keys(b"k" * 32)
SEALED = KEYS.seal("join", b"half a join")


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder)


FILES = (keys.FILE_NAME, keys.MASTERS_NAME)


def test_the_key_files_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "data")
    keys.ensure(settings)
    first = [(settings.data_dir / name).read_bytes() for name in FILES]
    assert len(first[0]) == 32
    assert [len(key) for key in keys.masters(settings).values()] == [32]
    keys.ensure(settings)
    assert [(settings.data_dir / name).read_bytes() for name in FILES] == first


def test_the_key_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.ensure(_settings(tmp_path))
        keys.add_master(_settings(tmp_path))
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in FILES] == [0o600, 0o600]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
@pytest.mark.parametrize(("name", "read"), list(zip(FILES, (keys.load, keys.masters), strict=True)))
def test_a_key_file_that_others_can_reach_is_refused(
    tmp_path: Path, mode: int, name: str, read: Callable[[Settings], object]
) -> None:
    (keys.ensure(_settings(tmp_path)) / name).chmod(mode)
    with pytest.raises(SettingsError, match="0600"):
        read(_settings(tmp_path))


@pytest.mark.parametrize("content", [b"short", b"k" * 32, bytes(32), b"ab" * 16])
def test_a_missing_short_or_made_up_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsError, match="setup-keys"):
        keys.load(_settings(tmp_path))
    (keys.ensure(_settings(tmp_path)) / keys.FILE_NAME).write_bytes(content)
    with pytest.raises(SettingsError, match=r"too short|not a random one"):
        keys.load(_settings(tmp_path))


@pytest.mark.parametrize("content", ["", "\n", "one two\n", f"id {'A' * 43}=\n", "0badc0de\n", "\ud7ff"])
def test_a_missing_or_damaged_list_of_master_keys_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(SettingsError, match="setup-keys"):
        keys.masters(_settings(tmp_path))
    (keys.ensure(_settings(tmp_path)) / keys.MASTERS_NAME).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"master key file|damaged|empty"):
        keys.masters(_settings(tmp_path))


def test_a_new_master_key_stands_first_and_the_old_ones_stay_until_they_wrap_nothing(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    keys.ensure(settings)
    [first] = keys.masters(settings)
    for _ in range(2):
        keys.add_master(settings)
    third, second, *_ = keys.masters(settings)
    assert list(keys.masters(settings)) == [third, second, first]
    assert keys.drop_masters(settings, {first}) == 0
    assert keys.drop_masters(settings, set()) == 1
    assert list(keys.masters(settings)) == [third, second]  # a running server may still wrap by the second
    assert keys.drop_masters(settings, set()) == 0
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(FILES)  # nothing left lying about


def test_two_who_rotate_at_the_same_moment_lose_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is in use and not in the file takes everything with it that it wraps."""
    settings = _settings(tmp_path)
    keys.ensure(settings)
    gap = builders.Gap()
    monkeypatch.setattr(keys, "_new_master", gap.after(keys._new_master))
    monkeypatch.setattr(keys, "masters", gap.after(keys.masters))
    answers = builders.at_once(*[lambda: keys.add_master(settings)] * 2)
    assert builders.refusals(answers) == []
    monkeypatch.undo()
    assert len(keys.masters(settings)) == 3


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
