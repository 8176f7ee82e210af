"""``orq.knowledge_bases``: searches each base of a request at once, and puts what was found before the prompt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from core.local_router.answer import Call
from core.local_router.api_error import ApiError
from core.local_router.knowledge.records import Base, UnknownBase
from core.local_router.pii.step import hidden
from core.local_router.retrieval.prompt import budget, chosen, tokens, with_knowledge
from core.local_router.retrieval.search import Found, LeftOut, Outcome, Searcher
from core.local_router.retrieval.wanted import Wanted, read_wanted
from core.local_router.threads import in_thread
from core.local_router.trace import Trace

MAX_TOKENS = 16
"""The contract's default."""

LARGEST_DETAILS = 32 * 1024
"""Bytes of metadata and vectors that one request's trace keeps; what is beyond is said to be cut."""


class Retrieval:
    """The step of the pipeline that brings knowledge.

    The trace gets one ``retrieval`` event a base: ``chunks`` (id and score, in the order found) went before the prompt, ``left_out``
    did not, each with its reason; a search that failed has its status as ``failed`` and neither. The request's ``search_options`` add
    all scores, metadata and vectors of ``chunks``.
    Other servers that embed, rerank or rewrite see what the request's plug-ins leave; the search within this process sees all.
    """

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    async def shape(self, call: Call, trace: Trace) -> Call:
        """The call without its ``knowledge_bases`` and with what they know; ``ApiError`` 404 where a base or a model is nowhere."""
        orq = dict(call.body.get("orq") or {})
        items = orq.pop("knowledge_bases", None)
        if not items:
            return call if items is None else replace(call, body=_without(call.body, orq))
        prompt = call.body["prompt"]
        bases = await in_thread(self._bases, items)
        wanted = [
            replace(read_wanted(item, base, prompt, _param(index)), hide=partial(hidden, call=call))
            for index, (item, base) in enumerate(zip(items, bases, strict=True))
        ]
        searches = await _all(self._timed(one, call.caller, trace) for one in wanted)
        outcomes = [outcome for outcome, _ in searches]
        kept, unkept = chosen(outcomes, budget(prompt, int(call.body.get("max_tokens") or MAX_TOKENS)))
        details = _Details()
        for index, (one, (outcome, duration_ms)) in enumerate(zip(wanted, searches, strict=True)):
            mine = [found for at, found in kept if at == index]
            trace.note("retrieval", **_told(one, outcome, mine, unkept[index], details), duration_ms=duration_ms)
        chunks = [(bases[index].key, found.chunk.text) for index, found in kept]
        return replace(call, body={**_without(call.body, orq), "prompt": with_knowledge(prompt, chunks)})

    def _bases(self, items: Sequence[Mapping[str, Any]]) -> list[Base]:
        found = []
        for index, item in enumerate(items):
            try:
                found.append(self._searcher.store.base(item["knowledge_id"]))
            except UnknownBase as error:
                raise ApiError(404, str(error), param=f"{_param(index)}knowledge_id") from None
        return found

    async def _timed(self, wanted: Wanted, caller: str, trace: Trace) -> tuple[Outcome, float]:
        begun = trace.elapsed_ms()
        try:
            outcome = await self._searcher.search(wanted, caller)
        except ApiError as error:
            base, took_ms = wanted.base, round(trace.elapsed_ms() - begun, 3)
            told = {"knowledge_id": base.id, "key": base.key, "search_type": wanted.search_type}
            trace.note("retrieval", **told, failed=error.status, duration_ms=took_ms)
            raise
        return outcome, round(trace.elapsed_ms() - begun, 3)


async def _all(searches: Iterable[Coroutine[Any, Any, tuple[Outcome, float]]]) -> list[tuple[Outcome, float]]:
    """What each gives, at once; with the first that fails the others are given up."""
    tasks = [asyncio.ensure_future(search) for search in searches]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


class _Details:
    """What there is room for of the metadata and vectors that a request wants to see."""

    def __init__(self) -> None:
        self._left = LARGEST_DETAILS

    def of(self, found: Found, wanted: Wanted) -> dict[str, Any]:
        """The details of one chunk, or that they were cut."""
        details: dict[str, Any] = (
            {"scores": {name: round(score, 6) for name, score in found.scores().items()}} if wanted.include_scores else {}
        )
        if wanted.include_metadata:
            details["metadata"] = found.chunk.metadata
        if wanted.include_vectors and found.match.vector is not None:
            details["vector"] = [round(number, 4) for number in found.match.vector]
        if not details:
            return {}
        self._left -= len(json.dumps(details))
        return details if self._left >= 0 else {"details": "cut"}


def _told(wanted: Wanted, outcome: Outcome, kept: Sequence[Found], unkept: Sequence[LeftOut], details: _Details) -> dict[str, Any]:
    """The event of one base; ``tokens`` is what its chunks were counted as."""
    told = {
        "knowledge_id": wanted.base.id,
        "key": wanted.base.key,
        "chunks": [{"id": found.chunk.id, "score": round(found.score, 6), **details.of(found, wanted)} for found in kept],
        "left_out": [
            {"id": left.found.chunk.id, "score": round(left.found.score, 6), "reason": left.reason} for left in (*unkept, *outcome.left_out)
        ],
        "tokens": sum(tokens(found.chunk.text) for found in kept),
        "search_type": wanted.search_type,
        "top_k": wanted.top_k,
        "threshold": wanted.threshold,
        "filtered": wanted.filter is not None,
    }
    return told | dict(_models(wanted, outcome))


def _models(wanted: Wanted, outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """What the models did that took part; a query is never told, only how many there were."""
    if wanted.rerank is not None:
        yield "rerank", {"model": wanted.rerank.model, "threshold": wanted.rerank.threshold, "top_k": wanted.rerank.top_k}
    if wanted.agentic is not None:
        failed = {} if outcome.rewriting_status is None else {"failed": outcome.rewriting_status}
        yield "agentic", {"model": wanted.agentic, "queries": outcome.queries, **failed}


def _param(index: int) -> str:
    return f"orq.knowledge_bases.{index}."


def _without(body: Mapping[str, Any], orq: Mapping[str, Any]) -> dict[str, Any]:
    """``body`` with the rest of ``orq``, if any."""
    rest = {name: value for name, value in body.items() if name != "orq"}
    return {**rest, **({"orq": dict(orq)} if orq else {})}
