"""A run as it is stored: what was sent and observed, never repaired, and what people put on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple, get_args

from core.contract.response import parse_usage
from core.metrics import Timings, tokens_per_second
from core.run import ChoiceText, RunError, RunSnapshot, RunStatus

FORMAT: Final = "playground.run/1"
"""What a line of an export says it is."""
PROMPT_START: Final = 160
"""Characters of the prompt that lists show."""
_TIMINGS: Final = ("queued_s", "first_token_s", "total_s", "tokens_per_s")


class Attempt(NamedTuple):
    """One try of our router for a model: ``number`` from 1; ``status`` is HTTP's, ``None`` when it was given up; milliseconds."""

    number: int
    model: str
    status: int | None
    at_ms: float | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of a list. ``None`` means unknown, never 0; times are UTC, durations seconds, ``cost_usd`` exact.

    ``pk`` is the row's number, for paging only. ``finish_reason`` joins the different ones of several choices with a comma.
    ``attempts`` and ``cache`` are what the router told (``x-router-*``); ``size_bytes`` is about what the run takes in the database.
    """

    pk: int
    id: str
    slot: str
    connection_name: str
    base_url: str
    status: RunStatus
    created_at: datetime
    ended_at: datetime | None
    prompt_start: str
    model_asked: str | None
    model_answered: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: Decimal | None
    queued_s: float | None
    first_token_s: float | None
    total_s: float | None
    tokens_per_s: float | None
    attempts: int | None
    cache: str | None
    error_kind: str | None
    thread: str | None
    identity: str | None
    completion_id: str | None
    request_id: str | None
    system_fingerprint: str | None
    pieces: int
    size_bytes: int
    starred: bool
    note: str
    deleted_at: datetime | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A whole run: its ``snapshot`` and what came to it later.

    ``cost_detail`` says how ``cost_usd`` was reckoned (prices, their source and date); both ``None`` while unknown.
    """

    snapshot: RunSnapshot
    ended_at: datetime | None = None
    cost_usd: Decimal | None = None
    cost_detail: Mapping[str, Any] | None = None
    starred: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    deleted_at: datetime | None = None

    @classmethod
    def of(cls, snapshot: RunSnapshot) -> StoredRun:
        """A run nobody has put anything on yet."""
        return cls(snapshot, ended_at=ended_at(snapshot))

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The router's attempts, where it told them."""
        return attempts_of(self.snapshot)

    def to_json(self) -> dict[str, Any]:
        """One line of an export: everything, so that ``from_json`` gives an equal run back; the key is nowhere in a run."""
        run = self.snapshot
        return {
            "format": FORMAT,
            "id": run.id,
            "slot": run.slot,
            "connection_name": run.connection_name,
            "base_url": run.base_url,
            "status": run.status,
            "created_at": run.created_at.isoformat(),
            "ended_at": _iso(self.ended_at),
            "sent": bytes_to_text(run.sent),
            "choices": choices_to_json(run.choices),
            "usage": usage_to_json(run),
            "model": run.model,
            "completion_id": run.completion_id,
            "request_id": run.request_id,
            "system_fingerprint": run.system_fingerprint,
            "headers": dict(run.headers),
            "timings": {name: getattr(run.timings, name) for name in _TIMINGS},
            "error": run.error.to_dict() if run.error else None,
            "raw": run.raw,
            "raw_truncated": run.raw_truncated,
            "pieces": run.pieces,
            "trace": run.trace,
            "cost_usd": None if self.cost_usd is None else str(self.cost_usd),
            "cost_detail": self.cost_detail,
            "starred": self.starred,
            "note": self.note,
            "tags": list(self.tags),
            "deleted_at": _iso(self.deleted_at),
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> StoredRun:
        """The run of one line of an export. ValueError with a sentence for anything else."""
        if line.get("format") != FORMAT:
            raise ValueError(f"This is no exported run: its format is not {FORMAT}.")
        try:
            return cls(
                snapshot=_snapshot_from_json(line),
                ended_at=_moment(line["ended_at"]),
                cost_usd=None if line["cost_usd"] is None else Decimal(line["cost_usd"]),
                cost_detail=line["cost_detail"],
                starred=bool(line["starred"]),
                note=str(line["note"]),
                tags=tuple(sorted(str(tag) for tag in line["tags"])),
                deleted_at=_moment(line["deleted_at"]),
            )
        except (KeyError, TypeError, ValueError, ArithmeticError) as problem:
            raise ValueError(f"This exported run cannot be read: {type(problem).__name__} at {str(problem)[:80]}.") from None


def interrupted(run: StoredRun, seen_at: datetime) -> StoredRun:
    """The run as a process left it that is gone; ``seen_at`` is when it was last stored."""
    left = replace(run.snapshot, status="interrupted", timings=timings_until(run.snapshot, seen_at), queue_position=None)
    return replace(run, snapshot=left, ended_at=seen_at)


def timings_until(run: RunSnapshot, seen_at: datetime) -> Timings:
    """The timings of a run under way when it was last stored: until then they tell only how it began."""
    total_s = max((seen_at - run.created_at).total_seconds(), 0.0)
    tokens = run.usage.completion_tokens if run.usage else None
    speed = tokens_per_second(run.pieces if tokens is None else tokens, run.timings.first_token_s, total_s)
    return replace(run.timings, total_s=total_s, tokens_per_s=speed)


def ended_at(run: RunSnapshot) -> datetime | None:
    """When the run ended, by its beginning and its length."""
    return run.created_at + timedelta(seconds=run.timings.total_s or 0.0) if run.ended else None


def attempts_of(run: RunSnapshot) -> tuple[Attempt, ...]:
    """The attempts in a run's trace; what is not as our router writes it is left out."""
    events = (run.trace or {}).get("events")
    found = {}
    for event in events if isinstance(events, list) else ():
        if isinstance(event, Mapping) and event.get("type") == "attempt" and isinstance(event.get("number"), int):
            number = event["number"]
            status, at_ms, duration_ms = (_number(event.get(name)) for name in ("status", "at_ms", "duration_ms"))
            found[number] = Attempt(number, str(event.get("target")), None if status is None else int(status), at_ms, duration_ms)
    return tuple(found[number] for number in sorted(found))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None


def prompt_of(body: Mapping[str, Any]) -> str:
    """The prompt as text; what is not a text, as JSON."""
    prompt = body.get("prompt")
    if prompt is None:
        return ""
    return prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)


def label(body: Mapping[str, Any], *names: str) -> str | None:
    """The id of the first of the ``names`` (of the ``orq`` block, then of the body) that has one."""
    orq = body.get("orq")
    if orq is None and body.keys().isdisjoint(names):
        return None
    for name in names:
        for holder in (orq, body):
            value = holder.get(name) if isinstance(holder, Mapping) else None
            value = value.get("id") if isinstance(value, Mapping) else value
            if isinstance(value, str) and value:
                return value
    return None


def finish_reason_of(run: RunSnapshot) -> str | None:
    """The choices' finish reasons, each once, joined with a comma."""
    return joined_reasons(choice.finish_reason for _, choice in sorted(run.choices.items()))


def joined_reasons(reasons: Iterable[str | None]) -> str | None:
    """Each finish reason once, in order, joined with a comma; ``None`` where there is none."""
    return ",".join(dict.fromkeys(reason for reason in reasons if reason)) or None


def choices_to_json(choices: Mapping[int, ChoiceText]) -> list[dict[str, Any]]:
    """The choices by index, as the wire names them."""
    return [{"index": index, "text": text, "finish_reason": reason} for index, (text, reason) in sorted(choices.items())]


def choices_from_json(choices: Sequence[Mapping[str, Any]]) -> dict[int, ChoiceText]:
    """The other way."""
    return {int(choice["index"]): ChoiceText(str(choice["text"]), choice["finish_reason"]) for choice in choices}


def usage_to_json(run: RunSnapshot) -> Mapping[str, Any] | None:
    """The usage as it came."""
    if run.usage is None:
        return None
    return run.usage.to_dict() if run.usage.raw is None else run.usage.raw


def error_from_json(error: Mapping[str, Any] | None) -> RunError | None:
    """A run's error from ``RunError.to_dict``."""
    return None if error is None else RunError(**{"cause": "", **error})


def _snapshot_from_json(line: Mapping[str, Any]) -> RunSnapshot:
    sent = _text_to_bytes(line["sent"])
    created_at = _moment(line["created_at"])
    if created_at is None or line["status"] not in get_args(RunStatus):
        raise ValueError("created_at" if created_at is None else "status")
    return RunSnapshot(
        id=str(line["id"]),
        slot=str(line["slot"]),
        body=json.loads(sent),
        sent=sent,
        connection_name=str(line["connection_name"]),
        base_url=str(line["base_url"]),
        status=line["status"],
        created_at=created_at,
        choices=choices_from_json(line["choices"]),
        usage=parse_usage(line["usage"]),
        model=line["model"],
        completion_id=line["completion_id"],
        request_id=line["request_id"],
        system_fingerprint=line["system_fingerprint"],
        headers=dict(line["headers"]),
        timings=Timings(**{name: line["timings"][name] for name in _TIMINGS}),
        error=error_from_json(line["error"]),
        raw=str(line["raw"]),
        raw_truncated=bool(line["raw_truncated"]),
        queue_position=None,
        pieces=int(line["pieces"]),
        trace=line["trace"],
    )


def bytes_to_text(sent: bytes) -> str | dict[str, str]:
    """The bytes as text; in base64 in the case that cannot be, that they are not UTF-8."""
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(sent).decode("ascii")}


def _text_to_bytes(sent: str | Mapping[str, str]) -> bytes:
    return sent.encode() if isinstance(sent, str) else base64.b64decode(sent["base64"])


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)
