"""A statistical language model: variable-order n-grams with Witten-Bell interpolation."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.local_router.models.context_tree import DEPTH, Context, ContextTree
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
        self.tree = ContextTree(tokens)
        self.fingerprint = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]

    @cached_property
    def unigram(self) -> Probabilities:
        """P(token) without any context, smoothed with the uniform distribution over the vocabulary; never zero."""
        root = self.tree.root
        probabilities = np.full(self.tokenizer.vocabulary_size, root.back_off / self.tokenizer.vocabulary_size)
        probabilities[root.followers] += root.shares
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

    def start(self, prompt: Sequence[int]) -> list[Context]:
        """The contexts at the end of ``prompt``; an empty prompt is the beginning of a text."""
        return self.text.tree.contexts(prompt or (END_OF_TEXT,), self.order - 1)

    def advance(self, contexts: Sequence[Context], token: int) -> list[Context]:
        """The contexts after one token more."""
        return self.text.tree.extend(contexts, token, self.order - 1)

    def draw(self, contexts: Sequence[Context], random: Callable[[], float]) -> int:
        """A token drawn from ``probabilities(contexts)``, without spelling them out: a context is left for the shorter one as often as
        its back-off weight says, else one of its occurrences is drawn. ``random`` gives numbers in [0, 1)."""
        for context in reversed(contexts):
            if random() >= context.back_off:
                return self.text.tree.occurrence(context, int(random() * context.total))
        return int(random() * self.tokenizer.vocabulary_size)

    def probabilities(self, contexts: Sequence[Context], out: Probabilities | None = None) -> Probabilities:
        """P of every token of the vocabulary (ids from 0); sums to 1. Written into ``out`` where given."""
        weight = 1.0
        weights = []
        for context in reversed(contexts[1:]):
            weights.append(weight)
            weight *= context.back_off
        result = np.multiply(self.text.unigram, weight, out=out)
        for context, share in zip(contexts[1:], reversed(weights), strict=True):
            if isinstance(context.shares, list):
                for token, part in zip(context.followers, context.shares, strict=True):
                    result[token] += share * part
            else:
                result[context.followers] += share * context.shares
        return result
