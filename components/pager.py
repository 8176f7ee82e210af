"""The way back and on through a long list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st


def pager(
    key: str,
    cursors: Sequence[str],
    following: str | None,
    turn: Callable[[list[str]], None],
    *,
    back: str = "Back",
    on: str = "More",
) -> None:
    """Draw two buttons, ``{key}.back`` and ``{key}.more``.

    ``cursors`` are those of the pages that were gone through, the shown one last and none on the first page; ``following`` is the next
    page's, None on the last. ``turn`` gets the cursors of the page that is to be shown.
    """
    st.button(back, key=f"{key}.back", icon=":material/chevron_left:", disabled=not cursors, on_click=turn, args=([*cursors[:-1]],))
    st.button(
        on,
        key=f"{key}.more",
        icon=":material/chevron_right:",
        icon_position="right",
        disabled=following is None,
        on_click=turn,
        args=([*cursors, following or ""],),
    )
