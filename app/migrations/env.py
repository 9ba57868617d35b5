"""How Alembic reaches the database: the same engine as the product, all tables of all packages."""

from __future__ import annotations

from alembic import context

import app.accounts.models
import app.core.audit
import app.notify.models
import groups.models
import matching.models
import moderation.models
from app.core.db import WRITES, Base, open_engine

TABLES = (
    app.accounts.models,
    app.core.audit,
    app.notify.models,
    groups.models,
    matching.models,
    moderation.models,
)


def run() -> None:
    engine = open_engine(context.config.attributes["url"])
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=engine.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
