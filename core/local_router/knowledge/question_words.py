"""Words that ask and do not tell what about. A reference seldom says "how does", so such words would be taken for rare and weighty ones."""

from __future__ import annotations

import re

_LIST = """
how what why who whom whose which where when does do did doing can could should would will shall may might must have has had am are was
were be been being i me my we us our you your it its they them their this that these those there here please tell explain describe show
give mean means meaning work works happen happens want need know find about
"""
QUESTION_WORDS = frozenset(_LIST.split())
_WORD = re.compile(r"\w+")


def without_question_words(query: str) -> str:
    """The query without `QUESTION_WORDS`; as it is where nothing else would be left, or where it is a text rather than a question."""
    if len(query) > 400:
        return query
    left = _WORD.sub(lambda word: "" if word.group().casefold() in QUESTION_WORDS else word.group(), query)
    return left if _WORD.search(left) else query
