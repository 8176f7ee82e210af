"""From a distribution to a token: temperature, top_p, penalties, seed."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.local_router.models.ngram import NgramModel, Probabilities
from core.local_router.models.suffix_index import Match


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How a token is drawn; ranges as in the contract. ``seed`` None draws anew each time."""

    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None


def random_source(seed: int | None, choice: int, draft: int | None = None) -> random.Random:
    """Random numbers of one choice, or of one of its drafts: independent of all others, and the same for the same numbers everywhere.

    Python's Mersenne Twister (``random()`` is promised not to change), seeded with the first 8 bytes, big-endian, of
    SHA-256 over the text ``seed:choice`` or ``seed:choice:draft`` in decimal.
    """
    if seed is None:
        return random.Random()  # noqa: S311 - text, not secrets
    text = f"{seed}:{choice}" if draft is None else f"{seed}:{choice}:{draft}"
    digest = hashlib.sha256(text.encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - repeatable on purpose


class Sampler:
    """Draws tokens from a model's distribution, one choice's worth, or one draft's."""

    def __init__(self, model: NgramModel, parameters: SamplingParameters, choice: int = 0, draft: int | None = None) -> None:
        self._model = model
        self._parameters = parameters
        self._random = random_source(parameters.seed, choice, draft)
        self._penalised = bool(parameters.frequency_penalty or parameters.presence_penalty)
        self._plain = parameters.temperature == 1 and parameters.top_p == 1 and not self._penalised
        self._seen: Counter[int] = Counter()
        self._buffer = np.empty(model.tokenizer.vocabulary_size)

    def draw(self, match: Match, allowed: Probabilities | None = None) -> int:
        """The id of the token that comes after ``match``; where given, one of those that ``allowed`` has a 1 for, not a 0.

        Penalties come first, then temperature (at 0 the likeliest token, of equals the one with the smallest id), then top_p.
        """
        if self._plain and allowed is None:
            return self._model.draw(match, self._random.random)
        probabilities = self._model.probabilities(match, self._buffer)
        if self._penalised:
            probabilities = self._with_penalties(probabilities)
        if allowed is not None:
            probabilities *= allowed
        token = int(probabilities.argmax()) if self._parameters.temperature == 0 else self._pick(probabilities)
        self.take(token)
        return token

    def take(self, token: int) -> None:
        """``token`` is the next one, drawn or not: penalties count it."""
        if self._penalised:
            self._seen[token] += 1

    def _pick(self, weights: Probabilities) -> int:
        if self._parameters.temperature != 1:
            weights /= weights.max()
            np.power(weights, 1 / self._parameters.temperature, out=weights)
        tokens = nucleus(weights, self._parameters.top_p) if self._parameters.top_p < 1 else None
        sums = weights.cumsum() if tokens is None else weights[tokens].cumsum()
        place = int(sums.searchsorted(self._random.random() * sums[-1], side="right"))
        return place if tokens is None else int(tokens[place])

    def _with_penalties(self, probabilities: Probabilities) -> Probabilities:
        """OpenAI's formula, log P − count · frequency_penalty − (count > 0) · presence_penalty, over this choice's own tokens."""
        if not self._seen:
            return probabilities
        ids = np.fromiter(self._seen.keys(), np.int64, len(self._seen))
        counts = np.fromiter(self._seen.values(), np.float64, len(self._seen))
        penalties = counts * self._parameters.frequency_penalty + self._parameters.presence_penalty
        logs = np.log(probabilities)
        logs[ids] -= penalties
        logs -= logs.max()
        return np.exp(logs, out=probabilities)


def nucleus(weights: Probabilities, top_p: float) -> npt.NDArray[np.int64]:
    """The fewest likeliest tokens that together hold ``top_p`` of the weight, likeliest first; of equals the smaller ids.

    At least one, also at ``top_p`` 0. ``weights`` need not sum to 1.
    """
    total = weights.sum()
    # Tokens lighter than this hold less than 1 - top_p even if all were: the nucleus is among the others, and few are left to sort.
    candidates = np.flatnonzero(weights >= (1 - top_p) * total / (2 * len(weights)))
    falling = candidates[np.argsort(-weights[candidates], kind="stable")]
    sums = weights[falling].cumsum()
    return falling[: int(sums.searchsorted(top_p * total, side="left")) + 1]
