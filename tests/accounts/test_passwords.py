"""Passphrases: forgiving to retype, slow to guess, never a hint whether somebody exists."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import passwords
from app.core import native
from app.core.errors import RateLimited


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that costs little; the real cost is pinned below."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(passwords, "_dummy", "")


@pytest.mark.slow_hashing
def test_the_cost_is_what_argon2_advises() -> None:
    hasher = PasswordHasher()
    assert (hasher.memory_cost, hasher.time_cost) == (65_536, 3)
    assert passwords._hasher.memory_cost >= 65_536
    assert passwords.hash_secret("zes woorden").startswith("$argon2id$")


@pytest.mark.usefixtures("quick")
def test_a_passphrase_fits_however_it_is_retyped() -> None:
    stored = passwords.hash_secret("stille otter loopt langs het water")
    assert passwords.matches(stored, "  Stille-otter LOOPT\tlangs  het water\n")
    assert not passwords.matches(stored, "stille otter loopt langs de water")
    assert not passwords.matches(stored, "")
    assert stored != passwords.hash_secret("stille otter loopt langs het water")


@pytest.mark.usefixtures("quick")
def test_an_unknown_name_is_checked_just_as_slowly_and_never_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verify = passwords._hasher.verify

    class Watched:
        hash = staticmethod(passwords._hasher.hash)

        @staticmethod
        def verify(stored: str, secret: str) -> bool:
            verified.append(stored)
            return verify(stored, secret)

    monkeypatch.setattr(passwords, "_hasher", Watched)
    for secret in ("x", "nobody has this passphrase", ""):
        assert not passwords.matches(None, secret)
    assert len(verified) == 3
    assert all(stored.startswith("$argon2id$") for stored in verified)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("stored", ["", "!", "$argon2id$broken"])
def test_a_person_without_a_usable_hash_cannot_sign_in(stored: str) -> None:
    assert not passwords.matches(None, "x")  # the hash that stands in for nobody has been made
    for secret in ("", "!", "nobody has this passphrase"):
        assert not passwords.matches(stored, secret)


@pytest.mark.usefixtures("quick")
def test_what_is_too_long_never_fits_whatever_is_stored() -> None:
    long = "x" * (passwords.LIMIT + 1)
    for secret in ("", "x" * passwords.LIMIT, long):
        assert not passwords.matches(passwords.hash_secret(secret), long)


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing_more(secret: str) -> None:
    folded = passwords.fold(secret)
    assert passwords.fold(folded) == folded
    assert "-" not in folded
    assert "  " not in folded
    assert folded == folded.strip()


@given(st.lists(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1), min_size=1), st.data())
def test_case_spaces_and_hyphens_do_not_matter(words: list[str], data: st.DataObject) -> None:
    gaps = st.sampled_from([" ", "-", "  ", " - ", "\t"])
    typed = words[0].upper() + "".join(data.draw(gaps) + word.title() for word in words[1:])
    assert passwords.fold(typed) == " ".join(words)


def test_four_at_a_time_and_the_fifth_is_asked_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, open_door = threading.Semaphore(0), threading.Event()

    class Slow:
        @staticmethod
        def hash(_secret: str) -> str:
            inside.release()
            assert open_door.wait(10)
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", Slow)
    with ThreadPoolExecutor(4) as threads:
        four = [threads.submit(passwords.hash_secret, "x") for _ in range(4)]
        assert all(inside.acquire(timeout=10) for _ in four)
        for call in (lambda: passwords.hash_secret("x"), lambda: passwords.matches(None, "x")):
            with pytest.raises(RateLimited) as refusal:
                call()
            assert refusal.value.retry_after == 2
        open_door.set()
        assert [one.result() for one in four] == ["hash"] * 4
    assert passwords.hash_secret("x") == "hash"  # the places are free again


def test_hashing_runs_outside_the_loop_and_gives_its_place_back_when_it_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_args: object, **_kwargs: object) -> object:
        raise MemoryError

    monkeypatch.setattr(native, "_runner", fail)
    for _ in range(6):
        with pytest.raises(MemoryError):
            passwords.hash_secret("x")
