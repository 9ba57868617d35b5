"""Statements that run for every message, as text that is worked out once.

For a batch of a few rows, what a statement's compiler does at each execution costs more than the database does. Here
the text is made once for each length of the lists in it, and from then on sent as it is, with the values prepared as
their columns want them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect

T = TypeVar("T")


class Written:
    """One statement. `lists` names its expanding parameters: their values come `padded`, so that lengths are few.

    Rows come as the driver gives them: moments may be text, truth a number (`app.core.db.moment`).
    """

    def __init__(self, statement: Any, lists: Sequence[str] = ()) -> None:
        self._statement = statement
        self._lists = tuple(lists)
        self._texts: dict[tuple[str, tuple[int, ...]], _Text] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it and return its rows."""
        text = self._text(connection.dialect, values)
        return connection.exec_driver_sql(text.sql, text.arguments(values)).all()

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each of these rows, which all have the same names."""
        text = self._text(connection.dialect, rows[0])
        connection.exec_driver_sql(text.sql, [text.arguments(row) for row in rows])

    def _text(self, dialect: Dialect, values: Mapping[str, Any]) -> _Text:
        sizes = tuple(len(values[name]) for name in self._lists)
        known = self._texts.get((dialect.name, sizes))
        if known is None:
            known = self._texts[dialect.name, sizes] = _Text(self._statement, dialect, values, self._lists)
        return known


class _Text:
    """A statement's text for one length of its lists, and how its values are put in order."""

    def __init__(self, statement: Any, dialect: Dialect, example: Mapping[str, Any], lists: Collection[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=None if lists else list(example))
        text = compiled.construct_expanded_state(dict(example))
        self.sql: str = text.statement
        self._lists = tuple(lists)
        self._order: tuple[str, ...] | None = tuple(text.positiontup) if compiled.positional else None
        wanted = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items() if name in example}
        made = {name: kind.bind_processor(dialect) for name, kind in wanted.items() if name not in self._lists}
        self._prepare = {name: prepare for name, prepare in made.items() if prepare is not None}
        self._fixed = {name: value for name, value in text.parameters.items() if name not in example}

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The values in the order in which the text asks for them."""
        found = self._fixed | dict(values)
        for name, prepare in self._prepare.items():
            found[name] = prepare(found[name])
        for name in self._lists:
            for number, value in enumerate(values[name], 1):
                found[f"{name}_{number}"] = value
        if self._order is None:
            return found
        return tuple([found[name] for name in self._order])


def padded(values: Collection[T]) -> list[T]:
    """These values, the last one repeated until their number is a power of two: so that the database meets a handful of
    statements instead of one for every length."""
    found = list(values)
    if not found:
        return found
    size = 1 << (len(found) - 1).bit_length()
    return found + found[-1:] * (size - len(found))
