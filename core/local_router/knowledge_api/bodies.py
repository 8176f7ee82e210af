"""What the knowledge endpoints take as bodies, checked by the same rules as a completion's request.

Fields and names are those of the official SDK's ``client.knowledge`` (orq-ai-sdk 4.17.13), and ``documents`` is ours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from core.contract.containers import Block, JsonObject
from core.contract.knowledge import AgenticRagConfig, KnowledgeBase
from core.contract.parts import Identifier, ModelId, OptionalText, Part
from core.contract.rules import Choice, Flag, Integer, Number, Text
from core.local_router.knowledge.records import SEARCH_TYPES


class StoredRerank(Part):
    """``rerank_config`` as a base keeps it: its names differ from a request's."""

    rerank_model: ModelId = Field(description="The model that orders the chunks anew.")
    top_k: Annotated[int | None, Integer(1, 100, default=10)] = Field(default=None, description="How many chunks are kept, at most.")
    rerank_threshold: Annotated[float | None, Number(0, 1, default=0)] = Field(
        default=None, description="The relevance that a chunk must exceed."
    )


class StoredAgentic(Part):
    """``agentic_rag_config`` as a base keeps it."""

    model: ModelId = Field(description="The model that rewrites the query.")


class RetrievalSettings(Part):
    """How a base is searched when a request does not say; null takes a config away."""

    retrieval_type: Annotated[Literal["vector_search", "keyword_search", "hybrid_search"] | None, Choice(values=tuple(SEARCH_TYPES))] = (
        Field(default=None, description="How chunks are found.")
    )
    top_k: Annotated[int | None, Integer(1, 100)] = Field(default=None, description="How many chunks a search gives, at most.")
    threshold: Annotated[float | None, Number(0, 1)] = Field(default=None, description="The score that a chunk must reach.")
    rerank_config: Annotated[StoredRerank | None, Block(null=True)] = Field(default=None, description="Orders the chunks anew.")
    agentic_rag_config: Annotated[StoredAgentic | None, Block(null=True)] = Field(default=None, description="Lets a model steer.")


class NewBase(Part):
    """``POST /v2/knowledge``."""

    key: Identifier = Field(description="The key of the new base.")
    embedding_model: Annotated[str | None, Text(what="a model's name", filled=True)] = Field(
        default=None, description="`local/tfidf-svd` where it is left out."
    )
    description: Annotated[str | None, Text(null=True)] = Field(default=None, description="What is in it.")
    type: Annotated[Literal["internal"] | None, Choice(values=("internal",))] = Field(default=None, description="Always internal.")
    retrieval_settings: Annotated[RetrievalSettings | None, Block()] = Field(default=None, description="How it is searched.")
    path: OptionalText = Field(default=None, description="A folder of the sender's project; this router has none. The SDK demands it.")


class ChangedBase(Part):
    """``PATCH /v2/knowledge/{id}``."""

    description: Annotated[str | None, Text(null=True)] = Field(default=None, description="What is in it.")
    embedding_model: Annotated[str | None, Text(what="a model's name", filled=True)] = Field(default=None, description="Who embeds.")
    retrieval_settings: Annotated[RetrievalSettings | None, Block()] = Field(default=None, description="How it is searched.")
    type: Annotated[Literal["internal"] | None, Choice(values=("internal",))] = Field(default=None, description="Always internal.")


class NewDocument(Part):
    """``POST /v2/knowledge/{id}/documents``, ours: the official API takes files in two steps, over a store of its own."""

    name: Identifier = Field(description="The file's name; its ending tells its kind.")
    content_base64: Annotated[str, Text(what="the file's bytes in base64")] = Field(description="The file's bytes in base64.")
    metadata: Annotated[dict[str, Any] | None, JsonObject()] = Field(default=None, description="What each of its chunks is known by.")


class Switch(Part):
    """``PATCH …/chunks/{chunk_id}/enabled``."""

    enabled: Annotated[bool, Flag()] = Field(description="Whether the chunk can be found.")


class Search(KnowledgeBase):
    """``POST /v2/knowledge/{id}/search``: an item of ``orq.knowledge_bases``, with the query."""

    query: Annotated[str, Text(what="the text to search for", filled=True)] = Field(description="The text to search for.")
    agentic_rag_config: Annotated[AgenticRagConfig | None, Block(null=True)] = Field(
        default=None, description="Lets a model steer the search. Not sent: as the base is configured; null: not at all."
    )

    @property
    def without_agentic(self) -> bool:
        """Whether the base's own model is not to steer."""
        return self.agentic_rag_config is None and "agentic_rag_config" in self.model_fields_set
