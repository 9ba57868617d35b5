"""People at the door of the app: two who lead, one who moderates, one client."""

from __future__ import annotations

import flask
import pytest

from app.accounts import accounts, passwords, second_factor
from app.core.permissions import Role
from tests.accounts.visitor import PASSWORD, SECRETS, WORDS
from tests.conftest import FrozenClock


@pytest.fixture(scope="session")
def hashes() -> dict[str, str]:
    return {secret: passwords.hash_secret(secret) for secret in (PASSWORD, WORDS)}


@pytest.fixture
def people(site: flask.Flask, clock: FrozenClock, hashes: dict[str, str]) -> dict[str, int]:
    """Hanna and Ilse lead with an app, Daan moderates and has none yet, and a client."""
    database = site.extensions["samen"].database
    database.clock = clock
    made = {}
    with database.work() as w:
        organisation = accounts.create_organisation(w, "Proef")
        for login, role in (("hanna", Role.FACILITATOR), ("ilse", Role.FACILITATOR), ("daan", Role.MODERATOR)):
            made[login] = accounts.create_person(w, organisation, role, login, hashes[PASSWORD], name=login.title())
        made["client"] = accounts.create_person(w, organisation, Role.CLIENT, "stille-otter-41", hashes[WORDS])
        for login, secret in SECRETS.items():
            second_factor.keep(w, made[login], secret)
    return made
