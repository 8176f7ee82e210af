"""Drawing the first target by weight."""

from __future__ import annotations

import random
from collections.abc import Sequence


def shares(weights: Sequence[float]) -> list[float]:
    """The weights as parts of 1: 0.4 and 0.8 become 1/3 and 2/3."""
    total = sum(weights)
    return [weight / total for weight in weights]


def draw(models: Sequence[tuple[str, float]], rng: random.Random) -> str:
    """One of the models, pairs of an id and a weight above 0, each as likely as its share of the weights."""
    names, weights = zip(*models, strict=True)
    drawn: str = rng.choices(names, weights)[0]
    return drawn
