"""Many new rows of a table at once, each database by the way that is meant for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql

_POSTGRESQL: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
_Bind = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """All of ``rows``, in their order; all have the columns of the first. On PostgreSQL by COPY, which is several times faster."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name != "postgresql":
        connection.execute(table.insert(), rows)
        return
    binds = _binds(table, names)
    columns = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([value if bind is None else bind(value) for value, bind in zip(row.values(), binds, strict=True)])


@lru_cache(64)
def _binds(table: Table, names: tuple[str, ...]) -> tuple[_Bind | None, ...]:
    """What makes of each column's value what the driver takes."""
    return tuple(table.c[name].type.dialect_impl(_POSTGRESQL).bind_processor(_POSTGRESQL) for name in names)
