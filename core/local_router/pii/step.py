"""The plug-in's place in the pipeline: hides values on the way to the cache and the models, puts them back on the way out."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.local_router.answer import Answer, Call
from core.local_router.api_error import ApiError
from core.local_router.pii.findings import DetectionFailed
from core.local_router.pii.placeholders import Placeholders
from core.local_router.pii.restoration import RestoredBatches
from core.local_router.trace import Trace

if TYPE_CHECKING:
    from core.local_router.pii.detection import Detection
    from core.local_router.pii.selection import Selection

SHORT_TEXT = 4_000
"""Characters up to which is looked at once; in longer texts in a thread, so that other streams go on meanwhile."""

FAILED = "pii_redaction_failed"
"""The code of a request that is refused because nobody can say what is personal in it."""

_loaded = False


@dataclass(frozen=True, slots=True)
class Hidden:
    """A call without its personal data, and what was hidden: placeholder -> value."""

    call: Call
    originals: Mapping[str, str]

    def restored(self, answer: Answer) -> Answer:
        """``answer`` with the values of this very request in the place of their placeholders."""
        return replace(answer, batches=RestoredBatches(answer.batches, self.originals)) if self.originals else answer


async def hide(call: Call, trace: Trace) -> Hidden:
    """Apply and take out the plug-ins of ``call``.

    What models and other services see is redacted: ``prompt``, ``stop`` and ``user``. ``ApiError`` where detection fails and ``on_failure``
    says ``block``: 400 for what the request can mend, 500 for the router's own fault, both ``pii_redaction_failed``.
    """
    plugins = call.body.get("plugins")
    if plugins is None:
        return Hidden(call, {})
    body = {name: value for name, value in call.body.items() if name != "plugins"}
    placeholders = Placeholders(_texts(body))
    private = call.private
    selections = await _read(plugins)
    for index, selection in enumerate(selections):
        body = await _redacted(body, private, selection, placeholders, f"plugins.{index}", trace)
        private = ()  # hidden by the first; inside placeholders the same characters mean something else
    return Hidden(replace(call, body=body), placeholders.originals)


async def hidden(texts: Sequence[str], call: Call) -> list[str]:
    """``texts`` as other servers may see them while ``call`` is being shaped: without what its plug-ins will hide, in one numbering.

    It is noted nowhere and not put back: the models' own turn comes with ``hide``. ``ApiError`` as there.
    """
    placeholders, private, seen = Placeholders(texts), call.private, list(texts)
    for index, selection in enumerate(await _read(call.body.get("plugins") or [])):
        try:
            detection = await _detected(seen, private, selection)
        except DetectionFailed as failure:
            if selection.on_failure == "block":
                raise _refusal(failure, f"plugins.{index}") from None
            continue
        seen = [placeholders.hidden(text, found) for text, found in zip(seen, detection.findings, strict=True)]
        private = ()
    return seen


async def _read(plugins: Any) -> list[Selection]:
    def read() -> list[Selection]:
        from core.local_router.pii.selection import read_selection  # the libraries of numbers are loaded with the first plug-in

        return [read_selection(plugin, f"plugins.{index}") for index, plugin in enumerate(plugins)]

    return read() if _loaded else await asyncio.to_thread(read)


async def _redacted(
    body: dict[str, Any], private: tuple[str, ...], selection: Selection, placeholders: Placeholders, path: str, trace: Trace
) -> dict[str, Any]:
    texts = _texts(body)
    start = time.perf_counter()
    event = trace.note("pii", result="redacted", entities={}, language=selection.language, duration_ms=0.0)
    try:
        detection = await _detected(texts, private, selection)
    except DetectionFailed as failure:
        event.update(result="passed_through" if selection.on_failure == "passthrough" else "blocked", reason=failure.message)
        if selection.on_failure == "passthrough":
            return body
        raise _refusal(failure, path) from None
    finally:
        event["duration_ms"] = round((time.perf_counter() - start) * 1000, 3)
    event["language"] = detection.language
    counts = Counter(finding.kind for findings in detection.findings for finding in findings)
    event["entities"] = dict(sorted(counts.items()))
    redacted = _with_texts(body, [placeholders.hidden(text, found) for text, found in zip(texts, detection.findings, strict=True)])
    if redacted.get("user"):
        trace.labels["user"] = redacted["user"]  # the trace holds no value that was hidden
    return redacted


async def _detected(texts: Sequence[str], private: tuple[str, ...], selection: Selection) -> Detection:
    from core.local_router.pii.detection import detect

    global _loaded
    if _loaded and sum(map(len, texts)) <= SHORT_TEXT:
        return detect(texts, private, selection)
    detection = await asyncio.to_thread(detect, texts, private, selection)
    _loaded = True
    return detection


def _refusal(failure: DetectionFailed, path: str) -> ApiError:
    message = f"Personal data could not be looked for, so the request was not sent on: {failure.message}."
    if failure.param is None:
        return ApiError(500, message, code=FAILED)
    return ApiError(400, message, code=FAILED, param=f"{path}.language" if failure.param == "language" else failure.param)


def _texts(body: Mapping[str, Any]) -> list[str]:
    """What a model or its provider reads: the prompt, ``user``, and each stop sequence."""
    stop = body.get("stop")
    return [body["prompt"], body.get("user") or "", *([stop] if isinstance(stop, str) else stop or ())]


def _with_texts(body: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """``body`` with the texts that ``_texts`` gave, changed."""
    prompt, user, *stops = texts
    changed: dict[str, Any] = {"prompt": prompt}
    if body.get("user"):
        changed["user"] = user
    if body.get("stop"):
        changed["stop"] = stops[0] if isinstance(body["stop"], str) else stops
    return {**body, **changed}
