"""What a preset is opened on and saved from: the Playground's draft, or the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

from components import session
from components.compare import desk
from components.parameter_form import collect
from components.runs.run_column import replace_draft
from core.preset.content import ComparisonContent, Content, DraftContent, comparison_content, draft_content

PLAYGROUND_SLOT = "a"


@dataclass(frozen=True, slots=True)
class Link:
    """The version of a preset that something was opened from or saved as."""

    preset: str
    version: int

    def to_dict(self) -> dict[str, Any]:
        """As a draft keeps it."""
        return {"id": self.preset, "version": self.version}

    @classmethod
    def from_dict(cls, data: Any) -> Link | None:
        """What ``to_dict`` gave; None for anything else."""
        preset, version = (data.get("id"), data.get("version")) if isinstance(data, dict) else (None, None)
        return cls(preset, version) if isinstance(preset, str) and type(version) is int and version > 0 else None


class Bench(Protocol):
    """Where one works: ``key`` begins the keys of its widgets. All of it is for callbacks, and before anything is drawn."""

    key: str

    def content(self) -> Content:
        """What is edited, as its widgets are now. InvalidPreset where a preset cannot hold it."""
        ...

    def link(self) -> Link | None:
        """The preset that it is a version of, or was."""
        ...

    def set_link(self, link: Link | None) -> None:
        """Note the preset's version that it is now; None for none."""
        ...

    def put(self, content: Content, link: Link | None) -> None:
        """Replace what is edited; it can be undone."""
        ...

    def undoable(self) -> bool:
        """Whether there is a button to go back to what was replaced."""
        ...

    def undo(self) -> None:
        """Go back to what was replaced."""
        ...


class PlaygroundBench:
    """The Playground's draft, which keeps its link in itself: whatever replaces the draft takes the link along, or has none."""

    key = "presets.a"

    def _draft(self) -> dict[str, Any]:
        return collect(PLAYGROUND_SLOT, session.draft(PLAYGROUND_SLOT) or session.FIRST_DRAFT)

    def content(self) -> Content:
        return draft_content(self._draft())

    def link(self) -> Link | None:
        return Link.from_dict((session.draft(PLAYGROUND_SLOT) or {}).get("preset"))

    def set_link(self, link: Link | None) -> None:
        draft = {name: value for name, value in self._draft().items() if name != "preset"}
        session.set_draft(PLAYGROUND_SLOT, draft | ({"preset": link.to_dict()} if link else {}))

    def put(self, content: Content, link: Link | None) -> None:
        if not isinstance(content, DraftContent):
            raise TypeError("The Playground opens drafts.")
        before = self._draft() if session.draft(PLAYGROUND_SLOT) is not None else None
        replace_draft(PLAYGROUND_SLOT, content.draft | ({"preset": link.to_dict()} if link else {}))
        session.set_replaced_draft((before, session.draft(PLAYGROUND_SLOT) or {}) if before else None)

    def undoable(self) -> bool:
        kept = session.replaced_draft()
        return kept is not None and kept[1].get("body") == self._draft()["body"]

    def undo(self) -> None:
        kept = session.replaced_draft()
        if kept is not None:
            replace_draft(PLAYGROUND_SLOT, kept[0])
        session.set_replaced_draft(None)


class CompareBench:
    """The comparison; its link stands in the session and in the address."""

    key = "presets.compare"
    QUERY = "preset"

    def content(self) -> Content:
        return comparison_content(desk.collected())

    def link(self) -> Link | None:
        noted = session.comparison.preset()
        if noted is not None:  # the address is for sessions that know nothing yet
            comparison, preset, version = noted
            return Link(preset, version) if preset and comparison == session.comparison.current_id() else None
        preset, _, number = st.query_params.get(self.QUERY, "").rpartition(".")
        return Link(preset, int(number)) if preset and number.isdecimal() and 0 < int(number) < 2**31 else None

    def set_link(self, link: Link | None) -> None:
        session.comparison.set_preset((session.comparison.current_id() or "", link.preset if link else "", link.version if link else 0))

    def show_link(self) -> None:
        """Put the link into the address, where a reload finds it."""
        link = self.link()
        self.set_link(link)
        if link:
            st.query_params[self.QUERY] = f"{link.preset}.{link.version}"
        elif self.QUERY in st.query_params:
            del st.query_params[self.QUERY]

    def put(self, content: Content, link: Link | None) -> None:
        if not isinstance(content, ComparisonContent):
            raise TypeError("Compare opens comparisons.")
        board = content.board
        if link is not None and link == self.link():
            desk.change(lambda _board: board)
        else:
            desk.start_over(board)
        self.set_link(link)

    def undoable(self) -> bool:
        return False  # the page has an Undo of its own

    def undo(self) -> None:
        desk.undo()


def bench_of(content: Content) -> Bench:
    """Where a content is edited."""
    return PlaygroundBench() if isinstance(content, DraftContent) else CompareBench()
