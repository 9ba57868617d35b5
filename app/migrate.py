"""Brings a database to the newest schema. The migrations live inside the package, so an installed copy can."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

SCRIPTS = Path(__file__).parent / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration for one database."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["url"] = url
    return config


def upgrade(url: str, to: str = "head") -> str:
    """Upgrade the database at `url` and return the revision it is at now."""
    config = configuration(url)
    command.upgrade(config, to)
    return ScriptDirectory.from_config(config).get_current_head() or "nothing"
