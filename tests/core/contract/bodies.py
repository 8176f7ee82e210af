"""Bodies for contract tests, made from the contract's table (``tests/parameters.json``) and not from the code under test."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

_TESTS = Path(__file__).parents[2]
LEAVES: list[dict[str, Any]] = json.loads((_TESTS / "parameters.json").read_text())["request"]
MINIMAL: dict[str, Any] = {"model": "m", "prompt": "p"}

# What a block needs beside the leaf under test to be legal.
_NEEDS: dict[str, dict[str, Any]] = {
    "cache": {"type": "exact_match"},
    "load_balancer": {"type": "weight_based", "models": [{"model": "m"}]},
    "load_balancer.models": {"model": "m"},
    "plugins": {"id": "pii_redaction"},
    "orq.prompt": {"id": "p", "version": "latest"},
    "orq.identity": {"id": "i"},
    "orq.contact": {"id": "c"},
    "orq.thread": {"id": "t"},
    "orq.knowledge_bases": {"knowledge_id": "k"},
    "orq.knowledge_bases.rerank_config": {"model": "m"},
}
_NEEDS |= {f"orq.{path}": needs for path, needs in _NEEDS.items() if path.startswith(("cache", "load_balancer"))}

ENTITY = "EMAIL_ADDRESS"


def body_with(path: str, value: Any) -> tuple[dict[str, Any], str]:
    """A legal body in which ``value`` stands at the leaf ``path``, and the leaf's place in it (with indices)."""
    body: dict[str, Any] = copy.deepcopy(MINIMAL)
    at: Any = body
    place: list[str] = []
    *parents, last = path.split(".")
    for depth, parent in enumerate(parents):
        name = parent.removesuffix("[]")
        needs = copy.deepcopy(_NEEDS.get(".".join(parents[: depth + 1]).replace("[]", ""), {}))
        at[name] = [needs] if parent.endswith("[]") else needs
        at = at[name][0] if parent.endswith("[]") else at[name]
        place += [name, "0"] if parent.endswith("[]") else [name]
    name = last.removesuffix("[]").removesuffix("{}")
    at[name] = [value] if last.endswith("[]") else {ENTITY: value} if last.endswith("{}") else value
    place += [name, "0"] if last.endswith("[]") else [name, ENTITY] if last.endswith("{}") else [name]
    _satisfy(path, body, at)
    return body, ".".join(place)


def _satisfy(path: str, body: dict[str, Any], block: dict[str, Any]) -> None:
    """Adds what the contract's rules between fields ask for."""
    if path in ("thinking.budget_tokens", "thinking.thinking_level"):
        block.update({"type": "enabled", "budget_tokens": block.get("budget_tokens", 1024)})
        body["max_tokens"] = 10**9
    if path == "thinking.type" and block["type"] == "enabled":
        block["budget_tokens"], body["max_tokens"] = 1024, 2048
    if path.endswith("entity_thresholds{}"):
        block["entities"] = [ENTITY]


def at(body: Any, place: str) -> Any:
    """What stands at ``place``; raises when nothing does."""
    for name in place.split("."):
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
FILLED = TEXT.filter(str.strip)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
SCALAR = TEXT | NUMBER | st.booleans()
JSON_VALUE = st.recursive(
    st.none() | SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
_TESTS_OF_FIELDS = st.one_of(
    *(st.fixed_dictionaries({op: SCALAR}) for op in ("eq", "ne")),
    *(st.fixed_dictionaries({op: NUMBER}) for op in ("gt", "gte", "lt", "lte")),
    *(st.fixed_dictionaries({op: st.lists(SCALAR, max_size=3)}) for op in ("in", "nin")),
)
_ONE_FIELD = st.builds(lambda field, test: {field: test}, TEXT, _TESTS_OF_FIELDS)
FILTER = (
    st.dictionaries(TEXT, _TESTS_OF_FIELDS, max_size=3)
    | st.fixed_dictionaries({"and": st.lists(_ONE_FIELD, max_size=3)})
    | st.fixed_dictionaries({"or": st.lists(_ONE_FIELD, max_size=3)})
)
INPUTS = st.dictionaries(TEXT, JSON_VALUE, max_size=3) | st.lists(
    st.fixed_dictionaries({"key": FILLED}, optional={"value": JSON_VALUE, "is_pii": st.booleans()}), max_size=3
)


def legal(leaf: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values the contract takes at ``leaf``; of a list or a table, the values of its items."""
    low, high = leaf.get("minimum"), leaf.get("maximum")
    if "enum" in leaf:
        return st.sampled_from(leaf["enum"])
    if leaf["path"].endswith(".email"):
        return st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.[a-z]{2,3}", fullmatch=True)
    if leaf["path"].endswith((".id", ".knowledge_id", "model")):
        return FILLED
    match leaf["type"]:
        case "string":
            return TEXT
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(low, high if high is not None else 10**6 if low is not None else None)
        case "number":
            top = high if high is not None else 10**6
            return st.floats(low, top) | st.integers(-(-low // 1).__int__(), int(top))
        case "object":
            return st.dictionaries(TEXT, JSON_VALUE, max_size=3)
        case "filter":
            return FILTER
        case "string|list[string]":
            return TEXT | st.lists(TEXT, max_size=4)
        case "object|list[{key,value,is_pii}]":
            return INPUTS
        case kind:
            raise AssertionError(f"no strategy for {kind}")
