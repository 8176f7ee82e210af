"""The stream of run events that the browser follows, and the run that each slot shows."""

from __future__ import annotations

import secrets

import streamlit as st

_CHANNEL = "session.channel"
_REPLAYS = "session.replays"

RUNS_REMEMBERED = 500
"""How many runs of a slot a session can go back to."""


def channel() -> str:
    """The id of this session's stream of run events; unguessable, one per browser session."""
    if _CHANNEL not in st.session_state:
        st.session_state[_CHANNEL] = secrets.token_urlsafe(12)
    return str(st.session_state[_CHANNEL])


def run_id(slot: str) -> str | None:
    """The run shown in ``slot``."""
    found: str | None = st.session_state.get(f"session.run.{slot}")
    return found


def set_run_id(slot: str, value: str | None) -> None:
    """Show run ``value`` in ``slot``; ``None`` empties it."""
    st.session_state[f"session.run.{slot}"] = value
    if value is not None:
        st.session_state[f"session.runs.{slot}"] = [*(run for run in run_ids(slot) if run != value), value][-RUNS_REMEMBERED:]


def run_ids(slot: str) -> list[str]:
    """The runs that were shown in ``slot`` during this session, the newest last."""
    found: list[str] = st.session_state.get(f"session.runs.{slot}", [])
    return found


def refusal(slot: str) -> str | None:
    """Why the last press of Run in ``slot`` sent nothing, if it did not."""
    found: str | None = st.session_state.get(f"session.refusal.{slot}")
    return found


def set_refusal(slot: str, text: str | None, *, lasts: bool = False) -> None:
    """Remember why Run sent nothing; ``None`` forgets it. One that ``lasts`` stays when the draft has no problems (any more)."""
    st.session_state[f"session.refusal.{slot}"] = text
    st.session_state[f"session.refusal_lasts.{slot}"] = lasts


def refusal_lasts(slot: str) -> bool:
    """Whether the refusal has nothing to do with the draft."""
    return bool(st.session_state.get(f"session.refusal_lasts.{slot}"))


def replay_of(run_id: str) -> str | None:
    """The newest run that repeats ``run_id`` in this session."""
    found: str | None = st.session_state.get(_REPLAYS, {}).get(run_id)
    return found


def set_replay(run_id: str, replay: str) -> None:
    """Remember that ``replay`` repeats ``run_id``."""
    st.session_state[_REPLAYS] = {**st.session_state.get(_REPLAYS, {}), run_id: replay}
