"""``/v2/knowledge`` and what is below it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.local_router.api_error import ApiError
from core.local_router.completions import caller
from core.local_router.knowledge.records import LOCAL_EMBEDDING, Base, BaseSettings, Document, UnknownBase
from core.local_router.knowledge.store import KnowledgeStore
from core.local_router.knowledge_api.bodies import ChangedBase, NewBase, NewDocument, RetrievalSettings, Search, Switch
from core.local_router.knowledge_api.views import base_view, chunk_view, document_view, match_view
from core.local_router.request_body import read_body, read_bytes
from core.local_router.retrieval.search import Searcher
from core.local_router.retrieval.wanted import read_wanted
from core.local_router.threads import in_thread
from core.local_router.upstreams import Upstreams

LARGEST_UPLOAD = 40 * 1024 * 1024
"""Bytes of a body that brings a file: a file of 30 MB in base64."""

MOST_LISTED = 300
LISTED = 25
"""``limit`` of a list, as the SDK's documentation says: at most, and when it is left out."""

Handler = Callable[[Request], Awaitable[Response]]


def knowledge_routes(store: KnowledgeStore, searcher: Searcher, upstreams: Upstreams) -> list[Route]:
    """The routes; the store is asked in threads. A base may name an embedding model of ``upstreams``."""
    api = _KnowledgeApi(store, searcher, upstreams)
    one, sources = "/v2/knowledge/{knowledge_id}", "/v2/knowledge/{knowledge_id}/datasources"
    source = f"{sources}/{{datasource_id}}"
    return [
        Route("/v2/knowledge", _guarded(api.list_bases), methods=["GET"]),
        Route("/v2/knowledge", _guarded(api.create), methods=["POST"]),
        Route(one, _guarded(api.show), methods=["GET"]),
        Route(one, _guarded(api.change), methods=["PATCH"]),
        Route(one, _guarded(api.delete), methods=["DELETE"]),
        Route(f"{one}/search", _guarded(api.search), methods=["POST"]),
        Route(f"{one}/documents", _guarded(api.upload), methods=["POST"]),
        Route(sources, _guarded(api.list_documents), methods=["GET"]),
        Route(source, _guarded(api.show_document), methods=["GET"]),
        Route(source, _guarded(api.delete_document), methods=["DELETE"]),
        Route(f"{source}/chunks", _guarded(api.list_chunks), methods=["GET"]),
        Route(f"{source}/chunks/{{chunk_id}}/enabled", _guarded(api.switch_chunk), methods=["PATCH"]),
    ]


def _guarded(handler: Handler) -> Handler:
    """``handler`` whose store errors are the contract's: a base that is nowhere is a 404, a bad value a 400."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except UnknownBase as error:
            raise ApiError(404, str(error), param="knowledge_id") from None
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it

    return answer


class _KnowledgeApi:
    def __init__(self, store: KnowledgeStore, searcher: Searcher, upstreams: Upstreams) -> None:
        self._store = store
        self._searcher = searcher
        self._upstreams = upstreams

    async def list_bases(self, request: Request) -> Response:
        self._searcher.warm_up()
        sought = request.query_params.get("search", "").casefold()
        bases = [base for base in await in_thread(self._store.bases) if sought in base.key.casefold()]
        return _page([base_view(base) for base in bases], request)

    async def create(self, request: Request) -> Response:
        new = read_body(NewBase, await read_bytes(request))
        self._check_embedding(new.embedding_model)
        settings = _settings(BaseSettings(), new.retrieval_settings, new.embedding_model)
        with _Refusing("key"):
            base = await in_thread(self._store.create, new.key, new.description or "", settings)
        return JSONResponse(base_view(base))

    async def show(self, request: Request) -> Response:
        return JSONResponse(base_view(await self._base(request)))

    async def change(self, request: Request) -> Response:
        base = _changeable(await self._base(request))
        new = read_body(ChangedBase, await read_bytes(request))
        self._check_embedding(new.embedding_model)
        settings = _settings(base.settings, new.retrieval_settings, new.embedding_model)
        description = (new.description or "") if "description" in new.model_fields_set else None
        with _Refusing(None):
            base = await in_thread(self._store.update, base.id, description, None if settings == base.settings else settings)
        return JSONResponse(base_view(base))

    async def delete(self, request: Request) -> Response:
        base = _changeable(await self._base(request))
        await in_thread(self._store.delete, base.id)
        return Response(status_code=204)

    async def search(self, request: Request) -> Response:
        base = await self._base(request)
        asked = read_body(Search, await read_bytes(request), knowledge_id=base.id)
        if asked.without_agentic:
            base = replace(base, settings=replace(base.settings, agentic=None))
        wanted = read_wanted(asked.model_dump(mode="json", exclude_unset=True), base, asked.query)
        outcome = await self._searcher.search(wanted, caller(request))
        return JSONResponse({"matches": [match_view(found, wanted) for found in outcome.found]})

    async def upload(self, request: Request) -> Response:
        base = _changeable(await self._base(request))
        new = read_body(NewDocument, await read_bytes(request, LARGEST_UPLOAD))
        try:
            content = base64.b64decode(new.content_base64, validate=True)
        except (binascii.Error, ValueError):
            raise ApiError(400, "content_base64 must be the file's bytes in base64.", param="content_base64") from None
        with _Refusing(None):
            document = await in_thread(self._store.add_document, base.id, new.name, content, new.metadata or {})
        return JSONResponse(document_view(document))

    async def list_documents(self, request: Request) -> Response:
        sought = request.query_params.get("q", "").casefold()
        documents = await in_thread(self._store.documents, (await self._base(request)).id)
        return _page([document_view(one) for one in documents if sought in one.name.casefold()], request)

    async def show_document(self, request: Request) -> Response:
        return JSONResponse(document_view(await self._document(request)))

    async def delete_document(self, request: Request) -> Response:
        _changeable(await self._base(request))
        document = await self._document(request)
        with _Refusing("datasource_id"):
            await in_thread(self._store.delete_document, document.base_id, document.id)
        return Response(status_code=204)

    async def list_chunks(self, request: Request) -> Response:
        limit = _limit(request)
        document = await self._document(request)
        after = request.query_params.get("starting_after")
        with _Refusing("starting_after"):
            chunks = await in_thread(self._store.chunks, document.base_id, document.id, after, limit + 1)
        return _list([chunk_view(chunk, document.created) for chunk in chunks], limit)

    async def switch_chunk(self, request: Request) -> Response:
        document, chunk_id = await self._document(request), request.path_params["chunk_id"]
        enabled = read_body(Switch, await read_bytes(request)).enabled
        try:
            await in_thread(self._store.set_enabled, document.base_id, chunk_id, enabled)
            chunk = await in_thread(self._store.chunk, document.base_id, chunk_id)
        except ValueError as error:
            raise ApiError(404, str(error), param="chunk_id") from None
        return JSONResponse(chunk_view(chunk, document.created))

    def _check_embedding(self, model: str | None) -> None:
        if model is None or model == LOCAL_EMBEDDING:
            return
        try:
            self._upstreams.find(model)
        except KeyError:
            message = (
                f"There is no upstream for the embedding model {model[:60]}; there is {LOCAL_EMBEDDING}, or name/model of an upstream."
            )
            raise ApiError(400, message, param="embedding_model") from None

    async def _base(self, request: Request) -> Base:
        return await in_thread(self._store.base, request.path_params["knowledge_id"])

    async def _document(self, request: Request) -> Document:
        base, wanted = await self._base(request), request.path_params["datasource_id"]
        for document in await in_thread(self._store.documents, base.id):
            if document.id == wanted:
                return document
        raise ApiError(404, f"The knowledge base {base.key} has no document {wanted[:60]!r}.", param="datasource_id")


class _Refusing:
    """Turns a ValueError of the store inside the block into a 400 at ``param``."""

    def __init__(self, param: str | None) -> None:
        self._param = param

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, ValueError):
            raise ApiError(400, str(error), param=self._param) from None


def _changeable(base: Base) -> Base:
    """``base``, unless it is built in."""
    if base.built_in:
        raise ApiError(409, f"The knowledge base {base.key} is built in and cannot be changed; make one of your own.", param="knowledge_id")
    return base


def _settings(settings: BaseSettings, new: RetrievalSettings | None, embedding_model: str | None) -> BaseSettings:
    """``settings`` with what a request changes."""
    changed: dict[str, Any] = {} if embedding_model is None else {"embedding_model": embedding_model}
    given = {} if new is None else new.model_dump(mode="json", exclude_unset=True)
    changed |= {field: given[name] for name, field in _SETTINGS.items() if name in given}
    if (rerank := changed.get("rerank")) is not None:
        changed["rerank"] = {_RERANK[name]: value for name, value in rerank.items()}
    return replace(settings, **changed)


_SETTINGS = {
    "retrieval_type": "search_type",
    "top_k": "top_k",
    "threshold": "threshold",
    "rerank_config": "rerank",
    "agentic_rag_config": "agentic",
}
_RERANK = {"rerank_model": "model", "top_k": "top_k", "rerank_threshold": "threshold"}


def _limit(request: Request) -> int:
    """The query's ``limit``; ``ApiError`` 400 where it is no number from 1 to `MOST_LISTED`."""
    given = request.query_params.get("limit", str(LISTED))
    if not (given.isascii() and given.isdigit() and len(given) < 6 and 1 <= int(given) <= MOST_LISTED):
        raise ApiError(400, f"limit must be a whole number from 1 to {MOST_LISTED}.", param="limit")
    return int(given)


def _page(rows: Sequence[dict[str, Any]], request: Request) -> Response:
    """The rows after the one that the query's ``starting_after`` names."""
    limit, after = _limit(request), request.query_params.get("starting_after")
    if after is not None:
        ids = [row["_id"] for row in rows]
        if after not in ids:
            raise ApiError(400, f"starting_after must be the id of one of the list, got {after[:60]!r}.", param="starting_after")
        rows = rows[ids.index(after) + 1 :]
    return _list(rows, limit)


def _list(rows: Sequence[dict[str, Any]], limit: int) -> Response:
    return JSONResponse({"object": "list", "data": list(rows[:limit]), "has_more": len(rows) > limit})
