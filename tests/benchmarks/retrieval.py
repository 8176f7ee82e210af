"""Searching a knowledge base of 100,000 chunks: hybrid, filtered and not, beside its two halves done plainly."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

from core.contract.filters import Filter, parse_filter
from core.local_router.knowledge.store import FILE_NAME, KnowledgeStore, SearchType
from tests.benchmarks.row import Row, row

CHUNKS = 100_000
DOCUMENTS = 100
WORDS = 30_000
WORDS_PER_PARAGRAPH = 105
QUERIES = 60
WARM_UP = 5
TOP_K = 5

Condition = Callable[[int], dict[str, object] | None]
"""The filter of the n-th question."""


def run() -> list[Row]:
    """Build the base on disk, let the first search fit it, then ask ``QUERIES`` different questions of each kind; medians."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = KnowledgeStore(Path(folder))
        base = store.create("bench").id
        building_s = _seconds(lambda: _fill(store, base))
        chunks = store.base(base).chunks
        fitting_s = _seconds(lambda: _search(store, base, "w1 w2", "hybrid_search", None))
        fts_ms, matmul_ms = _plain_fts_ms(Path(folder) / FILE_NAME), _plain_matmul_ms(chunks)
        plain = ("plain FTS5 query + matrix product", fts_ms + matmul_ms)
        cases: tuple[tuple[str, SearchType, Condition, str, tuple[str, float]], ...] = (
            ("hybrid, the same filter (30 % pass)", "hybrid_search", lambda _: {"year": {"gte": 2017}}, "≤ 150 ms", plain),
            ("hybrid, a new filter each time (half pass)", "hybrid_search", _new_filter, "≤ 150 ms", plain),
            ("hybrid, a new filter of three fields each time", "hybrid_search", _three_fields, "≤ 150 ms", plain),
            (
                "hybrid, a new filter each time (0.1 % pass)",
                "hybrid_search",
                lambda number: {"position": {"eq": number}},
                "≤ 150 ms",
                plain,
            ),
            ("hybrid, no filter", "hybrid_search", lambda _: None, "", plain),
            ("keyword, no filter", "keyword_search", lambda _: None, "", ("plain FTS5 query", fts_ms)),
            ("vector, no filter", "vector_search", lambda _: None, "", ("numpy matrix product", matmul_ms)),
        )
        rows = [
            row(f"{name}, {chunks:,} chunks", "ms", _median_ms(store, base, kind, condition), target=target, reference=reference)
            for name, kind, condition, target, reference in cases
        ]
        store.close()
    return [
        *rows,
        row("adding documents", "chunks/s", chunks / building_s),
        row("first search, which fits the base (once)", "s", fitting_s),
    ]


def _new_filter(number: int) -> dict[str, object]:
    return {"characters": {"gte": 700 + number}}


def _three_fields(number: int) -> dict[str, object]:
    languages = ["en", "de", f"x{number}"]
    return {"and": [{"characters": {"lt": 800 + number}}, {"language": {"in": languages}}, {"year": {"ne": 2000.5 + number}}]}


def _fill(store: KnowledgeStore, base: str) -> None:
    for number, text in enumerate(_texts()):
        metadata = {"year": 2010 + number % 10, "language": ("en", "de", "nl")[number % 3], "draft": number % 7 == 0}
        store.add_document(base, f"report-{number}.txt", text.encode(), metadata)


def _texts() -> Iterator[str]:
    """Paragraphs of made-up words that are as unevenly frequent as those of a language (Zipf)."""
    random = np.random.default_rng(0)
    weights = 1 / np.arange(1, WORDS + 1)
    vocabulary = np.array([f"w{number}" + "aeiou"[number % 5] * (number % 7) for number in range(WORDS)])
    for _ in range(DOCUMENTS):
        drawn = vocabulary[random.choice(WORDS, size=(CHUNKS // DOCUMENTS, WORDS_PER_PARAGRAPH), p=weights / weights.sum())]
        yield "\n\n".join(" ".join(paragraph) + "." for paragraph in drawn)


def _questions() -> Iterator[str]:
    """Six words each: two frequent ones, two of the middle, two rare."""
    random = np.random.default_rng(1)
    for _ in range(WARM_UP + QUERIES):
        ranks = [*random.integers(5, 50, 2), *random.integers(50, 1_000, 2), *random.integers(1_000, WORDS, 2)]
        yield " ".join(f"w{rank}" + "aeiou"[rank % 5] * (rank % 7) for rank in ranks)


def _median_ms(store: KnowledgeStore, base: str, kind: SearchType, condition: Condition) -> float:
    times = []
    for number, query in enumerate(_questions()):
        wanted = condition(number)
        parsed = None if wanted is None else parse_filter(wanted)
        times.append(_seconds(lambda: _search(store, base, query, kind, parsed)))  # noqa: B023 (called at once)
    return median(times[WARM_UP:]) * 1_000


def _search(store: KnowledgeStore, base: str, query: str, kind: SearchType, condition: Filter | None) -> None:
    store.search(base, query, search_type=kind, top_k=TOP_K, threshold=0.0, filter=condition)


def _plain_fts_ms(path: Path) -> float:
    """The same words with OR in between, ranked by FTS5 itself."""
    connection = sqlite3.connect(path)
    (table,) = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'keywords__' ORDER BY name DESC").fetchone()
    ask = f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rank LIMIT {TOP_K}"
    times = [_seconds(lambda: connection.execute(ask, (" OR ".join(query.split()),)).fetchall()) for query in _questions()]  # noqa: B023
    connection.close()
    return median(times[WARM_UP:]) * 1_000


def _plain_matmul_ms(chunks: int) -> float:
    """All cosines by numpy, and all of them sorted."""
    random = np.random.default_rng(2)
    matrix = random.standard_normal((chunks, 128), dtype=np.float32)
    queries = random.standard_normal((WARM_UP + QUERIES, 128), dtype=np.float32)
    return median(_seconds(lambda: np.argsort(-(matrix @ query))[:TOP_K]) for query in queries) * 1_000  # noqa: B023


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
