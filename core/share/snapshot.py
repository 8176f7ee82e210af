"""A frozen snapshot as data: what somebody who opens a link gets to see, and nothing else.

The models are closed. There is no place in them for a connection's key, its headers, the answer as received, the bytes that were
sent, or the id of a run, a draft or a request (which would open more than was shared). ``request`` is a request body, the only part
that is as free as JSON; ``core.share.freezing`` takes secrets out of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from core.comparison.interval import Interval
from core.contract.response import Usage, parse_usage
from core.lane.lane import Lane, Segment
from core.lane.steps import Kind, Outcome
from core.metrics import Timings
from core.run import ChoiceText, RunError, RunSnapshot, RunStatus

FORMAT: Final = "playground.share/1"
"""What a snapshot says it is. Another number is another form."""

ItemName = Literal[
    "prompt", "output", "inputs", "stored_prompt", "knowledge", "identity", "thread", "names", "stop", "models", "extra", "base_url",
    "error", "lane",
]  # fmt: skip
"""What can be left out of a snapshot."""

Figure = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """A part of a snapshot: frozen, and nothing in it that is not named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SharedChoice(Part):
    """One of the ``n`` texts; ``text`` is None where it was left out."""

    index: NonNegativeInt
    text: str | None
    finish_reason: str | None = None


class SharedUsage(Part):
    """Tokens as the router counted them; None where it did not."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: dict[str, int] | None = None
    completion_tokens_details: dict[str, int] | None = None

    def usage(self) -> Usage | None:
        """The same as the rest of the program has it."""
        return parse_usage(self.model_dump(exclude_none=True))


class SharedTimings(Part):
    """Seconds and tokens a second, as in ``core.metrics.Timings``."""

    queued_s: Figure | None = None
    first_token_s: Figure | None = None
    total_s: Figure | None = None
    tokens_per_s: Figure | None = None


class SharedCost(Part):
    """``usd`` is exact, as text; None while unknown, with the reason."""

    usd: str | None = Field(default=None, pattern=r"^\d{1,12}(\.\d{1,18})?$")
    reason: str = ""


class SharedError(Part):
    """Why a run failed. ``cause`` and ``next_step`` are the playground's sentences, which may quote the router's."""

    kind: str
    cause: str
    next_step: str = ""
    status: int | None = None
    code: str | None = None
    param: str | None = None


class SharedStep(Part):
    """One segment of a lane, as in ``core.lane.steps.Segment``."""

    kind: Kind
    start_ms: Figure
    end_ms: Figure
    label: str
    detail: str
    observed: bool = True
    outcome: Outcome | None = None


class SharedLane(Part):
    """A lane as it was drawn; the trace it was drawn from is not in a snapshot."""

    segments: tuple[SharedStep, ...]
    total_ms: Figure
    headline: str
    basis: str
    traced: bool

    @classmethod
    def of(cls, drawn: Lane) -> SharedLane:
        """The lane as data."""
        names = tuple(SharedStep.model_fields)
        steps = tuple(SharedStep(**{name: getattr(segment, name) for name in names}) for segment in drawn.segments)
        return cls(segments=steps, total_ms=drawn.total_ms, headline=drawn.headline, basis=drawn.basis, traced=drawn.traced)

    def lane(self) -> Lane:
        """The lane to draw."""
        return Lane(tuple(Segment(**step.model_dump()) for step in self.segments), self.total_ms, self.headline, self.basis, self.traced)


class SharedConnection(Part):
    """Where the request went: a name, and the address where that is shared, without user, password and query."""

    name: str
    base_url: str | None = None


class SharedRun(Part):
    """What was observed of one run. ``model`` is the one that answered."""

    status: RunStatus
    created_at: datetime
    connection: SharedConnection
    model: str | None = None
    system_fingerprint: str | None = None
    choices: tuple[SharedChoice, ...] = ()
    usage: SharedUsage | None = None
    timings: SharedTimings = SharedTimings()
    cost: SharedCost | None = None
    error: SharedError | None = None
    lane: SharedLane | None = None

    def snapshot(self, request: dict[str, Any]) -> RunSnapshot:
        """The run as components draw it, of a ``request``; what is not shared is empty in it, and an output left out is no text."""
        return RunSnapshot(
            id="",
            slot="a",
            body=request,
            sent=b"",
            connection_name=self.connection.name,
            base_url=self.connection.base_url or "",
            status=self.status,
            created_at=self.created_at,
            choices={choice.index: ChoiceText(choice.text or "", choice.finish_reason) for choice in self.choices},
            usage=self.usage.usage() if self.usage else None,
            model=self.model,
            completion_id=None,
            request_id=None,
            system_fingerprint=self.system_fingerprint,
            headers={},
            timings=Timings(**self.timings.model_dump()),
            error=RunError(**self.error.model_dump()) if self.error else None,
            raw="",
            raw_truncated=False,
            queue_position=None,
            pieces=0,
        )


class SharedInterval(Part):
    """A median with its interval, as in ``core.comparison.interval``."""

    median: Figure
    low: Figure | None = None
    high: Figure | None = None
    n: int = 1

    def interval(self) -> Interval:
        """The same as the rest of the program has it."""
        return Interval(self.median, self.low, self.high, self.n)


class SharedSlot(Part):
    """One slot of a comparison: its request, its runs, and their figures by the names of ``core.comparison.figures``."""

    name: str = ""
    own_prompt: bool = False
    request: dict[str, Any]
    runs: tuple[SharedRun, ...] = ()
    figures: dict[str, SharedInterval | None] = {}


class SharedPreset(Part):
    """Settings that were not run, or that are shared without what came of it."""

    kind: Literal["preset"] = "preset"
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    request: dict[str, Any]


class SharedSingleRun(Part):
    """A run: what was sent, and what came."""

    kind: Literal["run"] = "run"
    request: dict[str, Any]
    run: SharedRun


class SharedComparison(Part):
    """A comparison: slots A to H, and the sentences that say whether they differ by more than noise."""

    kind: Literal["comparison"] = "comparison"
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    slots: tuple[SharedSlot, ...] = Field(min_length=1, max_length=8)
    repeats: int = Field(default=1, ge=1, le=10)
    keep_cache: bool = False
    verdicts: tuple[str, ...] = ()


Content = Annotated[SharedPreset | SharedSingleRun | SharedComparison, Field(discriminator="kind")]


class Snapshot(Part):
    """What a link shows. ``hidden`` names what was left out of it."""

    format: Literal["playground.share/1"] = FORMAT
    made_at: datetime
    hidden: tuple[ItemName, ...] = ()
    content: Content

    @property
    def requests(self) -> tuple[dict[str, Any], ...]:
        """The request of each slot; one where there is one."""
        content = self.content
        return tuple(slot.request for slot in content.slots) if isinstance(content, SharedComparison) else (content.request,)

    def to_json(self) -> bytes:
        """The snapshot as a file has it."""
        return self.model_dump_json(exclude_defaults=False).encode()
