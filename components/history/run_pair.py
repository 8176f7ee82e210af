"""Two stored runs beside each other: what was set differently, and what came out differently."""

from __future__ import annotations

import streamlit as st

from components.history.run_detail import cost_text, settings_chips
from components.plain_text import badge_label, plain
from components.text_diff import diff_tools, text_diff
from core.comparison.output_diff import verdict
from core.metrics import seconds
from core.storage.run_record import StoredRun

KEY = "history.pair"


def run_pair(one: StoredRun, other: StoredRun) -> None:
    """Draw the differences between two runs; the older one is the baseline."""
    before, after = sorted((one, other), key=lambda run: run.snapshot.created_at)
    with st.container(border=True, key="history-pair"):
        chips = settings_chips(before.snapshot, after.snapshot)
        st.markdown("**Sent differently**" if chips else "**The same request was sent**")
        with st.container(horizontal=True, gap="xsmall"):
            for chip in chips:
                st.badge(badge_label(chip, 120), color="blue")
        st.markdown(_figures(before, after))
        texts = before.snapshot.text, after.snapshot.text
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="history-pair-tools"):
            first = " of choice 1" if max(len(run.snapshot.choices) for run in (before, after)) > 1 else ""
            st.markdown(f"**Output{first}:** {plain(verdict(*texts))}", width="content")
            diff_tools(KEY)
        text_diff(*texts, names=("first", "second"), key=KEY)


def _figures(before: StoredRun, after: StoredRun) -> str:
    rows = [
        ("time (UTC)", *(f"{run.snapshot.created_at:%Y-%m-%d %H:%M:%S}" for run in (before, after))),
        ("status", *(run.snapshot.status for run in (before, after))),
        ("answered by", *(run.snapshot.model or "not told" for run in (before, after))),
        ("finish reason", *(_reasons(run) for run in (before, after))),
        ("tokens out", *(_tokens(run) for run in (before, after))),
        ("first token", *(_time(run.snapshot.timings.first_token_s) for run in (before, after))),
        ("total", *(_time(run.snapshot.timings.total_s) for run in (before, after))),
        ("cost", *(cost_text(run) for run in (before, after))),
    ]
    lines = ["| | first | second |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {plain(one)} | {plain(other)} |" for name, one, other in rows)])


def _reasons(run: StoredRun) -> str:
    return ", ".join(choice.finish_reason or "none" for _, choice in sorted(run.snapshot.choices.items())) or "none"


def _tokens(run: StoredRun) -> str:
    usage = run.snapshot.usage
    return "unknown" if usage is None or usage.completion_tokens is None else f"{usage.completion_tokens:,}"


def _time(value: float | None) -> str:
    return "unknown" if value is None else seconds(value)
