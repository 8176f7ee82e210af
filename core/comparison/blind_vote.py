"""The blind vote that a comparison is in: a part of the comparison, so that a reload, a restart or another tab finds it still blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from core.run import RunSnapshot

PART: Final = "blind_vote"
"""The name of the part of a comparison (``core.comparison.record``) that has it; a comparison without it is shown with its names."""
Stage = Literal["vote", "voted", "revealed"]


@dataclass(frozen=True, slots=True)
class BlindVote:
    """``order`` has the slots' places as their answers stand, ``runs`` the answers' ids, both empty before the order is drawn.

    ``choice`` is the number of the answer that was picked, counted from 1, None for a tie and before the vote.
    """

    stage: Stage = "vote"
    order: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()
    choice: int | None = None

    def is_of(self, found: Mapping[int, RunSnapshot]) -> bool:
        """Whether the order is one of exactly the answers of this ballot, by the places of their slots."""
        return len(self.order) == len(found) and dict(zip(self.order, self.runs, strict=True)) == {
            place: run.id for place, run in found.items()
        }

    def to_json(self) -> dict[str, Any]:
        """The vote as JSON can hold it."""
        return {"stage": self.stage, "order": list(self.order), "runs": list(self.runs), "choice": self.choice}


def blind_vote_of(part: Any) -> BlindVote | None:
    """The vote that a comparison's part says it is in, None where it has no such part.

    Of a part that cannot be read, one with its order still to be drawn: names are hidden by mistake rather than shown.
    """
    if part is None:
        return None
    try:
        vote = BlindVote(part["stage"], _places(part["order"]), tuple(map(str, part["runs"])), part["choice"])
    except (KeyError, TypeError, ValueError):
        return BlindVote()
    whole = vote.stage in get_args(Stage) and len(vote.order) == len(vote.runs) and (vote.stage == "vote" or bool(vote.order))
    picked = vote.choice is None or (isinstance(vote.choice, int) and 1 <= vote.choice <= len(vote.order))
    return vote if whole and picked else BlindVote()


def _places(order: Sequence[Any]) -> tuple[int, ...]:
    return tuple(int(place) for place in order)
