"""From a draft to what will leave: the body, what is wrong with it, and what is worth knowing about it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.contract.conflicts import Conflict, Note, conflicts, notes
from core.contract.parameters import BLOCKS, PARAMETERS
from core.contract.request import DEFAULT_MAX_TOKENS, TREE, check_request
from core.errors import Problem

EXTRA = "extra"
"""The path of problems in the box of extra fields."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request about to be sent.

    ``body`` is exactly what will be serialised, in the contract's order; ``extra_paths`` are the paths in it that the contract does
    not know. With any ``problems`` nothing may be sent.
    """

    body: dict[str, Any]
    problems: tuple[Problem, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[Note, ...]
    extra_paths: tuple[str, ...]


def outgoing(draft: Mapping[str, Any]) -> Outgoing:
    """What ``draft`` (``{"body": …, "extra": JSON text}``) would send. Never raises on a half-edited draft."""
    known = draft["body"]
    problems = list(check_request(known))
    extra, extra_problem = parse_extra(draft.get("extra", ""))
    if extra_problem:
        problems.append(extra_problem)
    body, paths = copy.deepcopy(dict(known)), []
    for names, value in _flat(extra):
        refusal = _put(body, names, value)
        if refusal:
            problems.append(Problem(EXTRA, refusal))
        else:
            paths.append(".".join(names))
    body = dict(sorted(body.items(), key=lambda item: _order().get(item[0], len(_order()))))
    return Outgoing(body, tuple(problems), conflicts(known), notes(known), tuple(paths))


def draft_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The draft that would send exactly ``body``, as sent or stored: what the contract does not know stands among the extra fields."""
    known, extra = _split(body, ())
    return {"body": known, "extra": json.dumps(extra, indent=2, ensure_ascii=False) if extra else ""}


def _split(value: Mapping[str, Any], parents: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A body's fields that the contract knows, and the others."""
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, inner in value.items():
        path = ".".join((*parents, name))
        if "." in name:  # a name like a path is not that path
            extra[name] = copy.deepcopy(inner)
        elif path in _blocks() and isinstance(inner, Mapping) and inner:
            inside, outside = _split(inner, (*parents, name))
            known |= {name: inside} if inside else {}
            extra |= {name: outside} if outside else {}
        elif path in _known() or path in _blocks():
            known[name] = copy.deepcopy(inner)
        else:
            extra[name] = copy.deepcopy(inner)
    return known, extra


def parse_extra(text: str) -> tuple[dict[str, Any], Problem | None]:
    """The extra fields typed as JSON, or what is wrong with them."""
    if not text.strip():
        return {}, None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return {}, Problem(EXTRA, f"This is not JSON{where}: {getattr(error, 'msg', str(error))}.")
    except RecursionError:
        return {}, Problem(EXTRA, "This JSON is nested too deeply.")
    if not isinstance(value, dict):
        return {}, Problem(EXTRA, 'Extra fields are a JSON object, like {"logit_bias": {}}.')
    return value, None


def most_tokens(body: Mapping[str, Any]) -> int | None:
    """The most tokens one call can generate: ``max_tokens`` × ``n``; ``None`` when either is not a usable number."""
    each, count = body.get("max_tokens"), body.get("n")
    each = DEFAULT_MAX_TOKENS if each is None else each
    count = 1 if count is None else count
    if isinstance(each, bool) or isinstance(count, bool) or not isinstance(each, (int, float)) or not isinstance(count, (int, float)):
        return None
    return int(each * count)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


@cache
def _blocks() -> frozenset[str]:
    """Paths under which the contract has fields of its own: objects that extra fields may be added to."""
    return frozenset(block.path for block in BLOCKS) | {"orq"}


@cache
def _order() -> dict[str, int]:
    """The contract's order of the fields at the top level; what it does not know comes last."""
    names = dict.fromkeys(re.split(r"[.\[]", spec.path)[0] for spec in PARAMETERS)
    return {name: place for place, name in enumerate(names)}


@cache
def _known() -> frozenset[str]:
    """Every path the contract knows, without ``[]`` and ``{}``; lists of objects (``fallbacks``) too, which are edited as a whole."""
    return frozenset(TREE) - {""}


def _flat(value: Mapping[str, Any], parents: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Pairs of path (as names) and value: objects of the contract are gone into, everything else stays whole."""
    pairs: list[tuple[tuple[str, ...], Any]] = []
    for name, inner in value.items():
        names = (*parents, name)
        if "." not in name and ".".join(names) in _blocks() and isinstance(inner, Mapping) and inner:
            pairs.extend(_flat(inner, names))
        else:
            pairs.append((names, inner))
    return pairs


def _put(body: dict[str, Any], names: tuple[str, ...], value: Any) -> str | None:
    """Set ``value`` at ``names``; the reason why not, when the form has a field for it."""
    path = ".".join(names)
    if path in _known() and not any("." in name for name in names):
        return f"{path} has a field of its own: set it there."
    target: Any = body
    for name in names[:-1]:
        target = target.setdefault(name, {})
        if not isinstance(target, dict):
            return f"{path} cannot be added: {name} is not an object here."
    target[names[-1]] = value
    return None
