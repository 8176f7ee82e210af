"""How far a sweep is: the state of every call, and of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from core.connection import ServerKind
from core.run import RunStatus
from core.sweep.plan import SweepPlan

CallStatus = Literal["waiting", "running", "finished", "failed", "stopped", "interrupted"]
"""``waiting``: not sent yet, or to be sent again. ``interrupted``: the process ended first; sent again when the sweep goes on."""

SweepStatus = Literal["running", "pausing", "paused", "finished", "cancelled"]
"""``pausing``: nothing new is sent, what is under way goes on. ``cancelled`` is for good."""

TO_DO: Final[frozenset[CallStatus]] = frozenset({"waiting", "interrupted"})
UNSUCCESSFUL: Final[frozenset[CallStatus]] = frozenset({"failed", "stopped"})
ANSWER_START: Final = 160
"""Characters of an answer that a grid may show."""
RESTARTED: Final = "The playground ended while it ran. What was under way is sent again when it goes on."


@dataclass(frozen=True, slots=True)
class CallState:
    """One call: ``runs`` are the ids of its tries, the newest last; ``answer_start`` is how its answer begins, or why there is none."""

    number: int
    status: CallStatus = "waiting"
    runs: tuple[str, ...] = ()
    answer_start: str = ""


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A sweep as it is stored. ``process`` is the one that drives it, or did; ``reason`` says why it is paused, in a sentence."""

    id: str
    plan: SweepPlan
    connection_kind: ServerKind
    connection_name: str
    base_url: str
    created_at: datetime
    status: SweepStatus = "running"
    reason: str = ""
    process: str | None = None
    comparison_id: str | None = None
    ended_at: datetime | None = None

    @property
    def name(self) -> str:
        """What somebody called it, else when it was started; the tag of its runs is made of it."""
        return self.plan.settings.name or f"sweep {self.created_at:%Y-%m-%d %H:%M:%S}"

    @property
    def tag(self) -> str:
        """The tag that its runs have in the history."""
        return self.name if self.name.lower().startswith("sweep") else f"sweep {self.name}"


@dataclass(frozen=True, slots=True)
class SweepState:
    """A sweep and its calls at one moment, in their order; ``elsewhere`` tells that another process drives it."""

    record: SweepRecord
    calls: tuple[CallState, ...]
    elsewhere: bool = False
    counts: Mapping[str, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", Counter(call.status for call in self.calls))

    @property
    def status(self) -> SweepStatus:
        """The whole's status."""
        return self.record.status

    @property
    def tries(self) -> int:
        """How many calls were sent, every try counted: what the hard limit is about."""
        return sum(len(call.runs) for call in self.calls)

    @property
    def done(self) -> int:
        """How many calls will not change any more by themselves."""
        return len(self.calls) - sum(self.counts.get(status, 0) for status in (*TO_DO, "running"))

    @property
    def active(self) -> bool:
        """Whether calls are under way or will be without anybody's doing."""
        return self.record.status in ("running", "pausing")


def settled(calls: Sequence[CallState], runs: Mapping[str, tuple[RunStatus, str]]) -> tuple[CallState, ...]:
    """Calls that a process left as running, by what became of their last runs: status, and how the answer begins.

    A run that nobody knows was sent, or was about to be: its call is interrupted, like one whose run was.
    """
    return tuple(_settled(call, runs) if call.status == "running" else call for call in calls)


def _settled(call: CallState, runs: Mapping[str, tuple[RunStatus, str]]) -> CallState:
    status, start = runs.get(call.runs[-1], ("interrupted", "")) if call.runs else ("interrupted", "")
    match status:
        case "finished" | "failed" | "stopped":
            return replace(call, status=status, answer_start=start)
        case _:
            return replace(call, status="interrupted", answer_start=start)
