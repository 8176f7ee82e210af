"""Counts of what follows any context of up to seven tokens, read from a suffix array."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer[Any]]

DEPTH = 8
"""Suffixes are sorted by this many tokens: contexts of up to seven, and the token that follows."""

RARE = 24
"""A context that occurs at most this often is read by a plain loop, which is faster there than numpy."""

KEPT_CONTEXTS = 20_000
"""Contexts kept between look-ups; more are forgotten and read again from the suffix array."""

NOTHING = -1
"""Stands behind the last token."""


def sort_suffixes(tokens: Ids, depth: int = DEPTH) -> npt.NDArray[np.int64]:
    """Start positions of all suffixes of ``tokens``, sorted by their first ``depth`` tokens (a power of two); ties by position.

    Prefix doubling (Manber and Myers, 1990): positions ranked by one token are ranked by two, four, eight.
    """
    ranks = tokens.astype(np.int64) + 1
    covered = 1
    order = np.argsort(ranks, kind="stable")
    while covered < depth:
        following = np.zeros_like(ranks)
        following[:-covered] = ranks[covered:]
        keys = ranks * (int(ranks.max()) + 1) + following
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        ranks = np.empty_like(ranks)
        ranks[order] = np.concatenate(([1], 1 + np.cumsum(ordered[1:] != ordered[:-1])))
        covered *= 2
    return order


class Context:
    """What follows one context: ``followers`` (token ids, ascending) and ``counts``, with ``total`` their sum.

    Lists where the context occurs rarely, arrays where it occurs often: each is the faster there.

    ``low`` is where the first follower's suffixes begin in the suffix array. ``shares`` are counts / (total + kinds) and
    ``back_off`` is kinds / (total + kinds), where kinds is how many different tokens follow: the terms of Witten-Bell smoothing.
    """

    __slots__ = ("back_off", "children", "counts", "depth", "followers", "low", "shares", "total")

    def __init__(self, depth: int, low: int, followers: Ids | list[int], counts: Ids | list[int], total: int) -> None:
        self.depth = depth
        self.low = low
        self.followers = followers
        self.counts = counts
        self.total = total
        whole = total + len(followers)
        self.shares = [count / whole for count in counts] if isinstance(counts, list) else counts / whole
        self.back_off = len(followers) / whole if whole else 1.0
        self.children: dict[int, Context | None] = {}


class ContextTree:
    """All contexts of a text of token ids; each is looked up once and then kept, up to a bound."""

    def __init__(self, tokens: Sequence[int]) -> None:
        text = np.asarray(tokens, dtype=np.int32)
        suffixes = sort_suffixes(text)
        padded = np.concatenate((text, np.full(DEPTH, NOTHING, dtype=np.int32)))
        self._columns = [padded[suffixes + distance] for distance in range(DEPTH)]
        self._kept = 0
        self.root = self._read(0, 0, len(text))

    def child(self, context: Context, token: int) -> Context | None:
        """``context`` with ``token`` behind it; None when that never occurs, or is longer than seven tokens."""
        try:
            return context.children[token]
        except KeyError:
            return self._look_up(context, token)

    def _look_up(self, context: Context, token: int) -> Context | None:
        place = bisect_left(context.followers, token)
        found = place < len(context.followers) and context.followers[place] == token and context.depth + 1 < DEPTH
        child = None
        if found:
            before = context.counts[:place]
            low = context.low + (sum(before) if isinstance(before, list) else int(before.sum()))
            child = self._read(context.depth + 1, low, low + int(context.counts[place]))
        if self._kept >= KEPT_CONTEXTS:
            self.root.children = {}
            self._kept = 0
        context.children[token] = child
        self._kept += 1
        return child

    def _read(self, depth: int, low: int, high: int) -> Context:
        """The context whose suffixes stand at ``low`` to ``high`` of the suffix array."""
        column = self._columns[depth]
        if column[low] == NOTHING:
            low += 1
        if high - low == 1:
            return Context(depth, low, [int(column[low])], [1], 1)
        if high - low <= RARE:
            tally: dict[int, int] = {}  # in ascending order, as the column is sorted here
            for token in column[low:high].tolist():
                tally[token] = tally.get(token, 0) + 1
            return Context(depth, low, list(tally), list(tally.values()), high - low)
        behind = column[low:high]
        starts = np.flatnonzero(behind[1:] != behind[:-1]) + 1
        counts = np.diff(starts, prepend=0, append=high - low)
        return Context(depth, low, behind[np.concatenate(([0], starts))], counts, high - low)

    def occurrence(self, context: Context, number: int) -> int:
        """The token behind one occurrence of ``context``, counted from 0; occurrences are sorted by it."""
        return int(self._columns[context.depth][context.low + number])

    def extend(self, chain: Sequence[Context], token: int, longest: int) -> list[Context]:
        """The contexts of the last 0, 1, … tokens after ``token`` came behind those of ``chain``; at most ``longest`` tokens."""
        contexts = [self.root]
        for context in chain[:longest]:
            child = self.child(context, token)
            if child is None or not child.total:
                break
            contexts.append(child)
        return contexts

    def contexts(self, tokens: Sequence[int], longest: int) -> list[Context]:
        """The contexts of the last 0, 1, … of ``tokens``, as far as they occur; at most ``longest`` tokens."""
        chain = [self.root]
        for token in tokens[-longest:] if longest else ():
            chain = self.extend(chain, token, longest)
        return chain

    def __iter__(self) -> Iterator[Context]:
        """The contexts kept at the moment."""
        waiting = [self.root]
        while waiting:
            context = waiting.pop()
            yield context
            waiting.extend(child for child in context.children.values() if child is not None)
