"""How far apart two outputs are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_SENTENCE = re.compile(r"[^\n.!?]*[\n.!?]|[^\n.!?]+")
MOST_TOKENS = 20_000
"""Where an output has more tokens, outputs are compared by line and sentence: comparing takes one's length times the other's."""


def tokens(text: str) -> list[str]:
    """The text cut into words, runs of white space and single other characters; joined they are the text again."""
    return _TOKEN.findall(text)


def sentences(text: str) -> list[str]:
    """The text cut behind each line feed and each end of a sentence; joined they are the text again."""
    return _SENTENCE.findall(text)


def is_word(token: str) -> bool:
    """Whether one of `tokens` is a word: neither white space nor punctuation."""
    return token[0].isalnum() or token[0] == "_"


def distance(one: str, other: str) -> float:
    """Edits between two texts by token (insert, delete, replace), divided by the tokens of the longer one: 0 identical, 1 nothing alike."""
    return 0.0 if one == other else Levenshtein.normalized_distance(tokens(one), tokens(other))


def distances(outputs: Sequence[str]) -> NDArray[np.float64]:
    """`distance` of every output to every other: a symmetrical matrix of n x n, zeros on its diagonal.

    By sentence instead of by token where one is very long (``MOST_TOKENS``), and never by more than so many of those.
    """
    cut = [tokens(text) for text in outputs]
    if any(len(one) > MOST_TOKENS for one in cut):
        cut = [sentences(text)[:MOST_TOKENS] for text in outputs]
    matrix = np.zeros((len(cut), len(cut)))
    for row, one in enumerate(cut):
        for column in range(row):
            matrix[row, column] = matrix[column, row] = Levenshtein.normalized_distance(one, cut[column])
    return matrix


def groups(outputs: Sequence[str]) -> list[tuple[str, int]]:
    """Outputs that are the same to the character, with how often they came: the most frequent first, then in order of appearance."""
    counts: dict[str, int] = {}
    for text in outputs:
        counts[text] = counts.get(text, 0) + 1
    return sorted(counts.items(), key=lambda group: -group[1])


def which_answers(one: Sequence[str], other: Sequence[str]) -> str:
    """What the first of each side's ``groups`` are called: the answers, the most frequent ones, or the first where none came twice."""
    if max(len(one), len(other)) < 2:
        return "The answers"
    return "The most frequent answers" if len(set(one)) < len(one) or len(set(other)) < len(other) else "The first answers"
