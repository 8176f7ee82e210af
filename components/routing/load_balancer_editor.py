"""The load balancer's models and weights, with the share of the traffic that each gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from components.plain_text import plain
from components.table_editor import Row, table_editor

DEFAULT_WEIGHT = 0.5
"""What a model weighs whose weight is not sent (contract §2)."""


def shares(weights: Sequence[Any]) -> list[float | None]:
    """The part of the traffic each weight stands for, 0…100; ``None`` for a weight that is no positive number."""
    counted = [DEFAULT_WEIGHT if weight is None else weight for weight in weights]
    usable = [w if isinstance(w, (int, float)) and not isinstance(w, bool) and math.isfinite(w) and w > 0 else None for w in counted]
    total = math.fsum(w for w in usable if w is not None)
    return [None if w is None else 100 * w / total for w in usable]


def load_balancer_editor(rows: Sequence[Row], *, key: str, edition: int = 0, disabled: bool = False) -> None:
    """Draw rows of ``model`` and ``weight`` as a table, and under it the share of each model, which follows every edit."""
    table_editor(
        rows,
        key=key,
        columns={
            "model": st.column_config.TextColumn("model", help="provider/model, such as openai/gpt-4o", width=190),
            "weight": st.column_config.NumberColumn("weight", help="0.001 to 1; empty is 0.5", width=90, step=0.001, format="%.10g"),
        },
        edition=edition,
        disabled=disabled,
        alt="Load balancer: models and weights",
    )
    if rows:
        with st.container(key=f"{key}.shares", gap="xxsmall"):
            _share_bar(rows)


def _share_bar(rows: Sequence[Row]) -> None:
    """The shares as one bar and in words. Not a column of the table: new data would take keys from whoever is typing in it."""
    parts = shares([row.get("weight") for row in rows])
    usable = [part for part in parts if part is not None]
    blocks = "".join(
        f'<i style="flex:{part:.4f};background:currentColor;opacity:{0.85 / (1 + 0.6 * place):.2f}"></i>'
        for place, part in enumerate(usable)
    )
    st.html(f'<div aria-hidden="true" style="display:flex;gap:2px;height:6px;border-radius:3px;overflow:hidden">{blocks}</div>')
    named = zip(rows, parts, strict=True)
    st.caption(" · ".join(f"{plain(str(row.get('model', '')))} **{'–' if part is None else f'{part:.0f} %'}**" for row, part in named))
