"""Rules of the house about access: nothing is open by accident, and every route and event says what it needs."""

from __future__ import annotations

import flask
import pytest

from app.core.permissions import BUNDLES, Permission, Role
from app.main import PARTS

# Everything that may be reached without being signed in, by endpoint. A new line here is a decision.
PUBLIC = {
    "accounts.elsewhere",
    "accounts.leave",
    "accounts.sign_in",
    "accounts.sign_in_page",
    "accounts.visitor_language",
    "calendar.read",
    "data.erased",
    "help.show",
    "institution.begin",
    "institution.finish",
    "joining.check_code",
    "joining.choose",
    "joining.chosen",
    "joining.door",
    "joining.join",
    "joining.rules",
    "offline.page",
    "offline.worker",
    "passkeys.sign_in",
    "passkeys.sign_in_challenge",
    "recovery.ask",
    "recovery.check",
    "recovery.come_back",
    "recovery.show_slip",
    "second_step.answer",
    "second_step.ask",
    "second_step.challenge",
    "second_step.finish_set_up",
    "second_step.set_up",
    "staff.join",
    "staff.newcomer",
    "static",
}


def test_every_route_declares_a_permission_or_is_on_the_public_list(site: flask.Flask) -> None:
    undeclared, public = set(), {"static"}
    for endpoint, view in site.view_functions.items():
        if getattr(view, "public", False):
            public.add(endpoint)
        elif endpoint != "static" and not isinstance(getattr(view, "needs", None), Permission):
            undeclared.add(endpoint)
    assert undeclared == set()
    assert public == PUBLIC


def test_a_route_that_declares_nothing_is_refused(site: flask.Flask) -> None:
    site.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = site.test_client().get("/forgotten")
    assert answer.status_code == 403
    assert b"secret" not in answer.data


def test_every_live_event_declares_a_permission_and_a_rate() -> None:
    events = [event for part in PARTS for event in part.live_events]
    assert {event.name for event in events} == {
        "message.send",
        "room.join",
        "room.read",
        "room.sync",
        "session.here",
    }
    for event in events:
        assert isinstance(event.permission, Permission)
        assert event.per_minute > 0


def test_permissions_are_named_scope_resource_action_and_each_is_held_by_somebody() -> None:
    assert [p.value.count(":") for p in Permission] == [2] * len(Permission)
    assert set().union(*BUNDLES.values()) == set(Permission)
    assert set(BUNDLES) == set(Role)


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMINISTRATOR])
def test_who_reviews_or_administers_has_no_seat_in_a_room(role: Role) -> None:
    assert Permission.GROUP_MESSAGE_POST not in BUNDLES[role]
    assert Permission.GROUP_MESSAGE_READ not in BUNDLES[role]


def test_addresses_say_nothing_about_the_subject(site: flask.Flask) -> None:
    telling = ("lust", "porn", "seks", "sex", "versl" + "aving", "terugval", "relapse", "drang")
    for rule in site.url_map.iter_rules():
        assert not any(word in rule.rule.lower() for word in telling), rule.rule
