"""The page as the browser has it: what its parts were drawn of, so that a part can be redrawn alone.

A page of eight slots is some five hundred elements, which take a browser a fifth of a second. So heads, settings, answers of slots, the
figures and the bar are fragments: a click that changes only one of them redraws that one, and the end of a run its slot's and what
counts it. A part that finds the comparison edited asks for the whole page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ParamSpec

import streamlit as st

from components import session
from components.compare import desk
from components.compare.blind_vote import under_way
from components.runs.run_column import Slot, standing
from core.comparison.board import Board
from core.comparison.runs import SlotRuns

P = ParamSpec("P")
COUNTED_EVERY_S = 2.0
ANSWER, BAR, GUARDS, PRESET, SETTINGS = (f"compare-part-{name}" for name in ("answer", "bar", "guards", "preset", "settings"))


@dataclass(slots=True)
class Sheet:
    """``board`` is what the page shows, ``models`` what the pickers offer; ``drawn`` the parts that were drawn since the whole page was."""

    board: Board
    models: Sequence[str]
    slots: list[Slot]
    runs: list[SlotRuns]
    drawn: set[str] = field(default_factory=set)
    looked: bool = False
    together: frozenset[str] = frozenset()
    """Parts that a callback asked for at once and that are still to come: the first that is drawn looks again for all (``looked``)."""

    @property
    def running(self) -> bool:
        """Whether some run is under way."""
        return any(of_slot.running for of_slot in self.runs)

    def shows(self, board: Board) -> bool:
        """Whether the page shows these settings, whatever runs there are."""
        return _settings(board) == _settings(self.board)

    def edited(self, group: str) -> None:
        """The callback of a field of the open form: its ``group`` is redrawn, the slot's chips (all chips for the baseline's), what warns
        and what tells of the costs. What concerns more than that slot is left to the group, which then has the whole page redrawn."""
        board, place = desk.collected(), self.board.edited
        if place is None or place >= len(board.slots):
            return
        alone = self.board.with_slot(place, replace(board.slots[place], runs=self.board.slots[place].runs))
        before, after = self.board.slots[place].draft["body"], board.slots[place].draft["body"]
        if _settings(alone) != _settings(board) or any(before.get(name) != after.get(name) for name in ("model", "prompt")):
            return
        desk.remember(board)
        self.board = board
        chips = range(len(board.slots)) if place == 0 else (place,)
        preset = [PRESET] if _has_preset() else []
        self.redraw([GUARDS, BAR, *preset, *map(settings_key, chips)], group)

    def redraw(self, parts: Sequence[str], *others: str) -> None:
        """Have the parts drawn anew, and ``others`` that look for themselves. For callbacks; does not return."""
        self.together, self.looked = frozenset(parts), False
        st.rerun([*others, *parts])

    def catch_up(self, key: str) -> None:
        """Look again before the part ``key`` is drawn alone, unless one that was asked for together with it has."""
        asked, self.together = key in self.together, self.together - {key} if key in self.together else frozenset()
        if not (asked and self.looked):
            self._look()
        self.looked = asked

    def _look(self) -> None:
        """For a part that is redrawn alone: the runs go on, which settings are open may change, another tab may vote blind."""
        board = desk.collected()
        if not self.shows(board) or under_way() is not None:
            st.rerun()
        self.board = board
        self.runs = list(desk.found_runs(board))
        connection = session.connection()
        self.slots = [standing(desk.slot_key(place), one.draft, connection) for place, one in enumerate(board.slots)]


def _settings(board: Board) -> Board:
    """What concerns the whole page: neither which settings are open nor which runs there are."""
    return replace(board, edited=None, slots=tuple(replace(slot, runs=()) for slot in board.slots))


def part(sheet: Sheet, key: str, draw: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Draw a part of the page as a fragment of its own, which ``st.rerun(key)`` redraws from a callback."""

    def drawn() -> None:
        if key in sheet.drawn:
            sheet.catch_up(key)
        sheet.drawn.add(key)
        draw(*arguments, **named)

    st.fragment(drawn, key=key)()


def head_key(place: int) -> str:
    """The key of the part that has a slot's name and buttons."""
    return f"compare-part-head-{place}"


def answer_key(place: int) -> str:
    """The key of the part that has a slot's answer."""
    return f"compare-part-answer-{place}"


def settings_key(place: int) -> str:
    """The key of the part that has a slot's model and what it sets differently."""
    return f"compare-part-settings-{place}"


def press_run(places: Sequence[int] | None = None) -> None:
    """The callback of Run, for all slots or for some; where that may cost more than the budget, it asks first."""
    if desk.asks(places):
        st.rerun()
    _run([*(range(len(desk.remembered().slots)) if places is None else places)])


def answer_question(run: bool) -> None:
    """The callback of the answer to the question whether to run above the budget."""
    places = session.comparison.question()
    session.comparison.ask(None)
    if run and places is not None:
        _run([place for place in places if place < len(desk.remembered().slots)])
    st.rerun()


def _run(chosen: Sequence[int]) -> None:
    """Heads and answers are redrawn, and what counts runs.

    The whole page is, where more changes: a refusal comes or goes, or the comparison is kept in the history from now on.
    """
    session.comparison.ask(None)
    every = range(len(desk.remembered().slots))
    as_it_was = desk.is_stored() and not any(session.refusal(desk.slot_key(place)) for place in every)
    if desk.run(chosen) and as_it_was:
        st.rerun([*map(head_key, chosen), *map(answer_key, chosen), ANSWER, BAR])
    st.rerun()


def ended(place: int) -> None:
    """The callback of a panel whose run has ended: its slot is redrawn, and what counts runs, but that not for each of many at once."""
    parts = [head_key(place), answer_key(place)]
    found = desk.found_runs(desk.remembered())
    if not any(of_slot.running for of_slot in found):
        parts += [ANSWER, BAR]
    elif time.monotonic() - session.comparison.counted() > COUNTED_EVERY_S:
        parts.append(ANSWER)
        session.comparison.set_counted(time.monotonic())
    st.rerun(parts)


def _has_preset() -> bool:
    """Whether the page says what differs from a preset, which any edit changes."""
    noted = session.comparison.preset()
    return noted is not None and noted[0] == session.comparison.current_id() and bool(noted[1])
