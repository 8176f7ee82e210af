"""``local/overlap``: scores a chunk by how much of the query's weight its words carry."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from core.local_router.knowledge import keywords

OVERLAP_MODEL = "local/overlap"

Frequencies = Callable[[Sequence[str]], list[int]]
"""In how many of a base's chunks each word is."""

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text, case aside, in order."""
    return _WORD.findall(text.casefold())


def weight(count: int, chunks: int) -> float:
    """What a word that is in ``count`` of ``chunks`` chunks tells (bm25's idf in the form that is never below 0)."""
    return math.log(1 + (chunks - count + 0.5) / (count + 0.5))


def overlap_scores(query: str, texts: Sequence[str], frequencies: Frequencies, chunks: int) -> list[float]:
    """One score a text, 0…1: the share of the query's weight whose words are in it. Words that the base does not know weigh nothing;
    a plural and its singular are one word.
    """
    asked = keywords.words(query)
    weights: dict[str, float] = {}
    for word, count in zip(asked, frequencies(asked), strict=True):
        if count:
            weights[_singular(word)] = max(weights.get(_singular(word), 0.0), weight(count, chunks))
    whole = sum(weights.values())
    if not whole:
        return [0.0] * len(texts)
    return [sum(weights[word] for word in {_singular(word) for word in words(text)} & weights.keys()) / whole for text in texts]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
