"""Small tables for lists: cells are edited in place, the blank last row adds, the tick at a row's end removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

Row = dict[str, Any]

REMOVE = "_remove"
_DTYPES = {"text": "string", "number": "float64", "checkbox": "boolean", "progress": "float64"}


def table_editor(
    rows: Sequence[Row], *, key: str, columns: Mapping[str, Any], edition: int = 0, disabled: bool | Sequence[str] = False, alt: str = ""
) -> None:
    """Draw ``rows`` and a blank one as an editable table; its edits stand in ``st.session_state[key]`` and are read by `edited_rows`.

    ``columns`` gives each column's ``st.column_config``, in order. Columns whose name begins with ``_`` are shown and not read. While the
    number of rows and ``edition`` stay, the table keeps its cursor and its edits, so that one can type on from cell to cell; another
    ``edition`` drops pending edits, which a list replaced from outside needs.
    """
    import pandas as pd  # type: ignore[import-untyped]  # no stubs; imported late, for it takes 0.4 s

    remove = st.column_config.CheckboxColumn("✕", help="Tick to remove the row", width=52)
    configs = {**columns, REMOVE: remove}
    shown: list[Row] = [*({**row, REMOVE: False} for row in _as_first_drawn(rows, key, edition)), {}]
    data = pd.DataFrame(
        {name: pd.array([row.get(name) for row in shown], dtype=_DTYPES[_kind(config)]) for name, config in configs.items()},
        index=[f"{edition}.{place}" for place in range(len(shown))],
    )
    st.data_editor(
        data, key=key, hide_index=True, column_config=configs, disabled=disabled, placeholder="", width="stretch", height="content", alt=alt
    )


def _as_first_drawn(rows: Sequence[Row], key: str, edition: int) -> Sequence[Row]:
    """The rows the browser already has, where its own edits make ``rows`` of them: new data takes keys from whoever is typing."""
    kept = f"{key}.first_drawn"
    drawn_edition, first = st.session_state.get(kept, (None, ()))
    if drawn_edition == edition and len(first) == len(rows):
        edited = [row for _, row in edited_rows(first, st.session_state.get(key) or {})]
        if edited == [_filled(row) for row in rows]:
            return list(first)
    st.session_state[kept] = (edition, [dict(row) for row in rows])
    return rows


def edited_rows(rows: Sequence[Row], state: Mapping[str, Any]) -> list[tuple[int | None, Row]]:
    """The rows after the edits in ``state`` (a data editor's), each with its index in ``rows``, ``None`` for one that was added.

    A row holds only cells that have a value; rows without any, and rows ticked for removal, are gone.
    """
    edits = {int(index): cells for index, cells in state.get("edited_rows", {}).items()}
    result: list[tuple[int | None, Row]] = []
    for index, row in enumerate([*rows, {}]):
        cells = edits.get(index, {})
        if not cells.get(REMOVE):
            result.append((index if index < len(rows) else None, _filled({**row, **cells})))
    return [(index, row) for index, row in result if row]


def _filled(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if value is not None and value != "" and not name.startswith("_")}


def _kind(config: Mapping[str, Any]) -> str:
    return str(config["type_config"]["type"])
