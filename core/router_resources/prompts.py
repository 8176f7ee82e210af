"""Stored prompts and identities of a router (contract §4), as data for the pages.

A router may have neither: then a list gives None. Fields that a router leaves out are empty; rows without an id are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from core.client.client import RouterClient
from core.contract.placeholders import placeholders
from core.errors import RouterRejected
from core.router_resources.knowledge import NOT_SERVED

PAGE: Final = 100
MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """A stored prompt. ``text`` is what its messages say, an empty line between them; ``version`` is None where the router numbers
    none. ``plain`` tells that one message holds it all, so that writing ``text`` back loses nothing."""

    id: str
    name: str
    description: str
    text: str
    model: str
    version: int | None
    updated: str
    plain: bool

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names that its text mentions, in order."""
        return placeholders(self.text)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom requests were made for; ``id`` is what ``orq.identity.id`` takes. Counts are None where the router tells none."""

    id: str
    name: str
    email: str
    requests: int | None
    tokens: int | None


async def stored_prompts(client: RouterClient) -> tuple[StoredPrompt, ...] | None:
    """Every stored prompt, as many as twenty pages hold; None where the router has none. Raises what ``RouterClient.call`` does."""
    rows = await _listed(client, "/v2/prompts")
    return None if rows is None else tuple(prompt_from(row) for row in rows)


async def identities(client: RouterClient) -> tuple[Identity, ...] | None:
    """Every identity, likewise."""
    rows = await _listed(client, "/v2/identities")
    return None if rows is None else tuple(_identity(row) for row in rows if _text(row.get("external_id")))


async def create_prompt(client: RouterClient, *, name: str, description: str, text: str, path: str = "") -> StoredPrompt:
    """A new prompt of one message. ``path`` is a folder on the router, where it has folders."""
    body = {"display_name": name, "description": description, "prompt": {"messages": _messages(text)}, "path": path or "Default Project"}
    return prompt_from(await client.call("POST", "/v2/prompts", body))


async def save_prompt(client: RouterClient, prompt_id: str, *, name: str, description: str, text: str | None) -> StoredPrompt:
    """A new version of a prompt; ``text`` None leaves its messages alone. Raises what ``RouterClient.call`` does."""
    body: dict[str, Any] = {"display_name": name, "description": description}
    if text is not None:
        body["prompt"] = {"messages": _messages(text)}
    return prompt_from(await client.call("PATCH", f"/v2/prompts/{_part(prompt_id)}", body))


async def delete_prompt(client: RouterClient, prompt_id: str) -> None:
    """Take a prompt away, with its versions."""
    await client.call("DELETE", f"/v2/prompts/{_part(prompt_id)}")


def prompt_from(row: Any) -> StoredPrompt:
    """The prompt that a row tells."""
    row = _object(row)
    prompt = _object(row.get("prompt"))
    messages = [_object(message) for message in found] if isinstance(found := prompt.get("messages"), list) else []
    texts = [text for message in messages if (text := _said(message.get("content")))]
    version = row.get("version")
    return StoredPrompt(
        id=_text(row.get("_id")),
        name=_text(row.get("display_name")) or _text(row.get("_id")),
        description=_text(row.get("description")),
        text="\n\n".join(texts),
        model=_text(prompt.get("model")),
        version=version if isinstance(version, int) and not isinstance(version, bool) else None,
        updated=_text(row.get("updated")),
        plain=len(messages) == 1 and messages[0].get("role") == "user",
    )


def _identity(row: Mapping[str, Any]) -> Identity:
    usage = _object(row.get("usage"))
    return Identity(
        _text(row.get("external_id")),
        _text(row.get("display_name")),
        _text(row.get("email")),
        _count(usage.get("requests")),
        _count(usage.get("total_tokens")),
    )


def _said(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(_text(_object(part).get("text")) for part in parts if _object(part).get("type") == "text")


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def _listed(client: RouterClient, path: str) -> list[Mapping[str, Any]] | None:
    """The rows of a list, page by page; None where the server does not have it."""
    rows: list[Mapping[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        try:
            page = _object(await client.call("GET", f"{path}?{urlencode({'limit': str(PAGE), **cursor})}"))
        except RouterRejected as refused:
            if refused.status in NOT_SERVED and not rows:
                return None
            raise
        found = list(_rows(page))
        rows += found
        if page.get("has_more") is not True or not found:
            break
        cursor = {"starting_after": _text(found[-1]["_id"])}
    return rows


def _rows(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    data = page.get("data")
    yield from (row for row in data if isinstance(row, dict) and _text(row.get("_id"))) if isinstance(data, list) else ()


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15 else None


def _part(text: str) -> str:
    return quote(text[:200], safe="")
