"""Invitations: what lets somebody in, how often, how long, and that it says nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.accounts import invitations, qr
from app.accounts.models import Invitation
from app.core import audit, ids
from app.core.audit import AuditLine
from app.core.errors import Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from tests import builders
from tests.conftest import SEAL_KEY, FrozenClock


def _invite(database: Database, **how: int) -> str:
    circle = builders.circle(database, members=0)
    with database.work(circle.hanna.actor) as w:
        return invitations.invite(w, circle.organisation_id, Role.CLIENT, group_id=circle.group_id, **how)


def _use(database: Database, code: str) -> invitations.Welcome:
    with database.work() as w:
        return invitations.use(w, code)


def test_an_invitation_lets_one_person_in_however_it_is_typed(database: Database) -> None:
    code = _invite(database)
    with database.read() as r:
        welcome = invitations.look_up(r, code)  # looking does not use it
    assert _use(database, code.lower().replace("-", " ")) == welcome
    with pytest.raises(NotFound):
        _use(database, code)


def test_an_invitation_is_kept_as_a_hash_and_its_making_is_on_record(database: Database) -> None:
    code = _invite(database)
    with database.read() as r:
        row = r.db.scalars(select(Invitation)).one()
        assert code not in str(row.__dict__)
        assert row.code_hash == r.digest(code) != ids.digest(code)
        assert "invitation.made" in r.db.scalars(select(AuditLine.action)).all()
        assert audit.verify(r.db, SEAL_KEY) is None


def test_two_people_with_the_last_use_at_the_same_moment_only_one_comes_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _invite(database, uses=3)
    _use(database, code)
    _use(database, code)
    gap = builders.Gap()
    monkeypatch.setattr(invitations, "look_up", gap.after(invitations.look_up))
    answers = builders.at_once(lambda: _use(database, code), lambda: _use(database, code))
    assert sorted(type(a).__name__ for a in answers) == ["NotFound", "Welcome"]
    with database.read() as r:
        assert r.db.scalars(select(Invitation.uses_left)).one() == 0


def test_every_code_that_does_not_work_is_refused_alike(database: Database, clock: FrozenClock) -> None:
    used, revoked, expired = (_invite(database) for _ in range(3))
    _use(database, used)
    with database.work() as w:
        w.db.execute(update(Invitation).where(Invitation.code_hash == w.digest(revoked)).values(revoked_at=w.now))
        w.db.execute(update(Invitation).where(Invitation.code_hash == w.digest(expired)).values(expires_at=w.now))
    told = set()
    for code in (used, revoked, expired, "KLEW-47RD", "", "\x00", "é" * 40):
        for ask in (invitations.look_up, invitations.use):
            with pytest.raises(NotFound) as refusal, database.work() as w:
                ask(w, code)
            told.add((refusal.value.message, refusal.value.status))
    assert len(told) == 1


def test_an_invitation_lasts_a_week(database: Database, clock: FrozenClock) -> None:
    code = _invite(database)
    clock.forward(days=7, seconds=-1)
    with database.read() as r:
        invitations.look_up(r, code)
    clock.forward(seconds=1)
    with pytest.raises(NotFound):
        _use(database, code)


@pytest.mark.parametrize("how", [{"uses": 0}, {"uses": 51}, {"days": 0}, {"days": 61}, {"uses": -1}])
def test_a_code_for_a_crowd_or_for_ever_is_not_made(database: Database, how: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        _invite(database, **how)
    with database.read() as r:
        assert r.db.scalars(select(Invitation)).all() == []


def test_a_code_for_many_lets_in_exactly_so_many(database: Database) -> None:
    code = _invite(database, uses=3)
    for _ in range(3):
        _use(database, code)
    with pytest.raises(NotFound):
        _use(database, code)


def test_who_made_codes_sees_which_are_still_open_and_takes_them_back(database: Database, clock: FrozenClock) -> None:
    circle = builders.circle(database, members=0)
    ours = invitations.of_group(circle.group_id)
    with database.work(circle.hanna.actor) as w:
        first = invitations.invite(w, circle.organisation_id, Role.CLIENT, group_id=circle.group_id, uses=5)
        invitations.invite(w, circle.organisation_id, Role.CLIENT, group_id=circle.group_id, days=1)
        elsewhere = invitations.invite(w, circle.organisation_id, Role.MODERATOR)
    _use(database, first)
    clock.forward(days=2)
    with database.read() as r:
        (slip,) = invitations.slips(r, ours)
    assert (slip.hint, slip.uses, slip.uses_left, slip.role) == (first[-2:], 5, 4, Role.CLIENT)
    assert first not in str(slip)
    with pytest.raises(NotFound), database.work(circle.hanna.actor) as w:  # what is not this group's is not there
        invitations.revoke(w, slip.ref, invitations.of_organisation(circle.organisation_id))
    with database.work(circle.hanna.actor) as w:
        invitations.revoke(w, slip.ref, ours)
    with pytest.raises(NotFound):
        _use(database, first)
    assert _use(database, elsewhere).role is Role.MODERATOR
    with database.read() as r:
        assert invitations.slips(r, ours) == []


def test_the_picture_of_a_code_is_a_qr_code_of_plain_shapes() -> None:
    drawing = qr.drawing("https://voorbeeld.nl/#KLEW-47RD")
    assert drawing.size == 29 + 8  # its modules, and the margin that readers ask for
    assert drawing.path.startswith("M4 4h7v1H4z")  # the corner that readers look for
    assert set(drawing.path) <= set("MhvHz0123456789 -")
    assert drawing != qr.drawing("https://voorbeeld.nl/#KLEW-47RE")
