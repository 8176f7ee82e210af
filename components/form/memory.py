"""Between two script runs: what each widget was drawn with, and the edits that buttons asked for.

The draft is the truth. A widget is seeded with what the draft says (`Memory.seed`); at the top of the next script `collect`
compares what the widget holds with what it was drawn with, and folds only real differences into the draft.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from components.form.codecs import CODECS
from core.contract.parameters import block
from core.draft import MISSING, drop_path, get_path, set_path


@dataclass(frozen=True, slots=True)
class Change:
    """A widget that came to hold ``now`` and was drawn with ``drawn``; ``argument`` is what its codec's name carries after the colon."""

    path: str
    now: Any
    drawn: Any
    argument: str


Fold = Callable[[dict[str, Any], Change], None]
"""Puts a change into a draft, in place. Doing it twice is as doing it once: callbacks and the script may both collect."""

FOLDS: dict[str, Fold] = {}
"""By codec name (before the colon), for widgets that are more than a value; editors add theirs."""

DIFFERS: dict[str, Callable[[str, Any, Any], bool]] = {}
"""By codec name: ``differs(argument, now, drawn)``, for widgets whose state is not their value."""

EDITS: dict[str, Callable[..., None]] = {}
"""What buttons do to a draft, by name: ``edit(draft, *arguments)`` in place."""

_LAST = ("filter view", "inputs shape", "null", "block")


def widget_key(slot: str, path: str) -> str:
    """The key of the widget for ``path`` in ``slot``: ``a.orq.retry.count``.

    A null switch adds ``.null``; a block's switch bears the block's path.
    """
    return f"{slot}.{path}"


class Memory:
    """What one slot's form remembers while it is on the page; kept in ``st.session_state`` as plain values."""

    def __init__(self, slot: str) -> None:
        self.slot = slot
        kept: dict[str, Any] = st.session_state.setdefault(f"form.{slot}", {})
        self.drawn: dict[str, tuple[str, str, Any]] = kept.setdefault("drawn", {})
        self.edits: list[tuple[Any, ...]] = kept.setdefault("edits", [])
        self.undo: dict[str, Any] = kept.setdefault("undo", {})
        self.alarmed: list[str] = kept.setdefault("alarmed", [])
        self.editions: dict[str, int] = kept.setdefault("editions", {})

    def seed(self, key: str, path: str, codec: str, shown: Any) -> None:
        """Make the widget ``key``, about to be drawn, hold ``shown``; what it comes to hold is folded into ``path`` by ``codec``."""
        state = st.session_state
        if state.get(key, MISSING) != shown:
            state[key] = copy.copy(shown) if isinstance(shown, list) else shown
        self.note(key, path, codec, shown)

    def note(self, key: str, path: str, codec: str, shown: Any) -> None:
        """As `seed`, for a widget whose state cannot be set (tables): ``shown`` is what its edits are relative to."""
        self.drawn[key] = (path, codec, shown)

    def edition(self, key: str, codec: str, shown: Any) -> int:
        """A number for a widget whose state cannot be set, about to be drawn with ``shown``; a new one drops stale edits."""
        held = st.session_state.get(key)
        if held is not None and _differs(codec, held, shown):
            self.editions[key] = self.editions.get(key, 0) + 1
        return self.editions.get(key, 0)

    def forget(self) -> None:
        """Drop all that was drawn: the widgets start from the draft, and nothing typed into the old ones is folded."""
        for key in self.drawn:
            if key in st.session_state:
                del st.session_state[key]
            self.editions[key] = self.editions.get(key, 0) + 1
        self.drawn.clear()
        self.edits.clear()
        self.undo.clear()


def collect(slot: str, draft: dict[str, Any]) -> dict[str, Any]:
    """``draft`` with what the slot's widgets hold now folded in: a new draft, or ``draft`` itself when nothing changed.

    Call it at the top of the script, before anything is drawn, and in callbacks. A widget that still holds what it was drawn
    with, or that was not drawn, leaves the draft's exact value alone. Clicks of the form's own buttons (reset, add, remove, undo)
    are used up by the call.
    """
    memory = Memory(slot)
    changes = [
        (codec, path, st.session_state[key], shown)
        for key, (path, codec, shown) in memory.drawn.items()
        if key in st.session_state and _differs(codec, st.session_state[key], shown)
    ]
    if not changes and not memory.edits:
        return draft
    folded = {"extra": "", **copy.deepcopy(draft)}
    folded.setdefault("shelf", {})
    for codec, path, now, shown in sorted(changes, key=lambda change: change[0] in _LAST):
        name, _, argument = codec.partition(":")
        FOLDS.get(name, _fold_value)(folded, Change(path, now, shown, argument or name))
    if changes:
        memory.undo.clear()
    _apply_edits(memory, folded)
    return folded


def _differs(codec: str, now: Any, shown: Any) -> bool:
    """Whether a widget holds something else than it was drawn with."""
    name, _, argument = codec.partition(":")
    return DIFFERS[name](argument, now, shown) if name in DIFFERS else bool(now != shown)


def forget_widgets(slot: str) -> None:
    """Let the slot's widgets start from the draft again, after it was replaced. Call in callbacks only."""
    Memory(slot).forget()


def ask(slot: str, name: str, *arguments: Any) -> None:
    """The callback of the form's buttons: `collect` will do the edit ``name``."""
    Memory(slot).edits.append((name, *arguments))


def _apply_edits(memory: Memory, draft: dict[str, Any]) -> None:
    edits = list(memory.edits)
    memory.edits.clear()
    for name, *arguments in edits:
        if name == "undo":
            if memory.undo:
                draft.update(copy.deepcopy(memory.undo["before"]))
                memory.undo.clear()
            continue
        before = copy.deepcopy({part: draft[part] for part in ("body", "extra", "shelf")})
        EDITS[name](draft, *arguments)
        memory.undo.update(before=before, what=name)


def _fold_value(draft: dict[str, Any], change: Change) -> None:
    """For widgets of one value: ``argument`` is the kind."""
    value = CODECS[change.argument].read(change.now, get_path(draft["body"], change.path))
    put(draft, change.path, value)


def _fold_null(draft: dict[str, Any], change: Change) -> None:
    value = get_path(draft["body"], change.path)
    shelved = f"{change.path}.null"
    if change.now and value is not None:
        if value is not MISSING:
            draft["shelf"][shelved] = value
        set_path(draft["body"], change.path, None)
    elif not change.now and value is None:
        put(draft, change.path, draft["shelf"].pop(shelved, MISSING))


def _fold_block(draft: dict[str, Any], change: Change) -> None:
    value = get_path(draft["body"], change.path)
    is_on = value is not MISSING and value is not None
    if is_on and not change.now:
        draft["shelf"][change.path] = value
        drop_path(draft["body"], change.path)
    elif change.now and not is_on:
        put(draft, change.path, draft["shelf"].pop(change.path, _template(change.path)))


def _template(path: str) -> Any:
    spec = block(path)
    start = copy.deepcopy(spec.template)
    return [start] if spec.repeated else start


def put(draft: dict[str, Any], path: str, value: Any) -> None:
    """Set ``path`` of the draft's body, or take it out when ``value`` is `MISSING`."""
    if value is MISSING:
        drop_path(draft["body"], path)
    else:
        set_path(draft["body"], path, value)


FOLDS["null"] = _fold_null
FOLDS["block"] = _fold_block
