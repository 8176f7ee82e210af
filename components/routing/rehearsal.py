"""*Rehearse routing*: what the draft's retries, fallbacks and time limit do when models fail, and the worst they can come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from components.plain_text import plain
from components.runs.lane import draw_lane
from core.errors import InvalidRequest
from core.lane.lane import span
from core.local_router.worst_case import WorstCase
from core.rehearsal import Rehearsal, rehearse

ABOUT = "Nothing is sent. Stand-ins take the models' places: the first fails twice with 429 and is slow after that. Waits are skipped."


def rehearsal(body: Mapping[str, Any], *, key: str) -> None:
    """A button that rehearses the routing fields of ``body`` and shows how it went in a dialog."""
    if st.button("Rehearse routing", icon=":material/theater_comedy:", type="tertiary", key=f"rehearse-{key}"):
        _dialog(body, key)


@st.dialog("Rehearse routing", width="large", icon=":material/theater_comedy:")
def _dialog(body: Mapping[str, Any], key: str) -> None:
    with st.container(key=f"rehearsal-{key}", gap="small"):
        try:
            played = rehearse(body)
        except InvalidRequest as refused:
            st.markdown(f":red[:material/error: {plain(refused.cause)}]")
            return
        st.caption(ABOUT)
        draw_lane(played.lane)
        st.markdown(f"**{plain(outcome(played))}**")
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in worst(played.worst)))
        st.markdown(_cast(played))


def outcome(played: Rehearsal) -> str:
    """How the rehearsal ended, in a sentence."""
    after = f"after {span(played.lane.total_ms)} and {played.attempts} of at most {played.worst.attempts} attempts"
    if played.status == 200:
        return f"{played.model} answered {after}."
    return f"The request failed with {played.status} {after}."


def worst(case: WorstCase) -> Iterator[str]:
    """The worst case in sentences: billed attempts, wall time and what it is made of."""
    each = case.attempts // case.targets
    models = "one model" if case.targets == 1 else f"each of {case.targets} models"
    yield f"Most billed attempts: {case.attempts} ({each} on {models})."
    waits = f" and {span(1000 * case.waits_s)} for the waits between them" if case.waits_s else ""
    if case.wall_s is None or case.attempts_s is None:
        yield f"Worst wall time: unlimited, because no timeout.call_timeout ends an attempt{waits.replace(' and ', '; at most ', 1)}."
    else:
        part = f"{span(1000 * case.attempts_s)} of it for the attempts{waits}" if waits else "all of it for the attempts"
        yield f"Worst wall time: {span(1000 * case.wall_s)}, {part}."
    if case.waits_s:
        yield "A provider whose Retry-After asks for a longer wait makes it longer."


def _cast(played: Rehearsal) -> str:
    rows = [f"| {plain(model, 120)} | {plain(script)} |" for model, script in played.twins]
    return "\n".join(["| Model | Stand-in’s script |", "|---|---|", *rows])
