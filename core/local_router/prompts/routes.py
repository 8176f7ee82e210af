"""``/v2/prompts`` and what is below it, in the shapes of contract §4 and of the official SDK's ``client.prompts``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.local_router.api_error import ApiError
from core.local_router.paging import Cursor, read_cursor
from core.local_router.prompts.bodies import ChangedPrompt, NewPrompt
from core.local_router.prompts.records import StoredPrompt, UnknownPrompt, Version
from core.local_router.prompts.store import PromptStore
from core.local_router.request_body import read_body, read_bytes

MOST_LISTED = 200
LISTED = 10
"""``limit`` of a list, as the SDK's documentation says: at most, and when it is left out."""

OWNER = "local"
"""The only workspace, and the only project: the SDK demands both."""

Handler = Callable[[Request], Awaitable[Response]]


def prompt_routes(store: PromptStore) -> list[Route]:
    """The routes; the store is asked in threads."""
    api = _PromptApi(store)
    one = "/v2/prompts/{prompt_id}"
    return [
        Route("/v2/prompts", _guarded(api.list), methods=["GET"]),
        Route("/v2/prompts", _guarded(api.create), methods=["POST"]),
        Route(one, _guarded(api.show), methods=["GET"]),
        Route(one, _guarded(api.change), methods=["PATCH"]),
        Route(one, _guarded(api.delete), methods=["DELETE"]),
        Route(f"{one}/versions", _guarded(api.list_versions), methods=["GET"]),
        Route(f"{one}/versions/{{version_id}}", _guarded(api.show_version), methods=["GET"]),
    ]


def _guarded(handler: Handler) -> Handler:
    """``handler`` whose unknown prompts are 404s."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except UnknownPrompt as error:
            raise ApiError(404, str(error), code="prompt_not_found", param="id") from None
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it

    return answer


class _PromptApi:
    def __init__(self, store: PromptStore) -> None:
        self._store = store

    async def list(self, request: Request) -> Response:
        cursor = read_cursor(request, most=MOST_LISTED, usual=LISTED)
        try:
            found, more = await asyncio.to_thread(self._store.page, cursor.limit, after=cursor.after, before=cursor.before)
        except UnknownPrompt:
            raise cursor.unknown() from None
        return JSONResponse({"object": "list", "data": [prompt_view(prompt) for prompt in found], "has_more": more})

    async def create(self, request: Request) -> Response:
        body = read_body(NewPrompt, await read_bytes(request))
        return JSONResponse(prompt_view(await asyncio.to_thread(self._store.create, body.content())))

    async def show(self, request: Request) -> Response:
        return JSONResponse(prompt_view(await asyncio.to_thread(self._store.latest, request.path_params["prompt_id"])))

    async def change(self, request: Request) -> Response:
        body = read_body(ChangedPrompt, await read_bytes(request))
        saved = await asyncio.to_thread(self._store.save, request.path_params["prompt_id"], body.applied)
        return JSONResponse(prompt_view(saved))

    async def delete(self, request: Request) -> Response:
        await asyncio.to_thread(self._store.delete, request.path_params["prompt_id"])
        return JSONResponse({})  # the SDK takes nothing but a 200

    async def list_versions(self, request: Request) -> Response:
        cursor = read_cursor(request, most=MOST_LISTED, usual=LISTED)
        versions = await asyncio.to_thread(self._store.versions, request.path_params["prompt_id"])
        return JSONResponse(_versions_page([version_view(version) for version in versions], cursor))

    async def show_version(self, request: Request) -> Response:
        prompt_id, version_id = request.path_params["prompt_id"], request.path_params["version_id"]
        for version in await asyncio.to_thread(self._store.versions, prompt_id):
            if version.id == version_id:
                return JSONResponse(version_view(version))
        raise ApiError(
            404, f"The prompt {prompt_id[:100]} has no version {version_id[:100]}.", code="version_not_found", param="version_id"
        )


def _versions_page(rows: list[dict[str, Any]], cursor: Cursor) -> dict[str, Any]:
    ids = [row["_id"] for row in rows]
    if any(named is not None and named not in ids for named in (cursor.after, cursor.before)):
        raise cursor.unknown()
    if cursor.before is not None:
        end = ids.index(cursor.before)
        start = max(0, end - cursor.limit)
        return {"object": "list", "data": rows[start:end], "has_more": start > 0}
    start = ids.index(cursor.after) + 1 if cursor.after is not None else 0
    end = start + cursor.limit
    return {"object": "list", "data": rows[start:end], "has_more": len(rows) > end}


def prompt_view(prompt: StoredPrompt) -> dict[str, Any]:
    """A prompt with its newest version. ``version`` and ``text`` (what replaces a request's prompt) are ours."""
    return {
        "_id": prompt.id,
        "type": "prompt",
        "owner": OWNER,
        "domain_id": OWNER,
        "created": _time(prompt.created),
        "updated": _time(prompt.latest.saved),
        "display_name": prompt.latest.content.display_name,
        **_content_view(prompt.latest),
    }


def version_view(version: Version) -> dict[str, Any]:
    """One version."""
    return {"_id": version.id, "timestamp": _time(version.saved), **_content_view(version)}


def _content_view(version: Version) -> dict[str, Any]:
    content = version.content
    return {
        "description": content.description,
        "prompt": dict(content.prompt),
        "metadata": dict(content.metadata),
        "version": version.number,
        "text": version.text,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
