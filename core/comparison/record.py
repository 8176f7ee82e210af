"""A comparison as an object of its own: its board, its name and marks, and whatever else belongs to it.

It is stored as one JSON document, ``{"version": 1, "revision": 7, "board": …, …}``, in whose board a shared prompt stands once. What else
is there are its parts, by name (votes, a sweep): whoever adds one reads and writes only that one, and a part that this program does not
know is kept as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.comparison.board import Board

DOCUMENT_VERSION: Final = 1
LONGEST_NAME: Final = 120
PROMPT_START: Final = 200
"""Characters of the prompt that a list shows."""
_OWN: Final = ("version", "revision", "board")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. ``board`` has the drafts of every slot and the ids of the runs of every slot and repeat.

    ``revision`` counts the changes of the board, so that who edits an old one can be told.
    ``stored`` tells that it is listed in the history; before it was run or marked it is a draft.
    """

    id: str
    board: Board
    created_at: datetime
    updated_at: datetime
    name: str = ""
    starred: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)
    deleted_at: datetime | None = None
    stored: bool = False
    revision: int = 0

    @property
    def worth_storing(self) -> bool:
        """Whether somebody ran it, named it or marked it; until then it is a draft that nobody would look for."""
        marked = bool(self.name or self.starred or self.note or self.tags or self.parts)
        return self.stored or marked or any(slot.runs for slot in self.board.slots)

    @property
    def document(self) -> dict[str, Any]:
        """What is stored, as JSON can hold it; an object of its own."""
        rest = copy.deepcopy(dict(self.parts))
        return {"version": DOCUMENT_VERSION, "revision": self.revision, "board": _with_prompt_once(self.board), **rest}

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Every run of every slot, in order."""
        return tuple(run for slot in self.board.slots for run in slot.runs)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the slots ask for, each once."""
        return tuple(dict.fromkeys(model for slot in self.board.slots if (model := _text(slot.draft["body"].get("model")))))

    @property
    def prompt_start(self) -> str:
        """The beginning of the shared prompt, or of the first slot's own."""
        prompts = (self.board.prompt, *(slot.draft["body"].get("prompt") for slot in self.board.slots))
        return next(filter(None, map(_text, prompts)), "")[:PROMPT_START]

    @property
    def title(self) -> str:
        """The name, or else the prompt's beginning, or else the word for it."""
        return self.name or " ".join(self.prompt_start.split())[:60] or "Comparison"


def _with_prompt_once(board: Board) -> dict[str, Any]:
    """The board as JSON can hold it, the shared prompt beside the slots only: eight copies of a long one would be saved with every edit."""
    data = board.to_dict()
    for slot in data["slots"]:
        if not slot["own_prompt"] and data["prompt"] is not None:
            slot["draft"]["body"].pop("prompt", None)
    return data


class Content(NamedTuple):
    """What a document says."""

    board: Board
    parts: dict[str, Any]
    revision: int


def parse_document(document: Mapping[str, Any]) -> Content:
    """What a document says; ValueError for one that has no board. A bare board, as once kept among drafts, is taken."""
    board, revision = document.get("board", document), document.get("revision")
    if not isinstance(board, Mapping):
        raise ValueError("A comparison's board is an object.")
    parts = {name: value for name, value in document.items() if name not in _OWN} if "board" in document else {}
    return Content(Board.from_dict(board).shared(), copy.deepcopy(parts), revision if isinstance(revision, int) else 0)


def words(comparison: Comparison) -> str:
    """What a search by name looks in, in one case: name, note, tags, models, names of slots, the prompt's beginning."""
    return "\n".join(_words(comparison)).casefold()


def _words(comparison: Comparison) -> Iterator[str]:
    yield from (comparison.name, comparison.note, *comparison.tags, *comparison.models)
    yield from (slot.name for slot in comparison.board.slots)
    yield comparison.prompt_start


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
