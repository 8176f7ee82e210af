"""A run as its row has it, unread: an export writes most of it down again as it stands, several times faster than by way of the run."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.types import NullType

from core.storage.column_types import EPOCH, PICODOLLARS, json_text
from core.storage.run_pieces import Pieces, whole
from core.storage.run_record import FORMAT, bytes_to_text, error_from_json, joined_reasons, label, prompt_of
from core.storage.schema import run_contents, runs

_TIMES: Final = ("queued_s", "first_token_s", "total_s", "tokens_per_s")
_TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")

_IN_TABLE: Final = (
    *("pk", "id", "slot", "connection_name", "base_url", "status", "created_at", "ended_at", "model_answered", *_TIMES, *_TOKENS),
    *("cost_usd", "attempts", "cache", "request_id", "system_fingerprint", "starred", "note"),
)
_IN_LINE_ONLY: Final = ("completion_id", "pieces", "deleted_at")
_CONTENTS: Final = ("usage", "headers", "raw", "raw_truncated", "trace", "cost_detail")
_CHOICES: Final = len(_IN_TABLE) + 1
_PIECES: Final = len(_IN_TABLE) + 3 + _IN_LINE_ONLY.index("pieces")


def table_columns() -> tuple[ColumnElement[Any], ...]:
    """What ``PackedRun`` needs of a row for its cells, as the database has it."""
    return _raw(*(runs.c[name] for name in _IN_TABLE), *(run_contents.c[name] for name in ("sent", "choices", "error")))


def line_columns() -> tuple[ColumnElement[Any], ...]:
    """What it needs for its line as well."""
    return (*table_columns(), *_raw(*(runs.c[name] for name in _IN_LINE_ONLY), *(run_contents.c[name] for name in _CONTENTS)))


def _raw(*columns: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return tuple(type_coerce(column, NullType()).label(column.name) for column in columns)


def with_pieces(row: Sequence[Any], pieces: Pieces, *, lines: bool) -> Sequence[Any]:
    """The row of a run under way, by ``line_columns`` or by ``table_columns``, with the whole text it has by now."""
    made = list(row)
    made[_CHOICES] = json_text(whole(json.loads(row[_CHOICES]), pieces))
    if lines:
        made[_PIECES] = pieces[-1].pieces
    return made


@dataclass(frozen=True, slots=True)
class PackedRun:
    """The ``row`` of a run by ``table_columns`` or ``line_columns``, and its ``tags`` in order."""

    row: Sequence[Any]
    tags: tuple[str, ...] = ()

    def line(self) -> bytes:
        """The line of an export: ``StoredRun.to_json`` as compact JSON in UTF-8."""
        try:
            return orjson.dumps(self._fields(orjson.Fragment))
        except orjson.JSONEncodeError:  # half an emoji
            return json_text(self._fields(json.loads), default=datetime.isoformat).encode()

    def _fields(self, stored: Callable[[str], Any]) -> dict[str, Any]:
        """What the line has; ``stored`` makes a value of JSON as it is stored."""
        # By place: by name each of them costs as much as writing it down.
        _, run_id, slot, connection_name, base_url, status, created_at, ended_at, model = self.row[:9]
        cost_usd, _, _, request_id, system_fingerprint, starred, note, sent, choices, error = self.row[18:28]
        completion_id, pieces, deleted_at, usage, headers, raw, raw_truncated, trace, cost_detail = self.row[28:37]
        return {
            "format": FORMAT,
            "id": run_id,
            "slot": slot,
            "connection_name": connection_name,
            "base_url": base_url,
            "status": status,
            "created_at": _moment(created_at),
            "ended_at": _moment(ended_at),
            "sent": bytes_to_text(bytes(sent)),
            "choices": stored(choices),
            "usage": usage and stored(usage),
            "model": model,
            "completion_id": completion_id,
            "request_id": request_id,
            "system_fingerprint": system_fingerprint,
            "headers": stored(headers),
            "timings": dict(zip(_TIMES, self.row[9:13], strict=True)),
            "error": error and stored(error),
            "raw": zlib.decompress(raw).decode("utf-8", "replace"),
            "raw_truncated": bool(raw_truncated),
            "pieces": pieces,
            "trace": trace and stored(trace),
            "cost_usd": None if cost_usd is None else str(_dollars(cost_usd)),
            "cost_detail": cost_detail and stored(cost_detail),
            "starred": bool(starred),
            "note": note,
            "tags": self.tags,
            "deleted_at": _moment(deleted_at),
        }

    def cells(self) -> tuple[Any, ...]:
        """The row of an export's table, by ``core.export.run_files.COLUMNS``."""
        _, run_id, slot, connection_name, base_url, status, created_at, ended_at, answered = self.row[:9]
        cost_usd, attempts, cache, request_id, system_fingerprint, starred, note, sent, listed, error = self.row[18:28]
        sent = bytes(sent)
        body: Mapping[str, Any] = _parsed(sent)
        choices = _parsed(listed)
        model = body.get("model")
        return (
            run_id,
            _moment(created_at),
            _moment(ended_at),
            status,
            connection_name,
            base_url,
            slot,
            model if isinstance(model, str) else None,
            answered,
            prompt_of(body),
            choices[0]["text"] if choices else "",
            len(choices),
            joined_reasons(choice["finish_reason"] for choice in choices),
            *self.row[13:18],
            None if cost_usd is None else _dollars(cost_usd),
            *self.row[9:13],
            attempts,
            cache,
            _cause(error),
            label(body, "thread"),
            label(body, "identity", "contact"),
            sent.decode("utf-8", "replace"),
            system_fingerprint,
            request_id,
            bool(starred),
            ", ".join(self.tags),
            note,
        )


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def _dollars(picodollars: int) -> Decimal:
    return Decimal(picodollars) / PICODOLLARS


def _parsed(stored: bytes | str) -> Any:
    """The value; orjson refuses half an emoji."""
    try:
        return orjson.loads(stored)
    except orjson.JSONDecodeError:
        return json.loads(stored)


def _cause(error: str | None) -> str | None:
    found = None if error is None else error_from_json(_parsed(error))
    return found.cause if found else None
