"""One search of one base, as a request wants it: rewrite the query, search, cut at the threshold, rerank."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from core.contract.filters import Filter
from core.local_router.answer import Model
from core.local_router.api_error import ApiError
from core.local_router.clock import Clock
from core.local_router.knowledge.python_reference import KEY as BUILT_IN
from core.local_router.knowledge.records import Base, Chunk, Match, SearchType, UnknownBase
from core.local_router.retrieval.overlap import OVERLAP_MODEL, overlap_scores
from core.local_router.retrieval.rewriting import asked_for, expansions
from core.local_router.retrieval.wanted import Rerank, Wanted
from core.local_router.threads import in_thread

RRF_K = 60
"""The constant of reciprocal rank fusion, as in Cormack, Clarke and Büttcher, SIGIR 2009."""

Reason = Literal["threshold", "top_k", "rerank_threshold", "rerank_top_k", "duplicate", "budget"]


class Store(Protocol):
    """What a search needs of the knowledge store; it blocks."""

    def base(self, id_or_key: str) -> Base:
        """The base; ``UnknownBase`` where there is none."""
        ...

    def search(
        self,
        base_id: str,
        query: str,
        *,
        search_type: SearchType,
        top_k: int,
        threshold: float,
        filter: Filter | None = None,
        include_vectors: bool = False,
    ) -> list[Match]:
        """The best chunks, best first."""
        ...

    def frequencies(self, base_id: str, words: Sequence[str]) -> list[int]:
        """In how many of the base's chunks each word is."""
        ...


class Catalog(Protocol):
    """Where the models are that rewrite queries."""

    def find(self, model: str) -> Model:
        """The model of that id; ``ApiError`` 404 where there is none."""
        ...


class Rerankers(Protocol):
    """Servers that score documents."""

    async def rerank(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """One score a document, 0…1; ``ApiError`` 404 for a model that is nowhere, another where it fails."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk that a search gave. ``search_score`` is 0…1 (the best of its queries' scores), ``rerank_score`` None without reranking."""

    match: Match
    search_score: float
    rerank_score: float | None = None

    @property
    def chunk(self) -> Chunk:
        """The chunk itself."""
        return self.match.chunk

    @property
    def score(self) -> float:
        """What it was ordered by in the end."""
        return self.search_score if self.rerank_score is None else self.rerank_score

    def scores(self) -> dict[str, float]:
        """Every score by its name on the wire; beside the contract's two those that the search score was made of."""
        named = {"search_score": self.search_score, **({} if self.rerank_score is None else {"rerank_score": self.rerank_score})}
        return {**named, **self.match.scores}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A chunk that was found and then not kept."""

    found: Found
    reason: Reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search gave, best first. ``queries`` counts the searches; ``rewriting_status`` is the status of the error with which
    a model failed to rewrite the query (it was searched as it stood), None where none did."""

    found: tuple[Found, ...]
    left_out: tuple[LeftOut, ...]
    queries: int = 1
    rewriting_status: int | None = None


class Searcher:
    """Carries out searches. ``rerankers`` None: there is only ``local/overlap``."""

    def __init__(self, store: Store, models: Catalog, clock: Clock, rerankers: Rerankers | None = None) -> None:
        self.store = store
        self._models = models
        self._clock = clock
        self._rerankers = rerankers
        self._warming: asyncio.Future[list[Match]] | None = None

    def warm_up(self) -> None:
        """Begin to embed the built-in base in the background, once: somebody who lists bases is about to search one."""
        if self._warming is None:
            ask = in_thread(self.store.search, BUILT_IN, "warm up", search_type="vector_search", top_k=1, threshold=0.0)
            self._warming = asyncio.ensure_future(ask)

    async def search(self, wanted: Wanted, caller: str) -> Outcome:
        """What ``wanted`` finds; ``ApiError`` 404 for a model that is nowhere, another where a server fails."""
        rewriter = self._rewriter(wanted)
        if wanted.query_leaves:
            (shown,) = await wanted.hide([wanted.query])
            wanted = replace(wanted, query=shown)
        first = await self._ask(wanted, wanted.query)
        rewrites: list[str] = []
        status: int | None = None
        if rewriter is not None and wanted.agentic is not None:
            try:
                rewrites = await self._rewrite(wanted, wanted.agentic, rewriter, first, caller)
            except ApiError as error:
                status = error.status
        lists = [first, *await asyncio.gather(*(self._ask(wanted, query) for query in rewrites))]
        outcome = _cut(_fused(lists), wanted)
        if wanted.rerank is not None:
            outcome = await self._reranked(outcome, wanted, wanted.rerank)
        return replace(outcome, queries=len(lists), rewriting_status=status)

    def _rewriter(self, wanted: Wanted) -> Model | None:
        if wanted.agentic is None:
            return None
        try:
            return self._models.find(wanted.agentic)
        except ApiError as error:
            param = f"{wanted.param}agentic_rag_config.model"
            raise ApiError(error.status, error.message, code=error.code, param=param) from None

    async def _ask(self, wanted: Wanted, query: str) -> list[Match]:
        try:
            return await in_thread(
                self.store.search,
                wanted.base.id,
                query,
                search_type=wanted.search_type,
                top_k=wanted.top_k,
                threshold=0.0,  # what is below the threshold is told, not hidden
                filter=wanted.filter,
                include_vectors=wanted.include_vectors,
            )
        except UnknownBase as error:  # deleted since it was found
            raise ApiError(404, str(error), param=f"{wanted.param}knowledge_id") from None

    async def _rewrite(self, wanted: Wanted, name: str, model: Model, first: Sequence[Match], caller: str) -> list[str]:
        if not name.startswith("local/"):
            (shown,) = await wanted.hide([wanted.query])
            return await asked_for(shown, name, model, caller, self._clock)
        base, texts = wanted.base, [match.chunk.text for match in first]
        return await in_thread(expansions, wanted.query, texts, lambda words: self.store.frequencies(base.id, words), base.chunks)

    async def _reranked(self, outcome: Outcome, wanted: Wanted, rerank: Rerank) -> Outcome:
        texts = [found.chunk.text for found in outcome.found]
        scores = await self._scores(wanted, rerank.model, texts)
        scored = [replace(found, rerank_score=score) for found, score in zip(outcome.found, scores, strict=True)]
        scored.sort(key=lambda found: -(found.rerank_score or 0.0))  # stable: the search decides between equals
        above = [found for found in scored if found.score > rerank.threshold]
        below = [LeftOut(found, "rerank_threshold") for found in scored if found.score <= rerank.threshold]
        beyond = [LeftOut(found, "rerank_top_k") for found in above[rerank.top_k :]]
        return replace(outcome, found=tuple(above[: rerank.top_k]), left_out=(*outcome.left_out, *beyond, *below))

    async def _scores(self, wanted: Wanted, model: str, texts: Sequence[str]) -> list[float]:
        base, param = wanted.base, f"{wanted.param}rerank_config.model"
        if model == OVERLAP_MODEL:
            return await in_thread(overlap_scores, wanted.query, texts, lambda words: self.store.frequencies(base.id, words), base.chunks)
        unknown = ApiError(404, f"There is no model {model} to rerank with. There is {OVERLAP_MODEL}.", code="model_not_found", param=param)
        if self._rerankers is None or model.startswith(("local/", "rehearsal/")):
            raise unknown
        try:
            query, *documents = await wanted.hide([wanted.query, *texts])
            return await self._rerankers.rerank(model, query, documents)
        except ApiError as error:
            if error.code == "model_not_found":
                raise unknown from None
            raise


def _fused(lists: Sequence[Sequence[Match]]) -> list[Found]:
    """Each chunk once, with its best score, in the order of reciprocal rank fusion; one list stays as it is."""
    ranks: dict[str, float] = {}
    best: dict[str, Match] = {}
    for matches in lists:
        for rank, match in enumerate(matches, 1):
            chunk = match.chunk.id
            ranks[chunk] = ranks.get(chunk, 0.0) + 1 / (RRF_K + rank)
            if chunk not in best or match.score > best[chunk].score:
                best[chunk] = match
    return [Found(best[chunk], best[chunk].score) for chunk in sorted(ranks, key=lambda chunk: -ranks[chunk])]


def _cut(fused: Sequence[Found], wanted: Wanted) -> Outcome:
    """Only what reaches the threshold, and the ``top_k`` first of that."""
    above = [found for found in fused if found.search_score >= wanted.threshold]
    below = [LeftOut(found, "threshold") for found in fused if found.search_score < wanted.threshold]
    beyond = [LeftOut(found, "top_k") for found in above[wanted.top_k :]]
    return Outcome(tuple(above[: wanted.top_k]), (*beyond, *below))
