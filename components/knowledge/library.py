"""The knowledge bases of the connected router, for pages and pickers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from components.services import workspace
from core.client.client import RouterClient
from core.connection import Connection
from core.errors import PlaygroundError
from core.router_resources.knowledge import KnowledgeBase

KNOWLEDGE_ID = "orq.knowledge_bases[].knowledge_id"
"""The field that names a base."""

T = TypeVar("T")
PATIENCE_S = 60.0
"""The first search of a large base by meaning embeds it."""


def base_names(connection: Connection) -> dict[str, str]:
    """What to call each base by its id; empty where none are known."""
    return {base.id: base.key for base in workspace().knowledge.items(connection)}


def find_base(connection: Connection, id_or_key: str) -> KnowledgeBase | None:
    """The base with this id or key, where it is listed."""
    return next((base for base in workspace().knowledge.items(connection) if id_or_key in (base.id, base.key)), None)


def read(connection: Connection, work: Callable[[RouterClient], Coroutine[Any, Any, T]]) -> T:
    """What ``work`` gets from the router; raises `PlaygroundError`."""
    return workspace().ask(connection, work, PATIENCE_S)


def change(connection: Connection, work: Callable[[RouterClient], Coroutine[Any, Any, T]]) -> T | PlaygroundError:
    """What ``work`` gets after it changed something, or why it could not; the bases are asked for anew."""
    try:
        return workspace().ask(connection, work, PATIENCE_S)
    except PlaygroundError as error:
        return error
    finally:
        workspace().knowledge.forget(connection)
