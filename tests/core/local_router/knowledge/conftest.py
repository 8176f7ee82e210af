"""Stores that tests share, and small ones of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.local_router.knowledge.store import KnowledgeStore


@pytest.fixture(scope="session")
def reference() -> Iterator[KnowledgeStore]:
    """One in memory, for tests that only read the built-in base."""
    store = KnowledgeStore(None)
    yield store
    store.close()


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KnowledgeStore]:
    """An empty one, apart from the built-in base; each test runs in memory and on disk."""
    store = KnowledgeStore(tmp_path if request.param == "disk" else None)
    yield store
    store.close()
