"""Runs as JSONL (whole, readable again), CSV and Parquet (a table, for spreadsheets and data frames), one run at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from core.contract.response import count
from core.storage.column_types import json_text
from core.storage.packed_run import PackedRun
from core.storage.run_record import StoredRun, finish_reason_of, label, prompt_of

FileKind = Literal["jsonl", "csv", "parquet"]
MIME: Final[dict[FileKind, str]] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
ROW_GROUP: Final = 1_000
GROUP_CHARACTERS: Final = 5_000_000
"""Runs that a Parquet file's group holds, and about the characters of their texts, and so the most that are in memory at a time."""

BUFFER: Final = 1024 * 1024
LARGEST_LINE: Final = 64 * 1024 * 1024
_FORMULA: Final = frozenset("=+-@\t\r")
"""What makes a spreadsheet take a text for a formula; an apostrophe before it keeps it from that (OWASP, CSV injection)."""
Written = Callable[[int], None]

COLUMNS: Final[dict[str, str]] = {
    "id": "text",
    "created_at": "time",
    "ended_at": "time",
    "status": "text",
    "connection": "text",
    "base_url": "text",
    "slot": "text",
    "model_asked": "text",
    "model_answered": "text",
    "prompt": "text",
    "output": "text",
    "choices": "integer",
    "finish_reason": "text",
    "prompt_tokens": "integer",
    "completion_tokens": "integer",
    "total_tokens": "integer",
    "cached_tokens": "integer",
    "reasoning_tokens": "integer",
    "cost_usd": "dollars",
    "queued_s": "number",
    "first_token_s": "number",
    "total_s": "number",
    "tokens_per_s": "number",
    "attempts": "integer",
    "cache": "text",
    "error": "text",
    "thread": "text",
    "identity": "text",
    "request": "text",
    "system_fingerprint": "text",
    "request_id": "text",
    "starred": "flag",
    "tags": "text",
    "note": "text",
}
"""The table's columns. ``output`` is the first choice; ``request`` the body as it was sent; what is unknown is empty, never 0."""


def table_row(run: StoredRun) -> dict[str, Any]:
    """One run as a row of the table, by ``COLUMNS``."""
    seen = run.snapshot
    usage, timings = seen.usage, seen.timings
    prompt, completion = (usage.prompt_tokens_details, usage.completion_tokens_details) if usage else (None, None)
    return {
        "id": seen.id,
        "created_at": seen.created_at,
        "ended_at": run.ended_at,
        "status": seen.status,
        "connection": seen.connection_name,
        "base_url": seen.base_url,
        "slot": seen.slot,
        "model_asked": _text(seen.body.get("model")),
        "model_answered": seen.model,
        "prompt": prompt_of(seen.body),
        "output": seen.text,
        "choices": len(seen.choices),
        "finish_reason": finish_reason_of(seen),
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "total_tokens": usage.total_tokens if usage else None,
        "cached_tokens": prompt.cached_tokens if prompt else None,
        "reasoning_tokens": completion.reasoning_tokens if completion else None,
        "cost_usd": run.cost_usd,
        "queued_s": timings.queued_s,
        "first_token_s": timings.first_token_s,
        "total_s": timings.total_s,
        "tokens_per_s": timings.tokens_per_s,
        "attempts": count(seen.headers.get("x-router-attempts")),
        "cache": seen.headers.get("x-router-cache"),
        "error": seen.error.cause if seen.error else None,
        "thread": label(seen.body, "thread"),
        "identity": label(seen.body, "identity", "contact"),
        "request": seen.sent.decode("utf-8", "replace"),
        "system_fingerprint": seen.system_fingerprint,
        "request_id": seen.request_id,
        "starred": run.starred,
        "tags": ", ".join(run.tags),
        "note": run.note,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def write_runs(runs: Iterable[StoredRun | PackedRun], kind: FileKind, path: Path, written: Written = lambda _count: None) -> int:
    """Write runs to a new file of a kind, one after the other; how many. ``written`` hears how many are in it so far.

    OSError where the file cannot be written, and whatever ``runs`` raises; what was written by then stays.
    """
    match kind:
        case "jsonl":
            return _write_jsonl(map(_line, runs), path, written)
        case "csv":
            return _write_csv(map(_cells, runs), path, written)
        case "parquet":
            return _write_parquet(map(_cells, runs), path, written)


def _line(run: StoredRun | PackedRun) -> bytes:
    return run.line() if isinstance(run, PackedRun) else json_text(run.to_json()).encode()


def _cells(run: StoredRun | PackedRun) -> tuple[Any, ...]:
    return run.cells() if isinstance(run, PackedRun) else tuple(table_row(run).values())


def _write_jsonl(lines: Iterable[bytes], path: Path, written: Written) -> int:
    count = 0
    with path.open("wb", buffering=BUFFER) as file:
        for count, line in enumerate(lines, 1):
            file.write(line)
            file.write(b"\n")
            written(count)
    return count


def _write_csv(rows: Iterable[Sequence[Any]], path: Path, written: Written) -> int:
    """By RFC 4180, with a byte order mark, or Excel reads the text as Latin 1."""
    count = 0
    texts = [_AS_TEXT[kind] for kind in COLUMNS.values()]
    with path.open("wb", buffering=BUFFER) as file:
        file.write(("\ufeff" + ",".join(COLUMNS) + "\r\n").encode())
        for count, row in enumerate(rows, 1):
            line = ",".join(["" if value is None else as_text(value) for value, as_text in zip(row, texts, strict=True)])
            file.write(line.encode("utf-8", "replace") + b"\r\n")
            written(count)
    return count


def _cell(text: str) -> str:
    if text[:1] in _FORMULA:
        text = "'" + text
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return f'"{text}"' if "," in text or "\r" in text or "\n" in text else text


_AS_TEXT: Final[dict[str, Callable[[Any], str]]] = {
    "text": _cell,
    "time": datetime.isoformat,
    "integer": str,
    "number": repr,
    "dollars": "{:f}".format,
    "flag": lambda value: "true" if value else "false",
}


def _write_parquet(rows: Iterable[Sequence[Any]], path: Path, written: Written) -> int:
    import pyarrow as pa  # 0.1 s, and only here
    import pyarrow.parquet as pq

    types = {
        "text": pa.string(),
        "time": pa.timestamp("us", tz="UTC"),
        "integer": pa.int64(),
        "number": pa.float64(),
        "dollars": pa.decimal128(38, 12),
        "flag": pa.bool_(),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for group in _groups(rows):
            columns = [
                _whole(column) if kind == "text" else column
                for kind, column in zip(COLUMNS.values(), zip(*group, strict=True), strict=True)
            ]
            file.write_table(pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema))
            count += len(group)
            written(count)
    return count


def _groups(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    texts = [place for place, name in enumerate(COLUMNS) if name in ("prompt", "output", "request", "note")]
    group: list[Sequence[Any]] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += sum([len(row[place]) for place in texts])
        if len(group) == ROW_GROUP or characters >= GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _whole(texts: Sequence[str | None]) -> Sequence[str | None]:
    """Texts that can be written as UTF-8: half of a surrogate pair becomes a question mark."""
    try:
        "".join(text for text in texts if text).encode()
    except UnicodeEncodeError:
        return [text and text.encode("utf-8", "replace").decode() for text in texts]
    return texts


def read_runs(content: bytes | BinaryIO) -> Iterator[StoredRun]:
    """The runs of a JSONL file. ValueError naming the line that is none; the runs before it have come by then."""
    lines = io.BytesIO(content) if isinstance(content, bytes) else content
    for number in range(1, 2**31):
        line = lines.readline(LARGEST_LINE)
        if not line:
            return
        if len(line) == LARGEST_LINE:
            raise ValueError(f"Line {number} is longer than {LARGEST_LINE // 1024**2} MB; this is no export of runs.")
        if line.strip():
            yield _read_line(line, number)


def _read_line(line: bytes, number: int) -> StoredRun:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError(f"Line {number} is no JSON; export runs as JSONL and import that file.") from None
    if not isinstance(found, dict):
        raise ValueError(f"Line {number} is no exported run.")
    try:
        return StoredRun.from_json(found)
    except ValueError as problem:
        raise ValueError(f"Line {number}: {problem}") from None
