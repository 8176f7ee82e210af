"""The form's outline: which fields and blocks stand in which group, in which order. Data made once from the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from core.contract.parameters import BLOCKS, GROUPS, PARAMETERS, BlockSpec, ParameterSpec
from core.draft import MISSING, get_path

ON_THE_LEFT = ("model", "prompt")
"""Fields that stand beside the form, not in it."""

HOSTS = {"Request": "Length and stopping"}
"""Groups without a header of their own here, and where their fields stand."""

FIRST = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "n"),
    *("max_tokens", "stream", "stop", "echo"),
    *("orq.knowledge_bases[].knowledge_id", "orq.knowledge_bases[].query"),
)
"""What comes first in its group or block, in this order; the rest follows as in the contract."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A block with its fields and blocks, in the contract's order."""

    spec: BlockSpec
    items: tuple[ParameterSpec | Branch, ...]
    understood: bool

    def leaves(self) -> Iterator[ParameterSpec]:
        """Every field in it, at any depth."""
        for item in self.items:
            if isinstance(item, Branch):
                yield from item.leaves()
            else:
                yield item


Item = ParameterSpec | Branch


@cache
def outline() -> dict[str, tuple[Item, ...]]:
    """Per group, its fields and blocks. A list edited in one widget stands once, whatever leaves it has."""
    return {group: _items(group, "") for group in GROUPS}


def pattern(path: str) -> str:
    """``orq.knowledge_bases[].top_k`` as the form writes it: without brackets and braces."""
    return path.replace("[]", "").replace("{}", "")


def _items(group: str, inside: str) -> tuple[Item, ...]:
    """What stands directly under the block at ``inside`` (a bracketed path; ``""`` for the group itself)."""
    found: dict[str, Item] = {}
    for spec in PARAMETERS:
        if HOSTS.get(spec.group, spec.group) != group or spec.path in ON_THE_LEFT or not _under(spec.path, inside):
            continue
        block = _outermost_block(spec.path, inside)
        if block is None:
            found.setdefault(spec.editor, spec)
        elif block.path not in found:
            items = _items(group, block.path)
            found[block.path] = Branch(block, items, any(leaf.openai for leaf in PARAMETERS if _under(leaf.path, block.path)))
    return tuple(sorted(found.values(), key=lambda item: FIRST.index(path) if (path := _path(item)) in FIRST else len(FIRST)))


def _path(item: Item) -> str:
    return item.spec.path if isinstance(item, Branch) else item.path


def _outermost_block(path: str, inside: str) -> BlockSpec | None:
    blocks = [block for block in BLOCKS if _under(path, block.path) and block.path != inside and _under(block.path, inside)]
    return min(blocks, key=lambda found: len(found.path), default=None)


def _under(path: str, block: str) -> bool:
    return not block or pattern(path).startswith(f"{pattern(block)}.")


def branch_paths(branch: Branch, body: object, at: str) -> Iterator[tuple[ParameterSpec, str]]:
    """Every field of ``branch`` with its path in ``body``, list indices filled in; ``at`` is the branch's own path."""
    roots = [at]
    if branch.spec.repeated:
        items = get_path(body, at)
        roots = [f"{at}.{index}" for index in range(len(items))] if isinstance(items, list) else []
    for root in roots:
        for item in branch.items:
            path = child_path(branch.spec.path, root, item)
            if isinstance(item, Branch):
                yield from branch_paths(item, body, path)
            else:
                yield item, path


def child_path(block: str, root: str, item: Item) -> str:
    """The path of ``item`` when its block ``block`` stands at ``root``."""
    own = item.spec.path if isinstance(item, Branch) else item.editor
    tail = pattern(own)[len(pattern(block)) :] if block else pattern(own)
    return f"{root}{tail}" if root else tail


@cache
def top_names(inside: str) -> frozenset[str]:
    """The contract's names at the top of a body (``inside`` empty) or in ``orq``."""
    start = f"{inside}." if inside else ""
    return frozenset(pattern(spec.path).removeprefix(start).partition(".")[0] for spec in PARAMETERS if spec.path.startswith(start))


def count_set(items: tuple[Item, ...], body: object) -> int:
    """How many fields of ``items`` are sent; a block that is on with nothing in it counts as one."""
    total = 0
    for item in items:
        if isinstance(item, Branch):
            path = pattern(item.spec.path)
            if get_path(body, path) is not MISSING:
                total += max(1, sum(get_path(body, leaf) is not MISSING for _, leaf in branch_paths(item, body, path)))
        else:
            total += get_path(body, pattern(item.editor)) is not MISSING
    return total
