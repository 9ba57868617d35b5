"""A group that is full: who comes with an invitation waits for a place, and a facilitator lets them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts import aliases, invitations, slips
from app.core.actor import Actor
from app.core.errors import Closed, Forbidden, Invalid, NotFound
from app.core.permissions import Role
from app.core.work import Database
from app.notify.models import OutboxItem
from groups import rooms
from groups.models import Group, Membership, WaitingPlace
from groups.people import joining, leaving, waiting
from tests import builders
from tests.builders import Circle


def _as(circle: Circle, who: Actor, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with circle.database.work(who) as w:
        return call(w, *args, **more)


def _lead(circle: Circle, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    return _as(circle, circle.hanna.actor, call, *args, **more)


def _circle(database: Database, members: int, cap: int) -> Circle:
    circle = builders.circle(database, members=members)
    with database.work() as w:
        w.db.execute(update(Group).where(Group.id == circle.group_id).values(cap=cap))
    return circle


def _code(circle: Circle, uses: int = 9) -> str:
    return _lead(circle, invitations.invite, circle.organisation_id, Role.CLIENT, group_id=circle.group_id, uses=uses)


def _come(circle: Circle, code: str, alias: str) -> Actor:
    with circle.database.work() as w:
        person_id = joining.come_in(w, code, slips.draw("nl"), "!", alias, "nl")
    return Actor(person_id, circle.organisation_id, Role.CLIENT)


def _inside(circle: Circle) -> list[str]:
    with circle.database.read(circle.hanna.actor) as r:
        return [m.alias for m in rooms.members(r, rooms.lead_place(r, circle.group)) if m.role == "member"]


def _waits(circle: Circle) -> list[str]:
    return [row.alias for row in _lead(circle, waiting.waiting, circle.group)]


def _ref(circle: Circle, alias: str) -> str:
    return next(row.ref for row in _lead(circle, waiting.waiting, circle.group) if row.alias == alias)


def _told(circle: Circle, kind: str) -> list[int]:
    with circle.database.read() as r:
        return sorted(r.db.scalars(select(OutboxItem.person_id).where(OutboxItem.kind == kind)))


def test_who_comes_to_a_full_group_waits_under_their_alias_and_facilitators_hear(database: Database) -> None:
    circle = _circle(database, members=2, cap=3)
    code = _code(circle)
    inside, waits = _come(circle, code, "Rik_vos"), _come(circle, code, "Lot_berk")
    assert _inside(circle) == ["Mees_duin", "Noor_eik", "Rik_vos"]
    assert _waits(circle) == ["Lot_berk"]
    assert _told(circle, "somebody_waits") == [circle.hanna.person_id]
    with database.read(waits) as r:
        assert rooms.places(r) == []
        [own] = waiting.mine(r)
        assert (own.group_name, own.alias) == ("Dinsdaggroep", "Lot_berk")
        assert "Lot_berk" not in aliases.offer(r, circle.organisation_id, 300)
    with database.read(inside) as r:
        assert waiting.mine(r) == []
    with pytest.raises(Invalid):  # nobody else gets that alias meanwhile
        _come(circle, code, "Lot_berk")


def test_a_client_with_an_account_waits_too_and_once(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    other = builders.circle(database, members=1, organisation_id=circle.organisation_id)
    mees = other.members[0]
    code = _code(circle)
    assert _as(circle, mees.actor, joining.join_more, code, "Rik_vos") == ""
    assert _waits(circle) == ["Rik_vos"]
    with pytest.raises(Closed):
        _as(circle, mees.actor, joining.join_more, code, "Lot_berk")
    assert _waits(circle) == ["Rik_vos"]


def test_who_comes_after_somebody_who_waits_waits_behind_them(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    code = _code(circle)
    _come(circle, code, "Rik_vos")
    _lead(circle, leaving.remove, circle.group, circle.members[0].ref, "agreed")
    _come(circle, code, "Lot_berk")  # there is a place, but not for them
    assert _waits(circle) == ["Rik_vos", "Lot_berk"]
    assert _told(circle, "place_free") == [circle.hanna.person_id]


def test_the_first_or_another_is_let_in_when_there_is_room_and_hears_of_it(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    code = _code(circle)
    rik, lot = _come(circle, code, "Rik_vos"), _come(circle, code, "Lot_berk")
    with pytest.raises(Closed):
        _lead(circle, waiting.let_in, circle.group, _ref(circle, "Lot_berk"))
    assert _waits(circle) == ["Rik_vos", "Lot_berk"]
    _lead(circle, leaving.remove, circle.group, circle.members[0].ref, "agreed")
    _lead(circle, waiting.let_in, circle.group, _ref(circle, "Lot_berk"))
    assert "Lot_berk" in _inside(circle)
    assert _waits(circle) == ["Rik_vos"]
    assert _told(circle, "let_in") == [lot.person_id]
    with database.read(lot) as r:
        assert rooms.home(r).alias == "Lot_berk"
    _lead(circle, waiting.let_in, circle.group, _ref(circle, "Rik_vos"), one_more=True)
    assert _waits(circle) == []
    assert _lead(circle, waiting.sizes, circle.group) == waiting.Sizes(4, 4, 3)
    with database.read(rik) as r:
        assert rooms.home(r).alias == "Rik_vos"


def test_a_group_never_grows_beyond_twelve(database: Database) -> None:
    circle = _circle(database, members=12, cap=12)
    _come(circle, _code(circle), "Rik_vos")
    with pytest.raises(Closed):
        _lead(circle, waiting.let_in, circle.group, _ref(circle, "Rik_vos"), one_more=True)
    for cap, minimum in ((13, 3), (2, 2), (6, 1), (6, 7)):
        with pytest.raises(Invalid):
            _lead(circle, waiting.resize, circle.group, cap, minimum)
    _lead(circle, waiting.resize, circle.group, 6, 4)
    assert _lead(circle, waiting.sizes, circle.group) == waiting.Sizes(12, 6, 4)
    assert _lead(circle, waiting.sizes, circle.group).free == 0


def test_two_who_come_in_at_once_for_the_last_place_become_one_who_has_it_and_one_who_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = _circle(database, members=2, cap=3)
    codes = [_code(circle, uses=1), _code(circle, uses=1)]
    gap = builders.Gap()
    monkeypatch.setattr(waiting, "_sizes", gap.after(waiting._sizes))
    answers = builders.at_once(lambda: _come(circle, codes[0], "Rik_vos"), lambda: _come(circle, codes[1], "Lot_berk"))
    assert [type(a) for a in answers] == [Actor, Actor]
    assert len(_inside(circle)) == 3
    assert len(_waits(circle)) == 1
    assert {*_inside(circle)[2:], *_waits(circle)} | {"Rik_vos", "Lot_berk"} <= {
        *_inside(circle),
        *_waits(circle),
    }


def test_the_last_place_is_counted_while_the_group_is_held(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else happens to make two newcomers wait for each other: the place itself is given away once."""
    circle = _circle(database, members=2, cap=3)
    people = [builders.someone(database, circle.organisation_id)[0] for _ in range(2)]
    gap = builders.Gap()
    monkeypatch.setattr(waiting, "_sizes", gap.after(waiting._sizes))
    calls = [
        lambda who=who, alias=alias: _as(circle, who, waiting.take_place, circle.group_id, who.person_id, alias)
        for who, alias in zip(people, ("Rik_vos", "Lot_berk"), strict=True)
    ]
    assert sorted(builders.at_once(*calls), key=str) == [False, True]
    assert (len(_inside(circle)), len(_waits(circle))) == (3, 1)


def test_two_facilitators_who_let_in_two_at_once_do_not_fill_one_place_twice(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    ilse = circle.second_lead()
    code = _code(circle)
    _come(circle, code, "Rik_vos")
    _come(circle, code, "Lot_berk")
    refs = [_ref(circle, "Rik_vos"), _ref(circle, "Lot_berk")]
    _lead(circle, leaving.remove, circle.group, circle.members[0].ref, "agreed")
    answers = builders.at_once(
        lambda: _lead(circle, waiting.let_in, circle.group, refs[0]),
        lambda: _as(circle, ilse.actor, waiting.let_in, circle.group, refs[1]),
    )
    assert sorted(type(a).__name__ for a in answers) == ["Closed", "NoneType"]
    assert len(_inside(circle)) == 3
    assert len(_waits(circle)) == 1


def test_who_waits_may_step_back_and_the_alias_rests(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    rik = _come(circle, _code(circle), "Rik_vos")
    ref = _ref(circle, "Rik_vos")
    with pytest.raises(NotFound):
        _as(circle, circle.members[0].actor, waiting.step_back, ref)
    _as(circle, rik, waiting.step_back, ref)
    assert _waits(circle) == []
    with database.read() as r:
        assert r.db.scalar(select(func.count()).select_from(WaitingPlace)) == 0
        assert "Rik_vos" not in aliases.offer(r, circle.organisation_id, 300)


def test_only_the_groups_own_facilitators_see_or_let_in_who_waits(database: Database) -> None:
    circle, other = _circle(database, members=3, cap=3), builders.circle(database)
    _come(circle, _code(circle), "Rik_vos")
    ref = _ref(circle, "Rik_vos")
    tries: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...] = (
        (waiting.waiting, ()),
        (waiting.sizes, ()),
        (waiting.let_in, (ref,)),
        (waiting.resize, (5, 3)),
    )
    for who, refusal in ((circle.members[0], Forbidden), (other.hanna, NotFound)):
        for call, args in tries:
            with pytest.raises(refusal):
                _as(circle, who.actor, call, circle.group, *args)
    with pytest.raises(NotFound):  # of a group of one's own, but waiting elsewhere
        _as(circle, other.hanna.actor, waiting.let_in, other.group, ref)
    with database.read(circle.hanna.actor) as r:
        assert waiting.counts(r) == {circle.group: 1}
    with database.read(other.hanna.actor) as r:
        assert waiting.counts(r) == {}


def test_whether_a_group_is_full_is_known_before_one_agrees_and_of_no_other_code(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    roomy = builders.circle(database, members=1)
    with database.read() as r:
        assert joining.is_full(r, _code(circle)) is True
        assert joining.is_full(r, _code(roomy)) is False
        assert joining.is_full(r, "AAAA-AAAA") is False


def test_a_facilitator_helps_to_lead_a_full_group(database: Database) -> None:
    circle = _circle(database, members=3, cap=3)
    ilse, _token = builders.someone(database, circle.organisation_id, Role.FACILITATOR, name="Ilse")
    code = _lead(circle, invitations.invite, circle.organisation_id, Role.FACILITATOR, group_id=circle.group_id)
    with database.work(ilse) as w:
        joining.help_lead(w, code)
    with database.read() as r:
        leads = select(func.count()).where(Membership.group_id == circle.group_id, Membership.role == "facilitator")
        assert r.db.scalar(leads) == 2
