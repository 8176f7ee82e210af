"""Placeholders such as ``<EMAIL_ADDRESS_1>``, and the values they stand for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from core.local_router.pii.findings import Finding

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]*_\d+>")


class Placeholders:
    """Numbered by kind from 1 in the order of first appearance; one value has one placeholder.

    A number is left out when ``<KIND_number>`` stands in one of ``texts`` already: that text must come back as it was.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.originals: dict[str, str] = {}
        """Placeholder -> value."""
        self._taken = {found for text in texts for found in _PLACEHOLDER.findall(text)}
        self._of: dict[str, str] = {}
        self._last: Counter[str] = Counter()

    def hidden(self, text: str, findings: Sequence[Finding]) -> str:
        """``text`` with each finding replaced; findings are in order and do not overlap."""
        parts, place = [], 0
        for finding in findings:
            parts += [text[place : finding.start], self._placeholder(finding.kind, text[finding.start : finding.end])]
            place = finding.end
        return "".join([*parts, text[place:]])

    def restored(self, text: str) -> str:
        """``text`` with every known placeholder replaced by its value; what only looks like one stays."""
        return _PLACEHOLDER.sub(lambda match: self.originals.get(match[0], match[0]), text) if self.originals else text

    def _placeholder(self, kind: str, value: str) -> str:
        known = self._of.get(value)
        if known is not None:
            return known
        while True:
            self._last[kind] += 1
            new = f"<{kind}_{self._last[kind]}>"
            if new not in self._taken:
                break
        self.originals[new] = self.restored(value)  # a second plug-in's value may hold the first one's placeholder
        self._of[value] = new
        return new
