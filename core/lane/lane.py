"""What happened on the way from the press of Run to the end of the answer, as segments in time: what a lane under the answer draws.

The client's own observations are always there. What the router did is known from its trace, where it keeps one (``RunSnapshot.trace``);
of any other router, from the answer's headers and ``model`` at best, and then it is *inferred*: it happened, or probably did, but when
is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from core.lane.guesses import guessed
from core.lane.steps import Segment, Steps, steps_of
from core.lane.trace_events import span
from core.router_resources.trace import REQUEST_ID_HEADER
from core.run import RunSnapshot

SHORTEST_GAP_MS = 1.0
SHORTEST_GAP_PART = 0.02
"""Time that nothing accounts for is shown from this many milliseconds, and this part of the whole, on."""

ENDS = {
    "finished": "The answer ended.",
    "stopped": "The run was stopped; what had come is kept.",
    "failed": "The run failed.",
    "interrupted": "The playground ended before the answer did.",
}


@dataclass(frozen=True, slots=True)
class Lane:
    """Segments in the order they began. ``total_ms`` is the whole lane's length.

    ``headline`` says in one line what mattered, empty when nothing did; ``basis`` in one sentence what the lane is drawn from,
    ``traced`` whether the router told what it did.
    """

    segments: tuple[Segment, ...]
    total_ms: float
    headline: str
    basis: str
    traced: bool

    @property
    def sentences(self) -> list[str]:
        """The lane in words, a sentence or two a segment, in order."""
        return [f"{segment.when}: {segment.detail}" for segment in self.segments]

    @property
    def inferred(self) -> bool:
        """Whether anything in it is inferred."""
        return any(not segment.observed for segment in self.segments)


def lane(run: RunSnapshot) -> Lane:
    """The lane of a run, at any moment of it."""
    seen = _Seen.of(run)
    steps = steps_of(run.trace, streamed=seen.first_token_ms is not None) if run.trace is not None else None
    if seen.sent_ms is None:
        waits = Segment("queue", 0, seen.end_ms, "queued", f"Waited {span(seen.end_ms)} for a place among the running calls.")
        return Lane(_with_end((waits,), run, seen), seen.end_ms, "", "Nothing was sent.", traced=False)
    if steps is None or not steps.segments:
        return _without_trace(run, seen, seen.sent_ms)
    return _with_trace(run, seen, seen.sent_ms, steps)


def router_lane(trace: Mapping[str, Any]) -> Lane:
    """The lane of a trace alone, in the router's own time."""
    steps = steps_of(trace)
    end_ms = steps.end_ms
    middle = _clamped(steps.segments, 0, end_ms)
    streaming = _streaming(steps.first_token_ms, end_ms) if steps.first_token_ms is not None else ()
    return Lane((*_filled((*middle, *streaming), 0, end_ms), *steps.end), end_ms, steps.headline, "The router's own times.", traced=True)


@dataclass(frozen=True, slots=True)
class _Seen:
    """When things happened by the client's clock, in milliseconds since Run was pressed."""

    sent_ms: float | None
    first_token_ms: float | None
    end_ms: float

    @classmethod
    def of(cls, run: RunSnapshot) -> _Seen:
        def ms(value_s: float | None) -> float | None:
            return None if value_s is None else value_s * 1000

        times = run.timings
        return cls(ms(times.queued_s), ms(times.first_token_s), ms(times.total_s) or 0.0)


def _with_trace(run: RunSnapshot, seen: _Seen, sent_ms: float, steps: Steps) -> Lane:
    shift_ms, within_ms = _alignment(run, seen, sent_ms, steps)
    moved = [replace(step, start_ms=step.start_ms + shift_ms, end_ms=step.end_ms + shift_ms) for step in steps.segments]
    until_ms = seen.end_ms if seen.first_token_ms is None else seen.first_token_ms
    parts = [*_queue(sent_ms), *_clamped(moved, min(shift_ms, until_ms), until_ms)]
    if seen.first_token_ms is not None:
        parts += _streaming(seen.first_token_ms, seen.end_ms)
    segments = _with_end(tuple(_filled(parts, 0, seen.end_ms)), run, seen)
    known = f"to within {span(within_ms)}" if within_ms >= 0.05 else "exactly"
    basis = f"Times of the router are its own, laid {known} between the request's departure and the text's arrival here."
    return Lane(segments, seen.end_ms, steps.headline, basis, traced=True)


def _alignment(run: RunSnapshot, seen: _Seen, sent_ms: float, steps: Steps) -> tuple[float, float]:
    """When the router read the request by the client's clock, and how far off that may be, in milliseconds.

    Not before it was sent; and the first text and the end cannot have come here before they left there. The middle of what is left.
    """
    latest = []
    if seen.first_token_ms is not None and steps.first_token_ms is not None:
        latest.append(seen.first_token_ms - steps.first_token_ms)
    if run.status in ("finished", "failed") and steps.end:
        latest.append(seen.end_ms - steps.end_ms)
    most_ms = max(min(latest, default=sent_ms), sent_ms)
    return (sent_ms + most_ms) / 2, (most_ms - sent_ms) / 2


def _without_trace(run: RunSnapshot, seen: _Seen, sent_ms: float) -> Lane:
    until_ms = seen.end_ms if seen.first_token_ms is None else seen.first_token_ms
    waited = span(until_ms - sent_ms)
    match (seen.first_token_ms, run.status):
        case (None, "finished"):
            detail = f"The whole answer came {waited} after the request left."
        case (None, _):
            detail = f"No text came in the {waited} after the request left."
        case _:
            detail = f"The first text came {waited} after the request left."
    waiting = Segment("waiting", sent_ms, until_ms, "waiting", detail + " What the router did meanwhile is not known.")
    inferred = guessed(run, waiting)
    parts = [*_queue(sent_ms), *(inferred.segments or (waiting,))]
    if seen.first_token_ms is not None:
        parts += _streaming(seen.first_token_ms, seen.end_ms)
    missing = "The router's trace did not come" if run.ended and REQUEST_ID_HEADER in run.headers else "This router tells no trace"
    basis = f"{missing}: only the times seen from here are known, and what the answer's headers and model say."
    return Lane(_with_end(tuple(parts), run, seen), seen.end_ms, inferred.headline, basis, traced=False)


def _queue(sent_ms: float) -> list[Segment]:
    return (
        [Segment("queue", 0, sent_ms, "queued", f"Waited {span(sent_ms)} here before the request left.")]
        if sent_ms >= SHORTEST_GAP_MS
        else []
    )


def _streaming(first_ms: float, end_ms: float) -> tuple[Segment, Segment]:
    first = Segment("first_token", first_ms, first_ms, "first token", "The first text came.")
    return first, Segment("streaming", first_ms, end_ms, "streaming", f"Text came for {span(end_ms - first_ms)}.")


def _with_end(segments: tuple[Segment, ...], run: RunSnapshot, seen: _Seen) -> tuple[Segment, ...]:
    if not run.ended:
        return segments
    why = f" {run.error.cause}" if run.error else ""
    status = run.error.status if run.error else None
    label = f"failed {status}" if status else run.status
    outcome = {"finished": "good", "failed": "bad"}.get(run.status)
    end = Segment("end", seen.end_ms, seen.end_ms, label, ENDS[run.status] + why, outcome=outcome)  # type: ignore[arg-type]
    return (*segments, end)


def _clamped(segments: Iterable[Segment], from_ms: float, until_ms: float) -> Iterator[Segment]:
    """The segments within the time there is; none of them is lost, only made shorter."""
    for segment in segments:
        start_ms = min(max(segment.start_ms, from_ms), until_ms)
        yield replace(segment, start_ms=start_ms, end_ms=min(max(segment.end_ms, start_ms), until_ms))


def _filled(segments: Sequence[Segment], from_ms: float, until_ms: float) -> Iterator[Segment]:
    """The segments, and between them the time that none accounts for, inferred to be spent on the way or waiting."""
    shortest_ms = max(SHORTEST_GAP_MS, SHORTEST_GAP_PART * (until_ms - from_ms))
    edge = Segment("waiting", from_ms, from_ms, "", "")
    for before, after in pairwise((edge, *segments)):
        if before is not edge:
            yield before
        gap_ms = after.start_ms - before.end_ms
        if gap_ms >= shortest_ms:
            yield _gap(before, after, gap_ms, is_first=before is edge or before.kind == "queue")
    yield from segments[-1:]


def _gap(before: Segment, after: Segment, gap_ms: float, *, is_first: bool) -> Segment:
    if is_first:
        label, detail = "connecting", f"About {span(gap_ms)} on the way to the router."
    elif before.shared:
        label, detail = "waiting", f"Waited {span(gap_ms)} for the answer that another request was getting."
    elif after.kind == "first_token":
        label, detail = "on the way", f"About {span(gap_ms)} on the way back from the router."
    else:
        label, detail = "router", f"The router told nothing about {span(gap_ms)}."
    return Segment("waiting", before.end_ms, after.start_ms, label, detail, observed=False)


__all__ = ["Lane", "Segment", "lane", "router_lane", "span"]
