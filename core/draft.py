"""Drafts: paths into a request body that is being edited.

A draft is ``{"body": wire tree, "extra": JSON text, "shelf": {path: value}}``. In ``body`` an absent key means *not sent* and
``None`` an explicit null. ``shelf`` keeps what was switched off (a block, or the value under a null), so that switching on again
brings it back.

A path is wire names and list indices joined by dots: ``orq.knowledge_bases.0.top_k``. Bodies may hold anything JSON can
(they are half-edited, pasted, imported): reading never raises.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal


class _Missing(Enum):
    MISSING = "MISSING"

    def __bool__(self) -> Literal[False]:
        return False


MISSING: Final = _Missing.MISSING
"""Not in the body: the field is not sent."""

IMPLICIT: Final = ("orq",)
"""Objects without a switch of their own: they are there as long as something is in them."""


def get_path(body: Any, path: str, default: Any = MISSING) -> Any:
    """What stands at ``path`` (names and places in lists, as ``orq.knowledge_bases.0.top_k``), or ``default`` when nothing does."""
    at = body
    for name in path.split("."):
        if isinstance(at, dict):
            at = at.get(name, MISSING)
        elif isinstance(at, list) and name.isdecimal() and int(name) < len(at):
            at = at[int(name)]
        else:
            return default
        if at is MISSING:
            return default
    return at


def set_path(body: dict[str, Any], path: str, value: Any) -> None:
    """Put ``value`` at ``path`` in place, making the objects on the way; what stands in the way and cannot hold it is replaced.

    An index one past the end of a list appends; raises ``IndexError`` further out.
    """
    *parents, last = path.split(".")
    at: Any = body
    for name in parents:
        below = _child(at, name)
        if not isinstance(below, (dict, list)):
            below = {}
            _assign(at, name, below)
        at = below
    _assign(at, last, value)


def drop_path(body: dict[str, Any], path: str) -> None:
    """Take ``path`` out in place. A parent that it empties stays as ``{}`` (its switch is on), save the implicit ``orq``."""
    *parents, last = path.split(".")
    holder = get_path(body, ".".join(parents)) if parents else body
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif isinstance(holder, list) and last.isdecimal() and int(last) < len(holder):
        del holder[int(last)]
    for name in IMPLICIT:
        if parents and parents[0] == name and body.get(name) == {}:
            del body[name]


def _child(holder: Any, name: str) -> Any:
    if isinstance(holder, list):
        return holder[int(name)] if name.isdecimal() and int(name) < len(holder) else MISSING
    return holder.get(name, MISSING)


def _assign(holder: Any, name: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[name] = value
    elif not name.isdecimal() or int(name) > len(holder):
        raise IndexError(f"no item {name} in a list of {len(holder)}")
    elif int(name) == len(holder):
        holder.append(value)
    else:
        holder[int(name)] = value
