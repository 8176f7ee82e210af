"""Counts of what follows any context of up to seven tokens, read from a suffix array."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer[Any]]

DEPTH = 8
"""Suffixes are sorted by this many tokens: contexts of up to seven, and the token that follows."""

NOTHING = -1
"""Stands behind the last token."""

Match = tuple[int, int]
"""How much of a text is known: ``(end, length)`` says that its last ``length`` tokens are those before place ``end`` of the text learned
from. Every shorter context stands there too, so that one look-up finds them all."""

NO_MATCH: Match = (0, 0)


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


class Level:
    """All contexts of one length, numbered in the order of the suffix array.

    ``at`` gives a context's number by the place where it begins in the text; ``lows[number]`` to ``highs[number]`` is where the suffixes
    that begin with it stand, without one that has nothing behind it. ``following`` is the token behind the context, in the order of
    the suffix array. ``children[number]`` to ``children[number + 1]`` are the numbers of the contexts that are one token longer.
    ``back_off`` is kinds / (total + kinds), where kinds is how many different tokens follow: the weight of Witten-Bell smoothing.
    """

    __slots__ = ("at", "back_off", "children", "following", "highs", "kinds", "lows")

    def __init__(self, suffixes: Ids, following: Ids, starts: Ids, starts_below: Ids) -> None:
        size = len(suffixes)
        numbers = np.zeros(size, dtype=np.int32)
        numbers[starts[1:]] = 1
        at = np.empty(size, dtype=np.int32)
        at[suffixes] = numbers.cumsum()
        ends_here = following[starts] == NOTHING
        lows, highs = starts + ends_here, np.append(starts[1:], size)
        children = np.searchsorted(starts_below, lows)
        kinds = np.searchsorted(starts_below, highs) - children
        whole = highs - lows + kinds
        self.at = _array("i", at)
        self.following = _array("i", following)
        self.lows, self.highs, self.kinds = _array("i", lows), _array("i", highs), _array("i", kinds)
        self.children = _array("i", children)
        self.back_off = _array("d", np.divide(kinds, whole, out=np.ones(len(starts)), where=whole > 0))


def _array(code: str, values: npt.NDArray[Any]) -> array[Any]:
    """``values`` where single ones are read four times as fast as from numpy."""
    return array(code, values.astype(np.int32 if code == "i" else np.float64).tobytes())


class SuffixIndex:
    """All contexts of a text of token ids, counted once and for all: about 100 bytes a token."""

    def __init__(self, tokens: Sequence[int]) -> None:
        text = np.asarray(tokens, dtype=np.int32)
        suffixes = sort_suffixes(text)
        padded = np.concatenate((text, np.full(DEPTH, NOTHING, dtype=np.int32)))
        columns = [padded[suffixes + distance] for distance in range(DEPTH)]
        starts = _starts(columns)
        self._size = len(text)
        self._suffixes = _array("i", suffixes)
        self._levels = [Level(suffixes, columns[depth], starts[depth], starts[depth + 1]) for depth in range(DEPTH)]
        self._tokens = [columns[depth][starts[depth + 1]] for depth in range(DEPTH)]
        self._counts = [np.diff(starts[depth + 1], append=len(text)) for depth in range(DEPTH)]

    def total(self, match: Match, length: int) -> int:
        """How often the last ``length`` tokens of ``match`` occur with something behind them."""
        level = self._levels[length]
        number = level.at[match[0] - length]
        return int(level.highs[number] - level.lows[number])

    def back_off(self, match: Match, length: int) -> float:
        """The share of a token that was never seen behind the last ``length`` tokens of ``match``."""
        level = self._levels[length]
        weight: float = level.back_off[level.at[match[0] - length]]
        return weight

    def followers(self, match: Match, length: int) -> tuple[Ids, Ids]:
        """The tokens behind the last ``length`` tokens of ``match``, ascending, and how often each of them."""
        level = self._levels[length]
        number = level.at[match[0] - length]
        first = level.children[number]
        kinds = slice(first, first + level.kinds[number])
        return self._tokens[length][kinds], self._counts[length][kinds]

    def occurrence(self, match: Match, length: int, number: int) -> int:
        """The token behind one occurrence of the last ``length`` tokens of ``match``, counted from 0; occurrences are sorted by it."""
        level = self._levels[length]
        token: int = level.following[level.lows[level.at[match[0] - length]] + number]
        return token

    def count(self, match: Match, length: int, token: int) -> int:
        """How often ``token`` stands behind the last ``length`` tokens of ``match``."""
        level = self._levels[length]
        number = level.at[match[0] - length]
        high = level.highs[number]
        place = bisect_left(level.following, token, level.lows[number], high)
        return bisect_left(level.following, token + 1, place, high) - place

    def extend(self, match: Match, token: int, longest: int) -> Match:
        """The match after ``token`` came behind ``match``; at most ``longest`` tokens."""
        end, length = match
        for depth in range(min(length, longest - 1), -1, -1):
            level = self._levels[depth]
            number = level.at[end - depth]
            high = level.highs[number]
            place = bisect_left(level.following, token, level.lows[number], high)
            for found in (place, place + 1):  # the first one may be the end of the text, behind which nothing was learned
                if found < high and level.following[found] == token and self._suffixes[found] + depth + 1 < self._size:
                    return self._suffixes[found] + depth + 1, depth + 1
        return NO_MATCH

    def match(self, tokens: Sequence[int], longest: int) -> Match:
        """The longest end of ``tokens`` that occurs; at most ``longest`` tokens."""
        match = NO_MATCH
        for token in tokens[-longest:] if longest else ():
            match = self.extend(match, token, longest)
        return match


def _starts(columns: Sequence[Ids]) -> list[Ids]:
    """For each length of context, from none to ``DEPTH`` tokens, where in the suffix array a new one begins."""
    new = np.zeros(len(columns[0]), dtype=bool)
    new[0] = True
    starts: list[Ids] = [np.flatnonzero(new)]
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
        starts.append(np.flatnonzero(new))
    return starts
