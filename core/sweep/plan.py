"""The plan of a sweep: its cells, the calls of each, and the request of every call. Pure data; nothing is sent here."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

from core.comparison.repeats import is_cached, uncached
from core.comparison.settings import NOT_SENT
from core.contract.parameters import BLOCKS, parameter
from core.contract.request import check_request
from core.draft import MISSING, drop_path, get_path, set_path
from core.outgoing import draft_of, outgoing
from core.sweep.axes import Axis, shown_value
from core.sweep.prompt_rows import PromptRows

Mode = Literal["grid", "list"]
Seeds = Literal["none", "same", "counting"]
MOST_CALLS: Final = 5_000
"""More than a page can show, and more than anybody starts on purpose."""
MOST_REPEATS: Final = 20
MOST_AT_ONCE: Final = 64
MOST_TRIES: Final = 10
PROMPT: Final = "prompt"
NOTHING_TO_VARY: Final = "Nothing varies yet: add a parameter with at least one value, or prompts from a file."


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What somebody asked for. ``body`` is the baseline's request; ``rows`` make the prompts one more axis, the last.

    ``mode`` ``grid`` is every combination, ``list`` the first values together, then the second ones, and so on. ``seeds`` of the
    ``repeats`` of a cell: ``none`` (as the baseline or an axis has it), the ``same`` ``first_seed`` for all, or ``counting`` up from it.
    ``most_calls`` is the hard limit, with every try counted; ``at_once`` the calls at the same time; ``tries`` is how often one call
    is sent at most when the router answers 429. Without ``keep_cache``, calls whose answers would be copies are sent without cache.
    """

    body: dict[str, Any]
    axes: tuple[Axis, ...] = ()
    rows: PromptRows | None = None
    mode: Mode = "grid"
    repeats: int = 1
    seeds: Seeds = "none"
    first_seed: int = 1
    most_calls: int = 500
    at_once: int = 8
    tries: int = 5
    keep_cache: bool = False
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        rest = {name: getattr(self, name) for name in _PLAIN}
        axes, rows = [axis.to_dict() for axis in self.axes], self.rows.to_dict() if self.rows else None
        return {"body": copy.deepcopy(self.body), "axes": axes, "rows": rows, **rest}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> SweepSettings:
        """What ``to_dict`` gave; KeyError or TypeError for anything else."""
        rows = PromptRows.from_dict(kept["rows"]) if kept["rows"] else None
        axes = tuple(Axis.from_dict(axis) for axis in kept["axes"])
        return cls(copy.deepcopy(dict(kept["body"])), axes, rows, **{name: kept[name] for name in _PLAIN})


_PLAIN: Final = ("mode", "repeats", "seeds", "first_seed", "most_calls", "at_once", "tries", "keep_cache", "name")


@dataclass(frozen=True)
class SweepPlan:
    """The cells of ``settings`` and their calls.

    A cell is one combination of values; ``cells`` has the place of each of its values on the axes, the prompt's last. A call has a
    number: cell ``number % size``, repeat ``number // size``, so that every cell is called once before any is called again.
    """

    settings: SweepSettings

    @property
    def paths(self) -> tuple[str, ...]:
        """What the places in a cell are about: the axes' paths, and ``prompt`` where there are rows."""
        return (*(axis.path for axis in self.settings.axes), *([PROMPT] if self.settings.rows else []))

    def lengths(self) -> tuple[int, ...]:
        """How many values there are on each axis."""
        rows = self.settings.rows
        return (*(len(axis.values) for axis in self.settings.axes), *([len(rows.rows)] if rows else []))

    @cached_property
    def size(self) -> int:
        """How many cells there are; 0 where nothing varies."""
        lengths = self.lengths()
        if not lengths or not all(lengths):
            return 0
        if self.settings.mode == "list":
            return min(lengths)
        product = 1
        for length in lengths:
            product *= length
        return product

    @property
    def calls(self) -> int:
        """How many calls there are to make, without tries."""
        return self.size * self.settings.repeats

    def cell(self, number: int) -> tuple[int, ...]:
        """The places of one cell's values; the first axis changes slowest."""
        if self.settings.mode == "list":
            return (number,) * len(self.paths)
        places: list[int] = []
        for length in reversed(self.lengths()):
            number, place = divmod(number, length)
            places.append(place)
        return tuple(reversed(places))

    def cell_of(self, call: int) -> int:
        """The cell of a call."""
        return call % self.size

    def repeat_of(self, call: int) -> int:
        """Which repeat a call is, from 0."""
        return call // self.size

    def calls_of(self, cell: int) -> range:
        """The calls of a cell, in the order of its repeats."""
        return range(cell, self.calls, self.size)

    def value(self, cell: int, axis: int) -> str:
        """What a cell has on an axis, as grids show it."""
        return self.label(axis, self.cell(cell)[axis])

    def label(self, axis: int, place: int) -> str:
        """One value of an axis, as grids show it."""
        if axis < len(self.settings.axes):
            return shown_value(self.settings.axes[axis].values[place])
        assert self.settings.rows is not None  # noqa: S101  # the axis behind the others is the rows'
        return self.settings.rows.label(place)

    def title(self, cell: int) -> str:
        """``temperature 0.5 · max_tokens 64``."""
        return " · ".join(f"{path} {self.value(cell, axis)}" for axis, path in enumerate(self.paths))

    def body(self, call: int) -> dict[str, Any]:
        """The request of a call, in the contract's order."""
        made = self._draft(call)
        body = outgoing(made).body
        return uncached(body) if self.bypasses_cache else body

    @cached_property
    def bypasses_cache(self) -> bool:
        """Whether calls are sent without the exact-match cache: repeats that send the same would be answered with copies."""
        settings = self.settings
        varied = any("cache" in axis.path.split(".") for axis in settings.axes)
        alike = settings.repeats > 1 and settings.seeds != "counting"
        return alike and not settings.keep_cache and not varied and is_cached(settings.body)

    def _draft(self, call: int) -> dict[str, Any]:
        """The draft of a call: the baseline's, with the values of its cell and the seed of its repeat."""
        known, extra = self._baseline
        body = copy.deepcopy(known)
        settings, places = self.settings, self.cell(self.cell_of(call))
        for axis, place in zip(settings.axes, places, strict=False):
            _put(body, axis.path, axis.values[place])
        if settings.rows is not None:
            template = body.get(PROMPT)
            body[PROMPT] = settings.rows.prompt(places[-1], template if isinstance(template, str) else "")
        if settings.seeds != "none":
            body["seed"] = settings.first_seed + (self.repeat_of(call) if settings.seeds == "counting" else 0)
        return {"body": body, "extra": extra}

    @cached_property
    def _baseline(self) -> tuple[dict[str, Any], str]:
        draft = draft_of(self.settings.body)
        return draft["body"], draft["extra"]

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Why it cannot be started, a sentence each, the most important first; nothing when it can."""
        found = list(self._problems_of_settings())
        if not found and self.calls <= self.settings.most_calls:
            found += itertools.islice(self._problems_of_cells(), 5)
        return tuple(found)

    def _problems_of_settings(self) -> Iterator[str]:
        settings, lengths = self.settings, self.lengths()
        paths = [axis.path for axis in settings.axes]
        if not lengths:
            yield NOTHING_TO_VARY
        for path in dict.fromkeys(path for path in paths if paths.count(path) > 1):
            yield f"{path} is on two axes; keep one."
        for axis in settings.axes:
            if not axis.values:
                yield f"{axis.path} has no value yet."
        if settings.mode == "list" and len(set(lengths)) > 1:
            told = ", ".join(f"{path} {length}" for path, length in zip(self.paths, lengths, strict=True))
            yield f"A list takes one value of each together, so each needs as many: {told}."
        if settings.seeds != "none" and "seed" in paths:
            yield "seed is an axis; leave the seeds of the repeats as they are set."
        if settings.rows is not None and (problem := settings.rows.problem(settings.body.get(PROMPT))):
            yield problem
        yield from self._problems_of_numbers()

    def _problems_of_numbers(self) -> Iterator[str]:
        settings = self.settings
        bounds = (("repeats", MOST_REPEATS), ("at_once", MOST_AT_ONCE), ("tries", MOST_TRIES), ("most_calls", MOST_CALLS))
        for name, most in bounds:
            if not 1 <= getattr(settings, name) <= most:
                yield f"{name.replace('_', ' ')} must be between 1 and {most:,}, got {getattr(settings, name):,}."
        if self.calls > settings.most_calls:
            yield f"{self.calls:,} calls are more than the limit of {settings.most_calls:,}. Take values out, or raise the limit."

    def _problems_of_cells(self) -> Iterator[str]:
        for cell in range(self.size):
            for problem in check_request(self._draft(cell)["body"]):
                yield f"{self.title(cell)}: {problem.sentence}"

    def with_limit(self, most_calls: int) -> SweepPlan:
        """The same plan with another hard limit."""
        return SweepPlan(replace(self.settings, most_calls=most_calls))


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set a value in place; a block that was off is switched on as the form does it, one that is left without a field goes."""
    if value is NOT_SENT:
        drop_path(body, path)
        return
    for block in BLOCKS:
        if path.startswith(f"{block.path}.") and not isinstance(get_path(body, block.path), Mapping):
            set_path(body, block.path, copy.deepcopy(block.template))
    set_path(body, path, value)


def is_set(body: Mapping[str, Any], path: str) -> bool:
    """Whether the baseline sends something at ``path``."""
    return get_path(body, parameter(path).path) is not MISSING


@lru_cache(maxsize=32)
def _planned(settings: str) -> SweepPlan:
    return SweepPlan(SweepSettings.from_dict(json.loads(settings)))


def planned(settings: SweepSettings) -> SweepPlan:
    """The plan of settings; a page is drawn often, and checking thousands of requests takes a moment."""
    return _planned(json.dumps(settings.to_dict()))
