"""A snapshot, drawn: the request, what came of it, and the figures. All of it is what a stranger wrote, and shown as text only."""

from __future__ import annotations

import html
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import streamlit as st

from components.code_block import MOST_SHOWN, long_code
from components.plain_text import badge_label, escaped, plain, with_controls_shown
from components.presets.contents import contents
from components.runs.lane import draw_lane
from components.runs.run_summary import quiet_line
from core.comparison.board import LETTERS
from core.comparison.figure_text import figure_text
from core.comparison.figures import COST, MEASURES
from core.comparison.settings import differences, shown
from core.prices.run_cost import RunCost
from core.share.items import LABELS
from core.share.markdown import to_markdown
from core.share.opening import content_of
from core.share.snapshot import SharedComparison, SharedRun, SharedSingleRun, SharedSlot, Snapshot

CSS = Path(__file__).with_name("share.css")
RUNS_SHOWN = 3
"""Repeats of a slot that are drawn at once; the rest is folded."""
CHIPS = 12


def snapshot_view(snapshot: Snapshot) -> None:
    """Draw it."""
    st.html(CSS)
    content = snapshot.content
    if snapshot.hidden:
        left_out = ", ".join(LABELS[name] for name in snapshot.hidden)
        st.caption(f":material/visibility_off: Left out by whoever shared it: {plain(left_out)}")
    if isinstance(content, SharedComparison):
        _about(content.description, content.tags)
        _comparison(content, snapshot)
    elif isinstance(content, SharedSingleRun):
        with st.container(key="share-run", gap="small"):
            st.markdown("**Request**")
            _request(snapshot)
            _run(content.run, content.request)
    else:
        _about(content.description, content.tags)
        _request(snapshot)
    box = st.expander("As Markdown, to copy", icon=":material/content_copy:", key="share.markdown", on_change="rerun")
    if box.open:
        with box:
            long_code(to_markdown(snapshot), height=320, strange=True)


def strange_text(text: str, *, key: str, height: int = 320) -> None:
    """A stranger's text in a box at most ``height`` pixels high. Not code: colouring it would take a cold browser another 1.5 MB."""
    shown = with_controls_shown(text[:MOST_SHOWN])
    tall = shown.count("\n") > height / 22 or len(shown) > 90 * height / 22
    with st.container(key=f"strange-{key}", border=True, height=height if tall else "content"):
        st.text(shown or " ")
    if len(text) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN:,} of {len(text):,} characters.")


def _request(snapshot: Snapshot) -> None:
    prompt = snapshot.requests[0].get("prompt")
    if isinstance(prompt, str):
        strange_text(prompt, key="prompt", height=200)
    contents(content_of(snapshot), prompts=not isinstance(prompt, str))


def _about(description: str, tags: Sequence[str]) -> None:
    if description:
        strange_text(description, key="description", height=120)
    if tags:
        with st.container(horizontal=True, gap="xsmall"):
            for tag in tags[:50]:
                st.badge(badge_label(tag, 60), color="violet")


def _run(run: SharedRun, request: dict[str, object], *, key: str = "run", height: int = 320) -> None:
    """Output, quiet line, lane."""
    for choice in run.choices:
        st.markdown("**Output**" if len(run.choices) == 1 else f"**Output {choice.index + 1}**")
        if choice.text is None:
            st.caption(":material/visibility_off: Left out.")
        else:
            strange_text(choice.text, key=f"{key}-{choice.index}", height=height)
    if not run.choices:
        st.caption("No text came.")
    if run.error:
        st.error(plain(f"{run.error.cause} {run.error.next_step}"), icon=":material/error:")
    seen = run.snapshot(request)
    cost = RunCost(None if run.cost.usd is None else Decimal(run.cost.usd), run.cost.reason) if run.cost else None
    quiet_line(seen, cost)
    where = run.connection.name + (f" · {run.connection.base_url}" if run.connection.base_url else "")
    st.caption(plain(f"{run.status} · {run.created_at:%Y-%m-%d %H:%M} UTC · over {where}"))
    if run.lane:
        draw_lane(run.lane.lane())


def _comparison(content: SharedComparison, snapshot: Snapshot) -> None:
    """Slots beside each other, then their figures and what they say."""
    with st.expander("Settings of each slot", icon=":material/tune:", key="share.settings", on_change="rerun") as settings:
        if settings.open:
            contents(content_of(snapshot))
    shared_prompt = content.slots[0].request.get("prompt")
    if isinstance(shared_prompt, str):
        st.caption("Prompt" if all(slot.request.get("prompt") == shared_prompt for slot in content.slots) else "Prompt of A")
        strange_text(shared_prompt, key="prompt", height=120)
    with st.container(horizontal=True, gap="medium", wrap=False, key="share-slots"):
        for place, slot in enumerate(content.slots):
            with st.container(border=True, gap="small", key=f"share-slot-{LETTERS[place].lower()}"):
                _slot(content, place, slot)
    if any(slot.figures for slot in content.slots):
        st.html(_figures(content.slots))
    for sentence in content.verdicts:
        st.markdown(f":material/difference: **{plain(sentence)}**")


def _slot(content: SharedComparison, place: int, slot: SharedSlot) -> None:
    st.markdown(f"**{plain(_title(place, slot), 60)}**" + (" :gray[baseline]" if place == 0 else ""))
    found = differences(content.slots[0].request if place else {}, slot.request)
    with st.container(horizontal=True, gap="xsmall"):
        for one in [one for one in found if place or one.path != "prompt"][:CHIPS]:
            st.badge(badge_label(one.text if place else f"{one.path} {shown(one.after)}", 60), color="gray")
        if place and not found:
            st.caption("Set like A.")
    for number, run in enumerate(slot.runs[:RUNS_SHOWN]):
        _run(run, slot.request, key=f"{place}-{number}", height=260)
    rest = slot.runs[RUNS_SHOWN:]
    if rest:
        box = st.expander(f"{len(rest)} more", key=f"share.more.{place}", on_change="rerun")
        if box.open:
            with box:
                for number, run in enumerate(rest, RUNS_SHOWN):
                    _run(run, slot.request, key=f"{place}-{number}", height=200)


def _title(place: int, slot: SharedSlot) -> str:
    return f"{LETTERS[place]} · {slot.name}" if slot.name else LETTERS[place]


def _figures(slots: Sequence[SharedSlot]) -> str:
    """A row for each slot; everything in it is escaped."""
    names = [name for name in (*MEASURES, COST) if any(slot.figures.get(name) for slot in slots)]
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in ("slot", *names))
    rows = []
    for place, slot in enumerate(slots):
        cells = [escaped(_title(place, slot), 60), *(html.escape(figure_text(name, slot.figures.get(name))) for name in names)]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<div class='share-figures'><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
