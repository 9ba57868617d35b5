"""How Alembic reaches the database: the same engine as the product, all tables of all packages."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine

import app.accounts.models
import app.core.audit
import app.core.crypto
import app.notify.models
import groups.models
import matching.models
import moderation.models
from app.core.db import WRITES, Base, open_engine

TABLES = (
    app.accounts.models,
    app.core.audit,
    app.core.crypto,
    app.notify.models,
    groups.models,
    matching.models,
    moderation.models,
)


def run() -> None:
    engine = open_engine(context.config.attributes["url"])
    try:
        _run_on(engine)
    finally:
        engine.dispose()


def _run_on(engine: Engine) -> None:
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        _let_tables_be_rebuilt(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=engine.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            _check_references(connection)
        connection.commit()


def _let_tables_be_rebuilt(connection: Connection) -> None:
    """SQLite changes a table by making it anew; what refers to it must not fall with the old one meanwhile."""
    if connection.dialect.name == "sqlite":
        connection.connection.execute("PRAGMA foreign_keys=OFF")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("this upgrade would leave rows that refer to nothing; nothing was changed")


run()
