"""What is told of a run beside its text: how it ended, and which slot of a comparison comes next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from core.contract.response import Completion
from core.errors import InvalidRequest
from core.preset.calls import SlotCalls
from core.terminal.call import Outcome
from core.terminal.streams import complain, write


def heading(slot: SlotCalls, number: int, *, first: bool) -> None:
    """Which slot of a comparison answers next, on a line of its own; with repeats, which of them."""
    repeat = f" · {number} of {len(slot.bodies)}" if len(slot.bodies) > 1 else ""
    before = "" if first else "\n" if sys.stdout.isatty() else "\n\n"
    write(f"{before}--- {slot.title}{repeat} ---\n")


def by_slot(outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, Any]:
    """What ``--json`` prints of a comparison: its slots by title, each with its runs."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for title, outcome in outcomes:
        runs.setdefault(title, []).append(outcome.to_dict())
    return {"slots": [{"slot": title, "runs": of_slot} for title, of_slot in runs.items()]}


def report(outcome: Outcome, *, as_json: bool) -> None:
    """Says how the run ended, in a line or two to standard error; of what JSON tells only what went wrong."""
    match outcome.error:
        case None:
            if not as_json:
                complain(summary(outcome))
        case InvalidRequest() as refused:
            for problem in refused.problems:
                complain(problem.sentence)
        case error:
            complain(f"{error.cause}\n{error.next_step}".rstrip())


def summary(outcome: Outcome) -> str:
    """One line: finish reasons, usage, times, and which model answered."""
    completion, timings = outcome.completion or Completion(), outcome.timings
    parts = [", ".join(choice.finish_reason or "no finish reason" for choice in completion.choices) or "no text"]
    if completion.usage is not None:
        counts = ("?" if count is None else str(count) for count in (completion.usage.prompt_tokens, completion.usage.completion_tokens))
        parts.append(f"{' + '.join(counts)} tokens")
    if timings.first_token_s is not None:
        parts.append(f"first token {timings.first_token_s:.2f} s")
    if timings.total_s is not None:
        parts.append(f"total {timings.total_s:.2f} s")
    if timings.tokens_per_s is not None:
        parts.append(f"{timings.tokens_per_s:.0f} tokens/s")
    return " · ".join([*parts, *filter(None, [completion.model])])
