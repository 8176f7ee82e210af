"""Rewriting a query, for ``agentic_rag_config``: by a model that is asked to, or from words that the base itself puts together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

from core.local_router.answer import AnswerCut, AnswerGarbled, Call, Model
from core.local_router.api_error import ApiError
from core.local_router.clock import Clock
from core.local_router.retrieval.overlap import Frequencies, weight, words

MOST_REWRITES = 3
REWRITING_S = 20.0
"""The longest that a model may take to rewrite a query."""

_WORDS_A_REWRITE = 3
_FEWEST_CHUNKS = 2
"""Words that are in one chunk only do not go together with anything."""

_LONGEST_QUERY = 4_000
_MOST_TOKENS = 160
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])?\s*[\"“]?(.*?)[\"”]?\s*$")
_REQUEST = """\
Write {count} other search queries for the question below, to find passages that answer it in a knowledge base. \
Use other words. One query a line, nothing else.

Question: {query}

Queries:
"""


def expansions(query: str, found: Sequence[str], frequencies: Frequencies, chunks: int) -> list[str]:
    """Up to three queries: the query with three words each that the texts ``found`` for it have in common, and other chunks have not."""
    asked = set(words(query))
    shared = Counter(word for text in found for word in set(words(text)) if len(word) > 2 and not word.isdigit() and word not in asked)
    common = [word for word, count in shared.items() if count >= _FEWEST_CHUNKS]
    weights = {word: shared[word] * weight(count, chunks) for word, count in zip(common, frequencies(common), strict=True)}
    best = sorted(weights, key=lambda word: (-weights[word], word))[: MOST_REWRITES * _WORDS_A_REWRITE]
    groups = [best[start : start + _WORDS_A_REWRITE] for start in range(0, len(best), _WORDS_A_REWRITE)]
    return [" ".join([query, *group]) for group in groups]


async def asked_for(query: str, name: str, model: Model, caller: str, clock: Clock) -> list[str]:
    """Up to three queries that the model writes when it is asked to, one a line; fewer where it writes fewer, or breaks off.

    ``ApiError`` where it fails; 504 where it takes longer than `REWRITING_S`.
    """
    prompt = _REQUEST.format(count=MOST_REWRITES, query=query[:_LONGEST_QUERY])
    call = Call(name, {"model": name, "prompt": prompt, "max_tokens": _MOST_TOKENS, "temperature": 0}, caller)
    said: list[str] = []
    try:
        async with clock.limit(REWRITING_S):
            answer = await model.answer(call)
            async with aclosing(answer.batches) as batches:
                async for batch in batches:
                    said += [piece.text for piece in batch]
    except TimeoutError:
        raise ApiError(504, f"{name} did not rewrite the query within {REWRITING_S:g} s.") from None
    except (AnswerCut, AnswerGarbled):
        raise ApiError(502, f"{name} broke off while it rewrote the query.") from None
    lines = [match.group(1) for line in "".join(said).splitlines() if (match := _BULLET.match(line)) and match.group(1)]
    return [line for line in dict.fromkeys(lines) if line != query][:MOST_REWRITES]
