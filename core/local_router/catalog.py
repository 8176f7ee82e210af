"""The models there are, with what a person needs to know to pick one; and where a call finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from core.local_router.answer import Model
from core.local_router.api_error import ApiError
from core.local_router.models.pydoc import PydocModel
from core.local_router.models.rehearsal import RehearsalModel, described
from core.local_router.models.upstream import UpstreamModel
from core.local_router.upstreams import Upstreams

CREATED: Final = 1_700_000_000
"""The models have no birthday; clients want a number."""


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


def description(model: str) -> str:
    """What a person needs to know of a model of this router's own; empty for any other."""
    if card := next((card for card in MODELS if card.id == model), None):
        return card.description
    family, _, script = model.partition("/")
    return described(script) if family == "rehearsal" else ""


class Models:
    """The models by their ids: the catalogue's local ones, every rehearsal script, and what the upstreams have."""

    def __init__(self, pace: float, upstreams: Upstreams) -> None:
        self._local = {card.id: PydocModel(card.order, pace) for card in MODELS if card.order is not None}
        self._rehearsal = RehearsalModel(self._local["local/pydoc"])
        self._upstreams = upstreams

    def find(self, model: str) -> Model:
        """The model of that id; ``ApiError`` 404 where there is none. An upstream itself says whether it has the model."""
        if model.startswith("rehearsal/"):
            return self._rehearsal
        if model in self._local:
            return self._local[model]
        try:
            return UpstreamModel(*self._upstreams.find(model))
        except KeyError:
            upstreams = (f"{status.config.name}/<model>" for status in self._upstreams.status())
            ids = ", ".join([*self._local, "rehearsal/<script>", *upstreams])
            raise ApiError(404, f"There is no model {model}. There are {ids}.", code="model_not_found", param="model") from None

    async def listing(self) -> dict[str, Any]:
        """Every local model, an example of each kind of rehearsal, and what the upstreams say they have, as ``GET /v3/router/models``
        tells it. An upstream that is slow or down delays the list by 0.7 s once (``Upstreams.models``)."""
        data = [_row(card.id, card.family, card.description) for card in MODELS]
        data += [_row(model, model.partition("/")[0], "A model of an upstream.") for model in await self._upstreams.models()]
        return {"object": "list", "data": data}


def _row(model: str, owner: str, description: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": CREATED, "owned_by": owner, "description": description}
