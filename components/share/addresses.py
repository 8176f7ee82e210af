"""The address of this playground as the browser has it, for links that work where the reader is."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

import streamlit as st

PAGE: Final = "share"
"""The page's path."""
STORED: Final = "s"
"""The query parameter with a share's id."""
CONTAINED: Final = "c"
"""The query parameter with the whole of a small snapshot."""
PAGES: Final = frozenset({"", "compare", "presets", "history", "knowledge", "prompts", "connections", "settings", PAGE})


def share_address(parameter: str = "", value: str = "") -> str:
    """The address of the page that shows what is shared, on this host and below this path; relative where the browser told no address."""
    parts = urlsplit(st.context.url or "")
    segments = parts.path.strip("/").split("/")
    below = "/".join(segments[:-1] if segments[-1] in PAGES else segments)
    base = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
    query = f"?{parameter}={quote(value, safe='')}" if parameter else ""
    return f"{base}/{below}{'/' if below else ''}{PAGE}{query}"
