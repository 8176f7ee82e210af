"""What a preset holds: a draft, or a whole comparison, with nothing in it that belongs to one session.

A content is JSON and self-describing, ``{"draft": {"body", "extra"}}`` or ``{"comparison": {"prompt", "repeats", "keep_cache", "slots"}}``,
and never changes. What a draft's shelf keeps (fields that are switched off), the ids of runs and which slot's settings are open are
not part of it. A draft may be half-edited: its body is any JSON object, and whether it can be sent is asked when it is to be sent.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from core.comparison.board import MOST_REPEATS, MOST_SLOTS, Board, BoardSlot
from core.comparison.settings import differences
from core.errors import InvalidPreset
from core.outgoing import Outgoing, outgoing

Kind = Literal["draft", "comparison"]
LARGEST_BYTES: Final = 8 * 1024 * 1024
"""Of one content, as JSON in UTF-8."""
DEEPEST: Final = 100
"""Objects and lists in each other."""


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What the Playground edits: ``body`` as in ``core.draft``, ``extra`` the text of the extra fields."""

    body: dict[str, Any]
    extra: str = ""
    kind: ClassVar[Literal["draft"]] = "draft"

    @property
    def draft(self) -> dict[str, Any]:
        """A draft of its own to edit."""
        return {"body": copy.deepcopy(self.body), "extra": self.extra}

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"draft": self.draft}

    def sent(self) -> tuple[tuple[str, Outgoing], ...]:
        """What it would send; its title is empty."""
        return (("", outgoing(self.draft)),)


@dataclass(frozen=True, slots=True)
class SlotContent:
    """One slot; with ``own_prompt`` its body has the prompt, else the comparison has it."""

    body: dict[str, Any]
    extra: str = ""
    name: str = ""
    own_prompt: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonContent:
    """What Compare edits: 1 to 8 slots, the shared ``prompt`` (None where it is not sent), 1 to 10 calls of each slot."""

    slots: tuple[SlotContent, ...]
    prompt: Any = None
    repeats: int = 1
    keep_cache: bool = False
    kind: ClassVar[Literal["comparison"]] = "comparison"

    @property
    def board(self) -> Board:
        """A board of its own to edit, without runs."""
        slots = tuple(BoardSlot({"body": copy.deepcopy(one.body), "extra": one.extra}, one.name, one.own_prompt) for one in self.slots)
        return Board(slots, copy.deepcopy(self.prompt), self.repeats, self.keep_cache).shared()

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        slots = [
            {"name": one.name, "own_prompt": one.own_prompt, "body": copy.deepcopy(one.body), "extra": one.extra} for one in self.slots
        ]
        rest = {"prompt": copy.deepcopy(self.prompt), "repeats": self.repeats, "keep_cache": self.keep_cache}
        return {"comparison": {**rest, "slots": slots}}

    def sent(self) -> tuple[tuple[str, Outgoing], ...]:
        """What each slot would send once, under its letter and name."""
        board = self.board
        return tuple((board.title(place), outgoing(one.draft)) for place, one in enumerate(board.slots))


Content = DraftContent | ComparisonContent


def draft_content(draft: Mapping[str, Any]) -> DraftContent:
    """What a preset keeps of a draft. InvalidPreset where that is no JSON, or too much."""
    return DraftContent(_checked(draft["body"]), draft.get("extra") or "")


def comparison_content(board: Board) -> ComparisonContent:
    """What a preset keeps of a comparison. InvalidPreset where that is no JSON, or too much."""
    slots = tuple(_slot_content(one) for one in board.slots)
    return ComparisonContent(slots, _checked(board.prompt), board.repeats, board.keep_cache)


def _slot_content(slot: BoardSlot) -> SlotContent:
    body = slot.draft["body"]
    if not slot.own_prompt:
        body = {name: value for name, value in body.items() if name != "prompt"}
    return SlotContent(_checked(body), slot.draft.get("extra") or "", slot.name, slot.own_prompt)


def content_from(data: Any) -> Content:
    """What ``to_dict`` gave, or somebody wrote down in its form. InvalidPreset says where it is wrong."""
    if not isinstance(data, Mapping) or ("draft" in data) == ("comparison" in data):
        raise InvalidPreset("A preset has either a draft or a comparison.")
    if "draft" in data:
        body, extra = _body(data["draft"], "draft", {"body", "extra"})
        return DraftContent(body, extra)
    return _comparison(data["comparison"])


def _comparison(data: Any) -> ComparisonContent:
    found = _object(data, "comparison", {"prompt", "repeats", "keep_cache", "slots"})
    slots, repeats, keep_cache = found.get("slots"), found.get("repeats", 1), found.get("keep_cache", False)
    if not isinstance(slots, list) or not 1 <= len(slots) <= MOST_SLOTS:
        raise InvalidPreset(f"comparison.slots must be a list of 1 to {MOST_SLOTS} slots.")
    if isinstance(repeats, bool) or not isinstance(repeats, int) or not 1 <= repeats <= MOST_REPEATS:
        raise InvalidPreset(f"comparison.repeats must be a whole number from 1 to {MOST_REPEATS}.")
    if not isinstance(keep_cache, bool):
        raise InvalidPreset("comparison.keep_cache must be true or false.")
    made = tuple(_slot(one, f"comparison.slots.{place}") for place, one in enumerate(slots))
    return ComparisonContent(made, _checked(found.get("prompt")), repeats, keep_cache)


def _slot(data: Any, where: str) -> SlotContent:
    body, extra = _body(data, where, {"body", "extra", "name", "own_prompt"})
    name, own = data.get("name", ""), data.get("own_prompt", False)
    if not isinstance(name, str) or len(name) > 40:
        raise InvalidPreset(f"{where}.name must be a text of at most 40 characters.")
    if not isinstance(own, bool):
        raise InvalidPreset(f"{where}.own_prompt must be true or false.")
    if "prompt" in body and not own:
        raise InvalidPreset(f"{where}.body has a prompt, so own_prompt must be true; the shared prompt is comparison.prompt.")
    return SlotContent(body, extra, name, own)


def _body(data: Any, where: str, names: set[str]) -> tuple[dict[str, Any], str]:
    found = _object(data, where, names)
    body, extra = found.get("body"), found.get("extra", "")
    if not isinstance(body, dict):
        raise InvalidPreset(f"{where}.body must be an object: the request's fields.")
    if isinstance(extra, Mapping):
        extra = json.dumps(_checked(extra), indent=2, ensure_ascii=False)
    if not isinstance(extra, str):
        raise InvalidPreset(f"{where}.extra must be an object, or its JSON as a text.")
    return _checked(body), extra


def _object(data: Any, where: str, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidPreset(f"{where} must be an object.")
    unknown = sorted(str(name) for name in data.keys() - names)
    if unknown:
        raise InvalidPreset(f"{where} has no field {unknown[0][:60]!r}; there are {', '.join(sorted(names))}.")
    return data


def _checked(value: Any) -> Any:
    """A copy of a JSON value; InvalidPreset for what JSON cannot hold, and for what is too deep."""
    return _copied(value, 0)


def _copied(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise InvalidPreset(f"A preset may be nested {DEEPEST} deep, not deeper.")
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [_copied(one, depth + 1) for one in value]
        case Mapping() if all(isinstance(name, str) for name in value):
            return {name: _copied(one, depth + 1) for name, one in value.items()}
    raise InvalidPreset(f"A preset can hold what JSON can, not {str(value)[:40]!r}.")


def content_text(content: Content) -> str:
    """The content as compact JSON, the same for the same content. InvalidPreset when it is larger than ``LARGEST_BYTES``."""
    text = json.dumps(content.to_dict(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if len(text) > LARGEST_BYTES or len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
        raise InvalidPreset(f"A preset may have {LARGEST_BYTES // 1024**2} MB, this one has more.", "Shorten the prompt.")
    return text


def digest_of(content: Content) -> str:
    """What tells two contents apart, as hexadecimal SHA-256: equal for equal contents, whatever the order of their fields."""
    return hashlib.sha256(content_text(content).encode("utf-8", "surrogatepass")).hexdigest()


def models_of(content: Content) -> tuple[str, ...]:
    """The models it asks, each once; those of a load balancer and of fallbacks too."""
    found: dict[str, None] = {}
    for _, leaving in content.sent():
        body = leaving.body
        balancer = body.get("load_balancer")
        named = [body, *_items(balancer.get("models") if isinstance(balancer, Mapping) else None), *_items(body.get("fallbacks"))]
        found |= {one["model"]: None for one in named if isinstance(one.get("model"), str)}
    return tuple(found)


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def prompts_of(content: Content) -> tuple[str, ...]:
    """Its prompts, each once."""
    prompts = (leaving.body.get("prompt") for _, leaving in content.sent())
    return tuple(dict.fromkeys(prompt for prompt in prompts if isinstance(prompt, str)))


def sets_of(content: Content) -> int:
    """How many fields a draft sets beside its model and prompt; how many slots a comparison has."""
    match content:
        case DraftContent():
            body = outgoing(content.draft).body
            return sum(one.path not in ("model", "prompt") for one in differences({}, body))
        case ComparisonContent():
            return len(content.slots)
