"""From a snapshot to what can be edited and kept as a preset. Nothing is sent by it."""

from __future__ import annotations

from core.comparison.board import Board, BoardSlot, begun
from core.outgoing import draft_of
from core.preset.content import Content, comparison_content, draft_content
from core.preset.preset import LONGEST_NAME
from core.share.snapshot import SharedComparison, SharedSingleRun, Snapshot


def content_of(snapshot: Snapshot) -> Content:
    """What the snapshot's request sets, or its comparison, without runs; what was left out of it is not set."""
    if isinstance(snapshot.content, SharedComparison):
        return comparison_content(board_of(snapshot))
    return draft_content(draft_of(snapshot.content.request))


def board_of(snapshot: Snapshot) -> Board:
    """A comparison without runs; of a single request, one of two slots that are both set like it."""
    content = snapshot.content
    if not isinstance(content, SharedComparison):
        return begun(draft_of(content.request))
    prompt = next((slot.request.get("prompt") for slot in content.slots if not slot.own_prompt), None)
    slots = tuple(
        BoardSlot(draft_of(slot.request), slot.name[:40], own_prompt=slot.own_prompt or slot.request.get("prompt") != prompt)
        for slot in content.slots
    )
    return Board(slots, prompt=prompt, repeats=content.repeats, keep_cache=content.keep_cache)


def title_of(snapshot: Snapshot) -> str:
    """A line to know it by, made of what it shows: its name, else how its prompt begins, else its model."""
    content = snapshot.content
    if not isinstance(content, SharedSingleRun) and content.name.strip():
        return " ".join(content.name.split())[:LONGEST_NAME]
    kind = {"preset": "Settings", "run": "Run", "comparison": "Comparison"}[content.kind]
    prompt = next((text for request in snapshot.requests if isinstance(text := request.get("prompt"), str) and text.strip()), None)
    models = dict.fromkeys(model for request in snapshot.requests if isinstance(model := request.get("model"), str))
    about = " ".join(prompt.split()) if prompt else ", ".join(models)
    cut = about if len(about) <= 80 else about[:79] + "…"
    return f"{kind}: {cut}" if cut else kind
