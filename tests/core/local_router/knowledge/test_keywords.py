"""Keyword search: any text is a query, and scores lie in 0…1 in bm25's order."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.local_router.knowledge import keywords
from core.local_router.knowledge.database import Database
from core.local_router.knowledge.store import KnowledgeStore

BASE = 1
TEXTS = {
    1: "the cat sat on the mat",
    2: "the dog sat on the log with another dog",
    3: "Crème brûlée recipes for the café",
    4: "call max_tokens with the limit, the max of all tokens",
    5: "loops and looping in the language",
    6: "the end",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    database = Database(None)
    with database.writing() as connection:
        keywords.create(connection, BASE)
        row = "INSERT INTO chunks (number, id, base, document, position, text, metadata) VALUES (?, ?, ?, 1, 0, ?, '{}')"
        connection.executemany(row, [(number, f"chunk_{number}", BASE, text) for number, text in TEXTS.items()])
        keywords.add(connection, BASE, TEXTS.items())
    with database.reading() as connection:
        yield connection


def chosen(connection: sqlite3.Connection, query: str) -> keywords.Terms:
    return keywords.choose(query, len(TEXTS), lambda word: keywords.frequency(connection, BASE, word))


def found(connection: sqlite3.Connection, query: str, limit: int = 10) -> list[tuple[int, float]]:
    return keywords.search(connection, BASE, chosen(connection, query), limit)


def test_a_chunk_with_any_of_the_words_is_found_and_one_with_more_comes_first(connection: sqlite3.Connection) -> None:
    assert [number for number, _ in found(connection, "dog, sat?")] == [2, 1]


def test_case_diacritics_and_english_endings_make_no_difference(connection: sqlite3.Connection) -> None:
    assert found(connection, "CREME BRULEE")[0][0] == 3
    assert found(connection, "cre\u0300me")[0][0] == 3
    assert found(connection, "looped")[0][0] == 5


def test_a_name_with_underscores_is_looked_for_as_a_whole(connection: sqlite3.Connection) -> None:
    assert [number for number, _ in found(connection, "max_tokens")] == [4]
    assert found(connection, "tokens_max") == []


def test_frequent_words_count_only_when_there_are_no_rarer_ones(connection: sqlite3.Connection) -> None:
    assert [number for number, _ in found(connection, "the cat")] == [1]
    assert len(found(connection, "the")) == len(TEXTS)


def test_the_score_is_bm25_as_a_share_of_what_the_query_could_reach(connection: sqlite3.Connection) -> None:
    (rank,) = connection.execute("SELECT bm25(keywords_1) FROM keywords_1 WHERE keywords_1 MATCH 'cat'").fetchone()
    idf = math.log((len(TEXTS) - 1 + 0.5) / 1.5)
    assert found(connection, "cat") == [(1, pytest.approx(-rank / (idf * 2.2)))]


def test_scores_keep_the_order_of_bm25_and_stay_below_one(reference: KnowledgeStore) -> None:
    for query in ("exception", "try statement", "how do I format a float with two digits?"):
        matches = reference.search("python-reference", query, search_type="keyword_search", top_k=100, threshold=0)
        scores = [match.score for match in matches]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score < 1 for score in scores)


def test_only_allowed_chunks_are_found_and_the_limit_counts_those(connection: sqlite3.Connection) -> None:
    terms = chosen(connection, "the")
    assert [number for number, _ in keywords.search(connection, BASE, terms, 2, keywords.Allowed(2, bytes([0, 1, 0, 1])))] in (
        [3, 5],
        [5, 3],
    )


OPERATORS = ["cat AND", "NOT cat", "NEAR(cat dog, 2)", "text:cat", "ca*", "^cat", "-cat", "{a b}:c", "(", '"', '""', "cat'", 'cat" OR "']
ODDITIES = ["\0cat", "🎉", "\ud800", "___", "日本語", "'; DROP TABLE bases; --", "a\u0301\u0301", "%", "\\", "\n\t"]


@pytest.mark.parametrize("query", OPERATORS + ODDITIES)
def test_no_text_is_taken_for_an_operator(connection: sqlite3.Connection, query: str) -> None:
    assert {number for number, _ in found(connection, query)} <= {1, 2, 5}  # 5 has an "and"


@settings(max_examples=100)
@given(st.text(st.characters(), max_size=40))
def test_any_text_is_a_query(connection: sqlite3.Connection, query: str) -> None:
    assert all(0 <= score <= 1 for _, score in found(connection, query))


@pytest.mark.parametrize("query", ["x" * 1_000_000, "word " * 200_000, " ".join(f"w{number}" for number in range(150_000)) + " cat"])
def test_a_pasted_megabyte_is_no_trouble(connection: sqlite3.Connection, query: str) -> None:
    began = time.process_time()
    found(connection, query)
    assert time.process_time() - began < 5


def test_of_a_long_query_the_rarest_words_count(connection: sqlite3.Connection) -> None:
    frequencies = {f"w{number}": number for number in range(1, 200)}
    terms = keywords.choose(" ".join(frequencies), 1_000, frequencies.__getitem__)
    assert terms.words == tuple(f"w{number}" for number in range(1, keywords.MOST_TERMS + 1))
