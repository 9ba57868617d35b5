"""Log lines carry codes, never words."""

from __future__ import annotations

import json

import pytest
import structlog

from app.core import logs
from app.core.db import open_engine


def test_a_failure_is_logged_by_type_and_place_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    try:
        raise ValueError("wat iemand schreef")
    except ValueError:
        structlog.get_logger().exception("event_failed", name="message.send")
    structlog.reset_defaults()
    written = capsys.readouterr().err
    line = json.loads(written)
    assert (line["event"], line["failure"], line["name"]) == ("event_failed", "ValueError", "message.send")
    assert "wat iemand schreef" not in written
    assert line["at"][-1].startswith("test_logs.py:")


def test_a_database_error_does_not_quote_what_was_written(tmp_path: object) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/samen.db")
    with engine.connect() as connection, pytest.raises(Exception, match="no such table") as failure:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", ("wat iemand schreef",))
    engine.dispose()
    assert "wat iemand schreef" not in str(failure.value)
