"""The prompt with knowledge before it.

What was found goes before the prompt like this, numbered through, the bases' best chunks in turn::

    Knowledge:

    [1] python-reference
    The for statement is used to iterate over …

    [2] team-handbook
    …

    Prompt:

    <the prompt as it was>

Chunks may take `BUDGET_TOKENS`, less where prompt and ``max_tokens`` leave less of the local models' context. A token is taken for
four bytes of UTF-8: models of other servers count differently, and nobody can ask them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from core.local_router.models.pydoc import CONTEXT_TOKENS
from core.local_router.retrieval.search import Found, LeftOut, Outcome

BUDGET_TOKENS = 16_384
"""An eighth of the context."""

BYTES_A_TOKEN = 4
_CHUNK = "[{number}] {key}\n{text}\n\n"


def tokens(text: str) -> int:
    """About how many tokens a text is, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN)


def budget(prompt: str, max_tokens: int) -> int:
    """How many tokens the chunks before ``prompt`` may have."""
    return max(0, min(BUDGET_TOKENS, CONTEXT_TOKENS - tokens(prompt) - max_tokens))


def chosen(outcomes: Sequence[Outcome], budget_tokens: int) -> tuple[list[tuple[int, Found]], list[list[LeftOut]]]:
    """The chunks that go before the prompt, in order, each with the index of its outcome; and per outcome what was found but does not
    go there. A chunk that does not fit makes room for a smaller one after it."""
    kept: list[tuple[int, Found]] = []
    left_out: list[list[LeftOut]] = [[] for _ in outcomes]
    seen: set[str] = set()
    spent = 0
    for index, found in _in_turn(outcomes):
        cost = tokens(found.chunk.text) + tokens(_CHUNK)
        if found.chunk.id in seen:
            left_out[index].append(LeftOut(found, "duplicate"))
        elif spent + cost > budget_tokens:
            left_out[index].append(LeftOut(found, "budget"))
        else:
            seen.add(found.chunk.id)
            spent += cost
            kept.append((index, found))
    return kept, left_out


def with_knowledge(prompt: str, chunks: Sequence[tuple[str, str]]) -> str:
    """``prompt`` under the chunks, given as (the base's key, text); as it is where there are none."""
    if not chunks:
        return prompt
    blocks = "".join(_CHUNK.format(number=number, key=key, text=text.strip("\n")) for number, (key, text) in enumerate(chunks, 1))
    return f"Knowledge:\n\n{blocks}Prompt:\n\n{prompt}"


def _in_turn(outcomes: Sequence[Outcome]) -> Iterator[tuple[int, Found]]:
    """The best of each outcome, then the second of each, and so on."""
    for row in zip_longest(*(outcome.found for outcome in outcomes)):
        yield from ((index, found) for index, found in enumerate(row) if found is not None)
