"""The models there are, with what a person needs to know to pick one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of the model picker and of ``GET /v3/router/models``.

    ``order`` is the number of tokens a local model looks at, the next one included. A rehearsal's card is one example of a script:
    other scripts work too (``models/rehearsal.py`` has the grammar).
    """

    id: str
    description: str
    family: Literal["local", "rehearsal"]
    order: int | None = None


MODELS: tuple[ModelCard, ...] = (
    ModelCard("local/pydoc", "A small language model of Python's own reference; looks 7 tokens back.", "local", 8),
    ModelCard("local/pydoc-3", "The same, looking only 2 tokens back: fluent for a few words, then lost.", "local", 3),
    ModelCard("local/pydoc-1", "The same without any context: frequent words in any order.", "local", 1),
    ModelCard("rehearsal/429", "Always refuses: 429 rate_limit_exceeded, with Retry-After.", "rehearsal"),
    ModelCard("rehearsal/503-503-ok", "Fails twice with 503, answers the third time, and begins anew; counted per API key.", "rehearsal"),
    ModelCard("rehearsal/slow-5000ms", "Answers after five seconds; any number of milliseconds up to 600000.", "rehearsal"),
    ModelCard(
        "rehearsal/cut-after-20", "Closes the connection after 20 tokens (or at the end of a shorter answer), without [DONE].", "rehearsal"
    ),
    ModelCard("rehearsal/malformed-after-5", "Sends a frame that is not JSON after 5 tokens.", "rehearsal"),
    ModelCard("rehearsal/error-after-10", "Sends an error frame in the stream after 10 tokens.", "rehearsal"),
    ModelCard("rehearsal/content-filter", "Ends each choice after 8 tokens with finish_reason content_filter.", "rehearsal"),
    ModelCard(
        "rehearsal/401",
        "Any of the statuses 400 401 402 403 404 408 409 422 429 500 501 502 503 504 529 can be had by its number.",
        "rehearsal",
    ),
    ModelCard("rehearsal/529", "Provider overloaded.", "rehearsal"),
)
