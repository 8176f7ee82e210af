"""Thinking on a local model: hidden drafts of the answer, the likeliest of which steers it.

Eight drafts at a time are sampled as the request says, each from where the answer stands, and scored by the mean log-probability of their
tokens under the model. The first half of the best one becomes the next part of the answer, and the drafting goes on from there until
the budget is spent, ``max_tokens`` would leave no room to say more, or the text is at its end. The rest of the answer is sampled as
without thinking.

Every token of every draft is a reasoning token, and counts against ``max_tokens`` like a token of the answer. Each choice thinks for
itself, with the whole budget. Drafts of one time are sampled side by side: a step of all of them takes a paced stream as long as one token.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from core.local_router.answer import Notes
from core.local_router.models.ngram import NgramModel, Probabilities
from core.local_router.models.sampling import Sampler, SamplingParameters
from core.local_router.models.suffix_index import Match
from core.local_router.models.tokenizer import END_OF_TEXT

DRAFTS = 8
DRAFT_TOKENS = 32
SHORTEST_DRAFT = 4
"""Drafts sampled side by side, and their length; where less than two such drafts are left of the budget, two shorter ones. Below the
shortest length thinking is over."""

LEVELS: Mapping[str, float] = {"minimal": 1 / 8, "low": 1 / 4, "medium": 1 / 2, "high": 1.0}
"""How much of ``budget_tokens`` a ``thinking_level`` lets the model spend; all of it without one."""

ADAPTIVE_TOKENS = 1_024
SURE_BITS, LOST_BITS = 1.0, 8.0
"""``adaptive`` spends nothing where the next token's entropy is ``SURE_BITS`` or less, ``ADAPTIVE_TOKENS`` from ``LOST_BITS`` on, in
between in proportion; and never more than half of ``max_tokens``, so that there is an answer."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a request asks for: ``enabled`` with ``budget_tokens`` and perhaps a ``level``, or ``adaptive`` without."""

    mode: Literal["enabled", "adaptive"]
    budget_tokens: int = 0
    level: str | None = None

    def budget(self, entropy_bits: float, max_tokens: int) -> int:
        """The most tokens that one choice may spend on drafts, where the next token has so much entropy."""
        if self.mode == "enabled":
            return int(self.budget_tokens * (LEVELS[self.level] if self.level else 1))
        share = (entropy_bits - SURE_BITS) / (LOST_BITS - SURE_BITS)
        return min(round(ADAPTIVE_TOKENS * min(max(share, 0.0), 1.0)), max_tokens // 2)


def read_thinking(body: Mapping[str, Any]) -> Thinking | None:
    """What ``body`` asks for; None where thinking is null, left out or ``disabled``."""
    asked = body.get("thinking") or {}
    match asked.get("type"):
        case "enabled":
            return Thinking("enabled", int(asked["budget_tokens"]), asked.get("thinking_level"))
        case "adaptive":
            return Thinking("adaptive")
        case _:
            return None


class Draft:
    """One continuation, on trial."""

    def __init__(self, model: NgramModel, match: Match, sampler: Sampler, allowed: Probabilities | None) -> None:
        self.tokens: list[int] = []
        self.ended = False
        self._model = model
        self._match = match
        self._sampler = sampler
        self._allowed = allowed
        self._log_probability = 0.0

    @property
    def mean_log_probability(self) -> float:
        """Per token, in nats; the end of the text counts as one."""
        return self._log_probability / max(len(self.tokens), 1)

    def grow(self) -> int:
        """One token further; how many were spent: none for the end of the text, or after it."""
        if self.ended:
            return 0
        token = self._sampler.draw(self._match, self._allowed)
        self._allowed = None
        self._log_probability += math.log(self._model.probability(self._match, token))
        self._match = self._model.advance(self._match, token)
        self.tokens.append(token)
        self.ended = token == END_OF_TEXT
        return 0 if self.ended else 1


class Deliberation:
    """The thinking of one choice. ``steered`` is what it came to: the tokens that the answer begins with, a part at a time.

    ``match`` is where the answer begins; its first token is one of those that ``allowed`` has a 1 for.
    """

    def __init__(
        self,
        model: NgramModel,
        match: Match,
        allowed: Probabilities | None,
        sampling: SamplingParameters,
        choice: int,
        thinking: Thinking,
        max_tokens: int,
    ) -> None:
        self.steered: list[int] = []
        self._model = model
        self._match = match
        self._allowed = allowed
        self._sampling = sampling
        self._choice = choice
        self._thinking = thinking
        self._max_tokens = max_tokens
        self._entropy_bits = entropy_bits(model.probabilities(match))
        self._budget = thinking.budget(self._entropy_bits, max_tokens)
        self._spent = 0
        self._drafts: list[float] = []
        self._best: list[float] = []

    def steps(self, notes: Notes) -> Generator[int, None, None]:
        """Think: how many tokens each step took. What was done is noted as the event ``thinking``, also when it is given up half way."""
        event = notes.note("thinking", choice=self._choice, mode=self._thinking.mode, budget_tokens=self._budget, **self._asked())
        try:
            while not self._ended:
                left = self._budget - self._spent
                length = min(DRAFT_TOKENS, left // 2)
                if length < SHORTEST_DRAFT:
                    break
                count = min(DRAFTS, left // length)
                if len(self.steered) >= self._max_tokens - self._spent - count * length:
                    break  # no room would be left to say what they come to
                yield from self._draft(count, length)
        finally:
            event.update(self._told(), duration_ms=round(notes.elapsed_ms() - event["at_ms"], 3))

    def _draft(self, count: int, length: int) -> Iterator[int]:
        drafts = [Draft(self._model, self._match, self._sampler(number), self._allowed) for number in range(count)]
        for _ in range(length):
            took = sum(draft.grow() for draft in drafts)
            if not took:
                break
            self._spent += took
            yield took
        best = max(drafts, key=lambda draft: draft.mean_log_probability)
        self._drafts += [draft.mean_log_probability for draft in drafts]
        self._best.append(best.mean_log_probability)
        for token in best.tokens[: length - length // 2]:
            self.steered.append(token)
            self._match = self._model.advance(self._match, token)
        self._allowed = None

    @property
    def _ended(self) -> bool:
        return bool(self.steered) and self.steered[-1] == END_OF_TEXT

    def _sampler(self, number: int) -> Sampler:
        """The sampler of draft ``number`` of those made now. At temperature 0 they would all be the same: only the first one is drawn so,
        the others at 1, but alike whatever the seed, as an answer at 0 is."""
        sampling = self._sampling
        if sampling.temperature == 0 and number:
            sampling = replace(sampling, temperature=1.0, seed=0)
        sampler = Sampler(self._model, sampling, self._choice, draft=len(self._drafts) + number)
        for token in self.steered:
            sampler.take(token)
        return sampler

    def _asked(self) -> dict[str, Any]:
        if self._thinking.mode == "adaptive":
            return {"entropy_bits": round(self._entropy_bits, 3)}
        return {"level": self._thinking.level} if self._thinking.level else {}

    def _told(self) -> dict[str, Any]:
        return {
            "reasoning_tokens": self._spent,
            "drafts": len(self._drafts),
            "steered_tokens": len(self.steered),
            "mean_log_probability": _mean(self._drafts),
            "best_mean_log_probability": _mean(self._best),
        }


def entropy_bits(probabilities: Probabilities) -> float:
    """Shannon's entropy of a distribution without zeros."""
    return float(-(probabilities * np.log2(probabilities)).sum())


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
