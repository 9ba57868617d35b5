"""The second factor of staff: codes that count once, paper codes, and what nobody gets by with."""

from __future__ import annotations

import re

import pyotp
import pytest
from sqlalchemy import select, update

from app.accounts import accounts, second_factor
from app.accounts.models import Authenticator, BackupCode
from app.core import audit
from app.core.audit import AuditLine
from app.core.crypto import CannotOpen
from app.core.errors import AppError, Closed, Invalid, RateLimited
from app.core.permissions import Role
from app.core.ratelimit import Limiter
from app.core.work import Database
from tests import builders
from tests.conftest import SEAL_KEY, FrozenClock


def code_at(secret: str, clock: FrozenClock, steps: int = 0) -> str:
    """What the app shows now, or so many steps away."""
    return pyotp.TOTP(secret).generate_otp(int(clock().timestamp()) // 30 + steps)


def enrolled(database: Database, clock: FrozenClock) -> tuple[int, str, list[str]]:
    """A facilitator with an authenticator: their id, its secret, their backup codes."""
    actor, _ = builders.someone(database, builders.organisation(database), Role.FACILITATOR)
    secret = second_factor.new_secret()
    with database.work() as w:
        codes = second_factor.enrol(w, actor.person_id, secret, code_at(secret, clock))
    clock.forward(seconds=30)
    return actor.person_id, secret, codes


def prove(database: Database, person: int, typed: str) -> bool:
    """Does this count as a proof?"""
    try:
        with database.work() as w:
            second_factor.prove(w, person, typed)
    except Invalid:
        return False
    return True


def test_a_code_counts_once(database: Database, clock: FrozenClock) -> None:
    person, secret, _ = enrolled(database, clock)
    code = code_at(secret, clock)
    assert prove(database, person, code)
    assert not prove(database, person, code)
    clock.forward(seconds=30)
    assert not prove(database, person, code)  # still on the screen of whoever looked along
    assert prove(database, person, code_at(secret, clock))


def test_a_code_counts_one_step_early_or_late_and_no_further(database: Database, clock: FrozenClock) -> None:
    person, secret, _ = enrolled(database, clock)
    clock.forward(minutes=5)
    for steps in (-3, -2, 2, 3):
        assert not prove(database, person, code_at(secret, clock, steps))
    for steps in (-1, 0, 1):
        assert prove(database, person, code_at(secret, clock, steps))


def test_once_a_later_code_was_used_an_earlier_one_is_worth_nothing(database: Database, clock: FrozenClock) -> None:
    person, secret, _ = enrolled(database, clock)
    clock.forward(minutes=5)
    assert prove(database, person, code_at(secret, clock, 1))
    assert not prove(database, person, code_at(secret, clock, 0))


def test_a_code_is_read_as_people_type_it(database: Database, clock: FrozenClock) -> None:
    person, secret, _ = enrolled(database, clock)
    code = code_at(secret, clock)
    assert not prove(database, person, "")
    assert not prove(database, person, code[:5])
    assert not prove(database, person, code + "\x00")
    assert not prove(database, person, code.translate({ord("0") + n: 0x0660 + n for n in range(10)}))
    assert not prove(database, person, "9" * 1_000_000)
    assert prove(database, person, f" {code[:3]} {code[3:]} ")


def test_of_two_uses_of_one_code_at_the_same_moment_one_counts(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, secret, _ = enrolled(database, clock)
    code = code_at(secret, clock)
    monkeypatch.setattr(second_factor, "_step_of", builders.Gap().after(second_factor._step_of))
    answers = builders.at_once(lambda: prove(database, person, code), lambda: prove(database, person, code))
    assert sorted(answers) == [False, True]


def test_one_persons_code_is_no_proof_for_another(database: Database, clock: FrozenClock) -> None:
    _, secret, codes = enrolled(database, clock)
    other, _, _ = enrolled(database, clock)
    assert not prove(database, other, code_at(secret, clock))
    assert not prove(database, other, codes[0])


def test_what_is_kept_of_the_app_and_the_paper_codes_lets_nobody_in(database: Database, clock: FrozenClock) -> None:
    person, secret, codes = enrolled(database, clock)
    other, _, _ = enrolled(database, clock)
    with database.work() as w:
        row = w.db.get_one(Authenticator, person)
        kept = {c.code_hash for c in w.db.scalars(select(BackupCode).where(BackupCode.person_id == person))}
        assert secret.encode() not in row.secret
        assert kept == {w.digest(code) for code in codes}
        w.db.execute(update(Authenticator).where(Authenticator.person_id == other).values(secret=row.secret))
    with pytest.raises(CannotOpen):  # a stolen secret does not even open in another person's row
        prove(database, other, code_at(secret, clock))


def test_nothing_is_stored_before_the_first_code_was_typed(database: Database, clock: FrozenClock) -> None:
    actor, _ = builders.someone(database, builders.organisation(database), Role.FACILITATOR)
    secret = second_factor.new_secret()
    with pytest.raises(Invalid), database.work() as w:
        second_factor.enrol(w, actor.person_id, secret, code_at(second_factor.new_secret(), clock))
    with database.read() as r:
        assert second_factor.factors(r, actor.person_id) == second_factor.Factors(False, False, 0)
    with database.work() as w:
        second_factor.enrol(w, actor.person_id, secret, code_at(secret, clock))
    with database.read() as r:
        assert second_factor.factors(r, actor.person_id) == second_factor.Factors(True, False, 10)
    assert not prove(database, actor.person_id, code_at(secret, clock))  # the first code was used by that


def test_an_app_is_only_replaced_on_purpose(database: Database, clock: FrozenClock) -> None:
    person, secret, codes = enrolled(database, clock)
    another = second_factor.new_secret()
    with pytest.raises(Closed), database.work() as w:
        second_factor.enrol(w, person, another, code_at(another, clock))
    with database.work() as w:
        second_factor.enrol(w, person, another, code_at(another, clock), replace=True)
    clock.forward(seconds=30)
    assert not prove(database, person, code_at(secret, clock))
    assert not prove(database, person, codes[0])
    assert prove(database, person, code_at(another, clock))


def test_of_two_apps_set_up_at_the_same_moment_one_is_kept(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, _ = builders.someone(database, builders.organisation(database), Role.FACILITATOR)
    secrets = [second_factor.new_secret() for _ in range(2)]
    monkeypatch.setattr(second_factor, "factors", builders.Gap().after(second_factor.factors))

    def enrol(secret: str) -> list[str]:
        with database.work() as w:
            return second_factor.enrol(w, actor.person_id, secret, code_at(secret, clock))

    answers = builders.at_once(*(lambda s=s: enrol(s) for s in secrets))
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "list"]


def test_a_backup_code_works_once_however_it_is_typed(database: Database, clock: FrozenClock) -> None:
    person, _, codes = enrolled(database, clock)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([a-z0-9]{4}-){2}[a-z0-9]{4}", code) for code in codes)
    assert prove(database, person, codes[0].upper().replace("-", " "))
    assert not prove(database, person, codes[0])
    assert prove(database, person, codes[1])
    with database.read() as r:
        assert second_factor.factors(r, person).codes_left == 8
        assert list(r.db.scalars(select(AuditLine.action))).count("backup_code.used") == 2
        assert audit.verify(r.db, SEAL_KEY) is None


def test_of_two_uses_of_one_backup_code_at_the_same_moment_one_counts(database: Database, clock: FrozenClock) -> None:
    person, _, codes = enrolled(database, clock)
    answers = builders.at_once(*[lambda: prove(database, person, codes[0])] * 4)
    assert sorted(answers) == [False, False, False, True]


def test_new_backup_codes_take_the_place_of_the_old_ones(database: Database, clock: FrozenClock) -> None:
    person, _, old = enrolled(database, clock)
    with database.work() as w:
        new = second_factor.renew_codes(w, person)
    assert not set(old) & set(new)
    assert not prove(database, person, old[0])
    assert prove(database, person, new[0])


def test_what_the_app_shows_says_nothing(database: Database) -> None:
    address = second_factor.address(second_factor.new_secret())
    assert re.fullmatch(r"otpauth://totp/Agenda:Agenda\?secret=[A-Z2-7]{32}&issuer=Agenda", address)


def test_guessing_stops_after_five_tries_and_hinders_nobody_else() -> None:
    limiter = Limiter()
    for _ in range(5):
        second_factor.limit_tries(limiter, 1)
    with pytest.raises(RateLimited) as refusal:
        second_factor.limit_tries(limiter, 1)
    assert refusal.value.retry_after == 300
    second_factor.limit_tries(limiter, 2)


def test_the_code_of_the_demo_is_shown_for_nobody_else(database: Database, clock: FrozenClock) -> None:
    person, _, _ = enrolled(database, clock)
    demo, _ = builders.someone(database, builders.organisation(database), Role.FACILITATOR)
    with database.work() as w:
        second_factor.keep(w, demo.person_id, second_factor.DEMO_SECRET)
    with database.read() as r:
        assert second_factor.demo_code(r, person) == ""
        shown = second_factor.demo_code(r, demo.person_id)
    assert prove(database, demo.person_id, shown)
    with database.read() as r:
        assert second_factor.demo_code(r, demo.person_id) != shown  # the next one, ready at once
        assert prove(database, demo.person_id, second_factor.demo_code(r, demo.person_id))


def test_who_may_not_come_in_any_more_has_no_credentials(database: Database) -> None:
    actor, _ = builders.someone(database, builders.organisation(database), Role.MODERATOR)
    with database.work() as w:
        assert accounts.credentials_of(w, actor.person_id).role is Role.MODERATOR
        accounts.suspend(w, actor.person_id)
    with pytest.raises(AppError), database.read() as r:
        accounts.credentials_of(r, actor.person_id)
