"""Charts and usage figures of a filter."""

from __future__ import annotations

import streamlit as st

from core.storage.run_query import RunFilter


def run_charts(which: RunFilter) -> None:
    """Charts."""
    st.caption("…")


def usage_figures(which: RunFilter) -> None:
    """Usage."""
    st.caption("…")
