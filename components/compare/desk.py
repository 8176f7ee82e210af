"""The comparison of this session: read from its durable keys, put back there, and the callbacks that change it.

Slots have keys by their place, ``compare-a`` to ``compare-h``: what is moved takes its draft and its runs along to another key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from components import session
from components.parameter_form import collect, forget_widgets
from components.run_column import launch
from components.services import workspace
from core.comparison.board import LETTERS, MOST_REPEATS, MOST_SLOTS, Board, NoRoom, begun, opened
from core.comparison.repeats import cache_trap, repeated, uncached
from core.outgoing import outgoing
from core.run import RunSnapshot

PLAYGROUND_SLOT = "a"
SHARED = "compare"
"""The key of the shared prompt, which is edited like a draft of nothing else."""
LINK = "compare"
"""The query parameter that finds a comparison again."""


def slot_key(place: int) -> str:
    """The key of the slot at ``place``."""
    return f"compare-{LETTERS[place].lower()}"


def gathered(linked: str | None) -> Board:
    """The comparison as it stands, what the widgets hold folded in: this session's, else the linked one, else the Playground's draft twice.

    Call before anything is drawn.
    """
    if session.comparison() is None:
        kept = workspace().drafts.load(linked) if linked else None
        put(Board.from_dict(kept) if kept and "slots" in kept else begun(_playground_draft()))
    board = collected()
    _remember(board)
    return board


def _playground_draft() -> dict[str, Any]:
    draft = session.draft(PLAYGROUND_SLOT)
    return session.FIRST_DRAFT if draft is None else collect(PLAYGROUND_SLOT, draft)


def collected() -> Board:
    """The session's comparison with what the widgets hold now."""
    kept = session.comparison() or {}
    shared = collect(SHARED, {"body": {} if kept["prompt"] is None else {"prompt": kept["prompt"]}, "extra": ""})
    slots = []
    for place, one in enumerate(kept["slots"]):
        key = slot_key(place)
        slots.append({**one, "draft": collect(key, session.draft(key) or session.FIRST_DRAFT)})
    return Board.from_dict({**kept, "slots": slots, "prompt": shared["body"].get("prompt")}).shared()


def _remember(board: Board) -> None:
    """Keep the board in the session, and where a reload finds it."""
    data = board.to_dict()
    workspace().drafts.save(session.comparison_id(), data)
    for place, one in enumerate(data["slots"]):
        session.set_draft(slot_key(place), one.pop("draft"))
    session.set_comparison(data)


def put(board: Board) -> None:
    """Put a board in place of the session's; for callbacks, and before anything is drawn."""
    _remember(board)
    forget_widgets(SHARED)
    for place in range(MOST_SLOTS):
        key = slot_key(place)
        forget_widgets(key)
        session.set_refusal(key, None)
        runs = board.slots[place].runs if place < len(board.slots) else ()
        if session.run_id(key) not in runs:
            session.set_run_id(key, runs[-1] if runs else None)
        if not runs:
            workspace().hub.detach(session.channel(), key)


def change(how: Callable[..., Board], *arguments: Any) -> None:
    """The callback of every button that changes the board: ``how(board, *arguments)`` is the new one."""
    before = collected()
    try:
        after = how(before, *arguments)
    except NoRoom as full:
        st.toast(str(full), icon=":material/view_column:")
        return
    put(after)
    session.set_comparison_undo((before.to_dict(), after.shared().to_dict()))


def undone(board: Board) -> Board | None:
    """What was there before the last button changed the slots; None when there is no such change, or something else happened since."""
    kept = session.comparison_undo()
    if kept is None or replace(board, edited=None) != replace(Board.from_dict(kept[1]), edited=None):
        return None
    return Board.from_dict(kept[0])


def undo() -> None:
    """The callback of Undo."""
    before = undone(collected())
    if before is not None:
        put(before)
    session.set_comparison_undo(None)


def edit(place: int | None) -> None:
    """The callback that opens the settings of a slot; of no slot with None."""
    _remember(replace(collected(), edited=place))


def from_playground() -> None:
    """The callback that begins anew from the Playground's draft."""
    change(lambda _board: begun(_playground_draft()))


def open_runs(runs: Sequence[RunSnapshot]) -> None:
    """Begin anew from stored runs: their requests become the slots, and they are shown."""
    board = opened([run.body for run in runs], [run.id for run in runs])
    if session.comparison() is None:
        put(board)
    else:
        change(lambda _board: board)


def runs_of(board: Board, place: int) -> list[RunSnapshot]:
    """The runs of a slot that can still be found, in the order they were started."""
    hub = workspace().hub
    return [run for run_id in board.slots[place].runs if (run := hub.snapshot(run_id) or hub.elsewhere(run_id))]


def leaving(board: Board) -> list[dict[str, Any]]:
    """The body that each slot sends, less the cache where that would make answers copies of each other and nobody asked to keep it."""
    bodies = [outgoing(one.draft).body for one in board.slots]
    trapped = not board.keep_cache and bool(cache_trap(bodies, board.repeats))
    return [uncached(body) for body in bodies] if trapped else bodies


def run(places: Sequence[int] | None = None) -> None:
    """The callback of Run: every slot's calls, or those of some ``places``. One slot that cannot run keeps the others from running, too."""
    board = collected()
    _remember(board)
    chosen = range(len(board.slots)) if places is None else places
    problems = {place: found[0].sentence for place in chosen if (found := outgoing(board.slots[place].draft).problems)}
    for place in chosen:
        session.set_refusal(slot_key(place), problems.get(place))
    if problems or any(not found.ended for place in chosen for found in runs_of(board, place)):
        return
    bodies = leaving(board)
    started: dict[int, list[str]] = {place: [] for place in chosen}
    sent = {place: repeated(bodies[place], board.repeats) for place in chosen}
    for number in range(board.repeats):  # in rounds, so that no slot has the quiet router to itself
        for place in chosen:
            run_id = launch(slot_key(place), sent[place][number], stored_as=LETTERS[place].lower())
            started[place] += [run_id] if run_id else []
    for place, runs in started.items():
        board = board.with_slot(place, replace(board.slots[place], runs=tuple(runs)))
    _remember(board)


def stop(places: Sequence[int] | None = None) -> None:
    """The callback of Stop: every run under way, or those of some ``places``."""
    kept = session.comparison() or {"slots": []}
    for place in range(len(kept["slots"])) if places is None else places:
        for run_id in kept["slots"][place]["runs"]:
            workspace().hub.stop(run_id)


def keep_cache(keep: bool) -> None:
    """The callback that lets repeats be answered from the cache, or not."""
    _remember(replace(collected(), keep_cache=keep))


def set_repeats(key: str) -> None:
    """The callback of the number of repeats, whose widget has ``key``."""
    _remember(replace(collected(), repeats=min(max(int(st.session_state[key] or 1), 1), MOST_REPEATS)))
