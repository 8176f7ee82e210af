"""What the connected router can look for with ``pii_redaction``, for the fields that name it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from components.form.drawing import Picks
from components.services import workspace
from core.connection import Connection
from core.router_resources.pii_capabilities import PiiCapabilities

LANGUAGE = "plugins[].language"
REGIONS = "plugins[].regions[]"
ENTITIES = "plugins[].entities[]"
THRESHOLDS = "plugins[].entity_thresholds{}"
AUTO = "auto"
"""The language that the router tells by the text (contract, section 2)."""


def pii_picks(connection: Connection) -> Picks:
    """What each field of the plug-in can name, asked for when the field is drawn; nothing where the router does not say."""

    def told(names: Callable[[PiiCapabilities], Iterable[str]]) -> Callable[[], dict[str, str]]:
        return lambda: {name: name for known in workspace().pii.items(connection) for name in names(known)}

    return {
        LANGUAGE: told(lambda known: (AUTO, *known.languages) if known.languages else ()),
        REGIONS: told(lambda known: known.regions),
        ENTITIES: told(lambda known: known.entities),
        THRESHOLDS: told(lambda known: known.entities),
    }
