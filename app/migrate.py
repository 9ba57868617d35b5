"""Brings a database to the newest schema. The migrations live inside the package, so an installed copy can."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.crypto import Vault

SCRIPTS = Path(__file__).parent / "migrations"


def configuration(url: str, vault: Vault | None = None) -> Config:
    """Alembic's configuration for one database. Without `vault` it can be looked at, not upgraded."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["url"] = url
    config.attributes["vault"] = vault
    return config


def upgrade(url: str, vault: Vault, to: str = "head") -> str:
    """Upgrade the database at `url` and return the revision it is at now. `vault` seals what stood in clear."""
    config = configuration(url, vault)
    command.upgrade(config, to)
    return ScriptDirectory.from_config(config).get_current_head() or "nothing"
