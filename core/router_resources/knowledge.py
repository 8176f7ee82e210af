"""What a router tells beside completions (contract §4), as data for the pages: knowledge bases, their documents, chunks and matches.

A router may not have any of it: then a read gives None instead of an answer. Fields that a router leaves out are empty or None;
rows that are no objects or bear no id are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from core.client.client import RouterClient
from core.errors import RouterRejected

NOT_SERVED: Final = (404, 405, 501)
"""How a server says that it does not have an address."""

MOST_PAGES: Final = 20
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """One base of the connected router. ``settings`` are its own, under the names of contract §4. Counts and ``built_in`` are told
    by the local router alone: ``chunks`` is None elsewhere, and only where it is a number can the base be managed from here."""

    id: str
    key: str
    description: str
    model: str
    settings: Mapping[str, Any]
    documents: int | None
    chunks: int | None
    built_in: bool

    @property
    def manageable(self) -> bool:
        """Whether documents can be added and taken away over the local router's addresses."""
        return self.chunks is not None and not self.built_in


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a base; ``metadata`` is what it was uploaded with."""

    id: str
    name: str
    chunks: int
    characters: int
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a document; ``position`` counts from 0 within it."""

    id: str
    text: str
    enabled: bool
    position: int
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk that a search found. ``scores`` are 0…1 by name, ``search_score`` and ``rerank_score`` among them where told.
    ``document_id`` is empty where the router does not tell it."""

    id: str
    text: str
    scores: Mapping[str, float]
    metadata: Mapping[str, Any]
    document_id: str

    @property
    def score(self) -> float | None:
        """What it was ordered by: the rerank score where there is one."""
        return self.scores.get("rerank_score", self.scores.get("search_score"))


async def knowledge_bases(client: RouterClient) -> tuple[KnowledgeBase, ...] | None:
    """Every base, as many as twenty pages hold; None where the router lists none. Raises what ``RouterClient.call`` does."""
    try:
        return tuple(base for row in await _listed(client, "/v2/knowledge") if (base := _base(row)))
    except RouterRejected as refused:
        if refused.status in NOT_SERVED:
            return None
        raise


async def search_knowledge(client: RouterClient, item: Mapping[str, Any]) -> tuple[Match, ...]:
    """What a search with the fields of ``item`` (one of ``orq.knowledge_bases``) finds now, best first, with scores and metadata."""
    asked = {name: value for name, value in item.items() if name != "knowledge_id" and value is not None}
    asked["search_options"] = {"include_scores": True, "include_metadata": True}
    found = await client.call("POST", f"/v2/knowledge/{_part(item['knowledge_id'])}/search", asked)
    return tuple(match_from(row) for row in _rows(found, "matches"))


def match_from(row: Mapping[str, Any]) -> Match:
    """A match as the router spells it."""
    scores = {name: float(score) for name, score in _object(row.get("scores")).items() if _is_number(score)}
    return Match(_text(row.get("id")), _text(row.get("text")), scores, _object(row.get("metadata")), _text(row.get("datasource_id")))


async def documents(client: RouterClient, base_id: str) -> tuple[Document, ...]:
    """The documents of a base, in the router's order."""
    rows = await _listed(client, f"/v2/knowledge/{_part(base_id)}/datasources")
    return tuple(
        Document(
            _text(row["_id"]),
            _text(row.get("display_name")),
            _count(row.get("chunks_count")) or 0,
            _count(row.get("characters")) or 0,
            _object(row.get("fields")),
        )
        for row in rows
    )


async def chunks(
    client: RouterClient, base_id: str, document_id: str, after: str | None = None, limit: int = 20
) -> tuple[list[Chunk], bool]:
    """A page of a document's chunks, those after the chunk ``after``, and whether more follow."""
    query = urlencode({"limit": limit, **({"starting_after": after} if after else {})})
    page = await client.call("GET", f"/v2/knowledge/{_part(base_id)}/datasources/{_part(document_id)}/chunks?{query}")
    found = [
        Chunk(
            _text(row.get("_id")),
            _text(row.get("text")),
            row.get("enabled") is not False,
            _count(row.get("position")) or 0,
            _object(row.get("metadata")),
        )
        for row in _rows(page, "data")
    ]
    return found, _object(page).get("has_more") is True


async def _listed(client: RouterClient, path: str) -> list[Mapping[str, Any]]:
    """All rows of a paged list that bear an id."""
    rows: list[Mapping[str, Any]] = []
    query: dict[str, Any] = {"limit": PAGE}
    for _ in range(MOST_PAGES):
        page = await client.call("GET", f"{path}?{urlencode(query)}")
        new = [row for row in _rows(page, "data") if _text(row.get("_id"))]
        rows += new
        if not new or _object(page).get("has_more") is not True:
            break
        query["starting_after"] = new[-1]["_id"]
    return rows


def _base(row: Mapping[str, Any]) -> KnowledgeBase | None:
    key = _text(row.get("key")) or _text(row.get("_id"))
    return KnowledgeBase(
        _text(row["_id"]),
        key,
        _text(row.get("description")),
        _text(row.get("model")),
        _object(row.get("retrieval_settings")),
        _count(row.get("documents_count")),
        _count(row.get("chunks_count")),
        row.get("built_in") is True,
    )


def _rows(page: Any, name: str) -> Iterator[Mapping[str, Any]]:
    rows: Sequence[Any] = found if isinstance(found := _object(page).get(name), list) else ()
    yield from (row for row in rows if isinstance(row, dict))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any) -> int | None:
    return int(value) if _is_number(value) and 0 <= value < 1e15 else None


def _part(text: str) -> str:
    return quote(text[:200], safe="")
