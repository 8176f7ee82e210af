"""Asking the detector in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.local_router.pii.detection import detect
from core.local_router.pii.selection import read_selection

Found = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def found() -> Found:
    """(kind, value) of everything that a plug-in with these fields hides in a text."""

    def ask(text: str, private: tuple[str, ...] = (), **plugin: Any) -> list[tuple[str, str]]:
        detection = detect([text], private, read_selection(plugin, "plugins.0"))
        return [(finding.kind, text[finding.start : finding.end]) for finding in detection.findings[0]]

    return ask
