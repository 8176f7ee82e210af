"""A run as its row has it, unread: an export writes most of it down again as it stands, several times faster than by way of the run."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.types import NullType

from core.storage.column_types import EPOCH, PICODOLLARS
from core.storage.run_record import FORMAT, bytes_to_text, error_from_json, joined_reasons, label, prompt_of
from core.storage.schema import run_contents, runs

_quoted: Final = json.encoder.encode_basestring_ascii
_ESCAPED: Final = re.compile(r"[^\x20-\x7e]+")
_TIMES: Final = ("queued_s", "first_token_s", "total_s", "tokens_per_s")
_TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")

_IN_TABLE: Final = (
    *("pk", "id", "slot", "connection_name", "base_url", "status", "created_at", "ended_at", "model_answered", *_TIMES, *_TOKENS),
    *("cost_usd", "attempts", "cache", "request_id", "system_fingerprint", "starred", "note"),
)
_IN_LINE_ONLY: Final = ("completion_id", "pieces", "deleted_at")
_CONTENTS: Final = ("usage", "headers", "raw", "raw_truncated", "trace", "cost_detail")


def table_columns() -> tuple[ColumnElement[Any], ...]:
    """What ``PackedRun`` needs of a row for its cells, as the database has it."""
    return _raw(*(runs.c[name] for name in _IN_TABLE), *(run_contents.c[name] for name in ("sent", "choices", "error")))


def line_columns() -> tuple[ColumnElement[Any], ...]:
    """What it needs for its line as well."""
    return (*table_columns(), *_raw(*(runs.c[name] for name in _IN_LINE_ONLY), *(run_contents.c[name] for name in _CONTENTS)))


def _raw(*columns: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return tuple(type_coerce(column, NullType()).label(column.name) for column in columns)


@dataclass(frozen=True, slots=True)
class PackedRun:
    """The ``row`` of a run by ``table_columns`` or ``line_columns``, and its ``tags`` in order."""

    row: Sequence[Any]
    tags: tuple[str, ...] = ()

    def line(self) -> str:
        """The line of an export: the same text as of ``StoredRun.to_json``, compact and in ASCII."""
        # By place: by name each of them costs as much as writing it down.
        _, run_id, slot, connection_name, base_url, status, created_at, ended_at, model = self.row[:9]
        queued_s, first_token_s, total_s, tokens_per_s = self.row[9:13]
        cost_usd, _, _, request_id, system_fingerprint, starred, note, sent, choices, error = self.row[18:28]
        completion_id, pieces, deleted_at, usage, headers, raw, raw_truncated, trace, cost_detail = self.row[28:37]
        return (
            f'{{"format":"{FORMAT}","id":{_quoted(run_id)},"slot":{_quoted(slot)},"connection_name":{_quoted(connection_name)},'
            f'"base_url":{_quoted(base_url)},"status":"{status}","created_at":"{_moment(created_at).isoformat()}",'
            f'"ended_at":{_iso(ended_at)},"sent":{_sent(sent)},"choices":{_ascii(choices)},"usage":{_ascii(usage)},'
            f'"model":{_text(model)},"completion_id":{_text(completion_id)},"request_id":{_text(request_id)},'
            f'"system_fingerprint":{_text(system_fingerprint)},"headers":{_ascii(headers)},"timings":{{"queued_s":{_number(queued_s)},'
            f'"first_token_s":{_number(first_token_s)},"total_s":{_number(total_s)},"tokens_per_s":{_number(tokens_per_s)}}},'
            f'"error":{_ascii(error)},"raw":{_quoted(zlib.decompress(raw).decode("utf-8", "replace"))},'
            f'"raw_truncated":{_flag(raw_truncated)},"pieces":{pieces},"trace":{_ascii(trace)},'
            f'"cost_usd":{_text(None if cost_usd is None else str(_dollars(cost_usd)))},"cost_detail":{_ascii(cost_detail)},'
            f'"starred":{_flag(starred)},"note":{_quoted(note)},"tags":[{",".join(map(_quoted, self.tags))}],'
            f'"deleted_at":{_iso(deleted_at)}}}'
        )

    def cells(self) -> tuple[Any, ...]:
        """The row of an export's table, by ``core.export.run_files.COLUMNS``."""
        _, run_id, slot, connection_name, base_url, status, created_at, ended_at, answered = self.row[:9]
        cost_usd, attempts, cache, request_id, system_fingerprint, starred, note, sent, listed, error = self.row[18:28]
        body: Mapping[str, Any] = json.loads(bytes(sent))
        choices = json.loads(listed)
        model = body.get("model")
        return (
            run_id,
            _moment(created_at),
            None if ended_at is None else _moment(ended_at),
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
            json.dumps(body, ensure_ascii=False),
            system_fingerprint,
            request_id,
            bool(starred),
            ", ".join(self.tags),
            note,
        )


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _iso(microseconds: int | None) -> str:
    return "null" if microseconds is None else f'"{_moment(microseconds).isoformat()}"'


def _dollars(picodollars: int) -> Decimal:
    return Decimal(picodollars) / PICODOLLARS


def _sent(sent: bytes) -> str:
    text = bytes_to_text(bytes(sent))
    return _quoted(text) if isinstance(text, str) else json.dumps(text, separators=(",", ":"))


def _ascii(stored: str | None) -> str:
    """Compact JSON as it is stored, every character beyond printable ASCII escaped: they stand in strings only."""
    if stored is None:
        return "null"
    if stored.isascii() and "\x7f" not in stored:
        return stored
    return _ESCAPED.sub(lambda found: _quoted(found[0])[1:-1], stored)


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _number(value: float | None) -> str:
    if value is None:
        return "null"
    return repr(value) if isinstance(value, float) and isfinite(value) else json.dumps(float(value))


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _cause(error: str | None) -> str | None:
    found = None if error is None else error_from_json(json.loads(error))
    return found.cause if found else None
