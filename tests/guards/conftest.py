"""Worlds for the guards: built once a file, put back before every knock."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from app.accounts import passwords
from app.core import keys
from app.core.settings import Settings
from app.main import create_app
from tests.accounts.identity_provider import Institution
from tests.world import World


@contextmanager
def world_in(folder: Path, template: Path, institution: Institution | None = None, **more: Any) -> Iterator[World]:
    """A world in an app of its own. Its passwords are hashed as everywhere, only cheaply: what that costs has its own
    tests.
    """
    shutil.copyfile(template, folder / "samen.db")
    address = f"sqlite:///{folder / 'samen.db'}"
    settings = Settings(data_dir=folder, database_url=address, async_mode="threading", **more)
    keys.ensure(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
        patch.setattr(passwords, "_dummy", "")
        made = World(create_app(settings), institution)
        yield made
        made.close()
        made.database.engine.dispose()
