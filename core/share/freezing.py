"""Makes a snapshot of what somebody shares, without what they left out. Everything hidden is gone before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from core.errors import PlaygroundError
from core.share import items
from core.share.snapshot import (
    ItemName,
    SharedComparison,
    SharedInterval,
    SharedPreset,
    SharedSingleRun,
    SharedSlot,
    Snapshot,
)
from core.share.subject import Subject
from core.share.veil import Veil

MOST_BYTES: Final = 8 * 1024 * 1024
"""The largest snapshot, as JSON."""


class NotShared(PlaygroundError):
    """Nothing was shared; the cause says why."""

    kind = "not_shared"


def freeze(subject: Subject, *, hidden: Iterable[ItemName] = (), secrets: Iterable[str] = (), now: datetime | None = None) -> Snapshot:
    """The snapshot of ``subject`` without the ``hidden`` items; ``secrets`` are keys that are known, and masked wherever they stand.

    NotShared for a request that the contract refuses, a run under way, and more than ``MOST_BYTES``.
    """
    if subject.problem:
        raise NotShared(f"This cannot be shared yet: {subject.problem}")
    veil = Veil.of(subject, frozenset(hidden), secrets)
    present = {item.name for item in items.items(subject)}
    content = veil.scrubbed(_content(subject, veil))
    snapshot = Snapshot(
        made_at=now or datetime.now(UTC), hidden=tuple(name for name in items.LABELS if name in veil.hidden & present), content=content
    )
    if len(snapshot.to_json()) > MOST_BYTES:
        raise NotShared(f"This is too large to be shared: more than {MOST_BYTES // 2**20} MB.", "Leave out the output or the prompt.")
    return snapshot


def _content(subject: Subject, veil: Veil) -> SharedPreset | SharedSingleRun | SharedComparison:
    named = "names" not in veil.hidden
    first = subject.slots[0]
    about: dict[str, Any] = {"name": subject.name, "description": subject.description, "tags": subject.tags} if named else {}
    if subject.kind == "preset":
        return SharedPreset(request=veil.request(first.request), **about)
    if subject.kind == "run":
        return SharedSingleRun(request=veil.request(first.request), run=veil.run(first.runs[0]))
    slots = []
    for slot in subject.slots:
        figures = {name: SharedInterval(**_fields(one)) if one else None for name, one in (slot.figures or {}).items()}
        name = slot.name if named else ""
        runs = tuple(map(veil.run, slot.runs))
        request = veil.request(slot.request)
        slots.append(SharedSlot(name=name, own_prompt=slot.own_prompt, request=request, runs=runs, figures=figures))
    return SharedComparison(slots=tuple(slots), repeats=subject.repeats, keep_cache=subject.keep_cache, verdicts=subject.verdicts, **about)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in SharedInterval.model_fields}
