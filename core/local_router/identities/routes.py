"""``/v2/identities`` in the shapes of contract §4 and of the official SDK's ``client.identities``, and ``/v2/router/threads`` (ours)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.local_router.api_error import ApiError
from core.local_router.completions import caller
from core.local_router.identities.ledger import Ledger
from core.local_router.identities.records import Kind, Party, UnknownParty, Usage
from core.local_router.paging import read_cursor

MOST_LISTED = 200
LISTED = 25
"""``limit`` of a list: at most, and when it is left out (ours)."""

WORKSPACE = "local"
"""The only workspace; the SDK demands one."""


def identity_routes(ledger: Ledger, owner: Callable[[str], str]) -> list[Route]:
    """The routes; ``owner`` makes of a caller whose identities and threads these are."""
    api = _IdentityApi(ledger, owner)
    return [
        Route("/v2/identities", api.list_identities, methods=["GET"]),
        Route("/v2/identities/{id}", api.show_identity, methods=["GET"]),
        Route("/v2/identities/{id}", api.delete_identity, methods=["DELETE"]),
        Route("/v2/router/threads", api.list_threads, methods=["GET"]),
        Route("/v2/router/threads/{id}", api.show_thread, methods=["GET"]),
    ]


class _IdentityApi:
    def __init__(self, ledger: Ledger, owner: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._owner = owner

    async def list_identities(self, request: Request) -> Response:
        metrics = _flag(request, "include_metrics")
        return await self._list(request, "identity", lambda party: identity_view(party, metrics=metrics))

    async def show_identity(self, request: Request) -> Response:
        party = await self._find(request, "identity")
        return JSONResponse({"identity": identity_view(party, metrics=_flag(request, "include_metrics"))})

    async def delete_identity(self, request: Request) -> Response:
        party = await self._find(request, "identity")
        store = await self._ledger.store()
        try:
            await asyncio.to_thread(store.delete, party.subject.owner, "identity", party.id)
        except UnknownParty:  # another request deleted it meanwhile
            raise _unknown("identity", party.subject.name) from None
        return JSONResponse({})

    async def list_threads(self, request: Request) -> Response:
        return await self._list(request, "thread", thread_view)

    async def show_thread(self, request: Request) -> Response:
        return JSONResponse(thread_view(await self._find(request, "thread")))

    async def _list(self, request: Request, kind: Kind, view: Callable[[Party], dict[str, Any]]) -> Response:
        cursor = read_cursor(request, most=MOST_LISTED, usual=LISTED)
        search, tags = request.query_params.get("search", ""), request.query_params.getlist("filter_by.tags")
        store = await self._ledger.store()
        try:
            found, more = await asyncio.to_thread(
                store.page,
                self._owner(caller(request)),
                kind,
                cursor.limit,
                after=cursor.after,
                before=cursor.before,
                search=search,
                tags=tags,
            )
        except UnknownParty:
            raise cursor.unknown() from None
        return JSONResponse({"object": "list", "data": [view(party) for party in found], "has_more": more})

    async def _find(self, request: Request, kind: Kind) -> Party:
        name = request.path_params["id"]
        store = await self._ledger.store()
        try:
            return await asyncio.to_thread(store.find, self._owner(caller(request)), kind, name)
        except UnknownParty:
            raise _unknown(kind, name) from None


def _unknown(kind: Kind, name: str) -> ApiError:
    return ApiError(404, f"There is no {kind} {name[:100]} among those of this key.", param="id")


def _flag(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "false")
    if given not in ("true", "false"):
        raise ApiError(400, f"{name} must be true or false.", param=name)
    return given == "true"


def identity_view(party: Party, *, metrics: bool) -> dict[str, Any]:
    """An identity; a field that never came is left out. ``usage`` is ours, ``metrics`` the SDK's. No prices are known here: cost is 0."""
    profile, usage = party.profile, party.usage
    view = {
        "_id": party.id,
        "external_id": party.subject.name,
        "workspace_id": WORKSPACE,
        "created": _time(party.created),
        "updated": _time(party.updated),
        "display_name": profile.get("display_name"),
        "email": profile.get("email"),
        "avatar_url": profile.get("logo_url"),
        "tags": profile.get("tags"),
        "metadata": _merged(profile.get("metadata")),
        "usage": usage_view(usage),
    }
    if metrics:
        view["metrics"] = {
            "total_requests": usage.requests,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            "total_cost": 0,
            "error_rate": usage.failed / usage.requests if usage.requests else 0,
        }
    return {name: value for name, value in view.items() if value is not None}


def thread_view(party: Party) -> dict[str, Any]:
    """A thread."""
    return {
        "_id": party.id,
        "object": "router.thread",
        "id": party.subject.name,
        "created": _time(party.created),
        "tags": party.profile.get("tags") or [],
        "usage": usage_view(party.usage),
    }


def usage_view(usage: Usage) -> dict[str, Any]:
    """Counts, and when the last request was seen."""
    return {
        "requests": usage.requests,
        "failed": usage.failed,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "last_seen": _time(usage.last_seen),
    }


def _merged(metadata: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """A request's list of objects as the one object that the list of identities has; of two equal names the later counts."""
    return None if metadata is None else {name: value for entry in metadata for name, value in entry.items()}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
