"""What can be inferred of a router that tells no trace: from the request's own routing fields, the answer's headers and its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.lane.steps import Segment
from core.lane.trace_events import plural, short
from core.run import RunSnapshot

MOST_ATTEMPTS = 36
"""Six targets with five retries each: no request of the contract leads to more."""


@dataclass(frozen=True, slots=True)
class Guess:
    """``segments`` take the place of the wait, none of them observed; empty when nothing can be inferred."""

    segments: tuple[Segment, ...] = ()
    headline: str = ""


def guessed(run: RunSnapshot, waiting: Segment) -> Guess:
    """What probably happened while ``waiting`` lasted."""
    balanced = _models(_field(run, "load_balancer"), "models")
    fallbacks = _models({"fallbacks": _field(run, "fallbacks")}, "fallbacks")
    asked = run.body.get("model")
    first = balanced or ([asked] if isinstance(asked, str) else [])
    answered = _answered(run.model, [*first, *fallbacks])
    attempts = _attempts(run)
    fell_back = answered is not None and answered not in first
    ticks, said = [], []
    if run.headers.get("x-router-cache") == "hit":
        ticks.append(("cache", "cache hit", "The answer's header says that it came from the cache."))
        said.append("cache hit")
    if answered is not None and balanced and not fell_back:
        ticks.append(("draw", f"drew {answered}", f"{answered} answered, so the load balancer drew it."))
        said.append(f"probably drew {answered}")
    if attempts is None and fell_back:
        attempts = 2
    if fell_back:
        said.append(f"probably fell back to {answered}")
    if attempts is not None and attempts > 1:
        said.append(f"{plural(attempts, 'attempt')}{'' if 'x-router-attempts' in run.headers else ' or more'}")
    moment = replace(waiting, observed=False, end_ms=waiting.start_ms)
    marks = tuple(replace(moment, kind=kind, label=label, detail=detail) for kind, label, detail in ticks)  # type: ignore[arg-type]
    parts = _parts(waiting, attempts or 0, answered, counted="x-router-attempts" in run.headers)
    if not marks and not parts:
        return Guess()
    return Guess((*marks, *(parts or (waiting,))), " · ".join(said))


def _parts(waiting: Segment, attempts: int, answered: str | None, *, counted: bool) -> tuple[Segment, ...]:
    """The wait cut into as many attempts; where one ended and the next began is not known, so all are as long."""
    if attempts < 2:
        return ()
    length_ms = (waiting.end_ms - waiting.start_ms) / attempts
    source = f"the answer's header counts {attempts}" if counted else "another model answered than the first one asked"
    found = []
    for number in range(1, attempts + 1):
        start_ms = waiting.start_ms + (number - 1) * length_ms
        last = number == attempts
        label = answered if last and answered else f"attempt {number}"
        who = f", by {answered}" if last and answered else ""
        detail = f"Attempt {number}{who}: inferred, because {source}; when it began is not known."
        found.append(Segment("attempt", start_ms, start_ms + length_ms, label, detail, observed=False))
    return tuple(found)


def _attempts(run: RunSnapshot) -> int | None:
    told = run.headers.get("x-router-attempts", "")
    return min(int(told), MOST_ATTEMPTS) if told.isascii() and told.isdecimal() and len(told) < 6 else None


def _answered(model: str | None, targets: Sequence[str]) -> str | None:
    """The target that ``model`` names: providers answer ``openai/gpt-4o`` as ``gpt-4o-2024-11-20``. None where it is no target's name."""
    if not model:
        return None
    said = model.rpartition("/")[2]
    exact = [target for target in targets if target == model]
    alike = [target for target in targets if said.startswith(target.rpartition("/")[2])]
    found = exact or sorted(alike, key=len, reverse=True)
    return short(found[0]) if found else None


def _field(run: RunSnapshot, name: str) -> Any:
    """A routing field, from the top level or from ``orq``."""
    orq = run.body.get("orq")
    return run.body.get(name, orq.get(name) if isinstance(orq, dict) else None)


def _models(block: Any, name: str) -> list[str]:
    rows = block.get(name) if isinstance(block, dict) else None
    return [row["model"] for row in rows if isinstance(row, dict) and isinstance(row.get("model"), str)] if isinstance(rows, list) else []
