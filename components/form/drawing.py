"""What every part of the form needs while it draws, and the marks it puts at fields: problems, conflicts, badges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

from components.form.memory import Memory, ask, widget_key
from components.plain_text import plain
from core.connection import ServerKind
from core.contract.conflicts import conflicts
from core.contract.parameters import BlockSpec, ParameterSpec
from core.draft import MISSING, get_path
from core.errors import Problem

NOT_UNDERSTOOD = ":gray-badge[not understood by this server]"
DEPRECATED = ":orange-badge[deprecated]"

Picks = Mapping[str, Callable[[], Mapping[str, str]]]
"""By the path of a field of names: asks for what there is to pick, what to show of each by its id. Asked only when it is drawn."""

NO_PICKS: Picks = {}


@dataclass(slots=True)
class Form:
    """One drawing of one slot's form. ``problems`` and ``clashes`` are messages by path; ``marked`` collects the paths that were
    shown; ``picks`` is what the router has to pick from; ``changed`` is called when a field or a switch was changed, before the rerun."""

    slot: str
    body: dict[str, Any]
    memory: Memory
    problems: dict[str, list[str]]
    models: Sequence[str]
    kind: ServerKind
    disabled: bool = False
    query: str = ""
    only_set: bool = False
    shelf: dict[str, Any] = field(default_factory=dict)
    clashes: dict[str, list[str]] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)
    can_undo: bool = False
    picks: Picks = field(default_factory=dict)
    changed: Callable[[], None] | None = None

    @classmethod
    def begin(
        cls,
        slot: str,
        draft: dict[str, Any],
        problems: Iterable[Problem],
        *,
        models: Sequence[str],
        kind: ServerKind,
        disabled: bool,
        picks: Picks = NO_PICKS,
    ) -> Form:
        """The form of ``slot`` about to be drawn from ``draft``."""
        form = cls(slot, draft["body"], Memory(slot), {}, models, kind, disabled, shelf=draft.get("shelf", {}), picks=picks)
        form.can_undo = bool(form.memory.undo)
        for problem in problems:
            form.problems.setdefault(problem.path, []).append(problem.message)
        for conflict in conflicts(form.body):
            loser = conflict.twin if conflict.wins == conflict.path else conflict.path
            form.clashes.setdefault(loser, []).append(conflict.message)
        return form

    @property
    def on_change(self) -> Callable[[], None] | Literal["rerun"]:
        """What a widget of a field is given as its ``on_change``."""
        return self.changed or "rerun"

    def key(self, path: str) -> str:
        """The widget key of ``path``."""
        return widget_key(self.slot, path)

    def value(self, path: str) -> Any:
        """What the draft holds at ``path``; `MISSING` when it is not sent."""
        return get_path(self.body, path)

    def is_set(self, path: str) -> bool:
        """Whether ``path`` is sent."""
        return get_path(self.body, path) is not MISSING

    def pickable(self, bracketed: str) -> Mapping[str, str]:
        """What the connected router has for the field at ``bracketed``: what to show of each by its id."""
        return self.picks.get(bracketed, dict)()

    def faults(self, path: str, *, below: bool = True) -> list[str]:
        """The messages at ``path`` and, with ``below``, at everything under it; they count as shown from now on."""
        prefix = f"{path}."
        found: list[str] = []
        for at, messages in self.problems.items():
            if at == path or (below and at.startswith(prefix)):
                self.marked.add(at)
                found.extend(messages)
        return found

    def unmarked(self) -> list[str]:
        """Messages that no widget has shown, with their path."""
        return [
            f"{path}: {message}" if path and not message.startswith(path) else message
            for path, messages in self.problems.items()
            if path not in self.marked
            for message in messages
        ]

    def marks(self, path: str, *, below: bool = True) -> None:
        """Draw what is wrong at ``path``, and what it loses to, under the widget just drawn."""
        for message in self.faults(path, below=below):
            st.markdown(f":small[:red[:material/error: {plain(message)}]]")
        for message in self.clashes.get(path, ()):
            st.markdown(f":small[:orange[:material/info: {plain(message)}]]")

    def label(self, spec: ParameterSpec | BlockSpec, path: str, *, badges: bool = False, understood: bool = True) -> str:
        """The label of a field or switch, red when something is wrong there; ``badges`` where no block around it has them."""
        prefix = f"{path}."
        wrong = any(at == path or at.startswith(prefix) for at in self.problems)
        name = path.rpartition(".")[2]
        parts = [f":red[{name}]" if wrong else name]
        if badges and spec.deprecated:
            parts.append(DEPRECATED)
        if badges and not understood and self.kind == "openai":
            parts.append(NOT_UNDERSTOOD)
        return " ".join(parts)

    def button(self, path: str, icon: str, edit: str, *arguments: Any, label: str = "", help: str | None = None) -> None:
        """A small button that asks for ``edit`` on the draft."""
        st.button(
            label,
            key=self.key(path),
            icon=f":material/{icon}:",
            type="tertiary",
            help=help,
            disabled=self.disabled,
            on_click=ask,
            args=(self.slot, edit, *arguments),
        )
