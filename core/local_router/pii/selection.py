"""What a ``pii_redaction`` plug-in asks to look for, and how sure to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.local_router.api_error import ApiError
from core.local_router.pii.findings import Thresholds
from core.local_router.pii.kinds import ALL, BASE, BY_REGION, DEFAULT_THRESHOLD, KINDS

AUTO = "auto"
CAPABILITIES = "/v2/pii/capabilities"


@dataclass(frozen=True, slots=True)
class Selection:
    """``kinds`` in the order of the catalogue; ``regions`` as asked, empty when all or none were; ``language`` None for ``auto``."""

    kinds: tuple[str, ...]
    regions: tuple[str, ...]
    thresholds: Thresholds
    language: str | None
    on_failure: Literal["block", "passthrough"]


def read_selection(plugin: Mapping[str, Any], path: str) -> Selection:
    """The selection of a plug-in that stands at ``path`` of a valid body; ``ApiError`` 400 for a kind or region that is not known.

    As the official client says: with neither regions nor entities every kind; entities alone are all that is looked for; regions add
    their kinds, and the kinds without a region, to the entities. Names count in any case.
    """
    entities = [_known(name.upper(), KINDS, "entity", f"{path}.entities") for name in plugin.get("entities") or ()]
    regions = [_known(code.lower(), {ALL, *BY_REGION}, "region", f"{path}.regions") for code in plugin.get("regions") or ()]
    wanted = set(entities)
    if ALL in regions or not (regions or entities):
        wanted |= set(KINDS)
        regions = []
    elif regions:
        wanted |= {*BASE, *(kind for region in regions for kind in BY_REGION[region])}
    language = (plugin.get("language") or AUTO).lower().replace("_", "-").partition("-")[0]
    return Selection(
        tuple(kind for kind in KINDS if kind in wanted),
        tuple(dict.fromkeys(regions)),
        Thresholds(
            plugin.get("threshold", DEFAULT_THRESHOLD),
            {name.upper(): threshold for name, threshold in (plugin.get("entity_thresholds") or {}).items()},
        ),
        None if language == AUTO else language,
        plugin.get("on_failure", "block"),
    )


def _known(name: str, known: Iterable[str], what: str, param: str) -> str:
    if name not in known:
        raise ApiError(
            400, f"The local router does not know the {what} {name[:64]!r}; GET {CAPABILITIES} lists what it knows.", param=param
        )
    return name
