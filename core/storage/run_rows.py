"""From a run to its two rows, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row

from core.contract.response import count, parse_usage
from core.metrics import Timings
from core.run import RunSnapshot
from core.storage import full_text
from core.storage.column_types import json_text
from core.storage.run_pieces import Pieces, whole
from core.storage.run_record import (
    PROMPT_START,
    RunRow,
    StoredRun,
    choices_from_json,
    choices_to_json,
    error_from_json,
    finish_reason_of,
    label,
    prompt_of,
    usage_to_json,
)
from core.storage.schema import runs

LARGEST: Final = 2**31 - 1
"""The most an Integer column of PostgreSQL holds, and more tokens than any run has."""
SORTED_CHARACTERS: Final = 200
"""So much of notes and tags counts for the order: PostgreSQL takes no more than a third of a page into an index."""
LISTED: Final = tuple(runs.c[name] for name in RunRow.__dataclass_fields__ if name != "tags")


def columns(run: RunSnapshot) -> dict[str, Any]:
    """What lists show of a run, by column. Until it ends, only ``saved_at`` tells how long it takes: nothing else of its line changes."""
    usage, timings = run.usage, run.timings
    prompt_details = usage.prompt_tokens_details if usage else None
    completion_details = usage.completion_tokens_details if usage else None
    model = run.body.get("model")
    return {
        "id": run.id,
        "slot": run.slot,
        "connection_name": run.connection_name,
        "base_url": run.base_url,
        "status": run.status,
        "created_at": run.created_at,
        "prompt_start": prompt_of(run.body)[:PROMPT_START],
        "model_asked": model if isinstance(model, str) else None,
        "model_answered": run.model,
        "finish_reason": finish_reason_of(run),
        "prompt_tokens": _fitting(usage.prompt_tokens if usage else None),
        "completion_tokens": _fitting(usage.completion_tokens if usage else None),
        "total_tokens": _fitting(usage.total_tokens if usage else None),
        "cached_tokens": _fitting(prompt_details.cached_tokens if prompt_details else None),
        "reasoning_tokens": _fitting(completion_details.reasoning_tokens if completion_details else None),
        "queued_s": timings.queued_s,
        "first_token_s": timings.first_token_s,
        "total_s": timings.total_s if run.ended else None,
        "tokens_per_s": timings.tokens_per_s if run.ended else None,
        "attempts": _fitting(count(run.headers.get("x-router-attempts"))),
        "cache": run.headers.get("x-router-cache"),
        "error_kind": run.error.kind if run.error else None,
        "thread": label(run.body, "thread"),
        "identity": label(run.body, "identity", "contact"),
        "completion_id": run.completion_id,
        "request_id": run.request_id,
        "system_fingerprint": run.system_fingerprint,
        "pieces": run.pieces,
        "size_bytes": _size(run),
    }


def contents(run: RunSnapshot) -> dict[str, Any]:
    """The rest of a run, by column. What the router sent so far is stored at the end only: text is enough until then."""
    return {
        "sent": run.sent,
        "choices": choices_to_json(run.choices),
        "usage": usage_to_json(run),
        "headers": dict(run.headers),
        "error": run.error.to_dict() if run.error else None,
        "raw": run.raw.encode() if run.ended else b"",
        "raw_truncated": run.raw_truncated,
        "trace": run.trace,
    }


def marks(run: StoredRun) -> dict[str, Any]:
    """What people and prices put on a run, by column."""
    told = {"starred": run.starred, "deleted_at": run.deleted_at, "cost_usd": run.cost_usd, "tag_line": tag_line(run.tags)}
    return told | noted(run.note)


def noted(note: str) -> dict[str, Any]:
    """A note, and its beginning to sort by; an empty one has none, and so comes last."""
    return {"note": note, "note_start": note[:SORTED_CHARACTERS] or None}


def tag_line(tags: Iterable[str]) -> str | None:
    """A run's tags to sort by."""
    return ", ".join(sorted(tags))[:SORTED_CHARACTERS] or None


def words(run: RunSnapshot) -> str:
    """What full-text search looks through: the words of the prompt and of every choice, folded, cut as ``full_text.words_of`` cuts them."""
    return full_text.words_of([prompt_of(run.body), *(choice.text for _, choice in sorted(run.choices.items()))])


def listed(row: Row[Any], tags: tuple[str, ...]) -> RunRow:
    """A line of a list from a row that begins with ``LISTED``."""
    values: list[Any] = [*row[: len(LISTED)], tags]
    return RunRow(*values)


def stored(row: Row[Any], pieces: Pieces = ()) -> StoredRun:
    """A whole run from a row of ``runs`` joined with its contents, and the ``pieces`` of its text that came since that was written."""
    sent = bytes(row.sent)
    snapshot = RunSnapshot(
        id=row.id,
        slot=row.slot,
        body=json.loads(sent),
        sent=sent,
        connection_name=row.connection_name,
        base_url=row.base_url,
        status=row.status,
        created_at=row.created_at,
        choices=choices_from_json(whole(row.choices, pieces) if pieces else row.choices),
        usage=parse_usage(row.usage),
        model=row.model_answered,
        completion_id=row.completion_id,
        request_id=row.request_id,
        system_fingerprint=row.system_fingerprint,
        headers=row.headers,
        timings=Timings(row.queued_s, row.first_token_s, row.total_s, row.tokens_per_s),
        error=error_from_json(row.error),
        raw=row.raw.decode("utf-8", "replace"),
        raw_truncated=row.raw_truncated,
        queue_position=None,
        pieces=pieces[-1].pieces if pieces else row.pieces,
        trace=row.trace,
    )
    return StoredRun(snapshot, row.ended_at, row.cost_usd, row.cost_detail, row.starred, row.note, deleted_at=row.deleted_at)


def size_of(run: RunSnapshot) -> int:
    """Characters and bytes that a run has in memory, about."""
    return len(run.sent) + len(run.raw) + sum(len(choice.text) for choice in run.choices.values())


def _fitting(number: int | None) -> int | None:
    """A count that a column can hold; any other is nothing to count with, and stands in the usage as it came."""
    return number if number is not None and 0 <= number <= LARGEST else None


def _size(run: RunSnapshot) -> int:
    """About the bytes a run takes: the answer as received shrinks to a tenth, words and indexes add as much as the texts."""
    texts = sum(len(choice.text) for choice in run.choices.values())
    return 1_000 + 2 * (len(run.sent) + texts) + (len(json_text(run.trace)) if run.trace else 0) + len(run.raw) // 10
