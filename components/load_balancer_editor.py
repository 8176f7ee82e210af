"""The load balancer's models and weights, with the share of the traffic that each gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

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
    """Draw rows of ``model`` and ``weight`` as a table with a bar for the share, which follows every edit."""
    parts = shares([row.get("weight") for row in rows])
    table_editor(
        [{**row, "_share": part} for row, part in zip(rows, parts, strict=True)],
        key=key,
        columns={
            "model": st.column_config.TextColumn("model", help="provider/model, such as openai/gpt-4o", width=125),
            "weight": st.column_config.NumberColumn("weight", help="0.001 to 1; empty is 0.5", width=80, step=0.001, format="%.10g"),
            "_share": st.column_config.ProgressColumn("share", help="Weights are normalised", min_value=0, max_value=100, format="%.0f %%"),
        },
        edition=edition,
        disabled=disabled or ["_share"],
        alt="Load balancer: models, weights and shares",
    )
