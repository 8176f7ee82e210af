"""How many calls a connection takes at once, and what goes on there now."""

from __future__ import annotations

import streamlit as st

from components.plain_text import plain
from components.services import workspace
from core.calls.limits import MOST_CALLS
from core.calls.places import Traffic
from core.connection import Connection
from core.errors import StorageProblem

ASK_AGAIN_S = 1.0


def call_limit_field(connection: Connection) -> None:
    """Draw the field and, under it, what is running and waiting; the limit counts for everybody who uses this address."""
    key = f"connection.{connection.kind}.calls_at_once"
    st.session_state[key] = workspace().call_limits.limit(connection)
    st.number_input(
        "Calls at once",
        1,
        MOST_CALLS,
        step=1,
        key=key,
        width=180,
        help="How many calls of all pages run at once at this address; the rest wait in order. A sweep leaves one place free for Run. "
        "When the router answers 429, fewer are sent until it answers again.",
        on_change=_take,
        args=(key, connection),
    )
    if refused := st.session_state.pop(f"{key}.refused", None):
        st.caption(f":red[:material/error: {plain(refused)}]")
    busy = _busy(workspace().hub.traffic(connection))
    st.fragment(_traffic, run_every=ASK_AGAIN_S if busy else None)(connection)


def _take(key: str, connection: Connection) -> None:
    try:
        workspace().call_limits.set(connection, int(st.session_state[key] or 1))
    except StorageProblem as problem:
        st.session_state[f"{key}.refused"] = f"{problem.cause} {problem.next_step}"
    else:
        workspace().hub.limits_changed()


def _busy(now: Traffic) -> bool:
    return bool(now.running or now.waiting or now.allowed < now.limit)


def _traffic(connection: Connection) -> None:
    now = workspace().hub.traffic(connection)
    if _busy(now):
        st.caption(" · ".join(traffic_parts(now)))


def traffic_parts(now: Traffic) -> list[str]:
    """What goes on at a connection, in words."""
    parts = [f"{now.running} running, {now.waiting} waiting"]
    if now.allowed < now.limit:
        parts.append(f":orange[:material/speed: backed off to {now.allowed} of {now.limit} at once after 429]")
    if now.pause_s > 0:
        parts.append(f":orange[asked to wait {now.pause_s:.0f} s more]")
    return parts
