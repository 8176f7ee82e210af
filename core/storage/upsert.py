"""Insert, or change the row with the same key: the one statement both databases know but each under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection, table: Table, values: Mapping[str, Any], *key: str, returning: tuple[ColumnElement[Any], ...] = ()
) -> CursorResult[Any]:
    """Do it, and what the row has in ``returning`` afterwards. Columns that ``values`` leaves out stay as they are."""
    return connection.execute(_statement(connection.dialect.name, table, tuple(values), key, returning), dict(values))


@lru_cache(256)
def _statement(
    dialect: str, table: Table, names: tuple[str, ...], key: tuple[str, ...], returning: tuple[ColumnElement[Any], ...]
) -> Executable:
    """Built once for each set of columns: for a run's forty, that takes longer than the database."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    changed = {name: statement.excluded[name] for name in names if name not in key}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    return statement.returning(*returning) if returning else statement
