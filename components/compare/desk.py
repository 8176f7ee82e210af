"""The comparison of this session: read from its durable keys, put back there, and the callbacks that change it.

Slots have keys by their place, ``compare-a`` to ``compare-h``: what is moved takes its draft and its runs along to another key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from components import session
from components.parameter_form import collect, forget_widgets
from components.runs.run_column import launch
from components.services import workspace
from core.comparison.board import LETTERS, MOST_REPEATS, MOST_SLOTS, Board, NoRoom, begun, opened
from core.comparison.preflight import Preflight, preflight
from core.comparison.record import Comparison
from core.comparison.repeats import cache_trap, repeated, uncached
from core.comparison.runs import SlotRuns, board_runs
from core.comparison.store import EditedElsewhere
from core.draft_store import new_draft_id
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
    if session.comparison.current() is None:
        found = workspace().comparisons.find(linked) if linked else None
        if linked and found is None:
            session.comparison.set_notice("This comparison was not found. It may have been deleted, or belong to another playground.")
        if found is None:
            begin(begun(_playground_draft()))
        else:
            adopt(found)
    else:
        _catch_up()
    board = collected()
    remember(board)
    return board


def adopt(found: Comparison) -> None:
    """Edit ``found`` from now on; for callbacks, and before anything is drawn."""
    session.comparison.set_current_id(found.id, revision=found.revision)
    put(found.board)


def begin(board: Board) -> None:
    """Edit a new comparison from now on."""
    made = workspace().comparisons.begin(new_draft_id(), board)
    session.comparison.set_current_id(made.id, revision=made.revision)
    put(board)


def _catch_up() -> None:
    """Take over what another tab made of the comparison, where nothing was edited here."""
    comparison_id = session.comparison.current_id()
    now = workspace().comparisons.current(comparison_id) if comparison_id else None
    if now is not None and now.revision != session.comparison.revision() and collected() == remembered():
        adopt(now)


def _playground_draft() -> dict[str, Any]:
    draft = session.draft(PLAYGROUND_SLOT)
    return session.FIRST_DRAFT if draft is None else collect(PLAYGROUND_SLOT, draft)


def remembered() -> Board:
    """The session's comparison as it was kept last."""
    kept = session.comparison.current() or {}
    slots = [{**one, "draft": session.draft(slot_key(place)) or session.FIRST_DRAFT} for place, one in enumerate(kept["slots"])]
    return Board.from_dict({**kept, "slots": slots})


def collected() -> Board:
    """The session's comparison with what the widgets hold now."""
    kept = session.comparison.current() or {}
    shared = collect(SHARED, {"body": {} if kept["prompt"] is None else {"prompt": kept["prompt"]}, "extra": ""})
    slots = []
    for place, one in enumerate(kept["slots"]):
        key = slot_key(place)
        slots.append({**one, "draft": collect(key, session.draft(key) or session.FIRST_DRAFT)})
    return Board.from_dict({**kept, "slots": slots, "prompt": shared["body"].get("prompt")}).shared()


def remember(board: Board) -> None:
    """Keep the board in the session and in the comparison; in a copy of it where another tab has changed it meanwhile."""
    store, comparison_id = workspace().comparisons, session.comparison.current_id() or new_draft_id()
    try:
        kept = store.edit(comparison_id, board, seen=session.comparison.revision())
    except EditedElsewhere as elsewhere:
        name = f"{elsewhere.now.name} (copy)" if elsewhere.now.name else ""
        kept = store.begin(new_draft_id(), board, name=name)
        session.comparison.set_notice("Another tab has changed this comparison meanwhile: what you do here goes on in a copy.")
    session.comparison.set_current_id(kept.id, revision=kept.revision)
    data = board.to_dict()
    for place, one in enumerate(data["slots"]):
        session.set_draft(slot_key(place), one.pop("draft"))
    session.comparison.set_current(data)


def put(board: Board) -> None:
    """Put a board in place of the session's; for callbacks, and before anything is drawn."""
    remember(board)
    session.comparison.ask(None)
    forget_widgets(SHARED)
    for place in range(MOST_SLOTS):
        key = slot_key(place)
        forget_widgets(key)
        session.set_refusal(key, None)
        runs = board.slots[place].runs if place < len(board.slots) else ()
        if session.run_id(key) not in runs:
            session.set_run_id(key, runs[-1] if runs else None)
        if not runs:
            workspace().hub.channels.clear(session.channel(), key)


def change(how: Callable[..., Board], *arguments: Any) -> None:
    """The callback of every button that changes the board: ``how(board, *arguments)`` is the new one."""
    before = collected()
    try:
        after = how(before, *arguments)
    except NoRoom as full:
        st.toast(str(full), icon=":material/view_column:")
        return
    put(after)
    _undoable(before)


def _undoable(before: Board, comparison_id: str | None = None) -> None:
    """Let the change from ``before``, of this comparison or of another one, be undone as long as nothing else happens."""
    session.comparison.set_undo((comparison_id or str(session.comparison.current_id()), before.to_dict(), remembered().shared().to_dict()))
    for place in range(MOST_SLOTS):
        session.set_imported(slot_key(place), None)  # an import says what it came to after this


def undone(board: Board) -> Board | None:
    """What was there before the last button changed the slots; None when there is no such change, or something else happened since."""
    kept = session.comparison.undo()
    if kept is None or replace(board, edited=None) != replace(Board.from_dict(kept[2]), edited=None):
        return None
    return Board.from_dict(kept[1])


def undo() -> None:
    """The callback of Undo."""
    before, kept = undone(collected()), session.comparison.undo()
    if before is not None and kept is not None:
        former = workspace().comparisons.find(kept[0])
        if former is not None and former.id != session.comparison.current_id():
            adopt(former)
        else:
            put(before)
    session.comparison.set_undo(None)


def start_over(board: Board) -> None:
    """Begin a new comparison in place of the one that is edited, which stays where it is kept; for callbacks."""
    if session.comparison.current() is None:
        begin(board)
        return
    before, former = collected(), session.comparison.current_id()
    remember(before)
    begin(board)
    _undoable(before, former)


def copy() -> None:
    """The callback of Duplicate: go on in a copy, with the runs; the comparison stays as it is."""
    board, former = collected(), workspace().comparisons.current(str(session.comparison.current_id()))
    start_over(board)
    if former is not None and former.name:
        workspace().comparisons.rename(str(session.comparison.current_id()), f"{former.name} (copy)")


def edit(place: int | None) -> None:
    """The callback that opens the settings of a slot; of no slot with None."""
    remember(replace(collected(), edited=place))


def from_playground() -> None:
    """The callback that begins anew from the Playground's draft."""
    start_over(begun(_playground_draft()))


def from_draft(draft: Mapping[str, Any]) -> None:
    """Begin anew from a draft: two slots set like it; for callbacks."""
    start_over(begun(draft))


def open_runs(runs: Sequence[RunSnapshot]) -> None:
    """Begin anew from stored runs: their requests become the slots, and they are shown."""
    start_over(opened([run.body for run in runs], [run.id for run in runs]))


def open_stored(comparison_id: str) -> bool:
    """Go on with a stored comparison; False when it is not there. For callbacks, and before the page is drawn."""
    found = workspace().comparisons.find(comparison_id)
    if found is None:
        return False
    if session.comparison.current() is not None:
        remember(collected())
    session.comparison.set_undo(None)
    adopt(found)
    return True


def found_runs(board: Board) -> tuple[SlotRuns, ...]:
    """The runs of every slot that are still there; each slot then shows one of them."""
    found = board_runs(board, workspace().hub, workspace().runs)
    for place, of_slot in enumerate(found):
        key, ids = slot_key(place), [run.id for run in of_slot.found]
        if of_slot.missing and session.run_id(key) not in ids:
            session.set_run_id(key, ids[-1] if ids else None)
            if not ids:
                workspace().hub.channels.clear(session.channel(), key)
    return found


def _under_way(board: Board, place: int) -> bool:
    hub = workspace().hub
    return any((run := hub.run(run_id)) is not None and not run.ended for run_id in board.slots[place].runs)


def leaving(board: Board) -> list[dict[str, Any]]:
    """The body that each slot sends, less the cache where that would make answers copies of each other and nobody asked to keep it."""
    bodies = [outgoing(one.draft).body for one in board.slots]
    trapped = not board.keep_cache and bool(cache_trap(bodies, board.repeats))
    return [uncached(body) for body in bodies] if trapped else bodies


def preflight_of(board: Board, places: Sequence[int] | None = None) -> Preflight:
    """What running all slots, or those of some ``places``, comes to. Its places count among those."""
    current, connection = workspace(), session.connection()
    every = leaving(board)
    bodies = every if places is None else [every[place] for place in places]
    seconds = [current.call_times.seconds(connection.name, str(body.get("model") or "")) for body in bodies]
    return preflight(bodies, board.repeats, current.prices.prices, seconds, at_once=current.hub.traffic(connection).allowed)


def asks(places: Sequence[int] | None = None) -> bool:
    """Whether Run asks first, because these slots may cost more than the budget; the page then asks."""
    board, budget = collected(), workspace().comparison_budget.usd
    chosen = [*(range(len(board.slots)) if places is None else places)]
    if budget is None or not preflight_of(board, chosen).above(budget):
        return False
    session.comparison.ask(chosen)
    return True


def is_stored() -> bool:
    """Whether the comparison is listed in the history already."""
    now = workspace().comparisons.current(session.comparison.current_id() or "")
    return now is not None and now.stored


Repeating = Callable[[Mapping[str, Any], int], list[dict[str, Any]]]
"""From a slot's body and how often to the bodies that leave."""


def run(places: Sequence[int] | None = None, *, bodies_of: Repeating = repeated, repeats: int | None = None, shown: bool = True) -> bool:
    """Start every slot's calls, or those of some ``places``; whether all of them were. One slot that cannot run keeps the others from
    running, too. ``repeats`` is how many of each, where not as often as the board says; ``shown`` as in ``launch``."""
    board = collected()
    count = repeats or board.repeats
    remember(board)
    chosen = range(len(board.slots)) if places is None else places
    problems = {place: found[0].sentence for place in chosen if (found := outgoing(board.slots[place].draft).problems)}
    for place in chosen:
        session.set_refusal(slot_key(place), problems.get(place))
    if problems or any(_under_way(board, place) for place in chosen):
        return False
    bodies = leaving(board)
    started: dict[int, list[str]] = {place: [] for place in chosen}
    sent = {place: bodies_of(bodies[place], count) for place in chosen}
    for number in range(count):  # in rounds, so that no slot has the quiet router to itself
        for place in chosen:
            run_id = launch(slot_key(place), sent[place][number], stored_as=LETTERS[place].lower(), shown=shown)
            started[place] += [run_id] if run_id else []
    for place, runs in started.items():
        board = board.with_slot(place, replace(board.slots[place], runs=tuple(runs)))
    remember(board)
    return all(len(runs) == count for runs in started.values())


def stop(places: Sequence[int] | None = None) -> None:
    """The callback of Stop: every run under way, or those of some ``places``."""
    kept = session.comparison.current() or {"slots": []}
    for place in range(len(kept["slots"])) if places is None else places:
        for run_id in kept["slots"][place]["runs"]:
            workspace().hub.stop(run_id)


def keep_cache(keep: bool) -> None:
    """The callback that lets repeats be answered from the cache, or not."""
    remember(replace(collected(), keep_cache=keep))


def set_repeats(key: str) -> None:
    """The callback of the number of repeats, whose widget has ``key``."""
    remember(replace(collected(), repeats=min(max(int(st.session_state[key] or 1), 1), MOST_REPEATS)))
