"""What a search is to do: the request's fields, and the base's own settings where the request leaves them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from core.contract.filters import Filter, parse_filter
from core.local_router.knowledge.records import LOCAL_EMBEDDING, Base, SearchType

RERANK_THRESHOLD = 0.0
RERANK_TOP_K = 10
"""The contract's defaults (section 2) of a ``rerank_config`` that does not say."""


@dataclass(frozen=True, slots=True)
class Rerank:
    """``model`` scores each chunk 0…1 anew; only what is above ``threshold`` is kept, ``top_k`` at most."""

    model: str
    threshold: float = RERANK_THRESHOLD
    top_k: int = RERANK_TOP_K


Hide = Callable[[Sequence[str]], Awaitable[list[str]]]
"""Texts as servers other than this one may see them."""


async def as_they_are(texts: Sequence[str]) -> list[str]:
    """For requests that hide nothing."""
    return list(texts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One search of one base. ``param`` is where its fields stand in the request, ending in a dot where it is not empty;
    ``agentic`` is the model that rewrites the query, or None. The three flags are the request's ``search_options``.
    ``hide`` is applied to what models of other servers are sent.
    """

    param: str
    base: Base
    query: str
    search_type: SearchType
    top_k: int
    threshold: float
    filter: Filter | None
    rerank: Rerank | None
    agentic: str | None
    include_vectors: bool
    include_metadata: bool
    include_scores: bool
    hide: Hide = as_they_are

    @property
    def query_leaves(self) -> bool:
        """Whether another server embeds the query."""
        return self.base.settings.embedding_model != LOCAL_EMBEDDING and self.search_type != "keyword_search"


def read_wanted(item: Mapping[str, Any], base: Base, prompt: str, param: str = "") -> Wanted:
    """The search that ``item`` asks for: one of ``orq.knowledge_bases``, valid by the contract. ``prompt`` is searched for where it has
    no ``query``, or an empty one."""
    settings = base.settings
    options = item.get("search_options") or {}
    agentic = item.get("agentic_rag_config") or settings.agentic
    top_k, threshold = item.get("top_k"), item.get("threshold")
    filter_by = item.get("filter_by")
    return Wanted(
        param=param,
        base=base,
        query=item.get("query") or prompt,
        search_type=cast(SearchType, item.get("search_type") or settings.search_type),
        top_k=settings.top_k if top_k is None else int(top_k),
        threshold=float(settings.threshold if threshold is None else threshold),
        filter=None if filter_by is None else parse_filter(filter_by, lenient=True),
        rerank=_rerank(item.get("rerank_config") or settings.rerank),
        agentic=agentic["model"] if agentic else None,
        include_vectors=options.get("include_vectors") is True,
        include_metadata=options.get("include_metadata") is True,
        include_scores=options.get("include_scores") is True,
    )


def _rerank(config: Mapping[str, Any] | None) -> Rerank | None:
    if not config:
        return None
    return Rerank(config["model"], float(config.get("threshold", RERANK_THRESHOLD)), int(config.get("top_k", RERANK_TOP_K)))
