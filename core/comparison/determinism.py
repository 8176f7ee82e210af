"""Does a slot say the same again? Several runs of one request with one seed, and where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.comparison.distance import groups, tokens
from core.comparison.output_diff import parting
from core.comparison.repeats import uncached
from core.run import RunSnapshot

SEED: Final = 1
"""The seed of a check where a slot sets none."""
AROUND: Final = 40
"""Characters that are shown before and after the place where two answers part."""


def repeated_exactly(body: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The bodies of a check: ``count`` times the same request with the same seed, without the cache, whose answers would be copies."""
    seed = body.get("seed")
    fixed = {**uncached(body), "seed": SEED if seed is None or isinstance(seed, bool) else seed}
    return [dict(fixed) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Parting:
    """Where an answer leaves the first one: ``character`` and ``word`` count from 1; the texts stand around that place."""

    repeat: int
    character: int
    word: int
    before: str
    first: str
    other: str


@dataclass(frozen=True, slots=True)
class Determinism:
    """``answers`` finished answers of ``seed``, of which ``distinct`` are different. ``parting`` is of the first that differs.

    ``models`` and ``fingerprints`` are those that answered, each once, where the router told them.
    """

    seed: Any
    answers: int
    distinct: int
    parting: Parting | None
    models: tuple[str, ...]
    fingerprints: tuple[str, ...]

    def sentence(self, name: str) -> str:
        """The verdict in plain words."""
        if self.answers < 2:
            return f"{name}: two finished answers are needed to tell."
        if self.parting is None:
            return f"{name}: identical, {self.answers} of {self.answers} answers with seed {self.seed}."
        told = f"{name}: {self.distinct} different answers of {self.answers} with seed {self.seed}; "
        told += f"number {self.parting.repeat} leaves the first at character {self.parting.character:,} (word {self.parting.word:,})."
        return told + self._why

    @property
    def _why(self) -> str:
        """What else changed between the answers."""
        if len(self.models) > 1:
            return f" Different models answered: {', '.join(self.models)}."
        if len(self.fingerprints) > 1:
            return f" The system's fingerprint changed: {', '.join(self.fingerprints)}."
        return " The same model answered."


def same_requests(runs: Sequence[RunSnapshot]) -> bool:
    """Whether the runs are of one request with one seed, none of them answered from the cache: what a check can be read from."""
    if len(runs) < 2:
        return False
    bodies = [run.body for run in runs]
    seed = bodies[0].get("seed")
    return seed is not None and all(body == bodies[0] for body in bodies) and all(body == uncached(body) for body in bodies[:1])


def determinism(runs: Sequence[RunSnapshot]) -> Determinism:
    """The verdict on runs of one request, by their first choice; those that did not finish are left out."""
    finished = [run for run in runs if run.status == "finished"]
    texts = [run.text for run in finished]
    found = next(((place, at) for place, text in enumerate(texts) if (at := parting(texts[0], text)) is not None), None)
    return Determinism(
        seed=finished[0].body.get("seed") if finished else None,
        answers=len(finished),
        distinct=len(groups(texts)),
        parting=None if found is None else _parting(texts[0], texts[found[0]], found[0] + 1, found[1]),
        models=tuple(dict.fromkeys(run.model for run in finished if run.model)),
        fingerprints=tuple(dict.fromkeys(run.system_fingerprint for run in finished if run.system_fingerprint)),
    )


def _parting(first: str, other: str, repeat: int, at: int) -> Parting:
    words = sum(1 for token in tokens(first[:at]) if not token.isspace())
    inside = 0 < at < len(first) and first[at - 1].isalnum() and first[at].isalnum()
    return Parting(
        repeat, at + 1, words + (0 if inside else 1), first[max(0, at - AROUND) : at], first[at : at + AROUND], other[at : at + AROUND]
    )
