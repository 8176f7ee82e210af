"""Small tables for lists: rows are edited in place, added in the last line, deleted after ticking them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

Row = dict[str, Any]


def table_editor(
    rows: Sequence[Row], *, key: str, columns: Mapping[str, Any], disabled: bool | Sequence[str] = False, alt: str = ""
) -> None:
    """Draw ``rows`` as an editable table; what was edited stands in ``st.session_state[key]`` and is read by `edited_rows`.

    ``columns`` gives each column's ``st.column_config``, in order. Without rows, one empty line can be filled.
    """
    import pandas as pd  # type: ignore[import-untyped]  # no stubs; imported late, for it takes 0.4 s

    data = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    st.data_editor(
        data,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        column_config=dict(columns),
        disabled=disabled,
        placeholder="",
        width="stretch",
        height="content",
        alt=alt,
    )


def has_edits(state: Any) -> bool:
    """Whether ``state``, a data editor's session state, holds any edit."""
    return isinstance(state, Mapping) and any(state.get(part) for part in ("edited_rows", "added_rows", "deleted_rows"))


def edited_rows(rows: Sequence[Row], state: Mapping[str, Any]) -> list[tuple[int | None, Row]]:
    """The rows after the edits in ``state``, each with its index in ``rows`` (``None`` for an added one).

    A row holds only cells that have a value. Rows left without any value are gone.
    """
    deleted = {int(index) for index in state.get("deleted_rows", ())}
    edits = {int(index): cells for index, cells in state.get("edited_rows", {}).items()}
    result: list[tuple[int | None, Row]] = []
    for index, row in enumerate(rows):
        if index not in deleted:
            result.append((index, _filled({**row, **edits.get(index, {})})))
    result.extend((None, _filled(row)) for row in state.get("added_rows", ()))
    return [(index, row) for index, row in result if row]


def _filled(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if value is not None and value != "" and not str(name).startswith("_")}
