"""The lane under an answer: what happened on the way, drawn in proportion to time, and the same in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from components.plain_text import escaped
from core.lane.lane import Lane, Segment, lane, span
from core.run import RunSnapshot

CSS = Path(__file__).with_suffix(".css")
"""The shell draws it, once for all lanes of a page: eight of them would send it eight times, again with every end of a run."""
ASK_AGAIN_S = 0.2
STATUS_REM = 1.9
"""As wide as an attempt's status needs."""
LEGEND = (
    ("wait", "waiting", ("queue", "waiting")),
    ("shape", "prompt work", ("prompt", "inputs", "retrieval", "pii")),
    ("mark", "decision", ("cache", "draw", "fallback", "other")),
    ("try", "attempt", ("attempt",)),
    ("pause", "back-off", ("back_off",)),
    ("text", "streaming", ("streaming",)),
)
"""Class, word and kinds of each colour. A failed attempt has a colour of its own; the first text and the end are bare marks."""

Later = Callable[[], RunSnapshot | None]


def run_lane(run: RunSnapshot, *, key: str, later: Later | None = None) -> None:
    """The lane of an ended run. ``later`` is given while its trace is on the way: it gives the run once the trace came or will not come,
    and None before; until then the lane says that it waits."""
    with st.container(key=f"lane-{key}"):
        if later is None:
            draw_lane(lane(run))
        else:
            st.fragment(_waiting, run_every=ASK_AGAIN_S)(later)


def _waiting(later: Later) -> None:
    run = later()
    if run is None:
        st.caption("Asking the router what it did …")
    else:
        st.rerun()  # the whole page, whose lane then has no timer any more


def draw_lane(drawn: Lane) -> None:
    """One bar of segments, the line that says what mattered, the legend, and the same as text."""
    if not drawn.segments:
        return
    st.html(lane_html(drawn))


def lane_html(drawn: Lane) -> str:
    """The lane as HTML. Whatever text is in it stays text."""
    steps = "".join(_step(segment, drawn.total_ms, _share(drawn)) for segment in drawn.segments)
    said = " · ".join(part for part in (drawn.headline, "" if drawn.traced else drawn.basis) if part)
    rows = "".join(f"<li>{escaped(sentence)}</li>" for sentence in drawn.sentences)
    return (
        f'<div class="lane"><ol class="lane-bar" aria-label="What happened on the way">{steps}</ol>'
        + (f'<p class="lane-said">{escaped(said, 600)}</p>' if said else "")
        + f'<div class="lane-legend">{_legend(drawn)}</div>'
        + f'<details class="lane-words"><summary>As text</summary><ol>{rows}</ol><p>{escaped(drawn.basis)}</p></details></div>'
    )


def _share(drawn: Lane) -> float:
    """The most, in per cent of the bar, that a short segment may be widened to, so that there is room for all of them."""
    return min(15.0, 60 / len(drawn.segments))


def _step(segment: Segment, total_ms: float, least: float) -> str:
    took_ms = segment.end_ms - segment.start_ms
    brief = took_ms < total_ms / 1000 or not total_ms
    moment = brief and segment.kind != "attempt"
    classes = ["lane-step", f"lane-{_tone(segment)}"]
    classes += ["lane-inferred"] * (not segment.observed) + ["lane-moment"] * moment
    narrowest = 0.375 if moment else STATUS_REM if segment.kind == "attempt" else 0.75
    size = f"min-width:min({narrowest}rem,{least:.2f}%)" + ("" if moment else f";flex:{1000 * took_ms / (total_ms or 1):.3f} 1 0")
    inferred = "" if segment.observed else " (inferred)"
    words = f"{escaped(segment.when)}{inferred}: {escaped(segment.detail)}"
    return (
        f'<li class="{" ".join(classes)}" style="{size}" title="{words}"><span class="lane-label" aria-hidden="true">'
        f'{_label(segment)}</span><span class="lane-hidden">{words}</span></li>'
    )


def _label(segment: Segment) -> str:
    """The label; of an attempt, the status is there before the target has room."""
    status, _, target = segment.label.partition(" ")
    if segment.kind == "attempt" and status.isdecimal() and target:
        return f'{status}<span class="lane-rest"> {escaped(target, 80)}</span>'
    return escaped(segment.label, 80)


def _tone(segment: Segment) -> str:
    if segment.outcome == "bad":
        return "bad"
    return next((name for name, _, kinds in LEGEND if segment.kind in kinds), "edge")


def _legend(drawn: Lane) -> str:
    """The colours that are in the bar, and how long it is."""
    tones = {_tone(segment) for segment in drawn.segments if segment.kind != "end"}
    words = [(name, word) for name, word, _ in LEGEND if name in tones]
    words += [("bad", "failed")] * ("bad" in tones) + [("wait lane-inferred", "inferred")] * drawn.inferred
    keys = "".join(f'<span><i class="lane-{name}"></i>{word}</span>' for name, word in words)
    return f"{keys}<span>{escaped(span(drawn.total_ms))} in all</span>"
