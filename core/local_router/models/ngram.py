"""A statistical language model: variable-order n-grams with Witten-Bell interpolation."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.local_router.models.suffix_index import DEPTH, NO_MATCH, Match, SuffixIndex
from core.local_router.models.tokenizer import END_OF_TEXT, Tokenizer

Probabilities = npt.NDArray[np.float64]


class LearnedText:
    """What the models of every order share: the tokenizer and the counts."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = tuple(texts)
        self.tokenizer = Tokenizer(texts)
        tokens = [END_OF_TEXT]
        for text in texts:
            tokens += self.tokenizer.encode(text)
            tokens.append(END_OF_TEXT)
        self.tokens = tokens
        self.index = SuffixIndex(tokens)
        self.fingerprint = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]

    @cached_property
    def unigram(self) -> Probabilities:
        """P(token) without any context, smoothed with the uniform distribution over the vocabulary; never zero."""
        followers, counts = self.index.followers(NO_MATCH, 0)
        size = self.tokenizer.vocabulary_size
        probabilities = np.full(size, self.index.back_off(NO_MATCH, 0) / size)
        probabilities[followers] += counts / (counts.sum() + len(followers))
        return probabilities

    @cached_property
    def spaced_words(self) -> npt.NDArray[np.float64]:
        """1 for tokens that are one space with something else behind it, 0 for the others."""
        return np.array([float(self.tokenizer.is_spaced_word(number)) for number in range(self.tokenizer.vocabulary_size)])


class NgramModel:
    """P(next token | up to ``order`` - 1 tokens before it).

    Witten and Bell's interpolation (IEEE Transactions on Information Theory 37(4), 1991, method C): with C counts of T kinds
    behind a context h, P(w | h) = (count(h w) + T · P(w | h without its first token)) / (C + T), down to the uniform distribution.
    """

    def __init__(self, text: LearnedText, order: int = DEPTH) -> None:
        if not 1 <= order <= DEPTH:
            raise ValueError(f"order is 1 to {DEPTH}, not {order}")
        self.text = text
        self.order = order
        self.tokenizer = text.tokenizer

    @property
    def fingerprint(self) -> str:
        """The same where the same seed gives the same text."""
        return f"pydoc-{self.order}-{platform.python_version()}-{self.text.fingerprint}"

    def start(self, prompt: Sequence[int]) -> Match:
        """What is known of the end of ``prompt``; an empty prompt is the beginning of a text."""
        return self.text.index.match(prompt or (END_OF_TEXT,), self.order - 1)

    def advance(self, match: Match, token: int) -> Match:
        """What is known after one token more."""
        return self.text.index.extend(match, token, self.order - 1)

    def draw(self, match: Match, random: Callable[[], float]) -> int:
        """A token drawn from ``probabilities(match)``, without spelling them out: a context is left for the shorter one as often as
        its back-off weight says, else one of its occurrences is drawn. ``random`` gives numbers in [0, 1)."""
        index = self.text.index
        for length in range(match[1], -1, -1):
            if random() >= index.back_off(match, length):
                return index.occurrence(match, length, int(random() * index.total(match, length)))
        return int(random() * self.tokenizer.vocabulary_size)

    def probability(self, match: Match, token: int) -> float:
        """P of one token of the vocabulary, without spelling out the others; never zero."""
        index = self.text.index
        weight, result = 1.0, 0.0
        for length in range(match[1], 0, -1):
            back_off = index.back_off(match, length)
            count = index.count(match, length, token)
            if count:
                result += weight * (1 - back_off) * count / index.total(match, length)
            weight *= back_off
        return result + weight * float(self.text.unigram[token])

    def probabilities(self, match: Match, out: Probabilities | None = None) -> Probabilities:
        """P of every token of the vocabulary (ids from 0); sums to 1. Written into ``out`` where given."""
        index = self.text.index
        weight = 1.0
        weights = []
        for length in range(match[1], 0, -1):
            weights.append(weight)
            weight *= index.back_off(match, length)
        result = np.multiply(self.text.unigram, weight, out=out)
        for length, share in enumerate(reversed(weights), 1):
            followers, counts = index.followers(match, length)
            result[followers] += share * (counts / (index.total(match, length) + len(followers)))
        return result
