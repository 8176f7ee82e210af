"""Changes of stored runs, made by a click: one that storage cannot make now is said and undoes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from components.plain_text import plain
from core.errors import PlaygroundError

P = ParamSpec("P")


def said_if_refused(change: Callable[P, None]) -> Callable[P, None]:
    """The callback ``change``; where it raises one of our errors, its cause and next step are shown and the page stays as it was."""

    @wraps(change)
    def changed(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            change(*args, **kwargs)
        except PlaygroundError as error:
            st.toast(plain(f"Nothing was changed. {error.cause} {error.next_step}"), icon=":material/error:", duration="long")

    return changed
