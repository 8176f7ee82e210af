"""A router's trace as steps with words: tolerant, for what a trace holds is up to the router."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.lane.prompt_work import facts, prompt_work_headline, prompt_work_said
from core.lane.trace_events import Event, events_of, plural, span

Kind = Literal[
    "queue", "waiting", "prompt", "inputs", "retrieval", "pii", "cache", "draw", "attempt", "back_off", "fallback",
    "first_token", "streaming", "end", "other",
]  # fmt: skip
Outcome = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One step: from ``start_ms`` to ``end_ms``, which are equal for something that took no time to speak of.

    ``label`` is a few words, ``detail`` a sentence; both may hold a model's name as it was sent. ``observed`` is false where the step
    is inferred. ``outcome`` is None where it is neither good nor bad; ``shared`` marks the wait for another request's answer.
    """

    kind: Kind
    start_ms: float
    end_ms: float
    label: str
    detail: str
    observed: bool = True
    outcome: Outcome | None = None
    shared: bool = False

    @property
    def when(self) -> str:
        """From when on, and for how long."""
        begun, over = span(self.start_ms), span(self.end_ms)
        return f"at {begun}" if begun == over else f"from {begun} to {over}"


@dataclass(frozen=True, slots=True)
class Steps:
    """What a trace tells. Times are milliseconds since the router read the request; the end stands apart from the ``segments``."""

    segments: tuple[Segment, ...]
    first_token_ms: float | None
    end_ms: float
    end: tuple[Segment, ...]
    headline: str


def steps_of(trace: Mapping[str, Any], *, streamed: bool = True) -> Steps:
    """The steps of a trace; what cannot be read is left out. The attempt that is ``streamed`` from is cut at its first text."""
    events = events_of(trace.get("events"))
    ends = [event.at_ms for event in events if event.kind == "end"]
    first_ms = next((event.at_ms for event in events if event.kind == "first_token"), None)
    end_ms = ends[-1] if ends else max((event.at_ms for event in events), default=0.0)
    segments = []
    for place, event in enumerate(events):
        if event.kind not in ("first_token", "end"):
            passed_over = ("end",) if streamed else ("end", "first_token")
            following_ms = next((other.at_ms for other in events[place + 1 :] if other.kind not in passed_over), None)
            segments.append(_segment(event, following_ms, end_ms))
    segments.sort(key=lambda segment: segment.start_ms)  # those noted when they were over may have begun earlier
    end = tuple(_end(event) for event in events if event.kind == "end")[-1:]
    return Steps(tuple(segments), first_ms, end_ms, end, _headline(events))


def _segment(event: Event, following_ms: float | None, end_ms: float) -> Segment:
    kind, label, detail, outcome = _WORDS.get(event.kind, _other)(event)
    start_ms, took_ms = event.at_ms, event.number("wait_ms" if event.kind == "back_off" else "duration_ms")
    over_ms = start_ms + (took_ms or 0.0)
    if event.kind == "attempt":
        over_ms = end_ms if took_ms is None else over_ms
        if following_ms is not None:
            over_ms = min(over_ms, following_ms)  # from here on it streams, or the model tells what it does
    elif following_ms is not None and took_ms and over_ms > following_ms + 0.5 and event.kind != "back_off":
        start_ms, over_ms = max(start_ms - took_ms, 0.0), start_ms  # noted when it was over
    return Segment(kind, start_ms, max(over_ms, start_ms), label, detail, outcome=outcome, shared=event.data.get("shared") is True)


Words = tuple[Kind, str, str, Outcome | None]


def _attempt(event: Event) -> Words:
    number = event.number("number")
    target, status, took_ms = event.text("target"), event.status, event.number("duration_ms")
    name = f"Attempt {number:.0f}" if number is not None else "An attempt"
    asked = f"{name} asked {target}" if target else name
    took = f" after {span(took_ms)}" if took_ms is not None else ""
    if status is None:
        how = f": given up{took}, for nobody listened any more." if took else ": not over yet."
        return "attempt", target or "attempt", asked + how, None
    good = status < 400
    how = "answered" if good else "failed"
    took = f", over{took}" if took and good else took
    return "attempt", f"{status} {target}".strip(), f"{asked}: {how} with {status}{took}.", "good" if good else "bad"


def _back_off(event: Event) -> Words:
    wait_ms = event.number("wait_ms")
    asked = " because Retry-After asked for it" if event.text("reason") == "retry-after" else ""
    waited = f"Waited {span(wait_ms)}" if wait_ms is not None else "Waited"
    return "back_off", f"wait {span(wait_ms)}" if wait_ms is not None else "wait", f"{waited} before the next try{asked}.", None


def _fallback(event: Event) -> Words:
    target, after = event.text("target") or "the next model", event.number("after")
    why = f"After {after:.0f} the" if after is not None else "The"
    return "fallback", f"fallback to {target}", f"{why} router went on to {target}.", None


def _draw(event: Event) -> Words:
    drawn, rows = event.text("drawn") or "a model", _rows(event.data.get("models"))
    share = next((row.get("share") for row in rows if row.get("model") == drawn), None)
    count = f" out of {len(rows)} models" if rows else ""
    chance = f", whose share is {100 * share:.3g} %" if isinstance(share, float | int) and math.isfinite(share) else ""
    return "draw", f"drew {drawn}", f"The load balancer drew {drawn}{count}{chance}.", None


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _cache(event: Event) -> Words:
    words = cache_words(event)
    return "cache", words.partition(" — ")[0], f"Cache look-up: {words.removeprefix('cache ')}.", None


def cache_words(event: Event) -> str:
    """``cache hit, 12 s old``, ``cache miss — temperature changed since the last cached request``."""
    age_ms = event.number("age_ms")
    if event.text("result") == "hit":
        if event.data.get("shared") is True:
            return "cache hit — another request was getting the same answer"
        return f"cache hit, {span(age_ms)} old" if age_ms is not None else "cache hit"
    changed = event.texts("changed")
    if changed:
        names = changed[0] if len(changed) == 1 else f"{', '.join(changed[:-1])} and {changed[-1]}"
        return f"cache miss — {names} changed since the last cached request"
    if event.data.get("expired") is True:
        return "cache miss — the stored answer had expired" + (f", {span(age_ms)} old" if age_ms is not None else "")
    for name, why in _MISSES.items():
        if event.data.get(name) is True:
            return f"cache miss — {why}"
    return "cache miss" if event.text("result") == "miss" else "cache"


_MISSES = {
    "first": "no similar request came before",
    "unkept": "the same request came before, but its answer was not kept",
    "reshaped": "the same fields gave another prompt than before",
}


def _other(event: Event) -> Words:
    return "other", event.kind.replace("_", " "), f"The router noted “{event.kind}”{facts(event)}.", None


def _prompt_work(kind: Kind, label: str) -> Callable[[Event], Words]:
    return lambda event: (kind, label, prompt_work_said(event), None)


_WORDS: Mapping[str, Callable[[Event], Words]] = {
    "attempt": _attempt,
    "back_off": _back_off,
    "fallback": _fallback,
    "draw": _draw,
    "cache": _cache,
    "prompt": _prompt_work("prompt", "stored prompt"),
    "inputs": _prompt_work("inputs", "inputs"),
    "retrieval": _prompt_work("retrieval", "retrieval"),
    "pii": _prompt_work("pii", "PII redaction"),
    "thinking": _prompt_work("other", "thinking"),
}


def _end(event: Event) -> Segment:
    state, status = event.text("state"), event.status
    label = f"failed {status}" if state == "failed" and status else state or "end"
    outcome: Outcome | None = {"finished": "good", "failed": "bad"}.get(state)  # type: ignore[assignment]
    return Segment("end", event.at_ms, event.at_ms, label, f"The request {state or 'ended'}.", outcome=outcome)


def _headline(events: Sequence[Event]) -> str:
    """What mattered, in one line: the work on the prompt, the cache, the draw, the attempts' statuses, the waits between them."""
    parts = [words for event in events if (words := prompt_work_headline(event))]
    parts += [cache_words(event) for event in events if event.kind == "cache"]
    parts += [f"drew {event.text('drawn')}" for event in events if event.kind == "draw"]
    attempts = [event for event in events if event.kind == "attempt"]
    if len(attempts) > 1:
        targets = len({event.text("target") for event in attempts})
        models = f" on {plural(targets, 'model')}" if targets > 1 else ""
        parts.append(f"{plural(len(attempts), 'attempt')}{models}: {_statuses(attempts)}")
    waited_ms = sum(event.number("wait_ms") or 0.0 for event in events if event.kind == "back_off")
    if waited_ms:
        parts.append(f"waited {span(waited_ms)} between them")
    return " · ".join(parts)


def _statuses(attempts: Sequence[Event]) -> str:
    """``3 × 429, 200``: the statuses in order, equal neighbours counted."""
    runs: list[tuple[str, int]] = []
    for event in attempts:
        word = "given up" if event.status is None else str(event.status)
        count = runs.pop()[1] if runs and runs[-1][0] == word else 0
        runs.append((word, count + 1))
    return ", ".join(word if count == 1 else f"{count} × {word}" for word, count in runs)
