"""Blind votes: which answer somebody preferred without knowing whose it was, and what many votes come to.

A vote names its candidates by what they send (less the prompt and the seed), not by a slot's letter: slots move and are edited, and a
vote for other settings must not count for these.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import comb, sqrt
from typing import Any, Final

from core.comparison.board import Board
from core.local_router.canonical_json import canonical
from core.outgoing import outgoing
from core.run import RunSnapshot

PART: Final = "votes"
"""The name of the part of a comparison (``core.comparison.record``) that has its votes."""
ALPHA: Final = 0.05
Z_95: Final = 1.959963984540054
_NOT_SETTINGS: Final = ("prompt", "seed", "stream", "cache", "user", "name")


@dataclass(frozen=True, slots=True)
class Vote:
    """``shown`` are the candidates in the order in which their answers stood, ``choice`` is one of them, or None for a tie.

    ``runs`` are the ids of the answers in the same order, ``prompt`` is the beginning of what was asked.
    """

    at: datetime
    shown: tuple[str, ...]
    choice: str | None
    runs: tuple[str, ...]
    prompt: str = ""

    def to_json(self) -> dict[str, Any]:
        """The vote as JSON can hold it."""
        return {
            "at": self.at.isoformat(),
            "shown": list(self.shown),
            "choice": self.choice,
            "runs": list(self.runs),
            "prompt": self.prompt,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Vote:
        """What ``to_json`` gave; KeyError, TypeError or ValueError for anything else."""
        return cls(datetime.fromisoformat(data["at"]), tuple(data["shown"]), data["choice"], tuple(data["runs"]), data["prompt"])


def votes_of(part: Any) -> tuple[Vote, ...]:
    """The votes of a comparison's part, oldest first; what cannot be read is left out."""
    found = []
    for one in part if isinstance(part, list) else ():
        try:
            found.append(Vote.from_json(one))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def candidates(board: Board) -> tuple[str, ...]:
    """The candidate of every slot, in their order: a digest of what it sends; slots set alike are told apart by a number."""
    seen: Counter[str] = Counter()
    named = []
    for slot in board.slots:
        settings = {name: value for name, value in outgoing(slot.draft).body.items() if name not in _NOT_SETTINGS}
        digest = hashlib.sha256(canonical(settings)).hexdigest()[:16]
        seen[digest] += 1
        named.append(digest if seen[digest] == 1 else f"{digest}#{seen[digest]}")
    return tuple(named)


def ballot(runs: Sequence[Sequence[RunSnapshot]], votes: Iterable[Vote]) -> dict[int, RunSnapshot]:
    """The answers to vote on, by the place of their slot: of each slot the first finished one that was not voted on."""
    done = {run for vote in votes for run in vote.runs}
    return {
        place: fresh[0]
        for place, of_slot in enumerate(runs)
        if (fresh := [run for run in of_slot if run.status == "finished" and run.id not in done])
    }


@dataclass(frozen=True, slots=True)
class Share:
    """How often a candidate was picked: ``picked`` of ``decided`` votes in which it stood and that were no tie; ``low`` and ``high`` are
    the 95 % interval of that share (Wilson, 1927), 0 and 1 where nothing is decided."""

    picked: int
    decided: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What votes on the same candidates came to; ``shares`` are in the order of the candidates asked for.

    ``p_values`` tell how likely a share so far from chance would be if nobody preferred anything: exact, two-sided, times the number of
    candidates where there are more than two (Bonferroni).
    """

    shares: tuple[Share, ...]
    p_values: tuple[float, ...]
    ties: int
    others: int
    """Votes on other candidates: earlier settings, or another choice of slots."""

    @property
    def votes(self) -> int:
        """Votes on these candidates."""
        return self.ties + (self.shares[0].decided if self.shares else 0)

    def sentence(self, names: Sequence[str]) -> str:
        """The tally in plain words; ``names`` as the candidates."""
        if not self.votes:
            return "No blind vote on these settings yet."
        ties = f" {_times(self.ties)} a tie." if self.ties else ""
        best = max(range(len(self.shares)), key=lambda place: self.shares[place].picked)
        one = self.shares[best]
        if not one.decided:
            return f"Every one of {self.votes} votes was a tie." if self.votes > 1 else "The one vote was a tie."
        interval = f"95 % interval {100 * one.low:.0f} % to {100 * one.high:.0f} %"
        told = f"{names[best]} was picked in {one.picked} of {one.decided} vote{'s' if one.decided > 1 else ''} ({interval})"
        if [share.picked for share in self.shares].count(one.picked) > 1:
            return f"Nobody is ahead after {one.decided} votes.{ties} Not settled."
        if self.p_values[best] <= ALPHA:
            return f"{told}: more often than chance (p = {self.p_values[best]:.2g}).{ties}"
        return f"{told}: not settled, chance alone does that often (p = {self.p_values[best]:.2g}).{ties}"


def tally(votes: Iterable[Vote], of: Sequence[str]) -> Tally:
    """What the votes on exactly the candidates ``of``, in any order, came to."""
    wanted, picked, ties, others = set(of), Counter[str](), 0, 0
    for vote in votes:
        if set(vote.shown) != wanted:
            others += 1
        elif vote.choice is None:
            ties += 1
        else:
            picked[vote.choice] += 1
    decided = sum(picked.values())
    shares = tuple(Share(picked[one], decided, *wilson(picked[one], decided)) for one in of)
    tests = 1 if len(of) <= 2 else len(of)
    p_values = tuple(min(1.0, tests * binomial_p(share.picked, decided, 1 / max(len(of), 1))) for share in shares)
    return Tally(shares, p_values, ties, others)


def wilson(hits: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927), 0 and 1 for ``n`` 0."""
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def binomial_p(hits: int, n: int, chance: float) -> float:
    """The exact two-sided binomial p-value: the probability of all counts that are no likelier than ``hits``."""
    likely = [comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(n + 1)]
    return min(1.0, sum(one for one in likely if one <= likely[hits] * (1 + 1e-7)))


def _times(count: int) -> str:
    return "Once it was" if count == 1 else f"{count} times it was"
