"""Places in a text that look like personal data, and which of them to hide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


class DetectionFailed(Exception):
    """Nobody can say whether there is personal data. ``param`` is the field at fault, None where it is the router's own fault."""

    def __init__(self, message: str, param: str | None) -> None:
        self.message = message
        self.param = param
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Finding:
    """``text[start:end]`` is a ``kind`` (``EMAIL_ADDRESS``), as sure as ``score`` says, from 0 to 1."""

    kind: str
    start: int
    end: int
    score: float


def joined(findings: Iterable[Finding]) -> list[Finding]:
    """``findings`` in the order of the text, those that overlap made one: named after the longest, then the surest, then the first given.

    The one covers all that was found, so that nothing of it stays in the text.
    """
    clusters: list[tuple[Finding, int, int]] = []
    for finding in sorted(findings, key=lambda one: one.start):
        if not clusters or finding.start >= clusters[-1][2]:
            clusters.append((finding, finding.start, finding.end))
            continue
        best, start, end = clusters[-1]
        clusters[-1] = (max(best, finding, key=_weight), start, max(end, finding.end))
    return [replace(best, start=start, end=end) for best, start, end in clusters]


def _weight(finding: Finding) -> tuple[int, float]:
    return finding.end - finding.start, finding.score


def sure_enough(texts: Sequence[str], found: Sequence[Sequence[Finding]], thresholds: Thresholds) -> list[list[Finding]]:
    """What to hide in each of ``texts``: what reaches its threshold, and the same value wherever else it was found with a lower score."""
    known = {
        text[finding.start : finding.end]
        for text, findings in zip(texts, found, strict=True)
        for finding in findings
        if finding.score >= thresholds.of(finding.kind)
    }
    return [
        joined(finding for finding in findings if text[finding.start : finding.end] in known)
        for text, findings in zip(texts, found, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The score from which a kind is hidden: its own, or ``default`` for kinds without one."""

    default: float
    own: dict[str, float]

    def of(self, kind: str) -> float:
        """The threshold of ``kind``."""
        return self.own.get(kind, self.default)
