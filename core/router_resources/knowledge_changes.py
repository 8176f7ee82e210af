"""Making knowledge bases and changing what is in them, on a router that lets one (the local router); ``knowledge.py`` reads them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from core.client.client import RouterClient

LOCAL_EMBEDDING = "local/tfidf-svd"


async def create_base(client: RouterClient, key: str, description: str, embedding_model: str = LOCAL_EMBEDDING) -> str:
    """A new, empty base; its id. Raises what ``RouterClient.call`` does: RouterRejected 400 for a key that is taken or no key."""
    body = {"key": key, "description": description, "embedding_model": embedding_model, "type": "internal", "path": "Default"}
    return str((await client.call("POST", "/v2/knowledge", body))["_id"])


async def delete_base(client: RouterClient, base_id: str) -> None:
    """Take a base away, with all that is in it."""
    await client.call("DELETE", f"/v2/knowledge/{_part(base_id)}")


async def add_document(client: RouterClient, base_id: str, name: str, content: bytes, metadata: Mapping[str, Any]) -> int:
    """Add a file; how many chunks it was cut into. RouterRejected 400 for a file that cannot be read, with a sentence."""
    body = {"name": name, "content_base64": base64.b64encode(content).decode(), "metadata": dict(metadata)}
    return int((await client.call("POST", f"/v2/knowledge/{_part(base_id)}/documents", body))["chunks_count"])


async def delete_document(client: RouterClient, base_id: str, document_id: str) -> None:
    """Take a document out, with its chunks."""
    await client.call("DELETE", f"/v2/knowledge/{_part(base_id)}/datasources/{_part(document_id)}")


async def switch_chunk(client: RouterClient, base_id: str, document_id: str, chunk_id: str, enabled: bool) -> None:
    """Switch a chunk on or off; one that is off is never found."""
    path = f"/v2/knowledge/{_part(base_id)}/datasources/{_part(document_id)}/chunks/{_part(chunk_id)}/enabled"
    await client.call("PATCH", path, {"enabled": enabled})


def _part(text: str) -> str:
    return quote(text, safe="")
