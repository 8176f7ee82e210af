"""Looking for personal data in texts that belong together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.local_router.pii.context import LANGUAGES, language_of
from core.local_router.pii.findings import DetectionFailed, Finding, sure_enough
from core.local_router.pii.kinds import KINDS, MAX_TEXT_CHARS
from core.local_router.pii.recognizers.windows import forget
from core.local_router.pii.selection import Selection

MOST_CANDIDATES = 50_000
"""Findings of any score, so that a text made of numbers takes bounded time."""

PRIVATE = "INPUT"
"""The kind of values that the request itself marked as personal."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Detection:
    """What to hide in each text, in the text's order, and the language whose context words counted (None: of every language)."""

    findings: list[list[Finding]]
    language: str | None


def detect(texts: Sequence[str], private: Iterable[str], selection: Selection) -> Detection:
    """Find the selection's kinds, and every occurrence of a ``private`` value, in ``texts``. Raises ``DetectionFailed``."""
    if selection.language is not None and selection.language not in LANGUAGES:
        raise DetectionFailed(
            f"The language {selection.language[:16]!r} is not supported; use auto or one of {', '.join(LANGUAGES)}", "language"
        )
    size = sum(map(len, texts))
    if size > MAX_TEXT_CHARS:
        raise DetectionFailed(f"The text has {size:,} characters; personal data is looked for in at most {MAX_TEXT_CHARS:,}", "prompt")
    language = selection.language or language_of(texts[0] if texts else "")
    values = sorted({value for value in private if value}, key=len, reverse=True)
    try:
        found = [_found(text, values, selection, language) for text in texts]
    finally:
        forget()
    return Detection(sure_enough(texts, found, selection.thresholds), language)


def _found(text: str, values: Sequence[str], selection: Selection, language: str | None) -> list[Finding]:
    found: list[Finding] = []
    for value in values:
        _collect(_occurrences(text, value), found)
    for name in selection.kinds:
        try:
            _collect(KINDS[name].find(text, language, selection.regions), found)
        except DetectionFailed:
            raise
        except Exception as error:  # noqa: BLE001 - a recogniser's bug must not let personal data through
            log.error("The recogniser of %s failed with %s", name, type(error).__name__)  # not its text, which may hold the value
            raise DetectionFailed(f"The recogniser of {name} failed", None) from None
    return found


def _collect(findings: Iterable[Finding], into: list[Finding]) -> None:
    for finding in findings:
        into.append(finding)
        if len(into) > MOST_CANDIDATES:
            raise DetectionFailed(f"The text holds more than {MOST_CANDIDATES:,} values that may be personal", "prompt")


def _occurrences(text: str, value: str) -> Iterator[Finding]:
    place = text.find(value)
    while place >= 0:
        yield Finding(PRIVATE, place, place + len(value), 1.0)
        place = text.find(value, place + len(value))
