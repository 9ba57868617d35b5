"""Breaking glass: another's group opens for an hour, with a reason, on the record, and its members are told."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.audit import AuditLine
from app.core.errors import Invalid, NotFound
from app.core.permissions import BUNDLES, Permission, Role
from app.core.work import Database
from app.notify import outbox
from groups.models import GlassBreak
from groups.people import glass
from tests import builders
from tests.builders import Circle
from tests.conftest import FrozenClock

NOTE = "Hanna is ziek en Mees vroeg om hulp"


@pytest.fixture
def circles(database: Database) -> tuple[Circle, Circle]:
    """Two groups of one organisation."""
    circle = builders.circle(database)
    return circle, builders.circle(database, organisation_id=circle.organisation_id)


def _break(other: Circle, by: builders.Someone, group: str, reason: str = "absence", note: str = NOTE) -> None:
    with other.database.work(by.actor) as w:
        glass.break_glass(w, group, reason, note)


def test_everybody_in_the_group_is_told_and_it_is_on_the_record(circles: tuple[Circle, Circle]) -> None:
    circle, other = circles
    circle.post(circle.members[0], builders.ORDINARY)
    _break(other, other.hanna, circle.group)
    outbox.deliver(circle.database)
    for told in (circle.hanna, *circle.members):
        with circle.database.read(told.actor) as r:
            assert [(line.kind, line.ref) for line in outbox.inbox(r)] == [("glass", "absence")]
    with circle.database.read(other.members[0].actor) as r:
        assert outbox.inbox(r) == []
    with circle.database.work(other.hanna.actor) as w:
        inside = glass.look(w, circle.group)
        assert [item.text for item in inside.items] == [builders.ORDINARY]
        assert set(inside.aliases) == {m.alias for m in circle.members}
        assert w.db.scalars(select(AuditLine.action).order_by(AuditLine.id.desc()).limit(2)).all() == [
            "glass.read",
            "glass.broken",
        ]
        row = w.db.scalars(select(GlassBreak)).one()
        assert w.ring.open(GlassBreak.note, row.public_id, row.note) == NOTE


def test_it_closes_after_an_hour_and_opens_for_nobody_else(circles: tuple[Circle, Circle], clock: FrozenClock) -> None:
    circle, other = circles
    colleague = other.second_lead()
    _break(other, other.hanna, circle.group)
    with circle.database.work(colleague.actor) as w, pytest.raises(NotFound):
        glass.look(w, circle.group)
    with circle.database.read(other.hanna.actor) as r:
        assert [pane.until is not None for pane in glass.panes(r)] == [True]
    clock.forward(minutes=60)
    with circle.database.work(other.hanna.actor) as w, pytest.raises(NotFound):
        glass.look(w, circle.group)


def test_who_came_in_after_it_was_broken_is_told_at_the_next_look(circles: tuple[Circle, Circle]) -> None:
    circle, other = circles
    _break(other, other.hanna, circle.group)
    actor, token = builders.someone(circle.database, circle.organisation_id)
    newcomer = builders.seat(circle.database, circle.group_id, actor, token, "Vos_weide")
    for _ in range(2):
        with circle.database.work(other.hanna.actor) as w:
            glass.look(w, circle.group)
    outbox.deliver(circle.database)
    for told in (newcomer, circle.members[0]):
        with circle.database.read(told.actor) as r:
            assert [(line.kind, line.ref) for line in outbox.inbox(r)] == [("glass", "absence")]


@pytest.mark.parametrize(
    ("reason", "note"), [("", NOTE), ("curious", NOTE), ("danger", ""), ("danger", "  te kort  "), ("danger", "x" * 9)]
)
def test_without_a_reason_nothing_is_opened_and_nobody_is_told(
    circles: tuple[Circle, Circle], reason: str, note: str
) -> None:
    circle, other = circles
    with pytest.raises(Invalid):
        _break(other, other.hanna, circle.group, reason, note)
    with circle.database.read(other.hanna.actor) as r:
        assert r.db.scalars(select(GlassBreak)).all() == []
        assert outbox.deliver(circle.database) == 0


def test_ones_own_group_and_another_organisations_group_have_no_glass(
    circles: tuple[Circle, Circle], database: Database
) -> None:
    circle, other = circles
    elsewhere = builders.circle(database)
    for group in (other.group, elsewhere.group, "nothing", ""):
        with pytest.raises(NotFound):
            _break(other, other.hanna, group)
    with database.read(other.hanna.actor) as r:
        assert [pane.group for pane in glass.panes(r)] == [circle.group]


def test_only_facilitators_hold_the_permission() -> None:
    assert [role for role in Role if Permission.ORGANISATION_GLASS_BREAK in BUNDLES[role]] == [Role.FACILITATOR]
