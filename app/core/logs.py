"""Log lines: one JSON object each, of codes and ids. No level logs a person's words, name, address or cookie.

A failure is logged with its type and where it happened, not with its message: messages of libraries quote what they
were given.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

FRAMES = 8  # innermost places kept of a failure


def configure(level: str) -> None:
    """Write log lines to standard error from `level` on. Called once, where a process starts."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger().handlers = [logging.NullHandler()]  # libraries log what they were given


def of_library(name: str) -> logging.Logger:
    """A logger for a library that would print failures itself: they become log lines of ours, without their words."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.handlers = [_OwnLines()]
    return logger


class _OwnLines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        failure = record.exc_info[1] if record.exc_info else None
        what = "library_failed" if failure else "library_complained"
        structlog.get_logger().error(what, name=record.name, place=f"{record.module}:{record.lineno}", exc_info=failure)


def without_words(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace a failure by its type and the places it passed."""
    failure = line.pop("exc_info", None)
    if failure:
        error = failure if isinstance(failure, BaseException) else sys.exc_info()[1]
        line["failure"] = type(error).__name__
        if error is not None:
            places = traceback.extract_tb(error.__traceback__)[-FRAMES:]
            line["at"] = [f"{p.filename.rsplit('/', 1)[-1]}:{p.lineno} {p.name}" for p in places]
    return line
