"""Wraps the pipeline: what each request used is counted for its identity and its thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from core.local_router.answer import Answer, Batches, Call, Pieces
from core.local_router.identities.ledger import Ledger
from core.local_router.identities.records import Subject, Usage
from core.local_router.trace import Trace

PROFILE = ("display_name", "email", "logo_url", "metadata", "tags")


class Answering(Protocol):
    """What gets from a call to an answer."""

    async def answer(self, call: Call, trace: Trace) -> Answer:
        """An answer whose first text is there; ``ApiError`` where there is none."""
        ...


class Attribution:
    """``inner``, with a count of what is asked for whom. ``owner`` makes of a caller whose identities are seen and counted."""

    def __init__(self, inner: Answering, ledger: Ledger, owner: Callable[[str], str]) -> None:
        self._inner = inner
        self._ledger = ledger
        self._owner = owner

    async def answer(self, call: Call, trace: Trace) -> Answer:
        """The inner answer; the request is counted at once, its tokens when it has ended."""
        subjects = self._subjects(self._owner(call.caller), trace.labels)
        if not subjects:
            return await self._inner.answer(call, trace)
        for subject, profile in subjects.items():
            self._ledger.note(subject, Usage(requests=1), profile)
        try:
            answer = await self._inner.answer(call, trace)
        except Exception:
            self._count(subjects, Usage(failed=1))
            raise
        batches = CountedBatches(answer.batches, answer.prompt_tokens, lambda usage: self._count(subjects, usage))
        return replace(answer, batches=batches)

    def _subjects(self, owner: str, labels: Mapping[str, Any]) -> dict[Subject, dict[str, Any]]:
        """The identity and the thread that a trace's labels name, each with what came of its profile."""
        found: dict[Subject, dict[str, Any]] = {}
        if identity := labels.get("identity"):
            found[Subject(owner, "identity", identity["id"])] = {name: identity[name] for name in PROFILE if name in identity}
        if thread := labels.get("thread"):
            found[Subject(owner, "thread", thread["id"])] = {name: thread[name] for name in ("tags",) if name in thread}
        return found

    def _count(self, subjects: Mapping[Subject, Any], usage: Usage) -> None:
        for subject in subjects:
            self._ledger.note(subject, replace(usage))


class CountedBatches:
    """An answer on its way out; tells what it used, once, when it ends in whatever way."""

    def __init__(self, batches: Batches, prompt_tokens: int | None, used: Callable[[Usage], None]) -> None:
        self._batches = batches
        self._usage = Usage(prompt_tokens=prompt_tokens or 0)
        self._used: Callable[[Usage], None] | None = used

    def __aiter__(self) -> CountedBatches:
        return self

    async def __anext__(self) -> Pieces:
        try:
            batch = await self._batches.__anext__()
        except StopAsyncIteration:
            self._end()
            raise
        except Exception:
            self._usage.failed = 1
            self._end()
            raise
        for piece in batch:
            self._usage.completion_tokens += piece.tokens + piece.reasoning_tokens
            if piece.usage is not None:  # a provider's own word on the whole answer
                self._usage.prompt_tokens = piece.usage.prompt_tokens or 0
                self._usage.completion_tokens = piece.usage.completion_tokens or 0
        return batch

    async def aclose(self) -> None:
        """Stop the model; what it spent until now counts."""
        try:
            await self._batches.aclose()
        finally:
            self._end()

    def _end(self) -> None:
        used, self._used = self._used, None
        if used is not None:
            used(self._usage)
