"""The page as the browser has it, so that an edit redraws what it changes and nothing else.

With every group of parameters open, a whole page costs a browser several times as much as the group that was edited. So the preset's
line, the ways to try the routing and the bar are fragments: a field that changes what one of them shows has it redrawn in the same run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from components import session
from components.parameter_form import Refreshed, collect
from components.playground import bar
from components.presets.bench import PlaygroundBench
from components.presets.preset_line import looks, preset_line
from components.prompts.source import PROMPT_ID, drawn_inputs
from components.runs.run_column import Slot, routing, routing_shown, standing
from components.services import workspace
from core.draft import get_path

PRESET, ROUTING, BAR = "playground-part-preset", "playground-part-routing", "playground-part-bar"


@dataclass(frozen=True, slots=True)
class Looks:
    """What the page shows of a draft beside the form. ``inputs`` are the fields under the prompt, which are no part of their own."""

    inputs: str
    preset: str
    routing: tuple[bool, bool]
    bar: str
    body: str


@dataclass(slots=True)
class Sheet:
    """``slot`` is what the page shows; ``drawn`` the parts that were drawn since the whole page was."""

    slot: Slot
    looks: Looks = field(init=False)
    drawn: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.looks = _looks(self.slot)

    def preset_line(self) -> None:
        """Draw the line of the preset that this is a version of."""
        with st.container(key="preset-frame"):
            self._part(PRESET, lambda _slot: preset_line(PlaygroundBench()))

    def routing(self) -> None:
        """Draw what can be tried of the draft's routing."""
        self._part(ROUTING, routing)

    def bar(self) -> None:
        """Draw Run, Stop and the line beside them."""
        self._part(BAR, bar.run_bar)

    def edited(self, group: str) -> None:
        """The callback of a field of the form: its ``group`` is redrawn and the parts that it changes; where it changes the fields under
        the prompt, the whole page."""
        slot = _kept(self.slot)
        now = _looks(slot)
        if now.inputs != self.looks.inputs:
            st.rerun()
        changed = self._changed(now)
        self.slot, self.looks = slot, now
        st.rerun([group, *changed])

    def refreshed(self, drawn: Slot) -> Refreshed:
        """The draft as its widgets are now, kept for a reload. What is ``around`` is empty where the page shows it already."""
        slot = _kept(drawn)
        now = _looks(slot)
        as_shown = now.inputs == self.looks.inputs and not self._changed(now)
        return Refreshed(slot.draft, slot.outgoing.problems, "" if as_shown else repr(now))

    def _part(self, key: str, draw: Callable[[Slot], None]) -> None:
        """Draw a part of the page as a fragment, which ``edited`` redraws and its own widgets do."""

        def drawn() -> None:
            if key in self.drawn:
                self._catch_up(key)
            self.drawn.add(key)
            draw(self.slot)

        st.fragment(drawn, key=key)()

    def _catch_up(self, key: str) -> None:
        """Look again, for a part that is redrawn: where something else has changed, too, the whole page is."""
        slot = _kept(self.slot)
        now = _looks(slot)
        if now.inputs != self.looks.inputs or any(part != key for part in self._changed(now)):
            st.rerun()
        self.slot, self.looks = slot, now

    def _changed(self, now: Looks) -> list[str]:
        before = self.looks
        wire = bar.shows_body(self.slot.name) and now.body != before.body
        changed = {PRESET: now.preset != before.preset, ROUTING: now.routing != before.routing, BAR: wire or now.bar != before.bar}
        return [part for part, has_changed in changed.items() if has_changed]


def _kept(drawn: Slot) -> Slot:
    """The slot as its widgets are now, kept for a reload."""
    draft = collect(drawn.name, session.draft(drawn.name) or drawn.draft)
    session.set_draft(drawn.name, draft)
    session.keep_draft(drawn.name, workspace().drafts)
    return standing(drawn.name, draft, drawn.connection)


def _looks(slot: Slot) -> Looks:
    body = slot.outgoing.body
    inputs = f"{get_path(body, PROMPT_ID, None)} {drawn_inputs(slot.connection, slot.draft['body'])}"
    return Looks(inputs, looks(PlaygroundBench()), routing_shown(body), bar.looks(slot), repr(body))
