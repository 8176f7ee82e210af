"""A comparison that is being edited: its slots A to H, each with a draft of its own, and what can be done to them.

Everything here gives a new board and leaves the old one alone. Slots are known by their place: moving one gives it another letter.
The first slot is the baseline. A slot with no prompt of its own has the shared one, in its draft like any other field.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from core.comparison.settings import Difference, differences
from core.draft import MISSING, drop_path, get_path, set_path
from core.outgoing import draft_of, outgoing

LETTERS: Final = "ABCDEFGH"
MOST_SLOTS: Final = len(LETTERS)
MOST_REPEATS: Final = 10
OWN_PROMPT: Final = "prompt.own"
"""Where a draft's shelf keeps the prompt of a slot that was switched back to the shared one."""


class NoRoom(ValueError):
    """A board has eight slots at most."""


@dataclass(frozen=True, slots=True)
class BoardSlot:
    """``draft`` as in ``core.draft``; ``runs`` are the ids of the runs last started together, in that order."""

    draft: dict[str, Any]
    name: str = ""
    own_prompt: bool = False
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """``prompt`` is the shared one, None where it is not sent; ``repeats`` are the calls per slot, from 1 to 10."""

    slots: tuple[BoardSlot, ...]
    prompt: Any = None
    repeats: int = 1
    keep_cache: bool = False
    edited: int | None = None
    """The place of the slot whose settings are open."""

    def to_dict(self) -> dict[str, Any]:
        """The board as JSON can hold it."""
        slots = [{"draft": one.draft, "name": one.name, "own_prompt": one.own_prompt, "runs": list(one.runs)} for one in self.slots]
        rest = {"prompt": self.prompt, "repeats": self.repeats, "keep_cache": self.keep_cache, "edited": self.edited}
        return copy.deepcopy({"slots": slots, **rest})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Board:
        """What ``to_dict`` gave, whatever else is in it; ValueError for anything that is no board."""
        kept = copy.deepcopy(dict(data))
        slots, repeats, edited = kept.get("slots"), kept.get("repeats", 1), kept.get("edited")
        if not isinstance(slots, list) or not 1 <= len(slots) <= MOST_SLOTS:
            raise ValueError(f"A board has from 1 to {MOST_SLOTS} slots.")
        if isinstance(repeats, bool) or not isinstance(repeats, int) or not 1 <= repeats <= MOST_REPEATS:
            raise ValueError(f"A board has from 1 to {MOST_REPEATS} repeats.")
        open_place = edited if isinstance(edited, int) and 0 <= edited < len(slots) else None
        return cls(tuple(map(_slot, slots)), kept.get("prompt"), repeats, bool(kept.get("keep_cache")), open_place)

    def with_slot(self, place: int, slot: BoardSlot) -> Board:
        """The board with another slot at ``place``."""
        return replace(self, slots=(*self.slots[:place], slot, *self.slots[place + 1 :]))

    def added(self) -> Board:
        """One slot more, set as the baseline is."""
        return self.duplicated(0, at=len(self.slots), name="")

    def duplicated(self, place: int, *, at: int | None = None, name: str | None = None) -> Board:
        """One slot more behind ``place`` (or ``at`` another), set like it; it has no runs yet."""
        one = self.slots[place]
        fresh = replace(one, draft=copy.deepcopy(one.draft), name=one.name if name is None else name, runs=())
        return self._inserted(place + 1 if at is None else at, [fresh])

    def removed(self, place: int) -> Board:
        """The board without a slot; the last one stays."""
        if len(self.slots) == 1:
            return self
        edited = self.edited
        if edited is not None:
            edited = None if edited == place else edited - (edited > place)
        return replace(self, slots=(*self.slots[:place], *self.slots[place + 1 :]), edited=edited)

    def moved(self, place: int, step: int) -> Board:
        """A slot moved ``step`` places to the right (to the left below 0), as far as there are places."""
        other = min(max(place + step, 0), len(self.slots) - 1)
        order = [one for number, one in enumerate(self.slots) if number != place]
        order.insert(other, self.slots[place])
        edited = None if self.edited is None else next(n for n, one in enumerate(order) if one is self.slots[self.edited])
        return replace(self, slots=tuple(order), edited=edited)

    def renamed(self, place: int, name: str) -> Board:
        """A slot with a name of at most 40 characters; empty for none."""
        return self.with_slot(place, replace(self.slots[place], name=" ".join(name.split())[:40]))

    def imported(self, place: int, draft: Mapping[str, Any]) -> Board:
        """With ``draft`` in the slot at ``place``, whose prompt becomes its own where another one came along."""
        prompt = get_path(draft["body"], "prompt")
        own = self.slots[place].own_prompt or (prompt is not MISSING and prompt != self.prompt)
        fresh = {"body": copy.deepcopy(dict(draft["body"])), "extra": draft.get("extra", "")}
        slot = replace(self.slots[place], draft=fresh, own_prompt=own)
        return self.with_slot(place, slot if own else replace(slot, draft=_with_prompt(fresh, self.prompt)))

    def freed(self, place: int, own: bool) -> Board:
        """A slot with a prompt of its own, or the shared one again; its own comes back from the shelf when it is freed once more."""
        one = self.slots[place]
        if own == one.own_prompt:
            return self
        draft = copy.deepcopy(one.draft)
        shelf = draft.setdefault("shelf", {})
        if own:
            if OWN_PROMPT in shelf:
                draft["body"]["prompt"] = shelf.pop(OWN_PROMPT)
        elif "prompt" in draft["body"]:
            shelf[OWN_PROMPT] = draft["body"]["prompt"]
        return self.with_slot(place, replace(one, draft=draft, own_prompt=own)).shared()

    def shared(self) -> Board:
        """The board with the shared prompt in every draft that has none of its own."""
        slots = tuple(one if one.own_prompt else replace(one, draft=_with_prompt(one.draft, self.prompt)) for one in self.slots)
        return replace(self, slots=slots)

    def with_prompt(self, prompt: Any) -> Board:
        """The board with another shared prompt; None where it is not sent."""
        return replace(self, prompt=prompt).shared()

    def title(self, place: int) -> str:
        """The slot's letter, and its name where it has one: ``B · cold``."""
        name = self.slots[place].name
        return f"{LETTERS[place]} · {name}" if name else LETTERS[place]

    def differences(self, place: int) -> tuple[Difference, ...]:
        """What a slot would send differently from the baseline."""
        return differences(outgoing(self.slots[0].draft).body, outgoing(self.slots[place].draft).body)

    def ladder(self, place: int) -> Board:
        """One slot for every difference between ``place`` and the baseline, before it: each has that one difference only.

        NoRoom where they do not all fit.
        """
        one, baseline = self.slots[place], outgoing(self.slots[0].draft).body
        target = outgoing(one.draft).body
        steps = [
            BoardSlot(draft_of(body), difference.path[:40], own_prompt=one.own_prompt and difference.path == "prompt")
            for difference in self.differences(place)
            if (body := with_change(baseline, target, difference.path)) is not None
        ]
        return self._inserted(place, steps).shared()

    def as_baseline(self, place: int, path: str) -> Board:
        """A slot that sends ``path`` as the baseline does."""
        one = self.slots[place]
        body = with_change(outgoing(one.draft).body, outgoing(self.slots[0].draft).body, path)
        if body is None:
            return self
        draft = {**draft_of(body), "shelf": one.draft.get("shelf", {})}
        same = self.with_slot(place, replace(one, draft=draft))
        return same.freed(place, False) if path == "prompt" and not self.slots[0].own_prompt else same

    def _inserted(self, place: int, fresh: Sequence[BoardSlot]) -> Board:
        if len(self.slots) + len(fresh) > MOST_SLOTS:
            raise NoRoom(f"There is room for {MOST_SLOTS} slots.")
        edited = self.edited if self.edited is None or self.edited < place else self.edited + len(fresh)
        return replace(self, slots=(*self.slots[:place], *fresh, *self.slots[place:]), edited=edited)


def _slot(data: Any) -> BoardSlot:
    draft = data.get("draft") if isinstance(data, Mapping) else None
    if not isinstance(draft, dict) or not isinstance(draft.get("body"), dict):
        raise ValueError("A slot has a draft with a body.")
    name, runs = data.get("name", ""), data.get("runs", [])
    if not isinstance(name, str) or not isinstance(runs, list | tuple) or not all(isinstance(run, str) for run in runs):
        raise ValueError("A slot has a name and a list of runs.")
    return BoardSlot({"extra": "", **draft}, name[:40], bool(data.get("own_prompt")), tuple(runs))


def begun(draft: Mapping[str, Any]) -> Board:
    """A board of two slots that are both set like ``draft``, whose prompt is shared."""
    prompt = draft["body"].get("prompt")
    return Board(tuple(BoardSlot(copy.deepcopy(dict(draft))) for _ in range(2)), prompt=prompt)


def opened(bodies: Sequence[Mapping[str, Any]], runs: Sequence[str]) -> Board:
    """A board of requests that were sent, at most eight, with their runs; the first one's prompt is the shared one."""
    prompt = bodies[0].get("prompt") if bodies else None
    slots = [
        BoardSlot(draft_of(body), own_prompt=body.get("prompt") != prompt, runs=(run,)) for body, run in zip(bodies, runs, strict=True)
    ]
    return Board(tuple(slots[:MOST_SLOTS]), prompt=prompt)


def with_change(body: Mapping[str, Any], target: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """``body`` with what ``target`` has at ``path``, and nothing else of it; None where that cannot be told apart."""
    changed, value = copy.deepcopy(dict(body)), get_path(target, path)
    if value is MISSING:
        drop_path(changed, path)
        _drop_empty_parents(changed, target, path)
    else:
        set_path(changed, path, copy.deepcopy(value))
    before, after = differences(body, changed), differences(changed, target)
    alone = [one.path for one in before] == [path]
    return changed if alone and all(one.path != path for one in after) else None


def _drop_empty_parents(body: dict[str, Any], target: Mapping[str, Any], path: str) -> None:
    parent, _, _ = path.rpartition(".")
    while parent and get_path(body, parent) == {} and get_path(target, parent) is MISSING:
        drop_path(body, parent)
        parent, _, _ = parent.rpartition(".")


def _with_prompt(draft: dict[str, Any], prompt: Any) -> dict[str, Any]:
    if draft["body"].get("prompt", None) == prompt:
        return draft
    body = {name: value for name, value in draft["body"].items() if name != "prompt"}
    return {**draft, "body": body if prompt is None else {**body, "prompt": prompt}}
