"""*Weights*: a load balancer's configured shares beside those of a thousand draws and of the runs made so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from components.plain_text import plain
from core.run import Run
from core.shares_seen import DRAWS, Share, SharesSeen, shares_seen

ABOUT = "Seen: the runs of this session that had the same weights, with the 95 % interval. Answers from the cache were not drawn."


def weights(body: Mapping[str, Any], runs: Sequence[Run], *, key: str) -> None:
    """A popover that compares the weights of ``body`` with ``runs`` when it is opened."""
    box = st.popover("Weights", icon=":material/balance:", type="tertiary", key=f"weights-{key}", on_change="rerun")
    if not box.open:
        return
    with box, st.container(key=f"shares-{key}", gap="small"):
        found = shares_seen(body, runs)
        if found is None:
            st.markdown("The load balancer has no models with weights yet.")
            return
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
        seen = f"{_percent(row.seen)} ({_percent(row.low)} to {_percent(row.high)})"
    return f"| {plain(row.model, 120)} | {_percent(row.configured)} | {_percent(row.drawn)} | {plain(seen)} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".0 %", " %")
