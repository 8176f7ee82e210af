"""Many threads at one store: nothing is locked, nothing half done is seen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from core.contract.filters import parse_filter
from core.local_router.knowledge.store import SEARCH_TYPES, KnowledgeStore, UnknownBase

EVEN = parse_filter({"even": {"eq": True}})


def at_once(*jobs: Callable[[], None]) -> None:
    """Runs all of them, each in a thread of its own, and raises what any of them raised."""
    start = threading.Barrier(len(jobs))

    def begun(job: Callable[[], None]) -> None:
        start.wait(10)
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(begun, job) for job in jobs]:
            done.result(timeout=60)


def text(number: int) -> bytes:
    return f"Report {number} about apples.\n\n{'Pears and plums. ' * 70}\n\nThe end of report {number}.".encode()


def test_searches_see_whole_documents_while_others_are_added_and_deleted(store: KnowledgeStore) -> None:
    store.create("busy")
    for number in range(4):
        store.add_document("busy", f"keep{number}.txt", text(number), {"even": number % 2 == 0})
    stop = threading.Event()

    def write(writer: int) -> None:
        for number in range(6):
            document = store.add_document("busy", f"{writer}-{number}.txt", text(number), {"even": number % 2 == 0})
            if number % 2:
                store.delete_document("busy", document.id)
        if writer == 0:
            stop.set()

    def read(kind: int) -> None:
        while not stop.is_set():
            found = store.search("busy", "apples and pears", search_type=SEARCH_TYPES[kind % 3], top_k=20, threshold=0, filter=EVEN)
            assert found
            assert all(match.chunk.metadata["even"] for match in found)
            documents, base = store.documents("busy"), store.base("busy")
            assert sum(document.chunks for document in documents) % documents[0].chunks == 0
            assert base.chunks % documents[0].chunks == 0

    at_once(*(lambda w=w: write(w) for w in range(2)), *(lambda r=r: read(r) for r in range(4)))
    assert store.base("busy").documents == 4 + 2 * 3
    found = store.search("busy", "report", search_type="hybrid_search", top_k=100, threshold=0)
    assert {match.chunk.document_id for match in found} <= {document.id for document in store.documents("busy")}


def test_a_base_deleted_under_a_search_is_unknown_and_nothing_worse(store: KnowledgeStore) -> None:
    for _ in range(3):
        store.create("brief")
        store.add_document("brief", "a.txt", text(1))
        deleted = threading.Event()

        def read(deleted: threading.Event = deleted) -> None:
            while not deleted.is_set():
                with suppress(UnknownBase):
                    assert store.search("brief", "apples", search_type="hybrid_search", top_k=5, threshold=0)
            with pytest.raises(UnknownBase):
                store.search("brief", "apples", search_type="hybrid_search", top_k=5, threshold=0)

        def delete(deleted: threading.Event = deleted) -> None:
            store.delete("brief")
            deleted.set()

        at_once(read, read, delete)


def test_two_stores_on_one_file_see_each_others_changes(tmp_path: Path) -> None:
    first, second = KnowledgeStore(tmp_path), KnowledgeStore(tmp_path)
    at_once(lambda: first.bases() and None, lambda: second.bases() and None)
    first.create("shared")

    def add(store: KnowledgeStore, name: str) -> None:
        for number in range(5):
            store.add_document("shared", f"{name}{number}.txt", text(number))

    at_once(lambda: add(first, "a"), lambda: add(second, "b"))
    for store in (first, second):
        assert store.base("shared").documents == 10
        found = store.search("shared", "report apples", search_type="hybrid_search", top_k=50, threshold=0)
        assert len({match.chunk.document_id for match in found}) == 10
        store.close()
