"""The table of runs, a page of it at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from core.prices.pricing import dollars
from core.storage.run_query import RunOrder, SortColumn
from core.storage.run_record import RunRow

STATUS_SIGNS = {
    "queued": "◷ queued",
    "waiting": "◷ waiting",
    "streaming": "▸ streaming",
    "finished": "✓ finished",
    "stopped": "■ stopped",
    "failed": "✕ failed",
    "interrupted": "⚡ interrupted",
}
COLUMNS: dict[str, Any] = {
    "star": st.column_config.TextColumn("★", width=48),
    "time": st.column_config.DatetimeColumn("time (UTC)", format="YYYY-MM-DD HH:mm:ss", width=150),
    "model": st.column_config.TextColumn("model asked", width=150),
    "answered": st.column_config.TextColumn("answered by", width=150),
    "prompt": st.column_config.TextColumn("prompt", width=260),
    "status": st.column_config.TextColumn("status", width=96),
    "finish": st.column_config.TextColumn("finish", width=84, help="Finish reason"),
    "tokens": st.column_config.NumberColumn("tokens", format="localized", width=64),
    "cost": st.column_config.TextColumn("cost", width=84, alignment="right"),
    "first token": st.column_config.NumberColumn("first token", format="%.3f s", width=84),
    "total": st.column_config.NumberColumn("total", format="%.2f s", width=70),
    "connection": st.column_config.TextColumn("connection", width=110),
    "slot": st.column_config.TextColumn("slot", width=48),
    "tags": st.column_config.ListColumn("tags", width="small"),
    "note": st.column_config.TextColumn("note", width="small"),
}

TALLEST = 440
"""Pixels: eleven rows and a half, so that a run that is ticked shows below the table of a laptop's screen."""
SORTS: dict[str, SortColumn] = {
    "time": "created_at",
    "model": "model_asked",
    "answered": "model_answered",
    "prompt": "prompt_start",
    "status": "status",
    "finish": "finish_reason",
    "tokens": "total_tokens",
    "cost": "cost_usd",
    "first token": "first_token_s",
    "total": "total_s",
    "connection": "connection_name",
    "slot": "slot",
    "star": "starred",
    "tags": "tag_line",
    "note": "note_start",
}
"""What a click on a column's header sorts by."""


def run_table(
    rows: Sequence[RunRow], *, key: str, order: RunOrder, on_sort: Callable[[SortColumn], None], ticked: Sequence[str] = ()
) -> list[str]:
    """Draw the rows; the ids of those that are ticked, in the table's order. ``on_sort`` is called when a header is clicked: Streamlit
    itself would sort the rows of this page only.

    ``key`` must change with the runs that are listed, for Streamlit ticks places; a table with a new key begins with ``ticked`` runs.
    """
    key = f"{key}-{order.column}-{'down' if order.descending else 'up'}"  # a new table, for the header is not to stay selected
    event: Any = st.dataframe(
        [_shown(row) for row in rows],
        key=key,
        column_config=_columns(order),
        hide_index=True,
        on_select=partial(_selected, key, on_sort),
        selection_mode=["multi-row", "single-column"],
        selection_default={"selection": {"rows": [place for place, row in enumerate(rows) if row.id in ticked]}},
        height=min(TALLEST, 38 + 35 * len(rows)),
        row_height=35,
        placeholder="",
        alt="Runs; tick rows to work with them",
    )
    chosen = event["selection"]["rows"] if event else []
    return [rows[place].id for place in sorted(chosen) if place < len(rows)]


def _selected(key: str, on_sort: Callable[[SortColumn], None]) -> None:
    for name in st.session_state[key]["selection"]["columns"]:
        on_sort(SORTS[name])


def _columns(order: RunOrder) -> dict[str, Any]:
    """The columns; the one that the whole list is sorted by says so."""
    arrow = "↓" if order.descending else "↑"
    return {
        name: {**config, "label": f"{arrow} {config['label']}"} if SORTS.get(name) == order.column else config
        for name, config in COLUMNS.items()
    }


def _shown(row: RunRow) -> dict[str, Any]:
    return {
        "star": "★" if row.starred else "",
        "time": row.created_at,
        "model": row.model_asked,
        "answered": row.model_answered,
        "prompt": " ".join(row.prompt_start.split()),
        "status": STATUS_SIGNS.get(row.status, row.status),
        "finish": (row.finish_reason or "").replace(",", ", "),
        "tokens": row.total_tokens,
        "cost": "unknown" if row.cost_usd is None else dollars(row.cost_usd),
        "first token": row.first_token_s,
        "total": row.total_s,
        "connection": row.connection_name,
        "slot": row.slot.upper(),
        "tags": list(row.tags),
        "note": row.note,
    }
