"""*Weights*: a load balancer's configured shares beside those of a thousand draws and of the runs made so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from components.plain_text import plain
from core.run import Run
from core.shares_seen import DRAWS, Share, SharesSeen, shares_seen

CSS = Path(__file__).with_suffix(".css")
ABOUT = "Seen: the runs of this session that had the same weights, with the 95 % interval. Answers from the cache were not drawn."


def weights(body: Mapping[str, Any], runs: Sequence[Run], *, key: str) -> None:
    """A button that compares the weights of ``body`` with ``runs`` in a dialog."""
    if st.button("Weights", icon=":material/balance:", type="tertiary", key=f"weights-{key}"):
        _dialog(body, runs, key)


@st.dialog("Weights", width="medium", icon=":material/balance:")
def _dialog(body: Mapping[str, Any], runs: Sequence[Run], key: str) -> None:
    with st.container(key=f"shares-{key}", gap="small"):
        found = shares_seen(body, runs)
        if found is None:
            st.markdown("The load balancer has no models with weights yet.")
            return
        st.html(CSS)
        st.markdown(f"**{plain(found.verdict)}**")
        st.markdown(table(found))
        st.caption(ABOUT)


def table(found: SharesSeen) -> str:
    """The shares as a Markdown table."""
    head = [f"| Model | Weight | {DRAWS:,} draws | Seen (n = {found.runs}) |", "|---|--:|--:|--:|"]
    return "\n".join([*head, *(_row(row) for row in found.rows)])


def _row(row: Share) -> str:
    seen = "–"
    if row.seen is not None and row.low is not None and row.high is not None:
        seen = f"{_percent(row.seen)} ({100 * row.low:.0f}–{_percent(row.high, 0)})"
    return f"| {plain(row.model, 120)} | {_percent(row.configured)} | {_percent(row.drawn)} | {seen} |"


def _percent(share: float, digits: int = 1) -> str:
    """A share with a space that does not break."""
    return f"{100 * share:.{digits}f}".removesuffix(".0") + "\u00a0%"
