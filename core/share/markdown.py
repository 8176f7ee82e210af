"""A snapshot as Markdown, for a ticket or a chat: whatever text is in it stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from core.lane.trace_events import span
from core.share.items import LABELS
from core.share.snapshot import SharedComparison, SharedPreset, SharedRun, SharedSingleRun, Snapshot

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&@:])")


def to_markdown(snapshot: Snapshot) -> str:
    """Request, output and figures in fenced blocks; what was left out is named at the end."""
    content = snapshot.content
    match content:
        case SharedPreset():
            parts = [*_about(content.name or "Settings", content.description, content.tags), *_request(content.request)]
        case SharedSingleRun():
            parts = ["## A run", *_request(content.request), *_run(content.run, "###")]
        case SharedComparison():
            parts = _about(content.name or "A comparison", content.description, content.tags)
            for place, slot in enumerate(content.slots):
                name = f" · {escaped(slot.name)}" if slot.name else ""
                parts += [f"### {chr(ord('A') + place)}{name}", *_request(slot.request)]
                parts += [part for run in slot.runs for part in _run(run, "####")]
            parts += [escaped(sentence) for sentence in content.verdicts]
    if snapshot.hidden:
        parts.append("Left out: " + ", ".join(LABELS[name] for name in snapshot.hidden) + ".")
    parts.append(f"Shared from the router playground on {snapshot.made_at:%Y-%m-%d %H:%M} UTC.")
    return "\n\n".join(parts) + "\n"


def fenced(text: str, language: str = "") -> str:
    """``text`` in a fence longer than any in it."""
    longest = max((len(found) for found in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def escaped(text: str) -> str:
    """``text`` on one line, with nothing in it that Markdown would read."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _about(name: str, description: str, tags: tuple[str, ...]) -> list[str]:
    parts = [f"## {escaped(name)}"]
    parts += [escaped(description)] if description else []
    parts += ["Tags: " + ", ".join(map(escaped, tags))] if tags else []
    return parts


def _request(request: dict[str, Any]) -> list[str]:
    return [fenced(json.dumps(request, indent=2, ensure_ascii=False), "json")]


def _run(run: SharedRun, heading: str) -> Iterator[str]:
    for choice in run.choices:
        title = "Output" if len(run.choices) == 1 else f"Output {choice.index + 1}"
        yield f"{heading} {title}" + (f" ({escaped(choice.finish_reason)})" if choice.finish_reason else "")
        yield "Left out." if choice.text is None else fenced(choice.text)
    if run.error:
        yield escaped(f"Failed: {run.error.cause}")
    yield " · ".join(_figures(run))


def _figures(run: SharedRun) -> Iterator[str]:
    yield escaped(run.status)
    if run.usage and run.usage.total_tokens is not None:
        yield f"{run.usage.total_tokens:,} tokens ({run.usage.prompt_tokens or 0:,} in, {run.usage.completion_tokens or 0:,} out)"
    if run.timings.first_token_s is not None:
        yield f"first token {span(run.timings.first_token_s * 1000)}"
    if run.timings.total_s is not None:
        yield f"total {span(run.timings.total_s * 1000)}"
    if run.cost and run.cost.usd is not None:
        yield f"\\${run.cost.usd}"
    if run.model:
        yield f"answered by {escaped(run.model)}"
    yield escaped(f"over {run.connection.name}")
