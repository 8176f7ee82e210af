"""The knowledge bases of the connected router, for pages and pickers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from components.services import workspace
from core.client import RouterClient
from core.connection import Connection
from core.errors import PlaygroundError
from core.router_reads import KnowledgeBase
from core.workspace import KnowledgeListing

T = TypeVar("T")
PATIENCE_S = 60.0
"""The first search of a large base by meaning embeds it."""


def listing(connection: Connection) -> KnowledgeListing:
    """The bases, None where the router lists none, or why they could not be read."""
    return workspace().knowledge(connection)


def base_names(connection: Connection) -> dict[str, str]:
    """What to call each base by its id; empty where none are known."""
    found = listing(connection)
    return {base.id: base.key for base in found} if isinstance(found, tuple) else {}


def find_base(connection: Connection, id_or_key: str) -> KnowledgeBase | None:
    """The base with this id or key, where it is listed."""
    found = listing(connection)
    bases = found if isinstance(found, tuple) else ()
    return next((base for base in bases if id_or_key in (base.id, base.key)), None)


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
        workspace().forget_knowledge(connection)
