"""Insert, or change the row with the same key: the one statement both databases know but each under its own name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, values: Mapping[str, Any], *key: str) -> None:
    """Do it. Columns that ``values`` leaves out stay as they are."""
    upsert_rows(connection, table, [values], *key)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *key: str) -> None:
    """The same for many rows, which have the columns of the first."""
    if rows:
        connection.execute(_statement(connection.dialect.name, table, tuple(rows[0]), key), [dict(row) for row in rows])


@lru_cache(256)
def _statement(dialect: str, table: Table, names: tuple[str, ...], key: tuple[str, ...]) -> Executable:
    """Built once for each set of columns: that can take longer than the database."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    changed = {name: statement.excluded[name] for name in names if name not in key}
    if changed:
        return statement.on_conflict_do_update(index_elements=key, set_=changed)
    return statement.on_conflict_do_nothing(index_elements=key)
