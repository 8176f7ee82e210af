"""Hands pages the workspace; the only cached resource."""

from __future__ import annotations

import streamlit as st

from core.workspace import Workspace, opened_workspace


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The process's workspace, running."""
    return opened_workspace()
