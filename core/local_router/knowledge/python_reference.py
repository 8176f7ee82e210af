"""The built-in knowledge base: Python's own reference, which every Python carries as ``pydoc_data.topics``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.local_router.knowledge import chunking
from core.local_router.models.corpus import unwrap

KEY = "python-reference"
"""Its id and its key."""

DESCRIPTION = "Python's language reference, by topic. Built in."
_CUT = 1  # to be raised when the cutting changes, so that stored bases are cut anew

_NO_WORD = re.compile(r"[\W_]+")
_CODE = re.compile(r"^ {3,}(?:>>>|\S.*[(=:\[{])|^>>> |^ *(?:def|class|import|from|return|for|while|with) \S", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TopicChunk:
    """A chunk with an id that is the same wherever the same Python runs."""

    id: str
    text: str
    metadata: dict[str, Any]


def edition() -> str:
    """Names the text and how it is cut; a stored base with another edition is out of date."""
    digest = hashlib.blake2b(f"{_CUT} {chunking.TARGET} {chunking.LONGEST} {chunking.OVERLAP}".encode(), digest_size=8)
    for name, text in _reference():
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()


def topics() -> Iterator[tuple[str, list[TopicChunk]]]:
    """Each topic with its chunks; their metadata: ``topic``, ``position`` (from 0), ``characters``, ``has_code``.

    Some topics hold others whole; what two share stays with the shorter one, so that a search does not find it twice.
    """
    seen: set[str] = set()
    for name, text in sorted(_reference(), key=lambda topic: (len(topic[1]), topic[0])):
        chunks = []
        for position, piece in enumerate(chunking.chunks(unwrap(text))):
            words = _NO_WORD.sub(" ", piece)  # headings are underlined by * in one and by = in the other
            if words not in seen:
                seen.add(words)
                chunks.append(TopicChunk(_id(name, position), piece, _metadata(name, position, piece)))
        yield name, chunks


def _reference() -> list[tuple[str, str]]:
    from pydoc_data.topics import topics as reference  # 0.5 MB that only this base needs

    return sorted(reference.items())


def _id(topic: str, position: int) -> str:
    return "chunk_" + hashlib.blake2b(f"{KEY}/{topic}/{position}".encode(), digest_size=8).hexdigest()


def _metadata(topic: str, position: int, text: str) -> dict[str, Any]:
    return {"topic": topic, "position": position, "characters": len(text), "has_code": bool(_CODE.search(text))}
